//! Sets of fields, structured merges, and sequences of applies and updates by several
//! managers.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::shapes::{self, KEYS};
use super::{Source, run};
use crate::fields::{Element, Set};
use crate::ownership::{Applied, ApplyError, Managers, Versions, Writer, apply, update};
use crate::structural::Schema;
use crate::structured::{self, Duplicates, Node};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let keyed = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
        "items": {"type": "object", "required": ["k"], "properties": {"k": text, "a": text,
            "b": {"type": "array", "items": text, "x-kubernetes-list-type": "set"}}}});
    json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "a": text,
        "b": {"type": "integer"},
        "c": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
        "k": keyed,
        "name": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a", "b"],
            "items": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"},
                "b": {"type": "string", "default": "TCP"}, "c": keyed}}},
        "spec": {"type": "object", "additionalProperties": text},
        "metadata": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": text, "b": text}},
        "labels": {"x-kubernetes-preserve-unknown-fields": true},
        "containers": {"x-kubernetes-int-or-string": true},
        "ports": {"type": "array", "items": {"type": "object", "properties": {"a": text}}},
        "volumes": {"type": "object", "nullable": true, "properties": {"a": text, "b": {"type": "object", "properties": {"c": text}}}},
    }}, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}})
});

static COMPILED: LazyLock<Schema> = LazyLock::new(|| Schema::compile(&SCHEMA, "s").expect("the schema is valid"));

struct One;

impl Versions for One {
    fn node(&self, api_version: &str) -> Option<Node<'_>> {
        match api_version {
            "v1" => Some(Node::of_schema(&COMPILED)),
            "v2" => Some(Node::deduced()),
            _ => None,
        }
    }

    fn convert(&self, _object: &Value, _from: &str, _to: &str) -> Option<Value> {
        None
    }
}

fn object(source: &mut Source<'_>) -> Value {
    let mut object = shapes::fitting(source, &SCHEMA, 7);
    if !object.is_object() {
        object = json!({});
    }
    object["kind"] = json!("Thing");
    object
}

fn node() -> Node<'static> {
    Node::of_schema(&COMPILED)
}

#[test]
fn sets() {
    run("fuzz::ownership::sets", |source| {
        let wire = if source.once_in(6) { shapes::any(source, 5) } else { shapes::fields(source, 4) };
        let other = shapes::fields(source, 4);
        let (Ok(a), Ok(b)) = (Set::from_wire(&wire), Set::from_wire(&other)) else { return };
        let written = a.to_wire();
        assert_eq!(Set::from_wire(&written).expect("we wrote it"), a);
        assert_eq!(Set::from_wire(&written).expect("we wrote it").to_wire(), written);
        let (union, both, left) = (a.union(&b), a.intersection(&b), a.difference(&b));
        assert_eq!(union, b.union(&a));
        assert_eq!(both, b.intersection(&a));
        assert_eq!(left.union(&both), a);
        assert_eq!(union.len() + both.len(), a.len() + b.len());
        assert!(a.difference(&a).is_empty());
        for (path, text) in a.paths() {
            assert!(union.has(&path) && both.has(&path) == b.has(&path), "{text}");
        }
        if let Some(set) = structured::reconcile(node(), &a) {
            assert!(structured::reconcile(node(), &set).is_none_or(|again| again == set));
        }
        let named = structured::ensure_named_fields(node(), &a);
        assert_eq!(structured::ensure_named_fields(node(), &named), named);
    });
}

#[test]
fn managed_fields() {
    run("fuzz::ownership::managed_fields", |source| {
        let entries: Vec<Value> = (0..source.below(5))
            .map(|_| {
                let mut entry = json!({"manager": source.pick(&KEYS[..4]), "operation": source.pick(&["Apply", "Update"]),
                    "apiVersion": source.pick(&["v1", "v2", "v3"]), "fieldsType": "FieldsV1",
                    "fieldsV1": shapes::fields(source, 3), "time": "2026-01-01T00:00:00Z"});
                if source.once_in(10) {
                    entry[source.pick(&["manager", "operation", "fieldsV1", "time", "subresource"])] = shapes::any(source, 2);
                }
                entry
            })
            .collect();
        let Ok(read) = Managers::read(Some(&Value::Array(entries))) else { return };
        let written = read.write();
        let again = Managers::read(written.as_ref()).expect("we wrote it");
        assert!(again.same_but_for_times(&read));
        assert_eq!(again.write(), written);
    });
}

#[test]
fn structure() {
    run("fuzz::ownership::structure", |source| {
        let wild = source.once_in(3);
        let mut next = || if wild { shapes::any(source, 5) } else { object(source) };
        let (a, b) = (next(), next());
        for node in [node(), Node::deduced(), Node::of_type(api::builtin::types(), "io.k8s.api.core.v1.Pod")] {
            let fits = |value: &Value| structured::validate(node, value, Duplicates::Refused).is_ok();
            let _ = structured::compare(node, &a, &b);
            let fields = structured::contents(node, &b);
            structured::remove(node, &a, &fields);
            structured::extract(node, &a, &fields);
            let Ok(merged) = structured::merge(node, &a, &b) else { continue };
            let _ = structured::merge(node, &merged, &b);
            if !fits(&a) || !fits(&b) {
                continue;
            }
            assert_eq!(structured::merge(node, &merged, &b).expect("both fit"), merged, "{a}\n{b}");
            let same = structured::compare(node, &a, &a).expect("it fits");
            assert!(same.is_same(), "{a}");
            let there = structured::compare(node, &a, &b).expect("both fit");
            let back = structured::compare(node, &b, &a).expect("both fit");
            assert_eq!((&there.added, &there.removed), (&back.removed, &back.added), "{a}\n{b}");
            assert!(structured::remove(node, &a, &Set::new()) == a);
            structured::validate(node, &merged, Duplicates::Refused).expect("two that fit merge to one that fits");
        }
    });
}

/// Whether a path leads to something. A key that an item does not state has its default.
fn is_there(value: &Value, path: &[Element]) -> bool {
    let Some((step, rest)) = path.split_first() else { return true };
    let items = value.as_array().into_iter().flatten();
    match step {
        Element::Field(name) => value.get(&**name).is_some_and(|value| is_there(value, rest)),
        Element::Value(wanted) => items.into_iter().any(|item| crate::fields::same(item, wanted)),
        Element::Key(keys) => items.into_iter().any(|item| {
            let has = |(key, wanted): &(Box<str>, Value)| match item.get(&**key) {
                Some(held) => crate::fields::same(held, wanted),
                None => *wanted == json!("TCP"),
            };
            keys.iter().all(has) && is_there(item, rest)
        }),
        Element::Index(index) => usize::try_from(*index).is_ok_and(|index| value.get(index).is_some()),
    }
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(map) => map.values().any(holds_null),
        _ => false,
    }
}

#[test]
fn managers() {
    run("fuzz::ownership::managers", |source| {
        let empty = json!({"kind": "Thing"});
        let (mut live, mut managers, ignored) = (empty.clone(), Managers::default(), Set::new());
        for second in 0..1 + source.below(7) {
            let now = format!("2026-01-01T00:00:{second:02}Z");
            let writer = Writer {
                manager: source.pick(&["one", "two", "three", "kubectl"]),
                subresource: source.pick(&["", "", "", "status"]),
                api_version: if source.once_in(8) { "v2" } else { "v1" },
                now: &now,
                ignored: &ignored,
                versions: &One,
            };
            let wanted = object(source);
            if source.once_in(3) {
                if structured::validate(node(), &wanted, Duplicates::Allowed).is_err() {
                    continue;
                }
                if let Ok(updated) = update(&writer, &live, &wanted, managers.clone()) {
                    (live, managers) = (wanted, updated);
                }
            } else {
                let force = source.once_in(2);
                match apply(&writer, &empty, &live, &wanted, managers.clone(), force) {
                    Ok(Applied { object, managers: after }) => {
                        (live, managers) = (object.unwrap_or(live), after);
                        if holds_null(&wanted) || holds_null(&live) {
                            // What becomes of nulls is decided after the merge.
                            return;
                        }
                        // What is applied twice changes nothing.
                        let again = apply(&writer, &empty, &live, &wanted, managers.clone(), force)
                            .unwrap_or_else(|error| panic!("refused the second time: {error:?}\n{wanted}\n{live}"));
                        assert_eq!(again.object, None, "applied {wanted} to {live}");
                        assert!(again.managers.same_but_for_times(&managers), "applied {wanted} to {live}");
                    }
                    Err(ApplyError::Conflicts(conflicts)) => assert!(!force && !conflicts.0.is_empty()),
                    Err(ApplyError::Patch(error) | ApplyError::Live(error)) => assert!(!error.to_string().is_empty()),
                }
            }
            let read = Managers::read(managers.write().as_ref()).expect("we wrote it");
            assert!(read.same_but_for_times(&managers));
            for manager in managers.iter() {
                for (path, text) in manager.fields.paths() {
                    assert!(is_there(&live, &path), "{} owns {text}, which is not in {live}", manager.name);
                }
            }
        }
    });
}
