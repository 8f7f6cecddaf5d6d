//! Encryption of Secrets at rest: AES-256-GCM-SIV with a key that only the
//! platform's directory holds. Each record is bound to its place, so that a
//! sealed value cannot be moved to another.

use std::fs;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base::{Diagnostic, Ids};
use store::{SealError, Sealer};

use crate::layout::{Layout, write_private};

const KEY_LEN: usize = 32;

/// The platform's key for values at rest.
pub struct FileSealer {
    key: LessSafeKey,
    ids: Ids,
}

impl FileSealer {
    const KEY_ID: u32 = 1;

    /// The key of a platform; made on first use.
    pub fn open(layout: &Layout, ids: &Ids) -> Result<Self, Diagnostic> {
        let path = layout.pki().join("secrets.key");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !layout.store().exists() => {
                let mut bytes = vec![0u8; KEY_LEN];
                ids.fill(&mut bytes);
                write_private(&path, &bytes).map_err(|error| unreadable(&error))?;
                bytes
            }
            Err(error) => return Err(unreadable(&error)),
        };
        let key = UnboundKey::new(&AES_256_GCM_SIV, &bytes).map_err(|error| unreadable(&error))?;
        Ok(FileSealer { key: LessSafeKey::new(key), ids: ids.clone() })
    }
}

impl Sealer for FileSealer {
    fn current_key_id(&self) -> u32 {
        Self::KEY_ID
    }

    fn seal(&self, _key_id: u32, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0u8; NONCE_LEN];
        self.ids.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
            .map_err(|_| SealError::Refused("sealing failed".into()))?;
        let mut out = nonce.to_vec();
        out.append(&mut sealed);
        Ok(out)
    }

    fn open(&self, key_id: u32, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if key_id != Self::KEY_ID {
            return Err(SealError::UnknownKey(key_id));
        }
        let refused = || SealError::Refused("it is bound to another place, or was changed".into());
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(aad), &mut body).map_err(|_| refused())?;
        Ok(plain.to_vec())
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new("secrets-key", "the key that Secrets are encrypted with cannot be read")
        .detail(error)
        .hint("restore `pki/secrets.key` from a backup: without it the platform's Secrets are lost")
}
