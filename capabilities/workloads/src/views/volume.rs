//! Persistent volumes as controllers read them.

use api::Status;
use client::{Object, View};
use machinery::quantity::Quantity;
use serde::Deserialize;
use serde_json::Value;

use super::volume_claim::{Modes, filesystem, size};

/// Where the beta of Kubernetes' storage classes stood.
const OLDER_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// What controllers read of a persistent volume.
#[derive(Debug)]
pub(crate) struct Volume {
    pub(crate) capacity: Quantity,
    /// Empty for none.
    pub(crate) class: Box<str>,
    pub(crate) access_modes: Modes,
    pub(crate) volume_mode: Box<str>,
    /// What becomes of it when its claim is gone.
    pub(crate) reclaim_policy: Box<str>,
    /// The claim that it is for.
    pub(crate) claim: Option<ClaimRef>,
    /// Whether it can be reached from some nodes only.
    pub(crate) has_node_affinity: bool,
    /// Empty before it is looked at first.
    pub(crate) phase: Box<str>,
}

/// A volume's claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ClaimRef {
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
    /// Empty where a user keeps a volume for a claim that is yet to come.
    pub(crate) uid: Box<str>,
}

#[derive(Deserialize)]
struct Wire {
    spec: Spec,
    #[serde(default)]
    status: Reported,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    capacity: Value,
    #[serde(default)]
    storage_class_name: Box<str>,
    #[serde(default)]
    access_modes: Modes,
    #[serde(default = "filesystem")]
    volume_mode: Box<str>,
    #[serde(default)]
    persistent_volume_reclaim_policy: Box<str>,
    claim_ref: Option<ClaimRef>,
    #[serde(default)]
    node_affinity: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reported {
    phase: Box<str>,
}

impl View for Volume {
    fn read(object: &Object) -> Result<Self, Status> {
        let Wire { spec, status } = object.parse()?;
        let older = object.meta.annotations.get(OLDER_CLASS).map(|class| class.as_str().into());
        Ok(Volume {
            capacity: size(&spec.capacity).unwrap_or(Quantity::from_integer(0)),
            class: older.unwrap_or(spec.storage_class_name),
            access_modes: spec.access_modes,
            volume_mode: spec.volume_mode,
            reclaim_policy: spec.persistent_volume_reclaim_policy,
            claim: spec.claim_ref,
            has_node_affinity: !spec.node_affinity.is_null(),
            phase: status.phase,
        })
    }

    fn words(&self, _object: &Object) -> Vec<String> {
        match &self.claim {
            Some(claim) => vec![Volume::claimed_by(&claim.namespace, &claim.name)],
            None => vec![Volume::free_of_class(&self.class)],
        }
    }
}

impl Volume {
    /// The word of the volumes that are for a claim, by its names.
    pub(crate) fn claimed_by(namespace: &str, name: &str) -> String {
        format!("claimed={namespace}/{name}")
    }

    /// The word of the volumes of a class that are for nobody.
    pub(crate) fn free_of_class(class: &str) -> String {
        format!("free={class}")
    }
}
