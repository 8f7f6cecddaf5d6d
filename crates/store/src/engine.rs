//! The log beneath the store, and the engines that keep one. An engine must
//! never know what the frames in it mean.

mod log;
mod checkpoint;

mod memory;
mod sqlite;

pub use log::{Change, Engine, EngineError, SnapshotJob};
pub use memory::Memory;
pub use sqlite::Sqlite;
