//! The name of one object of a known resource. It never says which resource.

use std::fmt;
use std::sync::Arc;

use api::ClusterName;

use crate::Object;

/// Where an object of some resource is: cluster, namespace and name. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Logical cluster.
    pub cluster: ClusterName,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl ObjectKey {
    /// A key by its three names.
    pub fn new(cluster: &ClusterName, namespace: &str, name: &str) -> Self {
        ObjectKey { cluster: cluster.clone(), namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object.
    pub fn of(object: &Object) -> Self {
        ObjectKey::new(&object.cluster, &object.meta.namespace, &object.meta.name)
    }
}

/// `namespace/name`, or the name alone; with `cluster|` before it outside the root cluster.
impl fmt::Display for ObjectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.cluster.is_root() {
            write!(out, "{}|", self.cluster)?;
        }
        if !self.namespace.is_empty() {
            write!(out, "{}/", self.namespace)?;
        }
        out.write_str(&self.name)
    }
}
