//! The handle: what the rest of the server calls. Reads are answered here from
//! memory; writes are handed to the sequencer. It must never touch the engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::entry::Entry;
use crate::error::Error;
use crate::index::Stats;
use crate::key::{Key, Prefix, Topic};
use crate::options::Options;
use crate::queue::{Control, Queue, Reply};
use crate::replay;
use crate::sequencer::Sequencer;
use crate::shared::Shared;
use crate::topic::{ListOptions, Page};
use crate::transaction::{Committed, Transaction};
use crate::watcher::Watcher;

/// A store. Clones are handles to the same one; when the last is gone, what
/// waits is written and the log is closed.
#[derive(Clone)]
pub struct Store(Arc<Owner>);

struct Owner {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Reads the whole log into memory and starts the sequencer. Blocks.
    pub fn open(mut engine: Box<dyn Engine>, options: Options) -> Result<Store, Error> {
        let recovered = replay::recover(engine.as_mut(), &options)?;
        let shared = Arc::new(Shared::new(recovered.index));
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let sequencer = Sequencer::new(engine, options, recovered.interner, shared.clone(), queue.clone());
        let thread = sequencer.start()?;
        Ok(Store(Arc::new(Owner { shared, queue, thread: Mutex::new(Some(thread)) })))
    }

    /// The entry under `key`.
    pub fn get(&self, key: &Key) -> Option<Entry> {
        self.0.shared.index.read().get(key).cloned()
    }

    /// The entries of a range as of one revision.
    pub fn list(&self, prefix: &Prefix, options: &ListOptions) -> Result<Page, Error> {
        self.0.shared.index.read().list(prefix, options)
    }

    /// Follows a range: every event after revision `from`.
    pub fn watch(&self, prefix: &Prefix, from: u64) -> Result<Watcher, Error> {
        Watcher::new(self.0.shared.clone(), prefix.clone(), from)
    }

    /// Carries out a transaction. When this returns, the change is durable
    /// (unless all of it is volatile) and every reader and watcher sees it. If
    /// the future is dropped, the transaction may still happen.
    pub async fn commit(&self, transaction: Transaction) -> Result<Committed, Error> {
        check_bounds(&transaction)?;
        let (reply, answer) = oneshot::channel();
        self.0.queue.write(transaction, reply).await?;
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// The newest published revision.
    pub fn revision(&self) -> u64 {
        self.0.shared.index.read().revision
    }

    /// The revision from which on every topic's history is kept. A topic that
    /// was quiet may be told from further back.
    pub fn oldest(&self) -> u64 {
        self.0.shared.index.read().oldest()
    }

    /// All topics that have entries, with how many, in order.
    pub fn topics(&self) -> Vec<(Topic, usize)> {
        let index = self.0.shared.index.read();
        let filled = index.topics.iter().filter(|(_, topic)| topic.len() > 0);
        let mut topics: Vec<_> = filled.map(|(name, topic)| (name.clone(), topic.len())).collect();
        topics.sort();
        topics
    }

    /// Figures for health pages and metrics.
    pub fn stats(&self) -> Stats {
        let shared = &self.0.shared;
        Stats {
            watchers: shared.wakes.watchers(),
            transactions: shared.transactions.load(Ordering::Relaxed),
            syncs: shared.syncs.load(Ordering::Relaxed),
            log_bytes: shared.log_bytes.load(Ordering::Relaxed),
            ..shared.index.read().stats()
        }
    }

    /// Copies the store to a new file while it goes on working. Returns the
    /// revision of the copy, which opens with [`crate::engine::Sqlite::open`].
    pub async fn snapshot(&self, path: impl Into<PathBuf>) -> Result<u64, Error> {
        let path = path.into();
        self.control(|reply| Control::Snapshot(path, reply)).await
    }

    /// Forgets now what the limits on history allow to be forgotten. It happens
    /// in the background anyway.
    pub async fn compact(&self) -> Result<(), Error> {
        self.control(Control::Compact).await
    }

    /// Waits until everything published, volatile or not, is durable. Returns
    /// the revision up to which that is so.
    pub async fn flush(&self) -> Result<u64, Error> {
        self.control(Control::Flush).await
    }

    /// Takes no further writes, writes what waits and closes the log. Blocks
    /// for the last sync; dropping the last handle does the same. Reads go on
    /// working.
    pub fn close(&self) {
        self.0.close();
    }

    async fn control<T>(&self, control: impl FnOnce(Reply<T>) -> Control) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.0.queue.control(control(reply))?;
        answer.await.unwrap_or(Err(Error::Closed))
    }
}

impl Owner {
    fn close(&self) {
        self.queue.close();
        let thread = self.thread.lock().take();
        if let Some(Err(_)) = thread.map(JoinHandle::join) {
            tracing::error!("the store's sequencer panicked");
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close();
    }
}

fn check_bounds(transaction: &Transaction) -> Result<(), Error> {
    let within = |what, size, limit| if size > limit { Err(Error::TooLarge { what, size, limit }) } else { Ok(()) };
    within("the number of steps in a transaction", transaction.ops.len(), Transaction::MAX_OPS)?;
    within("the size of a transaction", transaction.weight(), Transaction::MAX_BYTES)?;
    for op in &transaction.ops {
        let longest = op.key().parts().iter().map(|part| part.len()).max().unwrap_or(0);
        within("the length of a part of a key", longest, Transaction::MAX_KEY_PART)?;
    }
    Ok(())
}
