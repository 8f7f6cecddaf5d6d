//! Claims and volumes: how they find each other, what is made for them, and how
//! they go.

use std::path::Path;

use client::{DeleteOptions, Patch, WriteOptions};
use serde_json::{Value, json};

use crate::bed::{Bed, on_both, target, template};

const VOLUMES: &str = "persistentvolumes";
const CLAIMS: &str = "persistentvolumeclaims";
const CLASSES: &str = "storageclasses";

/// A claim of 2Gi; a class of `null` names none.
fn claim(name: &str, class: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "resources": { "requests": { "storage": "2Gi" } },
        },
    })
}

fn volume(name: &str, size: &str, policy: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": name },
        "spec": {
            "capacity": { "storage": size }, "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": policy, "hostPath": { "path": format!("/data/{name}") },
        },
    })
}

/// A pod that mounts one volume.
fn pod(name: &str, node: &str, source: Value) -> Value {
    let mut pod = template("web");
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!(name);
    pod["metadata"]["namespace"] = json!("default");
    pod["spec"]["volumes"] = json!([source]);
    if !node.is_empty() {
        pod["spec"]["nodeName"] = json!(node);
    }
    pod
}

fn in_phase(phase: &'static str) -> impl Fn(&Value) -> bool {
    move |object| object["status"]["phase"] == phase
}

async fn until_phase(bed: &Bed, kind: &str, name: &str, phase: &'static str) -> Value {
    bed.until_one(phase, kind, name, in_phase(phase)).await
}

async fn until_gone(bed: &Bed, kind: &str, name: &str) {
    bed.until("it is gone", kind, |held| held.iter().all(|object| object["metadata"]["name"] != *name)).await;
}

async fn delete_now(bed: &Bed, kind: &str, name: &str) {
    bed.delete_with(kind, name, DeleteOptions { grace_period_secs: Some(0), ..DeleteOptions::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_gets_the_smallest_volume_that_suits() {
    on_both(async |bed| {
        for (name, size) in [("large", "9Gi"), ("small", "3Gi"), ("tiny", "1Gi")] {
            bed.create(volume(name, size, "Retain")).await;
            until_phase(bed, VOLUMES, name, "Available").await;
        }
        bed.create(claim("data", json!(""))).await;
        let held = until_phase(bed, CLAIMS, "data", "Bound").await;
        assert_eq!(held["spec"]["volumeName"], "small");
        assert_eq!(held["status"]["capacity"]["storage"], "3Gi");
        let refusal = grow(bed, "data").await.unwrap_err();
        assert!(refusal.ends_with("the storageclass that provisions the pvc must support resize"), "{refusal}");
        let annotations = &held["metadata"]["annotations"];
        assert_eq!(annotations["pv.kubernetes.io/bind-completed"], "yes");
        assert_eq!(annotations["pv.kubernetes.io/bound-by-controller"], "yes");
        let small = until_phase(bed, VOLUMES, "small", "Bound").await;
        assert_eq!(small["spec"]["claimRef"]["uid"], held["metadata"]["uid"]);
        // Another claim takes what is left, and a third waits for more.
        bed.create(claim("more", json!(""))).await;
        assert_eq!(until_phase(bed, CLAIMS, "more", "Bound").await["spec"]["volumeName"], "large");
        bed.create(claim("third", json!(""))).await;
        let message = bed.until_event("third", "FailedBinding").await;
        assert_eq!(message, "no persistent volumes available for this claim and no storage class is set");
        bed.create(volume("late", "2Gi", "Retain")).await;
        assert_eq!(until_phase(bed, CLAIMS, "third", "Bound").await["spec"]["volumeName"], "late");
        // The volume stays with its data, and is free once its claim is forgotten.
        bed.delete(CLAIMS, "data").await;
        until_phase(bed, VOLUMES, "small", "Released").await;
        bed.merge(VOLUMES, "small", json!({ "spec": { "claimRef": null } })).await;
        until_phase(bed, VOLUMES, "small", "Available").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_and_volumes_can_ask_for_each_other() {
    on_both(async |bed| {
        let mut kept = volume("kept", "50Gi", "Retain");
        kept["spec"]["claimRef"] = json!({ "namespace": "default", "name": "data" });
        bed.create(kept).await;
        bed.create(volume("free", "5Gi", "Retain")).await;
        until_phase(bed, VOLUMES, "free", "Available").await;
        until_phase(bed, VOLUMES, "kept", "Available").await;
        bed.create(claim("data", json!(""))).await;
        assert_eq!(until_phase(bed, CLAIMS, "data", "Bound").await["spec"]["volumeName"], "kept");
        // By name, even before the volume is there; too little is refused.
        let mut named = claim("named", json!(""));
        named["spec"]["volumeName"] = json!("later");
        bed.create(named).await;
        until_phase(bed, CLAIMS, "named", "Pending").await;
        bed.create(volume("later", "1Gi", "Retain")).await;
        let message = bed.until_event("named", "VolumeMismatch").await;
        assert_eq!(message, "Cannot bind to requested volume \"later\": requested PV is too small");
        bed.merge(VOLUMES, "later", json!({ "spec": { "capacity": { "storage": "2Gi" } } })).await;
        let held = until_phase(bed, CLAIMS, "named", "Bound").await;
        assert!(held["metadata"]["annotations"]["pv.kubernetes.io/bound-by-controller"].is_null(), "{held}");
        let mut taken = claim("taken", json!(""));
        taken["spec"]["volumeName"] = json!("kept");
        bed.create(taken).await;
        let message = bed.until_event("taken", "FailedBinding").await;
        assert_eq!(message, "volume \"kept\" already bound to a different claim.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_reclaim_fails_and_a_lost_volume_loses_its_claim() {
    on_both(async |bed| {
        for (policy, reason) in [("Recycle", "VolumeFailedRecycle"), ("Delete", "VolumeFailedDelete")] {
            let name = policy.to_lowercase();
            bed.create(volume(&name, "5Gi", policy)).await;
            bed.create(claim(&name, json!(""))).await;
            until_phase(bed, CLAIMS, &name, "Bound").await;
            bed.delete(CLAIMS, &name).await;
            let held = until_phase(bed, VOLUMES, &name, "Failed").await;
            assert_eq!(held["status"]["message"], bed.until_event(&name, reason).await);
        }
        bed.create(volume("lost", "5Gi", "Retain")).await;
        bed.create(claim("lost", json!(""))).await;
        until_phase(bed, CLAIMS, "lost", "Bound").await;
        // A volume that is bound does not go, unless by force.
        let guarded = |volume: &Value| volume["metadata"]["finalizers"] == json!(["kubernetes.io/pv-protection"]);
        bed.until_one("it is protected", VOLUMES, "lost", guarded).await;
        bed.delete(VOLUMES, "lost").await;
        let held = bed.get(VOLUMES, "lost").await.unwrap();
        assert!(held["metadata"]["deletionTimestamp"].is_string());
        bed.merge(VOLUMES, "lost", json!({ "metadata": { "finalizers": null } })).await;
        until_phase(bed, CLAIMS, "lost", "Lost").await;
        let message = bed.until_event("lost", "ClaimLost").await;
        assert_eq!(message, "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_is_made_where_its_pod_is_and_goes_with_its_claim() {
    on_both(async |bed| {
        bed.until("the default class is there", CLASSES, |held| held.len() == 1).await;
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1" } })).await;
        let made = bed.create(claim("data", Value::Null)).await;
        assert_eq!(made["spec"]["storageClassName"], "local-path");
        let message = bed.until_event("data", "WaitForFirstConsumer").await;
        assert_eq!(message, "waiting for first consumer to be created before binding");
        let refusal = grow(bed, "data").await.unwrap_err();
        assert!(refusal.ends_with("Only bound persistent volume claims can be expanded"), "{refusal}");
        select_node(bed, "data", "n1").await;
        let held = until_phase(bed, CLAIMS, "data", "Bound").await;
        let name = format!("pvc-{}", made["metadata"]["uid"].as_str().unwrap());
        assert_eq!(held["spec"]["volumeName"], name);
        let message = bed.until_event("data", "ExternalProvisioning").await;
        assert!(
            message.starts_with("Waiting for a volume to be created either by the external provisioner 'rancher.io")
        );
        let message = bed.until_event("data", "ProvisioningSucceeded").await;
        assert_eq!(message, format!("Successfully provisioned volume {name}"));
        let volume = until_phase(bed, VOLUMES, &name, "Bound").await;
        let terms = &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
        assert_eq!(terms[0]["matchExpressions"][0]["values"], json!(["n1"]));
        assert_eq!(volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"], "rancher.io/local-path");
        // It has more room as soon as more is asked for.
        grow(bed, "data").await.unwrap();
        bed.until_one("it has grown", CLAIMS, "data", |it| it["status"]["capacity"]["storage"] == "7Gi").await;
        bed.until_one("so has the volume", VOLUMES, &name, |it| it["spec"]["capacity"]["storage"] == "7Gi").await;
        assert_eq!(bed.until_event("data", "VolumeResizeSuccessful").await, "Resize volume succeeded");
        // The directory goes with the claim, and nothing beside it.
        let path = Path::new(volume["spec"]["hostPath"]["path"].as_str().unwrap()).to_owned();
        let beside = path.with_file_name(format!("{name}-beside"));
        for directory in [&path, &beside] {
            std::fs::create_dir_all(directory).unwrap();
            std::fs::write(directory.join("file"), "x").unwrap();
        }
        bed.delete(CLAIMS, "data").await;
        until_gone(bed, CLAIMS, "data").await;
        until_gone(bed, VOLUMES, &name).await;
        assert!(!path.exists() && beside.join("file").exists());
        std::fs::remove_dir_all(beside).unwrap();
    })
    .await;
}

/// Asks for 7Gi; an error is the refusal's sentence.
async fn grow(bed: &Bed, claim: &str) -> Result<(), String> {
    let patch = json!({ "spec": { "resources": { "requests": { "storage": "7Gi" } } } });
    let patch = Patch::Merge(patch.to_string().into());
    let written = bed.objects.patch(&target(CLAIMS), claim, None, patch, WriteOptions::default()).await;
    written.map(drop).map_err(|status| status.message)
}

async fn select_node(bed: &Bed, claim: &str, node: &str) {
    let annotations = json!({ "volume.kubernetes.io/selected-node": node });
    bed.merge(CLAIMS, claim, json!({ "metadata": { "annotations": annotations } })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_made_says_why() {
    on_both(async |bed| {
        bed.create(claim("nowhere", json!("missing"))).await;
        let message = bed.until_event("nowhere", "ProvisioningFailed").await;
        assert_eq!(message, "storageclass.storage.k8s.io \"missing\" not found");
        // A class that comes later is noticed.
        bed.create(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "missing" },
            "provisioner": "rancher.io/local-path", "parameters": { "nodePath": "/etc" },
            "volumeBindingMode": "WaitForFirstConsumer",
        }))
        .await;
        bed.until_event("nowhere", "WaitForFirstConsumer").await;
        // A node that is not there is taken back, so that the scheduler chooses again.
        bed.until("the default class is there", CLASSES, |held| held.len() == 2).await;
        bed.create(claim("data", Value::Null)).await;
        select_node(bed, "data", "gone").await;
        let why = |claim: &str, rest: &str| format!("failed to provision volume with StorageClass \"{claim}\": {rest}");
        let message = bed.until_event("data", "ProvisioningFailed").await;
        assert_eq!(message, why("local-path", "node \"gone\" not found"));
        let chosen = |claim: &Value| claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"].clone();
        bed.until_one("the node is taken back", CLAIMS, "data", |claim| chosen(claim).is_null()).await;
        // No class leads out of the one directory.
        bed.create(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1" } })).await;
        select_node(bed, "nowhere", "n1").await;
        let is_it = |event: &Value| event["message"].as_str().unwrap_or_default().contains("parameter nodePath");
        bed.until("the parameter is refused", "events", |held| held.iter().any(is_it)).await;
        assert!(bed.list(VOLUMES).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_class_is_there_and_the_users_own() {
    on_both(async |bed| {
        let is_default = "storageclass.kubernetes.io/is-default-class";
        let there = |held: &[Value]| held.len() == 1 && held[0]["metadata"]["annotations"][is_default] == "true";
        let held = bed.until("it is there", CLASSES, there).await;
        assert_eq!(held[0]["provisioner"], "rancher.io/local-path");
        assert_eq!(held[0]["volumeBindingMode"], "WaitForFirstConsumer");
        let uid = held[0]["metadata"]["uid"].clone();
        bed.delete(CLASSES, "local-path").await;
        bed.until("it is back", CLASSES, |held| there(held) && held[0]["metadata"]["uid"] != uid).await;
        // What the user changes stays, and a claim that came before its class gets it later.
        bed.merge(CLASSES, "local-path", json!({ "metadata": { "annotations": { is_default: "false" } } })).await;
        until_class_is_seen(bed, "marker").await;
        bed.create(claim("early", Value::Null)).await;
        bed.until_event("early", "FailedBinding").await;
        let changed = bed.get(CLASSES, "local-path").await.unwrap();
        assert_eq!(changed["metadata"]["annotations"][is_default], "false");
        bed.create(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/x",
            "metadata": { "name": "other", "annotations": { is_default: "true" } },
        }))
        .await;
        bed.until_one("it has a class", CLAIMS, "early", |it| it["spec"]["storageClassName"] == "other").await;
        let message = bed.until_event("early", "ExternalProvisioning").await;
        assert!(message.contains("'example.com/x'"), "{message}");
    })
    .await;
}

/// Makes a class and waits until the controllers know it, and so whatever came before it.
async fn until_class_is_seen(bed: &Bed, name: &str) {
    bed.create(json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/marker",
        "metadata": { "name": name },
    }))
    .await;
    bed.create(claim(name, json!(name))).await;
    bed.until_event(name, "ExternalProvisioning").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_in_use_stays() {
    on_both(async |bed| {
        bed.create(volume("disk", "5Gi", "Retain")).await;
        bed.create(claim("data", json!(""))).await;
        until_phase(bed, CLAIMS, "data", "Bound").await;
        let source = json!({ "name": "v", "persistentVolumeClaim": { "claimName": "data" } });
        bed.create(pod("user", "n1", source.clone())).await;
        bed.create(pod("idle", "", source)).await;
        let guarded = |claim: &Value| claim["metadata"]["finalizers"] == json!(["kubernetes.io/pvc-protection"]);
        bed.until_one("it is protected", CLAIMS, "data", guarded).await;
        bed.until_one("the pod runs", "pods", "user", in_phase("Running")).await;
        bed.delete(CLAIMS, "data").await;
        // Another claim comes and goes meanwhile: by then this one was looked at.
        bed.create(claim("unused", json!(""))).await;
        bed.until_one("it is protected", CLAIMS, "unused", guarded).await;
        bed.delete(CLAIMS, "unused").await;
        until_gone(bed, CLAIMS, "unused").await;
        let held = bed.get(CLAIMS, "data").await.unwrap();
        assert!(held["metadata"]["deletionTimestamp"].is_string());
        assert_eq!(bed.get(VOLUMES, "disk").await.unwrap()["status"]["phase"], "Bound");
        delete_now(bed, "pods", "user").await;
        until_gone(bed, CLAIMS, "data").await;
        until_phase(bed, VOLUMES, "disk", "Released").await;
        bed.delete(VOLUMES, "disk").await;
        until_gone(bed, VOLUMES, "disk").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_brings_a_claim_of_its_own() {
    on_both(async |bed| {
        bed.until("the default class is there", CLASSES, |held| held.len() == 1).await;
        let mut template = claim("", Value::Null);
        template["metadata"] = json!({ "labels": { "of": "web" } });
        let template = json!({ "metadata": template["metadata"], "spec": template["spec"] });
        let source = json!({ "name": "scratch", "ephemeral": { "volumeClaimTemplate": template } });
        let made = bed.create(pod("web", "", source.clone())).await;
        let held = until_phase(bed, CLAIMS, "web-scratch", "Pending").await;
        let owner = &held["metadata"]["ownerReferences"][0];
        assert_eq!((&owner["uid"], &owner["controller"]), (&made["metadata"]["uid"], &json!(true)));
        assert_eq!(held["metadata"]["labels"], json!({ "of": "web" }));
        let message = bed.until_event("web-scratch", "WaitForPodScheduled").await;
        assert_eq!(message, "waiting for pod web to be scheduled");
        // It is made again when it is lost.
        bed.delete(CLAIMS, "web-scratch").await;
        let uid = &held["metadata"]["uid"];
        bed.until_one("it is back", CLAIMS, "web-scratch", |it| it["metadata"]["uid"] != *uid).await;
        // A claim of that name that is another's is not used.
        bed.create(claim("other-scratch", json!(""))).await;
        bed.create(pod("other", "", source)).await;
        let message = bed.until_event("other", "FailedBinding").await;
        let why = "PVC default/other-scratch was not created for pod default/other (pod is not owner)";
        assert_eq!(message, format!("ephemeral volume scratch: {why}"));
    })
    .await;
}
