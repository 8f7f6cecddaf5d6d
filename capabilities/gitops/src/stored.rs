//! An Application as it is stored: read once, and written back by the smallest
//! patch. It must never decide what to write.

use api::Status;
use client::{Object, ObjectKey, Objects, Patch, Target, WriteOptions};
use serde_json::{Value, json};

use crate::kinds;
use crate::resource::{self, Key};
use crate::source::Refresh;
use crate::status;
use crate::tracking::Owner;
use crate::types::Application;

/// Races that are lost in a row before a reconcile begins anew.
const ATTEMPTS: usize = 4;
/// The annotation by which a client asks for a refresh.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";

/// A stored Application.
pub struct App {
    /// Where it is.
    pub key: ObjectKey,
    /// As it came.
    pub object: Object,
    /// As a tree.
    pub raw: Value,
    /// As the engine reads it.
    pub typed: Application,
    /// As tracking ids name it.
    pub owner: Owner,
    /// Why its spec cannot be read; it reads as empty then.
    pub unreadable: Option<String>,
}

impl App {
    /// Reads an Application. The error is one sentence.
    pub fn read(object: Object, control_namespace: &str) -> Result<Self, Status> {
        let raw = object.value()?;
        let mut read = raw.clone();
        resource::without_nulls(&mut read);
        let mut unreadable = None;
        let typed = match serde_json::from_value(read.clone()) {
            Ok(typed) => typed,
            Err(error) => {
                // Whatever the spec holds, what is wrong with it can be reported.
                unreadable = Some(error.to_string());
                read["spec"] = json!({});
                let known = serde_json::from_value(read);
                known.map_err(|_| Status::internal(format_args!("{} cannot be read: {error}", object.meta.name)))?
            }
        };
        let key = ObjectKey::of(&object);
        let owner = Owner::of(&key, control_namespace);
        Ok(App { key, object, raw, typed, owner, unreadable })
    }

    /// The Application as an object among others.
    pub fn resource_key(&self) -> Key {
        Key::new("argoproj.io", "Application", &self.key.namespace, &self.key.name)
    }

    /// The source or the sources, as the spec states them.
    pub fn sources(&self) -> &Value {
        let field = if self.typed.spec.has_multiple_sources() { "/spec/sources" } else { "/spec/source" };
        self.raw.pointer(field).unwrap_or(&Value::Null)
    }

    /// The refresh that was asked for.
    pub fn refresh(&self) -> Refresh {
        match resource::annotation(&self.raw, REFRESH) {
            None => Refresh::None,
            Some("hard") => Refresh::Hard,
            Some(_) => Refresh::Normal,
        }
    }

    /// The stored `operation`.
    pub fn operation(&self) -> Option<&Value> {
        self.raw.get("operation").filter(|operation| !operation.is_null())
    }

    /// Writes a merge patch of status and operation. A write that loses a race is tried again as
    /// long as the operation is still the one this was derived from; else it answers the conflict.
    pub async fn write(&self, objects: &dyn Objects, mut patch: Value) -> Result<Object, Status> {
        let target = Target::namespaced(&self.key.cluster, &kinds::applications(), &self.key.namespace);
        let mut revision = self.object.meta.resource_version.clone();
        for attempt in 1.. {
            patch["metadata"]["resourceVersion"] = json!(revision);
            let body = Patch::Merge(patch.to_string().into());
            match objects.patch(&target, &self.key.name, None, body, WriteOptions::default()).await {
                Err(conflict) if conflict.is_conflict() && attempt < ATTEMPTS => {
                    let newest = objects.get(&target, &self.key.name).await?;
                    let value = newest.value()?;
                    let same = |pointer: &str| value.pointer(pointer) == self.raw.pointer(pointer);
                    let is_current = newest.meta.uid == self.object.meta.uid
                        && same("/operation")
                        && same("/status/operationState")
                        && status::stored(&value) == status::stored(&self.raw);
                    if !is_current {
                        return Err(conflict);
                    }
                    revision = newest.meta.resource_version.clone();
                }
                answer => return answer,
            }
        }
        unreachable!("the last attempt returns")
    }
}
