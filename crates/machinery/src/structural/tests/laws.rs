//! Laws of pruning, defaulting and validation, for schemas and objects of every
//! shape; and real definitions, where they are at hand.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::Schema;
use super::object;

/// Any JSON with the names that the schemas below use.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "k", "apiVersion", "kind", "metadata", "name", "labels"])
        .prop_map(str::to_owned)
}

/// Schemas, mostly valid ones.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string", "default": "a", "pattern": "^[ab]*$", "maxLength": 2})),
        Just(json!({"type": "string", "nullable": true, "enum": ["a", "b"]})),
        Just(json!({"type": "string", "format": "date-time"})),
        Just(json!({"type": "integer", "default": 3, "minimum": 1, "multipleOf": 3})),
        Just(json!({"type": "number", "maximum": 2.5, "exclusiveMaximum": true})),
        Just(json!({"type": "boolean"})),
        Just(json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]})),
        Just(json!({"x-kubernetes-preserve-unknown-fields": true})),
        Just(json!({"type": "object", "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::btree_map(name(), inner.clone(), 1..4).prop_map(|properties| {
                let required: Vec<&String> = properties.keys().take(1).collect();
                json!({"type": "object", "required": required, "properties": properties, "maxProperties": 3})
            }),
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "maxItems": 3})),
            inner.clone().prop_map(|items| json!({"type": "object", "additionalProperties": items})),
            prop::collection::btree_map(name(), inner, 1..3).prop_map(|mut properties| {
                properties.insert("k".into(), json!({"type": "string"}));
                let items = json!({"type": "object", "properties": properties, "required": ["k"]});
                json!({"type": "array", "items": items, "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"]})
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pruning_and_defaulting_come_to_rest(spec in any_schema(), value in any_json(), old in any_json()) {
        let schema = Schema::compile_stored(&json!({"type": "object", "properties": {"a": spec}}));
        let mut pruned = object(&json!({"a": value, "zz": 1}));
        schema.prune(&mut pruned);
        let mut again = pruned.clone();
        prop_assert_eq!(schema.prune(&mut again), Vec::<String>::new());
        prop_assert_eq!(&again, &pruned);
        schema.default(&mut pruned);
        let mut again = pruned.clone();
        schema.default(&mut again);
        prop_assert_eq!(&again, &pruned);
        prop_assert_eq!(schema.prune(&mut again), Vec::<String>::new());
        schema.malformed(&pruned);
        let causes = schema.validate(&pruned, None);
        let unchanged = schema.validate(&pruned, Some(&pruned));
        prop_assert!(unchanged.len() <= causes.len());
        schema.validate(&pruned, Some(&object(&json!({"a": old}))));
        schema.validate_status(&pruned, &pruned);
    }

    #[test]
    fn no_schema_brings_the_compiler_down(schema in any_json(), value in any_json()) {
        let whole = json!({"type": "object", "properties": {"a": schema}, "x-kubernetes-validations": value});
        let _ = Schema::compile(&whole, "at");
        let mut object = object(&json!({"a": value}));
        let compiled = Schema::compile_stored(&whole);
        compiled.prune(&mut object);
        compiled.default(&mut object);
        compiled.validate(&object, None);
    }
}

/// Files below a folder that may hold manifests.
fn manifests(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            manifests(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "yaml" || kind == "yml" || kind == "json") {
            found.push(path);
        }
    }
}

#[test]
fn real_definitions_compile_small() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let mut files = Vec::new();
    manifests(&data, &mut files);
    let (mut count, mut bytes, mut size) = (0, 0, 0);
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if !text.contains("kind: CustomResourceDefinition") && !text.contains("\"CustomResourceDefinition\"") {
            continue;
        }
        let Ok(documents) = crate::yaml::values(&text) else { continue };
        for definition in documents.iter().filter(|document| document["kind"] == "CustomResourceDefinition") {
            for version in definition["spec"]["versions"].as_array().into_iter().flatten() {
                let schema = &version["schema"]["openAPIV3Schema"];
                let compiled = Schema::compile(schema, "s");
                let compiled = compiled.unwrap_or_else(|causes| panic!("{}: {causes:?}", path.display()));
                count += 1;
                bytes += schema.to_string().len();
                size += compiled.size_bytes();
            }
        }
    }
    println!("{count} schemas of {bytes} bytes take {size} bytes");
    assert!(size * 2 <= bytes, "{count} schemas of {bytes} bytes take {size} bytes");
}
