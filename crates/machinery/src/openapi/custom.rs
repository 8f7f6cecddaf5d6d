//! The schemas of custom kinds: what a CustomResourceDefinition says, with the
//! fields every object has put around it. It does not judge the schema.

use api::KindDescriptor;
use serde_json::{Map, Value, json};

use super::json::{META_V1, gvk, reference};

const API_VERSION: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KIND: &str = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const METADATA: &str = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const LIST_METADATA: &str = "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";

/// `x.io/v1 Thing` is `io.x.v1.Thing`.
pub(super) fn type_name(kind: &KindDescriptor) -> String {
    let reversed: Vec<&str> = kind.gvk.group.rsplit('.').collect();
    format!("{}.{}.{}", reversed.join("."), kind.gvk.version, kind.gvk.kind)
}

pub(super) fn list_type_name(kind: &KindDescriptor) -> String {
    let name = type_name(kind);
    let package = name.rsplit_once('.').map_or("", |(package, _)| package);
    format!("{package}.{}", kind.list_kind)
}

/// The schema of the objects.
pub(super) fn object_schema(kind: &KindDescriptor, schema: &Value) -> Value {
    let mut object = match schema {
        Value::Object(fields) => fields.clone(),
        _ => preserve_all(),
    };
    state_both_types(&mut object);
    object.entry("type").or_insert_with(|| json!("object"));
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        let [api_version, kind] = identity();
        properties.extend([api_version, kind, ("metadata".into(), described(METADATA, "ObjectMeta"))]);
    }
    object.insert("x-kubernetes-group-version-kind".into(), json!([gvk_of(kind, &kind.gvk.kind)]));
    Value::Object(object)
}

/// What is a number or text by an extension says so in OpenAPI's own words too. The schema
/// came through a reader that bounds nesting.
fn state_both_types(schema: &mut Map<String, Value>) {
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) && !schema.contains_key("type") {
        schema.entry("anyOf").or_insert_with(|| json!([{ "type": "integer" }, { "type": "string" }]));
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().filter_map(Value::as_object_mut).for_each(state_both_types);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(inner).and_then(Value::as_object_mut) {
            state_both_types(inner);
        }
    }
}

/// The schema of a list of them.
pub(super) fn list_schema(kind: &KindDescriptor) -> Value {
    let [api_version, kind_property] = identity();
    let items = json!({
        "description": format!("List of {}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md", kind.plural),
        "items": reference(&type_name(kind)),
        "type": "array",
    });
    let metadata = ("metadata".into(), described(LIST_METADATA, "ListMeta"));
    let properties: Map<String, Value> =
        [api_version, kind_property, metadata, ("items".into(), items)].into_iter().collect();
    json!({
        "description": format!("{} is a list of {}", kind.list_kind, kind.gvk.kind),
        "properties": properties,
        "required": ["items"],
        "type": "object",
        "x-kubernetes-group-version-kind": [gvk_of(kind, &kind.list_kind)],
    })
}

fn gvk_of(kind: &KindDescriptor, name: &str) -> Value {
    gvk(&kind.gvk.group, &kind.gvk.version, name)
}

fn identity() -> [(String, Value); 2] {
    [
        ("apiVersion".into(), json!({ "description": API_VERSION, "type": "string" })),
        ("kind".into(), json!({ "description": KIND, "type": "string" })),
    ]
}

fn described(doc: &str, of_meta: &str) -> Value {
    json!({ "allOf": [reference(&format!("{META_V1}.{of_meta}"))], "description": doc })
}

fn preserve_all() -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("x-kubernetes-preserve-unknown-fields".into(), Value::Bool(true));
    object
}
