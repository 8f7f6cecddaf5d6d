//! Random values: any JSON, objects of a built-in type that are mostly right, schemas that
//! are mostly valid, and objects that mostly fit them. Nothing here checks anything.

use api::schema::{Shape, TypeId, TypeTable};
use serde_json::{Map, Number, Value, json};

use super::Source;

/// Keys that mean something somewhere, and some that break readers.
pub(super) const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "k",
    "name",
    "spec",
    "metadata",
    "labels",
    "apiVersion",
    "kind",
    "containers",
    "ports",
    "volumes",
    "$patch",
    "$retainKeys",
    "$deleteFromPrimitiveList/finalizers",
    "$setElementOrder/containers",
    "",
    "a/b",
    "a~b",
    "x.y",
    "'",
    "\"",
    "\u{0}",
    "\u{e9}",
    "<<",
    "-",
    "status",
    "type",
    "items",
    "properties",
    "data",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "c",
    "1",
    "-1",
    "0",
    "1.5",
    "1e9",
    "100m",
    "1Gi",
    "1e400",
    "9223372036854775808",
    "true",
    "null",
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05.123456Z",
    "10s",
    "80%",
    "TCP",
    "aGk=",
    "a-b.c",
    "A B",
    "\u{0}",
    "\u{1F600}",
    "e\u{301}",
    "\u{2028}",
    "\"",
    "\\",
    "10.0.0.1",
    "::1",
    "10.0.0.0/8",
    "*/5 * * * *",
    "Always",
    "kubernetes.io/x",
    "v1",
    "$",
    "^(a|b)*$",
    "merge",
    "replace",
    "delete",
    "https",
    "/a/b",
    "nginx:1",
    "\u{feff}",
];

pub(super) fn text(source: &mut Source<'_>) -> String {
    match source.below(12) {
        0..=8 => source.pick(TEXTS).to_owned(),
        9 => source.pick(TEXTS).repeat(source.below(20)),
        10 => [source.pick(TEXTS), source.pick(KEYS)].concat(),
        _ => {
            let bytes: Vec<u8> = (0..source.below(24)).map(|_| source.byte()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}

pub(super) fn number(source: &mut Source<'_>) -> Value {
    match source.below(8) {
        0..=3 => i64::try_from(source.below(5)).unwrap_or(0).into(),
        4 => (-i64::from(source.byte())).into(),
        5 => source.pick(&[i64::MAX, i64::MIN, i64::from(i32::MAX) + 1, 65536, i64::from(i32::MIN) - 1]).into(),
        6 => source.pick(&[u64::MAX, i64::MAX as u64 + 1]).into(),
        _ => {
            let float = source.pick(&[0.5, -0.0, 1.0, 1e300, -1e300, 1e-320, 9_223_372_036_854_775_808.0, 2.5]);
            Number::from_f64(float).map_or(Value::Null, Value::Number)
        }
    }
}

/// Any JSON of at most this depth.
pub(super) fn any(source: &mut Source<'_>, depth: usize) -> Value {
    let kinds = if depth == 0 || source.is_spent() { 4 } else { 8 };
    match source.below(kinds) {
        0 => Value::Null,
        1 => Value::Bool(source.once_in(2)),
        2 => number(source),
        3 => text(source).into(),
        4 | 5 => (0..source.below(5)).map(|_| any(source, depth - 1)).collect(),
        _ => {
            let entries = (0..source.below(6)).map(|_| (source.pick(KEYS).to_owned(), any(source, depth - 1)));
            Value::Object(entries.collect())
        }
    }
}

/// An object of a type. About one value in `wrong` is something else, never if it is 0.
pub(super) fn typed(source: &mut Source<'_>, table: &TypeTable, id: TypeId, depth: usize, wrong: usize) -> Value {
    let kind = table.get(id);
    let mut object = Map::new();
    if kind.fields.is_empty() {
        return Value::Object(object);
    }
    for _ in 0..source.below(7) {
        let field = &kind.fields[source.below(kind.fields.len())];
        object.insert(field.name.to_string(), shaped(source, table, &field.shape, depth, wrong));
    }
    for field in kind.fields.iter().filter(|field| field.required || matches!(&*field.name, "spec" | "template")) {
        if !source.is_spent() && !source.once_in(8) && !object.contains_key(&*field.name) {
            object.insert(field.name.to_string(), shaped(source, table, &field.shape, depth, wrong));
        }
    }
    if wrong > 0 && source.once_in(6) {
        object.insert(source.pick(KEYS).to_owned(), any(source, 2));
    }
    Value::Object(object)
}

fn shaped(source: &mut Source<'_>, table: &TypeTable, shape: &Shape, depth: usize, wrong: usize) -> Value {
    if wrong > 0 && source.once_in(wrong) {
        return any(source, 3);
    }
    match shape {
        Shape::Object(id) if depth > 0 && !source.is_spent() => typed(source, table, *id, depth - 1, wrong),
        Shape::Object(_) => json!({}),
        Shape::List(inner) if depth > 0 => {
            (0..source.below(4)).map(|_| shaped(source, table, inner, depth - 1, wrong)).collect()
        }
        Shape::List(_) => json!([]),
        Shape::Map(inner) if depth > 0 => {
            let entry = |source: &mut Source<'_>| {
                (source.pick(KEYS).to_owned(), shaped(source, table, inner, depth - 1, wrong))
            };
            Value::Object((0..source.below(4)).map(|_| entry(source)).collect())
        }
        Shape::Map(_) => json!({}),
        Shape::Boolean => Value::Bool(source.once_in(2)),
        Shape::Int32 | Shape::Int64 => json!(i64::from(source.pick(&[0, 1, 2, 80, -1, 65535, 70000, i32::MAX]))),
        Shape::Double => number(source),
        Shape::Quantity => source.pick(&["1", "100m", "1Gi", "0.5", "1e3", "-2", "1.5Mi", "0"]).into(),
        Shape::IntOrString => source.pick(&[json!(1).as_i64(), None]).map_or_else(|| json!("25%"), Value::from),
        Shape::Time => source.pick(&["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00"]).into(),
        Shape::MicroTime => "2026-01-02T03:04:05.000006Z".into(),
        Shape::Duration => source.pick(&["10s", "1h2m", "0s"]).into(),
        Shape::Bytes => source.pick(&["aGk=", "", "AAEC"]).into(),
        Shape::FieldsV1 => fields(source, 3),
        Shape::SchemaOrArray | Shape::SchemaOrBool | Shape::SchemaOrStrings => schema(source, 2),
        Shape::String | Shape::RawExtension | Shape::Json => match shape {
            Shape::String => text(source).into(),
            _ => any(source, 3),
        },
    }
}

/// A set of fields as the wire has it.
pub(super) fn fields(source: &mut Source<'_>, depth: usize) -> Value {
    let mut level = Map::new();
    for _ in 0..source.below(5) {
        let key = match source.below(9) {
            0..=3 => format!("f:{}", source.pick(KEYS)),
            4 => format!("k:{}", json!({source.pick(KEYS): number(source), "name": text(source)})),
            5 => format!("v:{}", json!(text(source))),
            6 => format!("v:{}", number(source)),
            7 => format!("i:{}", source.below(9)),
            _ => ".".to_owned(),
        };
        let below = if depth == 0 || key == "." { json!({}) } else { fields(source, depth - 1) };
        level.insert(key, below);
    }
    Value::Object(level)
}

/// A schema of a field, mostly valid.
pub(super) fn schema(source: &mut Source<'_>, depth: usize) -> Value {
    let mut schema = match source.below(if depth == 0 || source.is_spent() { 6 } else { 11 }) {
        0 => {
            json!({"type": "string", "maxLength": source.below(5), "pattern": source.pick(&["^[ab]*$", "(", "a{1,3}"])})
        }
        1 => {
            json!({"type": "string", "enum": ["a", "b", text(source)], "format": source.pick(&["date-time", "int32", "ipv4", "x"])})
        }
        2 => {
            json!({"type": "integer", "minimum": number(source), "multipleOf": 2, "exclusiveMinimum": source.once_in(2)})
        }
        3 => json!({"type": source.pick(&["number", "boolean"]), "maximum": number(source)}),
        4 => json!({"x-kubernetes-int-or-string": true}),
        5 => json!({"x-kubernetes-preserve-unknown-fields": true}),
        6 => {
            json!({"type": "array", "items": schema(source, depth - 1), "maxItems": source.below(4), "uniqueItems": source.once_in(9)})
        }
        7 => json!({"type": "object", "additionalProperties": schema(source, depth - 1)}),
        8 => {
            json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true})
        }
        9 => {
            let mut items = object_schema(source, depth - 1);
            items["properties"]["k"] = json!({"type": "string"});
            items["required"] = json!(["k"]);
            json!({"type": "array", "items": items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]})
        }
        _ => object_schema(source, depth - 1),
    };
    match source.below(10) {
        0 => schema["nullable"] = json!(true),
        1 => schema["default"] = any(source, 2),
        2 => schema["anyOf"] = json!([{"minLength": 2}, {"required": ["a"]}, {"not": {"maximum": 3}}]),
        3 => schema[source.pick(KEYWORDS)] = any(source, 2),
        _ => {}
    }
    schema
}

const KEYWORDS: &[&str] = &[
    "type",
    "properties",
    "items",
    "required",
    "enum",
    "default",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "pattern",
    "additionalProperties",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
    "maxItems",
    "minProperties",
    "$ref",
    "format",
    "description",
    "nullable",
    "title",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "multipleOf",
    "minimum",
    "uniqueItems",
];

/// The schema of an object.
pub(super) fn object_schema(source: &mut Source<'_>, depth: usize) -> Value {
    let properties: Map<String, Value> =
        (0..source.below(5)).map(|_| (source.pick(&KEYS[..10]).to_owned(), schema(source, depth))).collect();
    let required: Vec<&String> = properties.keys().take(source.below(2)).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

/// A value that mostly fits a schema.
pub(super) fn fitting(source: &mut Source<'_>, schema: &Value, depth: usize) -> Value {
    if depth == 0 || source.is_spent() || source.once_in(12) {
        return any(source, 2);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let mut object = Map::new();
            for (name, below) in schema["properties"].as_object().into_iter().flatten() {
                if !source.once_in(4) {
                    object.insert(name.clone(), fitting(source, below, depth - 1));
                }
            }
            if schema["additionalProperties"].is_object() || source.once_in(6) {
                for _ in 0..source.below(4) {
                    let entry = fitting(source, &schema["additionalProperties"], depth - 1);
                    object.insert(source.pick(KEYS).to_owned(), entry);
                }
            }
            Value::Object(object)
        }
        Some("array") => (0..source.below(5)).map(|_| fitting(source, &schema["items"], depth - 1)).collect(),
        Some("string") => text(source).into(),
        Some("integer" | "number") => number(source),
        Some("boolean") => Value::Bool(source.once_in(2)),
        _ => any(source, 2),
    }
}

pub(super) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => [("a".to_owned(), other)].into_iter().collect(),
    }
}
