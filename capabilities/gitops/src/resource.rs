//! How one managed object is named, and small readings of its JSON. It must never
//! hold a rule about syncing.

use std::fmt;
use std::sync::Arc;

use api::Gvk;
use client::Object;
use serde_json::Value;

/// One object by what stays the same when its version changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Kind.
    pub kind: Arc<str>,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl Key {
    /// A key by its four names.
    pub fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Key { group: group.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object's JSON.
    pub fn of(value: &Value) -> Self {
        let gvk = gvk(value);
        Key {
            group: gvk.group,
            kind: gvk.kind,
            namespace: text(value, "/metadata/namespace").into(),
            name: text(value, "/metadata/name").into(),
        }
    }

    /// `group/Kind/name`, the group left out where it is empty, as Argo CD names objects in messages.
    pub fn short(&self) -> String {
        if self.group.is_empty() {
            format!("{}/{}", self.kind, self.name)
        } else {
            format!("{}/{}/{}", self.group, self.kind, self.name)
        }
    }

    /// `group/Kind/name` with the slash even where the group is empty, as Argo CD names what a sync
    /// waits for.
    pub fn with_group(&self) -> String {
        format!("{}/{}/{}", self.group, self.kind, self.name)
    }

    /// `kind.group/name` in lower case, as kubectl names objects.
    pub fn as_kubectl(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.group.is_empty() {
            format!("{kind}/{}", self.name)
        } else {
            format!("{kind}.{}/{}", self.group, self.name)
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}/{}", self.group, self.kind, self.namespace, self.name)
    }
}

/// A live object, with its JSON read once.
#[derive(Clone, Debug)]
pub struct Live {
    /// As it came.
    pub object: Object,
    /// As a tree.
    pub value: Arc<Value>,
}

impl Live {
    /// Reads an object; `None` if its JSON is not readable.
    pub fn read(object: Object) -> Option<Self> {
        let value = Arc::new(object.value().ok()?);
        Some(Live { object, value })
    }
}

/// `apiVersion` and `kind` of an object.
pub fn gvk(value: &Value) -> Gvk {
    Gvk::from_api_version(text(value, "/apiVersion"), text(value, "/kind"))
}

/// Group and kind in a CustomResourceDefinition's spec.
pub fn definition_of(definition: &Value) -> (String, String) {
    (text(definition, "/spec/group").to_owned(), text(definition, "/spec/names/kind").to_owned())
}

/// Text at a JSON pointer; empty if there is none.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// An annotation of an object.
pub fn annotation<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get("metadata")?.get("annotations")?.get(name)?.as_str()
}

/// Sets an annotation of an object, making room for it.
pub fn set_annotation(value: &mut Value, name: &str, text: String) {
    let metadata = &mut value["metadata"];
    if !metadata["annotations"].is_object() {
        metadata["annotations"] = Value::Object(serde_json::Map::new());
    }
    metadata["annotations"][name] = Value::String(text);
}

/// The wave that an object states, or else Helm's weight of hooks; 0 if it states none that is a
/// number.
pub fn wave(value: &Value) -> i32 {
    let stated = |name: &str| annotation(value, name).and_then(|wave| wave.trim().parse().ok());
    stated("argocd.argoproj.io/sync-wave").or_else(|| stated("helm.sh/hook-weight")).unwrap_or(0)
}

/// Removes every `null` below `value`, so that an absent list and a `null` one read the same.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
