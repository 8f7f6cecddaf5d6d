//! Random values: uids, name suffixes, passwords. Everything random in the
//! project comes from here, drawn from the operating system's secure source.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The alphabet Kubernetes uses for generated names: no vowels, no look-alikes.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const PASSWORD_ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// A source of random ids. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Ids(());

impl Ids {
    /// The operating system's secure source.
    pub fn system() -> Self {
        Ids(())
    }

    /// Fills `out` with random bytes.
    pub fn fill(&self, out: &mut [u8]) {
        SystemRandom::new().fill(out).expect("the operating system provides random bytes");
    }

    /// A version-4 UUID in its usual text form.
    pub fn uid(&self) -> String {
        let mut bytes = [0u8; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// The five characters that Kubernetes appends to a `generateName`.
    pub fn name_suffix(&self) -> String {
        self.draw(SUFFIX_ALPHABET, 5)
    }

    /// A password of `length` characters without look-alikes.
    pub fn password(&self, length: usize) -> String {
        self.draw(PASSWORD_ALPHABET, length)
    }

    /// `length` random bytes in lower-case hexadecimal.
    pub fn token_hex(&self, length: usize) -> String {
        let mut bytes = vec![0u8; length];
        self.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn draw(&self, alphabet: &[u8], length: usize) -> String {
        // Bytes beyond the largest multiple of the alphabet are drawn again, so
        // that every character is equally likely.
        let limit = 256 - 256 % alphabet.len();
        let mut text = String::with_capacity(length);
        let mut bytes = [0u8; 32];
        while text.len() < length {
            self.fill(&mut bytes);
            for &byte in bytes.iter().filter(|&&byte| usize::from(byte) < limit) {
                if text.len() < length {
                    text.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
                }
            }
        }
        text
    }
}
