//! What a node's silence and its conditions mean: conditions that nobody
//! vouches for any more, and taints that keep pods away. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A node that never said anything is given longer.
const STARTUP_GRACE_SECS: i64 = 60;
/// The conditions that a kubelet keeps.
const KEPT: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// Conditions that, when they hold, keep pods away.
const PRESSURES: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
];

/// What is remembered of a node's signs of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signs {
    heartbeat: Option<String>,
    lease: Option<String>,
    /// When the last sign was seen, by our own clock: the node's may be wrong.
    pub(super) seen: Timestamp,
}

/// A condition of a node by its type.
pub(super) fn condition<'a>(node: &'a Value, kind: &str) -> Option<&'a Value> {
    node["status"]["conditions"].as_array()?.iter().find(|held| held["type"] == *kind)
}

/// Takes in what there is to be seen of a node, whose lease was renewed at `lease`.
pub(super) fn signs(before: Option<&Signs>, node: &Value, lease: Option<&str>, now: Timestamp) -> Signs {
    let heartbeat = condition(node, "Ready").map(|ready| ready["lastHeartbeatTime"].to_string());
    let created = || node["metadata"]["creationTimestamp"].as_str().and_then(|time| time.parse().ok());
    let seen = match before {
        None if heartbeat.is_none() && lease.is_none() => created().unwrap_or(now),
        None => now,
        Some(before) if before.heartbeat != heartbeat || (lease.is_some() && before.lease.as_deref() != lease) => now,
        Some(before) => before.seen,
    };
    Signs { heartbeat, lease: lease.map(str::to_owned), seen }
}

/// When a node's silence has lasted too long.
pub(super) fn deadline(signs: &Signs, node: &Value, grace_secs: i64) -> Timestamp {
    let secs = if condition(node, "Ready").is_some() { grace_secs } else { STARTUP_GRACE_SECS.max(grace_secs) };
    signs.seen.saturating_add(SignedDuration::from_secs(secs)).unwrap_or(Timestamp::MAX)
}

/// The status of a node that is silent: nobody knows of its conditions. `None` if it says so.
pub(super) fn silenced(node: &Value, now: &str) -> Option<Value> {
    let mut conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let before = conditions.clone();
    for kind in KEPT {
        match conditions.iter_mut().find(|held| held["type"] == *kind) {
            None => conditions.push(json!({
                "type": kind, "status": "Unknown", "reason": "NodeStatusNeverUpdated",
                "message": "Kubelet never posted node status.",
                "lastHeartbeatTime": node["metadata"]["creationTimestamp"], "lastTransitionTime": now,
            })),
            Some(held) if held["status"] != "Unknown" => {
                held["status"] = "Unknown".into();
                held["reason"] = "NodeStatusUnknown".into();
                held["message"] = "Kubelet stopped posting node status.".into();
                held["lastTransitionTime"] = now.into();
            }
            Some(_) => {}
        }
    }
    let mut status = node["status"].clone();
    status["conditions"] = conditions.into();
    (status["conditions"].as_array() != Some(&before)).then_some(status)
}

/// The taints that a node should have by what it says; `None` if it has them. Those of others
/// stay, and so do those that are there already, with their time.
pub(super) fn taints(node: &Value, now: &str) -> Option<Vec<Value>> {
    let held = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let ready = condition(node, "Ready").and_then(|ready| ready["status"].as_str());
    let mut wanted = Vec::new();
    match ready {
        Some("False") => wanted.extend([(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]),
        Some("Unknown") => wanted.extend([(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]),
        _ => {}
    }
    let holds = |kind: &str| condition(node, kind).is_some_and(|held| held["status"] == "True");
    wanted.extend(PRESSURES.iter().filter(|(kind, _)| holds(kind)).map(|(_, key)| (*key, "NoSchedule")));
    if node["spec"]["unschedulable"] == true {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    let is = |taint: &Value, (key, effect): (&str, &str)| taint["key"] == *key && taint["effect"] == *effect;
    let is_stale = |taint: &&Value| is_ours(taint, ready) && !wanted.iter().any(|wanted| is(taint, *wanted));
    let mut taints: Vec<Value> = held.iter().filter(|taint| !is_stale(taint)).cloned().collect();
    for (key, effect) in wanted {
        if !taints.iter().any(|taint| is(taint, (key, effect))) {
            taints.push(json!({ "key": key, "effect": effect, "timeAdded": now }));
        }
    }
    (taints != held).then_some(taints)
}

/// Whether a taint is ours to take away. Of a node that has said nothing yet those that drive
/// pods away stay.
fn is_ours(taint: &Value, ready: Option<&str>) -> bool {
    let key = taint["key"].as_str().unwrap_or_default();
    let is_about_ready = key == NOT_READY || key == UNREACHABLE;
    match taint["effect"].as_str() {
        Some("NoSchedule") => {
            is_about_ready || key == UNSCHEDULABLE || PRESSURES.iter().any(|(_, known)| *known == key)
        }
        Some("NoExecute") => is_about_ready && ready.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + secs).unwrap()
    }

    fn node(conditions: Value) -> Value {
        json!({
            "metadata": { "name": "n", "creationTimestamp": at(0).to_string() },
            "spec": {},
            "status": { "conditions": conditions },
        })
    }

    fn ready(status: &str, heartbeat: i64) -> Value {
        json!({ "type": "Ready", "status": status, "lastHeartbeatTime": at(heartbeat).to_string() })
    }

    #[test]
    fn only_a_new_sign_is_a_sign_of_life() {
        let first = signs(None, &node(json!([ready("True", 0)])), None, at(5));
        assert_eq!(first.seen, at(5));
        let check = |heartbeat: i64, lease: Option<&str>, expect: i64| {
            let found = signs(Some(&first), &node(json!([ready("True", heartbeat)])), lease, at(30));
            assert_eq!(found.seen, at(expect), "{heartbeat} {lease:?}");
        };
        check(0, None, 5);
        check(10, None, 30);
        check(0, Some("a"), 30);
        // That we say the node is lost is no sign of its life.
        assert_eq!(signs(Some(&first), &node(json!([ready("Unknown", 0)])), None, at(30)).seen, at(5));
        let silent = signs(None, &node(json!([])), None, at(40));
        assert_eq!((silent.seen, deadline(&silent, &node(json!([])), 50)), (at(0), at(60)));
        assert_eq!(deadline(&first, &node(json!([ready("True", 0)])), 50), at(55));
    }

    #[test]
    fn nobody_knows_of_a_silent_node() {
        let status = silenced(&node(json!([ready("True", 0), { "type": "Other", "status": "True" }])), "now").unwrap();
        let found: Vec<_> = status["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (&it["type"], &it["status"], &it["reason"]))
            .collect();
        assert_eq!(
            serde_json::to_value(found).unwrap(),
            json!([
                ["Ready", "Unknown", "NodeStatusUnknown"],
                ["Other", "True", null],
                ["MemoryPressure", "Unknown", "NodeStatusNeverUpdated"],
                ["DiskPressure", "Unknown", "NodeStatusNeverUpdated"],
                ["PIDPressure", "Unknown", "NodeStatusNeverUpdated"],
            ])
        );
        let again = json!({ "metadata": {}, "status": status });
        assert_eq!(silenced(&again, "later"), None);
    }

    #[test]
    fn taints_follow_conditions() {
        let check = |conditions: Value, spec: Value, expect: Option<&[&str]>| {
            let mut node = node(conditions);
            node["spec"] = spec;
            let found = taints(&node, "now").map(|taints| {
                taints
                    .iter()
                    .map(|taint| format!("{}:{}", taint["key"].as_str().unwrap(), taint["effect"].as_str().unwrap()))
                    .map(|text| text.replace("node.kubernetes.io/", ""))
                    .collect::<Vec<_>>()
            });
            let expect = expect.map(|expect| expect.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
            assert_eq!(found, expect, "{node}");
        };
        let of = |kind: &str| json!([ready("True", 0), { "type": kind, "status": "True" }]);
        check(json!([ready("True", 0)]), json!({}), None);
        check(json!([]), json!({}), None);
        check(json!([ready("False", 0)]), json!({}), Some(&["not-ready:NoSchedule", "not-ready:NoExecute"]));
        check(json!([ready("Unknown", 0)]), json!({}), Some(&["unreachable:NoSchedule", "unreachable:NoExecute"]));
        check(of("MemoryPressure"), json!({}), Some(&["memory-pressure:NoSchedule"]));
        check(of("DiskPressure"), json!({}), Some(&["disk-pressure:NoSchedule"]));
        check(of("PIDPressure"), json!({}), Some(&["pid-pressure:NoSchedule"]));
        check(of("NetworkUnavailable"), json!({}), Some(&["network-unavailable:NoSchedule"]));
        check(json!([ready("True", 0)]), json!({ "unschedulable": true }), Some(&["unschedulable:NoSchedule"]));
        let held = |key: &str, effect: &str| json!({ "key": format!("node.kubernetes.io/{key}"), "effect": effect });
        let lost = json!([held("unreachable", "NoSchedule"), held("unreachable", "NoExecute"), { "key": "mine", "effect": "NoExecute" }]);
        check(json!([ready("True", 0)]), json!({ "taints": lost }), Some(&["mine:NoExecute"]));
        check(json!([ready("Unknown", 0)]), json!({ "taints": lost }), None);
        check(
            json!([ready("False", 0)]),
            json!({ "taints": lost }),
            Some(&["mine:NoExecute", "not-ready:NoSchedule", "not-ready:NoExecute"]),
        );
        check(json!([ready("True", 0)]), json!({ "taints": [held("unschedulable", "NoSchedule")] }), Some(&[]));
    }
}
