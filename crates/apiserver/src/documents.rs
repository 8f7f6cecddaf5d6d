//! OpenAPI documents that are kept: for each cluster which there are, with a hash of each,
//! and a shelf of compressed documents by hash. Both are bounded, and what nobody asks for
//! goes: any of it can be made again at any time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use api::ClusterName;
use bytes::Bytes;

/// Compressed bytes on the shelf: every built-in document fits.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Clusters whose documents are known by hash.
const MOST_INDEXES: usize = 64;
/// What nobody asked for so long goes.
pub const IDLE: Duration = Duration::from_secs(10 * 60);

/// Which documents a cluster has.
#[derive(Debug, Default)]
pub struct Index {
    /// Hashes by the documents' keys, such as `apis/apps/v1`.
    pub hashes: BTreeMap<String, String>,
    /// The index as it is served.
    pub text: Bytes,
}

/// Indexes and documents.
#[derive(Default)]
pub struct Documents {
    /// By cluster, with the registry's generation that each is of.
    indexes: HashMap<ClusterName, (u64, Arc<Index>)>,
    /// Hash and compressed document, the least recently used first.
    shelf: Vec<(String, Bytes)>,
    /// Counts what is asked for, so that idleness shows.
    asked: u64,
    /// Whether a task waits for idleness.
    watched: bool,
}

impl Documents {
    /// The index of a cluster, if it is of this generation.
    pub fn index(&mut self, cluster: &ClusterName, generation: u64) -> Option<Arc<Index>> {
        self.asked += 1;
        self.indexes.get(cluster).filter(|(held, _)| *held == generation).map(|(_, index)| index.clone())
    }

    /// Keeps the index of a cluster, and drops the documents that it replaced.
    pub fn keep_index(&mut self, cluster: &ClusterName, generation: u64, index: Arc<Index>) {
        if self.indexes.len() >= MOST_INDEXES {
            // All that are of older generations are worthless; if none is, all can be made again.
            self.indexes.retain(|_, (held, _)| *held == generation);
            if self.indexes.len() >= MOST_INDEXES {
                self.indexes.clear();
            }
        }
        let replaced = self.indexes.insert(cluster.clone(), (generation, index));
        if let Some((_, replaced)) = replaced {
            let indexes = &self.indexes;
            let is_named =
                |hash: &String| indexes.values().any(|(_, index)| index.hashes.values().any(|held| held == hash));
            self.shelf.retain(|(hash, _)| !replaced.hashes.values().any(|held| held == hash) || is_named(hash));
        }
    }

    /// The document with this hash, if it is kept.
    pub fn get(&mut self, hash: &str) -> Option<Bytes> {
        self.asked += 1;
        let at = self.shelf.iter().position(|(held, _)| held == hash)?;
        let used = self.shelf.remove(at);
        let document = used.1.clone();
        self.shelf.push(used);
        Some(document)
    }

    /// Keeps a document in place of those that were not used the longest.
    pub fn keep(&mut self, hash: &str, document: Bytes) {
        self.shelf.retain(|(held, _)| held != hash);
        self.shelf.push((hash.to_owned(), document));
        let mut bytes: usize = self.shelf.iter().map(|(_, held)| held.len()).sum();
        while bytes > MOST_BYTES && self.shelf.len() > 1 {
            bytes -= self.shelf.remove(0).1.len();
        }
    }

    /// Whether somebody has to watch for idleness from now on.
    pub fn begin_watch(&mut self) -> bool {
        !std::mem::replace(&mut self.watched, true)
    }

    /// Drops everything if nobody asked since `asked` was counted. `None` then, else the count.
    pub fn drop_if_idle(&mut self, asked: u64) -> Option<u64> {
        if self.asked != asked {
            return Some(self.asked);
        }
        *self = Documents::default();
        None
    }
}

#[cfg(test)]
mod tests;
