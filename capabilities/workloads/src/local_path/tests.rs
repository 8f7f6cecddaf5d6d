//! Tables of what is made, and of what may be removed.

use std::path::Path;

use api::ClusterName;
use client::{Item, Object, View};
use serde_json::{Value, json};

use super::decide::{Ask, End, Step, end, step};
use super::place::Root;
use crate::views::{StorageClass, Volume, VolumeClaim};

const US: &str = "rancher.io/local-path";

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

fn root() -> Root {
    Root::below(Path::new("/var/platform"))
}

fn claim(annotations: Value, spec: Value) -> Item<VolumeClaim> {
    let mut whole = json!({
        "accessModes": ["ReadWriteOnce"], "storageClassName": "local-path",
        "resources": { "requests": { "storage": "3Gi" } },
    });
    spec.as_object().unwrap().iter().for_each(|(name, value)| whole[name] = value.clone());
    let meta = json!({ "name": "data", "namespace": "default", "uid": "u1", "annotations": annotations });
    let status = json!({ "phase": "Bound", "capacity": { "storage": "2Gi" } });
    item(&json!({ "metadata": meta, "spec": whole, "status": status }))
}

fn class(mode: &str, parameters: Value) -> Item<StorageClass> {
    item(&json!({
        "metadata": { "name": "local-path" }, "provisioner": US, "reclaimPolicy": "Delete",
        "volumeBindingMode": mode, "parameters": parameters, "mountOptions": ["noatime"],
    }))
}

fn node() -> Object {
    let node = json!({ "metadata": { "name": "n1", "labels": { "kubernetes.io/hostname": "host-1" } } });
    Object::from_json(ClusterName::root(), node.to_string().into()).unwrap()
}

fn volume(changes: Value) -> Item<Volume> {
    let mut volume = json!({
        "metadata": { "name": "pvc-u1", "annotations": { "pv.kubernetes.io/provisioned-by": US } },
        "spec": {
            "capacity": { "storage": "2Gi" }, "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Delete",
        },
        "status": { "phase": "Bound" },
    });
    for (part, fields) in changes.as_object().unwrap() {
        fields.as_object().unwrap().iter().for_each(|(name, value)| volume[part][name] = value.clone());
    }
    item(&volume)
}

fn chosen() -> Value {
    json!({ "volume.kubernetes.io/selected-node": "n1" })
}

#[test]
fn a_volume_lies_on_the_node_of_the_pod() {
    let (claim, class, node) = (claim(chosen(), json!({})), class("WaitForFirstConsumer", json!({})), node());
    let ask = Ask { claim: &claim, class: Some(&class), node: Some(&node), is_made: false, volume: None };
    let Step::Make(volume) = step(&ask, &root(), US) else { panic!("nothing is made") };
    assert_eq!(volume["metadata"]["name"], "pvc-u1");
    assert_eq!(volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"], US);
    assert_eq!(volume["metadata"]["finalizers"], json!(["external-provisioner.volume.kubernetes.io/finalizer"]));
    let spec = &volume["spec"];
    let path = "/var/platform/local-path/pvc-u1_default_data";
    assert_eq!(spec["hostPath"], json!({ "path": path, "type": "DirectoryOrCreate" }));
    assert_eq!((&spec["capacity"]["storage"], &spec["claimRef"]["uid"]), (&json!("3Gi"), &json!("u1")));
    assert_eq!((&spec["mountOptions"], &spec["storageClassName"]), (&json!(["noatime"]), &json!("local-path")));
    let term = &spec["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0];
    assert_eq!(*term, json!({ "key": "kubernetes.io/hostname", "operator": "In", "values": ["host-1"] }));
    // What is made can be removed again.
    assert!(root().checked(path, "pvc-u1").is_ok());
}

#[test]
fn a_claim_can_ask_for_a_local_volume() {
    let mut annotations = chosen();
    annotations["volumeType"] = json!("local");
    let (claim, class, node) = (claim(annotations, json!({})), class("WaitForFirstConsumer", json!({})), node());
    let ask = Ask { claim: &claim, class: Some(&class), node: Some(&node), is_made: false, volume: None };
    let Step::Make(volume) = step(&ask, &root(), US) else { panic!("nothing is made") };
    assert_eq!(volume["spec"]["local"]["path"], "/var/platform/local-path/pvc-u1_default_data");
    assert!(volume["spec"]["hostPath"].is_null());
}

#[test]
fn a_claim_is_served_refused_or_waits() {
    let wait = || class("WaitForFirstConsumer", json!({}));
    let check = |claim: &Item<VolumeClaim>, class: &Item<StorageClass>, has_node: bool, is_made: bool, expect: &str| {
        let node = has_node.then(node);
        let ask = Ask { claim, class: Some(class), node: node.as_ref(), is_made, volume: None };
        let found = format!("{:?}", step(&ask, &root(), US));
        assert!(found.starts_with(expect), "{found}");
    };
    check(&claim(chosen(), json!({})), &wait(), true, false, "Make");
    check(&claim(chosen(), json!({})), &wait(), true, true, "Nothing");
    check(&claim(json!({}), json!({})), &wait(), false, false, "Nothing");
    check(&claim(chosen(), json!({ "volumeName": "other" })), &wait(), true, false, "Nothing");
    let immediate = class("Immediate", json!({}));
    let no_node = "Refuse(\"configuration error, no node was specified\")";
    check(&claim(json!({}), json!({})), &immediate, false, false, no_node);
    check(&claim(chosen(), json!({})), &wait(), false, false, "Reschedule(\"node \\\"n1\\\" not found\")");
    for spec in [
        json!({ "accessModes": ["ReadWriteMany"] }),
        json!({ "volumeMode": "Block" }),
        json!({ "selector": { "matchLabels": { "a": "b" } } }),
    ] {
        check(&claim(chosen(), spec), &wait(), true, false, "Refuse");
    }
    let elsewhere = class("WaitForFirstConsumer", json!({ "nodePath": "/etc" }));
    check(&claim(chosen(), json!({})), &elsewhere, true, false, "Refuse");
    let other = item(&json!({ "metadata": { "name": "local-path" }, "provisioner": "x/y" }));
    check(&claim(chosen(), json!({})), &other, true, false, "Nothing");
}

#[test]
fn only_a_bound_claim_of_ours_grows() {
    let done = json!({ "pv.kubernetes.io/bind-completed": "yes" });
    let check = |request: &str, volume: &Item<Volume>, grows: bool| {
        let spec = json!({ "volumeName": "pvc-u1", "resources": { "requests": { "storage": request } } });
        let claim = claim(done.clone(), spec);
        let ask = Ask { claim: &claim, class: None, node: None, is_made: true, volume: Some(volume) };
        assert_eq!(matches!(step(&ask, &root(), US), Step::Grow(_)), grows, "{request}");
    };
    check("3Gi", &volume(json!({})), true);
    check("2Gi", &volume(json!({})), false);
    check("1Gi", &volume(json!({})), false);
    check("3Gi", &volume(json!({ "metadata": { "annotations": {} } })), false);
}

#[test]
fn a_volume_goes_when_it_is_released_or_is_let_go() {
    let check = |changes: Value, expect: End| assert_eq!(end(&volume(changes)), expect);
    let (retain, going) = (json!("Retain"), json!("2026-01-01T00:00:00Z"));
    check(json!({}), End::Nothing);
    check(json!({ "status": { "phase": "Released" } }), End::Delete);
    check(json!({ "metadata": { "deletionTimestamp": going } }), End::Nothing);
    check(json!({ "metadata": { "deletionTimestamp": going }, "status": { "phase": "Released" } }), End::Delete);
    check(
        json!({ "spec": { "persistentVolumeReclaimPolicy": retain }, "status": { "phase": "Released" } }),
        End::Nothing,
    );
    let kept =
        json!({ "metadata": { "deletionTimestamp": going }, "spec": { "persistentVolumeReclaimPolicy": retain } });
    check(kept, End::LetGo);
}

#[test]
fn nothing_but_a_volumes_own_directory_is_removed() {
    let check = |path: &str, volume: &str, expect: bool| {
        assert_eq!(root().checked(path, volume).is_ok(), expect, "{path:?} of {volume:?}");
    };
    check("/var/platform/local-path/pvc-1_default_data", "pvc-1", true);
    check("/var/platform/local-path/pvc-1_a.b", "pvc-1", true);
    for path in [
        "",
        "/",
        "/etc",
        "/var/platform/local-path",
        "/var/platform/local-path/",
        "/var/platform/local-path/pvc-1",
        "/var/platform/local-path/pvc-2_default_data",
        "/var/platform/local-path/pvc-11_default_data",
        "/var/platform/local-path/pvc-1_x/inner",
        "/var/platform/local-path/../pvc-1_x",
        "/var/platform/local-path/pvc-2_y/../pvc-1_x",
        "/var/platform/local-path/pvc-1_x/..",
        "/var/platform/local-path/./../local-path/pvc-1_x",
        "/var/platform/other/pvc-1_x",
        "local-path/pvc-1_x",
        "pvc-1_x",
    ] {
        check(path, "pvc-1", false);
    }
    check("/var/platform/local-path/_x", "", false);
}

#[tokio::test]
async fn links_are_removed_and_not_followed() {
    let outside = std::env::temp_dir().join(format!("coracle-{}", base::Ids::system().token_hex(8)));
    let (root, kept) = (Root::below(&outside), outside.join("kept"));
    let own = root.of("pvc-1", "default", "data");
    for directory in [Path::new(&own), &kept] {
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(directory.join("file"), "x").unwrap();
    }
    std::os::unix::fs::symlink(&kept, Path::new(&own).join("link")).unwrap();
    root.remove(&own, "pvc-1").await.unwrap();
    assert!(!Path::new(&own).exists() && kept.join("file").exists());
    // A second time, and what was a link from the start.
    root.remove(&own, "pvc-1").await.unwrap();
    std::os::unix::fs::symlink(&kept, &own).unwrap();
    root.remove(&own, "pvc-1").await.unwrap();
    assert!(kept.join("file").exists());
    std::fs::remove_dir_all(&outside).unwrap();
}
