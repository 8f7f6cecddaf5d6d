//! What is asked for: targets and options of every verb. Plain data.

use std::sync::Arc;

use api::{ClusterName, Gvr};
use bytes::Bytes;

/// Which logical clusters a call concerns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One cluster.
    One(ClusterName),
    /// All clusters, for list and watch: in process every logical cluster, of a real one itself.
    All,
}

/// A resource in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Logical clusters.
    pub scope: Scope,
    /// Resource.
    pub gvr: Gvr,
    /// Namespace; `None` for cluster-scoped kinds, and for all namespaces in list and watch.
    pub namespace: Option<Arc<str>>,
}

impl Target {
    /// A resource of one cluster, without a namespace.
    pub fn cluster(cluster: &ClusterName, gvr: &Gvr) -> Self {
        Target { scope: Scope::One(cluster.clone()), gvr: gvr.clone(), namespace: None }
    }

    /// A resource in one namespace of one cluster.
    pub fn namespaced(cluster: &ClusterName, gvr: &Gvr, namespace: &str) -> Self {
        Target { scope: Scope::One(cluster.clone()), gvr: gvr.clone(), namespace: Some(namespace.into()) }
    }

    /// A resource in every cluster and namespace.
    pub fn everywhere(gvr: &Gvr) -> Self {
        Target { scope: Scope::All, gvr: gvr.clone(), namespace: None }
    }
}

/// Options of list.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Label selector; empty for all.
    pub label_selector: String,
    /// Field selector; empty for all.
    pub field_selector: String,
    /// At most so many; 0 for all.
    pub limit: u64,
    /// Where an earlier list left off.
    pub continue_token: String,
    /// Exact revision to list at; empty for now.
    pub resource_version: String,
}

/// Options of watch.
#[derive(Clone, Debug, Default)]
pub struct WatchOptions {
    /// Label selector; empty for all.
    pub label_selector: String,
    /// Field selector; empty for all.
    pub field_selector: String,
    /// Revision after which to begin; empty for: all there is as `Added`, then changes.
    pub resource_version: String,
    /// All there is as `Added`, then a bookmark that says so, then changes.
    pub send_initial_events: bool,
}

/// Options of create, update and patch.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// Check everything, store nothing.
    pub dry_run: bool,
    /// Who writes, for field ownership.
    pub field_manager: String,
    /// Take over fields of other managers (apply only).
    pub force: bool,
}

/// A change to an object.
#[derive(Clone, Debug)]
pub enum Patch {
    /// RFC 6902.
    Json(Bytes),
    /// RFC 7386.
    Merge(Bytes),
    /// Kubernetes' strategic merge.
    Strategic(Bytes),
    /// Server-side apply, as JSON.
    Apply(Bytes),
}

/// What happens to an object's dependents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// The garbage collector deletes them afterwards.
    #[default]
    Background,
    /// The object stays until they are gone.
    Foreground,
    /// They stay, without this owner.
    Orphan,
}

/// What must hold for a delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// Uid the object must have.
    pub uid: Option<String>,
    /// Revision the object must have.
    pub resource_version: Option<String>,
}

/// Options of delete.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// What must hold.
    pub preconditions: Preconditions,
    /// Dependents.
    pub propagation: Option<Propagation>,
    /// Seconds granted for a graceful end.
    pub grace_period_secs: Option<i64>,
    /// Check everything, delete nothing.
    pub dry_run: bool,
}
