//! Tables of what becomes of claims and of volumes.

use std::sync::Arc;

use api::ClusterName;
use client::{Item, Object, View};
use serde_json::{Value, json};

use super::decide::{
    Around, ForClaim, ForVolume, Reclaim, awaited, claim, default_class, provisioner, reclaim, volume,
};
use super::shape;
use crate::views::{StorageClass, Volume, VolumeClaim};

const NOW: &str = "2026-01-01T01:00:00Z";

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

/// A claim in words: `done` (bound once), `by-controller`, `node` (chosen), `classless`, `block`,
/// and `=NAME` for the volume that it names.
fn claim_of(words: &str) -> Item<VolumeClaim> {
    let is = |word: &str| words.split(' ').any(|held| held == word);
    let mut annotations = json!({});
    for (word, name) in [
        ("done", "pv.kubernetes.io/bind-completed"),
        ("by-controller", "pv.kubernetes.io/bound-by-controller"),
        ("node", "volume.kubernetes.io/selected-node"),
    ] {
        if is(word) {
            annotations[name] = json!("yes");
        }
    }
    let named = words.split(' ').find_map(|word| word.strip_prefix('='));
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } },
        "volumeName": named.unwrap_or_default(), "volumeMode": if is("block") { "Block" } else { "Filesystem" },
    });
    if !is("classless") {
        spec["storageClassName"] = json!("fast");
    }
    let meta = json!({ "name": "data", "namespace": "default", "uid": "claim", "annotations": annotations });
    item(&json!({ "metadata": meta, "spec": spec, "status": { "phase": "Pending" } }))
}

/// A volume `it` in words: `for-it` (and bound), `kept` (for its names), `for-other`,
/// `by-controller`, `made` (by a provisioner), and a reclaim policy.
fn volume_of(words: &str) -> Arc<Item<Volume>> {
    let is = |word: &str| words.split(' ').any(|held| held == word);
    let mut annotations = json!({});
    if is("by-controller") {
        annotations["pv.kubernetes.io/bound-by-controller"] = json!("yes");
    }
    if is("made") {
        annotations["pv.kubernetes.io/provisioned-by"] = json!("x/y");
    }
    let policy = words.split(' ').find(|word| word.starts_with(char::is_uppercase)).unwrap_or("Retain");
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "2Gi" }, "storageClassName": "fast",
        "persistentVolumeReclaimPolicy": policy,
    });
    let uid = ["for-it", "kept", "for-other"].iter().position(|word| is(word)).map(|at| ["claim", "", "other"][at]);
    if let Some(uid) = uid {
        spec["claimRef"] = json!({ "namespace": "default", "name": "data", "uid": uid, "resourceVersion": "7" });
    }
    let meta = json!({ "name": "it", "annotations": annotations });
    Arc::new(item(&json!({ "metadata": meta, "spec": spec, "status": { "phase": "Available" } })))
}

fn class_of(mode: &str) -> Item<StorageClass> {
    item(&json!({ "metadata": { "name": "fast" }, "provisioner": "x/y", "volumeBindingMode": mode }))
}

#[test]
fn a_claim_is_bound_kept_waiting_or_lost() {
    let check = |words: &str, named: Option<&str>, free: Option<&str>, class: &str, expect: &str| {
        let class = (!class.is_empty()).then(|| class_of(class));
        let around = Around {
            named: named.map(volume_of),
            candidates: free.map(volume_of).into_iter().collect(),
            class: class.as_ref(),
            default_class: Some("standard"),
        };
        let found = format!("{:?}", claim(&claim_of(words), around));
        assert!(found.starts_with(expect), "{words}: {found}");
    };
    let wait = "WaitForFirstConsumer";
    // Any volume that suits.
    check("", None, Some(""), "Immediate", "Bind");
    check("", None, Some("kept"), wait, "Bind");
    check("", None, Some(""), wait, "AwaitConsumer");
    check("node", None, None, wait, "Provision");
    check("", None, None, "Immediate", "Provision");
    check("", None, None, "", "Provision");
    check("classless", None, None, "", "Classify(\"standard\")");
    // The volume it names.
    check("=it", None, None, "", "AwaitVolume");
    check("=it", Some(""), None, "", "Bind");
    check("=it", Some("kept"), None, "", "Bind");
    check("=it", Some("for-it"), None, "", "Bind");
    check("=it block", Some(""), None, "", "Refuse { reason: \"VolumeMismatch\", message: \"Cannot bind to requested");
    check("=it", Some("for-other"), None, "", "Refuse { reason: \"FailedBinding\"");
    check("=it by-controller", Some("for-other"), None, "", "Confused(\"invalid binding of claim");
    // The volume it had.
    check("done =it", Some("for-it"), None, "", "Bind");
    check("done =it", Some(""), None, "", "Bind");
    check("done =it", Some("for-other"), None, "", "Lose { reason: \"ClaimMisbound\"");
    check("done =it", None, Some(""), "", "Lose { reason: \"ClaimLost\", message: \"Bound claim has lost its");
    check("done", None, Some(""), "", "Lose { reason: \"ClaimLost\", message: \"Bound claim has lost reference");
}

#[test]
fn nobody_makes_volumes_for_claims_that_want_no_class() {
    let around = Around { named: None, candidates: Vec::new(), class: None, default_class: None };
    assert!(matches!(claim(&claim_of("classless"), around), ForClaim::NoVolume));
}

#[test]
fn a_volume_is_free_bound_or_reclaimed() {
    let check = |words: &str, claim: Option<&str>, expect: ForVolume| {
        assert_eq!(volume(&volume_of(words), claim.map(claim_of).as_ref()), expect, "{words}, {claim:?}");
    };
    check("", None, ForVolume::Available);
    check("kept", None, ForVolume::Available);
    check("kept", Some(""), ForVolume::Available);
    check("for-it", Some(""), ForVolume::AwaitClaim);
    check("for-it", Some("block"), ForVolume::WrongMode);
    check("for-it", Some("=it"), ForVolume::Bound);
    check("for-it", None, ForVolume::Release);
    // A claim of the same names that came later is another.
    check("for-other", Some("=it"), ForVolume::Release);
    check("for-it", Some("=another"), ForVolume::Unbind);
    check("for-it made Retain", Some("=another"), ForVolume::Unbind);
    check("for-it made Delete", Some("=another"), ForVolume::Release);
}

#[test]
fn what_is_released_is_left_or_fails() {
    let check = |words: &str, expect: Option<&str>| {
        let found = match reclaim(&volume_of(words)) {
            Reclaim::Leave => None,
            Reclaim::Fail { reason, .. } => Some(reason),
        };
        assert_eq!(found, expect, "{words}");
    };
    check("Retain", None);
    check("made Delete", None);
    check("Delete", Some("VolumeFailedDelete"));
    check("Recycle", Some("VolumeFailedRecycle"));
    check("Other", Some("VolumeUnknownReclaimPolicy"));
}

#[test]
fn both_sides_name_each_other_once() {
    let bound = shape::volume_bound(&volume_of(""), &claim_of("")).unwrap().unwrap();
    assert_eq!(bound["spec"]["claimRef"]["uid"], "claim");
    assert_eq!(bound["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"], "yes");
    // Who kept the volume for the claim chose it.
    let bound = shape::volume_bound(&volume_of("kept"), &claim_of("")).unwrap().unwrap();
    assert_eq!(bound["metadata"]["annotations"], json!({}));
    assert!(shape::volume_bound(&volume_of("for-it"), &claim_of("")).unwrap().is_none());

    let bound = shape::claim_bound(&claim_of(""), "it").unwrap().unwrap();
    let annotations = &bound["metadata"]["annotations"];
    assert_eq!((&bound["spec"]["volumeName"], annotations.as_object().unwrap().len()), (&json!("it"), 2));
    let bound = shape::claim_bound(&claim_of("=it"), "it").unwrap().unwrap();
    assert_eq!(bound["metadata"]["annotations"], json!({ "pv.kubernetes.io/bind-completed": "yes" }));
    assert!(shape::claim_bound(&claim_of("=it done"), "it").unwrap().is_none());
}

#[test]
fn a_volume_forgets_a_claim_that_it_was_not_kept_for() {
    let unbound = shape::volume_unbound(&volume_of("for-it by-controller")).unwrap();
    assert_eq!((&unbound["spec"]["claimRef"], &unbound["metadata"]["annotations"]), (&Value::Null, &json!({})));
    let unbound = shape::volume_unbound(&volume_of("for-it")).unwrap();
    assert_eq!(unbound["spec"]["claimRef"], json!({ "namespace": "default", "name": "data" }));
}

#[test]
fn statuses_change_with_the_phase() {
    let claim = json!({ "status": { "phase": "Pending", "conditions": [] } });
    let volume = json!({ "spec": { "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "2Gi" } } });
    let bound = shape::claim_status(&claim, "Bound", Some(&volume));
    let full = json!({
        "phase": "Bound", "conditions": [], "accessModes": ["ReadWriteOnce"], "capacity": { "storage": "2Gi" },
    });
    assert_eq!(bound, full);
    // A claim that has grown keeps what it has.
    let grown = json!({ "status": { "phase": "Bound", "capacity": { "storage": "9Gi" } } });
    assert_eq!(shape::claim_status(&grown, "Bound", Some(&volume))["capacity"]["storage"], "9Gi");
    assert_eq!(
        shape::claim_status(&json!({ "status": full }), "Lost", None),
        json!({ "phase": "Lost", "conditions": [] })
    );

    let held = json!({ "status": { "phase": "Failed", "message": "why", "lastPhaseTransitionTime": "before" } });
    assert_eq!(shape::volume_status(&held, "Failed", "other", NOW), held["status"]);
    let released = json!({ "phase": "Released", "lastPhaseTransitionTime": NOW });
    assert_eq!(shape::volume_status(&held, "Released", "", NOW), released);
}

#[test]
fn the_newest_default_class_counts() {
    let class = |name: &str, made: &str, is_default: bool| {
        let annotations = json!({ "storageclass.kubernetes.io/is-default-class": is_default.to_string() });
        let meta = json!({ "name": name, "creationTimestamp": made, "annotations": annotations });
        Arc::new(item::<StorageClass>(&json!({ "metadata": meta, "provisioner": "x/y" })))
    };
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    let check = |classes: &[Arc<Item<StorageClass>>], expect: Option<&str>| assert_eq!(default_class(classes), expect);
    check(&[], None);
    check(&[class("a", early, false)], None);
    check(&[class("a", early, true), class("b", late, true), class("c", late, false)], Some("b"));
    check(&[class("b", late, true), class("a", late, true)], Some("a"));
}

#[test]
fn the_class_says_who_makes_volumes() {
    let class = |provisioner: &str| item::<StorageClass>(&json!({ "metadata": {}, "provisioner": provisioner }));
    assert_eq!(provisioner("fast", Some(&class("x/y"))), Ok("x/y"));
    let missing = provisioner("fast", None).unwrap_err();
    assert_eq!(missing, "storageclass.storage.k8s.io \"fast\" not found");
    let none = provisioner("fast", Some(&class("kubernetes.io/no-provisioner"))).unwrap_err();
    assert_eq!(none, "no volume plugin matched name: kubernetes.io/no-provisioner");
}

#[test]
fn what_is_waited_for_has_a_name() {
    let check = |pods: &[&str], reason: &str, message: &str| {
        let pods: Vec<String> = pods.iter().map(|pod| (*pod).to_owned()).collect();
        assert_eq!(awaited(&pods), (reason, message.to_owned()));
    };
    check(&[], "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
    check(&["a"], "WaitForPodScheduled", "waiting for pod a to be scheduled");
    check(&["a", "b"], "WaitForPodScheduled", "waiting for pods a,b to be scheduled");
}
