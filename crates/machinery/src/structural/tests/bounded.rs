//! That schemas are small, and that hostile schemas and objects cost little.

use serde_json::{Map, Value, json};

use super::super::Schema;
use super::{AT, object};

/// A schema as controller generators write them, of about 50 KB: documented fields of all
/// types in nested objects, some patterns, enumerations and keyed lists.
fn usual_schema() -> Value {
    let documented = |index: usize, mut schema: Value| {
        let text = format!(
            "Field {index} says what the controller shall do about its subject. {}",
            "More is told here. ".repeat(4)
        );
        schema["description"] = Value::from(text);
        schema
    };
    let mut groups = Map::new();
    for group in 0..16 {
        let mut properties = Map::new();
        for field in 0..14 {
            let index = group * 14 + field;
            let schema = match field % 7 {
                0 => json!({"type": "string", "maxLength": 253, "pattern": format!("^[a-z]{{1,{}}}$", index + 1)}),
                1 => json!({"type": "integer", "format": "int32", "minimum": 0, "default": index}),
                2 => json!({"type": "string", "enum": ["Always", "IfNotPresent", "Never"], "default": "Always"}),
                3 => json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "required": ["name"], "properties": {
                        "name": {"type": "string"}, format!("value{index}"): {"type": "string"}}}}),
                4 => json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
                5 => json!({"type": "object", "additionalProperties": {"type": "string"}}),
                _ => json!({"type": "boolean"}),
            };
            properties.insert(format!("field{index}"), documented(index, schema));
        }
        let schema = json!({"type": "object", "properties": properties, "required": [format!("field{}", group * 14)]});
        groups.insert(format!("group{group}"), documented(group, schema));
    }
    json!({"type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": groups},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }})
}

#[test]
fn a_usual_schema_is_small() {
    let schema = usual_schema();
    let bytes = schema.to_string().len();
    assert!((45_000..60_000).contains(&bytes), "{bytes}");
    let compiled = Schema::compile(&schema, AT).expect("a valid schema");
    assert!(compiled.size_bytes() < 30_000, "{bytes} bytes of JSON take {}", compiled.size_bytes());
}

#[test]
fn equal_parts_stand_once() {
    let part = json!({"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "integer"}}});
    let many: Map<String, Value> = (0..1000).map(|index| (format!("p{index:04}"), part.clone())).collect();
    let compiled = Schema::compile(&json!({"type": "object", "properties": many}), AT).expect("a valid schema");
    assert!(compiled.size_bytes() < 20_000, "{}", compiled.size_bytes());
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!({"type": "string"}), |below, _| json!({"type": "array", "items": below}))
}

#[test]
fn hostile_schemas_are_refused_soon() {
    let many: Map<String, Value> = (0..120_000).map(|index| (format!("p{index}"), json!({"type": "string"}))).collect();
    let cases = [
        (json!({"type": "object", "properties": {"a": nested(150)}}), "must not nest deeper"),
        (json!({"type": "object", "properties": many}), "Too many"),
        (json!({"type": "object", "properties": {"a": {"type": "string", "enum": vec!["x"; 200_000]}}}), "Too many"),
        (
            json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "(".repeat(200_000)}}}),
            "nests too deeply",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "((a{30}){30}b){1,}".repeat(20_000)}}}),
            "too large",
        ),
        (json!({"type": 1, "properties": [], "required": "x", "allOf": {}, "maxLength": "5"}), "must be a string"),
        (json!([]), "must be an object"),
        (json!("x"), "must be an object"),
    ];
    for (schema, expect) in cases {
        let causes = Schema::compile(&schema, AT).expect_err(expect);
        assert!(causes.iter().any(|cause| cause.message.contains(expect)), "{expect}: {:?}", causes.first());
        assert!(causes.len() <= 500);
    }
    let deep = Schema::compile(&json!({"type": "object", "properties": {"a": nested(90)}}), AT);
    assert!(deep.is_ok());
}

#[test]
fn hostile_objects_cost_little() {
    let branches: Vec<Value> = (0..2000).map(|index| json!({"minLength": 100 + index})).collect();
    let schema = Schema::compile(
        &json!({"type": "object", "properties": {
            "a": {"type": "array", "items": {"type": "string", "anyOf": branches}},
            "b": {"type": "array", "items": {"type": "object", "properties": {
                "x": {"type": "object", "default": {"t": "y".repeat(10_000)}, "properties": {"t": {"type": "string"}}}}}},
            "c": {"type": "string", "pattern": "^(a?){200}(a*)*b$"},
            "d": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
        }}),
        AT,
    )
    .expect("a valid schema");
    let mut hostile = object(&json!({
        "a": vec!["x"; 50_000],
        "b": vec![json!({}); 20_000],
        "c": "a".repeat(500_000),
        "d": vec![1; 100_000],
    }));
    schema.prune(&mut hostile);
    schema.default(&mut hostile);
    let size = Value::Object(hostile.clone()).to_string().len();
    assert!(size < 16 << 20, "{size}");
    assert!(schema.validate(&hostile, Some(&hostile.clone())).is_empty(), "nothing changed");
    let causes = schema.validate(&hostile, None);
    assert!(!causes.is_empty() && causes.len() < 600, "{}", causes.len());
}
