//! Tables of where daemon pods belong, what is done about them, and what is
//! reported.

use std::sync::Arc;
use std::time::Duration;

use api::ClusterName;
use client::{Item, Object, ObjectKey, View};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::backoff::Backoffs;
use super::decide::plan;
use super::placement::{self, Wanted, wanted};
use super::scene::Scene;
use super::status::{next_available, status};
use crate::views::{DaemonSet, Node, Pod};

const NOW: &str = "2026-01-01T01:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

/// A daemon set of this spec, its pods of this.
fn set(spec: Value, pod: Value) -> Item<DaemonSet> {
    let labels = json!({ "app": "web" });
    let mut set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {
            "name": "web", "namespace": "default", "uid": "set", "generation": 3,
            "annotations": { "deprecated.daemonset.template.generation": "2" },
        },
        "spec": {
            "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels }, "spec": pod },
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 } },
        },
    });
    for (field, value) in spec.as_object().unwrap() {
        set["spec"][field] = value.clone();
    }
    item(&set)
}

fn rolling(unavailable: Value, surge: Value) -> Item<DaemonSet> {
    let rolling = json!({ "maxUnavailable": unavailable, "maxSurge": surge });
    set(json!({ "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": rolling } }), json!({}))
}

fn node(name: &str, taints: Value) -> Arc<Item<Node>> {
    Arc::new(item(&json!({
        "metadata": { "name": name, "labels": { "disk": "ssd" } }, "spec": { "taints": taints },
    })))
}

/// A pod in words: the node it is bound to, or `>` and the one it waits for; then `old`, `waiting`
/// (not ready), `fresh` (ready for ten seconds), `Failed`, `Succeeded`, `going`, `young`. It is named by the words.
fn pod(words: &str) -> Arc<Item<Pod>> {
    let is = |word: &str| words.split(' ').any(|held| held == word);
    let node = words.split(' ').next().unwrap();
    let (bound, tied) = node.strip_prefix('>').map_or((node, ""), |tied| ("", tied));
    let phase = ["Failed", "Succeeded"].into_iter().find(|phase| is(phase)).unwrap_or("Running");
    let since = if is("fresh") { "2026-01-01T00:59:50Z" } else { "2026-01-01T00:50:00Z" };
    let field = json!({ "key": "metadata.name", "operator": "In", "values": [tied] });
    let required = json!({ "nodeSelectorTerms": [{ "matchFields": [field] }] });
    let mut pod = json!({
        "metadata": {
            "name": words.replace(' ', "-"), "uid": words,
            "creationTimestamp": if is("young") { "2026-01-01T00:59:00Z" } else { "2026-01-01T00:00:00Z" },
            "labels": { "app": "web", "controller-revision-hash": if is("old") { "h1" } else { "h2" } },
        },
        "spec": {
            "nodeName": bound,
            "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": required } },
        },
        "status": {
            "phase": phase,
            "conditions": [{
                "type": "Ready", "lastTransitionTime": since,
                "status": if phase == "Running" && !is("waiting") { "True" } else { "False" },
            }],
        },
    });
    if is("going") {
        pod["metadata"]["deletionTimestamp"] = json!(NOW);
    }
    Arc::new(item(&pod))
}

fn scene<'a>(set: &'a Item<DaemonSet>, nodes: &[&str], pods: &[&str]) -> Scene<'a> {
    let taint = |effect: &str| json!([{ "key": "busy", "effect": effect }]);
    let nodes: Vec<_> = nodes
        .iter()
        .map(|name| match name.split_once(' ') {
            Some((name, effect)) => node(name, taint(effect)),
            None => node(name, json!([])),
        })
        .collect();
    let pods: Vec<_> = pods.iter().map(|words| pod(words)).collect();
    Scene::new(set, &nodes, &pods, "h2", now())
}

/// What is planned: `+node` and `-pod`, in order, and what is told.
fn planned(set: &Item<DaemonSet>, nodes: &[&str], pods: &[&str]) -> String {
    let plan = plan(&scene(set, nodes, pods), |_| Ok(()));
    let made = plan.create.iter().map(|node| format!("+{node}"));
    let deleted = plan.delete.iter().map(|pod| format!("-{}", pod.object.meta.name));
    let told = plan.tell.iter().map(|(_, reason, _)| (*reason).to_owned());
    made.chain(deleted).chain(told).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_node_wants_a_pod_that_it_does_not_repel() {
    let check = |pod: Value, taints: Value, expect: Wanted| {
        assert_eq!(wanted(&set(json!({}), pod.clone()).view, &node("n1", taints.clone())), expect, "{pod} {taints}");
    };
    let taint = |key: &str, effect: &str| json!([{ "key": key, "effect": effect }]);
    check(json!({}), json!([]), Wanted::Yes);
    check(json!({ "nodeName": "n1" }), json!([]), Wanted::Yes);
    check(json!({ "nodeName": "n2" }), json!([]), Wanted::No);
    check(json!({ "nodeSelector": { "disk": "ssd" } }), json!([]), Wanted::Yes);
    check(json!({ "nodeSelector": { "disk": "hdd" } }), json!([]), Wanted::No);
    check(json!({}), taint("busy", "NoSchedule"), Wanted::OnlyIfThere);
    check(json!({}), taint("busy", "NoExecute"), Wanted::No);
    check(json!({}), taint("busy", "PreferNoSchedule"), Wanted::Yes);
    check(json!({ "tolerations": [{ "operator": "Exists" }] }), taint("busy", "NoExecute"), Wanted::Yes);
    // What is wrong with the node itself keeps no daemon away.
    for key in ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"] {
        check(json!({}), taint(&format!("node.kubernetes.io/{key}"), "NoSchedule"), Wanted::Yes);
    }
    for key in ["not-ready", "unreachable"] {
        check(json!({}), taint(&format!("node.kubernetes.io/{key}"), "NoExecute"), Wanted::Yes);
        check(json!({}), taint(&format!("node.kubernetes.io/{key}"), "NoSchedule"), Wanted::OnlyIfThere);
    }
    let network = taint("node.kubernetes.io/network-unavailable", "NoSchedule");
    check(json!({}), network.clone(), Wanted::OnlyIfThere);
    check(json!({ "hostNetwork": true }), network, Wanted::Yes);
}

#[test]
fn a_pod_is_tied_to_its_node_and_tolerates_its_troubles() {
    let key = "node.kubernetes.io/not-ready";
    let ends = json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
    let own = json!({ "key": "own", "operator": "Equal", "value": "1" });
    let preferred = json!([{ "weight": 1, "preference": {} }]);
    let affinity = json!({ "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{ "matchExpressions": [] }] },
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    } });
    let set = set(json!({}), json!({ "hostNetwork": true, "tolerations": [ends, own], "affinity": affinity }));
    let object = set.object.value().unwrap();
    let pod = placement::pod(&set, &object["spec"]["template"], "h2", "n1");
    let labels = json!({ "app": "web", "controller-revision-hash": "h2", "pod-template-generation": "2" });
    assert_eq!(pod["metadata"]["labels"], labels);
    assert_eq!(pod["metadata"]["generateName"], "web-");
    let affinity = &pod["spec"]["affinity"]["nodeAffinity"];
    assert_eq!(affinity["preferredDuringSchedulingIgnoredDuringExecution"], preferred);
    assert_eq!(
        affinity["requiredDuringSchedulingIgnoredDuringExecution"],
        json!({ "nodeSelectorTerms": [{ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["n1"] }] }] })
    );
    let tolerations = pod["spec"]["tolerations"].as_array().unwrap();
    assert_eq!(tolerations[0], json!({ "key": key, "operator": "Exists", "effect": "NoExecute" }));
    let keys: Vec<&str> = tolerations.iter().map(|it| it["key"].as_str().unwrap()).collect();
    let expect = ["not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"];
    let expect: Vec<String> = expect.iter().map(|key| format!("node.kubernetes.io/{key}")).collect();
    assert_eq!(keys[0], expect[0]);
    assert_eq!(keys[1], "own");
    assert_eq!(keys[2..7], expect[1..]);
    assert_eq!(keys[7..], ["node.kubernetes.io/network-unavailable"]);
    // What is made is found where it is to be.
    assert_eq!(placement::node_of(&item(&pod)).as_deref(), Some("n1"));
}

#[test]
fn every_node_gets_one_pod() {
    let set = rolling(json!(1), json!(0));
    let check = |nodes: &[&str], pods: &[&str], expect: &str| {
        assert_eq!(planned(&set, nodes, pods), expect, "{nodes:?} {pods:?}");
    };
    check(&["a", "b"], &[], "+a +b");
    check(&["a", "b"], &[">a waiting", "b"], "");
    check(&["a"], &["a going"], "");
    check(&["a"], &["a Failed going"], "+a");
    check(&["a"], &["a", "a young"], "-a-young");
    check(&["a"], &[">a waiting", "a young"], "->a-waiting");
    check(&["a"], &["a Failed"], "-a-Failed FailedDaemonPod");
    check(&["a"], &["a Succeeded"], "-a-Succeeded SucceededDaemonPod");
    // Where it may stay but would not be made, and where it may not be.
    check(&["a NoSchedule", "b NoSchedule"], &["a"], "");
    check(&["a NoExecute"], &["a", "a going"], "-a");
    // What waits for a node that is gone is deleted; what was bound there is not ours to judge.
    check(&[], &[">gone", "gone"], "->gone");
}

#[test]
fn a_failed_pod_is_left_alone_for_a_while() {
    let set = rolling(json!(1), json!(0));
    let plan = plan(&scene(&set, &["a", "b"], &["a Failed", "b Failed"]), |node| match node {
        "a" => Err(Duration::from_secs(7)),
        _ => Ok(()),
    });
    assert_eq!(plan.wait, Some(Duration::from_secs(7)));
    assert_eq!(plan.delete.len(), 1);
    assert_eq!(plan.tell[0].2, "Found failed daemon pod /b-Failed on node b, will try to kill it");
}

#[test]
fn failures_double_the_wait_up_to_a_bound() {
    let mut backoffs = Backoffs::default();
    let set = ObjectKey::new(&ClusterName::root(), "default", "web");
    let mut at = now();
    let later = |at: Timestamp, secs: u64| at.checked_add(Duration::from_secs(secs)).unwrap();
    assert_eq!(backoffs.replace(&set, "a", at), Ok(()));
    assert_eq!(backoffs.replace(&set, "a", at), Err(Duration::from_secs(1)));
    assert_eq!(backoffs.replace(&set, "b", at), Ok(()));
    for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        at = later(at, delay - 1);
        assert_eq!(backoffs.replace(&set, "a", at), Err(Duration::from_secs(1)), "{delay}");
        at = later(at, 1);
        assert_eq!(backoffs.replace(&set, "a", at), Ok(()), "{delay}");
    }
    // A clock that is set back makes no wait longer than it was.
    assert_eq!(backoffs.replace(&set, "a", now()), Err(Duration::from_secs(900)));
    // What has not happened for long is forgotten, and so is what is gone.
    at = later(at, 1801);
    assert_eq!(backoffs.replace(&set, "a", at), Ok(()));
    assert_eq!(backoffs.replace(&set, "a", later(at, 1)), Ok(()));
    backoffs.forget(&set);
    assert_eq!(backoffs.replace(&set, "a", later(at, 1)), Ok(()));
}

#[test]
fn an_update_keeps_to_what_may_be_missing() {
    let nodes = ["a", "b", "c", "d"];
    let old = ["a old", "b old", "c old", "d old"];
    let check = |unavailable: Value, pods: &[&str], expect: &str| {
        assert_eq!(planned(&rolling(unavailable.clone(), json!(0)), &nodes, pods), expect, "{unavailable} {pods:?}");
    };
    check(json!(1), &old, "-a-old");
    check(json!("50%"), &old, "-a-old -b-old");
    check(json!("26%"), &old, "-a-old -b-old");
    check(json!(0), &old, "-a-old");
    check(json!(1), &["a waiting", "b old", "c old", "d old"], "");
    check(json!(2), &["a waiting", "b old", "c old", "d old"], "-b-old");
    check(json!(1), &["a old going", "b old", "c old", "d old"], "");
    check(json!(1), &["a", "b", "c", "d old"], "-d-old");
    check(json!(1), &["a", "b", "c", "d"], "");
    // An old pod that does not serve gives way at once, but counts as missing.
    check(json!(1), &["a old waiting", "b old", "c old waiting", "d old"], "-a-old-waiting -c-old-waiting");
    // Before pods are updated, every node has its own.
    check(json!(1), &["a old", "b old", "c old"], "+d");
    let on_delete = set(json!({ "updateStrategy": { "type": "OnDelete" } }), json!({}));
    assert_eq!(planned(&on_delete, &nodes, &old), "");
    let slow = set(json!({ "minReadySeconds": 30 }), json!({}));
    assert_eq!(planned(&slow, &["a", "b"], &["a fresh", "b old"]), "");
}

#[test]
fn a_surge_makes_the_new_pod_before_the_old_one_goes() {
    let nodes = ["a", "b", "c"];
    let check = |surge: Value, pods: &[&str], expect: &str| {
        assert_eq!(planned(&rolling(json!(0), surge.clone()), &nodes, pods), expect, "{surge} {pods:?}");
    };
    check(json!(1), &["a old", "b old", "c old"], "+a");
    check(json!("50%"), &["a old", "b old", "c old"], "+a +b");
    check(json!(1), &["a old", "a waiting young", "b old", "c old"], "");
    check(json!(1), &["a old", "a young", "b old", "c old"], "-a-old");
    check(json!(1), &["a", "b old", "c old"], "+b");
    // Where the old pod does not serve, a new one costs nothing, and need not serve first.
    check(json!(1), &["a old", "a waiting young", "b old waiting", "c old"], "+b");
    check(json!(1), &["a old waiting", "a waiting young", "b", "c"], "-a-old-waiting");
    check(json!(1), &["a old", "a old young", "b", "c"], "-a-old-young");
    check(json!(1), &["a", "b", "c"], "");
    // A node that only bears its pod gets no second one.
    let set = rolling(json!(0), json!(1));
    assert_eq!(planned(&set, &["a NoSchedule", "b"], &["a old", "b"]), "");
}

#[test]
fn the_status_counts_nodes() {
    let slow = set(json!({ "minReadySeconds": 30 }), json!({}));
    let pods = ["a", "b fresh", "c waiting old", "e"];
    let scene = scene(&slow, &["a", "b", "c", "d", "e NoSchedule", "f NoExecute"], &pods);
    assert_eq!(
        status(&scene, 0).unwrap(),
        json!({
            "observedGeneration": 3, "desiredNumberScheduled": 4, "currentNumberScheduled": 3, "numberMisscheduled": 1,
            "numberReady": 2, "numberAvailable": 1, "numberUnavailable": 3, "updatedNumberScheduled": 2,
        })
    );
    assert_eq!(next_available(&scene), Some(Duration::from_secs(20)));
    assert_eq!(status(&scene, 2).unwrap()["collisionCount"], 2);
    let set = rolling(json!(1), json!(0));
    let none = Scene::new(&set, &[], &[], "h2", now());
    assert_eq!(
        status(&none, 0).unwrap(),
        json!({
            "observedGeneration": 3, "desiredNumberScheduled": 0, "currentNumberScheduled": 0, "numberMisscheduled": 0,
            "numberReady": 0,
        })
    );
}

proptest! {
    /// Whatever the pods are like, an update takes no more of those that serve than may be missing.
    #[test]
    fn updates_keep_to_their_bounds(states in prop::collection::vec(0..5usize, 1..8), most in 1..4usize) {
        let words = ["", "old", "waiting", "old waiting", "old going"];
        let nodes: Vec<String> = (0..states.len()).map(|node| format!("n{node}")).collect();
        let pods: Vec<String> = states.iter().enumerate().map(|(node, state)| format!("n{node} {}", words[*state])).collect();
        let set = rolling(json!(most), json!(0));
        let scene = scene(
            &set,
            &nodes.iter().map(String::as_str).collect::<Vec<_>>(),
            &pods.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let plan = plan(&scene, |_| Ok(()));
        let missing = states.iter().filter(|state| **state > 1).count();
        let taken = plan.delete.iter().filter(|pod| pod.view.is_ready()).count();
        prop_assert!(taken <= most.saturating_sub(missing));
        prop_assert!(plan.create.is_empty());
        // And it never stands still: with nothing in the way, something old goes.
        if missing == 0 && states.contains(&1) {
            prop_assert!(taken > 0);
        }
    }
}
