//! Steps of the hooks of an Application that goes, as cases.

use super::{Found, Step, next, to_clean_up};
use crate::health::State;
use crate::hooks::Policies;
use crate::resource::Key;

fn key(name: &str) -> Key {
    Key::new("batch", "Job", "n", name)
}

fn found(name: &str, state: State, policy: &str, is_leaving: bool) -> Found {
    let policies = Policies {
        before_creation: policy.is_empty(),
        succeeded: policy.contains("HookSucceeded"),
        failed: policy.contains("HookFailed"),
    };
    Found { key: key(name), state, policies, is_leaving }
}

#[test]
fn hooks_are_made_and_waited_for() {
    use State::{Degraded, Healthy, Progressing, Suspended};
    let at = |name, state| found(name, state, "", false);
    for (expected, there, expect) in [
        (vec![], vec![], Step::Done),
        (vec!["a", "b"], vec![], Step::Create(vec![key("a"), key("b")])),
        (vec!["a", "b"], vec![at("a", Degraded)], Step::Create(vec![key("b")])),
        (vec!["a"], vec![at("a", Progressing)], Step::Wait),
        (vec!["a"], vec![at("a", Healthy)], Step::Done),
        (vec!["a"], vec![at("a", Suspended)], Step::Done),
        (vec!["a"], vec![at("a", Healthy), at("older", Progressing)], Step::Wait),
        (vec!["a", "b"], vec![at("a", Progressing), at("b", Degraded)], Step::Fail(vec![key("b")])),
    ] {
        let expected: Vec<Key> = expected.into_iter().map(key).collect();
        assert_eq!(next(&expected, &there), expect, "{expected:?} {there:?}");
    }
}

#[test]
fn hooks_go_by_their_policies_when_all_ran() {
    use State::{Degraded, Healthy, Progressing};
    for (there, expect) in [
        (vec![], None),
        (vec![found("a", Healthy, "", false)], None),
        (vec![found("a", Healthy, "HookSucceeded", false)], Some(vec![key("a")])),
        (vec![found("a", Healthy, "HookFailed", false)], None),
        (vec![found("a", Degraded, "HookFailed", false)], Some(vec![key("a")])),
        (vec![found("a", Healthy, "HookSucceeded", false), found("b", Degraded, "", false)], None),
        (vec![found("a", Progressing, "HookSucceeded", true)], Some(vec![])),
    ] {
        assert_eq!(to_clean_up(&there), expect, "{there:?}");
    }
}
