//! What controllers read of each kind, and the words by which they find
//! objects. A view holds what is asked for often; the rest is read from the
//! object when it is needed.

mod daemon_set;
mod int_or_percent;
mod deployment;
mod disruption_budget;
mod cron_job;
mod job;
mod node;
mod pod;
mod replica_set;
mod revision;
mod stateful_set;
mod storage_class;
mod volume;
mod volume_claim;

pub(crate) use cron_job::{ConcurrencyPolicy, CronJob, CronJobStatus, Reference};
pub(crate) use daemon_set::{DaemonSet, DaemonStrategy};
pub(crate) use deployment::{Deployment, DeploymentCondition, DeploymentStatus, Strategy};
pub(crate) use disruption_budget::DisruptionBudget;
pub(crate) use int_or_percent::IntOrPercent;
pub(crate) use job::{
    ExitCodeOperator, FailureAction, FailureRule, Job, JobCondition, JobStatus, OnExitCodes, SuccessPolicy,
    SuccessRule, TRACKING, Uncounted, is_tracked,
};
pub(crate) use node::{HeldTaint, Node};
pub(crate) use pod::{ContainerStatus, Phase, Pod};
pub(crate) use replica_set::ReplicaSet;
pub(crate) use revision::{Revision, record};
pub(crate) use stateful_set::{Retention, StatefulSet, UpdateStrategy};
pub(crate) use storage_class::{StorageClass, is_default};
pub(crate) use volume::Volume;
pub(crate) use volume_claim::{BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE, VolumeClaim};

use client::Object;

/// The word of everything that the owner with this uid controls.
pub(crate) fn owned_by(uid: &str) -> String {
    format!("owner={uid}")
}

/// The word of everything in a namespace that nobody controls.
pub(crate) fn orphan_in(namespace: &str) -> String {
    format!("orphan={namespace}")
}

/// The word by which an object is found through its owner, or as an orphan.
fn ownership(object: &Object) -> String {
    match object.meta.controller() {
        Some(owner) => owned_by(&owner.uid),
        None => orphan_in(&object.meta.namespace),
    }
}
