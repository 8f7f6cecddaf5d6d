//! Groups of resources that a capability answers itself, such as `metrics.k8s.io`:
//! nothing of them is stored, and they can only be read. The API server finds the one that
//! a request is about, lists it in discovery, and judges who may ask; the group answers.
//! Nothing here knows HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use api::{ClusterName, Status};
use futures::future::BoxFuture;
use serde_json::Value;

/// One resource of a group, as discovery lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupResource {
    /// Plural, as in paths. May be a subresource (`pods/requests-per-second`), as metrics are.
    pub name: String,
    /// Singular; empty for a subresource.
    pub singular: String,
    /// Kind of what is answered.
    pub kind: String,
    /// Abbreviations that kubectl accepts.
    pub short_names: Vec<String>,
    /// Whether it is asked for in a namespace.
    pub namespaced: bool,
    /// `get`, `list` or both.
    pub verbs: Vec<String>,
}

/// What is asked of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The logical cluster that is asked about.
    pub cluster: ClusterName,
    /// What follows the version or the namespace in the path.
    pub resource: String,
    /// The namespace in the path; none for all, and for what has no namespace.
    pub namespace: Option<String>,
    /// The name after the resource; none for a list.
    pub name: Option<String>,
    /// What follows the name.
    pub subresource: Option<String>,
    /// The parameters of the query, decoded; of repeated ones the first.
    pub parameters: BTreeMap<String, String>,
}

impl Question {
    /// A parameter of the query, such as `labelSelector`; empty if it is not stated.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// A group in one version, which answers for itself.
pub trait ResourceGroup: Send + Sync {
    /// The group, for example `metrics.k8s.io`.
    fn group(&self) -> &str;

    /// The version, for example `v1beta1`.
    fn version(&self) -> &str;

    /// What can be asked for in a cluster now.
    fn resources(&self, cluster: &ClusterName) -> Vec<GroupResource>;

    /// The answer: an object or a list with its `apiVersion` and `kind`. What is not there is
    /// refused with [`Status::not_found`] or [`Status::no_such_resource`].
    fn answer<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Value, Status>>;
}

/// Groups by name and version.
type ByName = BTreeMap<(String, String), Arc<dyn ResourceGroup>>;

/// The groups that are answered in a platform now. Cheap to clone; all clones are the same.
/// Capabilities find it among their contracts: `ctx.contracts.get::<ResourceGroups>()`.
#[derive(Clone, Default)]
pub struct ResourceGroups(Arc<RwLock<ByName>>);

impl ResourceGroups {
    /// Begins to serve a group, in place of one of its name and version.
    pub fn serve(&self, group: Arc<dyn ResourceGroup>) {
        let key = (group.group().to_owned(), group.version().to_owned());
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, group);
    }

    /// Ends to serve a group: it goes from discovery, and its paths lead nowhere.
    pub fn withdraw(&self, group: &str, version: &str) {
        let key = (group.to_owned(), version.to_owned());
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// The group that answers, if one does.
    pub fn find(&self, group: &str, version: &str) -> Option<Arc<dyn ResourceGroup>> {
        let key = (group.to_owned(), version.to_owned());
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// Every group, in the order of their names.
    pub fn all(&self) -> Vec<Arc<dyn ResourceGroup>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
