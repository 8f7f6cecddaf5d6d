//! Tables of how fast an autoscaler may follow its metrics.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Behavior, Bounds, Memory, Normalised};

fn at(secs: i64) -> Timestamp {
    "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(secs)
}

fn behavior(value: Value) -> Behavior {
    serde_json::from_value(value).unwrap()
}

/// Recommendations (replicas, second), and changes (by how many, second).
type Past<'a> = (&'a [(i64, i64)], &'a [(i64, i64)]);

/// What comes of `wanted` at 0 s, after recommendations and changes (by, at) before.
fn check(
    name: &str,
    rules: Option<&Behavior>,
    (recommended, changed): Past<'_>,
    (current, wanted): (i64, i64),
    expect: (i64, &str, &str),
) {
    let recommendations = recommended.iter().map(|(number, secs)| (*number, at(*secs))).collect();
    let mut memory = Memory { recommendations, ..Memory::default() };
    for (change, secs) in changed {
        let events = if *change > 0 { &mut memory.ups } else { &mut memory.downs };
        events.push((change.abs(), at(*secs)));
    }
    let bounds = Bounds { current, min: 1, max: 100 };
    let Normalised { replicas, able, is_limited, limited } = memory.normalise(rules, wanted, bounds, at(0));
    assert_eq!((replicas, able.0, limited.0), expect, "{name}");
    assert_eq!(is_limited, limited.0 != "DesiredWithinRange", "{name}");
}

#[test]
fn without_a_behavior_the_old_rules_hold() {
    let check = |name, recommended: &[(i64, i64)], numbers, expect| {
        check(name, None, (recommended, &[]), numbers, expect);
    };
    check("up within", &[], (4, 6), (6, "ReadyForNewScale", "DesiredWithinRange"));
    check("up at most double", &[], (4, 50), (8, "ReadyForNewScale", "ScaleUpLimit"));
    check("up at least four", &[], (1, 50), (4, "ReadyForNewScale", "ScaleUpLimit"));
    check("up to the most", &[], (90, 120), (100, "ReadyForNewScale", "TooManyReplicas"));
    check("down at once", &[(5, -400)], (5, 2), (2, "ReadyForNewScale", "DesiredWithinRange"));
    check("down held back", &[(5, -200), (9, -400)], (5, 2), (5, "ScaleDownStabilized", "DesiredWithinRange"));
    check("down to the least", &[], (5, 0), (1, "ReadyForNewScale", "TooFewReplicas"));
}

#[test]
fn a_behavior_that_states_nothing_has_the_defaults() {
    let rules = behavior(json!({}));
    let check = |name, past: Past<'_>, numbers, expect| {
        check(name, Some(&rules), past, numbers, expect);
    };
    let ready = "ReadyForNewScale";
    check("four or double, the more", (&[], &[]), (2, 50), (6, ready, "ScaleUpLimit"));
    check("double is more", (&[], &[]), (10, 50), (20, ready, "ScaleUpLimit"));
    check("the period has been used", (&[], &[(10, -10)]), (20, 50), (20, ready, "ScaleUpLimit"));
    check("the period is over", (&[], &[(10, -20)]), (20, 50), (40, ready, "ScaleUpLimit"));
    check("what went down may come back", (&[], &[(-4, -10)]), (6, 50), (20, ready, "ScaleUpLimit"));
    check("down to nothing", (&[], &[]), (10, 0), (1, ready, "TooFewReplicas"));
    check("held back for 300 s", (&[(8, -299)], &[]), (10, 2), (8, "ScaleDownStabilized", "DesiredWithinRange"));
    check("not longer", (&[(8, -301)], &[]), (10, 2), (2, ready, "DesiredWithinRange"));
}

#[test]
fn policies_limit_by_pods_and_by_percent() {
    let rules = |direction: &str, select: &str| {
        let policies = json!([
            { "type": "Pods", "value": 3, "periodSeconds": 60 },
            { "type": "Percent", "value": 50, "periodSeconds": 60 },
        ]);
        let stated = json!({ "policies": policies, "selectPolicy": select, "stabilizationWindowSeconds": 0 });
        behavior(json!({ direction: stated }))
    };
    let up = |name, select, numbers, expect| {
        check(name, Some(&rules("scaleUp", select)), (&[], &[]), numbers, expect);
    };
    let ready = "ReadyForNewScale";
    up("the larger step", "Max", (10, 50), (15, ready, "ScaleUpLimit"));
    up("the smaller step", "Min", (10, 50), (13, ready, "ScaleUpLimit"));
    up("no step", "Disabled", (10, 50), (10, ready, "ScaleUpLimit"));
    up("a share is rounded up", "Min", (1, 50), (2, ready, "ScaleUpLimit"));
    let down = |name, select, changed: &[(i64, i64)], numbers, expect| {
        check(name, Some(&rules("scaleDown", select)), (&[], changed), numbers, expect);
    };
    down("down by the larger step", "Max", &[], (10, 1), (5, ready, "ScaleDownLimit"));
    down("down by the smaller step", "Min", &[], (10, 1), (7, ready, "ScaleDownLimit"));
    down("not down at all", "Disabled", &[], (10, 1), (10, ready, "ScaleDownLimit"));
    down("down less after a step", "Min", &[(-2, -30)], (8, 1), (7, ready, "ScaleDownLimit"));
    down("not down after all steps", "Max", &[(-5, -30)], (5, 1), (5, ready, "ScaleDownLimit"));
}

#[test]
fn windows_take_the_lowest_up_and_the_highest_down() {
    let rules = behavior(json!({
        "scaleUp": { "stabilizationWindowSeconds": 60 }, "scaleDown": { "stabilizationWindowSeconds": 60 },
    }));
    let check = |name, recommended: &[(i64, i64)], numbers, expect| {
        check(name, Some(&rules), (recommended, &[]), numbers, expect);
    };
    check("up by the lowest", &[(6, -30), (9, -10)], (5, 10), (6, "ScaleUpStabilized", "DesiredWithinRange"));
    check("up not below the current", &[(3, -30)], (5, 10), (5, "ScaleUpStabilized", "DesiredWithinRange"));
    check("down by the highest", &[(4, -30), (3, -10)], (5, 1), (4, "ScaleDownStabilized", "DesiredWithinRange"));
    check("what is old is forgotten", &[(9, -70)], (5, 1), (1, "ReadyForNewScale", "DesiredWithinRange"));
}

#[test]
fn what_was_done_is_remembered_as_long_as_it_counts() {
    let rules = behavior(json!({}));
    let mut memory = Memory::default();
    memory.begin(3, at(0));
    memory.begin(9, at(1));
    assert_eq!(memory.recommendations, [(3, at(0))]);
    memory.scaled(Some(&rules), 3, 6, at(0));
    memory.scaled(Some(&rules), 6, 4, at(5));
    memory.scaled(Some(&rules), 4, 8, at(20));
    assert_eq!((memory.ups, memory.downs), (vec![(4, at(20))], vec![(2, at(5))]));
    let mut without = Memory::default();
    without.scaled(None, 3, 6, at(0));
    assert!(without.ups.is_empty());
}

#[test]
fn tolerances_are_stated_as_quantities() {
    let stated = behavior(json!({ "scaleUp": { "tolerance": "50m" }, "scaleDown": { "tolerance": "0" } }));
    assert_eq!(stated.scale_up.tolerance(), Some(0.05));
    assert_eq!(stated.scale_down.tolerance(), Some(0.0));
    assert_eq!(behavior(json!({})).scale_up.tolerance(), None);
}
