//! A tree alongside its type: what is unknown, what is of another type, and what form the
//! rest takes. A value of another type is remembered and reading goes on, since Go lets a
//! later fault of a value's own reader (a time, a quantity) come first. Fields are met in
//! the order of their keys.

use std::borrow::Cow;

use api::schema::{Empty, Field, Shape, Type, TypeId, TypeTable};
use serde_json::{Map, Number, Value};

use super::empty::{SCHEMA, zero};
use super::fault::Fault;
use super::findings::{MOST_FINDINGS, MOST_TEXT_BYTES};
use super::{Error, Numbers, gotime, scalar};

/// One reading of one object.
pub(super) struct Walk<'t> {
    table: &'t TypeTable,
    numbers: Numbers,
    /// The path to where the walk is, as findings name it.
    path: String,
    /// The fields to where the walk is, as refusals name them: without places in lists and
    /// keys of maps, but with embedded structs.
    fields: Vec<&'t str>,
    /// The struct that holds the last field.
    holder: &'t str,
    unknown: Vec<String>,
    unknown_bytes: usize,
    faults: Vec<Fault>,
}

/// What Go calls the type of a value: as its field says, or as its shape tells.
#[derive(Clone, Copy)]
struct GoType<'t>(&'t str);

impl<'t> GoType<'t> {
    fn item(self) -> Self {
        GoType(self.0.strip_prefix("[]").map_or("", |item| item.trim_start_matches('*')))
    }

    fn entry(self) -> Self {
        let value = self.0.strip_prefix("map[").and_then(|map| map.split_once(']'));
        GoType(value.map_or("", |(_, value)| value.trim_start_matches('*')))
    }
}

impl<'t> Walk<'t> {
    pub fn new(table: &'t TypeTable, numbers: Numbers) -> Self {
        Walk {
            table,
            numbers,
            path: String::new(),
            fields: Vec::new(),
            holder: "",
            unknown: Vec::new(),
            unknown_bytes: 0,
            faults: Vec::new(),
        }
    }

    /// Walks a value that stands at a path of which refusals say nothing.
    pub fn alone(&mut self, id: TypeId, value: &mut Value, path: &str) {
        self.path.push_str(path);
        match value {
            Value::Object(fields) => self.object(id, fields),
            other => self.mismatch(&Shape::Object(id), GoType(""), other, "struct"),
        }
    }

    /// The unknown fields, unless something was of another type.
    pub fn finish(self) -> Result<Vec<String>, Error> {
        match Error::of(self.faults) {
            Some(error) => Err(error),
            None => Ok(self.unknown),
        }
    }

    /// Walks a whole object.
    pub fn object(&mut self, id: TypeId, object: &mut Map<String, Value>) {
        let kind = self.table.get(id);
        let (held_holder, depth, length) = (self.holder, self.fields.len(), self.path.len());
        object.retain(|key, value| {
            let Some(field) = kind.field(key) else {
                self.note_unknown(key);
                return false;
            };
            if value.is_null() {
                return false;
            }
            self.holder = short(&kind.name);
            // What stands in a struct within has a tag there, not here.
            if field.tag == 0 {
                self.embedded(kind, &field.name);
            }
            self.fields.push(&field.name);
            self.push_key(key);
            self.value(&field.shape, GoType(&field.go_type), value);
            self.path.truncate(length);
            self.fields.truncate(depth);
            !is_left_out(field, value)
        });
        self.holder = held_holder;
    }

    /// Names the structs between a type and a field that Go has in a struct within.
    fn embedded(&mut self, kind: &'t Type, field: &str) {
        let holding = kind.embedded.iter().map(|inner| self.table.get(inner.kind));
        if let Some(inner) = holding.into_iter().find(|inner| holds(self.table, inner, field)) {
            self.fields.push(short(&inner.name));
            self.embedded(inner, field);
        } else if matches!(field, "apiVersion" | "kind") && kind.field(field).is_some_and(|held| held.tag == 0) {
            self.fields.push("TypeMeta");
        }
    }

    fn value(&mut self, shape: &'t Shape, go: GoType<'t>, value: &mut Value) {
        match shape {
            Shape::Object(id) => match value {
                Value::Object(fields) => self.object(*id, fields),
                other => self.mismatch(shape, go, other, "struct"),
            },
            Shape::List(inner) => match value {
                Value::Array(items) => self.items(inner, go.item(), items),
                other => self.mismatch(shape, go, other, "slice"),
            },
            Shape::Map(inner) => match value {
                Value::Object(entries) => self.entries(inner, go.entry(), entries),
                other => self.mismatch(shape, go, other, "map"),
            },
            Shape::Int32 | Shape::Int64 => self.integer(shape, go, value),
            Shape::String if value.is_string() => {}
            Shape::Boolean if value.is_boolean() => {}
            Shape::Double if value.is_number() => {}
            Shape::String => self.mismatch(shape, go, value, "string"),
            Shape::Boolean => self.mismatch(shape, go, value, "bool"),
            Shape::Double => self.mismatch(shape, go, value, "float64"),
            Shape::Bytes => self.bytes(shape, go, value),
            Shape::SchemaOrArray | Shape::SchemaOrBool | Shape::SchemaOrStrings => self.schema_or(shape, value),
            Shape::RawExtension | Shape::Json | Shape::FieldsV1 => {}
            read_by_itself => self.special(read_by_itself, value),
        }
    }

    fn items(&mut self, inner: &'t Shape, go: GoType<'t>, items: &mut [Value]) {
        let length = self.path.len();
        for (index, item) in items.iter_mut().enumerate() {
            if item.is_null() {
                *item = zero(inner);
            }
            if !item.is_null() {
                self.path.push_str(&format!("[{index}]"));
                self.value(inner, go, item);
                self.path.truncate(length);
            }
        }
    }

    fn entries(&mut self, inner: &'t Shape, go: GoType<'t>, entries: &mut Map<String, Value>) {
        let length = self.path.len();
        for (key, entry) in entries.iter_mut() {
            if entry.is_null() {
                // Protobuf, as which Kubernetes stores it, knows no null among a map's bytes.
                *entry = if *inner == Shape::Bytes { "".into() } else { zero(inner) };
            }
            if !entry.is_null() {
                // Kubernetes' converter from trees forgets the keys of maps.
                if self.numbers == Numbers::AsWritten {
                    self.push_key(key);
                }
                self.value(inner, go, entry);
                self.path.truncate(length);
            }
        }
    }

    fn integer(&mut self, shape: &'t Shape, go: GoType<'t>, value: &mut Value) {
        if self.numbers == Numbers::ByValue
            && let Value::Number(number) = &*value
            && let Some(whole) = scalar::whole(number)
        {
            *value = whole.into();
        }
        let fits = match shape {
            Shape::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            _ => value.is_i64(),
        };
        if !fits {
            let kind = if *shape == Shape::Int32 { "int32" } else { "int64" };
            self.mismatch(shape, go, value, kind);
        }
    }

    fn bytes(&mut self, shape: &'t Shape, go: GoType<'t>, value: &mut Value) {
        match value {
            Value::String(text) => match scalar::bytes(text) {
                Ok(canonical) => *text = canonical,
                Err(why) => self.save(Fault::new(why)),
            },
            other => self.mismatch(shape, go, other, "slice"),
        }
    }

    /// Values with a reader of their own, whose refusal ends the reading.
    fn special(&mut self, shape: &Shape, value: &mut Value) {
        let read = match (shape, &*value) {
            (Shape::Quantity, held) => scalar::quantity(held).map(Value::String).map_err(Fault::ending),
            (Shape::IntOrString | Shape::Duration, Value::String(_)) => return,
            (Shape::IntOrString, held) => match held.as_i64().filter(|number| i32::try_from(*number).is_ok()) {
                Some(_) => return,
                None => Err(self.reader_fault(held, "int32")),
            },
            (Shape::Time, Value::String(text)) => gotime::time(text).map(Value::String).map_err(Fault::ending),
            (Shape::MicroTime, Value::String(text)) => {
                gotime::micro_time(text).map(Value::String).map_err(Fault::ending)
            }
            (_, held) => Err(self.reader_fault(held, "string")),
        };
        match read {
            Ok(canonical) => *value = canonical,
            Err(fault) => self.save(fault),
        }
    }

    /// The refusal of a value's own reader, which reads a type of its own.
    fn reader_fault(&self, value: &Value, kind: &'static str) -> Fault {
        let fault = self.type_fault(value, kind.into(), kind);
        let converter = format!("json: cannot unmarshal {} into Go value of type {kind}", got(value, kind));
        Fault { ends: true, converter: Some(converter), ..fault }
    }

    /// A schema or something else, read without a word on what is unknown in it.
    fn schema_or(&mut self, shape: &Shape, value: &mut Value) {
        let Some(id) = self.table.id(SCHEMA) else { return };
        let mut within = Walk::new(self.table, self.numbers);
        within.unknown_bytes = MOST_TEXT_BYTES;
        match value {
            Value::Object(fields) => within.object(id, fields),
            Value::Array(items) if *shape == Shape::SchemaOrArray => {
                for item in items.iter_mut() {
                    if item.is_null() {
                        *item = Value::Object(Map::new());
                    }
                    match item {
                        Value::Object(fields) => within.object(id, fields),
                        other => within.save(plain_mismatch(other, "v1.JSONSchemaProps")),
                    }
                }
            }
            Value::Array(items) if *shape == Shape::SchemaOrStrings => {
                for item in items.iter().filter(|item| !item.is_string()) {
                    within.save(plain_mismatch(item, "string"));
                }
            }
            Value::Bool(_) if *shape == Shape::SchemaOrBool => {}
            _ if *shape == Shape::SchemaOrBool => self.save(Fault::ending("boolean or JSON schema expected")),
            _ => {}
        }
        if let Some(error) = Error::of(within.faults) {
            self.save(Fault::ending(error.to_string()));
        }
    }

    fn note_unknown(&mut self, key: &str) {
        // The first is always told, however long, or strict decoding would accept it.
        let bytes = self.path.len() + key.len() + 1;
        let is_first = self.unknown.is_empty() && self.unknown_bytes == 0;
        if self.unknown.len() >= MOST_FINDINGS || (self.unknown_bytes + bytes > MOST_TEXT_BYTES && !is_first) {
            return;
        }
        self.unknown_bytes += bytes;
        let dot = if self.path.is_empty() { "" } else { "." };
        let mut path = format!("{}{dot}{key}", self.path);
        path.truncate(path.floor_char_boundary(MOST_TEXT_BYTES));
        self.unknown.push(path);
    }

    fn push_key(&mut self, key: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(key);
    }

    fn mismatch(&mut self, shape: &Shape, go: GoType<'_>, value: &Value, kind: &str) {
        let go_type = if go.0.is_empty() { Cow::Owned(self.table.go_name(shape)) } else { Cow::Borrowed(go.0) };
        let fault = self.type_fault(value, go_type, kind);
        self.save(fault);
    }

    fn save(&mut self, fault: Fault) {
        let path = &self.path[..self.path.floor_char_boundary(MOST_TEXT_BYTES)];
        Error::keep(&mut self.faults, Fault { path: path.to_owned(), ..fault });
    }

    /// `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`
    fn type_fault(&self, value: &Value, go_type: Cow<'_, str>, kind: &str) -> Fault {
        let got = got(value, kind);
        let place = if self.fields.is_empty() {
            "value".to_owned()
        } else {
            format!("struct field {}.{}", self.holder, self.fields.join("."))
        };
        let text = format!("json: cannot unmarshal {got} into Go {place} of type {go_type}");
        Fault { converter: Some(converter_words(value, &go_type, kind)), ..Fault::new(text) }
    }
}

fn plain_mismatch(value: &Value, go_type: &str) -> Fault {
    Fault::new(format!("json: cannot unmarshal {} into Go value of type {go_type}", json_type(value)))
}

/// What the converter from trees says of a value of another type.
fn converter_words(value: &Value, go_type: &str, kind: &str) -> String {
    let got = match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    };
    match kind {
        "struct" => format!("cannot restore struct from: {got}"),
        "slice" | "map" => format!("cannot restore {kind} from {got}"),
        // Go converts between numbers, and from integers to text, and only then finds that JSON does not.
        "string" if got == "int64" => format!("cannot convert {got} to {go_type}"),
        "int32" | "int64" | "float64" if value.is_number() => format!("cannot convert {got} to {go_type}"),
        _ => format!("unrecognized type: {kind}"),
    }
}

/// What JSON calls the value; where an integer is wanted, with the number.
fn got(value: &Value, kind: &str) -> String {
    match (value, kind) {
        (Value::Number(number), "int32" | "int64") => format!("number {}", bounded(number)),
        _ => json_type(value).to_owned(),
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn bounded(number: &Number) -> String {
    number.to_string().chars().take(64).collect()
}

/// The last part of a type's name.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn holds(table: &TypeTable, kind: &Type, field: &str) -> bool {
    kind.field(field).is_some() || kind.embedded.iter().any(|inner| holds(table, table.get(inner.kind), field))
}

/// Whether Go would leave the value out, or writes it whether it was stated or not.
fn is_left_out(field: &Field, value: &Value) -> bool {
    if !field.omit_zero && field.empty != Empty::Zero {
        return false;
    }
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() && field.shape != Shape::IntOrString,
        Value::Array(items) => items.is_empty() && field.omit_zero,
        Value::Object(fields) => {
            fields.is_empty() && field.omit_zero && matches!(field.shape, Shape::Map(_) | Shape::Object(_))
        }
    }
}
