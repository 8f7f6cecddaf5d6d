//! Create: names are generated, metadata that the server owns is filled, and the
//! object is committed together with the condition that its namespace still lives.

use api::{ClusterName, Gvr, ObjectMeta, Status};
use serde_json::{Value, json};
use store::{ConflictReason, Expect, Transaction};

use super::server::{ApiServer, Subject, Write, store_error};
use crate::record::{Record, split};
use crate::tree::{Tree, meta_of, meta_text, typed_meta};
use crate::{crd, strategy};

/// How often a generated name is drawn anew when it is taken.
const NAME_DRAWS: usize = 8;
/// How often a write is tried again when something it relies on changed meanwhile.
pub(super) const ATTEMPTS: usize = 5;

impl ApiServer {
    /// Creates an object and returns it as stored.
    pub async fn create(&self, subject: &Subject, mut object: Tree, write: &Write) -> Result<Record, Status> {
        self.check_type(subject, &mut object)?;
        self.place(subject, &mut object)?;
        let generated = meta_text(&object, "name").is_empty() && !meta_text(&object, "generateName").is_empty();
        if !generated {
            return self.create_named(subject, object, write).await;
        }
        let prefix: String = meta_text(&object, "generateName").chars().take(58).collect();
        for _ in 0..NAME_DRAWS {
            let mut named = object.clone();
            meta_of(&mut named).insert("name".into(), json!(format!("{prefix}{}", self.ids().name_suffix())));
            match self.create_named(subject, named, write).await {
                Err(status) if status.is_already_exists() => {}
                outcome => return outcome,
            }
        }
        Err(Status::already_exists(&subject.gvr(), &prefix))
    }

    async fn create_named(&self, subject: &Subject, mut object: Tree, write: &Write) -> Result<Record, Status> {
        let kind = &subject.kind.descriptor;
        self.definition_check(subject)?;
        let sent = typed_meta(&object, &kind.gvk.kind)?;
        if !sent.resource_version.is_empty() && sent.resource_version != "0" {
            return Err(Status::bad_request("resourceVersion should not be set on objects to be created"));
        }
        let causes = machinery::validate::metadata(kind, &sent);
        if !causes.is_empty() {
            return Err(Status::invalid(&kind.gvk.group, &kind.gvk.kind, &sent.name, causes));
        }
        self.check_cluster_name(subject, &sent.name)?;
        if !strategy::keeps_status(kind) {
            object.remove("status");
        }
        strategy::prepare_create(kind, &mut object);
        self.fill_new(subject, &mut object);
        self.prepare_definition(subject, &mut object, None)?;
        let value = split(kind, object)?.bounded()?;
        if write.dry_run {
            self.namespace_check(subject)?;
            if self.store().get(&subject.key(&sent.name)).is_some() {
                return Err(Status::already_exists(&subject.gvr(), &sent.name));
            }
            return Ok(Record { meta: value.meta, body: value.body, revision: 0 });
        }
        let record = self.commit_new(subject, &sent, value).await?;
        self.put_into_effect(subject, &sent.name, &record).await?;
        Ok(record)
    }

    async fn commit_new(&self, subject: &Subject, sent: &ObjectMeta, value: store::Value) -> Result<Record, Status> {
        for _ in 0..ATTEMPTS {
            let mut transaction = Transaction::new();
            if let Some((key, revision)) = self.namespace_check(subject)? {
                transaction = transaction.check(key, Expect::Revision(revision));
            }
            if let Some(key) = self.cluster_key(&subject.cluster) {
                transaction = transaction.check(key, Expect::Present);
            }
            if let Some((key, revision)) = self.definition_check(subject)? {
                transaction = transaction.check(key, Expect::Revision(revision));
            }
            let at = transaction.ops.len();
            transaction = transaction.put(subject.key(&sent.name), value.clone(), Expect::Absent);
            transaction = self.with_companions(subject, &sent.name, transaction);
            match self.store().commit(transaction).await {
                Ok(committed) => {
                    let entry = committed.entries.into_iter().nth(at).flatten();
                    return entry.map(|entry| Record::of(&entry)).ok_or_else(|| Status::internal("a put left nothing"));
                }
                Err(store::Error::Conflict { op, reason: ConflictReason::AlreadyExists, .. }) if op == at => {
                    return Err(Status::already_exists(&subject.gvr(), &sent.name));
                }
                // The namespace or the definition changed between the look and the commit: look again.
                Err(store::Error::Conflict { .. }) => self.require_cluster(&subject.cluster)?,
                Err(error) => return Err(store_error(&error)),
            }
        }
        Err(Status::too_many_requests("the namespace keeps changing, try again", 1))
    }

    /// Refuses an object of another type than the path names. A built-in kind need not be
    /// named at all, as many clients do not.
    pub(super) fn check_type(&self, subject: &Subject, object: &mut Tree) -> Result<(), Status> {
        let gvk = &subject.kind.descriptor.gvk;
        if !subject.kind.is_custom() {
            for (field, value) in [("apiVersion", gvk.api_version()), ("kind", gvk.kind.to_string())] {
                let held = object.entry(field).or_insert(Value::Null);
                if held.is_null() || *held == "" {
                    *held = Value::String(value);
                }
            }
        }
        let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if kind.is_empty() || api_version.is_empty() {
            let missing = if kind.is_empty() { "Kind" } else { "apiVersion" };
            return Err(Status::bad_request(format!("Object '{missing}' is missing")));
        }
        if api_version != gvk.api_version() || kind != &*gvk.kind {
            return Err(Status::bad_request(format!(
                "the API version in the data ({api_version}, Kind={kind}) does not match the expected API version ({gvk})"
            )));
        }
        Ok(())
    }

    /// Gives the object the namespace of the path, or refuses another one.
    pub(super) fn place(&self, subject: &Subject, object: &mut Tree) -> Result<(), Status> {
        let namespace = meta_text(object, "namespace").to_owned();
        if !subject.kind.descriptor.namespaced {
            meta_of(object).remove("namespace");
            return Ok(());
        }
        if !namespace.is_empty() && namespace != subject.namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        meta_of(object).insert("namespace".into(), json!(subject.namespace));
        Ok(())
    }

    fn fill_new(&self, subject: &Subject, object: &mut Tree) {
        let now = self.clock().now_rfc3339();
        let uid = self.ids().uid();
        let meta = meta_of(object);
        for field in [
            "resourceVersion",
            "selfLink",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "managedFields",
            "generation",
        ] {
            meta.remove(field);
        }
        drop_empty(meta);
        meta.insert("uid".into(), json!(uid));
        meta.insert("creationTimestamp".into(), json!(now));
        if subject.kind.descriptor.has_generation {
            meta.insert("generation".into(), json!(1));
        }
    }

    /// The namespace's key and revision, which must hold when the object is committed.
    fn namespace_check(&self, subject: &Subject) -> Result<Option<(store::Key, u64)>, Status> {
        if !subject.kind.descriptor.namespaced {
            return Ok(None);
        }
        let entry = self.namespace(&subject.cluster, &subject.namespace)?;
        if Record::of(&entry).is_deleting()? {
            let why = format!(
                "unable to create new content in namespace {} because it is being terminated",
                subject.namespace
            );
            let mut status = Status::forbidden(&subject.gvr(), "", &why);
            status.causes = vec![api::Cause {
                reason: "NamespaceTerminating".into(),
                message: format!("namespace {} is being terminated", subject.namespace),
                field: "metadata.namespace".into(),
            }];
            return Err(status);
        }
        Ok(Some(((*entry.key).clone(), entry.revision)))
    }

    fn namespace(&self, cluster: &ClusterName, name: &str) -> Result<store::Entry, Status> {
        let key = store::Key::new("", "namespaces", cluster.as_str(), "", name);
        self.store().get(&key).ok_or_else(|| Status::not_found(&Gvr::new("", "v1", "namespaces"), name))
    }

    /// Makes a definition's kind served before the create returns.
    async fn put_into_effect(&self, subject: &Subject, name: &str, record: &Record) -> Result<(), Status> {
        if is_definition(subject) {
            self.define(&subject.cluster, name, record)?;
        }
        Ok(())
    }
}

/// Whether the subject is the resource of definitions.
pub(super) fn is_definition(subject: &Subject) -> bool {
    &*subject.kind.descriptor.gvk.group == crd::GROUP && &*subject.kind.descriptor.plural == crd::PLURAL
}

/// Empty metadata fields are as good as absent; Kubernetes does not store them.
pub(super) fn drop_empty(meta: &mut Tree) {
    meta.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    });
}
