//! Update: a whole object, or its status or finalizers, replaces what is stored.
//! A write that changes nothing is not stored, so that controllers come to rest.

use api::Status;
use serde_json::{Value, json};
use store::{ConflictReason, Expect, Transaction};

use super::admit::refuse;
use super::create::{ATTEMPTS, drop_empty, is_definition};
use super::decode;
use super::owners::only_times_differ;
use super::part::Part;
use super::server::{ApiServer, Subject, Write, store_error};
use crate::allocation::Plan;
use crate::custom;
use crate::record::{Record, split};
use crate::registry::Kind;
use crate::strategy;
use crate::tree::{Tree, meta_of, meta_text, typed_meta};

/// Metadata that clients may send but never change.
const SERVER_OWNED: [&str; 6] =
    ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];

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
        decode::sent(subject, &mut object, write)?;
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
                return Err(revision_missing(&subject.kind, name));
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

    /// Stores `object` in place of `entry`, or returns what is stored if nothing changes. The
    /// writer comes to own what it changes.
    pub(super) async fn replace(
        &self,
        subject: &Subject,
        entry: &store::Entry,
        part: Part,
        mut object: Tree,
        write: &Write,
    ) -> Result<Record, Status> {
        let mut old = self.stored(subject, entry)?;
        let stated = meta_of(&mut object).remove("managedFields");
        let mut new = merged(&subject.kind, part, &old, object);
        strategy::as_kept(&subject.kind.descriptor, &mut new);
        self.own_updated(subject, part, &mut old, &mut new, stated.as_ref(), write);
        self.store_over(subject, entry, part, old, new, write).await
    }

    /// The same of an object whose owners are known, and of which the rest has been decoded.
    pub(super) async fn replace_owned(
        &self,
        subject: &Subject,
        entry: &store::Entry,
        part: Part,
        old: Tree,
        mut object: Tree,
        write: &Write,
    ) -> Result<Record, Status> {
        let kind = &subject.kind.descriptor;
        let owners = meta_of(&mut object).remove("managedFields");
        let mut new = merge_part(kind, part, &old, object);
        carry_over(&old, &mut new);
        strategy::default(kind, &mut new);
        set_or_remove(meta_of(&mut new), "managedFields", owners);
        self.store_over(subject, entry, part, old, new, write).await
    }

    /// A stored object. What was stored before there was a default reads as if it had been
    /// filled then.
    pub(super) fn stored(&self, subject: &Subject, entry: &store::Entry) -> Result<Tree, Status> {
        let kind = &subject.kind.descriptor;
        let mut old = custom::record(&subject.kind, entry).value(kind)?;
        strategy::default(kind, &mut old);
        Ok(old)
    }

    async fn store_over(
        &self,
        subject: &Subject,
        entry: &store::Entry,
        part: Part,
        old: Tree,
        new: Tree,
        write: &Write,
    ) -> Result<Record, Status> {
        let kind = &subject.kind.descriptor;
        let stored = Record::of(entry);
        let old_meta = stored.object_meta()?;
        let mut new = self.admitted(subject, part, &old, new, &old_meta)?;
        if part.is_wanted() && kind.has_generation && strategy::counts_as_change(kind, &old, &new) {
            meta_of(&mut new).insert("generation".into(), json!(old_meta.generation + 1));
        }
        let finished = old_meta.is_deleting() && is_finished(kind, &new);
        if !finished && only_times_differ(&old, &new) {
            return Ok(custom::record(&subject.kind, entry));
        }
        for _ in 0..ATTEMPTS {
            let mut attempt = self.attempt(subject, &mut new);
            let plan = match finished {
                true => self.plan_release(subject, &old),
                false if part.is_object() => self.plan(subject, Some(&old), &mut attempt)?,
                false => Plan::default(),
            };
            custom::to_stored(&subject.kind, &mut attempt);
            let segments = split(kind, attempt)?;
            if !finished && segments.meta == stored.meta && segments.body == stored.body {
                return Ok(custom::record(&subject.kind, entry));
            }
            let value = segments.bounded()?;
            if write.dry_run {
                return Ok(Record { meta: value.meta, body: value.body, revision: entry.revision });
            }
            // What was given to the object may be taken by now: give it something else.
            let Some(record) = self.commit_over(subject, entry, value, finished, &plan).await? else { continue };
            if finished {
                self.after_removal(subject, &old_meta.name, record.revision).await?;
            } else if is_definition(subject) {
                self.define(&subject.cluster, &old_meta.name, &record)?;
            }
            return Ok(record);
        }
        Err(Status::too_many_requests("addresses and ports keep being taken, try again", 1))
    }

    /// The object that a write of a part of it leaves, admitted and checked.
    fn admitted(
        &self,
        subject: &Subject,
        part: Part,
        old: &Tree,
        mut new: Tree,
        old_meta: &api::ObjectMeta,
    ) -> Result<Tree, Status> {
        let kind = &subject.kind.descriptor;
        let sent = typed_meta(&new, &kind.gvk.kind)?;
        let mut causes = machinery::validate::metadata_update(kind, &sent, old_meta);
        if part.is_object() {
            self.admit_change(subject, old, &mut new)?;
            strategy::prepare_update(kind, old, &mut new);
            causes.extend(machinery::validate::builtin_update(kind, old, &new));
            causes.extend(custom::validate(&subject.kind, &new, Some(old)));
        } else if part == Part::Status {
            causes.extend(custom::validate_status(&subject.kind, &new, old));
        } else if part.is_of_pods() {
            causes.extend(machinery::validate::pod_part_update(part.subresource(), old, &new));
            causes.extend(strategy::changed_quality(old, &new));
        }
        refuse(subject, old, causes)?;
        if part.is_object() {
            self.prepare_definition(subject, &mut new, Some(old))?;
        }
        Ok(new)
    }

    /// Commits what replaces an object, with what it is given; `None` if that is no longer free.
    pub(super) async fn commit_over(
        &self,
        subject: &Subject,
        entry: &store::Entry,
        value: store::Value,
        finished: bool,
        plan: &Plan,
    ) -> Result<Option<Record>, Status> {
        let key = (*entry.key).clone();
        let expect = Expect::Revision(entry.revision);
        let transaction = if finished {
            Transaction::new().delete_with(key, expect, value)
        } else {
            Transaction::new().put(key, value, expect)
        };
        match self.store().commit(plan.add_to(transaction)).await {
            Ok(committed) => {
                let entry = committed.entries.into_iter().next().flatten();
                let record = entry.map(|entry| Record::of(&entry));
                record.map(Some).ok_or_else(|| Status::internal("a put left nothing"))
            }
            Err(store::Error::Conflict { key, .. }) if plan.concerns(&key) => Ok(None),
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
    check_stated_uid(subject, entry, meta_text(object, "uid"))
}

/// The same of a uid that may be empty.
pub(super) fn check_stated_uid(subject: &Subject, entry: &store::Entry, sent: &str) -> Result<(), Status> {
    if sent.is_empty() {
        return Ok(());
    }
    let held = Record::of(entry).object_meta()?;
    stated_uid_differs(subject, &held.name, sent, &held.uid).map_or(Ok(()), Err)
}

/// The refusal of a write that states a uid which is not the object's.
pub(super) fn stated_uid_differs(subject: &Subject, name: &str, stated: &str, held: &str) -> Option<Status> {
    if stated.is_empty() || stated == held {
        return None;
    }
    let why = format!("Precondition failed: UID in precondition: {stated}, UID in object meta: {held}");
    Some(Status::conflict(&subject.gvr(), name, &why))
}

fn revision_missing(kind: &Kind, name: &str) -> Status {
    // Go prints the number of an object with a type in another base than one without.
    let shown = if kind.is_custom() { "0" } else { "0x0" };
    let gvr = kind.descriptor.gvr();
    let cause = api::Cause {
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: {shown}: must be specified for an update"),
        field: "metadata.resourceVersion".into(),
    };
    Status::invalid(&gvr.group, &gvr.resource, name, vec![cause])
}

/// The object that a write of a part of it leaves, with its defaults.
fn merged(kind: &Kind, part: Part, old: &Tree, object: Tree) -> Tree {
    let mut new = merge_part(&kind.descriptor, part, old, object);
    carry_over(old, &mut new);
    strategy::default(&kind.descriptor, &mut new);
    custom::fill(kind, &mut new);
    new
}

/// The object that results when only a part of `object` counts.
fn merge_part(kind: &api::KindDescriptor, part: Part, old: &Tree, mut object: Tree) -> Tree {
    match part {
        Part::Main | Part::Scale => {
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
        Part::EphemeralContainers => strategy::with_ephemeral_containers(old, &object),
        Part::Resize => strategy::resized(old, &object),
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
