//! Replica sets as controllers read them, and replication controllers, which are
//! the same under an older name.

use api::Status;
use client::{Object, View};
use machinery::selector::LabelSelector;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ownership;
use crate::template;

/// What controllers read of a replica set, or of a replication controller.
#[derive(Debug)]
pub(crate) struct ReplicaSet {
    /// Whether it is a replication controller.
    pub(crate) is_older: bool,
    pub(crate) replicas: i64,
    pub(crate) min_ready_secs: i64,
    pub(crate) selector: LabelSelector,
    /// Tells its template from others.
    pub(crate) fingerprint: String,
    pub(crate) status: Counts,
    /// Its condition `ReplicaFailure`: why it could not make or delete pods.
    pub(crate) failure: Option<Value>,
}

/// What it counted last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Counts {
    pub(crate) replicas: i64,
    pub(crate) ready_replicas: i64,
    pub(crate) available_replicas: i64,
    /// Absent if it was written by somebody who does not count them.
    pub(crate) terminating_replicas: Option<i64>,
    pub(crate) observed_generation: i64,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    kind: String,
    spec: Spec,
    #[serde(default)]
    status: WireStatus,
}

#[derive(Default, Deserialize)]
struct WireStatus {
    #[serde(flatten)]
    counts: Counts,
    #[serde(default)]
    conditions: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default = "one")]
    replicas: i64,
    #[serde(default)]
    min_ready_seconds: i64,
    #[serde(default)]
    selector: Value,
    #[serde(default)]
    template: Value,
}

fn one() -> i64 {
    1
}

impl View for ReplicaSet {
    fn read(object: &Object) -> Result<Self, Status> {
        let wire: Wire = object.parse()?;
        let is_older = wire.kind == "ReplicationController";
        // The older kind has labels where the newer one has a selector.
        let selector = if is_older { json!({ "matchLabels": wire.spec.selector }) } else { wire.spec.selector };
        let selector = LabelSelector::from_object(&selector).map_err(Status::internal)?;
        Ok(ReplicaSet {
            is_older,
            replicas: wire.spec.replicas,
            min_ready_secs: wire.spec.min_ready_seconds,
            selector,
            fingerprint: template::fingerprint(&wire.spec.template),
            status: wire.status.counts,
            failure: wire.status.conditions.into_iter().find(|condition| condition["type"] == "ReplicaFailure"),
        })
    }

    fn words(&self, object: &Object) -> Vec<String> {
        vec![ownership(object)]
    }
}
