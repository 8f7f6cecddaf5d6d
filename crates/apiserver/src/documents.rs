//! A small shelf of compressed documents by content hash. It must never hold
//! more than a few: a document can be made again at any time.

use bytes::Bytes;

/// Documents kept: what one kubectl session touches.
const KEPT: usize = 12;

/// Compressed documents, the least recently made first.
#[derive(Default)]
pub struct Documents(Vec<(String, Bytes)>);

impl Documents {
    /// The document with this hash, if it is kept.
    pub fn get(&self, hash: &str) -> Option<Bytes> {
        self.0.iter().find(|(held, _)| held == hash).map(|(_, document)| document.clone())
    }

    /// Keeps a document in place of the oldest.
    pub fn keep(&mut self, hash: &str, document: Bytes) {
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push((hash.to_owned(), document));
    }
}
