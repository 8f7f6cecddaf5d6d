//! The one pipeline that every request runs through, over HTTP or in process:
//! resolve the kind, admit, validate, commit. It knows kinds only through their
//! descriptors; what few kinds need beyond that stands in `strategy`.

mod access;
mod clusters;
mod create;
mod delete;
mod definitions;
mod patch;
mod read;
mod scale;
mod select;
mod update;
mod watch;

use std::sync::Arc;

use api::{ClusterName, Gvr, Status};
use base::{Clock, Ids};
use contracts::auth::TokenVerifier;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use store::{Key, Prefix, Store};

use crate::documents::Documents;
use crate::record::Record;
use crate::registry::{Kind, Registry};

pub use access::authorize;
pub use delete::Deleted;
pub use read::{Listing, ReadAt};
pub use select::Selectors;
pub use update::Part;
pub use watch::{Change, WatchFrom, Watching};

/// An object as a tree.
pub type Tree = Map<String, Value>;

/// What an API server is made of.
pub struct Parts {
    /// Where objects are kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Random ids.
    pub ids: Ids,
    /// Who is behind a bearer token.
    pub tokens: Arc<dyn TokenVerifier>,
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

    fn key(&self, name: &str) -> Key {
        let kind = &self.kind.descriptor;
        Key::new(
            kind.storage_group.clone(),
            kind.plural.clone(),
            self.cluster.as_str(),
            self.namespace.as_str(),
            name,
        )
    }

    fn prefix(&self) -> Prefix {
        let kind = &self.kind.descriptor;
        let prefix =
            Prefix::topic(kind.storage_group.clone(), kind.plural.clone()).in_cluster(self.cluster.as_str());
        if self.namespace.is_empty() { prefix } else { prefix.in_namespace(self.namespace.as_str()) }
    }
}

/// Options of a write.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Check everything, store nothing.
    pub dry_run: bool,
}

impl ApiServer {
    /// A server over a store; reads the definitions that the store holds and makes the
    /// root cluster's namespaces.
    pub async fn open(parts: Parts) -> Result<Self, Status> {
        let registry = Registry::new(api::builtin::kinds());
        let server = ApiServer { inner: Arc::new(Inner { parts, registry, documents: Mutex::default() }) };
        server.load_definitions()?;
        server.bootstrap_root().await?;
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

    pub(crate) fn tokens(&self) -> &dyn TokenVerifier {
        &*self.inner.parts.tokens
    }

    pub(crate) fn documents(&self) -> &Mutex<Documents> {
        &self.inner.documents
    }

    fn ids(&self) -> &Ids {
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
    fn find(&self, subject: &Subject, name: &str) -> Result<store::Entry, Status> {
        self.store().get(&subject.key(name)).ok_or_else(|| Status::not_found(&subject.gvr(), name))
    }

    /// One object.
    pub fn get(&self, subject: &Subject, name: &str) -> Result<Record, Status> {
        self.find(subject, name).map(|entry| Record::of(&entry))
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

/// The object's metadata as a tree, which every object in the pipeline has.
pub(crate) fn meta_of(object: &mut Tree) -> &mut Tree {
    let meta = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if !meta.is_object() {
        *meta = Value::Object(Map::new());
    }
    meta.as_object_mut().expect("metadata was just made an object")
}

/// A text field of the object's metadata.
pub(crate) fn meta_text<'a>(object: &'a Tree, field: &str) -> &'a str {
    object.get("metadata").and_then(|meta| meta.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// The typed metadata of an object that a client sent.
pub(crate) fn typed_meta(object: &Tree, kind: &str) -> Result<api::ObjectMeta, Status> {
    let meta = object.get("metadata").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    serde_json::from_value(meta)
        .map_err(|error| Status::bad_request(format!("{kind} has metadata of the wrong shape: {error}")))
}

/// Server-side apply is not served yet; clients fall back to other patches where they can.
pub(crate) fn apply_unsupported() -> Status {
    Status::unsupported_media_type(
        "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    )
}
