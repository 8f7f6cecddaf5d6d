//! From the log to the index, at opening. It must never pass over a frame that
//! it does not understand, or give out a revision again.

use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::{Change, Engine};
use crate::entry::{Entry, Event, EventKind, Record};
use crate::error::Error;
use crate::frame::{self, Frame, Kind};
use crate::index::Index;
use crate::intern::Interner;
use crate::notes::{self, Notes};
use crate::options::Options;

/// What a store starts with.
pub(crate) struct Recovered {
    pub index: Index,
    pub interner: Interner,
}

/// Reads the whole log. After a crash that may have lost volatile writes, notes
/// so: the counter goes on above every revision that may have been given out,
/// and nobody can go on watching a volatile topic from before.
pub(crate) fn recover(engine: &mut dyn Engine, options: &Options) -> Result<Recovered, Error> {
    let notes = Notes::sorted(engine.notes()?);
    let mut reader = Reader { index: Index::default(), interner: Interner::new(), options, last: 0 };
    for (topic, floor) in &notes.floors {
        reader.index.topic(topic).floors.raise_base(*floor);
        // The row of a floor may be gone, its revision is used all the same.
        reader.last = reader.last.max(*floor);
    }
    let floors = reader.last;
    reader.last = 0;
    let mut failure = None;
    engine.replay(&mut |revision, bytes| match reader.read(revision, &bytes) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failure = Some(error);
            ControlFlow::Break(())
        }
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    let Reader { mut index, interner, last, .. } = reader;
    let durable = last.max(floors).max(notes.revision);
    index.revision = durable.max(notes.ceiling);
    let mut volatile_floor = notes.volatile_floor;
    if notes.ceiling > durable {
        volatile_floor = index.revision;
        let notes = [
            (notes::REVISION.to_owned(), index.revision),
            (notes::CEILING.to_owned(), 0),
            (notes::VOLATILE_FLOOR.to_owned(), volatile_floor),
        ];
        engine.write(&Change { notes: &notes, ..Change::default() })?;
    }
    index.forget_volatile(options.volatile.clone(), volatile_floor);
    Ok(Recovered { index, interner })
}

struct Reader<'a> {
    index: Index,
    interner: Interner,
    options: &'a Options,
    last: u64,
}

impl Reader<'_> {
    fn read(&mut self, revision: u64, bytes: &Bytes) -> Result<(), Error> {
        let corrupt = |reason: String| Error::Corrupt { revision, reason };
        let sealer = self.options.sealer.as_deref();
        let frame = frame::decode(bytes, sealer, &mut self.interner).map_err(|error| corrupt(error.to_string()))?;
        if frame.revision != revision || revision <= self.last {
            return Err(corrupt(format!("the frame there is of revision {}", frame.revision)));
        }
        self.last = revision;
        let at_ms = frame.at_ms;
        let topic = self.index.topic(&frame.key.topic());
        let previous = topic.get(&frame.key).cloned();
        let event = event_of(frame, previous).ok_or_else(|| corrupt("it deletes what does not exist".to_owned()))?;
        topic.apply(&event);
        if revision > topic.floors.base() {
            topic.remember(Arc::new(event), at_ms);
        }
        Ok(())
    }
}

fn event_of(frame: Frame, previous: Option<Entry>) -> Option<Event> {
    let Frame { kind, revision, created, key, value, .. } = frame;
    let key = previous.as_ref().map_or_else(|| Arc::new(key), |previous| previous.key.clone());
    let (kind, value) = match kind {
        Kind::Put => (EventKind::Put, value),
        Kind::Delete => previous.as_ref().map(|_| (EventKind::Delete, value))?,
        Kind::DeleteUnchanged => (EventKind::Delete, previous.as_ref()?.value.clone()),
    };
    let entry = Entry::new(Record { key, revision, created, value });
    Some(Event { revision, kind, entry, previous })
}
