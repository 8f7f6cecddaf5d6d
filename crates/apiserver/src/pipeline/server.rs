//! What the pipeline stands on: the store, the kinds, the clock; and what every
//! call is about. The verbs stand in files of their own beside this one.

use std::sync::Arc;

use api::{ClusterName, Gvr, Status};
use base::{Clock, Ids, Tasks};
use contracts::auth::{Identity, TokenVerifier};
use contracts::groups::ResourceGroups;
use parking_lot::Mutex;
use store::{Key, Prefix, Store};

use super::validation::{FieldValidation, Reading, Warnings};
use crate::custom;
use crate::documents::Documents;
use crate::record::Record;
use crate::registry::{Kind, Registry};

/// What an API server is made of.
pub struct Parts {
    /// Where objects are kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Random ids.
    pub ids: Ids,
    /// Where writes run that must come to their end although their client left.
    pub tasks: Tasks,
    /// Who is behind a bearer token.
    pub tokens: Arc<dyn TokenVerifier>,
    /// Groups that answer for themselves.
    pub groups: ResourceGroups,
    /// What the server is told to do otherwise than by default.
    pub settings: Settings,
}

/// How the server differs from its default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Names of admission plug-ins that are off.
    pub disabled_admission: Vec<String>,
    /// Addresses of services and ports on nodes.
    pub ranges: crate::allocation::Ranges,
}

/// The API server. Cheap to clone.
#[derive(Clone)]
pub struct ApiServer {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    registry: Registry,
    documents: Mutex<Documents>,
    documents_turn: tokio::sync::Mutex<()>,
}

/// A resource in a cluster and, for namespaced kinds, a namespace: what every
/// call is about.
#[derive(Clone)]
pub struct Subject {
    /// Logical cluster.
    pub cluster: ClusterName,
    /// Kind in the version asked for.
    pub kind: Kind,
    /// Namespace; empty for cluster-scoped kinds, and for all namespaces in list and watch.
    pub namespace: String,
}

impl Subject {
    /// The resource asked for.
    pub fn gvr(&self) -> Gvr {
        self.kind.descriptor.gvr()
    }

    pub(super) fn key(&self, name: &str) -> Key {
        let kind = &self.kind.descriptor;
        Key::new(kind.storage_group.clone(), kind.plural.clone(), self.cluster.as_str(), self.namespace.as_str(), name)
    }

    pub(super) fn prefix(&self) -> Prefix {
        let kind = &self.kind.descriptor;
        let prefix = Prefix::topic(kind.storage_group.clone(), kind.plural.clone()).in_cluster(self.cluster.as_str());
        if self.namespace.is_empty() { prefix } else { prefix.in_namespace(self.namespace.as_str()) }
    }
}

/// Options of a write.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Check everything, store nothing.
    pub dry_run: bool,
    /// Who creates, for kinds that keep it; nobody, if it is not known.
    pub by: Option<Identity>,
    /// What writes, for the ownership of fields; empty for unknown.
    pub manager: String,
    /// Take over the fields of other managers (apply only).
    pub force: bool,
    /// What becomes of unknown and duplicate fields.
    pub validation: FieldValidation,
    /// What reading the body found.
    pub reading: Reading,
    /// What the client is told beside the answer.
    pub warnings: Warnings,
}

impl ApiServer {
    /// A server over a store; reads the definitions that the store holds and makes the
    /// root cluster's namespaces.
    pub async fn open(parts: Parts) -> Result<Self, Status> {
        let registry = Registry::new(api::builtin::kinds());
        let server = ApiServer {
            inner: Arc::new(Inner { parts, registry, documents: Mutex::default(), documents_turn: Default::default() }),
        };
        server.load_definitions()?;
        server.bootstrap_root().await?;
        server.remove_leftovers().await?;
        server.resume_removals().await?;
        Ok(server)
    }

    /// The kinds that are served.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// The store beneath.
    pub fn store(&self) -> &Store {
        &self.inner.parts.store
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.inner.parts.clock
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.inner.parts.tasks
    }

    pub(crate) fn tokens(&self) -> &dyn TokenVerifier {
        &*self.inner.parts.tokens
    }

    pub(crate) fn groups(&self) -> &ResourceGroups {
        &self.inner.parts.groups
    }

    pub(crate) fn documents(&self) -> &Mutex<Documents> {
        &self.inner.documents
    }

    /// Held while a document is made.
    pub(crate) fn documents_turn(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.documents_turn
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.inner.parts.settings
    }

    pub(super) fn ids(&self) -> &Ids {
        &self.inner.parts.ids
    }

    /// What a call is about, if the cluster exists and serves the resource.
    pub fn subject(&self, cluster: &ClusterName, gvr: &Gvr, namespace: &str) -> Result<Subject, Status> {
        self.require_cluster(cluster)?;
        let kind = self.registry().resource(cluster, gvr).ok_or_else(Status::no_such_resource)?;
        if !kind.descriptor.namespaced && !namespace.is_empty() {
            return Err(Status::no_such_resource());
        }
        Ok(Subject { cluster: cluster.clone(), kind, namespace: namespace.to_owned() })
    }

    /// The stored object, or the 404 that says it is not there.
    pub(super) fn find(&self, subject: &Subject, name: &str) -> Result<store::Entry, Status> {
        self.store().get(&subject.key(name)).ok_or_else(|| Status::not_found(&subject.gvr(), name))
    }

    /// Bytes of an object as it is stored; none if there is no such object.
    pub(crate) fn stored_bytes(&self, subject: &Subject, name: &str) -> usize {
        self.store().get(&subject.key(name)).map_or(0, |entry| entry.value.meta.len() + entry.value.body.len())
    }

    /// One object.
    pub fn get(&self, subject: &Subject, name: &str) -> Result<Record, Status> {
        self.find(subject, name).map(|entry| custom::record(&subject.kind, &entry))
    }
}

/// The status for an error of the store that no rule of the API explains.
pub(crate) fn store_error(error: &store::Error) -> Status {
    match error {
        store::Error::Compacted { asked, oldest } => {
            Status::expired(format!("The resourceVersion for the provided watch is too old: {asked} ({oldest})"))
        }
        store::Error::Future { asked, current } => Status::revision_too_large(*asked, *current),
        store::Error::TooLarge { limit, .. } => Status::too_large(*limit),
        store::Error::ReadOnly { .. } | store::Error::NotDurable { .. } | store::Error::Closed => {
            Status::unavailable(error.to_string())
        }
        other => Status::internal(other),
    }
}
