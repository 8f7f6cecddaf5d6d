//! What single built-in kinds need beyond their descriptor: defaults, what the server
//! fills before an object is created or replaced, and which writes are special. Tables
//! and small functions; whole behaviours of a kind belong to a capability, and what needs
//! to look at other objects belongs to admission or allocation.

pub(crate) mod conditions;
mod daemon_sets;
mod generation;
mod grace;
mod jobs;
mod pods;
mod requests;
mod rules;
mod secrets;
mod services;
mod storage;
#[cfg(test)]
mod tests;

use api::KindDescriptor;
use serde_json::{Map, Value, json};

use crate::crd;
use crate::tree::{Tree, meta_of, meta_text};

pub use generation::counts_as_change;
pub use grace::{Grace, grace};
pub use pods::{changed_quality, resized, with_ephemeral_containers};
pub use requests::sign;
pub use rules::{Kept, creates_on_update, keeps_status, kept_on_status, needs_revision};
pub(crate) use services::{has_address, has_health_port, has_node_ports};

/// Fills the defaults of a built-in kind; others are left alone.
pub fn default(kind: &KindDescriptor, object: &mut Tree) {
    if !kind.type_name.is_empty() {
        machinery::defaults::apply(api::builtin::types(), &kind.type_name, object);
    }
}

/// Gives what a client wrote the form that it is kept in, as Kubernetes does before anybody
/// comes to own its fields: no one owns `stringData`, and who makes a definition owns its names.
pub fn as_kept(kind: &KindDescriptor, object: &mut Tree) {
    match (&*kind.gvk.group, &*kind.plural) {
        ("", "secrets") => secrets::fold_string_data(object),
        (crd::GROUP, crd::PLURAL) => crd::default_spec(object),
        _ => {}
    }
}

/// Fills what Kubernetes fills before an object is created: its uid and its time are in
/// its metadata by then, and its defaults are filled.
pub fn prepare_create(kind: &KindDescriptor, object: &mut Tree) {
    prepare_write(kind, object);
    match (&*kind.gvk.group, &*kind.plural) {
        ("", "namespaces") => namespace(object),
        ("", "pods") => pods::create(object),
        ("", "persistentvolumeclaims") => storage::create_claim(object),
        ("", "persistentvolumes") => storage::create_volume(object),
        ("", "services") => services::create(object),
        ("apps", "daemonsets") => daemon_sets::create(object),
        ("batch", "jobs") => jobs::create(object),
        (crd::GROUP, crd::PLURAL) => definition(object),
        _ => {}
    }
}

/// Fills what Kubernetes fills before an object replaces `old`.
pub fn prepare_update(kind: &KindDescriptor, old: &Tree, object: &mut Tree) {
    prepare_write(kind, object);
    match (&*kind.gvk.group, &*kind.plural) {
        ("", "persistentvolumeclaims") => storage::update_claim(old, object),
        ("", "services") => services::update(old, object),
        ("apps", "daemonsets") => daemon_sets::update(old, object),
        // A request is for what it was made for.
        ("certificates.k8s.io", "certificatesigningrequests") => keep(old, object, "spec"),
        _ => {}
    }
}

fn prepare_write(kind: &KindDescriptor, object: &mut Tree) {
    as_kept(kind, object);
    if kind.gvk.group.is_empty() && &*kind.plural == "serviceaccounts" {
        secrets::keep_names(object);
    }
}

fn namespace(object: &mut Tree) {
    let name = meta_text(object, "name").to_owned();
    let labels = meta_of(object).entry("labels").or_insert_with(|| json!({}));
    if !labels.is_object() {
        *labels = json!({});
    }
    labels["kubernetes.io/metadata.name"] = json!(name);
    let spec = child(object, "spec");
    let finalizers = spec.entry("finalizers").or_insert_with(|| json!([]));
    match finalizers.as_array_mut() {
        Some(list) if list.contains(&json!("kubernetes")) => {}
        Some(list) => list.push(json!("kubernetes")),
        None => *finalizers = json!(["kubernetes"]),
    }
    object.insert("status".into(), json!({"phase": "Active"}));
}

fn definition(object: &mut Tree) {
    let finalizers = meta_of(object).entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut()
        && !list.contains(&json!(crd::FINALIZER))
    {
        list.push(json!(crd::FINALIZER));
    }
}

/// Puts the field back to what it was.
fn keep(old: &Tree, object: &mut Tree, field: &str) {
    match old.get(field) {
        Some(value) => object.insert(field.to_owned(), value.clone()),
        None => object.remove(field),
    };
}

/// The object at a field, made if there is none.
fn child<'a>(object: &'a mut Tree, field: &str) -> &'a mut Tree {
    let value = object.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("the field was just made an object")
}

/// What stands at a place of an object's spec; null counts as nothing.
fn spec<'a>(object: &'a Tree, field: &str) -> Option<&'a Value> {
    object.get("spec")?.get(field).filter(|value| !value.is_null())
}

/// The text at a place of an object's spec.
fn spec_text<'a>(object: &'a Tree, field: &str) -> &'a str {
    spec(object, field).and_then(Value::as_str).unwrap_or_default()
}
