//! Tables of the steps of a rollout, of shares, revisions and conditions.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::decide::{Plan, decide};
use super::revision;
use super::sets::{Set, Sets};
use super::status::{Made, Now, Report, next_check, status};
use crate::template;
use crate::views::{Deployment, DeploymentStatus};

const START: &str = "2026-01-01T00:00:00Z";

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

fn template(image: &str) -> Value {
    json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "c", "image": image }] } })
}

/// A deployment of template `new` with more fields of its spec.
fn deployment(replicas: i64, more: &Value) -> Value {
    let mut spec = json!({
        "replicas": replicas, "selector": { "matchLabels": { "app": "web" } }, "template": template("new"),
        "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10,
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let metadata = json!({ "name": "web", "namespace": "default", "uid": "web", "generation": 1 });
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec })
}

fn rolling(surge: impl Into<Value>, unavailable: impl Into<Value>) -> Value {
    let (surge, unavailable) = (surge.into(), unavailable.into());
    json!({ "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": surge, "maxUnavailable": unavailable } } })
}

/// A replica set of the template that is the first word of its name before a dash, if any. It
/// asks for `size` pods of which `available` are, made for a deployment of `desired` and `most`.
struct Shape<'a> {
    name: &'a str,
    size: i64,
    available: i64,
    desired: i64,
    most: i64,
}

fn shape(name: &str, size: i64, available: i64) -> Shape<'_> {
    Shape { name, size, available, desired: 0, most: 0 }
}

impl Shape<'_> {
    fn sized_for(mut self, desired: i64, most: i64) -> Self {
        self.desired = desired;
        self.most = most;
        self
    }

    /// The set, made at the given second.
    fn json(&self, second: usize) -> Value {
        let image = self.name.split('-').next().unwrap();
        let mut annotations = json!({ "deployment.kubernetes.io/revision": (second + 1).to_string() });
        if self.desired > 0 {
            annotations["deployment.kubernetes.io/desired-replicas"] = json!(self.desired.to_string());
            annotations["deployment.kubernetes.io/max-replicas"] = json!(self.most.to_string());
        }
        json!({
            "metadata": {
                "name": self.name, "namespace": "default", "uid": self.name, "annotations": annotations,
                "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z"),
            },
            "spec": {
                "replicas": self.size, "selector": { "matchLabels": { "app": "web" } }, "template": template(image),
            },
            "status": {
                "replicas": self.size, "availableReplicas": self.available, "readyReplicas": self.available,
                "terminatingReplicas": 0,
            },
        })
    }
}

/// Sets by their shapes, the oldest first.
fn sets(deployment: &Deployment, shapes: &[Shape]) -> Sets {
    let all = shapes.iter().enumerate().map(|(second, shape)| Arc::new(item(&shape.json(second))));
    Sets::of(deployment, all.collect::<Vec<Set>>())
}

/// A plan in words.
fn told(plan: &Plan) -> String {
    match plan {
        Plan::Rest => "rest".into(),
        Plan::Create => "create".into(),
        Plan::Revise(set, _) => format!("revise {}", set.object.meta.name),
        Plan::Scale(scales) => {
            let told = |scale: &super::Scale| format!("{}={}", scale.set.object.meta.name, scale.to);
            scales.iter().map(told).collect::<Vec<_>>().join(" ")
        }
        Plan::Forget(sets) => {
            let names: Vec<&str> = sets.iter().map(|set| set.object.meta.name.as_str()).collect();
            format!("forget {}", names.join(" "))
        }
    }
}

fn planned(deployment: &Value, shapes: &[Shape]) -> String {
    let deployment: Item<Deployment> = item(deployment);
    told(&decide(&deployment, &sets(&deployment.view, shapes), || false).0)
}

#[test]
fn surge_is_rounded_up_and_missing_down() {
    let check = |replicas: i64, surge: Value, unavailable: Value, expect: (i64, i64)| {
        let view = item::<Deployment>(&deployment(replicas, &rolling(surge, unavailable))).view;
        assert_eq!((view.max_surge(), view.max_unavailable()), expect);
    };
    check(4, json!("25%"), json!("25%"), (1, 1));
    check(10, json!("25%"), json!("25%"), (3, 2));
    check(1, json!("25%"), json!("25%"), (1, 0));
    check(10, json!(0), json!(0), (0, 1));
    check(10, json!("0%"), json!("9%"), (0, 1));
    check(3, json!(0), json!(5), (0, 3));
    check(0, json!(1), json!(1), (1, 0));
    let view = item::<Deployment>(&deployment(10, &json!({}))).view;
    assert_eq!((view.max_surge(), view.max_unavailable()), (3, 2));
    let view = item::<Deployment>(&deployment(10, &json!({ "strategy": { "type": "Recreate" } }))).view;
    assert_eq!((view.max_surge(), view.max_unavailable()), (0, 0));
}

#[test]
fn a_rollout_goes_step_by_step() {
    let one_each = deployment(4, &rolling(1, 1));
    assert_eq!(planned(&one_each, &[]), "create");
    assert_eq!(planned(&one_each, &[shape("old", 4, 4)]), "create");
    assert_eq!(planned(&one_each, &[shape("old", 4, 4), shape("new", 1, 0)]), "old=3");
    assert_eq!(planned(&one_each, &[shape("old", 3, 3), shape("new", 1, 0)]), "new=2");
    assert_eq!(planned(&one_each, &[shape("old", 3, 3), shape("new", 2, 0)]), "rest");
    assert_eq!(planned(&one_each, &[shape("old", 3, 3), shape("new", 2, 2)]), "old=1");
    assert_eq!(planned(&one_each, &[shape("old", 1, 1), shape("new", 4, 2)]), "rest");
    assert_eq!(planned(&one_each, &[shape("old", 1, 1), shape("new", 4, 3)]), "old=0");
    assert_eq!(planned(&one_each, &[shape("old", 0, 0), shape("new", 4, 4)]), "rest");
    assert_eq!(planned(&one_each, &[shape("old", 0, 0), shape("new", 6, 4)]), "new=4");
    // The two oldest of three that have pods.
    let three = [shape("older", 2, 2), shape("old", 2, 2), shape("new", 1, 1)];
    assert_eq!(planned(&one_each, &three), "older=0");
    // None more, none fewer: one goes all the same.
    assert_eq!(planned(&deployment(4, &rolling(0, 0)), &[shape("old", 4, 4), shape("new", 0, 0)]), "old=3");
    assert_eq!(planned(&deployment(0, &rolling(1, 1)), &[]), "create");
}

#[test]
fn what_does_not_serve_goes_first() {
    let web = deployment(10, &rolling(0, 2));
    let check = |shapes: &[Shape], expect: &str| assert_eq!(planned(&web, shapes), expect);
    // Two of eight old ones serve no longer; the new ones serve.
    check(&[shape("old", 8, 6), shape("new", 2, 2)], "old=6");
    // The broken one is the newer of the two old sets, and is cleaned up before the other.
    check(&[shape("older", 5, 5), shape("old", 3, 1), shape("new", 2, 2)], "old=1");
    check(&[shape("older", 8, 8), shape("old", 4, 0), shape("new", 0, 0)], "old=0");
    // More serve than are needed even so: both are taken from.
    check(&[shape("older", 10, 10), shape("old", 2, 0), shape("new", 0, 0)], "older=8 old=0");
    // New ones that do not serve are not counted on.
    check(&[shape("old", 8, 8), shape("new", 2, 0)], "rest");
}

#[test]
fn recreating_takes_all_down_first() {
    let web = deployment(3, &json!({ "strategy": { "type": "Recreate" } }));
    let with = |shapes: &[Shape], has_old_pods: bool| {
        let web = item::<Deployment>(&web);
        told(&decide(&web, &sets(&web.view, shapes), || has_old_pods).0)
    };
    assert_eq!(with(&[], false), "create");
    assert_eq!(with(&[shape("older", 1, 1), shape("old", 3, 3)], true), "older=0 old=0");
    assert_eq!(with(&[shape("old", 0, 0)], true), "rest");
    assert_eq!(with(&[shape("old", 0, 0)], false), "create");
    assert_eq!(with(&[shape("old", 0, 0), shape("new", 0, 0)], true), "rest");
    assert_eq!(with(&[shape("old", 0, 0), shape("new", 0, 0)], false), "new=3");
    assert_eq!(with(&[shape("old", 0, 0), shape("new", 3, 0)], false), "rest");
    // Two that still have pods, made for another number: neither is given a share.
    let scaled = [shape("older", 2, 2).sized_for(4, 4), shape("old", 2, 2).sized_for(4, 4)];
    assert_eq!(with(&scaled, true), "older=0 old=0");
}

#[test]
fn scaling_gives_each_its_share() {
    let check = |replicas: i64, shapes: &[Shape], expect: &str| {
        assert_eq!(planned(&deployment(replicas, &rolling(3, 2)), shapes), expect, "{replicas}");
    };
    // As Kubernetes' documentation has it.
    let half = || [shape("old", 8, 8).sized_for(10, 13), shape("new", 5, 0).sized_for(10, 13)];
    check(15, &half(), "old=11 new=7");
    check(5, &half(), "old=5 new=3");
    check(0, &half(), "old=0 new=0");
    // Of two as large the newer grows and the older shrinks first.
    let even = || [shape("old", 5, 5).sized_for(7, 10), shape("new", 5, 0).sized_for(7, 10)];
    check(8, &even(), "new=6 old=5");
    check(6, &even(), "old=4 new=5");
    // One alone takes it all, whatever its template.
    check(7, &[shape("old", 4, 4).sized_for(4, 7)], "old=7");
    check(7, &[shape("old", 0, 0).sized_for(4, 7), shape("new", 4, 4).sized_for(4, 7)], "new=7");
    // A set that has its size already is told what it was sized for.
    check(7, &[shape("new", 7, 7).sized_for(4, 7)], "new=7");
    // A new set that serves everything leaves nothing to the others.
    let saturated = [shape("old", 2, 2).sized_for(3, 3), shape("new", 4, 4).sized_for(4, 7)];
    check(4, &saturated, "old=0");
    // Without an annotation of what there was, the status must do; without both, the rest is for the largest.
    let unknown = [shape("old", 8, 8), shape("new", 5, 0).sized_for(10, 13)];
    check(15, &unknown, "old=11 new=7");
}

#[test]
fn a_paused_deployment_scales_and_forgets_only() {
    let paused = deployment(4, &json!({ "paused": true, "revisionHistoryLimit": 0 }));
    assert_eq!(planned(&paused, &[]), "rest");
    assert_eq!(planned(&paused, &[shape("old", 4, 4).sized_for(4, 5)]), "rest");
    assert_eq!(planned(&paused, &[shape("old", 2, 2).sized_for(2, 3)]), "old=4");
    assert_eq!(planned(&paused, &[shape("older", 0, 0), shape("old", 4, 4).sized_for(4, 5)]), "forget older");
}

#[test]
fn a_deployment_that_goes_is_left_alone() {
    let mut going = deployment(4, &json!({}));
    going["metadata"]["deletionTimestamp"] = json!(START);
    assert_eq!(planned(&going, &[]), "rest");
    assert_eq!(planned(&going, &[shape("old", 4, 4).sized_for(2, 3)]), "rest");
}

#[test]
fn the_oldest_revisions_at_rest_are_forgotten() {
    let mut web = deployment(1, &json!({ "revisionHistoryLimit": 1 }));
    let all = || [shape("a", 0, 0), shape("b", 0, 0), shape("c", 0, 0), shape("new", 1, 1)];
    // Not while the rollout is under way.
    assert_eq!(planned(&web, &all()), "rest");
    web["status"] = json!({ "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1 });
    assert_eq!(planned(&web, &all()), "forget a b");
    web["metadata"]["generation"] = json!(2);
    assert_eq!(planned(&web, &all()), "rest");
    web["metadata"]["generation"] = json!(1);
    web["spec"]["revisionHistoryLimit"] = json!(2_147_483_647);
    assert_eq!(planned(&web, &all()), "rest");
    web["spec"]["revisionHistoryLimit"] = json!(0);
    assert_eq!(planned(&web, &all()), "forget a b c");
    // What has not come to rest is spared: not seen by its controller, or not empty.
    let web: Item<Deployment> = item(&web);
    let (mut unseen, mut full) = (shape("a", 0, 0).json(0), shape("b", 0, 0).json(1));
    unseen["metadata"]["generation"] = json!(2);
    full["status"]["replicas"] = json!(1);
    let held = [unseen, full, shape("c", 0, 0).json(2), shape("new", 1, 1).json(3)];
    let held = Sets::of(&web.view, held.iter().map(|json| Arc::new(item(json))).collect());
    assert_eq!(told(&decide(&web, &held, || false).0), "forget c");
}

fn annotations(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let key = |key: &str| match key {
        "revision" | "revision-history" => format!("deployment.kubernetes.io/{key}"),
        key => key.to_owned(),
    };
    pairs.iter().map(|(name, value)| (key(name), (*value).to_owned())).collect()
}

#[test]
fn a_revision_that_comes_back_remembers_what_it_was() {
    let check = |held: &[(&str, &str)], next: i64, expect: &[(&str, &str)]| {
        assert_eq!(revision::annotated(&annotations(&[]), &annotations(held), next), annotations(expect));
    };
    check(&[], 1, &[("revision", "1")]);
    check(&[("revision", "2")], 2, &[("revision", "2")]);
    // Newer sets were forgotten: the number stays.
    check(&[("revision", "5")], 2, &[("revision", "5")]);
    check(&[("revision", "1")], 3, &[("revision", "3"), ("revision-history", "1")]);
    check(&[("revision", "3"), ("revision-history", "1")], 5, &[("revision", "5"), ("revision-history", "1,3")]);
    check(&[("revision", "mine")], 2, &[("revision", "mine")]);
    let long = "1234,".repeat(399) + "1234";
    let kept = "1234,".repeat(399) + "77";
    check(&[("revision", "77"), ("revision-history", &long)], 78, &[("revision", "78"), ("revision-history", &kept)]);
}

#[test]
fn annotations_are_copied_but_those_of_their_own() {
    let of_deployment = [
        ("team", "blue"),
        ("kubectl.kubernetes.io/last-applied-configuration", "{}"),
        ("revision", "9"),
        ("deployment.kubernetes.io/desired-replicas", "9"),
        ("deprecated.deployment.rollback.to", "1"),
    ];
    let found = revision::annotated(&annotations(&of_deployment), &annotations(&[("own", "1"), ("team", "red")]), 1);
    assert_eq!(found, annotations(&[("own", "1"), ("team", "blue"), ("revision", "1")]));
}

#[test]
fn the_new_set_follows_the_deployment() {
    let mut web = deployment(1, &rolling(1, 1));
    let shapes = [shape("new", 1, 1), shape("old", 1, 1)];
    // Another template was rolled out since: the number moves on.
    assert_eq!(planned(&web, &shapes), "revise new");
    assert_eq!(planned(&web, &shapes[..1]), "rest");
    web["spec"]["minReadySeconds"] = json!(5);
    assert_eq!(planned(&web, &shapes[..1]), "revise new");
    web["spec"]["minReadySeconds"] = json!(0);
    web["metadata"]["annotations"] = json!({ "team": "blue" });
    assert_eq!(planned(&web, &shapes[..1]), "revise new");
}

#[test]
fn the_new_set_is_made_as_kubernetes_makes_it() {
    let mut web = deployment(4, &rolling(1, 1));
    web["metadata"]["name"] = json!("w".repeat(253));
    web["spec"]["minReadySeconds"] = json!(7);
    web["status"] = json!({ "collisionCount": 2 });
    let web: Item<Deployment> = item(&web);
    let made = revision::new_set(&web, &super::gvk(), &sets(&web.view, &[shape("old", 4, 4)])).unwrap();
    let hash = template::hash(&template("new"), Some(2));
    let name = made["metadata"]["name"].as_str().unwrap();
    assert_eq!((name.len(), name.rsplit_once('-').unwrap().1), (253, hash.as_str()));
    let labels = json!({ "app": "web", "pod-template-hash": hash });
    for held in [&made["metadata"]["labels"], &made["spec"]["selector"]["matchLabels"]] {
        assert_eq!(*held, labels);
    }
    assert_eq!(made["spec"]["template"]["metadata"]["labels"], labels);
    assert_eq!((&made["spec"]["replicas"], &made["spec"]["minReadySeconds"]), (&json!(1), &json!(7)));
    assert_eq!(made["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
}

fn after(secs: i64) -> Now {
    let at = START.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(secs);
    Now { at, text: at.to_string() }
}

/// A deployment of three that has a condition `Progressing` of this reason, written at the start.
fn rolled(reason: &str, held: &Value) -> Item<Deployment> {
    let mut web = deployment(3, &rolling(1, 1));
    web["status"] = held.clone();
    if !reason.is_empty() {
        let holds = if reason == "ProgressDeadlineExceeded" { "False" } else { "True" };
        web["status"]["conditions"] = json!([{
            "type": "Progressing", "status": holds, "reason": reason,
            "lastUpdateTime": START, "lastTransitionTime": START,
        }]);
    }
    item(&web)
}

fn progressing(status: &DeploymentStatus) -> (String, String) {
    let held = super::conditions::get(&status.conditions, "Progressing").unwrap();
    let since = held.last_update_time.clone().unwrap();
    (held.reason.clone(), since)
}

#[test]
fn progress_is_estimated_until_the_rollout_is_done() {
    let held = json!({ "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3 });
    let check = |reason: &str, shapes: &[Shape], secs: i64, expect: (&str, i64)| {
        let web = rolled(reason, &held);
        let found = status(&web, &sets(&web.view, shapes), Report::Progress, &Made::Nothing, &after(secs));
        assert_eq!(progressing(&found), (expect.0.to_owned(), after(expect.1).text), "{reason} after {secs}");
    };
    let still = || [shape("old", 3, 3), shape("new", 1, 0)];
    let moved = || [shape("old", 2, 2), shape("new", 2, 1)];
    let done = || [shape("old", 0, 0), shape("new", 3, 3)];
    check("", &still(), 5, ("FoundNewReplicaSet", 5));
    check("NewReplicaSetCreated", &still(), 5, ("NewReplicaSetCreated", 0));
    check("NewReplicaSetCreated", &moved(), 5, ("ReplicaSetUpdated", 5));
    check("ReplicaSetUpdated", &moved(), 5, ("ReplicaSetUpdated", 5));
    check("ReplicaSetUpdated", &still(), 600, ("ReplicaSetUpdated", 0));
    check("ReplicaSetUpdated", &still(), 601, ("ProgressDeadlineExceeded", 601));
    check("ProgressDeadlineExceeded", &still(), 900, ("ProgressDeadlineExceeded", 0));
    check("ProgressDeadlineExceeded", &moved(), 900, ("ReplicaSetUpdated", 900));
    check("ReplicaSetUpdated", &done(), 900, ("NewReplicaSetAvailable", 900));
    check("ProgressDeadlineExceeded", &done(), 900, ("NewReplicaSetAvailable", 900));
    // A rollout that is over is not measured: pods that fail later are no matter of its.
    check("NewReplicaSetAvailable", &[shape("new", 4, 1)], 900, ("NewReplicaSetAvailable", 0));
}

#[test]
fn a_clock_that_jumps_does_not_stop_the_measure() {
    let held = json!({ "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3 });
    let web = rolled("ReplicaSetUpdated", &held);
    let shapes = sets(&web.view, &[shape("old", 3, 0), shape("new", 1, 0)]);
    let at = |web: &Item<Deployment>, secs: i64| {
        let found = status(web, &shapes, Report::Progress, &Made::Nothing, &after(secs));
        let again = next_check(web, &found, &after(secs)).map(|wait| wait.as_secs());
        (found, again)
    };
    // An hour back: measured from there on, and looked at in due time.
    let (found, again) = at(&web, -3600);
    assert_eq!(progressing(&found), ("ReplicaSetUpdated".to_owned(), after(-3600).text));
    assert_eq!(again, Some(601));
    let mut back = web.object.value().unwrap();
    back["status"] = serde_json::to_value(&found).unwrap();
    let back: Item<Deployment> = item(&back);
    assert_eq!(progressing(&at(&back, -3000).0).0, "ReplicaSetUpdated");
    assert_eq!(progressing(&at(&back, -2999).0).0, "ProgressDeadlineExceeded");
    // An hour forth: taken for an hour without progress, which the next progress corrects.
    assert_eq!(progressing(&at(&web, 3600).0).0, "ProgressDeadlineExceeded");
    assert_eq!((at(&web, 0).1, at(&web, 599).1, at(&web, 600).1), (Some(601), Some(2), Some(1)));
    assert_eq!(at(&rolled("NewReplicaSetAvailable", &held), 5).1, None);
    assert_eq!(at(&rolled("ProgressDeadlineExceeded", &held), 5).1, None);
}

#[test]
fn without_a_deadline_progress_is_not_reported() {
    let mut web = deployment(3, &json!({ "progressDeadlineSeconds": 2_147_483_647 }));
    web["status"] =
        json!({ "conditions": [{ "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated" }] });
    let web: Item<Deployment> = item(&web);
    let shapes = sets(&web.view, &[shape("new", 3, 0)]);
    let found = status(&web, &shapes, Report::Progress, &Made::Nothing, &after(0));
    assert!(super::conditions::get(&found.conditions, "Progressing").is_none());
    assert_eq!(next_check(&web, &found, &after(0)), None);
}

#[test]
fn what_happens_to_the_rollout_is_noted() {
    let check = |reason: &str, more: &Value, made: &Made, report: Report, expect: [&str; 3]| {
        let held = rolled(reason, &json!({}));
        let mut web = held.object.value().unwrap();
        web["spec"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let web: Item<Deployment> = item(&web);
        let found = status(&web, &sets(&web.view, &[shape("new", 3, 0)]), report, made, &after(9));
        let held = super::conditions::get(&found.conditions, "Progressing").unwrap();
        assert_eq!([held.status.as_str(), &held.reason, &held.message], expect);
    };
    let (paused, runs) = (json!({ "paused": true }), json!({}));
    let counts = Report::Counts;
    check(
        "ReplicaSetUpdated",
        &paused,
        &Made::Nothing,
        counts,
        ["Unknown", "DeploymentPaused", "Deployment is paused"],
    );
    check("DeploymentPaused", &runs, &Made::Nothing, counts, ["Unknown", "DeploymentResumed", "Deployment is resumed"]);
    // That it is stuck stays said.
    check("ProgressDeadlineExceeded", &paused, &Made::Nothing, counts, ["False", "ProgressDeadlineExceeded", ""]);
    let made = Made::Set("web-1".into());
    let expect = ["True", "NewReplicaSetCreated", "Created new replica set \"web-1\""];
    check("NewReplicaSetAvailable", &runs, &made, counts, expect);
    check("", &runs, &Made::Nothing, counts, ["True", "FoundNewReplicaSet", "Found new replica set \"new\""]);
    let refused = Made::Refused("no".into());
    check("", &runs, &refused, Report::Progress, ["False", "ReplicaSetCreateError", "no"]);
}

#[test]
fn counts_are_of_all_sets_and_conditions_of_the_new_one_first() {
    let web = rolled("ReplicaSetUpdated", &json!({ "collisionCount": 1 }));
    let failure = |reason: &str| json!([{ "type": "ReplicaFailure", "status": "True", "reason": reason, "message": "m", "lastTransitionTime": START }]);
    let (mut old, mut new) = (shape("old", 3, 2).json(0), shape("new", 1, 0).json(1));
    old["status"]["conditions"] = failure("FailedDelete");
    new["status"]["conditions"] = failure("FailedCreate");
    let with = |old: &Value, new: &Value| {
        let held = Sets::of(&web.view, vec![Arc::new(item(old)), Arc::new(item(new))]);
        status(&web, &held, Report::Progress, &Made::Nothing, &after(1))
    };
    let found = with(&old, &new);
    let held = super::conditions::get(&found.conditions, "ReplicaFailure").unwrap();
    assert_eq!((held.reason.as_str(), held.last_update_time.as_deref()), ("FailedCreate", Some(START)));
    let counts = DeploymentStatus { conditions: Vec::new(), ..found };
    assert_eq!(
        serde_json::to_value(counts).unwrap(),
        json!({
            "observedGeneration": 1, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 2, "availableReplicas": 2,
            "unavailableReplicas": 2, "terminatingReplicas": 0, "collisionCount": 1,
        })
    );
    new["status"]["conditions"] = json!([]);
    new["status"]["terminatingReplicas"] = Value::Null;
    let found = with(&old, &new);
    assert_eq!(super::conditions::get(&found.conditions, "ReplicaFailure").unwrap().reason, "FailedDelete");
    assert_eq!(found.terminating_replicas, None);
    let collided = status(&web, &sets(&web.view, &[]), Report::Progress, &Made::Collision, &after(1));
    assert_eq!(collided, DeploymentStatus { collision_count: Some(2), ..web.view.status.clone() });
}

/// What a rollout does to two sets if every pod that is asked for comes to serve at once.
fn simulate(replicas: i64, surge: i64, unavailable: i64, mut old: i64) -> Result<i64, TestCaseError> {
    let web = deployment(replicas, &rolling(surge, unavailable));
    let view = item::<Deployment>(&web).view;
    let (most, least) = (replicas + view.max_surge(), replicas - view.max_unavailable());
    let (mut new, mut steps) = (0, 0);
    loop {
        let shapes = [shape("old", old, old), shape("new", new, new)];
        let deployment: Item<Deployment> = item(&web);
        let (Plan::Scale(scales), _) = decide(&deployment, &sets(&deployment.view, &shapes), || false) else {
            prop_assert_eq!((old, new), (0, replicas));
            return Ok(steps);
        };
        let before = old + new;
        for scale in scales {
            let size = if &*scale.set.object.meta.name == "old" { &mut old } else { &mut new };
            *size = scale.to;
        }
        prop_assert!(old + new <= most.max(before), "more than allowed");
        prop_assert!(old + new >= least.min(before), "fewer than allowed");
        steps += 1;
        prop_assert!(steps < 100, "it comes to an end");
    }
}

proptest! {
    #[test]
    fn a_rollout_keeps_its_bounds_and_ends(
        replicas in 0_i64..30, surge in 0_i64..6, unavailable in 0_i64..6, old in 0_i64..30,
    ) {
        simulate(replicas, surge, unavailable, old)?;
    }

    #[test]
    fn shares_add_up(
        replicas in 1_i64..60, surge in 0_i64..10, before in 1_i64..60, parts in prop::collection::vec(1_i64..20, 2..6),
    ) {
        let names = ["a", "b", "c", "d", "new", "e"];
        let before = before.max(parts.iter().sum());
        let shapes: Vec<Shape> =
            parts.iter().zip(names).map(|(size, name)| shape(name, *size, 0).sized_for(before, before + surge)).collect();
        let deployment: Item<Deployment> = item(&deployment(replicas, &rolling(surge, 0)));
        let held = sets(&deployment.view, &shapes);
        let shares = super::scaling::scale(&deployment.view, &held);
        let sum: i64 = held.all().map(|set| {
            let share = shares.iter().find(|share| share.set.object.meta.uid == set.object.meta.uid);
            share.map_or(set.view.replicas, |share| share.to)
        }).sum();
        prop_assert!(shares.iter().all(|share| share.to >= 0));
        prop_assert!(sum <= (replicas + surge).max(held.asked()));
        // What is added is added whole; what is taken may be less, where rounding leaves more
        // than the largest set can give.
        if held.asked() <= replicas + surge {
            prop_assert_eq!(sum, replicas + surge);
        }
    }
}
