//! Which Application an object belongs to: the tracking annotation. It must never
//! take an object for managed because of a copied annotation: an id counts only on
//! the object that it names.

use api::{ClusterName, ObjectMeta};
use client::ObjectKey;

use crate::resource::Key;

/// The annotation that names the Application and the object.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// The annotation that tells installations apart: here, the cluster that holds the
/// Application, where that is not the cluster of the object.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";

/// An Application as tracking ids name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// Cluster that holds the Application.
    pub cluster: ClusterName,
    /// `<name>`, or `<namespace>_<name>` outside the control namespace.
    pub instance: String,
}

impl Owner {
    /// The owner name of an Application.
    pub fn of(app: &ObjectKey, control_namespace: &str) -> Self {
        let instance = if &*app.namespace == control_namespace {
            app.name.to_string()
        } else {
            format!("{}_{}", app.namespace, app.name)
        };
        Owner { cluster: app.cluster.clone(), instance }
    }

    /// The Application that this names.
    pub fn app(&self, control_namespace: &str) -> ObjectKey {
        let (namespace, name) = self.instance.split_once('_').unwrap_or((control_namespace, &self.instance));
        ObjectKey::new(&self.cluster, namespace, name)
    }

    /// The tracking id of an object of this Application.
    pub fn tracking_id(&self, key: &Key) -> String {
        format!("{}:{}/{}:{}/{}", self.instance, key.group, key.kind, key.namespace, key.name)
    }

    /// The installation id that an object in `destination` needs beside it, if any.
    pub fn installation_id(&self, destination: &ClusterName) -> Option<&str> {
        (self.cluster != *destination).then(|| self.cluster.as_str())
    }
}

/// The owner of a live object in `cluster`, if its tracking id names the object itself.
///
/// An object without a namespace may carry the namespace of its Application's
/// destination in the id: Argo CD writes it so for kinds whose scope it does not know.
pub fn owner(cluster: &ClusterName, meta: &ObjectMeta, group: &str, kind: &str) -> Option<Owner> {
    let id = meta.annotations.get(TRACKING_ID)?;
    let (instance, rest) = id.split_once(':')?;
    let (kind_part, name_part) = rest.split_once(':')?;
    let (id_namespace, id_name) = name_part.split_once('/')?;
    let same_kind = kind_part.split_once('/') == Some((group, kind));
    let same_place = meta.namespace.is_empty() || id_namespace == meta.namespace;
    if instance.is_empty() || !same_kind || !same_place || id_name != meta.name {
        return None;
    }
    let holder = meta.annotations.get(INSTALLATION_ID).and_then(|name| ClusterName::new(name));
    Some(Owner { cluster: holder.unwrap_or_else(|| cluster.clone()), instance: instance.to_owned() })
}

#[cfg(test)]
mod tests;
