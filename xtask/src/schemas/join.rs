//! Joins OpenAPI schemas with Go struct tags into the type table: the schema
//! decides which fields exist and what they hold, Go decides how protobuf
//! carries them and when JSON leaves them out. It reads no files itself.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use api::builtin::data::{DocsData, FieldData, TypeData, shape_text};
use api::schema::{Shape, TypeId};
use serde_json::Value;

use super::gostruct::{GoField, Structs};
use super::openapi::{Schemas, only_gvk, reference};

/// Joins everything; types are ordered by name, embedded ones at the end.
pub fn join<'a>(schemas: &'a Schemas, structs: Structs<'a>) -> anyhow::Result<(Vec<TypeData>, DocsData)> {
    let ids = schemas.keys().cloned().zip(0..).collect();
    let mut joiner = Joiner { schemas, structs, ids, types: Vec::new(), hidden: Vec::new(), docs: Docs::default() };
    for (name, schema) in schemas {
        let joined = joiner.join_type(name, schema).with_context(|| format!("joining {name}"))?;
        joiner.types.push(joined);
    }
    let mut types = joiner.types;
    types.append(&mut joiner.hidden);
    Ok((types, joiner.docs.data))
}

struct Joiner<'a> {
    schemas: &'a Schemas,
    structs: Structs<'a>,
    ids: BTreeMap<String, u32>,
    types: Vec<TypeData>,
    /// Types that appear in no schema; their ids follow those of the schemas.
    hidden: Vec<TypeData>,
    docs: Docs,
}

impl Joiner<'_> {
    fn join_type(&mut self, name: &str, schema: &Value) -> anyhow::Result<TypeData> {
        let go_fields = self.go_fields(name)?;
        let mut fields = Vec::new();
        let mut texts = Vec::new();
        for (json_name, property) in schema["properties"].as_object().into_iter().flatten() {
            let go = self.find(&go_fields, json_name)?;
            let field = self.field(json_name, property, go.as_ref(), schema)?;
            fields.push((field, text_of(property)));
        }
        let mut embedded = Vec::new();
        for go in go_fields.iter().filter(|go| go.inline && go.tag != 0) {
            let id = self.embedded(go, &fields)?;
            embedded.push((go.tag, id));
        }
        fields.sort_by(|(left, _), (right, _)| (left.tag, &left.name).cmp(&(right.tag, &right.name)));
        texts.push(self.docs.id(&text_of(schema)));
        texts.extend(fields.iter().map(|(_, text)| self.docs.id(text)));
        self.docs.data.types.push(texts);
        Ok(TypeData {
            name: name.into(),
            gvk: only_gvk(schema),
            fields: fields.into_iter().map(|(field, _)| field).collect(),
            embedded,
            atomic: is_atomic(schema),
            hidden: false,
        })
    }

    /// The type of an embedded struct. What its fields hold is copied from the
    /// outer type, whose JSON shows them.
    fn embedded(&mut self, go: &GoField, outer: &[(FieldData, String)]) -> anyhow::Result<u32> {
        let name = type_name(&go.base.0, &go.base.1);
        let inner_fields = self.structs.package(&go.base.0)?.structs.get(&go.base.1).cloned();
        let inner_fields = inner_fields.with_context(|| format!("no Go struct {name}"))?;
        let mut fields = Vec::new();
        for inner in inner_fields.iter().filter(|inner| !inner.inline) {
            let found = outer.iter().find(|(field, _)| *field.name == *inner.json);
            let (field, _) = found.with_context(|| format!("{name}.{} is not in the outer schema", inner.json))?;
            fields.push(FieldData { tag: inner.tag, ..field.clone() });
        }
        let mut embedded = Vec::new();
        for inner in inner_fields.iter().filter(|inner| inner.inline && inner.tag != 0) {
            embedded.push((inner.tag, self.embedded(inner, outer)?));
        }
        if let Some(id) = self.ids.get(&name) {
            return Ok(*id);
        }
        fields.sort_by_key(|field| field.tag);
        let id = u32::try_from(self.ids.len())?;
        self.ids.insert(name.clone(), id);
        self.hidden.push(TypeData { name: name.into(), fields, embedded, hidden: true, ..TypeData::default() });
        Ok(id)
    }

    fn go_fields(&mut self, name: &str) -> anyhow::Result<Vec<GoField>> {
        let Some((package, type_name)) = package_of(name) else { bail!("no Go package for {name}") };
        Ok(self.structs.package(&package)?.structs.get(type_name).cloned().unwrap_or_default())
    }

    /// A Go field by its JSON name, looked for in embedded structs too.
    fn find(&mut self, fields: &[GoField], json_name: &str) -> anyhow::Result<Option<GoField>> {
        if let Some(found) = fields.iter().find(|go| !go.inline && go.json == json_name) {
            return Ok(Some(found.clone()));
        }
        for outer in fields.iter().filter(|go| go.inline) {
            let inner = self.structs.package(&outer.base.0)?.structs.get(&outer.base.1).cloned().unwrap_or_default();
            if let Some(found) = self.find(&inner, json_name)? {
                // Its tag counts inside the embedded message, not here.
                return Ok(Some(GoField { tag: 0, ..found }));
            }
        }
        Ok(None)
    }

    fn field(
        &mut self,
        name: &str,
        property: &Value,
        go: Option<&GoField>,
        schema: &Value,
    ) -> anyhow::Result<FieldData> {
        let go = go.with_context(|| format!("no Go field for {name}"))?;
        let shape = self.shape(property, go).with_context(|| format!("field {name}"))?;
        let text = |key: &str| Box::from(property[key].as_str().unwrap_or_default());
        let texts = |value: &Value| -> Vec<Box<str>> {
            value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(Box::from)).collect()
        };
        let is_struct = matches!(shape, Shape::Object(_) | Shape::Quantity | Shape::IntOrString | Shape::Json);
        let omit = go.omit && !go.pointer && (!is_struct || go.omit_struct);
        Ok(FieldData {
            name: name.into(),
            tag: go.tag,
            required: texts(&schema["required"]).iter().any(|required| **required == *name),
            omit,
            default: default_of(property, go)?.into(),
            key: text("x-kubernetes-patch-merge-key"),
            strategy: text("x-kubernetes-patch-strategy"),
            list: text("x-kubernetes-list-type"),
            keys: texts(&property["x-kubernetes-list-map-keys"]),
            atomic: is_atomic(property)
                || reference(property).and_then(|target| self.schemas.get(target)).is_some_and(is_atomic),
            enumeration: self.enumeration(go, &shape)?,
            empty: written_empty(go, &shape).into(),
            go: self.go_type(go, &shape).into(),
            shape: shape_text(&shape).into(),
        })
    }

    /// Go's name of the type, unless its shape tells it.
    fn go_type(&self, go: &GoField, shape: &Shape) -> String {
        let name_of = |id: TypeId| {
            let named = self.ids.iter().find(|(_, held)| **held == id.0);
            named.map(|(name, _)| name.clone()).unwrap_or_default()
        };
        if shape.go_name(&name_of) == go.declared { String::new() } else { go.declared.clone() }
    }

    fn shape(&self, schema: &Value, go: &GoField) -> anyhow::Result<Shape> {
        if let Some(target) = reference(schema) {
            return self.referred(target);
        }
        let word = |key: &str| schema[key].as_str().unwrap_or_default();
        Ok(match (word("type"), word("format")) {
            ("string", "byte") => Shape::Bytes,
            ("string", _) if go.base.1 == "Duration" => Shape::Duration,
            ("string", _) => Shape::String,
            ("boolean", _) => Shape::Boolean,
            ("integer", "int32") => Shape::Int32,
            ("integer", _) => Shape::Int64,
            ("number", _) => Shape::Double,
            ("array", _) => Shape::List(Box::new(self.shape(&schema["items"], go)?)),
            ("object", _) => Shape::Map(Box::new(self.shape(&schema["additionalProperties"], go)?)),
            (other, _) => bail!("unknown type `{other}`"),
        })
    }

    fn referred(&self, target: &str) -> anyhow::Result<Shape> {
        let short = target.rsplit('.').next().unwrap_or(target);
        Ok(match short {
            "Quantity" => Shape::Quantity,
            "IntOrString" => Shape::IntOrString,
            "Time" => Shape::Time,
            "MicroTime" => Shape::MicroTime,
            "RawExtension" => Shape::RawExtension,
            "JSON" => Shape::Json,
            "JSONSchemaPropsOrArray" => Shape::SchemaOrArray,
            "JSONSchemaPropsOrBool" => Shape::SchemaOrBool,
            "JSONSchemaPropsOrStringArray" => Shape::SchemaOrStrings,
            "FieldsV1" => Shape::FieldsV1,
            _ => Shape::Object(TypeId(*self.ids.get(target).with_context(|| format!("no type {target}"))?)),
        })
    }

    fn enumeration(&mut self, go: &GoField, shape: &Shape) -> anyhow::Result<Vec<Box<str>>> {
        let holds_text = match shape {
            Shape::List(inner) | Shape::Map(inner) => **inner == Shape::String,
            shape => *shape == Shape::String,
        };
        if !holds_text || go.base.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut values = self.structs.package(&go.base.0)?.enums.get(&go.base.1).cloned().unwrap_or_default();
        values.sort();
        Ok(values.into_iter().map(Box::from).collect())
    }
}

/// What Go writes for an empty field: nothing, `null` or its zero value.
fn written_empty(go: &GoField, shape: &Shape) -> &'static str {
    let is_plain = matches!(shape, Shape::String | Shape::Boolean | Shape::Int32 | Shape::Int64 | Shape::Double);
    let is_grown = matches!(shape, Shape::Bytes | Shape::List(_) | Shape::Map(_));
    // `omitempty` never leaves a struct out.
    let left_out = if go.pointer || is_plain || is_grown { go.omit } else { go.omit_struct };
    let is_null = go.pointer
        || is_grown
        || matches!(shape, Shape::Time | Shape::MicroTime | Shape::RawExtension | Shape::Json | Shape::FieldsV1);
    match (left_out, is_null) {
        (true, _) => "",
        (false, true) => "null",
        (false, false) => "zero",
    }
}

fn is_atomic(schema: &Value) -> bool {
    schema["x-kubernetes-map-type"] == "atomic"
}

/// The default as JSON text. The zero values that OpenAPI states for every
/// field Go cannot leave out are no defaults and would only mislead.
fn default_of(property: &Value, go: &GoField) -> anyhow::Result<String> {
    let Some(default) = property.get("default") else { return Ok(String::new()) };
    let zero = match default {
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Null => true,
        Value::Array(_) => false,
    };
    Ok(if zero && !go.pointer { String::new() } else { serde_json::to_string(default)? })
}

/// `io.k8s.api.core.v1.Pod` is `Pod` of package `api/core/v1`.
fn package_of(name: &str) -> Option<(String, &str)> {
    let (package, type_name) = name.strip_prefix("io.k8s.")?.rsplit_once('.')?;
    Some((package.replace('.', "/"), type_name))
}

fn type_name(package: &str, name: &str) -> String {
    format!("io.k8s.{}.{name}", package.replace('/', "."))
}

fn text_of(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().to_owned()
}

/// Texts with their numbers; number 0 is the empty text.
#[derive(Default)]
struct Docs {
    data: DocsData,
    ids: BTreeMap<String, u32>,
}

impl Docs {
    fn id(&mut self, text: &str) -> u32 {
        if self.data.texts.is_empty() {
            self.data.texts.push(Box::default());
            self.ids.insert(String::new(), 0);
        }
        let next = u32::try_from(self.data.texts.len()).expect("there are fewer than 2^32 texts");
        *self.ids.entry(text.to_owned()).or_insert_with(|| {
            self.data.texts.push(text.into());
            next
        })
    }
}
