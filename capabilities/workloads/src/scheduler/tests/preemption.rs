//! Who has to go, and who must not.

use serde_json::{Value, json};

use super::{Table, asking, node, object};
use crate::scheduler::board::Budget;
use machinery::selector::LabelSelector;

fn plain(name: &str) -> Value {
    node(name, json!({}), json!({}))
}

fn of(name: &str, cpu: &str, priority: i64) -> Value {
    asking(name, cpu, json!({ "priority": priority }))
}

fn check(nodes: &[&str], placed: &[(Value, &str)], pod: Value, expect: &str) {
    let mut table = Table::of(&nodes.iter().map(|name| plain(name)).collect::<Vec<_>>());
    placed.iter().for_each(|(pod, node)| table.placed(pod.clone(), node));
    assert_eq!(table.comes(&pod), expect, "{pod}");
}

#[test]
fn as_few_and_unimportant_pods_go_as_will_do() {
    let big = || of("big", "3", 100);
    check(&["n"], &[(of("a", "2", 0), "n"), (of("b", "1", 0), "n")], big(), "n without a");
    // The less important of two of a size.
    check(&["n"], &[(of("a", "2", 5), "n"), (of("b", "2", 1), "n")], of("c", "2", 100), "n without b");
    // Where the most important victim is least important.
    check(&["x", "y"], &[(of("a", "4", 5), "x"), (of("b", "4", 1), "y")], big(), "y without b");
    // Where fewer go.
    let many = [(of("a", "2", 1), "x"), (of("b", "2", 1), "x"), (of("c", "4", 1), "y")];
    check(&["x", "y"], &many, big(), "y without c");
}

#[test]
fn equals_and_pods_above_never_go() {
    let full = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption \
                victims found for incoming pod.";
    check(&["n"], &[(of("a", "4", 100), "n")], of("big", "3", 100), full);
    // The lower one's going would not be enough.
    let short = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Insufficient cpu.";
    check(&["n"], &[(of("a", "3", 100), "n"), (of("b", "1", 0), "n")], of("big", "3", 50), short);
    let mut never = of("big", "3", 100);
    never["spec"]["preemptionPolicy"] = json!("Never");
    let refused =
        "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.";
    check(&["n"], &[(of("a", "4", 0), "n")], never, refused);
}

#[test]
fn budgets_are_hurt_least() {
    let mut table = Table::of(&[plain("x"), plain("y")]);
    let mut guarded = of("a", "4", 0);
    guarded["metadata"]["labels"] = json!({ "app": "guarded" });
    table.placed(guarded, "x");
    // More important, but not guarded.
    table.placed(of("b", "4", 50), "y");
    let budget = Budget {
        namespace: "default".into(),
        selector: LabelSelector::parse("app=guarded").unwrap(),
        allowed: 0,
        disrupted: [].into(),
    };
    table.cluster.set_budget("default", "budget", Some(budget));
    assert_eq!(table.comes(&of("big", "3", 100)), "y without b");
}

#[test]
fn the_room_that_was_made_is_kept() {
    let mut table = Table::of(&[plain("n")]);
    table.placed(of("a", "4", 0), "n");
    assert_eq!(table.comes(&of("big", "3", 100)), "n without a");
    // Written, and seen: the victim is on its way, the pod nominated.
    let mut leaving = of("a", "4", 0);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    leaving["status"]["conditions"] =
        json!([{ "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler" }]);
    table.placed(leaving, "n");
    let mut nominated = of("big", "3", 100);
    nominated["status"]["nominatedNodeName"] = json!("n");
    table.pod(&nominated);
    let pod = crate::scheduler::pod::Pod::read(&object(nominated.clone())).unwrap();
    let now = table.now;
    table.cluster.reported(&pod, now);
    assert_eq!(table.outcome(), "nothing");
    // Whoever comes meanwhile cannot have the room.
    table.gone("a");
    let mut small = of("small", "2", 0);
    small["spec"]["preemptionPolicy"] = json!("Never");
    table.pod(&small);
    table.later(30);
    assert_eq!(table.outcome(), "n");
    assert!(table.outcome().contains("Insufficient cpu"));
    assert_eq!(table.outcome(), "nothing");
}

#[test]
fn a_pod_whose_room_is_being_made_does_not_ask_for_more() {
    let mut table = Table::of(&[plain("n"), plain("m")]);
    let mut leaving = of("a", "4", 0);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    leaving["status"]["conditions"] =
        json!([{ "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler" }]);
    table.placed(leaving, "n");
    table.placed(of("b", "4", 0), "m");
    let mut nominated = of("big", "3", 100);
    nominated["status"]["nominatedNodeName"] = json!("n");
    let found = table.comes(&nominated);
    assert!(found.ends_with("preemption: not eligible due to a terminating pod on the nominated node."), "{found}");
}
