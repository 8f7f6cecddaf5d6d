//! What an object states, and what changed in it, as fields.

use serde_json::{Value, json};

use super::schema::node;
use crate::structured::{compare, contents};

fn states(spec: Value, expect: Value) {
    let found = contents(node(), &json!({"spec": spec})).to_wire();
    assert_eq!(found["f:spec"], expect, "{spec}");
}

#[test]
fn every_leaf_item_and_entry_is_stated() {
    states(json!({"text": "a", "number": 1}), json!({"f:text": {}, "f:number": {}}));
    states(json!({"map": {"a": "1"}}), json!({"f:map": {"f:a": {}}}));
    states(json!({"map": {}}), json!({"f:map": {}}));
    states(json!({"atomicMap": {"a": "1"}}), json!({"f:atomicMap": {}}));
    states(json!({"struct": {"p": "1", "deep": {"r": "2"}}}), json!({"f:struct": {"f:p": {}, "f:deep": {"f:r": {}}}}));
    states(json!({"set": ["a", "b"]}), json!({"f:set": {"v:\"a\"": {}, "v:\"b\"": {}}}));
    states(
        json!({"keyed": [{"name": "a", "inner": {"x": 1}}]}),
        json!({"f:keyed": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:inner": {"f:x": {}}}}}),
    );
    states(
        json!({"ports": [{"port": 1}]}),
        json!({"f:ports": {"k:{\"port\":1,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}),
    );
    states(json!({"atomicList": [{"a": "1"}]}), json!({"f:atomicList": {}}));
    states(json!({"any": {"a": [1], "b": {"c": 2}}}), json!({"f:any": {"f:a": {}, "f:b": {".": {}, "f:c": {}}}}));
    states(json!({"text": null}), json!({"f:text": {}}));
    states(json!({"set": ["a", "a", "b"]}), json!({"f:set": {"v:\"a\"": {}, "v:\"b\"": {}}}));
}

/// `expect` are the removed, the modified and the added fields.
fn changes(old: Value, new: Value, expect: [Value; 3]) {
    let found = compare(node(), &json!({"spec": old}), &json!({"spec": new})).expect("both fit the schema");
    let wire = |set: &crate::fields::Set| set.to_wire().get("f:spec").cloned().unwrap_or(json!({}));
    assert_eq!([wire(&found.removed), wire(&found.modified), wire(&found.added)], expect, "{old} to {new}");
}

#[test]
fn changes_are_told_apart() {
    let none = || json!({});
    changes(json!({"text": "a"}), json!({"text": "a"}), [none(), none(), none()]);
    changes(json!({"text": "a"}), json!({"text": "b"}), [none(), json!({"f:text": {}}), none()]);
    changes(json!({"text": "a"}), json!({"number": 1}), [json!({"f:text": {}}), none(), json!({"f:number": {}})]);
    changes(json!({"number": 1}), json!({"number": 1.0}), [none(), none(), none()]);
    changes(json!({}), json!({"map": {"a": "1"}}), [none(), none(), json!({"f:map": {".": {}, "f:a": {}}})]);
    changes(
        json!({"map": {"a": "1"}}),
        json!({"map": {"b": "1"}}),
        [json!({"f:map": {"f:a": {}}}), none(), json!({"f:map": {"f:b": {}}})],
    );
    changes(
        json!({"atomicMap": {"a": "1"}}),
        json!({"atomicMap": {"b": "1"}}),
        [none(), json!({"f:atomicMap": {}}), none()],
    );
    changes(
        json!({"set": ["a", "b"]}),
        json!({"set": ["b", "c"]}),
        [json!({"f:set": {"v:\"a\"": {}}}), none(), json!({"f:set": {"v:\"c\"": {}}})],
    );
    changes(json!({"set": ["a", "b"]}), json!({"set": ["b", "a"]}), [none(), none(), none()]);
    changes(
        json!({"keyed": [{"name": "a", "value": "1"}]}),
        json!({"keyed": [{"name": "b"}, {"name": "a", "value": "2"}]}),
        [
            none(),
            json!({"f:keyed": {"k:{\"name\":\"a\"}": {"f:value": {}}}}),
            json!({"f:keyed": {"k:{\"name\":\"b\"}": {".": {}, "f:name": {}}}}),
        ],
    );
    changes(json!({"any": 1}), json!({"any": {"a": 1}}), [none(), json!({"f:any": {}}), json!({"f:any": {"f:a": {}}})]);
    changes(
        json!({"any": {"a": 1}}),
        json!({"any": [1]}),
        [json!({"f:any": {"f:a": {}}}), json!({"f:any": {}}), none()],
    );
}

#[test]
fn duplicates_count_as_one_thing() {
    let none = || json!({});
    let one = json!({"f:set": {"v:\"a\"": {}}});
    changes(json!({"set": ["a", "a"]}), json!({"set": ["a", "a"]}), [none(), none(), none()]);
    changes(json!({"set": ["a", "a"]}), json!({"set": ["a", "a", "a"]}), [none(), one.clone(), none()]);
    changes(json!({"set": ["a", "a"]}), json!({"set": []}), [one.clone(), none(), none()]);
    changes(json!({"set": []}), json!({"set": ["a", "a"]}), [none(), none(), one]);
}
