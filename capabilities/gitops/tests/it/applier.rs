//! Server-side apply for the objects in memory: the rules are the API server's own, the
//! schemas those of the built-in kinds.

use api::{KindDescriptor, Reason, Status};
use client::WriteOptions;
use machinery::fields::Set;
use machinery::ownership::{self, Managers, Versions, Writer};
use machinery::structured::Node;
use serde_json::{Value, json};

struct OneVersion<'a>(&'a KindDescriptor);

impl Versions for OneVersion<'_> {
    fn node(&self, api_version: &str) -> Option<Node<'_>> {
        let is_served = api_version == self.0.gvk.api_version();
        is_served.then(|| Node::of_type(api::builtin::types(), &self.0.type_name))
    }

    fn convert(&self, _: &Value, _: &str, _: &str) -> Option<Value> {
        None
    }
}

/// What an apply makes of an object.
pub fn apply(
    kind: &KindDescriptor,
    old: Option<Value>,
    config: Value,
    options: &WriteOptions,
) -> Result<Value, Status> {
    let api_version = kind.gvk.api_version();
    let empty = json!({"apiVersion": api_version, "kind": &*kind.gvk.kind});
    let mut live = old.unwrap_or_else(|| empty.clone());
    let entries = live.get_mut("metadata").and_then(Value::as_object_mut).and_then(|meta| meta.remove("managedFields"));
    let managers = Managers::read(entries.as_ref()).expect("the owners are readable");
    let writer = Writer {
        manager: &options.field_manager,
        subresource: "",
        api_version: &api_version,
        now: "2026-01-01T00:00:00Z",
        ignored: &Set::of_fields(&[&["status"]]),
        versions: &OneVersion(kind),
    };
    let applied = ownership::apply(&writer, &empty, &live, &config, managers, options.force)
        .map_err(|error| Status::new(409, Reason::Conflict, format!("{error:?}")))?;
    let mut object = applied.object.unwrap_or(live);
    if let Some(entries) = applied.managers.write() {
        object["metadata"]["managedFields"] = entries;
    }
    Ok(object)
}
