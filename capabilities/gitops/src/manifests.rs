//! Stop 4, render: rendered sources become the objects of one Application: namespace
//! put in, server-owned fields taken out, tracking annotation put on, hooks set
//! apart until an operation names them, the last of several of one name kept. Pure;
//! it must never ask the API.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::{ClusterName, Gvk, KindDescriptor};
use serde_json::Value;

use crate::hooks::{self, Role, Template};
use crate::normalise;
use crate::resource::{self, Key, definition_of};
use crate::tracking::{INSTALLATION_ID, Owner, TRACKING_ID};
use crate::types::Condition;

/// How the destination serves the kinds that are rendered; `None` for kinds it does not serve.
pub type Kinds = HashMap<Gvk, Option<KindDescriptor>>;

/// What an Application wants.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Objects by their key.
    pub objects: BTreeMap<Key, Arc<Value>>,
    /// Hooks, in the order of their sources.
    pub hooks: Vec<Template>,
    /// What is worth saying about them.
    pub conditions: Vec<Condition>,
}

/// Where the objects go and whose they are.
pub struct Place<'a> {
    /// Whose.
    pub owner: &'a Owner,
    /// Cluster.
    pub cluster: &'a ClusterName,
    /// Namespace of namespaced objects that state none.
    pub namespace: &'a str,
}

impl Place<'_> {
    /// Marks an object as the Application's.
    pub fn mark(&self, object: &mut Value, key: &Key) {
        resource::set_annotation(object, TRACKING_ID, self.owner.tracking_id(key));
        if let Some(id) = self.owner.installation_id(self.cluster) {
            resource::set_annotation(object, INSTALLATION_ID, id.to_owned());
        }
    }
}

/// Kinds that appear among rendered objects.
pub fn kinds_of<'a>(rendered: impl Iterator<Item = &'a Value>) -> Vec<Gvk> {
    let mut kinds: Vec<Gvk> = rendered.map(resource::gvk).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Makes the objects of an Application from what its sources rendered, in their order. The error
/// is one sentence.
#[tracing::instrument(level = "debug", name = "render", skip_all)]
pub fn targets(rendered: &[&Value], place: &Place<'_>, kinds: &Kinds) -> Result<Targets, String> {
    let scopes = scopes(rendered, kinds);
    let mut found = Targets::default();
    let mut count: BTreeMap<Key, usize> = BTreeMap::new();
    for value in rendered {
        let role = hooks::role(value);
        if role == Role::Ignored {
            continue;
        }
        let mut object = Value::clone(value);
        normalise::desired(&mut object);
        let gvk = resource::gvk(&object);
        let is_namespaced = scopes.get(&(gvk.group.clone(), gvk.kind.clone())).copied().unwrap_or(true);
        put_namespace(&mut object, is_namespaced.then_some(place.namespace));
        let key = Key::of(&object);
        let is_hook = matches!(role, Role::Hook(_));
        if key.name.is_empty() && (!is_hook || resource::text(&object, "/metadata/generateName").is_empty()) {
            return Err(format!("an object of kind {} has no name", key.kind));
        }
        if !key.name.is_empty() {
            *count.entry(key.clone()).or_default() += 1;
            found.objects.remove(&key);
            found.hooks.retain(|hook| Key::of(&hook.object) != key);
        }
        if let Role::Hook(points) = role {
            found.hooks.push(Template { object: Arc::new(object), points });
            continue;
        }
        place.mark(&mut object, &key);
        found.objects.insert(key, Arc::new(object));
    }
    for (key, times) in count.into_iter().filter(|(_, times)| *times > 1) {
        let message = format!("Resource {key} appeared {times} times among application resources.");
        found.conditions.push(Condition::new("RepeatedResourceWarning", message));
    }
    Ok(found)
}

/// Whether kinds are namespaced: as the destination serves them, or as a definition of the same
/// render says.
fn scopes(rendered: &[&Value], kinds: &Kinds) -> HashMap<(Arc<str>, Arc<str>), bool> {
    let mut scopes = HashMap::new();
    for value in rendered.iter().filter(|value| resource::text(value, "/kind") == "CustomResourceDefinition") {
        let (group, kind) = definition_of(value);
        let is_namespaced = resource::text(value, "/spec/scope") != "Cluster";
        scopes.insert((group.into(), kind.into()), is_namespaced);
    }
    for (gvk, kind) in kinds {
        if let Some(kind) = kind {
            scopes.insert((gvk.group.clone(), gvk.kind.clone()), kind.namespaced);
        }
    }
    scopes
}

fn put_namespace(object: &mut Value, namespace: Option<&str>) {
    if !object["metadata"].is_object() {
        object["metadata"] = Value::Object(serde_json::Map::new());
    }
    let stated = !resource::text(object, "/metadata/namespace").is_empty();
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    match namespace {
        None => drop(metadata.remove("namespace")),
        Some(namespace) if !stated && !namespace.is_empty() => {
            metadata.insert("namespace".into(), namespace.into());
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests;
