//! Digests and comparisons for secrets: what is stored of a token or a password,
//! and how it is compared. It never sees where they are kept.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, pbkdf2};

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub fn same_secret(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// PBKDF2-HMAC-SHA-256 of a password that a person chose, in lower-case hexadecimal.
pub fn password_hash(password: &str, salt: &str, rounds: NonZeroU32) -> String {
    let mut derived = [0u8; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt.as_bytes(), password.as_bytes(), &mut derived);
    hex(&derived)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
