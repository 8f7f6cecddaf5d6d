//! Delete: at once, or, where finalizers hold the object up, marked and left to
//! them. What happens to dependents is written down as finalizers for the
//! garbage collector; nothing is followed here.

use api::{ObjectMeta, Status};
use client::{DeleteOptions, Propagation};
use serde_json::json;
use store::{Expect, Transaction};

use super::create::{ATTEMPTS, is_definition};
use super::read::ReadAt;
use super::select::Selectors;
use super::server::{ApiServer, Subject, store_error};
use super::update::is_finished;
use crate::crd;
use crate::record::{Record, split};
use crate::strategy::{self, Grace};
use crate::tree::{Tree, meta_of};

/// Keeps an owner until its blocking dependents are gone.
const FOREGROUND: &str = "foregroundDeletion";
/// Has dependents disowned before the owner goes.
const ORPHAN: &str = "orphan";
/// Namespaces that every cluster keeps.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// What became of an object that was to be deleted.
pub enum Deleted {
    /// It is gone; as it was last.
    Gone(Record),
    /// It waits for its finalizers.
    Waiting(Record),
}

impl ApiServer {
    /// Deletes one object.
    pub async fn delete(&self, subject: &Subject, name: &str, options: &DeleteOptions) -> Result<Deleted, Status> {
        self.refuse_immortal(subject, name)?;
        for _ in 0..ATTEMPTS {
            let entry = self.find(subject, name)?;
            let record = Record::of(&entry);
            let meta = record.object_meta()?;
            check_preconditions(subject, &meta, options)?;
            let marked = self.mark(subject, &record, &meta, options)?;
            let finished = is_finished(&subject.kind.descriptor, &marked);
            let segments = split(&subject.kind.descriptor, marked)?;
            if !finished && segments.meta == record.meta && segments.body == record.body {
                // Whoever asked first may have gone before what follows was done.
                if !options.dry_run {
                    self.begin_removal(subject, name).await?;
                }
                return Ok(Deleted::Waiting(record));
            }
            let value = store::Value::new(segments.meta, segments.body);
            if options.dry_run {
                return Ok(Deleted::Waiting(record));
            }
            let (key, expect) = ((*entry.key).clone(), Expect::Revision(entry.revision));
            let transaction = if finished {
                let released = self.plan_release(subject, &record.value(&subject.kind.descriptor)?);
                // Whoever watches pods is told with the last of one when it was to end.
                let ended = match ends_with_grace(&subject.kind.descriptor) {
                    true => Transaction::new().delete_with(key, expect, value),
                    false => Transaction::new().delete(key, expect),
                };
                released.add_to(ended)
            } else {
                Transaction::new().put(key, value, expect)
            };
            match self.store().commit(transaction).await {
                Ok(committed) => {
                    let entry = committed.entries.into_iter().next().flatten();
                    let record = entry.as_ref().map_or(record, Record::of);
                    if !finished {
                        self.begin_removal(subject, name).await?;
                        return Ok(Deleted::Waiting(record));
                    }
                    self.after_removal(subject, name, record.revision).await?;
                    return Ok(Deleted::Gone(record));
                }
                Err(store::Error::Conflict { .. }) => {}
                Err(error) => return Err(store_error(&error)),
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    /// Deletes every object that the selectors match; returns what they were.
    pub async fn delete_collection(
        &self,
        subject: &Subject,
        selectors: &Selectors,
        options: &DeleteOptions,
    ) -> Result<super::Listing, Status> {
        let listing = self.list(subject, false, selectors, ReadAt::Newest, 0, "")?;
        for item in &listing.items {
            let of_item = Subject { namespace: item.namespace.clone(), ..subject.clone() };
            match self.delete(&of_item, &item.name, options).await {
                Err(status) if !status.is_not_found() => return Err(status),
                _ => {}
            }
        }
        Ok(listing)
    }

    fn refuse_immortal(&self, subject: &Subject, name: &str) -> Result<(), Status> {
        let kind = &subject.kind.descriptor;
        if kind.gvk.group.is_empty() && &*kind.plural == "namespaces" && IMMORTAL.contains(&name) {
            return Err(Status::forbidden(&subject.gvr(), name, "this namespace may not be deleted"));
        }
        let definition = is_definition(subject).then(|| self.registry().definition(&subject.cluster, name)).flatten();
        if subject.cluster.is_root() && definition.is_some_and(|definition| definition.platform) {
            let why = "it belongs to a capability of the platform, and every logical cluster may hold instances of it";
            return Err(Status::forbidden(&subject.gvr(), name, why));
        }
        Ok(())
    }

    /// The object with its deletion written down.
    fn mark(
        &self,
        subject: &Subject,
        record: &Record,
        meta: &ObjectMeta,
        options: &DeleteOptions,
    ) -> Result<Tree, Status> {
        let kind = &subject.kind.descriptor;
        let mut object = record.value(kind)?;
        let mut finalizers = meta.finalizers.clone();
        set_propagation(&mut finalizers, options.propagation);
        let grace = strategy::grace(kind, &object, meta, options.grace_period_secs, self.clock().now());
        if grace == Grace::Runs {
            return Ok(object);
        }
        let fields = meta_of(&mut object);
        if finalizers.is_empty() {
            fields.remove("finalizers")
        } else {
            fields.insert("finalizers".into(), json!(finalizers))
        };
        if let Grace::Until(end, secs) = grace {
            fields.insert("deletionTimestamp".into(), json!(end));
            fields.insert("deletionGracePeriodSeconds".into(), json!(secs));
        }
        if !meta.is_deleting() && kind.has_generation {
            fields.insert("generation".into(), json!(meta.generation + 1));
        }
        if kind.gvk.group.is_empty() && &*kind.plural == "namespaces" {
            let status = object.entry("status").or_insert_with(|| json!({}));
            if !status.is_object() {
                *status = json!({});
            }
            status["phase"] = json!("Terminating");
        }
        Ok(object)
    }

    /// What follows the removal of an object from the store.
    pub(super) async fn after_removal(&self, subject: &Subject, name: &str, revision: u64) -> Result<(), Status> {
        let kind = &subject.kind.descriptor;
        match (&*kind.gvk.group, &*kind.plural) {
            (crd::GROUP, crd::PLURAL) => {
                self.registry().undefine(&subject.cluster, name, revision);
                self.release_names(&subject.cluster).await?;
            }
            (super::clusters::GROUP, super::clusters::PLURAL) => self.remove_cluster(name).await?,
            _ if subject.kind.is_custom() => self.finish_definition(subject).await?,
            _ => {}
        }
        Ok(())
    }
}

/// Whether objects of the kind are given time to end.
fn ends_with_grace(kind: &api::KindDescriptor) -> bool {
    kind.gvk.group.is_empty() && &*kind.plural == "pods"
}

fn set_propagation(finalizers: &mut Vec<String>, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    finalizers.retain(|name| name != FOREGROUND && name != ORPHAN);
    match propagation {
        Propagation::Foreground => finalizers.push(FOREGROUND.into()),
        Propagation::Orphan => finalizers.push(ORPHAN.into()),
        Propagation::Background => {}
    }
}

fn check_preconditions(subject: &Subject, meta: &ObjectMeta, options: &DeleteOptions) -> Result<(), Status> {
    let wanted = &options.preconditions;
    let pairs =
        [("UID", &wanted.uid, &meta.uid), ("ResourceVersion", &wanted.resource_version, &meta.resource_version)];
    for (what, wanted, held) in pairs {
        if let Some(wanted) = wanted
            && wanted != held
        {
            let why = format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {held}");
            return Err(Status::conflict(&subject.gvr(), &meta.name, &why));
        }
    }
    Ok(())
}
