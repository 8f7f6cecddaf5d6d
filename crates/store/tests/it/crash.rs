//! `kill -9` at random moments: this test binary starts itself again as a
//! child that writes and tells what was acknowledged, kills it, and looks at
//! what is left. `STORE_CRASH_SEED` repeats the moments of a failed run.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::Clock;
use store::engine::Sqlite;
use store::{Error, Event, EventKind, Expect, HistoryLimits, Options, Store, Transaction};

use crate::support::*;

const CHILD: &str = "STORE_CRASH_CHILD";
const SEED: &str = "STORE_CRASH_SEED";
const ROUNDS: u32 = 15;
const WRITERS: u32 = 4;
const PAIRS: u32 = 3;

/// Small numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn open(path: &Path) -> Store {
    let mut options = Options::new(Clock::system());
    // Small enough that compaction is at work while the child is killed.
    options.history = HistoryLimits { events: 1500, ..HistoryLimits::default() };
    options.volatile = Arc::new(|_, resource| resource == "leases");
    options.volatile_delay = Duration::from_millis(50);
    options.seals = Arc::new(|_, resource| resource == "secrets");
    options.sealer = Some(Arc::new(Xor { key: 3 }));
    Store::open(Box::new(Sqlite::open(path).unwrap()), options).unwrap()
}

/// One acknowledged write: who, its number, its revision.
#[derive(Clone, Debug)]
struct Told {
    who: String,
    number: u64,
    revision: u64,
}

fn tell(who: &str, number: u64, revision: u64) {
    // One system call for the whole line, so that lines are never mixed.
    let line = format!("told {who} {number} {revision}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn number_of(store: &Store, key: &store::Key) -> u64 {
    store.get(key).map_or(0, |entry| body(&entry).parse().unwrap())
}

/// The child's role; does nothing when run as an ordinary test.
#[test]
fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = open(Path::new(&path));
    tell("start", 0, store.revision());
    for writer in 0..WRITERS {
        runtime.spawn(count(store.clone(), format!("w{writer}"), cm(&format!("w{writer}"))));
    }
    for pair in 0..PAIRS {
        runtime.spawn(count_in_pairs(store.clone(), format!("p{pair}")));
    }
    runtime.spawn(come_and_go(store.clone()));
    runtime.block_on(count(store, "v".to_owned(), key("leases", "root", "a", "v")));
}

async fn count(store: Store, who: String, key: store::Key) {
    loop {
        let number = number_of(&store, &key) + 1;
        let entry = put(&store, key.clone(), &number.to_string()).await.unwrap();
        tell(&who, number, entry.revision);
        if who == "v" {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn pair_keys(who: &str) -> (store::Key, store::Key) {
    (key("secrets", "root", "a", who), key("pods", "two", "b", who))
}

async fn count_in_pairs(store: Store, who: String) {
    let (left, right) = pair_keys(&who);
    loop {
        let number = number_of(&store, &left) + 1;
        let text = value(&number.to_string());
        let both =
            Transaction::new().put(left.clone(), text.clone(), Expect::Any).put(right.clone(), text, Expect::Any);
        tell(&who, number, store.commit(both).await.unwrap().revision);
    }
}

async fn come_and_go(store: Store) {
    for number in 0u64.. {
        let key = cm(&format!("d{}", number % 7));
        if store.get(&key).is_some() {
            let gone = delete(&store, key.clone()).await.unwrap();
            tell(&format!("-{}", key.name), number, gone.revision);
        }
        let came = put_if(&store, key.clone(), &number.to_string(), Expect::Absent).await.unwrap();
        tell(&format!("+{}", key.name), number, came.revision);
    }
}

/// Runs a child for a while, kills it, and returns what it had been told.
fn run_child(path: &Path, lifetime: Duration) -> Vec<Told> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (started, start) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut told = Vec::new();
        let mut line = String::new();
        // A line without its end was cut off and does not count.
        while lines.read_line(&mut line).is_ok_and(|length| length > 0) && line.ends_with('\n') {
            // The test harness leaves its own words on the first line.
            if let Some((_, told_line)) = line.trim_end().split_once("told ") {
                let mut words = told_line.split(' ');
                let who = words.next().unwrap().to_owned();
                let mut number = || words.next().unwrap().parse().unwrap();
                told.push(Told { who, number: number(), revision: number() });
                let _ = started.send(());
            }
            line.clear();
        }
        told
    });
    start.recv_timeout(Duration::from_secs(20)).expect("the child does not start");
    std::thread::sleep(lifetime);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn survives_kill_9() {
    let seed: u64 = std::env::var(SEED)
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into());
    println!("repeat with {SEED}={seed} cargo test -p store --test it crash::");
    let mut dice = Dice(seed | 1);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let mut highest = 0;
    let mut writes = 0;
    for round in 0..ROUNDS {
        let told = run_child(&path, Duration::from_millis(5 + dice.below(250)));
        let fresh = told.iter().filter(|told| told.who != "start").map(|told| told.revision);
        assert!(fresh.clone().all(|revision| revision > highest), "round {round}: a revision was given out again");
        highest = fresh.max().unwrap_or(highest).max(highest);
        writes += told.len();
        check(&path, &told, &mut dice, round);
    }
    println!("{writes} acknowledged writes");
    assert!(writes > 500, "only {writes} writes were made");
}

fn check(path: &Path, told: &[Told], dice: &mut Dice, round: u32) {
    let store = open(path);
    let topics = ["configmaps", "secrets", "pods", "leases"];
    let mut happened: BTreeMap<u64, Arc<Event>> = BTreeMap::new();
    for topic in topics {
        let prefix = all(topic);
        let oldest = floor_of(&store, topic);
        for event in events(&store, &prefix, oldest).unwrap() {
            assert!(happened.insert(event.revision, event).is_none(), "round {round}: a revision came twice");
        }
        for _ in 0..5 {
            assert_replays(&store, &prefix, oldest + dice.below(store.revision() - oldest + 1));
        }
    }
    let floors: HashMap<&str, u64> = topics.into_iter().map(|topic| (topic, floor_of(&store, topic))).collect();
    for told in told.iter().filter(|told| told.who != "start") {
        assert!(told.revision <= store.revision(), "round {round}: {told:?}");
        let topic = topic_of(&told.who);
        if topic != "leases" && told.revision > floors[topic] {
            let event = happened.get(&told.revision).unwrap_or_else(|| panic!("round {round}: {told:?} is lost"));
            let kind = if told.who.starts_with('-') { EventKind::Delete } else { EventKind::Put };
            assert_eq!((event.kind, &*event.entry.key.name), (kind, told.who.trim_start_matches(['+', '-'])));
        }
    }
    check_state(&store, told, &happened, &floors);
}

fn floor_of(store: &Store, topic: &str) -> u64 {
    match store.watch(&all(topic), 0) {
        Ok(_) => 0,
        Err(Error::Compacted { oldest, .. }) => oldest,
        Err(error) => panic!("{error}"),
    }
}

fn topic_of(who: &str) -> &'static str {
    match &who[..1] {
        "v" => "leases",
        "p" => "pods",
        _ => "configmaps",
    }
}

/// What holds whatever history was forgotten: counters have not gone back, and
/// pairs are whole.
fn check_state(store: &Store, told: &[Told], happened: &BTreeMap<u64, Arc<Event>>, floors: &HashMap<&str, u64>) {
    for told in told.iter().filter(|told| told.who.starts_with('w')) {
        let entry = store.get(&cm(&told.who)).unwrap();
        let number: u64 = body(&entry).parse().unwrap();
        assert!(number > told.number || (number == told.number && entry.revision == told.revision), "{told:?}");
    }
    for told in told.iter().filter(|told| told.who.starts_with('p')) {
        assert!(number_of(store, &pair_keys(&told.who).0) >= told.number, "{told:?}");
    }
    for pair in 0..PAIRS {
        let (left, right) = pair_keys(&format!("p{pair}"));
        let (Some(left), Some(right)) = (store.get(&left), store.get(&right)) else {
            let neither = store.get(&left).is_none() && store.get(&right).is_none();
            assert!(neither, "half of a pair was written");
            continue;
        };
        assert_eq!((body(&left), left.revision + 1), (body(&right), right.revision), "half of a pair was written");
    }
    for event in happened.values().filter(|event| &*event.entry.key.resource == "secrets") {
        if event.revision + 1 > floors["pods"] {
            let other = &happened[&(event.revision + 1)];
            assert_eq!(body(&other.entry), body(&event.entry), "half of a pair was written");
        }
    }
}
