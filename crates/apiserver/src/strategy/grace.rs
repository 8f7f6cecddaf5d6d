//! How long a pod has to end when its deletion is asked for, as kube-apiserver grants it.
//! All other kinds are given no time. It changes nothing.

use std::str::FromStr;

use api::{KindDescriptor, ObjectMeta};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{conditions, spec, spec_text};
use crate::tree::Tree;

/// What asking for an object's deletion does to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grace {
    /// Deletion begins, or ends earlier than it was to: when, and of how many seconds that is.
    Until(String, i64),
    /// It was asked for before, and the time that was granted then runs.
    Runs,
    /// It was asked for before, and only finalizers hold the object up.
    Over,
}

/// What asking for the deletion of an object does now; `asked` are the seconds that a client
/// grants it.
pub fn grace(kind: &KindDescriptor, object: &Tree, meta: &ObjectMeta, asked: Option<i64>, now: Timestamp) -> Grace {
    let asked = asked.map(|secs| if secs < 0 { 1 } else { secs });
    let Some(ends) = &meta.deletion_timestamp else {
        let secs = granted(kind, object, asked);
        return Grace::Until(moved(now, secs), secs);
    };
    let held = meta.deletion_grace_period_seconds.unwrap_or(0);
    match asked {
        _ if held == 0 => Grace::Over,
        // Time that was granted can only be made shorter.
        Some(secs) if secs < held => {
            let ends = Timestamp::from_str(ends).unwrap_or(now);
            Grace::Until(moved(ends, secs - held), secs)
        }
        _ => Grace::Runs,
    }
}

/// Only a pod that a node runs needs time to end.
fn granted(kind: &KindDescriptor, object: &Tree, asked: Option<i64>) -> i64 {
    let is_pod = kind.gvk.group.is_empty() && &*kind.plural == "pods";
    let is_over = matches!(conditions::phase(object), "Succeeded" | "Failed");
    if !is_pod || is_over || spec_text(object, "nodeName").is_empty() {
        return 0;
    }
    let own = || spec(object, "terminationGracePeriodSeconds").and_then(Value::as_i64);
    let secs = asked.or_else(own).unwrap_or(0);
    if secs < 0 { 1 } else { secs }
}

/// A time so many seconds later.
fn moved(time: Timestamp, secs: i64) -> String {
    let moved = time.checked_add(SignedDuration::from_secs(secs)).unwrap_or(Timestamp::MAX);
    moved.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
