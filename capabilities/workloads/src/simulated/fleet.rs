//! The nodes that are simulated now, with their addresses: what the agent of
//! pods needs to know of nodes, and how it hears of a new one.

use std::collections::HashMap;
use std::sync::Arc;

use client::ObjectKey;
use parking_lot::RwLock;
use tokio::sync::mpsc::UnboundedSender;

/// The simulated nodes.
pub(super) struct Fleet {
    nodes: RwLock<HashMap<ObjectKey, Arc<str>>>,
    joined: UnboundedSender<ObjectKey>,
}

impl Fleet {
    /// An empty fleet that tells of every node that joins.
    pub(super) fn new(joined: UnboundedSender<ObjectKey>) -> Self {
        Fleet { nodes: RwLock::default(), joined }
    }

    /// A node is simulated and has this address.
    pub(super) fn join(&self, node: &ObjectKey, address: &str) {
        if self.nodes.read().get(node).is_some_and(|held| **held == *address) {
            return;
        }
        self.nodes.write().insert(node.clone(), address.into());
        // Nobody listens any more only when the platform stops.
        let _ = self.joined.send(node.clone());
    }

    /// A node is gone, or simulated no more.
    pub(super) fn leave(&self, node: &ObjectKey) {
        self.nodes.write().remove(node);
    }

    /// The address of a node, if it is simulated.
    pub(super) fn address(&self, node: &ObjectKey) -> Option<Arc<str>> {
        self.nodes.read().get(node).cloned()
    }

    /// Every node.
    pub(super) fn nodes(&self) -> Vec<ObjectKey> {
        self.nodes.read().keys().cloned().collect()
    }
}
