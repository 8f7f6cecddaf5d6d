//! Claims of persistent volumes as controllers read them.

use api::Status;
use client::{Object, View};
use machinery::quantity::Quantity;
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

/// Ways in which a volume can be mounted.
pub(crate) type Modes = Box<[Box<str>]>;

/// An annotation of a claim: its class, as the beta named it.
const OLDER_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// An annotation of a claim: both sides were bound. Without its volume it is lost from then on.
pub(crate) const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// An annotation of a claim or a volume: it was not the user who chose the other side.
pub(crate) const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// An annotation of a claim: the node of the pod that needs it, from the scheduler.
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// What controllers read of a claim.
#[derive(Debug)]
pub(crate) struct VolumeClaim {
    /// Empty until it is bound, unless the user names a volume.
    pub(crate) volume_name: Box<str>,
    /// `None` if it names no class; empty if it wants none.
    class: Option<Box<str>>,
    pub(crate) access_modes: Modes,
    pub(crate) volume_mode: Box<str>,
    /// How much it asks for.
    pub(crate) request: Quantity,
    /// The volumes it may have, if it says so.
    pub(crate) selector: Option<LabelSelector>,
    pub(crate) phase: Box<str>,
    /// How much it has.
    pub(crate) capacity: Option<Quantity>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Reported,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    volume_name: Box<str>,
    storage_class_name: Option<Box<str>>,
    #[serde(default)]
    access_modes: Modes,
    #[serde(default = "filesystem")]
    volume_mode: Box<str>,
    #[serde(default)]
    resources: Resources,
    #[serde(default)]
    selector: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reported {
    phase: Box<str>,
    capacity: Value,
}

pub(super) fn filesystem() -> Box<str> {
    "Filesystem".into()
}

/// The storage among amounts of resources.
pub(super) fn size(amounts: &Value) -> Option<Quantity> {
    amounts.get("storage").and_then(Quantity::from_json)
}

impl View for VolumeClaim {
    fn read(object: &Object) -> Result<Self, Status> {
        let Wire { spec, status } = object.parse()?;
        let selector = match &spec.selector {
            Value::Null => None,
            stated => Some(LabelSelector::from_object(stated).map_err(Status::internal)?),
        };
        let older = object.meta.annotations.get(OLDER_CLASS).map(|class| class.as_str().into());
        Ok(VolumeClaim {
            volume_name: spec.volume_name,
            class: older.or(spec.storage_class_name),
            access_modes: spec.access_modes,
            volume_mode: spec.volume_mode,
            request: size(&spec.resources.requests).unwrap_or(Quantity::from_integer(0)),
            selector,
            phase: status.phase,
            capacity: size(&status.capacity),
        })
    }

    fn words(&self, object: &Object) -> Vec<String> {
        let mut words = Vec::new();
        if !self.volume_name.is_empty() {
            words.push(VolumeClaim::of_volume(&self.volume_name));
        }
        if !object.meta.annotations.contains_key(BIND_COMPLETED) {
            words.push(VolumeClaim::unbound_of_class(self.class()));
        }
        words
    }
}

impl VolumeClaim {
    /// The word of the claims that name a volume.
    pub(crate) fn of_volume(name: &str) -> String {
        format!("volume={name}")
    }

    /// The word of the claims of a class that are not bound.
    pub(crate) fn unbound_of_class(class: &str) -> String {
        format!("unbound={class}")
    }

    /// Its class; empty for none.
    pub(crate) fn class(&self) -> &str {
        self.class.as_deref().unwrap_or_default()
    }

    /// Whether it says which class it is of, even if of none.
    pub(crate) fn names_class(&self) -> bool {
        self.class.is_some()
    }
}
