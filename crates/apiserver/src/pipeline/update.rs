//! Update: a whole object, or its status or finalizers, replaces what is stored.
//! A write that changes nothing is not stored, so that controllers come to rest.

use api::Status;
use serde_json::{Value, json};
use store::{ConflictReason, Expect, Transaction};

use super::create::{ATTEMPTS, drop_empty, is_definition};
use super::server::{ApiServer, Subject, Write, store_error};
use crate::record::{Record, split};
use crate::strategy;
use crate::tree::{Tree, meta_of, meta_text, typed_meta};

/// Metadata that clients may send but never change.
const SERVER_OWNED: [&str; 6] =
    ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];

/// Which part of an object a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything but the status, for kinds whose status is a subresource.
    Main,
    /// The status alone.
    Status,
    /// A namespace's `spec.finalizers`.
    Finalize,
}

impl Part {
    /// The part that a subresource path names.
    pub fn of(subject: &Subject, subresource: Option<&str>) -> Result<Part, Status> {
        let kind = &subject.kind.descriptor;
        match subresource {
            None => Ok(Part::Main),
            Some("status") if kind.subresources.status => Ok(Part::Status),
            Some("finalize") if kind.gvk.group.is_empty() && &*kind.plural == "namespaces" => Ok(Part::Finalize),
            Some(_) => Err(Status::no_such_resource()),
        }
    }
}

impl ApiServer {
    /// Replaces an object, or a part of it, and returns it as stored.
    pub async fn update(
        &self,
        subject: &Subject,
        name: &str,
        part: Part,
        mut object: Tree,
        write: &Write,
    ) -> Result<Record, Status> {
        self.check_type(subject, &mut object)?;
        self.place(subject, &mut object)?;
        let sent_name = meta_text(&object, "name").to_owned();
        if sent_name.is_empty() {
            meta_of(&mut object).insert("name".into(), json!(name));
        } else if sent_name != name {
            return Err(Status::bad_request(format!(
                "the name of the object ({sent_name}) does not match the name on the URL ({name})"
            )));
        }
        let asked = meta_text(&object, "resourceVersion").to_owned();
        for _ in 0..ATTEMPTS {
            let Some(entry) = self.store().get(&subject.key(name)) else {
                if part == Part::Main && strategy::creates_on_update(&subject.kind.descriptor) && asked.is_empty() {
                    return self.create(subject, object, write).await;
                }
                return Err(Status::not_found(&subject.gvr(), name));
            };
            if asked.is_empty() && strategy::needs_revision(&subject.kind.descriptor) {
                return Err(revision_missing(&subject.gvr(), name));
            }
            if !asked.is_empty() && asked != entry.revision.to_string() {
                return Err(Status::stale(&subject.gvr(), name));
            }
            check_uid(subject, &entry, &object)?;
            match self.replace(subject, &entry, part, object.clone(), write).await {
                // Nobody asked for a certain revision, so the newer one is as good.
                Err(status) if status.is_conflict() && asked.is_empty() => {}
                outcome => return outcome,
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    /// Stores `object` in place of `entry`, or returns what is stored if nothing changes.
    pub(super) async fn replace(
        &self,
        subject: &Subject,
        entry: &store::Entry,
        part: Part,
        object: Tree,
        write: &Write,
    ) -> Result<Record, Status> {
        let kind = &subject.kind.descriptor;
        let stored = Record::of(entry);
        let old = stored.value(kind)?;
        let mut new = merge_part(kind, part, &old, object);
        let old_meta = stored.object_meta()?;
        carry_over(&old, &mut new);
        let sent = typed_meta(&new, &kind.gvk.kind)?;
        let causes = machinery::validate::metadata_update(kind, &sent, &old_meta);
        if !causes.is_empty() {
            return Err(Status::invalid(&kind.gvk.group, &kind.gvk.kind, &old_meta.name, causes));
        }
        if part == Part::Main {
            strategy::prepare_write(kind, &mut new);
            self.prepare_definition(subject, &mut new, Some(&old))?;
        }
        if kind.has_generation && desired_changed(&old, &new) {
            meta_of(&mut new).insert("generation".into(), json!(old_meta.generation + 1));
        }
        let finished = old_meta.is_deleting() && is_finished(kind, &new);
        let segments = split(kind, new)?;
        if !finished && segments.meta == stored.meta && segments.body == stored.body {
            return Ok(stored);
        }
        let value = segments.bounded()?;
        if write.dry_run {
            return Ok(Record { meta: value.meta, body: value.body, revision: entry.revision });
        }
        let record = self.commit_over(subject, entry, value, finished).await?;
        if finished {
            self.after_removal(subject, &old_meta.name, record.revision).await?;
        } else if is_definition(subject) {
            self.define(&subject.cluster, &old_meta.name, &record)?;
        }
        Ok(record)
    }

    async fn commit_over(
        &self,
        subject: &Subject,
        entry: &store::Entry,
        value: store::Value,
        finished: bool,
    ) -> Result<Record, Status> {
        let key = (*entry.key).clone();
        let expect = Expect::Revision(entry.revision);
        let transaction = if finished {
            Transaction::new().delete_with(key, expect, value)
        } else {
            Transaction::new().put(key, value, expect)
        };
        match self.store().commit(transaction).await {
            Ok(committed) => {
                let entry = committed.entries.into_iter().next().flatten();
                entry.map(|entry| Record::of(&entry)).ok_or_else(|| Status::internal("a put left nothing"))
            }
            Err(store::Error::Conflict { reason: ConflictReason::NotFound, key, .. }) => {
                Err(Status::not_found(&subject.gvr(), &key.name))
            }
            Err(store::Error::Conflict { key, .. }) => Err(Status::stale(&subject.gvr(), &key.name)),
            Err(error) => Err(store_error(&error)),
        }
    }
}

/// Refuses an object that states the uid of another one, such as of an earlier one of
/// its name.
pub(super) fn check_uid(subject: &Subject, entry: &store::Entry, object: &Tree) -> Result<(), Status> {
    let sent = meta_text(object, "uid");
    if sent.is_empty() {
        return Ok(());
    }
    let held = Record::of(entry).object_meta()?;
    if sent == held.uid {
        return Ok(());
    }
    let why = format!("Precondition failed: UID in precondition: {sent}, UID in object meta: {}", held.uid);
    Err(Status::conflict(&subject.gvr(), &held.name, &why))
}

fn revision_missing(gvr: &api::Gvr, name: &str) -> Status {
    let cause = api::Cause {
        reason: "FieldValueInvalid".into(),
        message: "Invalid value: 0x0: must be specified for an update".into(),
        field: "metadata.resourceVersion".into(),
    };
    Status::invalid(&gvr.group, &gvr.resource, name, vec![cause])
}

/// The object that results when only a part of `object` counts.
fn merge_part(kind: &api::KindDescriptor, part: Part, old: &Tree, mut object: Tree) -> Tree {
    match part {
        Part::Main => {
            if kind.subresources.status {
                set_or_remove(&mut object, "status", old.get("status").cloned());
            }
            if is_namespaces(kind) {
                set_finalizers(&mut object, finalizers_of(old));
            }
            object
        }
        Part::Status => {
            let mut new = old.clone();
            set_or_remove(&mut new, "status", object.remove("status"));
            if let strategy::Kept::Fields(kept) = strategy::kept_on_status(kind) {
                let held = std::mem::take(meta_of(&mut new));
                let mut meta = std::mem::take(meta_of(&mut object));
                for &field in kept {
                    set_or_remove(&mut meta, field, held.get(field).cloned());
                }
                *meta_of(&mut new) = meta;
            }
            new
        }
        Part::Finalize => {
            let mut new = old.clone();
            set_finalizers(&mut new, finalizers_of(&object));
            new
        }
    }
}

fn is_namespaces(kind: &api::KindDescriptor) -> bool {
    kind.gvk.group.is_empty() && &*kind.plural == "namespaces"
}

/// A namespace's own finalizers, which only its `finalize` subresource changes.
fn finalizers_of(namespace: &Tree) -> Option<Value> {
    namespace.get("spec").and_then(|spec| spec.get("finalizers")).cloned().filter(|list| *list != json!([]))
}

fn set_finalizers(namespace: &mut Tree, finalizers: Option<Value>) {
    let spec = namespace.entry("spec").or_insert_with(|| json!({}));
    if !spec.is_object() {
        *spec = json!({});
    }
    if let Some(spec) = spec.as_object_mut() {
        set_or_remove(spec, "finalizers", finalizers);
    }
}

fn set_or_remove(map: &mut Tree, field: &str, value: Option<Value>) {
    match value {
        Some(value) => map.insert(field.to_owned(), value),
        None => map.remove(field),
    };
}

/// Restores what clients may not change.
fn carry_over(old: &Tree, new: &mut Tree) {
    let held = old.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    let meta = meta_of(new);
    drop_empty(meta);
    meta.remove("managedFields");
    for field in SERVER_OWNED {
        // A stated uid is a precondition, checked by the caller.
        if field == "uid" && meta.contains_key("uid") {
            continue;
        }
        set_or_remove(meta, field, held.get(field).cloned());
    }
    set_or_remove(meta, "generateName", held.get("generateName").cloned());
}

/// Whether anything but metadata and status differs.
fn desired_changed(old: &Tree, new: &Tree) -> bool {
    let counts = |field: &str| !matches!(field, "metadata" | "status" | "apiVersion" | "kind");
    let fields = |tree: &Tree| tree.keys().filter(|field| counts(field)).count();
    fields(old) != fields(new) || old.iter().any(|(field, value)| counts(field) && new.get(field) != Some(value))
}

/// Whether nothing holds up an object that is being deleted.
pub(super) fn is_finished(kind: &api::KindDescriptor, object: &Tree) -> bool {
    let empty = |list: Option<&Value>| list.and_then(Value::as_array).is_none_or(Vec::is_empty);
    let waits_for_grace = object
        .get("metadata")
        .and_then(|meta| meta.get("deletionGracePeriodSeconds"))
        .and_then(Value::as_i64)
        .is_some_and(|secs| secs > 0);
    empty(object.get("metadata").and_then(|meta| meta.get("finalizers")))
        && !waits_for_grace
        && (!is_namespaces(kind) || empty(object.get("spec").and_then(|spec| spec.get("finalizers"))))
}
