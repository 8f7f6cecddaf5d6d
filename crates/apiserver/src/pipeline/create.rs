//! Create: names are generated, metadata that the server owns is filled, and the
//! object is committed together with the condition that its namespace still lives.

use api::{ClusterName, Gvr, ObjectMeta, Status};
use serde_json::{Value, json};
use store::{ConflictReason, Expect, Transaction};

use super::admit::refuse;
use super::decode;
use super::server::{ApiServer, Subject, Write, store_error};
use crate::allocation::Plan;
use crate::record::{Record, split};
use crate::tree::{Tree, meta_of, meta_text, typed_meta};
use crate::{crd, custom, strategy};

/// How often a generated name is drawn anew when it is taken.
const NAME_DRAWS: usize = 8;
/// How often a write is tried again when something it relies on changed meanwhile.
pub(super) const ATTEMPTS: usize = 5;

impl ApiServer {
    /// Creates an object and returns it as stored.
    pub async fn create(&self, subject: &Subject, mut object: Tree, write: &Write) -> Result<Record, Status> {
        self.check_type(subject, &mut object)?;
        decode::sent(subject, &mut object, write)?;
        self.place(subject, &mut object)?;
        strategy::default(&subject.kind.descriptor, &mut object);
        strategy::as_kept(&subject.kind.descriptor, &mut object);
        self.own_created(subject, &mut object, write);
        self.create_owned(subject, object, write).await
    }

    /// The same of an object whose owners are known.
    pub(super) async fn create_owned(
        &self,
        subject: &Subject,
        mut object: Tree,
        write: &Write,
    ) -> Result<Record, Status> {
        if !strategy::keeps_status(&subject.kind.descriptor) {
            object.remove("status");
        }
        self.namespace_check(subject)?;
        self.admit_new(subject, &mut object)?;
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
        let mut causes = machinery::validate::metadata(kind, &sent);
        self.check_cluster_name(subject, &sent.name)?;
        self.fill_new(subject, &mut object);
        strategy::prepare_create(kind, &mut object);
        strategy::sign(kind, write.by.as_ref(), &mut object);
        causes.extend(machinery::validate::builtin_create(kind, &object));
        causes.extend(custom::validate(&subject.kind, &object, None));
        refuse(subject, &object, causes)?;
        self.prepare_definition(subject, &mut object, None)?;
        for _ in 0..ATTEMPTS {
            let mut attempt = self.attempt(subject, &mut object);
            let plan = self.plan(subject, None, &mut attempt)?;
            custom::to_stored(&subject.kind, &mut attempt);
            let value = split(kind, attempt)?.bounded()?;
            if write.dry_run {
                return self.would_create(subject, &sent.name, value);
            }
            // What was given to the object may be taken by now: give it something else.
            let Some(record) = self.commit_new(subject, &sent, value, &plan).await? else { continue };
            self.put_into_effect(subject, &sent.name, &record).await?;
            return Ok(record);
        }
        Err(Status::too_many_requests("addresses and ports keep being taken, try again", 1))
    }

    /// What a create would store.
    fn would_create(&self, subject: &Subject, name: &str, value: store::Value) -> Result<Record, Status> {
        self.namespace_check(subject)?;
        if self.store().get(&subject.key(name)).is_some() {
            return Err(Status::already_exists(&subject.gvr(), name));
        }
        Ok(Record { meta: value.meta, body: value.body, revision: 0 })
    }

    /// Commits a new object with what it is given; `None` if that is no longer free.
    async fn commit_new(
        &self,
        subject: &Subject,
        sent: &ObjectMeta,
        value: store::Value,
        plan: &Plan,
    ) -> Result<Option<Record>, Status> {
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
            transaction = plan.add_to(self.with_companions(subject, &sent.name, transaction));
            match self.store().commit(transaction).await {
                Ok(committed) => {
                    let entry = committed.entries.into_iter().nth(at).flatten();
                    let record = entry.map(|entry| Record::of(&entry));
                    return record.map(Some).ok_or_else(|| Status::internal("a put left nothing"));
                }
                Err(store::Error::Conflict { key, .. }) if plan.concerns(&key) => return Ok(None),
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
        if api_version != gvk.api_version() {
            return Err(Status::bad_request(format!(
                "the API version in the data ({api_version}) does not match the expected API version ({})",
                gvk.api_version()
            )));
        }
        if kind != &*gvk.kind {
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
        for field in ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
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
