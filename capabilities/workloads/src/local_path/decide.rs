//! What a claim of this provisioner needs: a volume, more room, or nothing; and
//! why it cannot have it. Pure.

use client::{Item, Object};
use serde_json::{Value, json};

use super::place::Root;
use crate::views::{BIND_COMPLETED, SELECTED_NODE, StorageClass, Volume, VolumeClaim};
use crate::volumes::{PROVISIONED_BY, claim_ref};

const HOSTNAME: &str = "kubernetes.io/hostname";
/// The annotation of a claim, and that of a class, by which the volume is a `local` or a
/// `hostPath` one.
const VOLUME_TYPE: &str = "volumeType";
const DEFAULT_VOLUME_TYPE: &str = "defaultVolumeType";
/// Where Rancher's provisioner says for which node a volume is.
const NODE_OF_VOLUME: &str = "local.path.provisioner/selected-node";

/// Keeps a volume until its directory is gone, whoever deletes it.
pub(super) const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";

/// A claim and what there is around it.
pub(super) struct Ask<'a> {
    pub(super) claim: &'a Item<VolumeClaim>,
    pub(super) class: Option<&'a Item<StorageClass>>,
    /// The node that the scheduler chose, if it is there.
    pub(super) node: Option<&'a Object>,
    /// Whether the volume of the claim's own name is there.
    pub(super) is_made: bool,
    /// The volume that the claim names.
    pub(super) volume: Option<&'a Item<Volume>>,
}

/// What is to be done for a claim.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Nothing,
    Make(Value),
    /// It cannot be served as it is.
    Refuse(String),
    /// It cannot be served on the node that was chosen.
    Reschedule(String),
    /// Its volume gets as much room as it asks for.
    Grow(&'a Item<Volume>),
}

/// The name of the volume that is made for a claim.
pub(super) fn volume_name(claim: &Item<VolumeClaim>) -> String {
    format!("pvc-{}", claim.object.meta.uid)
}

/// Decides about a claim.
pub(super) fn step<'a>(ask: &Ask<'a>, root: &Root, provisioner: &str) -> Step<'a> {
    let (meta, view) = (&ask.claim.object.meta, &ask.claim.view);
    if let Some(volume) = ask.volume
        && meta.annotations.contains_key(BIND_COMPLETED)
    {
        let is_ours = made_by(volume, provisioner);
        let wants_more = &*view.phase == "Bound" && view.capacity.is_some_and(|held| held < view.request);
        return if is_ours && wants_more { Step::Grow(volume) } else { Step::Nothing };
    }
    let is_waiting = view.volume_name.is_empty() && !meta.is_deleting() && !ask.is_made;
    let class = ask.class.filter(|class| &*class.view.provisioner == provisioner);
    let Some(class) = class.filter(|_| is_waiting) else { return Step::Nothing };
    let Some(chosen) = meta.annotations.get(SELECTED_NODE) else {
        // The scheduler has not chosen yet; or it never will, as the class does not wait for it.
        return match class.view.waits_for_consumer() {
            true => Step::Nothing,
            false => Step::Refuse("configuration error, no node was specified".to_owned()),
        };
    };
    let Some(node) = ask.node else { return Step::Reschedule(format!("node {chosen:?} not found")) };
    match refusal(ask.claim, class) {
        Some(why) => Step::Refuse(why),
        None => Step::Make(volume(ask.claim, class, node, root, provisioner)),
    }
}

fn refusal(claim: &Item<VolumeClaim>, class: &Item<StorageClass>) -> Option<String> {
    let is_single = |mode: &str| matches!(mode, "ReadWriteOnce" | "ReadWriteOncePod");
    if claim.view.selector.is_some() {
        return Some("claim.Spec.Selector is not supported".to_owned());
    }
    if !claim.view.access_modes.iter().all(|mode| is_single(mode)) {
        return Some("NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes".to_owned());
    }
    if &*claim.view.volume_mode != "Filesystem" {
        return Some("block volumes are not supported".to_owned());
    }
    // Each would lead out of the one directory that is ours.
    let other = class.view.parameters.keys().find(|name| matches!(&***name, "nodePath" | "pathPattern"));
    other.map(|name| format!("the parameter {name} of the class is not supported: all volumes lie in one directory"))
}

/// The volume to make.
fn volume(
    claim: &Item<VolumeClaim>,
    class: &Item<StorageClass>,
    node: &Object,
    root: &Root,
    provisioner: &str,
) -> Value {
    let (meta, name) = (&claim.object.meta, volume_name(claim));
    let path = root.of(&name, &meta.namespace, &meta.name);
    let host = node.meta.labels.get(HOSTNAME).unwrap_or(&node.meta.name);
    let modes: Vec<&str> = claim.view.access_modes.iter().map(|mode| &**mode).collect();
    let expression = json!({ "key": HOSTNAME, "operator": "In", "values": [host] });
    let mut spec = json!({
        "capacity": { "storage": claim.view.request.to_string() },
        "accessModes": modes,
        "volumeMode": "Filesystem",
        "persistentVolumeReclaimPolicy": &*class.view.reclaim_policy,
        "storageClassName": claim.view.class(),
        "claimRef": claim_ref(claim),
        "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [expression] }] } },
    });
    let annotations = (&meta.annotations, &class.object.meta.annotations);
    let stated = annotations.0.get(VOLUME_TYPE).or_else(|| annotations.1.get(DEFAULT_VOLUME_TYPE));
    if stated.is_some_and(|kind| kind.eq_ignore_ascii_case("local")) {
        spec["local"] = json!({ "path": path });
    } else {
        spec["hostPath"] = json!({ "path": path, "type": "DirectoryOrCreate" });
    }
    if !class.view.mount_options.is_empty() {
        let options: Vec<&str> = class.view.mount_options.iter().map(|option| &**option).collect();
        spec["mountOptions"] = json!(options);
    }
    let finalizers: &[&str] = if &*class.view.reclaim_policy == "Delete" { &[FINALIZER] } else { &[] };
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "finalizers": finalizers,
            "annotations": { PROVISIONED_BY: provisioner, NODE_OF_VOLUME: node.meta.name },
        },
        "spec": spec,
    })
}

fn made_by(volume: &Item<Volume>, provisioner: &str) -> bool {
    volume.object.meta.annotations.get(PROVISIONED_BY).is_some_and(|by| by == provisioner)
}

/// What a volume comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Nothing,
    /// It goes, with all it holds.
    Delete,
    /// It goes, and what it holds stays.
    LetGo,
}

/// Decides about a volume of ours.
pub(super) fn end(volume: &Item<Volume>) -> End {
    let is_deleted = &*volume.view.reclaim_policy == "Delete";
    match (&*volume.view.phase, is_deleted) {
        ("Released", true) => End::Delete,
        (_, false) if volume.object.meta.is_deleting() => End::LetGo,
        _ => End::Nothing,
    }
}

/// Where a volume lies; empty if it is of another kind.
pub(super) fn path(volume: &Value) -> String {
    let sources = ["hostPath", "local"].map(|source| volume["spec"][source]["path"].as_str());
    sources.into_iter().flatten().next().unwrap_or_default().to_owned()
}
