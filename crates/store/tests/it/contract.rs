//! What every engine must make possible, as one list of tests that each engine
//! is put through: reading, writing, listing and watching.

use store::{ConflictReason, Error, EventKind, Expect, ListOptions, Prefix, Transaction};

use crate::support::*;

/// Runs each named test once per engine.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod memory { $( #[test] fn $test() { crate::support::run(super::$test(crate::support::Bench::memory())); } )+ }
        mod sqlite { $( #[test] fn $test() { crate::support::run(super::$test(crate::support::Bench::sqlite())); } )+ }
    };
}
pub(crate) use on_every_engine;

on_every_engine! {
    puts_and_gets,
    refuses_unmet_expectations,
    transactions_are_all_or_nothing,
    steps_see_those_before_them,
    a_failed_transaction_leaves_its_batch_alone,
    lists_in_order_and_in_pages,
    pages_stay_at_one_revision,
    lists_the_past,
    watches_in_order,
    watches_only_its_range,
    a_deletion_carries_its_last_value,
    progress_tells_what_was_delivered,
    the_future_is_refused,
    bounds_are_kept,
    counters_lose_nothing,
    closing_ends_watches_and_writes,
    a_full_queue_makes_writers_wait,
    wakes_a_waiting_watcher,
}

async fn puts_and_gets(bench: Bench) {
    let store = bench.open();
    assert_eq!(store.revision(), 0);
    assert!(store.get(&cm("a")).is_none());
    let first = put_if(&store, cm("a"), "one", Expect::Absent).await.unwrap();
    assert_eq!((first.revision, first.created, body(&first)), (1, 1, "one"));
    let second = put_if(&store, cm("a"), "two", Expect::Revision(1)).await.unwrap();
    assert_eq!((second.revision, second.created), (2, 1));
    assert_eq!(store.get(&cm("a")).unwrap(), second);
    delete(&store, cm("a")).await.unwrap();
    assert!(store.get(&cm("a")).is_none());
    let again = put_if(&store, cm("a"), "three", Expect::Absent).await.unwrap();
    assert_eq!((again.revision, again.created), (4, 4));
    assert_eq!(store.topics().len(), 1);
    let stats = store.stats();
    assert_eq!((stats.revision, stats.entries, stats.history_events, stats.transactions), (4, 1, 4, 4));
}

async fn refuses_unmet_expectations(bench: Bench) {
    let store = bench.open();
    put(&store, cm("a"), "one").await.unwrap();
    let cases = [
        (cm("a"), Expect::Absent, Some(ConflictReason::AlreadyExists)),
        (cm("a"), Expect::Present, None),
        (cm("a"), Expect::Any, None),
        (cm("a"), Expect::Revision(1), None),
        (cm("a"), Expect::Revision(9), Some(ConflictReason::RevisionMismatch)),
        (cm("b"), Expect::Absent, None),
        (cm("b"), Expect::Any, None),
        (cm("b"), Expect::Present, Some(ConflictReason::NotFound)),
        (cm("b"), Expect::Revision(1), Some(ConflictReason::NotFound)),
    ];
    for (key, expect, expected) in cases {
        let outcome = store.commit(Transaction::new().check(key.clone(), expect)).await;
        match (outcome, expected) {
            (Ok(committed), None) => assert_eq!(committed.revision, 1),
            (Err(Error::Conflict { op, key: about, reason, current }), Some(expected)) => {
                assert_eq!((op, &*about, reason), (0, &key, expected));
                assert_eq!(current, store.get(&key));
            }
            (outcome, _) => panic!("{key} {expect:?}: {outcome:?}"),
        }
    }
    let missing = store.commit(Transaction::new().delete(cm("b"), Expect::Any)).await;
    assert!(matches!(missing, Err(Error::Conflict { reason: ConflictReason::NotFound, .. })));
    assert_eq!(store.revision(), 1);
}

async fn transactions_are_all_or_nothing(bench: Bench) {
    let store = bench.open();
    let namespace = key("namespaces", "root", "", "default");
    let create = |name: &str| {
        Transaction::new().put(cm(name), value(name), Expect::Absent).put(
            key("configmaps", "root", "other", name),
            value("x"),
            Expect::Absent,
        )
    };
    let refused = store.commit(create("a").check(namespace.clone(), Expect::Present)).await;
    assert!(matches!(refused, Err(Error::Conflict { op: 2, .. })));
    assert!(list(&store, &all("configmaps")).entries.is_empty());
    assert_eq!(store.revision(), 0);
    put(&store, namespace.clone(), "ns").await.unwrap();
    let committed = store.commit(create("a").check(namespace, Expect::Present)).await.unwrap();
    assert_eq!(committed.revision, 3);
    let revisions: Vec<_> = committed.entries.iter().map(|entry| entry.as_ref().unwrap().revision).collect();
    assert_eq!(revisions, [2, 3, 1]);
    // Many at once, of which some fail: the good ones are unharmed.
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            let key = cm(&format!("n{}", n / 2));
            tokio::spawn(async move { put_if(&store, key, "v", Expect::Absent).await.is_ok() })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        created += u32::from(task.await.unwrap());
    }
    assert_eq!((created, store.revision()), (25, 28));
}

async fn steps_see_those_before_them(bench: Bench) {
    let store = bench.open();
    let committed = store
        .commit(
            Transaction::new()
                .put(cm("a"), value("1"), Expect::Absent)
                .put(cm("a"), value("2"), Expect::Revision(1))
                .delete(cm("a"), Expect::Present)
                .check(cm("a"), Expect::Absent)
                .put(cm("a"), value("3"), Expect::Absent),
        )
        .await
        .unwrap();
    assert_eq!(committed.revision, 4);
    assert_eq!(brief(&list(&store, &all("configmaps")).entries), [("a".to_owned(), 4, "3".to_owned())]);
    for revision in 0..=4 {
        assert_replays(&store, &all("configmaps"), revision);
    }
    // A step that fails undoes the steps before it, also for those after.
    let undone = Transaction::new().delete(cm("a"), Expect::Any).put(cm("a"), value("4"), Expect::Present);
    assert!(store.commit(undone).await.is_err());
    assert_eq!(body(&store.get(&cm("a")).unwrap()), "3");
}

async fn a_failed_transaction_leaves_its_batch_alone(bench: Bench) {
    let store = bench.open();
    bench.switch.set(Mode::Stall);
    let plug = tokio::spawn({
        let store = store.clone();
        async move { put(&store, cm("plug"), "v").await }
    });
    bench.switch.reached().await;
    // These queue up behind the plug, in this order, and make one batch.
    let failing = Transaction::new()
        .put(cm("a"), value("undone"), Expect::Revision(2))
        .put(cm("a"), value("undone"), Expect::Present)
        .delete(cm("b"), Expect::Present)
        .put(cm("c"), value("undone"), Expect::Absent)
        .check(cm("none"), Expect::Present);
    let after = Transaction::new().check(cm("a"), Expect::Revision(2)).check(cm("b"), Expect::Revision(3)).put(
        cm("c"),
        value("4"),
        Expect::Absent,
    );
    let (a, b, failed, after, ()) = tokio::join!(
        put(&store, cm("a"), "2"),
        put(&store, cm("b"), "3"),
        store.commit(failing),
        store.commit(after),
        async { bench.switch.set(Mode::Work) }
    );
    plug.await.unwrap().unwrap();
    assert_eq!((a.unwrap().revision, b.unwrap().revision, after.unwrap().revision), (2, 3, 4));
    assert!(matches!(failed, Err(Error::Conflict { op: 4, .. })));
    assert_eq!(store.stats().syncs, 2);
    assert_eq!(brief(&list_at(&store, &all("configmaps"), 3).unwrap().entries).len(), 3);
    assert_replays(&store, &all("configmaps"), 0);
}

async fn lists_in_order_and_in_pages(bench: Bench) {
    let store = bench.open();
    for (cluster, namespace, name) in
        [("root", "b", "x"), ("root", "a", "z"), ("root", "a", "y"), ("other", "a", "q"), ("root", "ab", "w")]
    {
        put(&store, key("configmaps", cluster, namespace, name), "v").await.unwrap();
    }
    put(&store, key("configmapsx", "root", "a", "stranger"), "v").await.unwrap();
    let every = all("configmaps");
    let root = every.clone().in_cluster("root");
    let cases: [(Prefix, &[&str]); 6] = [
        (every.clone(), &["q", "y", "z", "w", "x"]),
        (root.clone(), &["y", "z", "w", "x"]),
        (root.clone().in_namespace("a"), &["y", "z"]),
        (root.clone().in_namespace(""), &[]),
        (every.clone().in_namespace("a"), &["q", "y", "z"]),
        (every.clone().in_cluster("none"), &[]),
    ];
    for (prefix, expected) in cases {
        assert_eq!(names(&list(&store, &prefix).entries), expected, "{prefix:?}");
        for limit in 1..4 {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let options = ListOptions { limit: Some(limit), after, at: None };
                let page = store.list(&prefix, &options).unwrap();
                found.extend(names(&page.entries));
                assert_eq!(page.remaining, expected.len() - found.len());
                assert_eq!(page.next.is_some(), page.remaining > 0);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{prefix:?} by {limit}");
        }
    }
}

async fn pages_stay_at_one_revision(bench: Bench) {
    let store = bench.open();
    for name in ["a", "b", "c", "d"] {
        put(&store, cm(name), "old").await.unwrap();
    }
    let first = store.list(&all("configmaps"), &ListOptions { limit: Some(2), ..ListOptions::default() }).unwrap();
    assert_eq!((names(&first.entries), first.revision, first.remaining), (vec!["a".into(), "b".into()], 4, 2));
    put(&store, cm("c"), "new").await.unwrap();
    delete(&store, cm("d")).await.unwrap();
    put(&store, cm("bb"), "new").await.unwrap();
    put(&store, cm("aa"), "new").await.unwrap();
    let rest = ListOptions { at: Some(first.revision), limit: Some(5), after: first.next };
    let second = store.list(&all("configmaps"), &rest).unwrap();
    let expected = [("c".to_owned(), 3, "old".to_owned()), ("d".to_owned(), 4, "old".to_owned())];
    assert_eq!(brief(&second.entries), expected);
    assert_eq!((second.revision, second.remaining, second.next), (4, 0, None));
}

async fn lists_the_past(bench: Bench) {
    let store = bench.open();
    let mut past = vec![Vec::new()];
    for step in 0..40u32 {
        let name = format!("k{}", step * 7 % 5);
        if step % 4 == 3 && store.get(&cm(&name)).is_some() {
            delete(&store, cm(&name)).await.unwrap();
        } else {
            put(&store, cm(&name), &format!("v{step}")).await.unwrap();
        }
        past.push(brief(&list(&store, &all("configmaps")).entries));
    }
    assert_eq!(past.len() as u64, store.revision() + 1);
    for (revision, expected) in past.iter().enumerate() {
        let page = list_at(&store, &all("configmaps"), revision as u64).unwrap();
        assert_eq!(&brief(&page.entries), expected, "at {revision}");
        assert_replays(&store, &all("configmaps"), revision as u64);
    }
}

async fn watches_in_order(bench: Bench) {
    let store = bench.open();
    put(&store, cm("before"), "v").await.unwrap();
    let mut watcher = store.watch(&all("configmaps"), store.revision()).unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for turn in 0..50 {
                    put(&store, cm(&format!("w{writer}")), &turn.to_string()).await.unwrap();
                }
            })
        })
        .collect();
    let mut revisions = Vec::new();
    while revisions.len() < 400 {
        for event in watcher.next().await.unwrap() {
            let turn: u32 = body(&event.entry).parse().unwrap();
            assert_eq!(
                event.previous.as_ref().map(|previous| body(previous).parse::<u32>().unwrap() + 1),
                match turn {
                    0 => None,
                    turn => Some(turn),
                }
            );
            revisions.push(event.revision);
        }
    }
    assert_eq!(revisions, (2..402).collect::<Vec<u64>>());
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(watcher.try_next().unwrap().is_empty());
}

async fn watches_only_its_range(bench: Bench) {
    let store = bench.open();
    let places =
        [("configmaps", "root", "a"), ("configmaps", "root", "b"), ("configmaps", "two", "a"), ("pods", "root", "a")];
    for turn in 0..3 {
        for (resource, cluster, namespace) in places {
            put(&store, key(resource, cluster, namespace, "x"), &turn.to_string()).await.unwrap();
        }
    }
    let every = all("configmaps");
    let cases: [(Prefix, &[u64]); 5] = [
        (every.clone(), &[1, 2, 3, 5, 6, 7, 9, 10, 11]),
        (every.clone().in_cluster("root"), &[1, 2, 5, 6, 9, 10]),
        (every.clone().in_cluster("root").in_namespace("b"), &[2, 6, 10]),
        (every.in_namespace("a"), &[1, 3, 5, 7, 9, 11]),
        (all("nothing"), &[]),
    ];
    for (prefix, expected) in cases {
        for from in [0, 2, 5, 12] {
            let found: Vec<_> = events(&store, &prefix, from).unwrap().iter().map(|event| event.revision).collect();
            let expected: Vec<_> = expected.iter().copied().filter(|revision| *revision > from).collect();
            assert_eq!(found, expected, "{prefix:?} from {from}");
        }
    }
}

async fn a_deletion_carries_its_last_value(bench: Bench) {
    let store = bench.open();
    for name in ["a", "b"] {
        put(&store, cm(name), "last").await.unwrap();
    }
    delete(&store, cm("a")).await.unwrap();
    let with = Transaction::new().delete_with(cm("b"), Expect::Revision(2), value("final"));
    let gone = store.commit(with).await.unwrap().entries[0].clone().unwrap();
    assert_eq!((gone.revision, gone.created, body(&gone)), (4, 2, "final"));
    let check = |store: &store::Store| {
        let found = events(store, &all("configmaps"), 2).unwrap();
        let told: Vec<_> =
            found.iter().map(|event| (event.kind, event.revision, body(&event.entry).to_owned())).collect();
        assert_eq!(told, [(EventKind::Delete, 3, "last".to_owned()), (EventKind::Delete, 4, "final".to_owned())]);
        assert!(found.iter().all(|event| body(event.previous.as_ref().unwrap()) == "last"));
    };
    check(&store);
    drop(store);
    check(&bench.open());
}

async fn progress_tells_what_was_delivered(bench: Bench) {
    let store = bench.open();
    let mut watcher = store.watch(&all("configmaps").in_cluster("root"), 0).unwrap();
    put(&store, key("pods", "root", "a", "x"), "v").await.unwrap();
    put(&store, key("configmaps", "two", "a", "x"), "v").await.unwrap();
    assert_eq!(watcher.progress(), 2);
    put(&store, cm("a"), "v").await.unwrap();
    put(&store, key("pods", "root", "a", "x"), "v").await.unwrap();
    assert_eq!(watcher.progress(), 2);
    assert_eq!(watcher.next().await.unwrap().len(), 1);
    assert_eq!(watcher.progress(), 4);
    assert!(watcher.try_next().unwrap().is_empty());
}

async fn the_future_is_refused(bench: Bench) {
    let store = bench.open();
    put(&store, cm("a"), "v").await.unwrap();
    assert!(matches!(list_at(&store, &all("configmaps"), 2), Err(Error::Future { asked: 2, current: 1 })));
    assert!(matches!(store.watch(&all("configmaps"), 2), Err(Error::Future { asked: 2, current: 1 })));
    assert!(matches!(list_at(&store, &all("none"), 2), Err(Error::Future { .. })));
    assert!(store.watch(&all("configmaps"), 1).is_ok());
}

async fn bounds_are_kept(bench: Bench) {
    let store = bench.open();
    let many = |count: usize| (0..count).fold(Transaction::new(), |all, _| all.put(cm("a"), value("v"), Expect::Any));
    assert!(matches!(store.commit(many(Transaction::MAX_OPS + 1)).await, Err(Error::TooLarge { .. })));
    assert_eq!(store.commit(many(Transaction::MAX_OPS)).await.unwrap().revision, Transaction::MAX_OPS as u64);
    let long = "x".repeat(Transaction::MAX_KEY_PART + 1);
    assert!(matches!(put(&store, cm(&long), "v").await, Err(Error::TooLarge { .. })));
    let big = "x".repeat(Transaction::MAX_BYTES);
    assert!(matches!(put(&store, cm("a"), &big).await, Err(Error::TooLarge { .. })));
    assert_eq!(store.commit(Transaction::new()).await.unwrap().revision, store.revision());
}

async fn counters_lose_nothing(bench: Bench) {
    let store = bench.open();
    for name in ["c0", "c1", "c2", "c3"] {
        put(&store, cm(name), "0").await.unwrap();
    }
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let key = cm(&format!("c{}", writer % 4));
                for _ in 0..6 {
                    increment(&store, &key).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    for entry in list(&store, &all("configmaps")).entries {
        assert_eq!(body(&entry), "96");
    }
    assert_eq!(store.revision(), 4 + 64 * 6);
    assert_replays(&store, &all("configmaps"), 4);
}

async fn increment(store: &store::Store, key: &store::Key) {
    loop {
        let seen = store.get(key).unwrap();
        let next = body(&seen).parse::<u32>().unwrap() + 1;
        match put_if(store, key.clone(), &next.to_string(), Expect::Revision(seen.revision)).await {
            // What is acknowledged is visible.
            Ok(mine) => return assert!(store.get(key).unwrap().revision >= mine.revision),
            Err(Error::Conflict { reason: ConflictReason::RevisionMismatch, current, .. }) => {
                assert!(current.unwrap().revision > seen.revision);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn closing_ends_watches_and_writes(bench: Bench) {
    let store = bench.open();
    let mut watcher = store.watch(&all("configmaps"), 0).unwrap();
    let mut idle = store.watch(&all("pods"), 0).unwrap();
    let waiting = tokio::spawn(async move { idle.next().await });
    put(&store, cm("a"), "v").await.unwrap();
    store.close();
    assert_eq!(watcher.next().await.unwrap().len(), 1);
    assert!(matches!(watcher.next().await, Err(Error::Closed)));
    assert!(matches!(waiting.await.unwrap(), Err(Error::Closed)));
    assert!(matches!(put(&store, cm("b"), "v").await, Err(Error::Closed)));
    assert!(matches!(store.compact().await, Err(Error::Closed)));
    assert_eq!(names(&list(&store, &all("configmaps")).entries), ["a"]);
    assert_eq!(store.revision(), 1);
}

async fn a_full_queue_makes_writers_wait(bench: Bench) {
    let mut options = bench.options();
    options.queue_bytes = 4 * 1024;
    let store = bench.open_with(options);
    bench.switch.set(Mode::Stall);
    let writers: Vec<_> = (0..20)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move { put(&store, cm(&format!("w{writer}")), &"x".repeat(3000)).await.unwrap() })
        })
        .collect();
    bench.switch.reached().await;
    assert!(writers.iter().all(|writer| !writer.is_finished()));
    // Readers do not wait for the disk, and see nothing that is not on it.
    assert!(list(&store, &all("configmaps")).entries.is_empty());
    assert_eq!(store.revision(), 0);
    bench.switch.set(Mode::Work);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.revision(), 20);
}

async fn wakes_a_waiting_watcher(bench: Bench) {
    let store = bench.open();
    for prefix in [all("configmaps"), all("configmaps").in_cluster("root").in_namespace("default")] {
        let mut watcher = store.watch(&prefix, store.revision()).unwrap();
        let mut waiting = std::pin::pin!(watcher.next());
        // Polled once, so that it really waits before anything happens.
        std::future::poll_fn(|context| {
            assert!(waiting.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        put(&store, key("configmaps", "two", "other", "no"), "v").await.unwrap();
        let mine = put(&store, cm("yes"), "v").await.unwrap();
        let found = waiting.await.unwrap();
        assert!(found.iter().any(|event| event.revision <= mine.revision));
        assert!(store.stats().watchers <= 1);
    }
}
