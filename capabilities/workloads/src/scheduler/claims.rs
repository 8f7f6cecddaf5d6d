//! Volume claims, volumes and classes as the scheduler reads them.

use std::collections::BTreeMap;

use api::Status;
use client::Object;
use machinery::quantity::Quantity;
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use crate::fit::NodeSelector;

/// Where the scheduler says for which node a volume is to be made.
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// A claim that a pod uses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClaimUse {
    pub(super) name: Box<str>,
    /// Whether the claim is made for this pod and goes with it.
    pub(super) is_ephemeral: bool,
}

/// The claims among the volumes of a pod.
pub(super) fn used(volumes: &[Value], pod: &str) -> Box<[ClaimUse]> {
    let claim = |volume: &Value| match volume["persistentVolumeClaim"]["claimName"].as_str() {
        Some(name) => Some(ClaimUse { name: name.into(), is_ephemeral: false }),
        None if volume["ephemeral"].is_null() => None,
        None => {
            let name = format!("{pod}-{}", volume["name"].as_str().unwrap_or_default());
            Some(ClaimUse { name: name.into(), is_ephemeral: true })
        }
    };
    volumes.iter().filter_map(claim).collect()
}

/// A claim.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) object: Object,
    pub(super) volume: Box<str>,
    pub(super) class: Box<str>,
    pub(super) is_bound: bool,
    pub(super) is_lost: bool,
    pub(super) size: i64,
    pub(super) access_modes: Box<[Box<str>]>,
    pub(super) volume_mode: Box<str>,
    /// What volumes it takes; everything if it does not say.
    pub(super) selector: LabelSelector,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimWire {
    spec: ClaimSpec,
    status: Phase,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimSpec {
    volume_name: Box<str>,
    storage_class_name: Box<str>,
    access_modes: Box<[Box<str>]>,
    volume_mode: Box<str>,
    selector: Value,
    resources: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Phase {
    phase: Box<str>,
}

impl Claim {
    /// Reads a claim.
    pub(super) fn read(object: &Object) -> Result<Claim, Status> {
        let ClaimWire { spec, status } = object.parse()?;
        let selector = match &spec.selector {
            Value::Null => LabelSelector::everything(),
            stated => LabelSelector::from_object(stated).map_err(Status::internal)?,
        };
        let is_complete = &*status.phase == "Bound" || object.meta.annotations.contains_key(BIND_COMPLETED);
        Ok(Claim {
            is_bound: !spec.volume_name.is_empty() && is_complete,
            is_lost: &*status.phase == "Lost",
            volume: spec.volume_name,
            class: spec.storage_class_name,
            size: bytes(&spec.resources["requests"]["storage"]),
            access_modes: spec.access_modes,
            volume_mode: spec.volume_mode,
            selector,
            object: object.clone(),
        })
    }

    /// The node for which its volume is being made.
    pub(super) fn selected_node(&self) -> Option<&str> {
        self.object.meta.annotations.get(SELECTED_NODE).map(String::as_str)
    }
}

/// A volume.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) object: Object,
    pub(super) class: Box<str>,
    pub(super) size: i64,
    pub(super) access_modes: Box<[Box<str>]>,
    pub(super) volume_mode: Box<str>,
    pub(super) required: Option<NodeSelector>,
    /// The claim it is for: namespace, name and, once it is known, uid.
    pub(super) claim: Option<(Box<str>, Box<str>, Box<str>)>,
    pub(super) is_available: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VolumeWire {
    spec: VolumeSpec,
    status: Phase,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VolumeSpec {
    storage_class_name: Box<str>,
    capacity: Value,
    access_modes: Box<[Box<str>]>,
    volume_mode: Box<str>,
    claim_ref: Value,
    node_affinity: VolumeAffinity,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VolumeAffinity {
    required: Option<NodeSelector>,
}

impl Volume {
    /// Reads a volume.
    pub(super) fn read(object: &Object) -> Result<Volume, Status> {
        let VolumeWire { spec, status } = object.parse()?;
        let text = |field: &str| spec.claim_ref[field].as_str().unwrap_or_default().into();
        Ok(Volume {
            claim: (!spec.claim_ref.is_null()).then(|| (text("namespace"), text("name"), text("uid"))),
            class: spec.storage_class_name,
            size: bytes(&spec.capacity["storage"]),
            access_modes: spec.access_modes,
            volume_mode: spec.volume_mode,
            required: spec.node_affinity.required,
            is_available: matches!(&*status.phase, "Available" | "Pending" | "") && !object.meta.is_deleting(),
            object: object.clone(),
        })
    }

    /// Whether a node of this name and these labels can reach it.
    pub(super) fn is_reached_from(&self, node: &str, labels: &BTreeMap<String, String>) -> bool {
        self.required.as_ref().is_none_or(|required| required.matches(node, labels))
    }
}

/// A class of volumes.
#[derive(Debug)]
pub(super) struct Class {
    /// Whether claims wait for a pod before they are bound.
    pub(super) waits: bool,
    pub(super) provisions: bool,
    /// Where volumes can be made, in alternatives of label values; anywhere if empty.
    pub(super) topologies: Box<[BTreeMap<String, Vec<String>>]>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClassWire {
    provisioner: Box<str>,
    volume_binding_mode: Box<str>,
    allowed_topologies: Vec<TopologyTerm>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TopologyTerm {
    match_label_expressions: Vec<TopologyLabel>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TopologyLabel {
    key: String,
    values: Vec<String>,
}

impl Class {
    /// Reads a class.
    pub(super) fn read(object: &Object) -> Result<Class, Status> {
        let wire: ClassWire = object.parse()?;
        let labels = |term: TopologyTerm| {
            term.match_label_expressions.into_iter().map(|label| (label.key, label.values)).collect()
        };
        Ok(Class {
            waits: &*wire.volume_binding_mode == "WaitForFirstConsumer",
            provisions: !wire.provisioner.is_empty() && &*wire.provisioner != NO_PROVISIONER,
            topologies: wire.allowed_topologies.into_iter().map(labels).collect(),
        })
    }

    /// Whether volumes can be made for a node with these labels.
    pub(super) fn serves(&self, labels: &BTreeMap<String, String>) -> bool {
        let holds = |term: &BTreeMap<String, Vec<String>>| {
            term.iter().all(|(key, values)| labels.get(key).is_some_and(|held| values.contains(held)))
        };
        self.topologies.is_empty() || self.topologies.iter().any(holds)
    }
}

fn bytes(quantity: &Value) -> i64 {
    Quantity::from_json(quantity).map_or(0, |quantity| quantity.value())
}
