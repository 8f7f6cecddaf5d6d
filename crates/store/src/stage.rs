//! One batch in the making: preconditions are checked against the published
//! state and what the batch has done so far, and revisions are given out. It
//! must never publish or write anything.

use std::collections::HashMap;
use std::sync::Arc;

use crate::entry::{Entry, Event, EventKind, Record, Value};
use crate::error::{ConflictReason, Error};
use crate::frame::{self, Kind};
use crate::index::Index;
use crate::intern::Interner;
use crate::key::Key;
use crate::options::Options;
use crate::seal::SealError;
use crate::transaction::{Committed, Expect, Op, Transaction};

/// What a batch has come to.
pub(crate) struct Staged {
    /// The last revision given out.
    pub revision: u64,
    pub events: Vec<Arc<Event>>,
    pub frames: Vec<(u64, Vec<u8>)>,
    /// Whether anything in it must be durable before it is seen.
    pub must_sync: bool,
    /// Transactions that changed something.
    pub transactions: u64,
}

pub(crate) struct Stage<'a> {
    index: &'a Index,
    options: &'a Options,
    interner: &'a mut Interner,
    at_ms: i64,
    /// What this batch has made of a key: its entry, or nothing.
    overlay: HashMap<Arc<Key>, Option<Entry>>,
    /// What the overlay held before each step of the present transaction.
    undo: Vec<(Arc<Key>, Option<Option<Entry>>)>,
    staged: Staged,
}

impl<'a> Stage<'a> {
    pub fn new(index: &'a Index, options: &'a Options, interner: &'a mut Interner, at_ms: i64) -> Self {
        let staged = Staged {
            revision: index.revision,
            events: Vec::new(),
            frames: Vec::new(),
            must_sync: false,
            transactions: 0,
        };
        Stage { index, options, interner, at_ms, overlay: HashMap::new(), undo: Vec::new(), staged }
    }

    /// Adds a transaction, or leaves everything as it was.
    pub fn run(&mut self, transaction: Transaction) -> Result<Committed, Error> {
        let (revision, start) = (self.staged.revision, self.staged.events.len());
        let mut entries = Vec::with_capacity(transaction.ops.len());
        self.undo.clear();
        for (position, op) in transaction.ops.into_iter().enumerate() {
            match self.step(position, op) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    self.roll_back(revision, start);
                    return Err(error);
                }
            }
        }
        let changes = &self.staged.events[start..];
        self.staged.must_sync |= changes.iter().any(|event| !self.options.is_volatile(&event.entry.key));
        self.staged.transactions += u64::from(!changes.is_empty());
        Ok(Committed { revision: self.staged.revision, entries })
    }

    pub fn finish(self) -> Staged {
        self.staged
    }

    fn step(&mut self, position: usize, op: Op) -> Result<Option<Entry>, Error> {
        let current = self.current(op.key());
        match op {
            Op::Check { key, expect } => {
                check(position, &key, expect, current.as_ref())?;
                Ok(current)
            }
            Op::Put { key, value, expect } => {
                check(position, &key, expect, current.as_ref())?;
                self.change(EventKind::Put, key, value, current).map(Some)
            }
            Op::Delete { key, expect, final_value } => {
                check(position, &key, expect, current.as_ref())?;
                check(position, &key, Expect::Present, current.as_ref())?;
                let last = current.as_ref().map(|entry| entry.value.clone()).unwrap_or_default();
                self.change(EventKind::Delete, key, final_value.unwrap_or(last), current).map(Some)
            }
        }
    }

    fn current(&self, key: &Key) -> Option<Entry> {
        match self.overlay.get(key) {
            Some(staged) => staged.clone(),
            None => self.index.get(key).cloned(),
        }
    }

    fn change(&mut self, kind: EventKind, key: Key, value: Value, previous: Option<Entry>) -> Result<Entry, Error> {
        let revision = self.staged.revision + 1;
        let (key, created) = match &previous {
            Some(previous) => (previous.key.clone(), previous.created),
            None => (Arc::new(self.interner.key(&key)), revision),
        };
        let entry = Entry::new(Record { key: key.clone(), revision, created, value });
        let event = Event { revision, kind, entry: entry.clone(), previous };
        let frame = self.frame(&event).map_err(|source| Error::Seal { key: key.clone(), revision, source })?;
        let now = (kind == EventKind::Put).then(|| entry.clone());
        let before = self.overlay.insert(key.clone(), now);
        self.undo.push((key, before));
        self.staged.revision = revision;
        self.staged.events.push(Arc::new(event));
        self.staged.frames.push((revision, frame));
        Ok(entry)
    }

    fn frame(&self, event: &Event) -> Result<Vec<u8>, SealError> {
        let sealer = match self.options.is_sealed(&event.entry.key) {
            true => Some(self.options.sealer.as_deref().ok_or(SealError::NoSealer)?),
            false => None,
        };
        let kind = match event.kind {
            EventKind::Put => Kind::Put,
            EventKind::Delete if event.repeats_previous() => Kind::DeleteUnchanged,
            EventKind::Delete => Kind::Delete,
        };
        frame::encode(kind, self.at_ms, &event.entry, sealer)
    }

    fn roll_back(&mut self, revision: u64, start: usize) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(before) => self.overlay.insert(key, before),
                None => self.overlay.remove(&key),
            };
        }
        self.staged.revision = revision;
        self.staged.events.truncate(start);
        self.staged.frames.truncate(start);
    }
}

fn check(op: usize, key: &Key, expect: Expect, current: Option<&Entry>) -> Result<(), Error> {
    let reason = match (expect, current) {
        (Expect::Absent, Some(_)) => ConflictReason::AlreadyExists,
        (Expect::Present | Expect::Revision(_), None) => ConflictReason::NotFound,
        (Expect::Revision(revision), Some(entry)) if entry.revision != revision => ConflictReason::RevisionMismatch,
        _ => return Ok(()),
    };
    Err(Error::Conflict { op, key: Arc::new(key.clone()), reason, current: current.cloned() })
}
