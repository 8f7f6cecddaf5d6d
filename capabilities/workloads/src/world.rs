//! What all controllers of this capability share: one live copy of each kind
//! and the means to write. It decides nothing.

use base::{Clock, Ids, Tasks};
use capability::Context;
use controller::Recorder;

use crate::resource::Resource;
use crate::views::{
    CronJob, DaemonSet, Deployment, DisruptionBudget, Job, Node, Pod, ReplicaSet, Revision, StatefulSet, StorageClass,
    Volume, VolumeClaim,
};

/// Live copies and writers of the kinds that several controllers need. Cheap to clone.
#[derive(Clone)]
pub(crate) struct World {
    ctx: Context,
    pub(crate) pods: Resource<Pod>,
    pub(crate) nodes: Resource<Node>,
    pub(crate) replica_sets: Resource<ReplicaSet>,
    pub(crate) daemon_sets: Resource<DaemonSet>,
    pub(crate) stateful_sets: Resource<StatefulSet>,
    pub(crate) revisions: Resource<Revision>,
    pub(crate) volume_claims: Resource<VolumeClaim>,
    pub(crate) deployments: Resource<Deployment>,
    pub(crate) jobs: Resource<Job>,
    pub(crate) cron_jobs: Resource<CronJob>,
    pub(crate) disruption_budgets: Resource<DisruptionBudget>,
    pub(crate) volumes: Resource<Volume>,
    pub(crate) storage_classes: Resource<StorageClass>,
}

impl World {
    /// Begins to follow every kind.
    pub(crate) fn start(ctx: &Context) -> World {
        World {
            pods: Resource::start(ctx, "", "v1", "pods"),
            nodes: Resource::start(ctx, "", "v1", "nodes"),
            replica_sets: Resource::start(ctx, "apps", "v1", "replicasets"),
            daemon_sets: Resource::start(ctx, "apps", "v1", "daemonsets"),
            stateful_sets: Resource::start(ctx, "apps", "v1", "statefulsets"),
            revisions: Resource::start(ctx, "apps", "v1", "controllerrevisions"),
            volume_claims: Resource::start(ctx, "", "v1", "persistentvolumeclaims"),
            deployments: Resource::start(ctx, "apps", "v1", "deployments"),
            jobs: Resource::start(ctx, "batch", "v1", "jobs"),
            cron_jobs: Resource::start(ctx, "batch", "v1", "cronjobs"),
            disruption_budgets: Resource::start(ctx, "policy", "v1", "poddisruptionbudgets"),
            volumes: Resource::start(ctx, "", "v1", "persistentvolumes"),
            storage_classes: Resource::start(ctx, "storage.k8s.io", "v1", "storageclasses"),
            ctx: ctx.clone(),
        }
    }

    /// What the capability was given.
    pub(crate) fn ctx(&self) -> &Context {
        &self.ctx
    }

    /// The time.
    pub(crate) fn clock(&self) -> &Clock {
        &self.ctx.clock
    }

    /// Random ids.
    pub(crate) fn ids(&self) -> &Ids {
        &self.ctx.ids
    }

    /// Where controllers run.
    pub(crate) fn tasks(&self) -> &Tasks {
        &self.ctx.tasks
    }

    /// A recorder of events that name this component as their source.
    pub(crate) fn recorder(&self, component: &str) -> Recorder {
        Recorder::new(self.ctx.objects.clone(), self.ctx.clock.clone(), self.ctx.ids.clone(), component)
    }
}
