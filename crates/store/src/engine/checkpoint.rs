//! Moves what is in SQLite's write-ahead log into the database file, beside the
//! writer rather than in its way: a checkpoint syncs twice and would hold up
//! every write that waits. It must never write to the log itself.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};

use super::log::EngineError;

/// Bytes written between two checkpoints.
const EVERY_BYTES: usize = 16 * 1024 * 1024;

/// The thread that checkpoints one database; it ends with this value.
pub struct Checkpoints {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    written: usize,
}

impl Checkpoints {
    /// Starts the thread for the database at `path`.
    pub fn start(path: &Path) -> Result<Self, EngineError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        // One request may wait while one is carried out; more would ask for the same.
        let (wake, woken) = sync_channel(1);
        let work = move || {
            while woken.recv().is_ok() {
                // What cannot be moved now stays in the log, which is as durable, and the
                // writer meets whatever is wrong with the disk by itself.
                if let Err(error) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
                    tracing::warn!(%error, "the write-ahead log could not be moved into the database");
                }
            }
        };
        let thread = std::thread::Builder::new().name("store checkpoint".to_owned()).spawn(work);
        let thread = thread.map_err(|error| EngineError::Other(format!("cannot start a thread: {error}")))?;
        Ok(Checkpoints { wake: Some(wake), thread: Some(thread), written: 0 })
    }

    /// Notes that so many bytes were written, and asks for a checkpoint when it is time.
    pub fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
        if self.written < EVERY_BYTES {
            return;
        }
        // One that is under way already takes most of it along; the next write asks again.
        if self.wake.as_ref().is_some_and(|wake| wake.try_send(()).is_ok()) {
            self.written = 0;
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say; a panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}
