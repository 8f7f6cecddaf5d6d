//! What a writer asks for and what it is told. Plain data: checking and
//! applying is the sequencer's work alone.

use crate::entry::{Entry, Value};
use crate::key::Key;

/// What must be true of a key for an operation to go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The key must not exist.
    Absent,
    /// The key must exist, at whatever revision.
    Present,
    /// The key must exist at exactly this revision.
    Revision(u64),
    /// Nothing is asked. (A deletion still needs something to delete.)
    Any,
}

/// One step of a transaction. Steps see the effect of those before them.
#[derive(Clone, Debug)]
pub enum Op {
    /// Creates or replaces.
    Put {
        /// Where.
        key: Key,
        /// What.
        value: Value,
        /// On what condition.
        expect: Expect,
    },
    /// Removes.
    Delete {
        /// Where.
        key: Key,
        /// On what condition.
        expect: Expect,
        /// The value the deletion's event carries instead of the last one.
        final_value: Option<Value>,
    },
    /// Changes nothing, but holds up the transaction if the condition fails.
    Check {
        /// Where.
        key: Key,
        /// On what condition.
        expect: Expect,
    },
}

impl Op {
    /// The key the step is about.
    pub fn key(&self) -> &Key {
        match self {
            Op::Put { key, .. } | Op::Delete { key, .. } | Op::Check { key, .. } => key,
        }
    }

    /// Bytes the step carries.
    pub(crate) fn weight(&self) -> usize {
        let value = match self {
            Op::Put { value, .. } => value.len(),
            Op::Delete { final_value, .. } => final_value.as_ref().map_or(0, Value::len),
            Op::Check { .. } => 0,
        };
        self.key().text_len() + value
    }
}

/// Steps that happen together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// In the order in which they take their revisions.
    pub ops: Vec<Op>,
}

impl Transaction {
    /// Most steps one transaction may have.
    pub const MAX_OPS: usize = 1024;
    /// Most bytes one transaction may carry.
    pub const MAX_BYTES: usize = 32 * 1024 * 1024;
    /// Most bytes of text in one part of a key.
    pub const MAX_KEY_PART: usize = 1024;

    /// A transaction without steps.
    pub fn new() -> Self {
        Transaction::default()
    }

    /// Adds a put.
    #[must_use]
    pub fn put(mut self, key: Key, value: Value, expect: Expect) -> Self {
        self.ops.push(Op::Put { key, value, expect });
        self
    }

    /// Adds a deletion whose event carries the last value.
    #[must_use]
    pub fn delete(mut self, key: Key, expect: Expect) -> Self {
        self.ops.push(Op::Delete { key, expect, final_value: None });
        self
    }

    /// Adds a deletion whose event carries `final_value`.
    #[must_use]
    pub fn delete_with(mut self, key: Key, expect: Expect, final_value: Value) -> Self {
        self.ops.push(Op::Delete { key, expect, final_value: Some(final_value) });
        self
    }

    /// Adds a condition.
    #[must_use]
    pub fn check(mut self, key: Key, expect: Expect) -> Self {
        self.ops.push(Op::Check { key, expect });
        self
    }

    pub(crate) fn weight(&self) -> usize {
        self.ops.iter().map(Op::weight).sum()
    }
}

/// What came of a transaction.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Revision of its last change; of the store, if it changed nothing.
    pub revision: u64,
    /// For each step: the entry as put, the final entry of a deletion under the
    /// deletion's revision, or what a check found.
    pub entries: Vec<Option<Entry>>,
}
