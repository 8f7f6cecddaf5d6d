//! What the three controllers share: what they are given, how they write objects,
//! and how a failure is told apart from one that time may mend. It decides
//! nothing about packages.

use std::sync::Arc;

use api::{ClusterName, Gvk, Gvr, Status};
use base::{Clock, Diagnostic};
use bytes::Bytes;
use capability::Endpoints;
use client::{DeleteOptions, Object, Objects, Patch, WriteOptions};
use contracts::git::{self, Repositories, Sources};
use controller::condition::{self, Condition};
use serde_json::{Map, Value, json};

use crate::{kinds, naming};

/// What the controllers work with. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Objects of every cluster.
    pub objects: Arc<dyn Objects>,
    /// The time.
    pub clock: Clock,
    /// Addresses of the platform.
    pub endpoints: Arc<Endpoints>,
    /// Git, writing.
    pub repositories: Arc<dyn Repositories>,
    /// Git, reading.
    pub sources: Arc<dyn Sources>,
}

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It will not work until someone changes something: said in a condition.
    Refused {
        /// CamelCase reason of the condition.
        reason: String,
        /// What a person reads.
        diagnostic: Diagnostic,
    },
    /// It may work later: said in a condition and tried again.
    Retry {
        /// CamelCase reason of the condition.
        reason: String,
        /// One sentence.
        message: String,
    },
    /// A write raced another: tried again at once, and not worth a word.
    Conflict(Status),
}

impl Failure {
    /// A refusal.
    pub fn refused(reason: &str, diagnostic: Diagnostic) -> Self {
        Failure::Refused { reason: reason.to_owned(), diagnostic }
    }

    /// Something to try again.
    pub fn retry(reason: &str, message: impl Into<String>) -> Self {
        Failure::Retry { reason: reason.to_owned(), message: message.into() }
    }

    /// The reason of its condition.
    pub fn reason(&self) -> &str {
        match self {
            Failure::Refused { reason, .. } | Failure::Retry { reason, .. } => reason,
            Failure::Conflict(_) => "Conflict",
        }
    }

    /// The message of its condition.
    pub fn message(&self) -> String {
        match self {
            Failure::Refused { diagnostic, .. } if diagnostic.hint.is_empty() => diagnostic.to_string(),
            Failure::Refused { diagnostic, .. } => format!("{diagnostic}; {}", diagnostic.hint),
            Failure::Retry { message, .. } => message.clone(),
            Failure::Conflict(status) => status.message.clone(),
        }
    }
}

impl From<Failure> for controller::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict(status) => controller::Error::Status(status),
            other => controller::Error::Other(other.message()),
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Failure::refused("InvalidPackage", diagnostic)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        if status.is_conflict() || status.is_already_exists() {
            return Failure::Conflict(status);
        }
        let lasting = matches!(status.code, 400 | 403 | 413 | 415 | 422);
        if lasting {
            let diagnostic = Diagnostic::new("refused-object", "the platform's API refused an object of the package")
                .detail(status.message)
                .hint("mend the manifest and run coracle create again");
            return Failure::refused("ObjectRefused", diagnostic);
        }
        Failure::retry("ApiUnavailable", status.message)
    }
}

impl From<git::Error> for Failure {
    fn from(error: git::Error) -> Self {
        let refuse = |reason: &str, diagnostic: Diagnostic, hint: &str| {
            Failure::refused(reason, diagnostic.detail(&error).hint(hint))
        };
        match &error {
            git::Error::NoRevision { .. } => refuse(
                "NoSuchRevision",
                Diagnostic::new("no-such-revision", "a revision does not exist"),
                "check ?ref= of the address",
            ),
            git::Error::NoPath { .. } => refuse(
                "NoSuchPath",
                Diagnostic::new("no-such-directory", "a directory does not exist in its repository"),
                "check the path behind // of the address, and what cnoe:// names",
            ),
            git::Error::BadPath(_) | git::Error::BadName(_) => refuse(
                "BadName",
                Diagnostic::new("bad-package", "a name in the package cannot be used in git"),
                "rename the file, directory or Application",
            ),
            git::Error::TooLarge(_) => refuse(
                "TooLarge",
                Diagnostic::new("package-too-large", "the package is too large"),
                "let cnoe:// name a directory that holds only what is to be deployed",
            ),
            git::Error::NoRepository(_) | git::Error::Unreachable { .. } => {
                Failure::retry("Unreachable", error.to_string())
            }
            git::Error::Moved { .. } | git::Error::Internal(_) => Failure::retry("GitFailed", error.to_string()),
        }
    }
}

impl Platform {
    /// Creates an object, or brings its spec, labels, annotations and owner to what is
    /// wanted. What others added stays. Returns the object as it is now.
    pub async fn ensure(&self, cluster: &ClusterName, gvr: &Gvr, wanted: &Value) -> Result<Object, Status> {
        let text = |pointer: &str| wanted.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let target = kinds::target(cluster, gvr, namespace);
        let existing = match self.objects.get(&target, name).await {
            Ok(existing) => existing,
            Err(status) if status.is_not_found() => {
                return self.objects.create(&target, body(wanted), self.options()).await;
            }
            Err(status) => return Err(status),
        };
        match merged(&existing.value()?, wanted) {
            None => Ok(existing),
            Some(changed) => self.objects.update(&target, name, None, body(&changed), self.options()).await,
        }
    }

    /// Makes a namespace unless it is there.
    pub async fn ensure_namespace(
        &self,
        cluster: &ClusterName,
        name: &str,
        owner: Option<Value>,
    ) -> Result<(), Status> {
        let target = kinds::target(cluster, &Gvr::new("", "v1", "namespaces"), "");
        match self.objects.get(&target, name).await {
            Err(status) if status.is_not_found() => {}
            other => return other.map(|_| ()),
        }
        let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        if let Some(owner) = owner {
            namespace["metadata"]["ownerReferences"] = json!([owner]);
        }
        match self.objects.create(&target, body(&namespace), self.options()).await {
            Err(status) if !status.is_already_exists() => Err(status),
            _ => Ok(()),
        }
    }

    /// Deletes an object; absent is fine.
    pub async fn delete(&self, cluster: &ClusterName, gvr: &Gvr, namespace: &str, name: &str) -> Result<(), Status> {
        let target = kinds::target(cluster, gvr, namespace);
        match self.objects.delete(&target, name, DeleteOptions::default()).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }

    /// Writes a status unless it is that already.
    pub async fn report(&self, gvr: &Gvr, object: &Object, status: Value) -> Result<(), Status> {
        let target = kinds::target(&object.cluster, gvr, &object.meta.namespace);
        controller::report::status_if_changed(&*self.objects, &target, object, status).await.map(|_| ())
    }

    /// Notes on an object that its invocation is done with.
    pub async fn mark_observed(&self, gvr: &Gvr, object: &Object) -> Result<(), Status> {
        let asked = kinds::mark(&object.meta.annotations, naming::CLI_START_TIME);
        if asked == kinds::mark(&object.meta.annotations, naming::LAST_OBSERVED) {
            return Ok(());
        }
        let target = kinds::target(&object.cluster, gvr, &object.meta.namespace);
        let patch = json!({"metadata": {"annotations": {naming::LAST_OBSERVED: asked}}});
        self.objects
            .patch(&target, &object.meta.name, None, Patch::Merge(body(&patch)), self.options())
            .await
            .map(|_| ())
    }

    /// Whether a cluster serves a kind.
    pub async fn serves(&self, cluster: &ClusterName, gvk: &Gvk) -> Result<bool, Status> {
        Ok(self.objects.kind(cluster, gvk).await?.is_some())
    }

    /// Options of every write.
    pub fn options(&self) -> WriteOptions {
        WriteOptions { field_manager: naming::FIELD_MANAGER.to_owned(), ..WriteOptions::default() }
    }

    /// Sets the condition `Ready`.
    pub fn set_ready(&self, conditions: &mut Vec<Value>, generation: i64, state: Result<(), &Failure>) {
        let ready = match state {
            Ok(()) => Condition::new("Ready", true, "Synced", "Everything is in place."),
            Err(failure) => Condition::new("Ready", false, failure.reason(), failure.message()),
        };
        condition::set(conditions, &ready.observed(generation), &self.clock.now_rfc3339());
    }
}

/// The reason and message of `Ready` while it is false.
pub fn why_not_ready(conditions: &[Value]) -> Option<(&str, &str)> {
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready" && condition["status"] == "False")?;
    Some((ready["reason"].as_str().unwrap_or_default(), ready["message"].as_str().unwrap_or_default()))
}

/// Whether the last invocation and the present spec have been dealt with.
pub fn is_observed(meta: &api::ObjectMeta, observed_generation: i64) -> bool {
    let asked = kinds::mark(&meta.annotations, naming::CLI_START_TIME);
    asked == kinds::mark(&meta.annotations, naming::LAST_OBSERVED) && observed_generation == meta.generation
}

/// `existing` with the spec of `wanted` and its labels, annotations, finalizers and owner
/// added; `None` if nothing changes.
pub fn merged(existing: &Value, wanted: &Value) -> Option<Value> {
    let mut result = existing.clone();
    if let Some(spec) = wanted.get("spec") {
        result["spec"] = spec.clone();
    }
    for marks in ["labels", "annotations"] {
        let Some(Value::Object(new)) = wanted["metadata"].get(marks) else { continue };
        let old = result["metadata"].as_object_mut()?.entry(marks).or_insert_with(|| Value::Object(Map::new()));
        if old.is_null() {
            *old = Value::Object(Map::new());
        }
        old.as_object_mut()?.extend(new.clone());
    }
    for list in ["ownerReferences", "finalizers"] {
        let Some(Value::Array(new)) = wanted["metadata"].get(list) else { continue };
        let old = result["metadata"].as_object_mut()?.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        if old.is_null() {
            *old = Value::Array(Vec::new());
        }
        add_missing(old.as_array_mut()?, new);
    }
    (result != *existing).then_some(result)
}

/// Adds finalizers and owners that are not there. A controller that is there stays the
/// one there is, unless the new one stands for the same object of a later life.
fn add_missing(old: &mut Vec<Value>, new: &[Value]) {
    for item in new {
        if old.contains(item) {
            continue;
        }
        let is_controller = |owner: &Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
        if is_controller(item) {
            old.retain(|owner| !(is_controller(owner) && owner["apiVersion"] == item["apiVersion"]));
            if old.iter().any(is_controller) {
                continue;
            }
        }
        old.push(item.clone());
    }
}

/// A value as a request body.
pub fn body(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// A reference that makes `object` the controller of another, as its JSON carries it.
pub fn owner(kind: &str, object: &Object) -> Value {
    let gvk = Gvk::new(kinds::GROUP, "v1alpha1", kind);
    kinds::to_value(&controller::owner::reference(&gvk, &object.meta, true))
}
