//! Who is next, and what wakes whom.

use serde_json::{Value, json};

use super::{Table, asking, node, of_work, pod};
use crate::scheduler::cluster::Work;

fn plain(name: &str) -> Value {
    node(name, json!({}), json!({}))
}

#[test]
fn the_more_important_come_first_then_the_earlier() {
    let mut table = Table::of(&[plain("n")]);
    for (name, priority) in [("a", 0), ("b", 10), ("c", 10), ("d", 5)] {
        table.pod(&pod(name, json!({ "priority": priority })));
    }
    let order: Vec<String> =
        std::iter::from_fn(|| of_work(table.next())).map(|(pod, _)| pod.object.meta.name.clone()).collect();
    assert_eq!(order, ["b", "c", "d", "a"]);
}

#[test]
fn only_our_pods_are_placed_and_only_when_they_may_be() {
    let mut table = Table::of(&[plain("n")]);
    let mut leaving = pod("leaving", json!({}));
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let mut done = pod("done", json!({}));
    done["status"]["phase"] = json!("Failed");
    let gated = pod("gated", json!({ "schedulingGates": [{ "name": "x" }] }));
    for pod in [leaving, done, pod("other", json!({ "schedulerName": "mine" })), gated] {
        assert_eq!(table.comes(&pod), "nothing", "{pod}");
    }
    // The last gate goes.
    let mut free = pod("gated", json!({}));
    free["metadata"]["generation"] = json!(2);
    assert_eq!(table.comes(&free), "n");
}

/// A pod that nobody can have waits; `change` comes; whether it is tried again.
fn woken(nodes: &[Value], held: Value, waiting: &Value, change: impl Fn(&mut Table)) -> bool {
    let mut table = Table::of(nodes);
    table.placed(held, "n");
    let told = table.comes(waiting);
    assert!(told.starts_with("0/") || told.starts_with("no nodes"), "{told}");
    assert_eq!(table.outcome(), "nothing");
    change(&mut table);
    table.outcome() != "nothing"
}

#[test]
fn what_may_help_wakes_and_what_cannot_does_not() {
    let held = || asking("held", "3", json!({}));
    let big = asking("big", "2", json!({}));
    assert!(woken(&[plain("n")], held(), &big, |table| table.gone("held")));
    assert!(woken(&[plain("n")], held(), &big, |table| table.node(&plain("m"))));
    let cordoned = node("m", json!({}), json!({ "unschedulable": true }));
    assert!(!woken(&[plain("n")], held(), &big, |table| table.node(&cordoned)));
    // The same again is no news, nor is a pod of somebody else.
    assert!(!woken(&[plain("n")], held(), &big, |table| table.node(&plain("n"))));
    assert!(!woken(&[plain("n")], held(), &big, |table| table.placed(pod("x", json!({})), "n")));
    // Its own status is no news; its spec is.
    let mut told = big.clone();
    told["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False" }]);
    assert!(!woken(&[plain("n")], held(), &big, |table| table.pod(&told)));
    let mut changed = big.clone();
    changed["metadata"]["generation"] = json!(2);
    assert!(woken(&[plain("n")], held(), &big, |table| table.pod(&changed)));
    // Where there is no node, only a node helps.
    assert!(!woken(&[], held(), &big, |table| table.placed(pod("x", json!({})), "n")));
    assert!(woken(&[], held(), &big, |table| table.node(&plain("m"))));
    // And any node, so that its owner hears why it will not do.
    assert!(woken(&[], held(), &big, |table| table.node(&cordoned)));
    // Labels and taints of nodes.
    let picky = pod("picky", json!({ "nodeSelector": { "disk": "ssd" } }));
    assert!(woken(&[plain("n")], held(), &picky, |table| table.node(&node("n", json!({ "disk": "ssd" }), json!({})))));
    assert!(!woken(&[plain("n")], held(), &picky, |table| table.gone("held")));
}

#[test]
fn pods_near_and_far_are_woken_by_each_other() {
    let term = json!({ "labelSelector": { "matchLabels": { "app": "db" } }, "topologyKey": "kubernetes.io/hostname" });
    let wants = pod(
        "wants",
        json!({ "affinity": { "podAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [term] } } }),
    );
    let mut database = pod("db", json!({}));
    database["metadata"]["labels"] = json!({ "app": "db" });
    assert!(woken(&[plain("n")], pod("held", json!({})), &wants, |table| table.placed(database.clone(), "n")));
}

#[test]
fn what_happens_while_its_owner_is_told_is_not_missed() {
    let told = |change: fn(&mut Table)| {
        let mut table = Table::of(&[plain("n")]);
        table.placed(asking("held", "4", json!({})), "n");
        table.pod(&asking("waits", "3", json!({})));
        let Some(Work::Report { pod, .. }) = table.next() else { panic!("there is no room") };
        change(&mut table);
        // It is not tried again before that: two reports at once could overtake each other.
        assert_eq!(table.outcome(), "nothing");
        let now = table.now;
        table.cluster.reported(&pod, now);
        table.outcome()
    };
    assert_eq!(told(|table| table.gone("held")), "n");
    assert_eq!(told(|table| table.node(&plain("m"))), "m");
    assert_eq!(told(|_| {}), "nothing");
}

#[test]
fn a_pod_that_was_just_tried_lets_others_go_first() {
    let mut table = Table::of(&[plain("n")]);
    table.placed(asking("held", "4", json!({})), "n");
    assert!(table.comes(&asking("first", "3", json!({}))).contains("Insufficient cpu"));
    table.gone("held");
    assert_eq!(table.comes(&asking("second", "1", json!({}))), "n");
    assert_eq!(table.outcome(), "n");
}

#[test]
fn what_could_not_be_written_is_tried_again_after_a_while() {
    let mut table = Table::of(&[plain("n")]);
    table.pod(&asking("a", "4", json!({})));
    let (pod, _) = of_work(table.next()).unwrap();
    // The place is taken while the binding is under way.
    assert!(table.comes(&asking("b", "1", json!({}))).contains("Insufficient cpu"));
    table.cluster.failed(&pod, table.now);
    assert_eq!(table.outcome(), "n");
    assert_eq!(table.outcome(), "nothing");
    let due = table.cluster.next_due().unwrap();
    assert_eq!(due.duration_since(table.now).as_secs(), 1);
    table.gone("b");
    table.later(1);
    assert_eq!(table.outcome(), "n");
    assert_eq!(table.cluster.next_due(), None);
}
