//! Tests of when conditions and their transition times change.

use super::*;

#[test]
fn the_transition_time_moves_with_the_status_only() {
    let mut conditions = vec![json!({ "type": "Other", "status": "True", "extra": 1 })];
    // (status, reason, message, now) → (changed, transition time)
    let steps = [
        ((true, "Fine", "All is well.", "t1"), (true, "t1")),
        ((true, "Fine", "All is well.", "t2"), (false, "t1")),
        ((true, "Fine", "All is very well.", "t3"), (true, "t1")),
        ((true, "Better", "All is very well.", "t4"), (true, "t1")),
        ((false, "Broken", "It broke.", "t5"), (true, "t5")),
    ];
    for ((holds, reason, message, now), (changed, transition)) in steps {
        let condition = Condition::new("Ready", holds, reason, message).observed(7);
        assert_eq!(set(&mut conditions, &condition, now), changed, "{now}");
        assert_eq!(conditions[1]["lastTransitionTime"], transition, "{now}");
    }
    assert_eq!(conditions[0], json!({ "type": "Other", "status": "True", "extra": 1 }));
    assert_eq!(conditions[1]["observedGeneration"], 7);
    assert_eq!(status(&conditions, "Ready"), Some(ConditionStatus::False));
    assert_eq!(status(&conditions, "Nope"), None);
    assert!(remove(&mut conditions, "Ready") && !remove(&mut conditions, "Ready"));
}
