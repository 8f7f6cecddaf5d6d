//! What the tests share: engines to open again and again, an engine that fails
//! or stalls on demand, a sealer, and short forms for keys and values.

use std::future::Future;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use store::engine::{Change, Memory, SnapshotJob, Sqlite};
use store::{
    Committed, Engine, EngineError, Entry, Error, Event, Expect, Key, ListOptions, Options, Page, Prefix, SealError,
    Sealer, Store, Transaction, Value,
};
use tempfile::TempDir;
use tokio::sync::watch;

/// A log that outlives the stores opened on it.
pub struct Bench {
    kind: Kind,
    pub clock: Clock,
    pub switch: Arc<Switch>,
    pub dir: TempDir,
}

#[derive(Clone)]
enum Kind {
    Memory(Memory),
    Sqlite,
}

impl Bench {
    pub fn memory() -> Self {
        Bench::new(Kind::Memory(Memory::new()))
    }

    pub fn sqlite() -> Self {
        Bench::new(Kind::Sqlite)
    }

    fn new(kind: Kind) -> Self {
        let start = "2026-01-01T00:00:00Z".parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        Bench { kind, clock: Clock::manual(start), switch: Arc::default(), dir }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("store.db")
    }

    pub fn bare_engine(&self) -> Box<dyn Engine> {
        match &self.kind {
            Kind::Memory(memory) => Box::new(memory.clone()),
            Kind::Sqlite => Box::new(Sqlite::open(self.path()).unwrap()),
        }
    }

    pub fn engine(&self) -> Box<dyn Engine> {
        Box::new(Faulty { inner: self.bare_engine(), switch: self.switch.clone() })
    }

    /// Events and leases are volatile, secrets sealed, as the server has it.
    pub fn options(&self) -> Options {
        let mut options = Options::new(self.clock.clone());
        options.volatile = Arc::new(|_, resource| matches!(resource, "events" | "leases"));
        options.seals = Arc::new(|_, resource| resource == "secrets");
        options.sealer = Some(Arc::new(Xor { key: 7 }));
        options
    }

    pub fn open(&self) -> Store {
        self.open_with(self.options())
    }

    pub fn open_with(&self, options: Options) -> Store {
        Store::open(self.engine(), options).unwrap()
    }

    /// Ends a store as a crash would: what is not durable is lost.
    pub fn crash(&self, store: Store) {
        self.switch.set(Mode::Fail);
        store.close();
        drop(store);
        self.switch.set(Mode::Work);
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Work,
    Fail,
    Stall,
}

/// Turns an engine's writes off and on.
pub struct Switch {
    mode: Mutex<Mode>,
    changed: Condvar,
    is_waiting: watch::Sender<bool>,
}

impl Default for Switch {
    fn default() -> Self {
        Switch { mode: Mutex::default(), changed: Condvar::new(), is_waiting: watch::Sender::new(false) }
    }
}

impl Switch {
    pub fn set(&self, mode: Mode) {
        *self.mode.lock() = mode;
        self.changed.notify_all();
    }

    /// Waits until a write has reached the engine and is held there.
    pub async fn reached(&self) {
        self.is_waiting.subscribe().wait_for(|is_waiting| *is_waiting).await.unwrap();
    }
}

struct Faulty {
    inner: Box<dyn Engine>,
    switch: Arc<Switch>,
}

impl Engine for Faulty {
    fn notes(&mut self) -> Result<Vec<(String, u64)>, EngineError> {
        self.inner.notes()
    }

    fn replay(&mut self, visit: &mut dyn FnMut(u64, Bytes) -> ControlFlow<()>) -> Result<(), EngineError> {
        self.inner.replay(visit)
    }

    fn write(&mut self, change: &Change<'_>) -> Result<(), EngineError> {
        let mut mode = self.switch.mode.lock();
        self.switch.is_waiting.send_replace(*mode == Mode::Stall);
        // Not for ever, or a test that fails while the disk stalls would hang.
        while *mode == Mode::Stall && !self.switch.changed.wait_for(&mut mode, Duration::from_secs(10)).timed_out() {}
        self.switch.is_waiting.send_replace(false);
        match *mode {
            Mode::Fail => Err(EngineError::Other("the test pulled the plug".to_owned())),
            _ => self.inner.write(change),
        }
    }

    fn snapshot(&mut self, path: &Path) -> Result<SnapshotJob, EngineError> {
        self.inner.snapshot(path)
    }

    fn size(&mut self) -> Result<u64, EngineError> {
        self.inner.size()
    }
}

/// Not a cipher, but it hides text and notices a wrong key, record or byte.
pub struct Xor {
    pub key: u8,
}

impl Xor {
    fn pad(&self, aad: &[u8], bytes: &[u8]) -> Vec<u8> {
        let start = crc32fast_like(aad) as u8 ^ self.key;
        bytes.iter().enumerate().map(|(place, byte)| byte ^ start.wrapping_add(place as u8) ^ 0x5a).collect()
    }
}

fn crc32fast_like(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

impl Sealer for Xor {
    fn current_key_id(&self) -> u32 {
        u32::from(self.key)
    }

    fn seal(&self, key_id: u32, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        assert_eq!(key_id, u32::from(self.key));
        let mut sealed = self.pad(aad, plain);
        let tag = crc32fast_like(&[aad, plain].concat());
        sealed.extend(tag.to_le_bytes());
        Ok(sealed)
    }

    fn open(&self, key_id: u32, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if key_id != u32::from(self.key) {
            return Err(SealError::UnknownKey(key_id));
        }
        let (sealed, tag) = sealed.split_at(sealed.len() - 4);
        let plain = self.pad(aad, sealed);
        if crc32fast_like(&[aad, &plain].concat()).to_le_bytes() != tag {
            return Err(SealError::Refused("wrong tag".to_owned()));
        }
        Ok(plain)
    }
}

/// Runs a test's future on a runtime of its own.
pub fn run<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test hangs");
    });
}

/// A ConfigMap's key in cluster `root`, namespace `default`.
pub fn cm(name: &str) -> Key {
    key("configmaps", "root", "default", name)
}

pub fn key(resource: &str, cluster: &str, namespace: &str, name: &str) -> Key {
    Key::new("", resource, cluster, namespace, name)
}

pub fn all(resource: &str) -> Prefix {
    Prefix::topic("", resource)
}

pub fn value(text: &str) -> Value {
    Value::new(format!("meta of {text}"), text.to_owned())
}

pub fn body(entry: &Entry) -> &str {
    std::str::from_utf8(&entry.value.body).unwrap()
}

pub async fn put(store: &Store, key: Key, text: &str) -> Result<Entry, Error> {
    put_if(store, key, text, Expect::Any).await
}

pub async fn put_if(store: &Store, key: Key, text: &str, expect: Expect) -> Result<Entry, Error> {
    let committed = store.commit(Transaction::new().put(key, value(text), expect)).await?;
    Ok(committed.entries.into_iter().next().unwrap().unwrap())
}

pub async fn delete(store: &Store, key: Key) -> Result<Committed, Error> {
    store.commit(Transaction::new().delete(key, Expect::Present)).await
}

pub fn list(store: &Store, prefix: &Prefix) -> Page {
    store.list(prefix, &ListOptions::default()).unwrap()
}

pub fn list_at(store: &Store, prefix: &Prefix, revision: u64) -> Result<Page, Error> {
    store.list(prefix, &ListOptions { at: Some(revision), ..ListOptions::default() })
}

/// Name, revision and body of each entry.
pub fn brief(entries: &[Entry]) -> Vec<(String, u64, String)> {
    entries.iter().map(|entry| (entry.key.name.to_string(), entry.revision, body(entry).to_owned())).collect()
}

pub fn names(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.key.name.to_string()).collect()
}

/// Every event after `from`, without waiting.
pub fn events(store: &Store, prefix: &Prefix, from: u64) -> Result<Vec<Arc<Event>>, Error> {
    let mut watcher = store.watch(prefix, from)?;
    let mut all = Vec::new();
    loop {
        let some = watcher.try_next()?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}

/// Asserts that the state at `from` and the events since make the present.
pub fn assert_replays(store: &Store, prefix: &Prefix, from: u64) {
    let mut state: std::collections::BTreeMap<Arc<Key>, Entry> =
        list_at(store, prefix, from).unwrap().entries.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
    let mut last = from;
    for event in events(store, prefix, from).unwrap() {
        assert!(event.revision > last, "revision {} came after {last}", event.revision);
        last = event.revision;
        assert_eq!(event.entry.revision, event.revision);
        assert_eq!(state.get(&event.entry.key), event.previous.as_ref(), "previous of revision {last}");
        match event.kind {
            store::EventKind::Put => state.insert(event.entry.key.clone(), event.entry.clone()),
            store::EventKind::Delete => state.remove(&event.entry.key),
        };
    }
    let now: Vec<Entry> = list(store, prefix).entries;
    assert_eq!(state.into_values().collect::<Vec<_>>(), now, "from revision {from}");
}
