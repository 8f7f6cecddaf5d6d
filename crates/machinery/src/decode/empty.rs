//! The other half of a round trip through Go: fields that Go writes even when they are
//! empty. It stands apart from decoding because defaulting, which comes between, must see
//! an empty field as absent. It never changes what is there.

use api::schema::{Empty, Shape, TypeId, TypeTable};
use serde_json::{Map, Value};

/// The type of the schemas in a CustomResourceDefinition, which holds itself.
pub(super) const SCHEMA: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

/// So many fields are added to one object: with more it would be larger than may be stored.
const MOST_ADDED: usize = base::limits::OBJECT_BYTES / 6;

/// Adds what Go writes of an object of this type although it is empty. An object that would
/// become too large to be stored is left half done.
pub fn complete(table: &TypeTable, id: TypeId, object: &mut Map<String, Value>) {
    let as_protobuf = table.get(id).name.starts_with("io.k8s.api.");
    Completion { table, left: MOST_ADDED, as_protobuf }.object(id, object);
}

struct Completion<'t> {
    table: &'t TypeTable,
    left: usize,
    /// Kubernetes stores its own kinds as protobuf, which does not tell an empty list from
    /// none, and answers with what it stored.
    as_protobuf: bool,
}

impl Completion<'_> {
    fn object(&mut self, id: TypeId, object: &mut Map<String, Value>) {
        for field in &self.table.get(id).fields {
            match object.get_mut(&*field.name) {
                Some(value) if self.as_protobuf && field.empty == Empty::Null && is_empty(value) => {
                    *value = Value::Null
                }
                Some(value) => self.within(&field.shape, value),
                None if field.empty == Empty::LeftOut || self.left == 0 => {}
                None => {
                    self.left -= 1;
                    let mut empty = if field.empty == Empty::Null { Value::Null } else { zero(&field.shape) };
                    self.within(&field.shape, &mut empty);
                    object.insert(field.name.to_string(), empty);
                }
            }
        }
    }

    fn within(&mut self, shape: &Shape, value: &mut Value) {
        match (shape, value) {
            (Shape::Object(id), Value::Object(fields)) => self.object(*id, fields),
            (Shape::List(inner), Value::Array(items)) if has_objects(inner) => {
                items.iter_mut().for_each(|item| self.within(inner, item));
            }
            (Shape::Map(inner), Value::Object(entries)) if has_objects(inner) => {
                entries.values_mut().for_each(|item| self.within(inner, item));
            }
            (Shape::SchemaOrArray | Shape::SchemaOrBool | Shape::SchemaOrStrings, value) => {
                let Some(id) = self.table.id(SCHEMA) else { return };
                match value {
                    Value::Object(fields) => self.object(id, fields),
                    Value::Array(items) => {
                        items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| self.object(id, item));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn has_objects(shape: &Shape) -> bool {
    match shape {
        Shape::Object(_) | Shape::SchemaOrArray | Shape::SchemaOrBool | Shape::SchemaOrStrings => true,
        Shape::List(inner) | Shape::Map(inner) => has_objects(inner),
        _ => false,
    }
}

/// The zero value of a shape as Go writes it, but for the fields of an object.
pub(crate) fn zero(shape: &Shape) -> Value {
    match shape {
        Shape::String => "".into(),
        Shape::Boolean => false.into(),
        Shape::Int32 | Shape::Int64 | Shape::Double | Shape::IntOrString => 0.into(),
        Shape::Quantity => "0".into(),
        Shape::Duration => "0s".into(),
        Shape::Object(_) => Value::Object(Map::new()),
        _ => Value::Null,
    }
}
