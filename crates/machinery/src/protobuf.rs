//! Kubernetes protobuf bodies to JSON objects, driven by the type table: no
//! code per kind. The result is what a Go client would have sent as JSON,
//! except that fields which hold null are left out. Clients send protobuf for
//! built-in kinds whether a server likes it or not; answers stay JSON, so
//! nothing here encodes. Input is hostile: every length, depth and text is
//! checked and nothing panics.

mod error;
mod special;
#[cfg(test)]
mod tests;
mod wire;

use api::name::Gvk;
use api::schema::{Shape, Type, TypeId, TypeTable};
use base::limits;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

pub use error::Error;
use error::MAGIC;
use special::{integral, json_text, text};
use wire::{Reader, Wire};

/// Media type of these bodies.
pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// JSON values one body may unfold into. A repeated empty message costs two
/// bytes on the wire and hundreds in memory, so bytes alone are no bound.
const VALUES: usize = 400_000;

/// The kind a body says it is, without decoding it.
pub fn kind_of(bytes: &[u8]) -> Result<Gvk, Error> {
    envelope(bytes).map(|envelope| envelope.gvk)
}

/// Decodes a body. `lookup` finds the type of a kind; it is also asked about
/// bodies that do not say what they are, with an empty kind, because Go lets
/// the request decide then.
pub fn decode(bytes: &[u8], table: &TypeTable, lookup: &dyn Fn(&Gvk) -> Option<TypeId>) -> Result<Value, Error> {
    let envelope = envelope(bytes)?;
    match envelope.content_type {
        "" | MEDIA_TYPE => {}
        "application/json" => return json_text(envelope.raw, 0),
        other => return Err(Error::Content(other.to_owned())),
    }
    let id = lookup(&envelope.gvk).ok_or_else(|| Error::UnknownKind(envelope.gvk.clone()))?;
    let mut object = Map::new();
    Decoder { table, values: 0 }.message(envelope.raw, table.get(id), &mut object, 1)?;
    if !envelope.gvk.kind.is_empty() {
        object.insert("kind".to_owned(), Value::from(&*envelope.gvk.kind));
        object.insert("apiVersion".to_owned(), Value::from(envelope.gvk.api_version()));
    }
    Ok(Value::Object(object))
}

/// `runtime.Unknown`.
struct Envelope<'a> {
    gvk: Gvk,
    raw: &'a [u8],
    content_type: &'a str,
}

fn envelope(bytes: &[u8]) -> Result<Envelope<'_>, Error> {
    if bytes.len() > limits::REQUEST_BODY_BYTES {
        return Err(Error::TooLarge);
    }
    let mut reader = Reader::new(bytes.strip_prefix(MAGIC).ok_or(Error::Magic)?);
    let (mut api_version, mut kind, mut raw, mut encoding, mut content_type) = ("", "", &[][..], "", "");
    while let Some((tag, wire)) = reader.next()? {
        match (tag, wire) {
            (1, Wire::Bytes(type_meta)) => {
                let mut reader = Reader::new(type_meta);
                while let Some((tag, wire)) = reader.next()? {
                    match (tag, wire) {
                        (1, Wire::Bytes(bytes)) => api_version = text(bytes)?,
                        (2, Wire::Bytes(bytes)) => kind = text(bytes)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            (3, Wire::Bytes(bytes)) => encoding = text(bytes)?,
            (4, Wire::Bytes(bytes)) => content_type = text(bytes)?,
            _ => {}
        }
    }
    if !encoding.is_empty() {
        return Err(Error::Content(encoding.to_owned()));
    }
    Ok(Envelope { gvk: Gvk::from_api_version(api_version, kind), raw, content_type })
}

struct Decoder<'a> {
    table: &'a TypeTable,
    values: usize,
}

impl Decoder<'_> {
    /// Adds the fields of one message to `object`, which may hold some already:
    /// a message in several pieces is merged, as protobuf wants it.
    fn message(
        &mut self,
        bytes: &[u8],
        kind: &Type,
        object: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), Error> {
        check_depth(depth)?;
        let mut reader = Reader::new(bytes);
        while let Some((tag, wire)) = reader.next()? {
            if let Some(embedded) = kind.embedded.iter().find(|embedded| embedded.tag == tag) {
                let inner = self.table.get(embedded.kind);
                self.message(wire.bytes(&inner.name)?, inner, object, depth)?;
                continue;
            }
            let Some(field) = kind.field_by_tag(tag) else { continue };
            let present = object.get_mut(&*field.name).map(Value::take);
            let value = self.value(&field.shape, wire, present, &field.name, depth)?;
            if value.is_null() || (field.omit_zero && is_zero(&value)) {
                object.remove(&*field.name);
            } else if let Some(slot) = object.get_mut(&*field.name) {
                *slot = value;
            } else {
                object.insert(field.name.to_string(), value);
            }
        }
        Ok(())
    }

    /// One occurrence of a field; `present` is what earlier ones gave.
    fn value(
        &mut self,
        shape: &Shape,
        wire: Wire<'_>,
        present: Option<Value>,
        name: &str,
        depth: usize,
    ) -> Result<Value, Error> {
        self.count()?;
        match shape {
            Shape::String => Ok(Value::from(text(wire.bytes(name)?)?)),
            Shape::Bytes => Ok(Value::from(STANDARD.encode(wire.bytes(name)?))),
            Shape::Boolean => Ok(Value::from(wire.varint(name)? != 0)),
            // Protobuf writes negative numbers of 32 bits as 64 bits: the upper half says nothing.
            Shape::Int32 => Ok(Value::from(wire.varint(name)? as i32)),
            Shape::Int64 => Ok(Value::from(wire.varint(name)? as i64)),
            Shape::Double => integral(wire.double(name)?),
            Shape::List(item) => self.list(item, wire, present, name, depth + 1),
            Shape::Map(value) => self.map_entry(value, wire.bytes(name)?, present, name, depth + 1),
            Shape::Object(id) => {
                let mut object = match present {
                    Some(Value::Object(object)) => object,
                    _ => Map::new(),
                };
                self.message(wire.bytes(name)?, self.table.get(*id), &mut object, depth + 1)?;
                Ok(Value::Object(object))
            }
            Shape::SchemaOrArray | Shape::SchemaOrBool | Shape::SchemaOrStrings => {
                self.schema_or(shape, wire.bytes(name)?, depth)
            }
            other => special::decode(other, wire.bytes(name)?, depth),
        }
    }

    fn list(
        &mut self,
        item: &Shape,
        wire: Wire<'_>,
        present: Option<Value>,
        name: &str,
        depth: usize,
    ) -> Result<Value, Error> {
        check_depth(depth)?;
        let mut items = match present {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        match (item, wire) {
            // Packed: numbers one after the other without tags.
            (Shape::Boolean | Shape::Int32 | Shape::Int64 | Shape::Double, Wire::Bytes(packed)) => {
                let mut reader = Reader::new(packed);
                while !reader.is_empty() {
                    let wire = if *item == Shape::Double { reader.fixed64()? } else { Wire::Varint(reader.varint()?) };
                    items.push(self.value(item, wire, None, name, depth)?);
                }
            }
            (item, wire) => items.push(self.value(item, wire, None, name, depth)?),
        }
        Ok(Value::Array(items))
    }

    /// One entry of a map: a message of a key and a value, either of which may
    /// be missing and is zero then.
    fn map_entry(
        &mut self,
        shape: &Shape,
        entry: &[u8],
        present: Option<Value>,
        name: &str,
        depth: usize,
    ) -> Result<Value, Error> {
        check_depth(depth)?;
        let mut entries = match present {
            Some(Value::Object(entries)) => entries,
            _ => Map::new(),
        };
        let mut key = "";
        let mut value = None;
        let mut reader = Reader::new(entry);
        while let Some((tag, wire)) = reader.next()? {
            match tag {
                1 => key = text(wire.bytes(name)?)?,
                2 => value = Some(wire),
                _ => {}
            }
        }
        let value = match (shape, value) {
            // A list cannot be a map's value in protobuf, so a message holds it.
            (Shape::List(item), Some(wire)) => self.wrapped_list(item, wire.bytes(name)?, name, depth + 1)?,
            (shape, Some(wire)) => self.value(shape, wire, None, name, depth)?,
            (Shape::Boolean, None) => Value::from(false),
            (Shape::Int32 | Shape::Int64 | Shape::Double, None) => Value::from(0),
            (Shape::List(_), None) => Value::Array(Vec::new()),
            (shape, None) => self.value(shape, Wire::Bytes(&[]), None, name, depth)?,
        };
        entries.insert(key.to_owned(), value);
        Ok(Value::Object(entries))
    }

    fn wrapped_list(&mut self, item: &Shape, bytes: &[u8], name: &str, depth: usize) -> Result<Value, Error> {
        let mut list = Value::Array(Vec::new());
        let mut reader = Reader::new(bytes);
        while let Some((tag, wire)) = reader.next()? {
            if tag == 1 {
                list = self.list(item, wire, Some(list), name, depth)?;
            }
        }
        Ok(list)
    }

    /// The unions of `JSONSchemaProps`: a schema, or something simpler.
    fn schema_or(&mut self, shape: &Shape, bytes: &[u8], depth: usize) -> Result<Value, Error> {
        let schema = self.table.id(JSON_SCHEMA_PROPS).map(Shape::Object).ok_or(Error::Range("JSONSchemaProps"))?;
        let (schema_tag, other_tag, other_shape) = match shape {
            Shape::SchemaOrBool => (2, 1, Shape::Boolean),
            Shape::SchemaOrArray => (1, 2, Shape::List(Box::new(schema.clone()))),
            _ => (1, 2, Shape::List(Box::new(Shape::String))),
        };
        let (mut as_schema, mut other) = (None, None);
        let mut reader = Reader::new(bytes);
        while let Some((tag, wire)) = reader.next()? {
            if tag == schema_tag {
                as_schema = Some(self.value(&schema, wire, as_schema.take(), "schema", depth)?);
            } else if tag == other_tag {
                other = Some(self.value(&other_shape, wire, other.take(), "schema", depth)?);
            }
        }
        // Go prefers a list over a schema and a schema over a boolean.
        Ok(match (shape, as_schema, other) {
            (Shape::SchemaOrBool, Some(schema), _) => schema,
            (Shape::SchemaOrBool, None, other) => other.unwrap_or(Value::Bool(false)),
            (_, _, Some(list)) => list,
            (_, schema, None) => schema.unwrap_or(Value::Null),
        })
    }

    fn count(&mut self) -> Result<(), Error> {
        self.values += 1;
        if self.values > VALUES { Err(Error::TooLarge) } else { Ok(()) }
    }
}

const JSON_SCHEMA_PROPS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

fn check_depth(depth: usize) -> Result<(), Error> {
    if depth > limits::NESTING { Err(Error::Nesting) } else { Ok(()) }
}

/// What Go's `omitempty` leaves out: never an object, which is a struct there
/// unless it is a map, and maps come with an entry.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) => false,
    }
}
