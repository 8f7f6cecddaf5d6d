//! Taking fields out, and sets that were written under another schema.

use serde_json::{Value, json};

use super::schema::node;
use crate::fields::Set;
use crate::structured::{ensure_named_fields, extract, reconcile, remove};

fn set(fields: &Value) -> Set {
    Set::from_wire(&json!({"f:spec": fields})).expect("the set is readable")
}

#[test]
fn fields_are_taken_out() {
    let check = |spec: Value, fields: Value, expect: Value| {
        let left = remove(node(), &json!({"spec": spec}), &set(&fields));
        assert_eq!(left["spec"], expect, "{fields}");
    };
    check(json!({"text": "a", "number": 1}), json!({"f:text": {}}), json!({"number": 1}));
    check(json!({"map": {"a": "1"}}), json!({"f:map": {"f:a": {}}}), json!({"map": {}}));
    check(json!({"map": {"a": "1"}}), json!({"f:map": {}}), json!({}));
    check(json!({"set": ["a", "b"]}), json!({"f:set": {"v:\"a\"": {}}}), json!({"set": ["b"]}));
    check(json!({"set": ["a"]}), json!({"f:set": {"v:\"a\"": {}}}), json!({"set": []}));
    check(
        json!({"keyed": [{"name": "a", "value": "1"}, {"name": "b"}]}),
        json!({"f:keyed": {"k:{\"name\":\"a\"}": {"f:value": {}}, "k:{\"name\":\"b\"}": {}}}),
        json!({"keyed": [{"name": "a"}]}),
    );
    check(json!({"text": "a"}), json!({"f:number": {}}), json!({"text": "a"}));
}

#[test]
fn fields_are_taken_alone() {
    let check = |spec: Value, fields: Value, expect: Value| {
        let taken = extract(node(), &json!({"spec": spec}), &set(&fields));
        assert_eq!(taken.unwrap_or_default().get("spec").cloned().unwrap_or_default(), expect, "{fields}");
    };
    check(json!({"text": "a", "number": 1}), json!({"f:text": {}}), json!({"text": "a"}));
    check(json!({"map": {"a": "1", "b": "2"}}), json!({"f:map": {"f:a": {}}}), json!({"map": {"a": "1"}}));
    check(
        json!({"keyed": [{"name": "a", "value": "1"}, {"name": "b"}]}),
        json!({"f:keyed": {"k:{\"name\":\"a\"}": {"f:value": {}}}}),
        json!({"keyed": [{"name": "a", "value": "1"}]}),
    );
    check(json!({"set": ["a", "b"]}), json!({"f:set": {"v:\"b\"": {}}}), json!({"set": ["b"]}));
    check(json!({"text": "a"}), json!({"f:number": {}}), Value::Null);
}

#[test]
fn named_fields_on_the_way_become_members() {
    let found = ensure_named_fields(
        node(),
        &set(
            &json!({"f:struct": {"f:p": {}}, "f:map": {"f:a": {}}, "f:keyed": {"k:{\"name\":\"a\"}": {"f:value": {}}}}),
        ),
    );
    let expect = json!({"f:spec": {
        ".": {},
        "f:struct": {".": {}, "f:p": {}},
        "f:map": {".": {}, "f:a": {}},
        "f:keyed": {".": {}, "k:{\"name\":\"a\"}": {"f:value": {}}},
    }});
    assert_eq!(found.to_wire(), expect);
}

#[test]
fn what_became_one_thing_is_owned_as_one_thing() {
    let check = |fields: Value, expect: Option<Value>| {
        let found = reconcile(node(), &set(&fields)).map(|set| set.to_wire()["f:spec"].clone());
        assert_eq!(found, expect, "{fields}");
    };
    check(json!({"f:text": {}, "f:map": {"f:a": {}}, "f:set": {"v:1": {}}}), None);
    check(json!({"f:atomicMap": {}}), None);
    check(json!({"f:atomicMap": {"f:a": {}}, "f:text": {}}), Some(json!({"f:atomicMap": {}, "f:text": {}})));
    check(json!({"f:atomicStruct": {".": {}, "f:p": {}}}), Some(json!({"f:atomicStruct": {}})));
    check(json!({"f:atomicList": {"i:0": {"f:a": {}}}}), Some(json!({"f:atomicList": {}})));
    // The other way nothing is to be done, and of what no schema knows nothing is said.
    check(json!({"f:set": {}, "f:struct": {}, "f:any": {"f:x": {"f:y": {}}}, "f:gone": {"f:x": {}}}), None);
}
