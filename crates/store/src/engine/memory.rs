//! An engine that keeps its log in memory, for tests and throw-away platforms.
//! It promises the same as the others except durability beyond the process.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::log::{Change, Engine, EngineError, SnapshotJob};
use super::sqlite::Sqlite;

/// A log in memory. Clones share it, so that a test can open it again.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Log>>);

#[derive(Clone, Default)]
struct Log {
    frames: BTreeMap<u64, Bytes>,
    notes: BTreeMap<String, u64>,
}

impl Memory {
    /// An empty log.
    pub fn new() -> Self {
        Memory::default()
    }
}

impl Engine for Memory {
    fn notes(&mut self) -> Result<Vec<(String, u64)>, EngineError> {
        Ok(self.0.lock().notes.iter().map(|(name, value)| (name.clone(), *value)).collect())
    }

    fn replay(&mut self, visit: &mut dyn FnMut(u64, Bytes) -> ControlFlow<()>) -> Result<(), EngineError> {
        for (revision, frame) in &self.0.lock().frames {
            if visit(*revision, frame.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write(&mut self, change: &Change<'_>) -> Result<(), EngineError> {
        let mut log = self.0.lock();
        for (revision, frame) in change.append {
            log.frames.insert(*revision, Bytes::copy_from_slice(frame));
        }
        for revision in change.remove {
            log.frames.remove(revision);
        }
        log.notes.extend(change.notes.iter().cloned());
        Ok(())
    }

    fn snapshot(&mut self, path: &Path) -> Result<SnapshotJob, EngineError> {
        let log = self.0.lock().clone();
        let path = path.to_owned();
        Ok(Box::new(move || {
            let frames: Vec<_> = log.frames.iter().map(|(revision, frame)| (*revision, frame.to_vec())).collect();
            let notes: Vec<_> = log.notes.into_iter().collect();
            Sqlite::create_with(&path, &Change { append: &frames, remove: &[], notes: &notes })
        }))
    }

    fn size(&mut self) -> Result<u64, EngineError> {
        Ok(self.0.lock().frames.values().map(|frame| frame.len() as u64).sum())
    }
}
