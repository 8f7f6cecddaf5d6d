//! How much of the past is kept, and what is said about the rest: compaction,
//! floors and slow watchers, on every engine.

use std::time::Duration;

use bytes::Bytes;
use store::{Error, HistoryLimits, Store};

use crate::contract::on_every_engine;
use crate::support::*;

on_every_engine! {
    old_events_are_forgotten,
    young_events_are_kept,
    live_rows_survive_compaction,
    the_counter_never_goes_back,
    hard_bounds_hold_under_load,
    a_busy_topic_spares_the_quiet,
    a_busy_cluster_spares_the_quiet,
    a_slow_watcher_is_told,
    compaction_goes_in_slices,
}

const AGE: Duration = Duration::from_secs(301);

fn is_too_old<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Compacted { .. }))
}

/// The revisions of all rows in the log.
fn rows(bench: &Bench) -> Vec<u64> {
    let mut rows = Vec::new();
    let mut visit = |revision, _: Bytes| {
        rows.push(revision);
        std::ops::ControlFlow::Continue(())
    };
    bench.bare_engine().replay(&mut visit).unwrap();
    rows
}

/// Revisions 1 to 6: `a` created, changed twice; `b` created, deleted; `c` created.
async fn some_history(store: &Store) {
    for text in ["1", "2", "3"] {
        put(store, cm("a"), text).await.unwrap();
    }
    put(store, cm("b"), "4").await.unwrap();
    delete(store, cm("b")).await.unwrap();
    put(store, cm("c"), "6").await.unwrap();
}

async fn old_events_are_forgotten(bench: Bench) {
    let store = bench.open();
    some_history(&store).await;
    bench.clock.advance(AGE);
    put(&store, cm("a"), "7").await.unwrap();
    store.compact().await.unwrap();
    let check = |store: &Store| {
        assert_eq!(store.oldest(), 6);
        for revision in 0..6 {
            let outcome = list_at(store, &all("configmaps"), revision);
            assert!(matches!(outcome, Err(Error::Compacted { asked, oldest: 6 }) if asked == revision));
            assert!(is_too_old(&store.watch(&all("configmaps"), revision)));
        }
        assert_eq!(
            brief(&list_at(store, &all("configmaps"), 6).unwrap().entries),
            [("a".to_owned(), 3, "3".to_owned()), ("c".to_owned(), 6, "6".to_owned()),]
        );
        assert_replays(store, &all("configmaps"), 6);
        assert!(events(store, &all("pods"), 0).unwrap().is_empty());
    };
    check(&store);
    drop(store);
    // The version of `a` that the event at 7 replaced is still needed.
    assert_eq!(rows(&bench), [3, 6, 7]);
    check(&bench.open());
}

async fn young_events_are_kept(bench: Bench) {
    let store = bench.open();
    some_history(&store).await;
    bench.clock.advance(Duration::from_secs(299));
    store.compact().await.unwrap();
    let check = |store: &Store| {
        assert_eq!(store.oldest(), 0);
        for revision in 0..=6 {
            assert_replays(store, &all("configmaps"), revision);
        }
    };
    check(&store);
    drop(store);
    check(&bench.open());
}

async fn live_rows_survive_compaction(bench: Bench) {
    let store = bench.open();
    for turn in 0..3 {
        for n in 0..100 {
            put(&store, cm(&format!("k{n}")), &format!("{turn}")).await.unwrap();
        }
    }
    for n in 50..100 {
        delete(&store, cm(&format!("k{n}"))).await.unwrap();
    }
    let before = list(&store, &all("configmaps"));
    bench.clock.advance(AGE);
    store.compact().await.unwrap();
    assert_eq!(store.stats().history_events, 0);
    drop(store);
    assert_eq!(rows(&bench), (201..=250).collect::<Vec<u64>>());
    let store = bench.open();
    let after = list(&store, &all("configmaps"));
    assert_eq!((before.entries, before.revision), (after.entries, after.revision));
    assert_eq!(store.oldest(), 350);
}

async fn the_counter_never_goes_back(bench: Bench) {
    let store = bench.open();
    some_history(&store).await;
    for name in ["a", "c"] {
        delete(&store, cm(name)).await.unwrap();
    }
    bench.clock.advance(AGE);
    store.compact().await.unwrap();
    drop(store);
    assert!(rows(&bench).is_empty());
    let store = bench.open();
    assert_eq!(store.revision(), 8);
    assert!(is_too_old(&store.watch(&all("configmaps"), 7)));
    assert_eq!(put(&store, cm("a"), "new").await.unwrap().revision, 9);
    bench.crash(store);
    assert_eq!(bench.open().revision(), 9);
}

async fn hard_bounds_hold_under_load(bench: Bench) {
    let mut options = bench.options();
    options.history = HistoryLimits { events: 300, bytes: 200_000, ..HistoryLimits::default() };
    let store = bench.open_with(options.clone());
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for turn in 0..40 {
                    put(&store, cm(&format!("w{writer}")), &turn.to_string().repeat(20)).await.unwrap();
                    let stats = store.stats();
                    // Beyond the bound there can only be what one batch added.
                    assert!(stats.history_events <= 300 + 2 * 32, "{} events", stats.history_events);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    store.compact().await.unwrap();
    let big = "x".repeat(50_000);
    for _ in 0..10 {
        put(&store, cm("big"), &big).await.unwrap();
    }
    store.compact().await.unwrap();
    assert!(store.stats().history_bytes <= 200_000);
    let oldest = store.oldest();
    assert!(is_too_old(&list_at(&store, &all("configmaps"), oldest - 1)));
    assert_replays(&store, &all("configmaps"), oldest);
    drop(store);
    let store = bench.open_with(options);
    assert_eq!(list(&store, &all("configmaps")).entries.len(), 33);
    assert_replays(&store, &all("configmaps"), oldest);
}

async fn a_busy_topic_spares_the_quiet(bench: Bench) {
    let mut options = bench.options();
    options.history = HistoryLimits { events: 50, ..HistoryLimits::default() };
    let store = bench.open_with(options);
    for turn in 0..5 {
        put(&store, key("pods", "root", "a", "quiet"), &turn.to_string()).await.unwrap();
    }
    for turn in 0..200 {
        put(&store, cm("busy"), &turn.to_string()).await.unwrap();
    }
    store.compact().await.unwrap();
    assert!(store.stats().history_events <= 50);
    assert!(is_too_old(&store.watch(&all("configmaps"), 100)));
    assert_eq!(events(&store, &all("pods"), 0).unwrap().len(), 5);
    assert_replays(&store, &all("pods"), 2);
}

async fn a_busy_cluster_spares_the_quiet(bench: Bench) {
    let mut options = bench.options();
    options.history = HistoryLimits { events: 50, ..HistoryLimits::default() };
    let store = bench.open_with(options);
    let quiet = all("configmaps").in_cluster("quiet");
    let mut watcher = store.watch(&quiet, 0).unwrap();
    for turn in 0..200 {
        put(&store, cm("busy"), &turn.to_string()).await.unwrap();
    }
    let mine = put(&store, key("configmaps", "quiet", "a", "x"), "v").await.unwrap();
    let found = watcher.next().await.unwrap();
    assert_eq!(found.iter().map(|event| event.revision).collect::<Vec<_>>(), [mine.revision]);
    assert!(list_at(&store, &quiet, 10).unwrap().entries.is_empty());
    assert!(is_too_old(&store.watch(&all("configmaps"), 10)));
    assert!(is_too_old(&store.watch(&all("configmaps").in_cluster("root"), 10)));
}

async fn a_slow_watcher_is_told(bench: Bench) {
    let store = bench.open();
    let mut slow = store.watch(&all("configmaps"), 0).unwrap();
    let mut idle = store.watch(&all("pods"), 0).unwrap();
    some_history(&store).await;
    bench.clock.advance(AGE);
    store.compact().await.unwrap();
    assert!(is_too_old(&slow.next().await));
    assert!(is_too_old(&slow.try_next()));
    assert_eq!(slow.progress(), 0);
    assert!(idle.try_next().unwrap().is_empty());
    assert_eq!(idle.progress(), 6);
}

async fn compaction_goes_in_slices(bench: Bench) {
    let store = bench.open();
    let mut writes = Vec::new();
    for turn in 0..1500 {
        // Not waited for one by one, to be quick.
        let store = store.clone();
        writes.push(tokio::spawn(async move { put(&store, cm("a"), &turn.to_string()).await.map(drop) }));
    }
    for write in writes {
        write.await.unwrap().unwrap();
    }
    bench.clock.advance(AGE);
    let syncs = store.stats().syncs;
    store.compact().await.unwrap();
    assert!(store.stats().syncs >= syncs + 1500 / 250, "too much was removed at once");
    drop(store);
    assert_eq!(rows(&bench), [1500]);
}
