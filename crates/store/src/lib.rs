//! The store: an ordered, versioned keyspace over a log, with lists at a
//! revision, transactions and watches. It must never know a kind, parse a
//! value, or acknowledge what is not durable.

mod key;

mod entry;

mod seal;

mod error;
mod options;
mod transaction;

pub mod engine;
mod frame;
mod intern;
mod notes;

mod floors;
mod topic;

mod index;

mod compaction;
mod replay;

mod queue;
mod shared;
mod stage;
mod wakes;

mod sequencer;
mod watcher;

mod store;

pub use engine::{Engine, EngineError};
pub use entry::{Entry, Event, EventKind, Record, Value};
pub use error::{ConflictReason, Error};
pub use index::Stats;
pub use key::{Key, Prefix, Topic};
pub use options::{HistoryLimits, Options, TopicFilter};
pub use seal::{SealError, Sealer};
pub use store::Store;
pub use topic::{ListOptions, Page};
pub use transaction::{Committed, Expect, Op, Transaction};
pub use watcher::Watcher;
