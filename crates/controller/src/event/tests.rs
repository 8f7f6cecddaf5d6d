//! Tests of which happenings become events.

use jiff::Timestamp;

use super::correlate::{Correlator, Decision, Happening};
use super::*;

fn happening(reason: &str, message: &str) -> Happening {
    Happening {
        cluster: api::ClusterName::root(),
        uid: "uid".into(),
        kind: EventKind::Warning,
        reason: reason.into(),
        message: message.into(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn the_same_again_counts_up_the_first() {
    let mut correlator = Correlator::default();
    let message = || "It failed.".to_owned();
    let same = happening("Failed", "It failed.");
    assert_eq!(correlator.observe(&same, "one", at(0)), Decision::Create { message: message() });
    assert_eq!(
        correlator.observe(&same, "two", at(1)),
        Decision::Count { name: "one".into(), count: 2, message: message() }
    );
    let other = happening("Pulled", "It failed.");
    assert_eq!(correlator.observe(&other, "three", at(1)), Decision::Create { message: message() });
    correlator.renamed(&same, "four");
    assert_eq!(
        correlator.observe(&same, "five", at(2)),
        Decision::Count { name: "four".into(), count: 2, message: message() }
    );
}

#[test]
fn many_similar_ones_are_told_as_one() {
    let mut correlator = Correlator::default();
    for number in 0..9 {
        let decision = correlator.observe(&happening("Failed", &format!("Try {number}.")), "some", at(number));
        assert!(matches!(decision, Decision::Create { .. }), "{number}: {decision:?}");
    }
    let tenth = correlator.observe(&happening("Failed", "Try 9."), "combined", at(9));
    assert_eq!(tenth, Decision::Create { message: "(combined from similar events): Try 9.".into() });
    let eleventh = correlator.observe(&happening("Failed", "Try 10."), "other", at(10));
    let message = "(combined from similar events): Try 10.".to_owned();
    assert_eq!(eleventh, Decision::Count { name: "combined".into(), count: 2, message });
    let later = correlator.observe(&happening("Failed", "Try 11."), "fresh", at(1000));
    assert_eq!(later, Decision::Create { message: "Try 11.".into() });
}

#[test]
fn a_flood_is_dropped_until_time_has_passed() {
    let mut correlator = Correlator::default();
    let mut admitted = |count: i64, second: i64| {
        let decisions = (0..count).map(|_| correlator.observe(&happening("Failed", "It failed."), "name", at(second)));
        decisions.filter(|decision| *decision != Decision::Drop).count()
    };
    assert_eq!(admitted(100, 0), 25);
    assert_eq!(admitted(100, 299), 0);
    assert_eq!(admitted(100, 900), 3);
}

#[test]
fn messages_are_cut_at_a_character() {
    assert_eq!(truncated("short"), "short");
    let long = "é".repeat(600);
    assert_eq!(truncated(&long).len(), 1024);
    let odd = format!("a{long}");
    assert_eq!(truncated(&odd).len(), 1023);
}
