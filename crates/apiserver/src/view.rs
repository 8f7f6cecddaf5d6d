//! Other objects of one cluster, as admission and allocation look at them: what is
//! committed now. It changes nothing and waits for nothing.

use api::Status;
use serde_json::Value;
use store::{Entry, Key, ListOptions, Prefix, Store};

use crate::tree::Tree;

/// The objects of one cluster.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    store: &'a Store,
    cluster: &'a str,
}

impl<'a> View<'a> {
    /// The objects of `cluster` in `store`.
    pub fn new(store: &'a Store, cluster: &'a str) -> Self {
        View { store, cluster }
    }

    /// Where an object of the cluster is stored; `namespace` is empty if it has none.
    pub fn key(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Key {
        Key::new(group, plural, self.cluster, namespace, name)
    }

    /// What is stored there.
    pub fn entry(&self, key: &Key) -> Option<Entry> {
        self.store.get(key)
    }

    /// An object, if it is there.
    pub fn get(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<Tree> {
        read(&self.entry(&self.key(group, plural, namespace, name))?)
    }

    /// The objects of a kind without namespaces.
    pub fn list(&self, group: &str, plural: &str) -> Result<Vec<Tree>, Status> {
        let prefix = Prefix::topic(group, plural).in_cluster(self.cluster);
        let page = self.store.list(&prefix, &ListOptions::default()).map_err(Status::internal)?;
        Ok(page.entries.iter().filter_map(read).collect())
    }
}

/// The object of an entry, with its metadata and without its type.
pub(crate) fn read(entry: &Entry) -> Option<Tree> {
    let mut object: Tree = serde_json::from_slice(&entry.value.body).ok()?;
    let meta: Value = serde_json::from_slice(&entry.value.meta).ok()?;
    object.insert("metadata".into(), meta);
    Some(object)
}
