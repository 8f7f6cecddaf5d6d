//! Tests of the graph and of the collector's rules, without an API.

use std::collections::HashSet;
use std::sync::Arc;

use api::{ClusterName, Gvr, ObjectMeta, OwnerReference};
use client::{Object, ObjectKey, Propagation};
use serde_json::{Value, json};

use super::decide::{Action, Facts, OwnerState, decide};
use super::graph::{Graph, id};

fn pods() -> Arc<Gvr> {
    Arc::new(Gvr::new("", "v1", "pods"))
}

fn object(name: &str, owners: &[&str], extra: Value) -> Object {
    let owners: Vec<Value> = owners
        .iter()
        .map(|uid| json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": uid, "uid": uid, "blockOwnerDeletion": true }))
        .collect();
    let mut metadata = json!({ "namespace": "ns", "name": name, "uid": name, "ownerReferences": owners });
    metadata.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    Object::from_json(ClusterName::root(), json!({ "metadata": metadata }).to_string().into()).unwrap()
}

fn uid(name: &str) -> ObjectKey {
    id(&ClusterName::root(), name)
}

fn names(mut work: Vec<ObjectKey>) -> Vec<String> {
    work.sort();
    work.iter().map(|id| id.name.to_string()).collect()
}

fn deleting(finalizers: &[&str]) -> Value {
    json!({ "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers })
}

#[test]
fn only_what_matters_is_held() {
    let mut graph = Graph::default();
    assert!(graph.observe(&pods(), &object("plain", &[], json!({}))).is_empty());
    assert!(graph.observe(&pods(), &object("going", &[], deleting(&["other"]))).is_empty());
    assert_eq!(graph.len(), (0, 0));
    assert_eq!(names(graph.observe(&pods(), &object("a", &["o"], json!({})))), ["a"]);
    assert_eq!(names(graph.observe(&pods(), &object("b", &["o", "p"], json!({})))), ["b"]);
    assert!(graph.observe(&pods(), &object("b", &["o", "p"], json!({ "labels": { "x": "y" } }))).is_empty());
    assert_eq!(graph.len(), (2, 2));
    assert_eq!(names(graph.remove(&uid("o"))), ["a", "b"]);
    assert!(graph.remove(&uid("a")).is_empty());
    assert!(graph.observe(&pods(), &object("b", &[], json!({}))).is_empty());
    assert_eq!(graph.len(), (0, 0));
}

#[test]
fn a_foreground_deletion_wakes_both_sides() {
    let mut graph = Graph::default();
    for name in ["a", "b", "c"] {
        graph.observe(&pods(), &object(name, &["o"], json!({})));
    }
    let owner = object("o", &[], deleting(&["foregroundDeletion"]));
    assert_eq!(names(graph.observe(&pods(), &owner)), ["a", "b", "c", "o"]);
    assert!(graph.observe(&pods(), &owner).is_empty());
    assert_eq!(names(graph.remove(&uid("a"))), ["o"]);
    // A dependent that changes sides, too.
    assert_eq!(names(graph.observe(&pods(), &object("b", &["p"], json!({})))), ["b", "o"]);
    assert_eq!(graph.dependents(&uid("o")).len(), 1);
    assert!(graph.dependents(&uid("o"))[0].1.blocks(&uid("o")));
}

#[test]
fn a_confirmed_owner_is_not_asked_for_again_until_it_may_have_ended() {
    let mut graph = Graph::default();
    let reference = |uid: &str| object("x", &[uid], json!({})).meta.owner_references[0].clone();
    let dependent = ObjectKey::new(&ClusterName::root(), "ns", "a");
    let elsewhere = ObjectKey::new(&ClusterName::root(), "other", "a");
    graph.observe(&pods(), &object("a", &["o"], json!({})));
    let (known, doubts) = graph.owner(&dependent, &reference("o"));
    assert_eq!(known, None);
    graph.confirm(&dependent, &reference("o"), doubts);
    assert_eq!(graph.owner(&dependent, &reference("o")).0, Some(OwnerState::Solid));
    assert_eq!(graph.owner(&elsewhere, &reference("o")).0, None, "another namespace must ask for itself");
    graph.observe(&pods(), &object("o", &[], deleting(&["foregroundDeletion"])));
    assert_eq!(graph.owner(&dependent, &reference("o")).0, Some(OwnerState::Waiting));
    graph.forget(&uid("o"));
    assert_eq!(graph.owner(&dependent, &reference("o")).0, None);
    graph.confirm(&dependent, &reference("o"), doubts);
    assert_eq!(graph.owner(&dependent, &reference("o")).0, None, "an answer from before the doubt");
    graph.remove(&uid("o"));
    assert_eq!(graph.owner(&elsewhere, &reference("o")).0, Some(OwnerState::Absent));
}

#[test]
fn a_fresh_list_has_everything_in_doubt_looked_at() {
    let mut graph = Graph::default();
    let replica_sets = Gvr::new("apps", "v1", "replicasets");
    graph.observe(&pods(), &object("a", &["o"], json!({})));
    graph.observe(&pods(), &object("b", &["o"], json!({})));
    let dependents = graph.relisted(&replica_sets, "ReplicaSet", &HashSet::new());
    assert_eq!(names(dependents), ["a", "b"]);
    assert!(graph.relisted(&replica_sets, "Other", &HashSet::new()).is_empty());
    let seen = HashSet::from([ObjectKey::new(&ClusterName::root(), "ns", "a")]);
    assert_eq!(names(graph.relisted(&pods(), "Pod", &seen)), ["a"]);
    assert_eq!(graph.len(), (1, 1));
}

/// `state` has one letter per owner: s(olid), w(aiting), a(bsent).
fn rule(meta: Value, states: &str, dependents: usize, blocking: usize, nested: bool) -> Action {
    let meta: ObjectMeta = serde_json::from_value(meta).unwrap();
    let state = |letter: char| match letter {
        's' => OwnerState::Solid,
        'w' => OwnerState::Waiting,
        _ => OwnerState::Absent,
    };
    let owner = |(index, letter): (usize, char)| {
        (OwnerReference { uid: index.to_string(), ..OwnerReference::default() }, state(letter))
    };
    let owners: Vec<_> = states.chars().enumerate().map(owner).collect();
    decide(&Facts { meta: &meta, owners: &owners, dependents, blocking, dependents_in_foreground: nested })
}

#[test]
fn the_rules() {
    let delete = |propagation, unblock| Action::Delete { propagation, unblock };
    let drop = |uids: &[&str]| Action::DropOwners(uids.iter().map(|uid| (*uid).to_owned()).collect());
    let plain = || json!({});
    let bears = |finalizer: &str| json!({ "finalizers": [finalizer] });
    let cases = [
        (rule(plain(), "", 3, 3, false), Action::Leave),
        (rule(plain(), "s", 0, 0, false), Action::Leave),
        (rule(plain(), "ss", 0, 0, false), Action::Leave),
        (rule(plain(), "a", 0, 0, false), delete(Propagation::Background, false)),
        (rule(plain(), "aa", 2, 2, false), delete(Propagation::Background, false)),
        (rule(bears("orphan"), "a", 0, 0, false), delete(Propagation::Orphan, false)),
        (rule(bears("foregroundDeletion"), "a", 0, 0, false), delete(Propagation::Foreground, false)),
        (rule(plain(), "sa", 0, 0, false), drop(&["1"])),
        (rule(plain(), "aws", 1, 1, false), drop(&["0", "1"])),
        (rule(plain(), "w", 0, 0, false), delete(Propagation::Background, false)),
        (rule(plain(), "w", 1, 0, false), delete(Propagation::Foreground, false)),
        (rule(plain(), "wa", 1, 1, true), delete(Propagation::Foreground, true)),
        (rule(deleting(&["other"]), "a", 0, 0, false), Action::Leave),
        (rule(deleting(&["orphan"]), "a", 1, 1, false), Action::Orphan),
        (rule(deleting(&["foregroundDeletion"]), "", 2, 1, false), Action::DeleteBlocking),
        (rule(deleting(&["foregroundDeletion"]), "", 2, 0, false), Action::Release),
    ];
    for (index, (got, expect)) in cases.into_iter().enumerate() {
        assert_eq!(got, expect, "case {index}");
    }
}
