//! Events (`core/v1`): what happened to an object, for its owner to read. The
//! same thing happening again counts up one event instead of making more, as
//! client-go does. Recording never fails a reconcile.

mod correlate;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use api::{Gvr, Status};
use base::{Clock, Ids};
use client::{Object, ObjectKey, Objects, Patch, Target, WriteOptions};
use parking_lot::Mutex;
use serde_json::json;

use crate::place;
use correlate::{Correlator, Decision, Happening};

/// Bytes of a message, as the API validates.
const MESSAGE_BYTES: usize = 1024;

/// What an event means to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// For information.
    Normal,
    /// Something should be looked at.
    Warning,
}

impl fmt::Display for EventKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// Records events of one controller. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    objects: Arc<dyn Objects>,
    clock: Clock,
    ids: Ids,
    component: Arc<str>,
    correlator: Arc<Mutex<Correlator>>,
}

impl Recorder {
    /// A recorder for the controller that events name as their source.
    pub fn new(objects: Arc<dyn Objects>, clock: Clock, ids: Ids, component: &str) -> Self {
        Recorder { objects, clock, ids, component: component.into(), correlator: Arc::default() }
    }

    /// Records that something happened to `object`: `reason` is a short CamelCase word,
    /// `action` what was being done (empty if nothing), `message` a sentence.
    pub async fn record(&self, object: &Object, kind: EventKind, reason: &str, action: &str, message: &str) {
        let message = truncated(message);
        let happening = Happening {
            cluster: object.cluster.clone(),
            uid: object.meta.uid.clone(),
            kind,
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        let name = format!("{}.{}", object.meta.name, self.ids.token_hex(8));
        let decision = self.correlator.lock().observe(&happening, &name, self.clock.now());
        let written = match decision {
            Decision::Drop => return,
            Decision::Create { message } => self.create(object, &happening, action, &name, &message).await,
            Decision::Count { name: earlier, count, message } => {
                match self.count(object, &earlier, count, &message).await {
                    Err(status) if status.is_not_found() => {
                        self.correlator.lock().renamed(&happening, &name);
                        self.create(object, &happening, action, &name, &message).await
                    }
                    written => written,
                }
            }
        };
        if let Err(error) = written {
            tracing::debug!(object = %ObjectKey::of(object), reason, %error, "an event was not recorded");
        }
    }

    fn target(object: &Object) -> Target {
        let namespace = if object.meta.namespace.is_empty() { "default" } else { &object.meta.namespace };
        place::at(&Gvr::new("", "v1", "events"), &ObjectKey::new(&object.cluster, namespace, ""))
    }

    async fn create(
        &self,
        object: &Object,
        happening: &Happening,
        action: &str,
        name: &str,
        message: &str,
    ) -> Result<(), Status> {
        let target = Recorder::target(object);
        let gvk = object.gvk()?;
        let now = self.clock.now_rfc3339();
        let mut event = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "name": name, "namespace": target.namespace },
            "involvedObject": {
                "apiVersion": gvk.api_version(),
                "kind": &*gvk.kind,
                "name": object.meta.name,
                "uid": object.meta.uid,
                "resourceVersion": object.meta.resource_version,
            },
            "type": happening.kind.to_string(),
            "reason": happening.reason,
            "message": message,
            "source": { "component": &*self.component },
            "reportingComponent": &*self.component,
            "reportingInstance": "",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        });
        if !object.meta.namespace.is_empty() {
            event["involvedObject"]["namespace"] = object.meta.namespace.as_str().into();
        }
        if !action.is_empty() {
            event["action"] = action.into();
        }
        self.objects.create(&target, event.to_string().into(), WriteOptions::default()).await.map(drop)
    }

    async fn count(&self, object: &Object, name: &str, count: u32, message: &str) -> Result<(), Status> {
        let patch = json!({ "count": count, "lastTimestamp": self.clock.now_rfc3339(), "message": message });
        let patch = Patch::Merge(patch.to_string().into());
        self.objects.patch(&Recorder::target(object), name, None, patch, WriteOptions::default()).await.map(drop)
    }
}

fn truncated(message: &str) -> &str {
    let end = (0..=message.len().min(MESSAGE_BYTES)).rev().find(|&end| message.is_char_boundary(end));
    &message[..end.unwrap_or(0)]
}
