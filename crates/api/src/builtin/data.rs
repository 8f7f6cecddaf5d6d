//! How the schema data is written down: two gzip members in one file, the
//! first with types and kinds, the second with their documentation, so that
//! text which only OpenAPI needs stays compressed. `cargo xtask schemas` writes
//! it, `builtin` reads it. Nothing here knows any one kind.

use std::io::{Read, Write};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};

use crate::name::Gvk;
use crate::schema::{Embedded, Empty, Field, ListType, Shape, Type, TypeId};

/// Why schema data could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The compressed bytes are damaged.
    #[error("schema data cannot be decompressed")]
    Compression(#[from] std::io::Error),
    /// The text inside is not what this version of the code writes.
    #[error("schema data cannot be read")]
    Json(#[from] serde_json::Error),
    /// A shape's text means nothing.
    #[error("schema data names an unknown shape `{0}`")]
    Shape(String),
}

/// The first member: everything the server keeps in memory.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tables {
    /// The Kubernetes release the data was taken from, for example `v1.36.0`.
    pub release: String,
    /// Types by index.
    pub types: Vec<TypeData>,
    /// Kinds in the order discovery lists them.
    pub kinds: Vec<KindData>,
}

/// The second member: documentation, each distinct text once.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DocsData {
    /// The texts; the first is empty.
    pub texts: Vec<Box<str>>,
    /// For each type the index of its text, then those of its fields.
    pub types: Vec<Vec<u32>>,
}

/// One type.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TypeData {
    /// Full name.
    pub name: Box<str>,
    /// Group, version and kind, where the type is a kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gvk: Option<(Box<str>, Box<str>, Box<str>)>,
    /// Fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldData>,
    /// Tags and types of embedded messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedded: Vec<(u32, u32)>,
    /// `x-kubernetes-map-type: atomic`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub atomic: bool,
    /// Only ever embedded.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
}

/// One field; what is usual is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct FieldData {
    pub name: Box<str>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tag: u32,
    pub shape: Box<str>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub omit: bool,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub default: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub key: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub strategy: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub list: Box<str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub atomic: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "enum")]
    pub enumeration: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub empty: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub go: Box<str>,
}

/// One kind as discovery states it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct KindData {
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub group: Box<str>,
    pub version: Box<str>,
    pub kind: Box<str>,
    pub plural: Box<str>,
    pub singular: Box<str>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub namespaced: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<Box<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Box<str>>,
    pub verbs: Vec<Box<str>>,
    #[serde(rename = "type")]
    pub type_name: Box<str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subresources: Vec<SubresourceData>,
}

/// One subresource as discovery states it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct SubresourceData {
    pub name: Box<str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub group: Box<str>,
    pub version: Box<str>,
    pub kind: Box<str>,
    pub verbs: Vec<Box<str>>,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Both members as the bytes of one file. The same input gives the same bytes.
pub fn encode(tables: &Tables, docs: &DocsData) -> Result<Vec<u8>, DataError> {
    let mut bytes = compress(&serde_json::to_vec(tables)?)?;
    bytes.extend(compress(&serde_json::to_vec(docs)?)?);
    Ok(bytes)
}

fn compress(text: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    // No time, no file name: nothing but the content decides the bytes.
    let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    encoder.write_all(text)?;
    encoder.finish()
}

/// The tables, and where in `bytes` the documentation begins.
pub fn decode_tables(bytes: &[u8]) -> Result<(Tables, usize), DataError> {
    let (text, rest) = inflate(bytes)?;
    Ok((serde_json::from_slice(&text)?, bytes.len() - rest.len()))
}

/// The documentation, from where [`decode_tables`] says it begins.
pub fn decode_docs(bytes: &[u8]) -> Result<DocsData, DataError> {
    let (text, _) = inflate(bytes)?;
    Ok(serde_json::from_slice(&text)?)
}

fn inflate(bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), std::io::Error> {
    let mut decoder = GzDecoder::new(bytes);
    let mut text = Vec::new();
    decoder.read_to_end(&mut text)?;
    Ok((text, decoder.into_inner()))
}

impl TypeData {
    /// The type as the rest of the project uses it.
    pub fn into_type(self) -> Result<Type, DataError> {
        let mut fields = self.fields.into_iter().map(FieldData::into_field).collect::<Result<Vec<_>, _>>()?;
        fields.shrink_to_fit();
        Ok(Type {
            name: self.name,
            gvk: self.gvk.map(|(group, version, kind)| Gvk::new(&group, &version, &kind)),
            fields,
            embedded: self.embedded.into_iter().map(|(tag, kind)| Embedded { tag, kind: TypeId(kind) }).collect(),
            map_atomic: self.atomic,
            hidden: self.hidden,
        })
    }
}

impl FieldData {
    fn into_field(self) -> Result<Field, DataError> {
        Ok(Field {
            shape: parse_shape(&self.shape)?,
            name: self.name,
            tag: self.tag,
            required: self.required,
            omit_zero: self.omit,
            default: self.default,
            patch_merge_key: self.key,
            patch_strategy: self.strategy,
            list_type: match &*self.list {
                "set" => ListType::Set,
                "map" => ListType::Map,
                _ => ListType::Atomic,
            },
            list_map_keys: self.keys,
            map_atomic: self.atomic,
            enumeration: self.enumeration,
            empty: match &*self.empty {
                "null" => Empty::Null,
                "zero" => Empty::Zero,
                _ => Empty::LeftOut,
            },
            go_type: self.go,
        })
    }
}

/// Words for the shapes that hold no other.
const SCALARS: &[(&str, Shape)] = &[
    ("string", Shape::String),
    ("bytes", Shape::Bytes),
    ("bool", Shape::Boolean),
    ("int32", Shape::Int32),
    ("int64", Shape::Int64),
    ("double", Shape::Double),
    ("quantity", Shape::Quantity),
    ("int-or-string", Shape::IntOrString),
    ("time", Shape::Time),
    ("micro-time", Shape::MicroTime),
    ("duration", Shape::Duration),
    ("raw", Shape::RawExtension),
    ("json", Shape::Json),
    ("schema-or-array", Shape::SchemaOrArray),
    ("schema-or-bool", Shape::SchemaOrBool),
    ("schema-or-strings", Shape::SchemaOrStrings),
    ("fields", Shape::FieldsV1),
];

/// A shape as text: `#7` an object, `[]…` a list, `{}…` a map, else a word.
pub fn shape_text(shape: &Shape) -> String {
    match shape {
        Shape::Object(id) => format!("#{}", id.0),
        Shape::List(inner) => format!("[]{}", shape_text(inner)),
        Shape::Map(inner) => format!("{{}}{}", shape_text(inner)),
        scalar => {
            SCALARS.iter().find(|(_, shape)| shape == scalar).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
        }
    }
}

fn parse_shape(text: &str) -> Result<Shape, DataError> {
    if let Some(inner) = text.strip_prefix("[]") {
        return Ok(Shape::List(Box::new(parse_shape(inner)?)));
    }
    if let Some(inner) = text.strip_prefix("{}") {
        return Ok(Shape::Map(Box::new(parse_shape(inner)?)));
    }
    let unknown = || DataError::Shape(text.to_owned());
    if let Some(id) = text.strip_prefix('#') {
        return id.parse().map(|id| Shape::Object(TypeId(id))).map_err(|_| unknown());
    }
    SCALARS.iter().find(|(word, _)| *word == text).map(|(_, shape)| shape.clone()).ok_or_else(unknown)
}
