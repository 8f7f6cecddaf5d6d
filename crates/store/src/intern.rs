//! One copy of each text that many keys share. It must not keep alive what no
//! key uses any more.

use std::collections::HashSet;
use std::sync::Arc;

use crate::key::Key;

const FIRST_PURGE: usize = 1024;

/// Shares the groups, resources, clusters and namespaces of keys. Names are
/// mostly unique and left alone.
pub(crate) struct Interner {
    texts: HashSet<Arc<str>>,
    purge_at: usize,
}

impl Interner {
    pub fn new() -> Self {
        Interner { texts: HashSet::new(), purge_at: FIRST_PURGE }
    }

    /// The shared copy of `text`.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.texts.get(text) {
            return shared.clone();
        }
        if self.texts.len() >= self.purge_at {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.purge_at = (self.texts.len() * 2).max(FIRST_PURGE);
        }
        let shared: Arc<str> = Arc::from(text);
        self.texts.insert(shared.clone());
        shared
    }

    /// `key` with its shared parts shared.
    pub fn key(&mut self, key: &Key) -> Key {
        Key {
            group: self.text(&key.group),
            resource: self.text(&key.resource),
            cluster: self.text(&key.cluster),
            namespace: self.text(&key.namespace),
            name: key.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_what_is_used_and_drops_what_is_not() {
        let mut interner = Interner::new();
        let kept = interner.text("kept");
        assert!(Arc::ptr_eq(&kept, &interner.text("kept")));
        for number in 0..10 * FIRST_PURGE {
            interner.text(&format!("gone {number}"));
        }
        assert!(interner.texts.len() <= FIRST_PURGE);
        assert!(Arc::ptr_eq(&kept, &interner.text("kept")));
    }
}
