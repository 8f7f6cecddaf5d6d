//! The metrics of what is simulated, served as groups of the API:
//! `metrics.k8s.io` for `kubectl top` and autoscaling by resources,
//! `custom.metrics.k8s.io` and `external.metrics.k8s.io` for the rest. They
//! answer what is stated and measure nothing.

mod custom_group;
mod external_group;
mod figures;
mod resource_group;
mod stated;
mod usage;

use std::sync::Arc;

use contracts::groups::ResourceGroups;

use crate::acceptance;
use crate::world::World;
use custom_group::CustomMetrics;
use external_group::ExternalMetrics;
use resource_group::ResourceMetrics;

pub(crate) use figures::Figures;

/// Serves the groups where the API server is ours to serve in; another has its own metrics.
pub(crate) fn start(world: &World) -> Figures {
    let figures = Figures::start(world);
    acceptance::start(world, "resource usages", &figures.usages);
    acceptance::start(world, "cluster resource usages", &figures.cluster_usages);
    if let Some(groups) = world.ctx().contracts.get::<ResourceGroups>() {
        groups.serve(Arc::new(ResourceMetrics(figures.clone())));
        groups.serve(Arc::new(CustomMetrics(figures.clone())));
        groups.serve(Arc::new(ExternalMetrics(figures.clone())));
    }
    figures
}
