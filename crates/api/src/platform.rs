//! The platform's own kinds: the one `Platform`, the `Capability` objects that
//! tell its health, and `LogicalCluster`. Only names and manifests; whoever
//! serves or reads them stands above.

use crate::name::Gvr;

/// Group of the platform's own kinds.
pub const GROUP: &str = "coracle.dev";
/// Their version.
pub const VERSION: &str = "v1alpha1";
/// Name of the one `Platform` object.
pub const PLATFORM_NAME: &str = "platform";
/// Marks a definition that every logical cluster serves.
pub const PLATFORM_KIND_LABEL: &str = "coracle.dev/platform-kind";

/// Manifests of the definitions, several YAML documents.
pub const DEFINITIONS: &str = include_str!("../schemas/coracle.dev.yaml");

/// The resource of `Platform`.
pub fn platforms() -> Gvr {
    Gvr::new(GROUP, VERSION, "platforms")
}

/// The resource of `Capability`.
pub fn capabilities() -> Gvr {
    Gvr::new(GROUP, VERSION, "capabilities")
}

/// The resource of `LogicalCluster`.
pub fn logical_clusters() -> Gvr {
    Gvr::new(GROUP, VERSION, "logicalclusters")
}
