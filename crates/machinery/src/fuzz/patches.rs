//! JSON, merge and strategic merge patches, and merges of three sides.

use serde_json::{Value, json};

use super::shapes::{self, KEYS};
use super::{Source, run};
use crate::patch::{self, Body};

const POD: &str = "io.k8s.api.core.v1.Pod";
const DEPLOYMENT: &str = "io.k8s.api.apps.v1.Deployment";

fn typed(source: &mut Source<'_>, name: &str, wrong: usize) -> Value {
    let table = api::builtin::types();
    shapes::typed(source, table, table.id(name).expect("a known type"), 7, wrong)
}

fn pointer(source: &mut Source<'_>) -> String {
    (0..source.below(5))
        .map(|_| match source.below(4) {
            0 => format!("/{}", source.below(4)),
            1 => "/-".to_owned(),
            _ => format!("/{}", source.pick(KEYS).replace('~', "~0").replace('/', "~1")),
        })
        .collect()
}

#[test]
fn json_patch() {
    run("fuzz::patches::json_patch", |source| {
        let live = json!({"kind": "Thing", "a": shapes::any(source, 5), "spec": shapes::any(source, 4)});
        let operations: Vec<Value> = (0..source.below(9))
            .map(|_| {
                let op = source.pick(&["add", "remove", "replace", "move", "copy", "test", "copy", "odd"]);
                let mut operation = json!({"op": op, "path": pointer(source), "from": pointer(source)});
                operation["value"] = shapes::any(source, 3);
                if source.once_in(20) {
                    operation[source.pick(&["op", "path", "from"])] = shapes::any(source, 1);
                }
                operation
            })
            .collect();
        let body = Body::Json(if source.once_in(20) { shapes::any(source, 3) } else { Value::Array(operations) });
        if let Ok(patched) = patch::apply(&live, &body, None) {
            assert!(patched.is_object());
            assert!(crate::typed::depth(&patched) <= base::limits::NESTING);
        }
    });
}

#[test]
fn merge_patch() {
    run("fuzz::patches::merge_patch", |source| {
        let (live, change) = (shapes::any(source, 5), shapes::any(source, 5));
        if let Ok(once) = patch::apply(&live, &Body::Merge(change.clone()), None) {
            let twice = patch::apply(&once, &Body::Merge(change.clone()), None).expect("it was applied before");
            assert_eq!(once, twice);
            let mut from_diff = live.clone();
            patch::merge(&mut from_diff, &patch::merge_diff(&live, &once));
            if live.is_object() {
                assert_eq!(from_diff, once, "{live} and {change}");
            }
        }
        let schema = Some((api::builtin::types(), POD));
        crate::merge3::three_way(Some(&live), &change, &live, schema);
        crate::merge3::three_way(None, &change, &live, None);
        crate::diff::differences(&live, &change);
    });
}

#[test]
fn strategic() {
    run("fuzz::patches::strategic", |source| {
        let name = source.pick(&[POD, DEPLOYMENT]);
        let wrong = source.pick(&[0, 20, 4]);
        let (live, mut change) = (typed(source, name, wrong), typed(source, name, wrong));
        for _ in 0..source.below(4) {
            direct(source, &mut change);
        }
        let schema = Some((api::builtin::types(), name));
        let body = Body::Strategic(change.clone());
        if let Ok(patched) = patch::apply(&live, &body, schema) {
            assert!(patched.is_object());
            let _ = patch::apply(&patched, &body, schema);
            let whole = Value::Array(vec![live.clone(), change.clone()]).to_string();
            assert!(patched.to_string().len() <= 2 * whole.len() + 64, "{live}\n{change}");
        }
        let desired = typed(source, name, 0);
        let _ = crate::diff::equal_after_apply(&desired, &live, Some(&change), schema);
        crate::merge3::three_way(Some(&change), &desired, &live, schema);
    });
}

/// Puts a directive somewhere into a patch.
fn direct(source: &mut Source<'_>, change: &mut Value) {
    match change {
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            if !keys.is_empty() && !source.once_in(3) {
                let key = &keys[source.below(keys.len())];
                if let Some(inner) = map.get_mut(key) {
                    return direct(source, inner);
                }
            }
            let of = if keys.is_empty() { "a".to_owned() } else { keys[source.below(keys.len())].clone() };
            let directive = match source.below(5) {
                0 => "$patch".to_owned(),
                1 => "$retainKeys".to_owned(),
                2 => format!("$setElementOrder/{of}"),
                3 => format!("$deleteFromPrimitiveList/{of}"),
                _ => of,
            };
            let value = match source.below(4) {
                0 => json!(source.pick(&["delete", "replace", "merge", "odd"])),
                1 => json!([{"name": "a"}, {"name": "b"}, {"containerPort": 80}]),
                2 => json!(["a", "b"]),
                _ => shapes::any(source, 2),
            };
            map.insert(directive, value);
        }
        Value::Array(items) if !items.is_empty() => {
            let at = source.below(items.len());
            direct(source, &mut items[at]);
        }
        other => *other = shapes::any(source, 2),
    }
}
