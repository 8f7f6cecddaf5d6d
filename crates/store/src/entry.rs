//! What the store hands out: values, entries and events. They are immutable
//! and shared; nothing here may change after it was made.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use crate::key::Key;

/// The bytes of one object in two segments, so that readers which need only
/// metadata need not touch the rest. Opaque to the store, which keeps the given
/// memory as it is: a slice of a large buffer keeps all of the buffer alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The metadata segment.
    pub meta: Bytes,
    /// Everything else.
    pub body: Bytes,
}

impl Value {
    /// A value from its segments.
    pub fn new(meta: impl Into<Bytes>, body: impl Into<Bytes>) -> Self {
        Value { meta: meta.into(), body: body.into() }
    }

    /// Bytes in both segments.
    pub fn len(&self) -> usize {
        self.meta.len() + self.body.len()
    }

    /// Whether both segments are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are the very same memory.
    pub(crate) fn same_memory(&self, other: &Value) -> bool {
        std::ptr::eq(self.meta.as_ptr(), other.meta.as_ptr()) && std::ptr::eq(self.body.as_ptr(), other.body.as_ptr())
    }
}

/// One version of one value. Cloning is one reference count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry(Arc<Record>);

/// The fields of an [`Entry`], reached through it.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// Where the value is filed.
    pub key: Arc<Key>,
    /// Revision of this version. In a deletion's event: the deletion's own.
    pub revision: u64,
    /// Revision at which the key last came into being.
    pub created: u64,
    /// The bytes.
    pub value: Value,
}

impl Entry {
    pub(crate) fn new(record: Record) -> Self {
        Entry(Arc::new(record))
    }
}

impl Deref for Entry {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It was created or replaced; created if there is no previous entry.
    Put,
    /// It was deleted; the entry carries its last value.
    Delete,
}

/// One change of one key.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// Revision of the change.
    pub revision: u64,
    /// What happened.
    pub kind: EventKind,
    /// The new version, or the final one of a deleted key under the deletion's revision.
    pub entry: Entry,
    /// The version before, if the key existed.
    pub previous: Option<Entry>,
}

/// What an event costs beside the bytes of its values: itself, its entry and
/// their places in the collections, rounded up.
const EVENT_OVERHEAD: usize = 256;

impl Event {
    /// Memory that history alone keeps alive for this event: the version it
    /// replaced, and a deletion's final value where that differs.
    pub(crate) fn cost(&self) -> usize {
        let previous = self.previous.as_ref().map_or(0, |entry| entry.value.len());
        EVENT_OVERHEAD + previous + if self.repeats_previous() { 0 } else { self.final_len() }
    }

    /// Whether this is a deletion that carries the previous value unchanged.
    pub(crate) fn repeats_previous(&self) -> bool {
        self.kind == EventKind::Delete
            && self.previous.as_ref().is_some_and(|previous| previous.value.same_memory(&self.entry.value))
    }

    fn final_len(&self) -> usize {
        match self.kind {
            EventKind::Put => 0,
            EventKind::Delete => self.entry.value.len(),
        }
    }
}
