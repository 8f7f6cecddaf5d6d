//! What the handles, the watchers and the sequencer have in common. Only the
//! sequencer may change the index.

use std::sync::atomic::AtomicU64;

use parking_lot::RwLock;

use crate::index::Index;
use crate::wakes::Wakes;

pub(crate) struct Shared {
    pub index: RwLock<Index>,
    pub wakes: Wakes,
    pub transactions: AtomicU64,
    pub syncs: AtomicU64,
    pub log_bytes: AtomicU64,
}

impl Shared {
    pub fn new(index: Index) -> Self {
        Shared {
            index: RwLock::new(index),
            wakes: Wakes::default(),
            transactions: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            log_bytes: AtomicU64::new(0),
        }
    }
}
