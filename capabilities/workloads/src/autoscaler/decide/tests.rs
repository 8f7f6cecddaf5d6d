//! Tables of what comes of several metrics, and of the bounds.

use serde_json::Value;

use super::{Bound, Failure, Proposal, Wanted, bound, combine, reason};

fn asks(replicas: i64, metric: &str) -> Result<Proposal, Failure> {
    Ok(Proposal { replicas, metric: metric.into(), status: Value::Null })
}

fn unknown(message: &str) -> Result<Proposal, Failure> {
    Err(Failure {
        reason: "FailedGetPodsMetric",
        message: message.into(),
        summary: format!("failed to get pods metric value: {message}"),
    })
}

#[test]
fn the_most_that_is_asked_for_counts() {
    let wanted = |replicas, metric: &str| Ok(Wanted { replicas, metric: metric.into() });
    let of = |found: &[Result<Proposal, Failure>]| combine(found, 5).map_err(|(_, summary)| summary);
    assert_eq!(of(&[asks(3, "a"), asks(7, "b"), asks(7, "c")]), wanted(7, "b"));
    assert_eq!(of(&[asks(0, "a")]), wanted(0, "a"));
    // What is unknown might have asked for more: up is done, down is not.
    assert_eq!(of(&[asks(7, "a"), unknown("x")]), wanted(7, "a"));
    assert_eq!(of(&[unknown("x"), asks(5, "a")]), wanted(5, "a"));
    let told = "invalid metrics (1 invalid out of 2), first error is: failed to get pods metric value: x";
    assert_eq!(of(&[unknown("x"), asks(4, "a")]), Err(told.into()));
    let told = "invalid metrics (2 invalid out of 2), first error is: failed to get pods metric value: x";
    assert_eq!(of(&[unknown("x"), unknown("y")]), Err(told.into()));
}

#[test]
fn bounds_come_before_metrics() {
    assert_eq!(bound(0, 1, 10), Bound::Disabled);
    assert_eq!(bound(0, 0, 10), Bound::Free);
    assert_eq!(bound(11, 1, 10), Bound::Set(10, "Current number of replicas above Spec.MaxReplicas"));
    assert_eq!(bound(1, 2, 10), Bound::Set(2, "Current number of replicas below Spec.MinReplicas"));
    assert_eq!(bound(10, 1, 10), Bound::Free);
}

#[test]
fn the_reason_names_the_metric_that_asks_for_more() {
    let wanted = Wanted { replicas: 6, metric: "pods metric requests".into() };
    assert_eq!(reason(&wanted, 5), "pods metric requests above target");
    assert_eq!(reason(&wanted, 7), "All metrics below target");
}
