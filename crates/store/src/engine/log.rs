//! What an engine must promise: the trait, its changes and its errors. Nothing
//! about what the frames in a log mean.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// A log of frames by revision, with a few named numbers beside it.
///
/// An engine is owned by one store and called from one thread at a time.
pub trait Engine: Send {
    /// All named numbers.
    fn notes(&mut self) -> Result<Vec<(String, u64)>, EngineError>;

    /// Visits every frame in the order of revisions until told to stop.
    fn replay(&mut self, visit: &mut dyn FnMut(u64, Bytes) -> ControlFlow<()>) -> Result<(), EngineError>;

    /// Appends, removes and notes, all or nothing. Durable when it returns. An
    /// error leaves open which of the two it was, until the log is opened anew.
    fn write(&mut self, change: &Change<'_>) -> Result<(), EngineError>;

    /// Fixes the log as it stands, and returns the work of copying it to
    /// `path`, to be done on another thread while this engine goes on.
    fn snapshot(&mut self, path: &Path) -> Result<SnapshotJob, EngineError>;

    /// Bytes the log takes.
    fn size(&mut self) -> Result<u64, EngineError>;
}

/// Copies what a snapshot fixed. The copy appears under its path only when it
/// is complete, and opens as an SQLite log.
pub type SnapshotJob = Box<dyn FnOnce() -> Result<(), EngineError> + Send>;

/// One atomic change of the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// Frames to add, in rising revisions above all there were before.
    pub append: &'a [(u64, Vec<u8>)],
    /// Revisions whose frames are dropped.
    pub remove: &'a [u64],
    /// Numbers to set.
    pub notes: &'a [(String, u64)],
}

impl Change<'_> {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.append.is_empty() && self.remove.is_empty() && self.notes.is_empty()
    }
}

/// Why an engine failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The disk, or the bound set for the log, is full.
    #[error("no space is left for the log")]
    Full,
    /// Another process has it open.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The file was written by something else.
    #[error("{} is not a store", .0.display())]
    Foreign(PathBuf),
    /// The file was written by a newer version.
    #[error("{} has format {found}, this version reads formats up to {supported}", .path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that is understood here.
        supported: u32,
    },
    /// There is something at the path of a snapshot already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file system refused.
    #[error("cannot use {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("the log's database failed")]
    Sqlite(#[source] rusqlite::Error),
    /// A test's fault, or an engine of another kind.
    #[error("{0}")]
    Other(String),
}

impl From<rusqlite::Error> for EngineError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => EngineError::Full,
            _ => EngineError::Sqlite(error),
        }
    }
}

impl EngineError {
    /// The error with everything beneath it, as one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }
}
