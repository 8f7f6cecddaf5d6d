//! What counts as a difference when only owned fields are compared.

use serde_json::{Value, json};

use crate::fields::Set;
use crate::ownership::agrees;

fn check(what: &str, owned: Value, config: Value, live: Value, expect: bool) {
    let owned = Set::from_wire(&owned).expect("the set is readable");
    assert_eq!(agrees(&owned, &config, &live), expect, "{what}");
}

#[test]
fn owned_fields_are_compared_and_no_others() {
    let owned = || json!({"f:metadata": {"f:labels": {"f:a": {}}}, "f:data": {"f:x": {}}});
    let config = || json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n", "labels": {"a": "1"}}, "data": {"x": "1"}});
    let mut live = config();
    live["metadata"]["uid"] = json!("u");
    live["data"]["y"] = json!("of another");
    check("as applied, and more by others", owned(), config(), live.clone(), true);
    let mut other = live.clone();
    other["data"]["x"] = json!("2");
    check("another value", owned(), config(), other, false);
    let mut gone = live.clone();
    gone["data"].as_object_mut().expect("data").remove("x");
    check("a field that is gone", owned(), config(), gone, false);
    let mut more = config();
    more["data"]["y"] = json!("of another");
    check("stated anew, though it has the value", owned(), more, live.clone(), false);
    let mut less = config();
    less["data"] = json!({});
    check("stated no more", owned(), less, live, false);
}

#[test]
fn a_field_that_was_taken_differs() {
    let owned = json!({"f:spec": {"f:paused": {}}});
    let object = || json!({"spec": {"replicas": 2, "paused": true}});
    check("replicas are another's", owned, object(), object(), false);
}

#[test]
fn items_are_told_apart_by_the_keys_that_are_owned() {
    let owned = || {
        json!({"f:ports": {
            "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}},
            "k:{\"port\":81,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
        }})
    };
    let config = || json!({"ports": [{"port": 80, "name": "a"}, {"port": 81}]});
    let live = json!({"ports": [
        {"port": 81, "protocol": "TCP"},
        {"port": 90, "protocol": "UDP"},
        {"port": 80, "protocol": "TCP", "name": "a", "nodePort": 3},
    ]});
    check("in another order, with defaults, beside another's", owned(), config(), live.clone(), true);
    check(
        "one that is not owned",
        owned(),
        json!({"ports": [{"port": 80, "name": "a"}, {"port": 81}, {"port": 90, "protocol": "UDP"}]}),
        live.clone(),
        false,
    );
    check("one that is stated no more", owned(), json!({"ports": [{"port": 80, "name": "a"}]}), live.clone(), false);
    check(
        "one that is gone",
        owned(),
        config(),
        json!({"ports": [{"port": 80, "protocol": "TCP", "name": "a"}]}),
        false,
    );
    let sets = || json!({"f:set": {"v:\"a\"": {}, "v:\"b\"": {}}});
    check("a set", sets(), json!({"set": ["b", "a"]}), json!({"set": ["a", "b", "c"]}), true);
    check("a set that lost one", sets(), json!({"set": ["b", "a"]}), json!({"set": ["a", "c"]}), false);
}

#[test]
fn what_the_server_fills_in_is_no_difference() {
    let owned = || json!({"f:claims": {}, "f:args": {}});
    let config =
        |size: &str| json!({"claims": [{"metadata": {"name": "d"}, "spec": {"size": size}}], "args": [], "empty": {}});
    let live =
        || json!({"claims": [{"metadata": {"name": "d"}, "spec": {"size": "1", "mode": "Filesystem"}, "status": {}}]});
    check("inside a list that is one thing", owned(), config("1"), live(), true);
    check("another value inside", owned(), config("2"), live(), false);
    let two = json!({"claims": [{"metadata": {"name": "d"}, "spec": {"size": "1"}}, {}], "args": []});
    check("another length", owned(), two, live(), false);
    check("numbers by their size", json!({"f:n": {}}), json!({"n": 1}), json!({"n": 1.0}), true);
}

#[test]
fn a_default_of_one_item_is_not_the_key_of_another() {
    let owned = json!({"f:ports": {
        "k:{\"port\":53,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}},
        "k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}, "f:port": {}, "f:name": {}, "f:protocol": {}},
    }});
    let live = || {
        json!({"ports": [
            {"port": 53, "protocol": "TCP", "name": "dns-tcp"},
            {"port": 53, "protocol": "UDP", "name": "dns"},
        ]})
    };
    let (tcp, udp) =
        (|| json!({"port": 53, "name": "dns-tcp"}), || json!({"port": 53, "name": "dns", "protocol": "UDP"}));
    check("the default first", owned.clone(), json!({"ports": [tcp(), udp()]}), live(), true);
    check("the default last", owned.clone(), json!({"ports": [udp(), tcp()]}), live(), true);
    check("one of them gone", owned.clone(), json!({"ports": [tcp()]}), live(), false);
    check("the other gone", owned, json!({"ports": [udp()]}), live(), false);
}

#[test]
fn a_false_that_the_server_leaves_out_is_no_difference() {
    let owned = || json!({"f:spec": {"f:paused": {}, "f:port": {}}});
    let config = || json!({"spec": {"paused": false, "port": 1}});
    check("left out", owned(), config(), json!({"spec": {"port": 1}}), true);
    check("kept", owned(), config(), json!({"spec": {"paused": false, "port": 1}}), true);
    let others = json!({"f:spec": {"f:port": {}}});
    check("another answered", others, config(), json!({"spec": {"paused": true, "port": 1}}), false);
    check("stated before", owned(), config(), json!({"spec": {"paused": true, "port": 1}}), false);
}
