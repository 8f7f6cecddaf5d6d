//! The schemas of a document: those of its kinds and everything they reach,
//! nothing more. Operations are none of its business.

use std::collections::BTreeSet;

use api::kind::Verbs;
use api::schema::{Empty, Field, ListType, Shape, Type, TypeId};
use serde_json::{Map, Value, json};

use super::custom;
use super::json::{META_V1, entry, gvk, reference};
use super::resource::{KindSchema, Resource, Types};

/// Types of the operations on objects that are stored.
const OF_STORED: &[&str] = &["DeleteOptions", "Patch", "Status"];
/// Types the schemas of custom kinds refer to.
const OF_CUSTOM: &[&str] = &["ListMeta", "ObjectMeta"];

/// Writes `"name":{…}` for every schema.
pub(super) fn write(out: &mut String, group: &str, version: &str, resources: &[Resource<'_>], types: Types<'_>) {
    for resource in resources {
        if let KindSchema::Custom(schema) = resource.schema {
            let (name, list_name) = (custom::type_name(resource.kind), custom::list_type_name(resource.kind));
            entry(out, &name, &custom::object_schema(resource.kind, schema));
            entry(out, &list_name, &custom::list_schema(resource.kind));
        }
    }
    for id in reachable(resources, types) {
        entry(out, &types.table.get(id).name, &type_schema(id, group, version, types));
    }
}

fn reachable(resources: &[Resource<'_>], types: Types<'_>) -> BTreeSet<TypeId> {
    let mut open: Vec<TypeId> = Vec::new();
    for resource in resources {
        let subresources = resource.subresources.iter().map(|sub| &sub.gvk);
        open.extend(subresources.filter_map(|gvk| by_gvk(&gvk.group, &gvk.version, &gvk.kind, types)));
        if resource.kind.subresources.scale.is_some() {
            open.extend(by_gvk("autoscaling", "v1", "Scale", types));
        }
        if let KindSchema::Builtin = resource.schema {
            let of_kind = &resource.kind.gvk;
            open.extend(types.table.id(&resource.kind.type_name));
            open.extend(by_gvk(&of_kind.group, &of_kind.version, &resource.kind.list_kind, types));
        }
    }
    let mut of_meta = vec!["APIResourceList"];
    if resources.iter().any(|resource| resource.kind.verbs != Verbs::Create) {
        of_meta.extend(OF_STORED);
    }
    if resources.iter().any(|resource| matches!(resource.schema, KindSchema::Custom(_))) {
        of_meta.extend(OF_CUSTOM);
    }
    open.extend(of_meta.iter().filter_map(|name| types.table.id(&format!("{META_V1}.{name}"))));
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(types.table.get(id).fields.iter().filter_map(|field| component(&field.shape, types)));
        }
    }
    found
}

/// The type of a kind, if the table has it.
pub(super) fn by_gvk(group: &str, version: &str, kind: &str, types: Types<'_>) -> Option<TypeId> {
    let is = |of_type: &Type| {
        of_type.gvk.as_ref().is_some_and(|gvk| &*gvk.kind == kind && &*gvk.group == group && &*gvk.version == version)
    };
    let position = types.table.types().iter().position(is)?;
    u32::try_from(position).ok().map(TypeId)
}

fn type_schema(id: TypeId, group: &str, version: &str, types: Types<'_>) -> Value {
    let kind = types.table.get(id);
    let mut schema = match special_schema(&kind.name) {
        Some(schema) => schema,
        None => object_schema(id, kind, types),
    };
    describe(&mut schema, types.docs.of_type(id));
    if let Some(of_type) = &kind.gvk {
        schema.insert(GVK.into(), json!([gvk(&of_type.group, &of_type.version, &of_type.kind)]));
    } else if *kind.name == *format!("{META_V1}.DeleteOptions") {
        // It takes the group and version of the resource it is sent to.
        schema.insert(GVK.into(), json!([gvk("", "v1", "DeleteOptions"), gvk(group, version, "DeleteOptions")]));
    }
    if kind.map_atomic {
        schema.insert("x-kubernetes-map-type".into(), json!("atomic"));
    }
    Value::Object(schema)
}

const GVK: &str = "x-kubernetes-group-version-kind";

/// Types that are not objects in JSON.
fn special_schema(name: &str) -> Option<Map<String, Value>> {
    let schema = match name.rsplit('.').next()? {
        "Quantity" => json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
        "IntOrString" => json!({ "format": "int-or-string", "oneOf": [{ "type": "integer" }, { "type": "string" }] }),
        "Time" | "MicroTime" => json!({ "format": "date-time", "type": "string" }),
        "JSON" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray" => json!({}),
        _ => return None,
    };
    schema.as_object().cloned()
}

fn object_schema(id: TypeId, kind: &Type, types: Types<'_>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    let property = |(position, field): (usize, &Field)| {
        let is_items = kind.gvk.is_some() && &*field.name == "items";
        (field.name.to_string(), field_schema(field, is_items, types.docs.of_field(id, position), types))
    };
    let properties: Map<String, Value> = kind.fields.iter().enumerate().map(property).collect();
    if !properties.is_empty() {
        schema.insert("properties".into(), Value::Object(properties));
    }
    let mut required: Vec<&str> = kind.fields.iter().filter(|field| field.required).map(|field| &*field.name).collect();
    required.sort_unstable();
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn field_schema(field: &Field, is_items: bool, doc: &str, types: Types<'_>) -> Value {
    let mut schema = shape_schema(&field.shape, &field.enumeration, types);
    describe(&mut schema, doc);
    let stated = serde_json::from_str::<Value>(&field.default).ok();
    // What Go writes although it is empty is its own default.
    let implied = || if field.empty == Empty::Zero { implied_default(&field.shape) } else { None };
    if let Some(default) = stated.or_else(implied) {
        schema.insert("default".into(), default);
    }
    // The items of a list of objects are nobody's choice: they come from elsewhere.
    if let Shape::List(_) = field.shape
        && !is_items
    {
        let list_type = match field.list_type {
            ListType::Atomic => "atomic",
            ListType::Set => "set",
            ListType::Map => "map",
        };
        schema.insert("x-kubernetes-list-type".into(), json!(list_type));
    }
    if !field.list_map_keys.is_empty() {
        schema.insert("x-kubernetes-list-map-keys".into(), json!(field.list_map_keys));
    }
    for (key, text) in [
        ("x-kubernetes-patch-merge-key", &field.patch_merge_key),
        ("x-kubernetes-patch-strategy", &field.patch_strategy),
    ] {
        if !text.is_empty() {
            schema.insert(key.into(), json!(text));
        }
    }
    // An atomic type says so itself.
    if field.map_atomic && matches!(field.shape, Shape::Map(_)) {
        schema.insert("x-kubernetes-map-type".into(), json!("atomic"));
    }
    Value::Object(without_neighbours(schema))
}

/// What stands beside a reference is ignored, so a reference must not stand alone.
fn without_neighbours(mut schema: Map<String, Value>) -> Map<String, Value> {
    if schema.len() > 1
        && let Some(target) = schema.remove("$ref")
    {
        schema.insert("allOf".into(), json!([{ "$ref": target }]));
    }
    schema
}

/// The zero value of what Go holds by value.
fn implied_default(shape: &Shape) -> Option<Value> {
    match shape {
        Shape::String => Some(json!("")),
        Shape::Boolean => Some(json!(false)),
        Shape::Int32 | Shape::Int64 | Shape::Double => Some(json!(0)),
        Shape::Object(_) => Some(json!({})),
        _ => None,
    }
}

/// The schema of what a list or map holds.
fn within(shape: &Shape, enumeration: &[Box<str>], types: Types<'_>) -> Value {
    let mut schema = shape_schema(shape, enumeration, types);
    if let Some(default) = implied_default(shape) {
        schema.insert("default".into(), default);
    }
    Value::Object(without_neighbours(schema))
}

fn shape_schema(shape: &Shape, enumeration: &[Box<str>], types: Types<'_>) -> Map<String, Value> {
    let mut schema = Map::new();
    let mut set = |key: &str, value: Value| schema.insert(key.into(), value);
    match shape {
        Shape::List(item) => {
            set("type", json!("array"));
            set("items", within(item, enumeration, types));
        }
        Shape::Map(value) => {
            set("type", json!("object"));
            set("additionalProperties", within(value, enumeration, types));
        }
        scalar => {
            let (kind, format) = match scalar {
                Shape::Bytes => ("string", "byte"),
                Shape::Boolean => ("boolean", ""),
                Shape::Int32 => ("integer", "int32"),
                Shape::Int64 => ("integer", "int64"),
                Shape::Double => ("number", "double"),
                Shape::String | Shape::Duration => ("string", ""),
                // Everything else is a component of its own.
                other => {
                    let target = component(other, types).map(|id| reference(&types.table.get(id).name));
                    return target.and_then(|target| target.as_object().cloned()).unwrap_or_default();
                }
            };
            set("type", json!(kind));
            if !format.is_empty() {
                set("format", json!(format));
            }
            if !enumeration.is_empty() {
                set("enum", json!(enumeration));
            }
        }
    }
    schema
}

/// The component a shape refers to, under lists and maps.
fn component(shape: &Shape, types: Types<'_>) -> Option<TypeId> {
    const API_EXTENSIONS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
    let name = match shape {
        Shape::Object(id) => return Some(*id),
        Shape::List(inner) | Shape::Map(inner) => return component(inner, types),
        Shape::Quantity => "io.k8s.apimachinery.pkg.api.resource.Quantity".to_owned(),
        Shape::IntOrString => "io.k8s.apimachinery.pkg.util.intstr.IntOrString".to_owned(),
        Shape::RawExtension => "io.k8s.apimachinery.pkg.runtime.RawExtension".to_owned(),
        Shape::Time => format!("{META_V1}.Time"),
        Shape::MicroTime => format!("{META_V1}.MicroTime"),
        Shape::FieldsV1 => format!("{META_V1}.FieldsV1"),
        Shape::Json => format!("{API_EXTENSIONS}.JSON"),
        Shape::SchemaOrArray => format!("{API_EXTENSIONS}.JSONSchemaPropsOrArray"),
        Shape::SchemaOrBool => format!("{API_EXTENSIONS}.JSONSchemaPropsOrBool"),
        Shape::SchemaOrStrings => format!("{API_EXTENSIONS}.JSONSchemaPropsOrStringArray"),
        _ => return None,
    };
    types.table.id(&name)
}

fn describe(schema: &mut Map<String, Value>, doc: &str) {
    if !doc.is_empty() {
        schema.insert("description".into(), json!(doc));
    }
}
