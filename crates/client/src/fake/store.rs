//! The fake's memory: objects, the log of every change, and who watches. It
//! knows revisions and selectors, no rule of any kind.

use std::collections::BTreeMap;

use api::{Gvr, Status};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{Event, Object, ObjectKey, Result, Scope, Target};

/// Group and resource: every version of a kind has the same objects.
pub(super) type Resource = (String, String);

pub(super) fn resource(gvr: &Gvr) -> Resource {
    (gvr.group.to_string(), gvr.resource.to_string())
}

#[derive(Default)]
pub(super) struct Store {
    pub(super) objects: BTreeMap<(Resource, ObjectKey), Object>,
    pub(super) revision: u64,
    /// Watches from before this revision have expired.
    oldest: u64,
    log: Vec<Logged>,
    watchers: Vec<Watcher>,
}

#[derive(Clone)]
struct Logged {
    revision: u64,
    resource: Resource,
    old: Option<Object>,
    new: Option<Object>,
    /// The end of an object, with the revision of its end.
    end: Option<Object>,
}

struct Watcher {
    view: View,
    sender: UnboundedSender<Result<Event>>,
}

/// What a list or watch shows.
#[derive(Clone)]
pub(super) struct View {
    pub(super) target: Target,
    pub(super) labels: String,
    pub(super) fields: String,
}

impl View {
    fn shows(&self, object: &Object) -> bool {
        let in_scope = match &self.target.scope {
            Scope::One(cluster) => object.cluster == *cluster,
            Scope::All => true,
        };
        let in_namespace = self.target.namespace.as_ref().is_none_or(|namespace| **namespace == *object.meta.namespace);
        let value = object.value().unwrap_or_default();
        let label = |key: &str| object.meta.labels.get(key).cloned();
        let field = |path: &str| {
            let pointer = format!("/{}", path.trim_start_matches('.').replace('.', "/"));
            value.pointer(&pointer).and_then(Value::as_str).map(str::to_owned)
        };
        in_scope && in_namespace && selects(&self.labels, label) && selects(&self.fields, field)
    }

    fn event(&self, change: &Logged) -> Option<Event> {
        if change.resource != resource(&self.target.gvr) {
            return None;
        }
        let was = change.old.as_ref().is_some_and(|old| self.shows(old));
        match (&change.new, was) {
            (Some(new), false) if self.shows(new) => Some(Event::Added(new.clone())),
            (Some(new), true) if self.shows(new) => Some(Event::Modified(new.clone())),
            (Some(new), true) => Some(Event::Deleted(new.clone())),
            (None, true) => change.end.clone().map(Event::Deleted),
            _ => None,
        }
    }
}

/// `a=b`, `a==b`, `a!=b`, `a` and `!a`, joined by commas.
fn selects(selector: &str, value: impl Fn(&str) -> Option<String>) -> bool {
    selector.split(',').filter(|term| !term.is_empty()).all(|term| {
        if let Some((key, wanted)) = term.split_once("!=") {
            value(key).as_deref() != Some(wanted)
        } else if let Some((key, wanted)) = term.split_once('=') {
            value(key).unwrap_or_default() == wanted.trim_start_matches('=')
        } else if let Some(key) = term.strip_prefix('!') {
            value(key).is_none()
        } else {
            value(term).is_some()
        }
    })
}

impl Store {
    pub(super) fn get(&self, resource: &Resource, key: &ObjectKey) -> Option<&Object> {
        self.objects.get(&(resource.clone(), key.clone()))
    }

    pub(super) fn list(&self, view: &View) -> Vec<Object> {
        let wanted = resource(&view.target.gvr);
        let of_resource = self.objects.iter().filter(|((held, _), _)| *held == wanted);
        of_resource.map(|(_, object)| object.clone()).filter(|object| view.shows(object)).collect()
    }

    /// Stores `value` at the next revision, or removes the object.
    pub(super) fn commit(&mut self, resource: &Resource, key: &ObjectKey, value: Option<Value>) -> Result<Object> {
        self.revision += 1;
        let place = (resource.clone(), key.clone());
        let old = self.objects.remove(&place);
        let kept = value.is_some();
        let Some(mut value) = value.or_else(|| old.as_ref().and_then(|old| old.value().ok())) else {
            return Err(Status::internal("nothing to store or remove"));
        };
        value["metadata"]["resourceVersion"] = self.revision.to_string().into();
        let object = Object::from_json(key.cluster.clone(), value.to_string().into())?;
        if kept {
            self.objects.insert(place, object.clone());
        }
        let end = (!kept).then(|| object.clone());
        let new = kept.then(|| object.clone());
        self.publish(Logged { revision: self.revision, resource: resource.clone(), old, new, end });
        Ok(object)
    }

    fn publish(&mut self, change: Logged) {
        self.watchers.retain(|watcher| match watcher.view.event(&change) {
            Some(event) => watcher.sender.send(Ok(event)).is_ok(),
            None => !watcher.sender.is_closed(),
        });
        self.log.push(change);
    }

    pub(super) fn watch(
        &mut self,
        view: View,
        from: &str,
        initial_end: bool,
    ) -> Result<UnboundedReceiver<Result<Event>>> {
        let (sender, receiver) = unbounded_channel();
        if from.is_empty() {
            for object in self.list(&view) {
                let _ = sender.send(Ok(Event::Added(object)));
            }
        } else {
            let after: u64 = from.parse().map_err(|_| Status::bad_request("resourceVersion is not a number"))?;
            if after < self.oldest {
                return Err(Status::expired(format!("too old resource version: {after} ({})", self.oldest)));
            }
            for event in
                self.log.iter().filter(|change| change.revision > after).filter_map(|change| view.event(change))
            {
                let _ = sender.send(Ok(event));
            }
        }
        if initial_end {
            let resource_version = self.revision.to_string();
            let _ = sender.send(Ok(Event::Bookmark { resource_version, initial_events_end: true }));
        }
        self.watchers.push(Watcher { view, sender });
        Ok(receiver)
    }

    /// Ends every watch; with `forget`, their revisions have expired.
    pub(super) fn end_watches(&mut self, forget: bool) {
        if forget {
            self.revision += 1;
            self.oldest = self.revision;
            self.log.clear();
        }
        self.watchers.clear();
    }
}
