//! The controllers that make pods of workloads and find nodes for them, as
//! kube-controller-manager and kube-scheduler do, on nodes that are simulated.
//! They are told by watches, decide in pure functions and never poll; they must
//! never know another capability.

mod settings;
mod world;

mod batch;
mod claim;
mod fit;
mod resource;
mod revisions;
mod template;
mod views;

mod acceptance;
mod autoscaler;
mod kinds;

mod cron_jobs;
mod daemon_sets;
mod deployments;
mod jobs;
mod pod_collection;
mod ttl;
mod metrics;
mod replica_sets;
mod stateful_sets;

mod disruption;
mod ephemeral;
mod local_path;
mod protection;
mod volumes;

mod node_lifecycle;
mod scheduler;
mod simulated;
mod taint_eviction;

use base::Diagnostic;
use capability::{Capability, Context, Descriptor, Plane, Route};
use futures::future::BoxFuture;

use settings::Settings;
use world::World;

/// The capability.
pub fn capability() -> impl Capability {
    Workloads
}

struct Workloads;

impl Capability for Workloads {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            name: "workloads",
            plane: Plane::Resource,
            summary: "Deployments, stateful sets, jobs and their kin become pods; pods find nodes.",
            speaks: "kube-controller-manager: workloads, volumes, disruption, autoscaling; kube-scheduler",
            kinds: kinds::DEFINITIONS,
            needs: &[],
            animates: &[
                "Pod",
                "PersistentVolume",
                "PersistentVolumeClaim",
                "ReplicationController",
                "apps/DaemonSet",
                "apps/Deployment",
                "apps/ReplicaSet",
                "apps/StatefulSet",
                "autoscaling/HorizontalPodAutoscaler",
                "batch/CronJob",
                "batch/Job",
                "policy/PodDisruptionBudget",
            ],
            providers: &["embedded", "off"],
        }
    }

    fn provision(&self, ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>> {
        Box::pin(async move { read_settings(&ctx).map(|_| Vec::new()) })
    }

    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>> {
        Box::pin(async move {
            let settings = read_settings(&ctx)?;
            let world = World::start(&ctx);
            deployments::start(&world);
            replica_sets::start(&world);
            simulated::start(&world, settings.simulated_nodes);
            stateful_sets::start(&world);
            jobs::start(&world);
            cron_jobs::start(&world);
            ttl::start(&world);
            pod_collection::start(&world, settings.terminated_pod_gc_threshold);
            scheduler::start(&world);
            node_lifecycle::start(&world, settings.node_grace_secs.into());
            taint_eviction::start(&world);
            disruption::start(&world);
            volumes::start(&world);
            local_path::start(&world);
            ephemeral::start(&world);
            protection::start(&world);
            daemon_sets::start(&world);
            autoscaler::start(&world, &metrics::start(&world));
            ctx.health.ready();
            Ok(())
        })
    }
}

fn read_settings(ctx: &Context) -> Result<Settings, Diagnostic> {
    Settings::read(&ctx.settings).map_err(|why| {
        Diagnostic::new("broken-platform", why).hint("Correct the settings of workloads in the Platform object.")
    })
}
