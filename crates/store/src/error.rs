//! Everything the store can refuse, in one enum. No variant may carry a value's
//! bytes in its text, since values may be secret.

use std::sync::Arc;

use crate::engine::EngineError;
use crate::entry::Entry;
use crate::key::Key;
use crate::seal::SealError;

/// Which expectation of a transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConflictReason {
    /// It was to be absent.
    AlreadyExists,
    /// It was to exist.
    NotFound,
    /// It is at another revision.
    RevisionMismatch,
}

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A transaction's expectation does not hold; nothing of it happened.
    #[error("{key}: {}", describe(*reason))]
    Conflict {
        /// Position of the step in the transaction.
        op: usize,
        /// The key it is about.
        key: Arc<Key>,
        /// Which expectation failed.
        reason: ConflictReason,
        /// What is there instead.
        current: Option<Entry>,
    },
    /// The revision lies before the history that is kept.
    #[error("revision {asked} is too old, history starts at {oldest}")]
    Compacted {
        /// The revision asked for.
        asked: u64,
        /// The oldest that would have been served.
        oldest: u64,
    },
    /// The revision has not happened yet.
    #[error("revision {asked} is in the future, the store is at {current}")]
    Future {
        /// The revision asked for.
        asked: u64,
        /// The newest there is.
        current: u64,
    },
    /// A bound on requests was crossed.
    #[error("{what} is {size}, more than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The bound.
        limit: usize,
    },
    /// The write could not be made durable; whether it survives a restart is
    /// not known. The store accepts no further writes.
    #[error("the write could not be made durable: {reason}")]
    NotDurable {
        /// What the engine said.
        reason: Arc<str>,
    },
    /// An earlier write could not be made durable, so none is accepted until a restart.
    #[error("the store is read-only since a write failed: {reason}")]
    ReadOnly {
        /// What the engine said then.
        reason: Arc<str>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The log holds something that was not written this way.
    #[error("the log is damaged at revision {revision}: {reason}")]
    Corrupt {
        /// Where.
        revision: u64,
        /// How.
        reason: String,
    },
    /// A value could not be encrypted or decrypted.
    #[error("{key} at revision {revision} cannot be sealed or opened")]
    Seal {
        /// Whose value.
        key: Arc<Key>,
        /// Of which revision.
        revision: u64,
        /// Why.
        source: SealError,
    },
    /// The engine failed while opening or copying.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn describe(reason: ConflictReason) -> &'static str {
    match reason {
        ConflictReason::AlreadyExists => "it already exists",
        ConflictReason::NotFound => "it does not exist",
        ConflictReason::RevisionMismatch => "it has been changed since",
    }
}
