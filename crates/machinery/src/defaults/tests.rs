//! Defaults against a table of objects and what Kubernetes 1.36 makes of them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{apply, fixed, image};

/// An object as it is sent, and as Kubernetes answers it, without what the server
/// itself gives out: names, times, addresses, status.
#[derive(Clone, Debug)]
struct Case {
    case: String,
    type_name: String,
    given: Map<String, Value>,
    filled: Map<String, Value>,
}

fn cases() -> Vec<Case> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("tests/cases.json")).unwrap();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let object = |row: &Value, field: &str| row[field].as_object().unwrap().clone();
    let case = |row: &Value| Case {
        case: text(row, "case"),
        type_name: text(row, "type"),
        given: object(row, "given"),
        filled: object(row, "filled"),
    };
    rows.iter().map(case).collect()
}

fn filled(case: &Case) -> Map<String, Value> {
    let mut object = case.given.clone();
    apply(api::builtin::types(), &case.type_name, &mut object);
    if !case.filled.contains_key("status") {
        object.remove("status");
    }
    object
}

#[test]
fn objects_are_filled_as_kubernetes_fills_them() {
    let mut failures = Vec::new();
    for case in cases() {
        assert!(api::builtin::types().by_name(&case.type_name).is_some(), "{}", case.type_name);
        let ours = filled(&case);
        if ours != case.filled {
            let diff = differences("", &json!(case.filled), &json!(ours));
            failures.push(format!("{}:\n  {}", case.case, diff.join("\n  ")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn differences(path: &str, wanted: &Value, held: &Value) -> Vec<String> {
    match (wanted, held) {
        (Value::Object(wanted), Value::Object(held)) => {
            let keys: std::collections::BTreeSet<&String> = wanted.keys().chain(held.keys()).collect();
            let at = |map: &Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or(json!("<absent>"));
            let walk = |key: &&String| differences(&format!("{path}.{key}"), &at(wanted, key), &at(held, key));
            keys.iter().flat_map(walk).collect()
        }
        (Value::Array(wanted), Value::Array(held)) if wanted.len() == held.len() => {
            let pairs = wanted.iter().zip(held).enumerate();
            pairs.flat_map(|(index, (wanted, held))| differences(&format!("{path}[{index}]"), wanted, held)).collect()
        }
        _ if wanted == held => Vec::new(),
        _ => vec![format!("{path}: wanted {wanted}, got {held}")],
    }
}

#[test]
fn every_served_kind_has_a_case() {
    let cases = cases();
    for kind in api::builtin::kinds() {
        let is_object = kind.verbs != api::kind::Verbs::Create;
        let is_covered = cases.iter().any(|case| *case.type_name == *kind.type_name);
        assert!(!is_object || is_covered, "no case for {}", kind.type_name);
    }
}

#[test]
fn constants_belong_to_fields() {
    let types = api::builtin::types();
    for (type_name, field, json) in fixed::TABLE {
        let is_named = |kind: &&api::schema::Type| super::short(&kind.name) == *type_name;
        let kind = types.types().iter().find(is_named).unwrap_or_else(|| panic!("{type_name}"));
        assert!(kind.field(field).is_some(), "{type_name} {field}");
        assert!(serde_json::from_str::<Value>(json).is_ok(), "{type_name} {field}");
    }
}

#[test]
fn images_of_the_latest_tag_are_always_pulled() {
    let check = |name: &str, expect: &str| assert_eq!(image::pull_policy(name), expect, "{name:?}");
    check("nginx", "Always");
    check("localhost:5000/nginx", "Always");
    check("localhost:5000/nginx:1", "IfNotPresent");
    check("", "IfNotPresent");
    check("a@", "IfNotPresent");
    check("/:@", "IfNotPresent");
}

/// Takes away or nulls some of the places of an object, in the order of a walk.
fn thin(value: &mut Value, choices: &mut impl Iterator<Item = u8>) {
    match value {
        Value::Object(fields) => {
            for name in fields.keys().cloned().collect::<Vec<_>>() {
                match choices.next() {
                    Some(0) => drop(fields.remove(&name)),
                    Some(1) => drop(fields.insert(name, Value::Null)),
                    Some(2) if fields[&name].is_string() => drop(fields.insert(name, json!(""))),
                    _ => thin(&mut fields[&name], choices),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| thin(item, choices)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn what_is_filled_stays_as_it_is(index in 0..1000_usize, choices in proptest::collection::vec(0..12_u8, 0..80)) {
        let cases = cases();
        let case = &cases[index % cases.len()];
        let mut given = json!(case.given);
        thin(&mut given, &mut choices.into_iter());
        let mut once = given.as_object().cloned().unwrap_or_default();
        apply(api::builtin::types(), &case.type_name, &mut once);
        let mut twice = once.clone();
        apply(api::builtin::types(), &case.type_name, &mut twice);
        prop_assert_eq!(differences("", &json!(once), &json!(twice)), Vec::<String>::new());
    }
}
