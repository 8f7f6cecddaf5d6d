//! The one thread that writes. It takes whatever waits as one batch, gives out
//! revisions, has the engine make it durable, publishes it and answers. It
//! must never answer or publish before the engine has returned, except for
//! what is volatile.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use base::clock::Stopwatch;
use parking_lot::Mutex;

use crate::compaction::{self, SLICE_EVENTS, Trim};
use crate::engine::{Change, Engine, EngineError, SnapshotJob};
use crate::entry::Event;
use crate::error::Error;
use crate::intern::Interner;
use crate::key::Topic;
use crate::notes;
use crate::options::Options;
use crate::queue::{Control, Queue, Reply, Work, Write};
use crate::shared::Shared;
use crate::stage::{Stage, Staged};
use crate::transaction::Committed;

/// Revisions set aside for volatile writes by one note in the log.
const RESERVE: u64 = 4096;
/// Volatile frames that may wait for the disk.
const MOST_PENDING: usize = 4096;
/// How often history is looked through while nothing is written. No event
/// tells that time has passed.
const IDLE_COMPACTION: Duration = Duration::from_secs(30);
/// How often at most it is looked through along with writes.
const BUSY_COMPACTION: Duration = Duration::from_secs(1);
/// Volatile writes are durable within a second, whatever the options say.
const LONGEST_DELAY: Duration = Duration::from_millis(800);

pub(crate) struct Sequencer {
    engine: Box<dyn Engine>,
    options: Options,
    interner: Interner,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    /// The last revision given out.
    revision: u64,
    /// The last revision that is durable.
    durable: u64,
    /// Revisions up to here may go to volatile writes; 0 while there were none.
    ceiling: u64,
    /// Frames that are not in the log yet.
    pending: Vec<(u64, Vec<u8>)>,
    /// Since when the oldest of them waits.
    pending_since: Option<Stopwatch>,
    /// When history was last looked through to the end.
    compacted: Stopwatch,
    /// Who waits for compaction to come to an end.
    compacting: Vec<Reply<()>>,
    has_more_to_compact: bool,
    /// Held by the one snapshot that is being copied.
    copying: Arc<Mutex<()>>,
    failed: Option<Arc<str>>,
}

/// What is to be said to whom, once it may be said.
type Outcome = (Reply<Committed>, Result<Committed, Error>);

/// Tells everyone when the sequencer has ended, even by a panic.
struct Ending(Arc<Shared>, Arc<Queue>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.1.abandon();
        let mut index = self.0.index.write();
        index.closed = true;
        if std::thread::panicking() {
            index.read_only.get_or_insert_with(|| "the store's thread has failed".into());
        }
        drop(index);
        self.0.wakes.announce_all();
    }
}

impl Sequencer {
    pub fn new(
        engine: Box<dyn Engine>,
        options: Options,
        interner: Interner,
        shared: Arc<Shared>,
        queue: Arc<Queue>,
    ) -> Self {
        let revision = shared.index.read().revision;
        let compacted = options.clock.stopwatch();
        Sequencer {
            engine,
            options,
            interner,
            shared,
            queue,
            revision,
            durable: revision,
            ceiling: 0,
            pending: Vec::new(),
            pending_since: None,
            compacted,
            compacting: Vec::new(),
            has_more_to_compact: false,
            copying: Arc::default(),
            failed: None,
        }
    }

    /// Starts the thread, which ends when the queue is closed and empty.
    pub fn start(mut self) -> Result<JoinHandle<()>, Error> {
        self.measure();
        let thread = std::thread::Builder::new().name("store".to_owned());
        let started = thread.spawn(move || {
            let _ending = Ending(self.shared.clone(), self.queue.clone());
            self.run();
        });
        started.map_err(|error| Error::Engine(EngineError::Other(format!("cannot start the store's thread: {error}"))))
    }

    fn run(mut self) {
        loop {
            match self.queue.take(self.patience()) {
                Work::Writes(writes) => self.commit(writes),
                Work::Control(control) => self.control(control),
                Work::Nap => self.tidy(BUSY_COMPACTION),
                Work::End => break,
            }
            self.keep_house();
        }
        self.finish();
    }

    /// How long to wait for work before there is something to do without.
    fn patience(&self) -> Option<Duration> {
        if self.failed.is_some() {
            return None;
        }
        if self.has_more_to_compact {
            return Some(Duration::ZERO);
        }
        let flush = self.pending_since.map(|since| self.delay().saturating_sub(since.elapsed()));
        let has_history = self.shared.index.read().history_events() > 0;
        let compact = has_history.then(|| IDLE_COMPACTION.saturating_sub(self.compacted.elapsed()));
        [flush, compact].into_iter().flatten().min()
    }

    fn delay(&self) -> Duration {
        self.options.volatile_delay.min(LONGEST_DELAY)
    }

    fn commit(&mut self, writes: Vec<Write>) {
        if let Some(reason) = self.failed.clone() {
            return writes.into_iter().for_each(|write| answer(write.reply, Err(read_only(&reason))));
        }
        let at_ms = self.options.now_ms();
        let (staged, outcomes) = self.stage(writes, at_ms);
        let Staged { revision, events, frames, must_sync, transactions } = staged;
        let mut trim = Trim::default();
        if !events.is_empty() {
            let is_unreserved = !must_sync && revision > self.ceiling;
            if is_unreserved {
                self.ceiling = revision + RESERVE;
            }
            self.pending.extend(frames);
            self.revision = revision;
            if must_sync || is_unreserved || self.is_flush_due() {
                trim = self.plan(BUSY_COMPACTION);
                if let Err(reason) = self.sync(&trim, is_unreserved) {
                    let refuse = |reply| answer(reply, Err(Error::NotDurable { reason: reason.clone() }));
                    return outcomes.into_iter().for_each(|(reply, _)| refuse(reply));
                }
            } else if self.pending_since.is_none() {
                self.pending_since = Some(self.options.clock.stopwatch());
            }
        }
        self.shared.transactions.fetch_add(transactions, Ordering::Relaxed);
        self.publish(&events, at_ms, &trim.topics);
        outcomes.into_iter().for_each(|(reply, outcome)| answer(reply, outcome));
    }

    fn stage(&mut self, writes: Vec<Write>, at_ms: i64) -> (Staged, Vec<Outcome>) {
        let index = self.shared.index.read();
        let mut stage = Stage::new(&index, &self.options, &mut self.interner, at_ms);
        let run = |write: Write| (write.reply, stage.run(write.transaction));
        let outcomes = writes.into_iter().map(run).collect();
        (stage.finish(), outcomes)
    }

    /// Writes what is pending, frees what `trim` frees, and waits for the disk.
    fn sync(&mut self, trim: &Trim, must_note_ceiling: bool) -> Result<(), Arc<str>> {
        let mut notes: Vec<_> = trim.floors.iter().map(|(topic, floor)| (notes::floor_of(topic), *floor)).collect();
        // Once there are volatile writes, the reserve is refilled with whatever
        // else is written, so that they hardly ever wait for a sync themselves.
        let is_low = self.ceiling > 0 && self.ceiling.saturating_sub(self.revision) < RESERVE / 2;
        if is_low {
            self.ceiling = self.revision + RESERVE;
        }
        if is_low || must_note_ceiling {
            notes.push((notes::CEILING.to_owned(), self.ceiling));
        }
        self.write(&trim.rows, &notes)
    }

    fn write(&mut self, remove: &[u64], notes: &[(String, u64)]) -> Result<(), Arc<str>> {
        let change = Change { append: &self.pending, remove, notes };
        if !change.is_empty() {
            if let Err(error) = self.engine.write(&change) {
                return Err(self.fail(&error));
            }
            self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        }
        self.pending.clear();
        self.pending_since = None;
        self.durable = self.revision;
        Ok(())
    }

    /// After a failed write nobody knows what the disk holds, so no further one
    /// may build on it.
    fn fail(&mut self, error: &EngineError) -> Arc<str> {
        let reason: Arc<str> = error.chain().into();
        tracing::error!(%reason, revision = self.durable, "a write to the log failed, the store is read-only");
        self.failed = Some(reason.clone());
        self.shared.index.write().read_only = Some(reason.clone());
        reason
    }

    fn publish(&self, events: &[Arc<Event>], at_ms: i64, forget: &[(Topic, usize)]) {
        if events.is_empty() && forget.is_empty() {
            return;
        }
        let forgotten = self.shared.index.write().publish(events, at_ms, self.revision, forget);
        self.shared.wakes.announce(events);
        let bytes: usize = forgotten.iter().flatten().map(|logged| logged.event.cost()).sum();
        drop(forgotten);
        base::memory::freed(bytes);
    }

    fn plan(&mut self, at_most_every: Duration) -> Trim {
        let limits = &self.options.history;
        let index = self.shared.index.read();
        let is_over = index.history_events() > limits.events || index.history_bytes() > limits.bytes;
        if !is_over && !self.has_more_to_compact && self.compacted.elapsed() < at_most_every {
            return Trim::default();
        }
        // At least as much goes as comes in, so that the bounds hold under load.
        let budget = SLICE_EVENTS.max(self.pending.len());
        let trim = compaction::plan(&index, limits, self.options.now_ms(), self.durable, budget);
        self.has_more_to_compact = trim.is_full;
        if !trim.is_full {
            self.compacted = self.options.clock.stopwatch();
        }
        trim
    }

    fn is_flush_due(&self) -> bool {
        self.pending.len() >= MOST_PENDING || self.pending_since.is_some_and(|since| since.elapsed() >= self.delay())
    }

    /// What is to be done between two pieces of work: flushing what is volatile,
    /// and a slice of compaction if somebody waits for it.
    fn keep_house(&mut self) {
        if self.is_flush_due() {
            self.tidy(BUSY_COMPACTION);
        }
        if self.compacting.is_empty() {
            return;
        }
        self.tidy(Duration::ZERO);
        if self.failed.is_some() || !self.has_more_to_compact {
            for reply in std::mem::take(&mut self.compacting) {
                answer(reply, self.failed.as_ref().map_or(Ok(()), |reason| Err(read_only(reason))));
            }
        }
    }

    /// Flushes, and compacts a slice along with it.
    fn tidy(&mut self, at_most_every: Duration) {
        if self.failed.is_some() {
            return;
        }
        let trim = self.plan(at_most_every);
        if self.sync(&trim, false).is_ok() {
            self.publish(&[], 0, &trim.topics);
            self.measure();
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            // Served slice by slice, with writes in between. Only what is durable
            // can be forgotten.
            Control::Compact(reply) => match self.flush() {
                Err(error) => answer(reply, Err(error)),
                Ok(_) => self.compacting.push(reply),
            },
            Control::Flush(reply) => {
                let flushed = self.flush();
                answer(reply, flushed);
            }
            Control::Snapshot(path, reply) => match self.flush() {
                Err(error) => answer(reply, Err(error)),
                Ok(revision) => match self.engine.snapshot(&path) {
                    Err(error) => answer(reply, Err(error.into())),
                    Ok(job) => copy_aside(self.copying.clone(), job, revision, reply),
                },
            },
        }
    }

    fn flush(&mut self) -> Result<u64, Error> {
        if let Some(reason) = &self.failed {
            return Err(read_only(reason));
        }
        self.sync(&Trim::default(), false).map_err(|reason| Error::NotDurable { reason })?;
        Ok(self.durable)
    }

    fn measure(&mut self) {
        if let Ok(bytes) = self.engine.size() {
            self.shared.log_bytes.store(bytes, Ordering::Relaxed);
        }
    }

    /// Leaves the log so that the next start need not allow for lost writes.
    fn finish(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let closing = [(notes::REVISION.to_owned(), self.revision), (notes::CEILING.to_owned(), 0)];
        let notes: &[_] = if self.ceiling > 0 { &closing } else { &[] };
        // A failure is reported where it is noticed, and there is nobody left to tell.
        let _ = self.write(&[], notes);
    }
}

/// Copies on a thread of its own, since it may take long. The reply travels in
/// a slot so that it can be answered from here if there is no thread to be had.
fn copy_aside(turn: Arc<Mutex<()>>, job: SnapshotJob, revision: u64, reply: Reply<u64>) {
    let slot = Arc::new(Mutex::new(Some(reply)));
    let theirs = slot.clone();
    let copy = move || {
        let _turn = turn.lock();
        let outcome = job().map(|()| revision).map_err(Error::from);
        if let Some(reply) = theirs.lock().take() {
            answer(reply, outcome);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("store-snapshot".to_owned()).spawn(copy)
        && let Some(reply) = slot.lock().take()
    {
        let error = EngineError::Other(format!("cannot start a thread for the snapshot: {error}"));
        answer(reply, Err(error.into()));
    }
}

/// Whoever asked may have gone away, which is no concern of the store.
fn answer<T>(reply: Reply<T>, outcome: Result<T, Error>) {
    let _ = reply.send(outcome);
}

fn read_only(reason: &Arc<str>) -> Error {
    Error::ReadOnly { reason: reason.clone() }
}
