//! Random histories against a model that keeps every state there ever was.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};
use store::{Error, Expect, HistoryLimits, Key, ListOptions, Prefix, Store, Transaction};

use crate::support::*;

#[derive(Clone, Debug)]
enum Action {
    Put(u8, u16),
    PutIf(u8, u64, u16),
    Create(u8, u16),
    Delete(u8),
    Pair(u8, u8, u16),
    Advance(u8),
    Compact,
    Restart,
    Crash,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (0..12u8, any::<u16>()).prop_map(|(key, text)| Action::Put(key, text)),
        3 => (0..12u8, 0..60u64, any::<u16>()).prop_map(|(key, revision, text)| Action::PutIf(key, revision, text)),
        3 => (0..12u8, any::<u16>()).prop_map(|(key, text)| Action::Create(key, text)),
        4 => (0..12u8).prop_map(Action::Delete),
        3 => (0..12u8, 0..12u8, any::<u16>()).prop_map(|(one, two, text)| Action::Pair(one, two, text)),
        2 => (0..200u8).prop_map(Action::Advance),
        1 => Just(Action::Compact),
        1 => Just(Action::Restart),
        1 => Just(Action::Crash),
    ]
}

/// Twelve keys in two topics, two clusters and two namespaces.
fn key_of(number: u8) -> Key {
    let resource = if number.is_multiple_of(2) { "configmaps" } else { "pods" };
    let cluster = if (number / 2).is_multiple_of(2) { "root" } else { "two" };
    let namespace = if (number / 4).is_multiple_of(2) { "a" } else { "b" };
    key(resource, cluster, namespace, &format!("n{}", number / 8))
}

type State = BTreeMap<Key, (u64, u64, String)>;

/// Every state there was: `states[r]` holds at revision `r`.
struct Model {
    states: Vec<State>,
}

impl Model {
    fn now(&self) -> &State {
        self.states.last().unwrap()
    }

    fn put(&mut self, key: Key, text: &str) {
        let revision = self.states.len() as u64;
        let mut state = self.now().clone();
        let created = state.get(&key).map_or(revision, |entry| entry.1);
        state.insert(key, (revision, created, text.to_owned()));
        self.states.push(state);
    }

    fn delete(&mut self, key: &Key) {
        let mut state = self.now().clone();
        state.remove(key);
        self.states.push(state);
    }

    fn range(&self, revision: u64, prefix: &Prefix) -> Vec<(Key, u64, u64, String)> {
        let state = self.states[revision as usize].iter().filter(|(key, _)| prefix.matches(key));
        state.map(|(key, (revision, created, text))| (key.clone(), *revision, *created, text.clone())).collect()
    }
}

async fn act(bench: &Bench, store: Store, model: &mut Model, action: &Action) -> Store {
    match action {
        Action::Put(number, text) => {
            put(&store, key_of(*number), &text.to_string()).await.unwrap();
            model.put(key_of(*number), &text.to_string());
        }
        Action::PutIf(number, revision, text) => {
            let outcome = put_if(&store, key_of(*number), &text.to_string(), Expect::Revision(*revision)).await;
            let expected = model.now().get(&key_of(*number)).is_some_and(|entry| entry.0 == *revision);
            assert_eq!(outcome.is_ok(), expected);
            if expected {
                model.put(key_of(*number), &text.to_string());
            }
        }
        Action::Create(number, text) => {
            let outcome = put_if(&store, key_of(*number), &text.to_string(), Expect::Absent).await;
            assert_eq!(outcome.is_ok(), !model.now().contains_key(&key_of(*number)));
            if outcome.is_ok() {
                model.put(key_of(*number), &text.to_string());
            }
        }
        Action::Delete(number) => {
            let outcome = delete(&store, key_of(*number)).await;
            assert_eq!(outcome.is_ok(), model.now().contains_key(&key_of(*number)));
            if outcome.is_ok() {
                model.delete(&key_of(*number));
            }
        }
        Action::Pair(one, two, text) => {
            let pair = Transaction::new().put(key_of(*one), value(&text.to_string()), Expect::Any);
            let outcome = store.commit(pair.delete(key_of(*two), Expect::Present)).await;
            let expected = one == two || model.now().contains_key(&key_of(*two));
            assert_eq!(outcome.is_ok(), expected);
            if expected {
                model.put(key_of(*one), &text.to_string());
                model.delete(&key_of(*two));
            }
        }
        Action::Advance(seconds) => bench.clock.advance(Duration::from_secs(u64::from(*seconds))),
        Action::Compact => store.compact().await.unwrap(),
        Action::Restart => {
            drop(store);
            return open(bench);
        }
        Action::Crash => {
            bench.crash(store);
            return open(bench);
        }
    }
    store
}

fn open(bench: &Bench) -> Store {
    let mut options = bench.options();
    options.history = HistoryLimits { events: 40, ..HistoryLimits::default() };
    bench.open_with(options)
}

fn check(store: &Store, model: &Model) {
    assert_eq!(store.revision(), model.states.len() as u64 - 1);
    let prefixes = ["configmaps", "pods"].into_iter().flat_map(|resource| {
        let every = all(resource);
        let root = every.clone().in_cluster("root");
        [every.clone(), root.clone(), root.in_namespace("b"), every.in_namespace("a")]
    });
    for prefix in prefixes {
        let (mut kept, mut oldest) = (0, u64::MAX);
        for revision in 0..=store.revision() {
            // Three at a time, so that pages of the past are put to the test too.
            let mut options = ListOptions { at: Some(revision), limit: Some(3), after: None };
            let mut found = Vec::new();
            let outcome = loop {
                match store.list(&prefix, &options) {
                    Err(error) => break Err(error),
                    Ok(page) => {
                        found.extend(page.entries);
                        options.after = page.next;
                        if options.after.is_none() {
                            break Ok(());
                        }
                    }
                }
            };
            match outcome {
                Ok(()) => {
                    let told: Vec<_> = found
                        .iter()
                        .map(|entry| ((*entry.key).clone(), entry.revision, entry.created, body(entry).to_owned()))
                        .collect();
                    assert_eq!(told, model.range(revision, &prefix), "{prefix:?} at {revision}");
                    assert_replays(store, &prefix, revision);
                    kept += 1;
                    oldest = oldest.min(revision);
                }
                Err(Error::Compacted { .. }) => {
                    assert!(store.watch(&prefix, revision).is_err());
                    assert_eq!(kept, 0, "{prefix:?}: revision {revision} is too old, but {oldest} was not");
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(kept > 0);
    }
}

fn follow(bench: Bench, actions: &[Action]) -> Result<(), TestCaseError> {
    run(async {
        let mut model = Model { states: vec![State::new()] };
        let mut store = open(&bench);
        for action in actions {
            store = act(&bench, store, &mut model, action).await;
        }
        check(&store, &model);
        bench.crash(store);
        check(&open(&bench), &model);
    });
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 60, failure_persistence: None, ..Config::default() })]

    #[test]
    fn memory_agrees_with_the_model(actions in prop::collection::vec(action(), 1..120)) {
        follow(Bench::memory(), &actions)?;
    }
}

proptest! {
    #![proptest_config(Config { cases: 12, failure_persistence: None, ..Config::default() })]

    #[test]
    fn sqlite_agrees_with_the_model(actions in prop::collection::vec(action(), 1..120)) {
        follow(Bench::sqlite(), &actions)?;
    }
}
