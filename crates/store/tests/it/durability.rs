//! What is left after a restart, a crash, a failed disk or a copy, on every
//! engine.

use std::time::Duration;

use store::engine::Sqlite;
use store::{Error, Expect, Store, Transaction};

use crate::contract::on_every_engine;
use crate::support::*;

on_every_engine! {
    a_restart_changes_nothing,
    nothing_is_seen_before_it_is_durable,
    a_failed_disk_stops_writes_only,
    volatile_is_seen_at_once,
    volatile_becomes_durable_soon,
    volatile_revisions_are_never_reused,
    lost_volatile_history_is_not_told,
    an_orderly_end_loses_nothing_volatile,
    durable_writes_carry_volatile_ones,
    a_snapshot_is_the_store_at_its_revision,
    sealed_values_come_back,
    sealing_needs_a_sealer,
}

fn lease(name: &str) -> store::Key {
    key("leases", "root", "kube-node-lease", name)
}

async fn a_restart_changes_nothing(bench: Bench) {
    let store = bench.open();
    for step in 0..60u32 {
        let name = format!("k{}", step * 7 % 6);
        if step % 5 == 4 && store.get(&cm(&name)).is_some() {
            delete(&store, cm(&name)).await.unwrap();
        } else {
            put(&store, cm(&name), &format!("v{step}")).await.unwrap();
        }
    }
    let before = list(&store, &all("configmaps"));
    let history = events(&store, &all("configmaps"), 0).unwrap();
    bench.crash(store);
    let store = bench.open();
    let after = list(&store, &all("configmaps"));
    assert_eq!((after.entries, after.revision), (before.entries, before.revision));
    assert_eq!(events(&store, &all("configmaps"), 0).unwrap(), history);
    assert_replays(&store, &all("configmaps"), 17);
    assert_eq!(put(&store, cm("new"), "v").await.unwrap().revision, 61);
}

async fn nothing_is_seen_before_it_is_durable(bench: Bench) {
    let store = bench.open();
    let mut watcher = store.watch(&all("configmaps"), 0).unwrap();
    bench.switch.set(Mode::Stall);
    let writer = tokio::spawn({
        let store = store.clone();
        async move { put(&store, cm("a"), "v").await }
    });
    bench.switch.reached().await;
    assert!(!writer.is_finished());
    assert!(store.get(&cm("a")).is_none());
    assert!(watcher.try_next().unwrap().is_empty());
    assert_eq!((store.revision(), watcher.progress()), (0, 0));
    bench.switch.set(Mode::Work);
    assert_eq!(writer.await.unwrap().unwrap().revision, 1);
    assert_eq!(watcher.next().await.unwrap().len(), 1);
}

async fn a_failed_disk_stops_writes_only(bench: Bench) {
    let store = bench.open();
    put(&store, cm("a"), "v").await.unwrap();
    bench.switch.set(Mode::Fail);
    assert!(matches!(put(&store, cm("a"), "w").await, Err(Error::NotDurable { .. })));
    bench.switch.set(Mode::Work);
    // Even though the disk works again: nobody knows what it holds.
    for _ in 0..2 {
        let refused = put(&store, cm("b"), "w").await.unwrap_err();
        assert!(refused.to_string().contains("the test pulled the plug"), "{refused}");
        assert!(matches!(refused, Error::ReadOnly { .. }));
    }
    assert!(matches!(put(&store, lease("n"), "w").await, Err(Error::ReadOnly { .. })));
    assert!(matches!(store.compact().await, Err(Error::ReadOnly { .. })));
    assert!(matches!(store.flush().await, Err(Error::ReadOnly { .. })));
    assert!(store.stats().read_only.unwrap().contains("plug"));
    assert_eq!(body(&store.get(&cm("a")).unwrap()), "v");
    assert_eq!(store.revision(), 1);
    drop(store);
    let store = bench.open();
    assert_eq!(body(&store.get(&cm("a")).unwrap()), "v");
    assert_eq!(put(&store, cm("b"), "w").await.unwrap().revision, 2);
}

/// A store in which the first volatile write, which has to reserve revisions,
/// is behind us.
async fn with_reserve(bench: &Bench, delay: Duration) -> Store {
    let mut options = bench.options();
    options.volatile_delay = delay;
    let store = bench.open_with(options);
    put(&store, lease("first"), "v").await.unwrap();
    store
}

const LONG: Duration = Duration::from_secs(600);

async fn volatile_is_seen_at_once(bench: Bench) {
    let store = with_reserve(&bench, LONG).await;
    bench.switch.set(Mode::Stall);
    let mut watcher = store.watch(&all("leases"), 1).unwrap();
    for turn in 0..3 {
        let entry = put(&store, lease("n"), &turn.to_string()).await.unwrap();
        assert_eq!(store.get(&lease("n")).unwrap(), entry);
    }
    assert_eq!(watcher.next().await.unwrap().len(), 3);
    // One step that is not volatile makes all of the transaction wait.
    let mixed = Transaction::new().put(lease("n"), value("mixed"), Expect::Any).put(cm("a"), value("v"), Expect::Any);
    let writer = tokio::spawn({
        let store = store.clone();
        async move { store.commit(mixed).await }
    });
    bench.switch.reached().await;
    assert!(!writer.is_finished());
    assert_eq!(body(&store.get(&lease("n")).unwrap()), "2");
    bench.switch.set(Mode::Work);
    writer.await.unwrap().unwrap();
}

async fn volatile_becomes_durable_soon(bench: Bench) {
    let store = with_reserve(&bench, LONG).await;
    bench.switch.set(Mode::Stall);
    put(&store, lease("n"), "v").await.unwrap();
    // Whatever the options ask for, a second is the most. More is allowed here,
    // since the machine may be busy.
    let reached = tokio::time::timeout(Duration::from_secs(5), bench.switch.reached()).await;
    assert!(reached.is_ok(), "it is still not on its way to the disk");
    bench.switch.set(Mode::Work);
    store.flush().await.unwrap();
    bench.crash(store);
    assert_eq!(body(&bench.open().get(&lease("n")).unwrap()), "v");
}

async fn volatile_revisions_are_never_reused(bench: Bench) {
    let mut highest = 0;
    for round in 0..5 {
        let store = with_reserve(&bench, LONG).await;
        // From here on nothing becomes durable, however slow the test is.
        bench.switch.set(Mode::Fail);
        for turn in 0..10 {
            let entry = put(&store, lease("n"), &format!("{round} {turn}")).await.unwrap();
            assert!(entry.revision > highest, "revision {} was given out again", entry.revision);
            highest = entry.revision;
        }
        bench.crash(store);
        let store = bench.open();
        assert!(store.revision() >= highest);
        // What was not durable is gone, and says so.
        assert!(store.get(&lease("n")).is_none());
        bench.crash(store);
    }
    // More than one reserve's worth.
    let store = with_reserve(&bench, LONG).await;
    for _ in 0..12 {
        let many = (0..1000).fold(Transaction::new(), |all, _| all.put(lease("m"), value("v"), Expect::Any));
        highest = store.commit(many).await.unwrap().revision;
    }
    bench.crash(store);
    assert!(bench.open().revision() >= highest);
}

async fn lost_volatile_history_is_not_told(bench: Bench) {
    let store = with_reserve(&bench, LONG).await;
    put(&store, cm("a"), "v").await.unwrap();
    bench.switch.set(Mode::Fail);
    let lost = put(&store, lease("n"), "lost").await.unwrap().revision;
    bench.crash(store);
    for _ in 0..2 {
        let store = bench.open();
        // A client that saw the lost revision must list again …
        assert!(matches!(store.watch(&all("leases"), lost), Err(Error::Compacted { .. })));
        assert!(matches!(list_at(&store, &all("leases"), 1), Err(Error::Compacted { .. })));
        assert!(matches!(store.watch(&all("events"), lost), Err(Error::Compacted { .. })));
        assert_eq!(names(&list(&store, &all("leases")).entries), ["first"]);
        // … and nobody else.
        assert_eq!(events(&store, &all("configmaps"), 0).unwrap().len(), 1);
        assert!(store.watch(&all("leases"), store.revision()).is_ok());
        store.compact().await.unwrap();
    }
    let store = bench.open();
    let conflict = put_if(&store, lease("n"), "next", Expect::Revision(lost)).await;
    assert!(matches!(conflict, Err(Error::Conflict { .. })));
}

async fn an_orderly_end_loses_nothing_volatile(bench: Bench) {
    let store = with_reserve(&bench, LONG).await;
    put(&store, lease("n"), "v").await.unwrap();
    put(&store, key("events", "root", "a", "e"), "v").await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.revision(), 3);
    assert_eq!(events(&store, &all("leases"), 0).unwrap().len(), 2);
    assert_eq!(events(&store, &all("events"), 0).unwrap().len(), 1);
    bench.crash(store);
    assert_eq!(bench.open().revision(), 3);
}

async fn durable_writes_carry_volatile_ones(bench: Bench) {
    let store = with_reserve(&bench, LONG).await;
    put(&store, lease("n"), "carried").await.unwrap();
    let syncs = store.stats().syncs;
    put(&store, cm("a"), "v").await.unwrap();
    assert_eq!(store.stats().syncs, syncs + 1);
    bench.crash(store);
    let store = bench.open();
    assert_eq!(body(&store.get(&lease("n")).unwrap()), "carried");
    assert_eq!(body(&store.get(&cm("a")).unwrap()), "v");
}

async fn a_snapshot_is_the_store_at_its_revision(bench: Bench) {
    let store = with_reserve(&bench, LONG).await;
    for n in 0..300 {
        put(&store, cm(&format!("k{}", n % 50)), &"x".repeat(n)).await.unwrap();
    }
    let secret = key("secrets", "root", "a", "s");
    put(&store, secret.clone(), "hush").await.unwrap();
    put(&store, lease("n"), "volatile").await.unwrap();
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 0..200 {
                put(&store, cm(&format!("k{}", n % 50)), "later").await.unwrap();
            }
        }
    });
    let path = bench.dir.path().join("copy.db");
    let revision = store.snapshot(&path).await.unwrap();
    writer.await.unwrap();
    assert!(matches!(store.snapshot(&path).await, Err(Error::Engine(_))));
    let copy = Store::open(Box::new(Sqlite::open(&path).unwrap()), bench.options()).unwrap();
    let theirs = list(&copy, &all("configmaps")).entries;
    assert_eq!(theirs, list_at(&store, &all("configmaps"), revision).unwrap().entries);
    assert_eq!(body(&copy.get(&secret).unwrap()), "hush");
    assert_eq!(body(&copy.get(&lease("n")).unwrap()), "volatile");
    assert_replays(&copy, &all("configmaps"), 10);
    // Both go their own ways.
    assert!(put(&copy, cm("mine"), "v").await.unwrap().revision > revision);
    assert!(store.get(&cm("mine")).is_none());
}

async fn sealed_values_come_back(bench: Bench) {
    let secret = key("secrets", "root", "a", "s");
    let store = bench.open();
    for text in ["hush one", "hush two", ""] {
        put(&store, secret.clone(), text).await.unwrap();
    }
    let gone = Transaction::new().delete_with(secret.clone(), Expect::Any, value("hush final"));
    store.commit(gone).await.unwrap();
    put(&store, secret.clone(), "hush again").await.unwrap();
    let history = events(&store, &all("secrets"), 0).unwrap();
    drop(store);
    let mut frames = Vec::new();
    let mut visit = |_, frame: bytes::Bytes| {
        frames.extend_from_slice(&frame);
        std::ops::ControlFlow::Continue(())
    };
    bench.bare_engine().replay(&mut visit).unwrap();
    let shown = |needle: &[u8]| frames.windows(needle.len()).any(|window| window == needle);
    assert!(shown(b"secrets"));
    assert!(!shown(b"hush") && !shown(b"meta of"));
    let store = bench.open();
    assert_eq!(body(&store.get(&secret).unwrap()), "hush again");
    assert_eq!(events(&store, &all("secrets"), 0).unwrap(), history);
    drop(store);
    for sealer in [None, Some(std::sync::Arc::new(Xor { key: 8 }) as std::sync::Arc<dyn store::Sealer>)] {
        let mut options = bench.options();
        options.sealer = sealer;
        let refused = Store::open(bench.engine(), options).err().unwrap();
        assert!(matches!(refused, Error::Corrupt { revision: 1, .. }), "{refused}");
    }
}

async fn sealing_needs_a_sealer(bench: Bench) {
    let mut options = bench.options();
    options.sealer = None;
    let store = bench.open_with(options);
    let refused = put(&store, key("secrets", "root", "a", "s"), "hush").await;
    assert!(matches!(refused, Err(Error::Seal { .. })));
    assert_eq!(store.revision(), 0);
    assert_eq!(put(&store, cm("a"), "plain").await.unwrap().revision, 1);
}
