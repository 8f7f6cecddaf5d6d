//! An object as it travels: its JSON untouched, its metadata read once.

use std::sync::Arc;

use api::{ClusterName, Gvk, ObjectMeta, Status};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Json;

/// One object. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Object {
    /// The logical cluster it lives in.
    pub cluster: ClusterName,
    /// Its metadata.
    pub meta: Arc<ObjectMeta>,
    /// Its whole JSON, `apiVersion`, `kind` and `metadata.resourceVersion` included.
    pub json: Json,
}

#[derive(Deserialize)]
struct Head {
    metadata: ObjectMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TypeMeta {
    api_version: String,
    kind: String,
}

impl Object {
    /// An object from its JSON; reads only the metadata.
    pub fn from_json(cluster: ClusterName, json: Bytes) -> Result<Self, Status> {
        let head: Head = serde_json::from_slice(&json)
            .map_err(|error| Status::internal(format_args!("an object has unreadable metadata: {error}")))?;
        Ok(Object { cluster, meta: Arc::new(head.metadata), json: json.into() })
    }

    /// The object as a type of the caller's.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Status> {
        serde_json::from_slice(&self.json.text()).map_err(|error| {
            Status::internal(format_args!("{} does not have the expected shape: {error}", self.meta.name))
        })
    }

    /// The object as a JSON tree.
    pub fn value(&self) -> Result<Value, Status> {
        self.parse()
    }

    /// The object's `apiVersion` and `kind`.
    pub fn gvk(&self) -> Result<Gvk, Status> {
        let kind: TypeMeta = self.parse()?;
        Ok(Gvk::from_api_version(&kind.api_version, &kind.kind))
    }
}

/// A list at one revision.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The objects, in the order of namespace and name.
    pub items: Vec<Object>,
    /// Revision of the list: a watch from here misses nothing.
    pub resource_version: String,
    /// Where to go on, if the list was cut by a limit; otherwise empty.
    pub continue_token: String,
    /// How many more there are, if known.
    pub remaining: Option<u64>,
}

/// One event of a watch.
#[derive(Clone, Debug)]
pub enum Event {
    /// The object came into view.
    Added(Object),
    /// The object changed.
    Modified(Object),
    /// The object went out of view; as it was last, with the revision of its end.
    Deleted(Object),
    /// Everything up to this revision has been delivered.
    Bookmark {
        /// The revision.
        resource_version: String,
        /// Whether the initial events that `send_initial_events` asked for are now complete.
        initial_events_end: bool,
    },
}
