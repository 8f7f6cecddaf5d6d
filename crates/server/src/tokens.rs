//! Bearer tokens that the platform itself issued. Only their digests are kept,
//! compared in constant time.

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base::{Diagnostic, Ids};
use contracts::auth::{Identity, TokenVerifier};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::layout::{Layout, write_private};

/// The tokens of one platform: the administrator's.
pub struct FileTokens {
    known: Vec<(Vec<u8>, Identity)>,
}

impl FileTokens {
    /// The platform's tokens; the administrator's is made on first use and can be read
    /// by whoever may read the platform's directory.
    pub fn open(layout: &Layout, ids: &Ids) -> Result<Self, Diagnostic> {
        let path = path(layout);
        let token = match fs::read_to_string(&path) {
            Ok(token) => token.trim().to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let token = ids.token_hex(32);
                write_private(&path, token.as_bytes()).map_err(|error| unreadable(&error))?;
                token
            }
            Err(error) => return Err(unreadable(&error)),
        };
        if token.len() < 32 {
            return Err(unreadable(&"it is too short"));
        }
        let admin = Identity {
            user: "coracle:admin".into(),
            groups: vec![Identity::MASTERS.into(), "system:authenticated".into()],
        };
        Ok(FileTokens { known: vec![(hash(&token), admin)] })
    }
}

/// Where the administrator's token lies.
pub fn path(layout: &Layout) -> PathBuf {
    layout.pki().join("admin.token")
}

impl TokenVerifier for FileTokens {
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Option<Identity>> {
        let hashed = hash(token);
        let found = self.known.iter().find(|(known, _)| verify_slices_are_equal(known, &hashed).is_ok());
        futures::future::ready(found.map(|(_, identity)| identity.clone())).boxed()
    }
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

fn unreadable(error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new("broken-token", "the administrator's token cannot be read")
        .detail(error)
        .hint("delete `pki/admin.token`; a new one is made at the next start")
}
