//! Tables of what a stateful set does next and what it reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::decide::{Step, plan};
use super::scene::Scene;
use super::status::{next_available, status};
use super::{claims, identity};
use crate::views::{Pod, StatefulSet, VolumeClaim};

const NOW: &str = "2026-01-01T01:00:00Z";

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

/// A set named `web` of this spec beside the usual.
fn set(spec: Value) -> Item<StatefulSet> {
    let labels = json!({ "app": "web" });
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "web", "namespace": "default", "uid": "set", "generation": 3 },
        "spec": {
            "serviceName": "svc", "selector": { "matchLabels": labels },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [], "volumes": [{ "name": "tmp", "emptyDir": {} }, { "name": "data" }] },
            },
        },
    });
    for (field, value) in spec.as_object().unwrap() {
        set["spec"][field] = value.clone();
    }
    if spec["going"] == true {
        set["metadata"]["deletionTimestamp"] = json!(NOW);
    }
    item(&set)
}

/// A pod in words: its ordinal, then `old` (of the current revision), `pending`, `running` (but not
/// ready), `fresh` (ready for ten seconds), `Failed`, `Succeeded`, `going`, `unlabelled`.
fn pod(words: &str) -> Arc<Item<Pod>> {
    let is = |word: &str| words.split(' ').any(|held| held == word);
    let name = format!("web-{}", words.split(' ').next().unwrap());
    let phase = ["Failed", "Succeeded"].into_iter().find(|phase| is(phase));
    let phase = phase.unwrap_or(if is("pending") { "Pending" } else { "Running" });
    let is_ready = phase == "Running" && !is("running");
    let since = if is("fresh") { "2026-01-01T00:59:50Z" } else { "2026-01-01T00:50:00Z" };
    let mut pod = json!({
        "metadata": {
            "name": name, "uid": name,
            "labels": {
                "app": "web", "controller-revision-hash": if is("old") { "web-1" } else { "web-2" },
                "statefulset.kubernetes.io/pod-name": name,
                "apps.kubernetes.io/pod-index": name.strip_prefix("web-").unwrap(),
            },
        },
        "status": {
            "phase": phase,
            "conditions": [{ "type": "Ready", "status": if is_ready { "True" } else { "False" }, "lastTransitionTime": since }],
        },
    });
    if is("going") {
        pod["metadata"]["deletionTimestamp"] = json!(NOW);
    }
    if is("unlabelled") {
        pod["metadata"]["labels"].as_object_mut().unwrap().remove("statefulset.kubernetes.io/pod-name");
    }
    Arc::new(item(&pod))
}

/// What is planned, in signs: `+N` of the newest revision, `+N(old)` of the current one, `-N`,
/// `labels N`, `claims N`, `NAME of OWNERS`; phases that are not empty are parted by `;`.
fn planned(set: &Item<StatefulSet>, pods: &[&str], held: &[Item<VolumeClaim>]) -> String {
    let pods: Vec<_> = pods.iter().map(|words| pod(words)).collect();
    let held: BTreeMap<String, Arc<Item<VolumeClaim>>> = held
        .iter()
        .map(|claim| {
            let copy = item(&claim.object.value().unwrap());
            (claim.object.meta.name.clone(), Arc::new(copy))
        })
        .collect();
    let claim = |name: &str| held.get(name).cloned();
    let now = NOW.parse().unwrap();
    let scene = Scene { set, pods: &pods, claim: &claim, current: "web-1", update: "web-2", now };
    let step = |step: &Step| match step {
        Step::Create { ordinal, is_current: false } => format!("+{ordinal}"),
        Step::Create { ordinal, is_current: true } => format!("+{ordinal}(old)"),
        Step::Provide { ordinal } => format!("claims {ordinal}"),
        Step::Identify { pod, .. } => format!("labels {}", &pod.object.meta.name[4..]),
        Step::Own { claim, owners, .. } => {
            let owners: Vec<&str> = owners.iter().map(|owner| owner.kind.as_str()).collect();
            format!("{} of [{}]", claim.object.meta.name, owners.join(" "))
        }
        Step::Delete(pod) => format!("-{}", &pod.object.meta.name[4..]),
    };
    let phases = plan(&scene).phases;
    let phases = phases.iter().filter(|phase| !phase.is_empty());
    phases.map(|phase| phase.iter().map(step).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(" ; ")
}

#[test]
fn pods_are_known_by_their_ordinals() {
    let check = |name: &str, expect: Option<i64>| assert_eq!(identity::ordinal("web", name), expect, "{name}");
    check("web-0", Some(0));
    check("web-12", Some(12));
    check("web-", None);
    check("web-+1", None);
    check("web-a-1", None);
    check("webs-1", None);
    check("web-99999999999999999999", None);
}

#[test]
fn in_order_each_pod_waits_for_those_before_it() {
    let check = |pods: &[&str], expect: &str| assert_eq!(planned(&set(json!({ "replicas": 3 })), pods, &[]), expect);
    check(&[], "+0");
    check(&["0 pending"], "");
    check(&["0 running"], "");
    check(&["0"], "+1");
    check(&["0", "1 going"], "");
    check(&["0", "2"], "+1");
    check(&["0 running", "2"], "");
    check(&["0", "1 Failed", "2"], "-1");
    check(&["0", "1 Succeeded", "2"], "-1");
    check(&["0", "1 Failed going", "2"], "");
    check(&["0", "1", "2"], "");
    check(&["0", "1 unlabelled", "2"], "labels 1");
    // One that is not long enough ready is waited for.
    let slow = set(json!({ "replicas": 2, "minReadySeconds": 30 }));
    assert_eq!(planned(&slow, &["0 fresh"], &[]), "");
    assert_eq!(planned(&slow, &["0"], &[]), "+1");
    let going = set(json!({ "replicas": 3, "going": true }));
    assert_eq!(planned(&going, &["0", "4"], &[]), "");
}

#[test]
fn in_order_the_highest_goes_once_all_others_serve() {
    let check = |pods: &[&str], expect: &str| assert_eq!(planned(&set(json!({ "replicas": 1 })), pods, &[]), expect);
    check(&["0", "1", "2"], "-2");
    check(&["0", "1", "2 going"], "");
    check(&["0 running", "1", "2"], "");
    // Among those that go, the lowest that is ill is repaired by going; others above wait for it.
    check(&["0", "1", "2 running"], "-2");
    check(&["0", "1 running", "2"], "-2");
    check(&["0", "1 running", "2 running"], "");
}

#[test]
fn in_parallel_nothing_waits() {
    let check = |pods: &[&str], expect: &str| {
        let set = set(json!({ "replicas": 3, "podManagementPolicy": "Parallel" }));
        assert_eq!(planned(&set, pods, &[]), expect, "{pods:?}");
    };
    check(&[], "+0 +1 +2");
    check(&["1 pending"], "+0 +2");
    check(&["0 Failed", "1", "2"], "-0");
    check(&["0", "1 going", "2", "3", "4 running", "5 going"], "-4 -3");
    check(&["0", "3"], "+1 +2 ; -3");
}

#[test]
fn ordinals_begin_where_they_are_said_to() {
    let set = |policy: &str| set(json!({ "replicas": 2, "ordinals": { "start": 3 }, "podManagementPolicy": policy }));
    assert_eq!(planned(&set("Parallel"), &["0", "5"], &[]), "+3 +4 ; -5 -0");
    assert_eq!(planned(&set("OrderedReady"), &["3"], &[]), "+4");
    assert_eq!(planned(&set("OrderedReady"), &["3", "4", "1", "2"], &[]), "-2");
}

#[test]
fn a_rolling_update_takes_the_highest_first() {
    let check = |spec: Value, pods: &[&str], expect: &str| {
        assert_eq!(planned(&set(spec.clone()), pods, &[]), expect, "{spec} {pods:?}");
    };
    let rolling = |partition: i64| json!({ "replicas": 3, "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": partition } } });
    check(rolling(0), &["0 old", "1 old", "2 old"], "-2");
    check(rolling(0), &["0 old", "1 old", "2 old going"], "");
    check(rolling(0), &["0 old", "1 old"], "+2");
    check(rolling(0), &["0 old", "1 old", "2 running"], "");
    check(rolling(0), &["0 old", "1 old", "2"], "-1");
    check(rolling(0), &["0", "1", "2"], "");
    check(rolling(2), &["0 old", "1 old", "2"], "");
    check(rolling(2), &["0 old", "2"], "+1(old)");
    check(rolling(5), &["0 old", "1 old"], "+2(old)");
    // Without a description of the update, what was of the current revision comes back so.
    let bare = json!({ "replicas": 3, "updateStrategy": { "type": "RollingUpdate" } });
    check(bare.clone(), &["0 old", "1 old"], "+2");
    check(bare, &["0 old", "2 old"], "+1(old)");
    let on_delete = json!({ "replicas": 3, "updateStrategy": { "type": "OnDelete" } });
    check(on_delete.clone(), &["0 old", "1 old", "2 old"], "");
    check(on_delete, &["0 old", "1 old"], "+2");
}

#[test]
fn a_rollout_that_is_broken_waits_in_order_and_heals_in_parallel() {
    let of = |policy: &str| set(json!({ "replicas": 3, "podManagementPolicy": policy }));
    // A pod of a template that never serves must be deleted by hand, as in Kubernetes.
    assert_eq!(planned(&of("OrderedReady"), &["0 old", "1 old", "2 old running"], &[]), "");
    assert_eq!(planned(&of("Parallel"), &["0 old", "1 old", "2 old running"], &[]), "-2");
}

#[test]
fn as_many_are_updated_at_once_as_may_be_missing() {
    let check = |most: Value, policy: &str, pods: &[&str], expect: &str| {
        let rolling = json!({ "partition": 0, "maxUnavailable": most });
        let set = set(json!({
            "replicas": 4, "podManagementPolicy": policy,
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": rolling },
        }));
        assert_eq!(planned(&set, pods, &[]), expect, "{most} {policy} {pods:?}");
    };
    let all = ["0 old", "1 old", "2 old", "3 old"];
    check(json!(2), "OrderedReady", &all, "-3 -2");
    check(json!("50%"), "OrderedReady", &all, "-3 -2");
    check(json!("30%"), "OrderedReady", &all, "-3");
    check(json!("10%"), "OrderedReady", &all, "-3");
    check(json!(9), "OrderedReady", &all, "-3 -2 -1 -0");
    check(json!(2), "Parallel", &["0 old", "1 old", "2 old", "3 running"], "-2");
    check(json!(2), "Parallel", &["0 old", "1 old", "2 going", "3 running"], "");
    check(json!(1), "Parallel", &["0 old", "1 old running", "2 old running", "3 running"], "-2 -1");
    check(json!(2), "OrderedReady", &["0 old", "1 old", "2 going", "3"], "");
}

/// A claim `data-web-N` of these owners (`set`, `other`, `web-N` as it is now, `web-N@gone`).
fn held(ordinal: i64, owners: &[&str]) -> Item<VolumeClaim> {
    let owner = |owner: &&str| match *owner {
        "set" => {
            json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": "set", "controller": true, "blockOwnerDeletion": true })
        }
        "other" => json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "o", "controller": true }),
        pod => {
            let (name, uid) = pod.split_once('@').unwrap_or((pod, pod));
            json!({ "apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true })
        }
    };
    let owners: Vec<Value> = owners.iter().map(owner).collect();
    item(&json!({ "metadata": { "name": format!("data-web-{ordinal}"), "ownerReferences": owners }, "spec": {} }))
}

#[test]
fn claims_go_with_whom_the_set_says() {
    let check = |deleted: &str, scaled: &str, pods: &[&str], claims: &[Item<VolumeClaim>], expect: &str| {
        let set = set(json!({
            "replicas": 1, "volumeClaimTemplates": [{ "metadata": { "name": "data" } }],
            "persistentVolumeClaimRetentionPolicy": { "whenDeleted": deleted, "whenScaled": scaled },
        }));
        assert_eq!(planned(&set, pods, claims), expect, "{deleted} {scaled} {pods:?}");
    };
    check("Retain", "Retain", &["0"], &[held(0, &[])], "");
    check("Delete", "Retain", &["0"], &[held(0, &[])], "data-web-0 of [StatefulSet]");
    check("Delete", "Retain", &["0"], &[held(0, &["set"])], "");
    check("Retain", "Retain", &["0"], &[held(0, &["set"])], "data-web-0 of []");
    check("Retain", "Delete", &["0", "1"], &[held(0, &[]), held(1, &[])], "data-web-1 of [Pod] ; -1");
    check("Retain", "Delete", &["0", "1"], &[held(0, &[]), held(1, &["web-1"])], "-1");
    check("Delete", "Delete", &["0", "1"], &[held(0, &["set"]), held(1, &["set"])], "data-web-1 of [Pod] ; -1");
    check("Delete", "Retain", &["0", "1"], &[held(0, &["set"]), held(1, &["set"])], "-1");
    // Scaled up again before it was gone: the claim stays.
    check("Delete", "Delete", &["0"], &[held(0, &["web-0"])], "data-web-0 of [StatefulSet]");
    // What somebody else controls is theirs.
    check("Delete", "Delete", &["0"], &[held(0, &["other"])], "");
    // A claim that will go with an earlier pod must be gone before the pod is made.
    check("Retain", "Delete", &[], &[held(0, &["web-0@gone"])], "");
    check("Retain", "Delete", &[], &[held(0, &[])], "+0");
    check("Retain", "Retain", &["0 pending"], &[], "claims 0");
    check("Retain", "Retain", &["0 pending"], &[held(0, &[])], "");
}

#[test]
fn a_pod_has_a_name_a_host_and_its_claims() {
    let set = set(json!({ "volumeClaimTemplates": [{
        "metadata": { "name": "data", "labels": { "own": "1" } }, "spec": { "accessModes": ["ReadWriteOnce"] }, "status": {},
    }] }));
    let object = set.object.value().unwrap();
    let pod = identity::pod(&set, &json!("svc"), &object["spec"]["template"], "web-abc", 4);
    assert_eq!(pod["metadata"]["name"], "web-4");
    assert_eq!(
        pod["metadata"]["labels"],
        json!({
            "app": "web", "controller-revision-hash": "web-abc", "statefulset.kubernetes.io/pod-name": "web-4",
            "apps.kubernetes.io/pod-index": "4",
        })
    );
    assert_eq!((&pod["spec"]["hostname"], &pod["spec"]["subdomain"]), (&json!("web-4"), &json!("svc")));
    assert_eq!(
        pod["spec"]["volumes"],
        json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data-web-4" } }, { "name": "tmp", "emptyDir": {} }])
    );
    let mut claim = claims::claim(&set, &object["spec"]["volumeClaimTemplates"][0], 4);
    claims::label(&mut claim, &object["spec"]["selector"]["matchLabels"]);
    assert_eq!(
        claim,
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "name": "data-web-4", "namespace": "default", "labels": { "own": "1", "app": "web" } },
            "spec": { "accessModes": ["ReadWriteOnce"] },
        })
    );
    assert_eq!(identity::pod(&set, &Value::Null, &object["spec"]["template"], "r", 0)["spec"].get("subdomain"), None);
}

fn reported(set: &Item<StatefulSet>, pods: &[&str]) -> Value {
    let pods: Vec<_> = pods.iter().map(|words| pod(words)).collect();
    let now: Timestamp = NOW.parse().unwrap();
    let scene = Scene { set, pods: &pods, claim: &|_| None, current: "web-1", update: "web-2", now };
    status(&scene, 0).unwrap()
}

#[test]
fn the_status_counts_and_completes_an_update() {
    let three = set(json!({ "replicas": 3, "minReadySeconds": 30 }));
    assert_eq!(
        reported(&three, &["0 old", "1 old going", "2 fresh", "3 running"]),
        json!({
            "observedGeneration": 3, "replicas": 4, "readyReplicas": 3, "availableReplicas": 2, "currentReplicas": 1,
            "updatedReplicas": 2, "currentRevision": "web-1", "updateRevision": "web-2", "collisionCount": 0,
        })
    );
    let done = reported(&three, &["0", "1", "2"]);
    assert_eq!((&done["currentRevision"], &done["currentReplicas"]), (&json!("web-2"), &json!(3)));
    let on_delete = set(json!({ "replicas": 3, "updateStrategy": { "type": "OnDelete" } }));
    assert_eq!(reported(&on_delete, &["0", "1", "2"])["currentRevision"], "web-1");
}

#[test]
fn a_pod_that_is_almost_available_is_looked_at_again() {
    let slow = set(json!({ "replicas": 2, "minReadySeconds": 30 }));
    let pods = [pod("0"), pod("1 fresh")];
    let scene = |now: &str| {
        let now = now.parse().unwrap();
        next_available(&Scene { set: &slow, pods: &pods, claim: &|_| None, current: "a", update: "a", now })
    };
    assert_eq!(scene(NOW), Some(20));
    assert_eq!(scene("2026-01-01T01:00:20Z"), None);
    // A clock that was set back only makes the wait longer.
    assert_eq!(scene("2026-01-01T00:59:00Z"), Some(80));
}

proptest! {
    /// Whatever is there, no more pods than the budget are taken from those that serve, never one
    /// below the partition, and in order at most one step is taken about pods that are not there.
    #[test]
    fn rollouts_keep_to_their_bounds(
        states in prop::collection::vec(0..6usize, 1..7),
        partition in 0..4i64,
        most in prop::option::of(1..4i64),
        parallel: bool,
    ) {
        let words = ["", "old", "running", "old running", "going", "pending"];
        let pods: Vec<String> = states.iter().enumerate().map(|(ordinal, state)| format!("{ordinal} {}", words[*state])).collect();
        let names: Vec<&str> = pods.iter().map(String::as_str).collect();
        let mut rolling = json!({ "partition": partition });
        if let Some(most) = most {
            rolling["maxUnavailable"] = json!(most);
        }
        let set = set(json!({
            "replicas": states.len(), "podManagementPolicy": if parallel { "Parallel" } else { "OrderedReady" },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": rolling },
        }));
        let text = planned(&set, &names, &[]);
        let doomed: Vec<usize> = text.split(' ').filter_map(|word| word.strip_prefix('-')?.parse().ok()).collect();
        let serving = |ordinal: &&usize| states[**ordinal] <= 1;
        let missing = states.iter().filter(|state| matches!(**state, 2 | 4 | 5)).count();
        let budget = usize::try_from(most.unwrap_or(1)).unwrap().saturating_sub(missing);
        prop_assert!(doomed.iter().all(|ordinal| *ordinal >= usize::try_from(partition).unwrap()), "{text}");
        prop_assert!(doomed.iter().all(|ordinal| matches!(states[*ordinal], 1 | 3)), "{text}");
        if most.is_some() {
            prop_assert!(doomed.iter().filter(serving).count() <= budget, "{text}");
        } else {
            prop_assert!(doomed.len() <= 1, "{text}");
        }
        if !parallel && states.iter().any(|state| *state > 1) {
            prop_assert!(doomed.is_empty(), "{text}");
        }
    }
}
