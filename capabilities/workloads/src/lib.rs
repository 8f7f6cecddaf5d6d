//! The controllers that make pods of workloads and find nodes for them, as
//! kube-controller-manager and kube-scheduler do, on nodes that are simulated.
//! They are told by watches, decide in pure functions and never poll; they must
//! never know another capability.

mod world;

mod batch;
mod claim;
mod fit;
mod resource;
mod template;
mod views;

mod replica_sets;

use base::Diagnostic;
use capability::{Capability, Context, Descriptor, Plane, Route};
use futures::future::BoxFuture;

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
            kinds: &[],
            needs: &[],
            animates: &[
                "Pod",
                "PersistentVolumeClaim",
                "apps/DaemonSet",
                "apps/Deployment",
                "apps/ReplicaSet",
                "apps/StatefulSet",
                "autoscaling/HorizontalPodAutoscaler",
                "batch/CronJob",
                "batch/Job",
            ],
            providers: &["embedded", "off"],
        }
    }

    fn provision(&self, _ctx: Context) -> BoxFuture<'_, Result<Vec<Route>, Diagnostic>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn run(&self, ctx: Context) -> BoxFuture<'_, Result<(), Diagnostic>> {
        Box::pin(async move {
            let world = World::start(&ctx);
            replica_sets::start(&world);
            ctx.health.ready();
            Ok(())
        })
    }
}
