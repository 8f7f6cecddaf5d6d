//! What lies on top of what.

use serde_json::{Value, json};

use super::schema::node;
use crate::structured::{Duplicates, merge, validate};

fn check(what: &str, live: Value, applied: Value, expect: Value) {
    let merged = merge(node(), &json!({"spec": live}), &json!({"spec": applied})).expect("both fit the schema");
    assert_eq!(merged["spec"], expect, "{what}");
}

#[test]
fn scalars_maps_and_objects() {
    check("a scalar", json!({"text": "a", "number": 1}), json!({"text": "b"}), json!({"text": "b", "number": 1}));
    check(
        "a map by entry",
        json!({"map": {"a": "1", "b": "2"}}),
        json!({"map": {"b": "3", "c": "4"}}),
        json!({"map": {"a": "1", "b": "3", "c": "4"}}),
    );
    check(
        "an atomic map whole",
        json!({"atomicMap": {"a": "1"}}),
        json!({"atomicMap": {"b": "2"}}),
        json!({"atomicMap": {"b": "2"}}),
    );
    check(
        "an object by field",
        json!({"struct": {"p": "1", "deep": {"r": "2"}}}),
        json!({"struct": {"deep": {}, "q": "3"}}),
        json!({"struct": {"p": "1", "q": "3", "deep": {"r": "2"}}}),
    );
    check(
        "an atomic object whole",
        json!({"atomicStruct": {"p": "1"}}),
        json!({"atomicStruct": {"q": "2"}}),
        json!({"atomicStruct": {"q": "2"}}),
    );
    check("an empty map over one", json!({"map": {"a": "1"}}), json!({"map": {}}), json!({"map": {"a": "1"}}));
    check("a null over text", json!({"text": "a"}), json!({"text": null}), json!({"text": null}));
}

#[test]
fn lists() {
    check(
        "an atomic list whole",
        json!({"atomicList": [{"a": "1"}]}),
        json!({"atomicList": [{"a": "2"}]}),
        json!({"atomicList": [{"a": "2"}]}),
    );
    check(
        "items by key",
        json!({"keyed": [{"name": "a", "value": "1"}]}),
        json!({"keyed": [{"name": "a", "inner": {"x": 1}}, {"name": "b"}]}),
        json!({"keyed": [{"name": "a", "value": "1", "inner": {"x": 1}}, {"name": "b"}]}),
    );
    check(
        "a default is part of the key",
        json!({"ports": [{"port": 1, "protocol": "TCP", "note": "a"}]}),
        json!({"ports": [{"port": 1, "note": "b"}, {"port": 1, "protocol": "UDP"}]}),
        json!({"ports": [{"port": 1, "protocol": "TCP", "note": "b"}, {"port": 1, "protocol": "UDP"}]}),
    );
    check("an empty list over one", json!({"set": ["a"]}), json!({"set": []}), json!({"set": ["a"]}));
    check("two empty ones", json!({"set": []}), json!({"set": []}), json!({"set": []}));
}

#[test]
fn the_order_of_items() {
    let sets = |what: &str, live: &[&str], applied: &[&str], expect: &[&str]| {
        check(what, json!({"set": live}), json!({"set": applied}), json!({"set": expect}));
    };
    sets("new ones come last", &["a", "b"], &["c"], &["a", "b", "c"]);
    sets("nothing new, nothing moves", &["a", "b", "c"], &["a", "c"], &["a", "b", "c"]);
    sets("those that both have come as applied", &["a", "b", "c"], &["c", "a"], &["b", "c", "a"]);
    sets(
        "and others keep their place between them",
        &["1", "a", "2", "b", "3"],
        &["b", "a"],
        &["1", "2", "b", "3", "a"],
    );
    sets("new ones come before what follows", &["a", "z"], &["a", "m", "z"], &["a", "m", "z"]);
}

#[test]
fn where_nothing_is_known() {
    check(
        "maps merge",
        json!({"any": {"a": {"b": 1}}}),
        json!({"any": {"a": {"c": 2}}}),
        json!({"any": {"a": {"b": 1, "c": 2}}}),
    );
    check("lists do not", json!({"any": {"a": [1, 2]}}), json!({"any": {"a": [3]}}), json!({"any": {"a": [3]}}));
    check("another form", json!({"any": {"a": 1}}), json!({"any": "text"}), json!({"any": "text"}));
    check(
        "unknown fields beside known ones",
        json!({"open": {"known": "a", "x": {"y": 1}}}),
        json!({"open": {"x": {"z": 2}}}),
        json!({"open": {"known": "a", "x": {"y": 1, "z": 2}}}),
    );
    check("a number over text", json!({"intOrString": "50%"}), json!({"intOrString": 3}), json!({"intOrString": 3}));
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |spec: Value, expect: &str| {
        let error = validate(node(), &json!({"spec": spec}), Duplicates::Refused).expect_err("it does not fit");
        assert_eq!(error.to_string(), expect);
    };
    refused(json!({"text": 1}), ".spec.text: expected string, got &value.valueUnstructured{Value:1}");
    refused(json!({"number": "1"}), ".spec.number: expected numeric (int or float), got string");
    refused(json!({"map": []}), ".spec.map: expected map, got &{[]}");
    refused(json!({"set": {}}), ".spec.set: expected list, got &{map[]}");
    refused(json!({"nothing": 1}), ".spec.nothing: field not declared in schema");
    refused(json!({"set": ["a", "a"]}), r#".spec.set: duplicate entries for key [="a"]"#);
    refused(
        json!({"set": [null]}),
        ".spec.set: element 0: associative list without keys has an element that's an explicit null",
    );
    refused(
        json!({"keyed": [{"value": "1"}]}),
        r#".spec.keyed: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)"#,
    );
    refused(json!({"keyed": [1]}), ".spec.keyed: element 0: associative list with keys may not have non-map elements");
    refused(
        json!({"keyed": [{"name": "a", "value": 1}]}),
        r#".spec.keyed[name="a"].value: expected string, got &value.valueUnstructured{Value:1}"#,
    );
    refused(
        json!({"text": 1, "nothing": 2}),
        "errors:\n  .spec.nothing: field not declared in schema\n  .spec.text: expected string, got &value.valueUnstructured{Value:1}",
    );
    assert!(validate(node(), &json!({"spec": {"set": ["a", "a"]}}), Duplicates::Allowed).is_ok());
}
