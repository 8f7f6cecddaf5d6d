//! Field ownership on every write path: which schemas a kind has, which fields a
//! write leaves alone, and what `metadata.managedFields` says after it. The rules
//! themselves stand in `machinery::ownership`; this file only knows where kinds
//! and times come from.

use api::{Cause, ClusterName, Gvr, Reason, Status};
use machinery::fields::Set;
use machinery::ownership::{self, ApplyError, Managers, Versions, Writer};
use machinery::structured::Node;
use serde_json::Value;

use super::part::Part;
use super::server::{ApiServer, Subject, Write};
use crate::registry::Kind;
use crate::tree::{Tree, meta_of};
use crate::{convert, reset};

/// The versions of a kind that a cluster serves.
struct Served<'a> {
    cluster: &'a ClusterName,
    server: &'a ApiServer,
    kind: &'a Kind,
    others: Vec<(String, Kind)>,
}

impl<'a> Served<'a> {
    /// Kinds of the versions that `managers` speak of are looked up at once, so that their
    /// schemas live as long as this.
    fn of(server: &'a ApiServer, subject: &'a Subject, managers: &Managers) -> Served<'a> {
        let mut served = Served { cluster: &subject.cluster, server, kind: &subject.kind, others: Vec::new() };
        let current = subject.kind.descriptor.gvk.api_version();
        for manager in managers.iter().filter(|manager| manager.api_version != current) {
            if served.others.iter().any(|(held, _)| *held == manager.api_version) {
                continue;
            }
            if let Some(kind) = served.find(&manager.api_version) {
                served.others.push((manager.api_version.clone(), kind));
            }
        }
        served
    }

    fn find(&self, api_version: &str) -> Option<Kind> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvr = Gvr::new(group, version, &self.kind.descriptor.plural);
        let found = self.server.registry().resource(self.cluster, &gvr)?;
        (found.topic() == self.kind.topic()).then_some(found)
    }

    fn kind(&self, api_version: &str) -> Option<&Kind> {
        if self.kind.descriptor.gvk.api_version() == api_version {
            return Some(self.kind);
        }
        self.others.iter().find(|(held, _)| held == api_version).map(|(_, kind)| kind)
    }
}

impl Versions for Served<'_> {
    fn node(&self, api_version: &str) -> Option<Node<'_>> {
        self.kind(api_version).map(node_of)
    }

    fn convert(&self, object: &Value, from: &str, to: &str) -> Option<Value> {
        let (from, to) = (&self.kind(from)?.descriptor, &self.kind(to)?.descriptor);
        if !convert::is_needed(from) && !convert::is_needed(to) {
            return None;
        }
        let mut tree = object.as_object()?.clone();
        if convert::is_needed(from) {
            convert::to_stored(from, &mut tree);
        }
        if convert::is_needed(to) {
            convert::to_served(to, &mut tree);
        }
        Some(Value::Object(tree))
    }
}

/// The schema of a kind as structured merge sees it.
fn node_of(kind: &Kind) -> Node<'_> {
    if kind.descriptor.type_name.is_empty() {
        return kind.schema().map_or(Node::deduced(), |schema| Node::of_schema(schema));
    }
    Node::of_type(api::builtin::types(), &kind.descriptor.type_name)
}

/// Adds what Go writes of an object although it is empty.
fn complete(kind: &Kind, object: &mut Tree) {
    let types = api::builtin::types();
    if let Some(id) = types.id(&kind.descriptor.type_name) {
        machinery::decode::complete(types, id, object);
    }
}

/// The object of a kind in which nothing is stated. What a client creates is compared with it,
/// so that nobody comes to own what stands in every object.
fn empty_of(kind: &Kind) -> Value {
    let gvk = &kind.descriptor.gvk;
    let mut tree = Tree::new();
    complete(kind, &mut tree);
    tree.insert("apiVersion".into(), gvk.api_version().into());
    tree.insert("kind".into(), gvk.kind.to_string().into());
    Value::Object(tree)
}

/// Whether two states of an object differ in nothing but the times of its owners.
pub(super) fn only_times_differ(old: &Tree, new: &Tree) -> bool {
    const KEPT_APART: [&str; 2] = ["managedFields", "resourceVersion"];
    let none = Tree::new();
    let rest_differs = |old: &Tree, new: &Tree, but: &[&str]| {
        let counts = |tree: &Tree| tree.keys().filter(|field| !but.contains(&field.as_str())).count();
        let is_held =
            |(field, value): (&String, &Value)| but.contains(&field.as_str()) || new.get(field) == Some(value);
        counts(old) != counts(new) || !old.iter().all(is_held)
    };
    if rest_differs(old, new, &["metadata"]) {
        return false;
    }
    let (old_meta, new_meta) = (metadata(old).unwrap_or(&none), metadata(new).unwrap_or(&none));
    if rest_differs(old_meta, new_meta, &KEPT_APART) {
        return false;
    }
    let (held, wanted) = (old_meta.get("managedFields"), new_meta.get("managedFields"));
    let owners = |entries| Managers::read(entries).ok();
    held == wanted
        || owners(held).is_some_and(|held| owners(wanted).is_some_and(|wanted| held.same_but_for_times(&wanted)))
}

fn metadata(object: &Tree) -> Option<&Tree> {
    object.get("metadata").and_then(Value::as_object)
}

/// Takes the owners out of an object's metadata.
fn take_owners(object: &mut Tree) -> Option<Value> {
    meta_of(object).remove("managedFields")
}

fn put_owners(object: &mut Tree, entries: Option<Value>) {
    match entries {
        Some(entries) => meta_of(object).insert("managedFields".into(), entries),
        None => meta_of(object).remove("managedFields"),
    };
}

/// Whether a client asks to forget all owners: `[]`, or one empty entry.
fn is_reset(entries: Option<&Value>) -> bool {
    match entries.and_then(Value::as_array).map(Vec::as_slice) {
        Some([]) => true,
        Some([one]) => one.as_object().is_some_and(Tree::is_empty),
        _ => false,
    }
}

impl ApiServer {
    fn writer<'a>(
        write: &'a Write,
        part: Part,
        api_version: &'a str,
        now: &'a str,
        ignored: &'a Set,
        versions: &'a dyn Versions,
    ) -> Writer<'a> {
        Writer { manager: &write.manager, subresource: part.subresource(), api_version, now, ignored, versions }
    }

    /// Records who owns the fields of an object that is about to be created. Owners that the
    /// client itself states count.
    pub(super) fn own_created(&self, subject: &Subject, object: &mut Tree, write: &Write) {
        complete(&subject.kind, object);
        let stated = take_owners(object);
        let managers = Managers::read(stated.as_ref()).unwrap_or_default();
        let served = Served::of(self, subject, &managers);
        let (version, now) = (subject.kind.descriptor.gvk.api_version(), self.clock().now_rfc3339());
        let ignored = reset::fields(&subject.kind.descriptor, Part::Main);
        let writer = Self::writer(write, Part::Main, &version, &now, &ignored, &served);
        let new = Value::Object(std::mem::take(object));
        // An object that does not fit its schema is refused by validation; until then nobody
        // owns any of it.
        let managers = ownership::update(&writer, &empty_of(&subject.kind), &new, managers).unwrap_or_default();
        let Value::Object(new) = new else { return };
        *object = new;
        put_owners(object, managers.write());
    }

    /// Records who owns the fields of an object that becomes `new`. `stated` are the owners that
    /// the client sent along, which count unless a subresource is written.
    pub(super) fn own_updated(
        &self,
        subject: &Subject,
        part: Part,
        old: &mut Tree,
        new: &mut Tree,
        stated: Option<&Value>,
        write: &Write,
    ) {
        complete(&subject.kind, new);
        let held = metadata(old).and_then(|meta| meta.get("managedFields"));
        let may_state = part == Part::Main;
        if may_state && is_reset(stated) {
            take_owners(new);
            return;
        }
        let known = || Managers::read(held).unwrap_or_default();
        let managers = match Managers::read(stated) {
            Ok(managers) if may_state && !managers.is_empty() => managers,
            _ => known(),
        };
        if managers.is_empty() {
            take_owners(new);
            return;
        }
        let served = Served::of(self, subject, &managers);
        let (version, now) = (subject.kind.descriptor.gvk.api_version(), self.clock().now_rfc3339());
        let ignored = reset::fields(&subject.kind.descriptor, part);
        let writer = Self::writer(write, part, &version, &now, &ignored, &served);
        take_owners(new);
        // Both are lent as values, and given back: copies would cost more than the comparison.
        let (live, next) = (Value::Object(std::mem::take(old)), Value::Object(std::mem::take(new)));
        let managers = ownership::update(&writer, &live, &next, managers).unwrap_or_default();
        let (Value::Object(live), Value::Object(next)) = (live, next) else { return };
        (*old, *new) = (live, next);
        put_owners(new, managers.write());
    }

    /// The object that an apply makes of `old`, owners included; of the empty object if there
    /// is none yet. `None` if it stays as it is, and its owners too.
    pub(super) fn own_applied(
        &self,
        subject: &Subject,
        part: Part,
        old: Option<&mut Tree>,
        config: &Value,
        write: &Write,
    ) -> Result<Option<Tree>, Status> {
        let gvk = &subject.kind.descriptor.gvk;
        let empty = empty_of(&subject.kind);
        let mut made = empty.as_object().cloned().unwrap_or_default();
        let old = old.unwrap_or(&mut made);
        let unreadable = |error| Status::internal(format_args!("failed to decode managed fields: {error}"));
        let entries = take_owners(old);
        let managers = Managers::read(entries.as_ref()).map_err(unreadable)?;
        let served = Served::of(self, subject, &managers);
        let (version, now) = (gvk.api_version(), self.clock().now_rfc3339());
        let ignored = reset::fields(&subject.kind.descriptor, part);
        let writer = Self::writer(write, part, &version, &now, &ignored, &served);
        // Lent as a value, and given back: a copy would cost as much as the merge.
        let live = Value::Object(std::mem::take(old));
        let outcome = ownership::apply(&writer, &empty, &live, config, managers, write.force);
        if let Value::Object(live) = live {
            *old = live;
        }
        let applied = outcome.map_err(|error| apply_status(&who(gvk, config), error))?;
        let owners = applied.managers.write();
        let is_same = applied.object.is_none() && owners == entries;
        if let Some(entries) = entries {
            meta_of(old).insert("managedFields".into(), entries);
        }
        if is_same {
            return Ok(None);
        }
        let Value::Object(mut object) = applied.object.unwrap_or_else(|| Value::Object(old.clone())) else {
            return Err(Status::internal("an apply left something that is not an object"));
        };
        put_owners(&mut object, owners);
        Ok(Some(object))
    }
}

/// An object as refusals of what does not fit its schema call it.
fn who(gvk: &api::Gvk, config: &Value) -> String {
    let text = |field: &str| config["metadata"][field].as_str().unwrap_or_default();
    format!("{}/{}; {}/{}, Kind={}", text("namespace"), text("name"), gvk.group, gvk.version, gvk.kind)
}

fn apply_status(who: &str, error: ApplyError) -> Status {
    match error {
        ApplyError::Patch(error) => unfit("patch", who, &error),
        ApplyError::Live(error) => unfit("live", who, &error),
        ApplyError::Conflicts(conflicts) => {
            let message = conflicts.to_string();
            let causes = conflicts.0.into_iter().map(|conflict| Cause {
                reason: "FieldManagerConflict".into(),
                message: format!("conflict with {}", conflict.manager),
                field: conflict.field,
            });
            let mut status = Status::new(409, Reason::Conflict, message);
            status.causes = causes.collect();
            status
        }
    }
}

/// What does not fit its schema is answered as an error of the server, as Kubernetes does it;
/// clients know the sentence.
fn unfit(which: &str, who: &str, error: &machinery::structured::Error) -> Status {
    let message = format!("failed to create typed {which} object ({who}): {error}");
    Status::new(500, Reason::InternalError, message)
}
