//! The `Repository` objects that stand for repositories, from the side of disk:
//! when a repository is made, changed or removed through another door, its object
//! follows. The other direction is the controller's, in `repository`.

use std::sync::Arc;

use api::{ClusterName, Status};
use client::{DeleteOptions, Object, ObjectKey, Objects, Patch, Target, WriteOptions};
use contracts::git::Error;
use controller::Handle;
use parking_lot::RwLock;
use serde_json::{Value, json};

use crate::embedded::bare::{Applied, Bare, ObjectName};
use crate::kinds::{self, FINALIZER, MANAGER, NAMESPACE, Repository};
use crate::names;

/// Writes `Repository` objects. Cheap to clone.
#[derive(Clone)]
pub struct Records {
    objects: Arc<dyn Objects>,
    controller: Arc<RwLock<Option<Handle>>>,
}

impl Records {
    /// Writes through `objects`.
    pub fn new(objects: Arc<dyn Objects>) -> Self {
        Records { objects, controller: Arc::default() }
    }

    /// Objects of the platform, for what else this capability stores.
    pub fn objects(&self) -> &dyn Objects {
        &*self.objects
    }

    /// Who tries again what could not be written.
    pub fn retried_by(&self, controller: Handle) {
        *self.controller.write() = Some(controller);
    }

    /// The object that stands for a repository.
    pub fn key(bare: &Bare) -> ObjectKey {
        let object = bare.facts().object;
        let (namespace, name) = match object {
            Some(ObjectName { namespace, name }) => (namespace, name),
            None => (NAMESPACE.to_owned(), names::object_name(&bare.id)),
        };
        ObjectKey::new(&ClusterName::root(), &namespace, &name)
    }

    /// Creates the object of a repository. A failure is retried by the controller: the
    /// repository on disk is what says that the object is missing.
    pub async fn publish(&self, bare: &Bare) {
        if let Err(status) = self.create(bare).await {
            tracing::warn!(repository = %bare.path.display(), error = %status, "a Repository object cannot be created yet");
            self.enqueue(bare);
        }
    }

    /// Asks the controller to look at a repository.
    pub fn enqueue(&self, bare: &Bare) {
        if let Some(controller) = &*self.controller.read() {
            controller.enqueue(Records::key(bare));
        }
    }

    /// Creates the object of a repository unless it is there.
    pub async fn create(&self, bare: &Bare) -> Result<(), Status> {
        let first = Records::key(bare);
        let spare = ObjectKey::new(&first.cluster, NAMESPACE, &names::distinct_object_name(&bare.id));
        let mut taken = Ok(());
        for key in [first, spare] {
            let target = controller::place::at(&kinds::repositories(), &key);
            let object = match self.create_named(bare, &key).await {
                Err(status) if status.is_already_exists() => {
                    taken = Err(status);
                    self.objects.get(&target, &key.name).await?
                }
                other => other?,
            };
            if describes(&object, bare) {
                return apply(bare, &object).map_err(Status::internal);
            }
        }
        taken
    }

    async fn create_named(&self, bare: &Bare, key: &ObjectKey) -> Result<Object, Status> {
        let target = controller::place::at(&kinds::repositories(), key);
        let facts = bare.facts();
        let body = json!({
            "apiVersion": format!("{}/{}", kinds::GROUP, kinds::VERSION),
            "kind": "Repository",
            "metadata": {"name": &*key.name, "namespace": &*key.namespace, "finalizers": [FINALIZER]},
            "spec": {
                "owner": facts.owner,
                "name": facts.name,
                "description": facts.description,
                "private": facts.private,
                "defaultBranch": bare.default_branch(),
            },
        });
        create_with_namespace(&*self.objects, &target, &body).await
    }

    /// Changes the spec of a repository's object, and then the repository.
    pub async fn revise(&self, bare: &Bare, spec: Value) -> Result<(), Status> {
        let key = Records::key(bare);
        let target = controller::place::at(&kinds::repositories(), &key);
        let patch = || Patch::Merge(json!({ "spec": spec }).to_string().into());
        let object = match self.objects.patch(&target, &key.name, None, patch(), options()).await {
            Err(status) if status.is_not_found() => {
                self.create(bare).await?;
                self.objects.patch(&target, &key.name, None, patch(), options()).await?
            }
            other => other?,
        };
        apply(bare, &object).map_err(Status::internal)
    }

    /// Deletes the object of a repository; absent is fine.
    pub async fn retract(&self, bare: &Bare) -> Result<(), Status> {
        let key = Records::key(bare);
        let target = controller::place::at(&kinds::repositories(), &key);
        match self.objects.delete(&target, &key.name, DeleteOptions::default()).await {
            Err(status) if !status.is_not_found() => Err(status),
            _ => Ok(()),
        }
    }
}

/// Whether an object that was there already is about this repository.
fn describes(object: &Object, bare: &Bare) -> bool {
    let Ok(Repository { spec, .. }) = object.parse() else { return false };
    let name = if spec.name.is_empty() { &object.meta.name } else { &spec.name };
    let owner = if spec.owner.is_empty() { kinds::ADMINISTRATOR } else { &spec.owner };
    name.eq_ignore_ascii_case(&bare.id.name) && owner.eq_ignore_ascii_case(&bare.id.owner)
}

/// Makes a repository what its object says, unless it follows a newer state of it already.
/// It blocks for as long as a small file takes to be flushed.
pub fn apply(bare: &Bare, object: &Object) -> Result<(), Error> {
    let applied = Applied { uid: object.meta.uid.clone(), generation: object.meta.generation };
    let held = bare.facts().applied;
    if held.is_some_and(|held| held.uid == applied.uid && held.generation >= applied.generation) {
        return Ok(());
    }
    let parsed: Repository = object.parse().map_err(|status| bare.internal(&status))?;
    let spec = parsed.spec;
    if !spec.default_branch.is_empty() {
        names::check_branch(&spec.default_branch)?;
        bare.set_default_branch(&spec.default_branch)?;
    }
    let name = ObjectName { namespace: object.meta.namespace.clone(), name: object.meta.name.clone() };
    bare.change_facts(|facts| {
        facts.object = Some(name);
        facts.applied = Some(applied);
        facts.description = spec.description;
        facts.private = spec.private;
    })
}

fn options() -> WriteOptions {
    WriteOptions { field_manager: MANAGER.into(), ..WriteOptions::default() }
}

/// Creates an object, and its namespace if that is what is missing.
pub async fn create_with_namespace(objects: &dyn Objects, target: &Target, body: &Value) -> Result<Object, Status> {
    let bytes = bytes::Bytes::from(body.to_string());
    match objects.create(target, bytes.clone(), options()).await {
        Err(status) if status.is_not_found() => {}
        other => return other,
    }
    let namespace = target.namespace.as_deref().unwrap_or(NAMESPACE);
    ensure_namespace(objects, namespace).await?;
    objects.create(target, bytes, options()).await
}

/// Creates a namespace of the root cluster unless it is there.
pub async fn ensure_namespace(objects: &dyn Objects, namespace: &str) -> Result<(), Status> {
    let target = Target::cluster(&ClusterName::root(), &kinds::namespaces());
    if objects.get(&target, namespace).await.is_ok() {
        return Ok(());
    }
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    match objects.create(&target, body.to_string().into(), options()).await {
        Err(status) if !status.is_already_exists() => Err(status),
        _ => Ok(()),
    }
}
