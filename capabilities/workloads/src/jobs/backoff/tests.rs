//! How long a job waits.

use super::super::samples::{at, pod};
use super::{Failures, wait_after};

#[test]
fn the_wait_doubles_up_to_six_minutes() {
    let last = at("00:00:00");
    let check = |count: i64, expect: i64| {
        assert_eq!(wait_after(count, last, last).as_secs(), expect);
    };
    for (count, expect) in [(0, 0), (1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 320), (7, 360), (8, 360)] {
        check(count, expect);
    }
    check(i64::MAX, 360);
    assert_eq!(wait_after(2, last, at("00:00:15")).as_secs(), 5);
    assert!(wait_after(2, last, at("00:00:20")).is_zero());
    assert!(wait_after(2, last, at("00:05:00")).is_zero());
    // A clock that was set back.
    assert_eq!(wait_after(1, at("02:00:00"), last).as_secs(), 10);
}

#[test]
fn a_success_forgives_the_failures_before_it() {
    let pods: Vec<_> = ["00:00:10", "00:00:20", "00:00:30", "00:00:40"]
        .map(|end| pod(end, &format!("Failed exit1 ended={end}")))
        .into_iter()
        .collect();
    let [first, second, third, fourth] = [&*pods[0], &*pods[1], &*pods[2], &*pods[3]];
    let wait = |failures: Failures| failures.wait(at("00:00:40")).as_secs();

    let none = Failures::default();
    assert_eq!(wait(none), 0);
    assert_eq!(wait(none.then(&[], &[fourth])), 10);
    assert_eq!(wait(none.then(&[], &[fourth, third])), 20);
    assert_eq!(none.then(&[], &[third]).then(&[], &[fourth]), none.then(&[], &[third, fourth]));
    assert_eq!(none.then(&[], &[fourth]).then(&[], &[]), none.then(&[], &[fourth]));
    let after = none.then(&[], &[first, second]).then(&[third], &[]);
    assert_eq!(wait(after), 0);
    assert_eq!(none.then(&[second], &[first, third, fourth]), none.then(&[], &[third, fourth]));
}
