//! Tables of patches, and the laws that every patch format keeps.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::any_json;

mod directives;
mod operations;

fn check_json(live: Value, patch: Value, expect: Result<Value, &str>) {
    let got = apply(&live, &Body::Json(patch.clone()), None).map_err(|error| error.to_string());
    assert_eq!(got, expect.map_err(str::to_owned), "{patch}");
}

#[test]
fn json_patches() {
    let live = json!({"a": {"b": [1, 2]}, "c": "d"});
    check_json(
        live.clone(),
        json!([{"op": "add", "path": "/a/b/-", "value": 3}]),
        Ok(json!({"a": {"b": [1, 2, 3]}, "c": "d"})),
    );
    check_json(
        live.clone(),
        json!([{"op": "replace", "path": "/c", "value": null}]),
        Ok(json!({"a": {"b": [1, 2]}, "c": null})),
    );
    check_json(
        live.clone(),
        json!([{"op": "test", "path": "/c", "value": "x"}, {"op": "remove", "path": "/a"}]),
        Err("testing value /c failed: test failed"),
    );
    check_json(
        live.clone(),
        json!([{"op": "remove", "path": "/x"}]),
        Err("error in remove for path: '/x': Unable to remove nonexistent key: x: missing value"),
    );
    check_json(
        live.clone(),
        json!([{"op": "move", "from": "/x", "path": "/y"}]),
        Err("error in move for path: 'x': Unable to remove nonexistent key: x: missing value"),
    );
    check_json(
        live.clone(),
        json!([{"op": "copy", "from": "/c", "path": "/e"}]),
        Ok(json!({"a": {"b": [1, 2]}, "c": "d", "e": "d"})),
    );
    let many: Vec<Value> = (0..10_001).map(|_| json!({"op": "test", "path": "/c", "value": "d"})).collect();
    assert_eq!(apply(&live, &Body::Json(many.into()), None), Err(Error::TooLarge { limit: 10_000, got: 10_001 }));
    assert!(matches!(apply(&live, &Body::Json(json!({})), None), Err(Error::BadRequest(_))));
    assert!(matches!(
        apply(&live, &Body::Json(json!([{"op": "replace", "path": "", "value": 1}])), None),
        Err(Error::Refused(_))
    ));
}

#[test]
fn copies_cannot_grow_or_nest_an_object_without_end() {
    let live = json!({"a": "x".repeat(100_000)});
    let double: Vec<Value> =
        (0..64).map(|index| json!({"op": "copy", "from": "/a", "path": format!("/k{index}")})).collect();
    assert!(
        matches!(apply(&live, &Body::Json(double.into()), None), Err(Error::Refused(why)) if why.starts_with("Unable to complete the copy"))
    );
    let deep: Vec<Value> = (0..200).map(|_| json!({"op": "copy", "from": "/a", "path": "/a/b"})).collect();
    assert!(matches!(
        apply(&json!({"a": {}}), &Body::Json(deep.into()), None),
        Err(Error::BadRequest(_) | Error::Refused(_))
    ));
    let nested = (0..200).fold(json!(1), |inner, _| json!({"a": inner}));
    assert!(matches!(apply(&live, &Body::Merge(nested), None), Err(Error::BadRequest(_))));
}

const POD: &str = "io.k8s.api.core.v1.Pod";
const DEPLOYMENT: &str = "io.k8s.api.apps.v1.Deployment";

fn check_strategic(kind: &str, live: Value, patch: Value, expect: Result<Value, &str>) {
    let schema = Some((api::builtin::types(), kind));
    let got = apply(&live, &Body::Strategic(patch.clone()), schema).map_err(|error| error.to_string());
    assert_eq!(got, expect.map_err(str::to_owned), "{patch}");
}

fn containers(items: Value) -> Value {
    json!({"spec": {"containers": items}})
}

#[test]
fn many_operations_on_much_cost_little() {
    let live = json!({"a": vec![1; 400_000], "b": {"c": [[[[1]]]]}});
    let check = |operation: Value, expect: Result<(), &str>| {
        let patched = apply(&live, &Body::Json(vec![operation.clone(); 10_000].into()), None);
        let outcome = patched.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(outcome, expect.map_err(str::to_owned), "{operation}");
    };
    let too_many = Err("the patch moves more than 100000000 items of lists");
    check(json!({"op": "move", "from": "/a", "path": "/a"}), Ok(()));
    check(json!({"op": "move", "from": "/b/c", "path": "/b/c"}), Ok(()));
    check(json!({"op": "remove", "path": "/a/0"}), too_many);
    check(json!({"op": "add", "path": "/a/0", "value": 1}), too_many);
    check(json!({"op": "move", "from": "/a/0", "path": "/a/1"}), too_many);
    check(json!({"op": "add", "path": "/b/c/0", "value": 1}), Ok(()));
}

#[test]
fn strategic_patches_of_long_lists_cost_their_length() {
    let names: Vec<String> = (0..50_000).map(|at| format!("n{at}")).collect();
    let keyed =
        |directive: &str| -> Value { names.iter().map(|name| json!({"name": name, "$patch": directive})).collect() };
    let held: Value = names.iter().map(|name| json!({"name": name})).collect();
    let live = json!({"metadata": {"finalizers": names}, "spec": {"containers": held}});
    let check = |change: Value, left: usize| {
        let patched = apply(&live, &Body::Strategic(change), Some((api::builtin::types(), POD))).expect("a patch");
        let count = |pointer: &str| patched.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len);
        assert_eq!(count("/metadata/finalizers") + count("/spec/containers"), left);
    };
    check(json!({"metadata": {"$deleteFromPrimitiveList/finalizers": names}}), 50_000);
    check(json!({"spec": {"containers": keyed("delete")}}), 50_000);
    check(json!({"spec": {"$retainKeys": names}}), 50_000);
    check(json!({"metadata": {"$setElementOrder/finalizers": names}}), 100_000);
}

#[test]
fn strategic_lists_of_maps() {
    let live = || containers(json!([{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "2"}]));
    let check = |patch: Value, expect: Value| check_strategic(POD, live(), containers(patch), Ok(containers(expect)));
    check(
        json!([{"name": "b", "image": "3"}]),
        json!([{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "3"}]),
    );
    check(
        json!([{"name": "c", "image": "3"}]),
        // Without an order that the patch states, upstream puts what is new first.
        json!([{"name": "c", "image": "3"}, {"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "2"}]),
    );
    check(json!([{"name": "a", "$patch": "delete"}]), json!([{"name": "b", "image": "2"}]));
    check(json!([{"$patch": "replace"}, {"name": "z"}]), json!([{"name": "z"}]));
    check(json!([{"name": "a", "args": null}]), json!([{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]));
    // The item that says "replace" is no item, and what it replaces the list by is nothing.
    check(json!([{"name": "a", "$patch": "replace", "image": "9"}]), json!([]));
    check(
        json!([{"name": "a", "ports": [{"containerPort": 80, "name": null}], "$setElementOrder/ports": [{"containerPort": 80}]}]),
        json!([
            {"name": "a", "image": "1", "args": ["x"], "ports": [{"containerPort": 80, "name": null}]},
            {"name": "b", "image": "2"},
        ]),
    );
    check_strategic(
        POD,
        live(),
        containers(json!([{"image": "x"}])),
        Err("map: map[image:x] does not contain declared merge key: name"),
    );
    check_strategic(
        POD,
        live(),
        containers(json!(["x"])),
        Err("list element types are not identical: [[map[args:[x] image:1 name:a] map[image:2 name:b]] [x]]"),
    );
}

#[test]
fn strategic_element_order() {
    let live = containers(json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]));
    check_strategic(
        POD,
        live.clone(),
        json!({"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}], "containers": [{"name": "a", "image": "1"}]}}),
        Ok(containers(json!([{"name": "b"}, {"name": "c"}, {"name": "a", "image": "1"}]))),
    );
    check_strategic(
        POD,
        live.clone(),
        json!({"spec": {"$setElementOrder/containers": [{"name": "d"}, {"name": "a"}],
            "containers": [{"name": "d"}, {"name": "c", "$patch": "delete"}]}}),
        Ok(containers(json!([{"name": "d"}, {"name": "a"}, {"name": "b"}]))),
    );
    check_strategic(
        POD,
        live,
        json!({"spec": {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "x"}]}}),
        Err("The order in patch list:\n[map[name:x]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n"),
    );
}

#[test]
fn strategic_scalars_maps_and_directives() {
    let finalizers = |items: Value| json!({"metadata": {"finalizers": items}});
    check_strategic(
        POD,
        finalizers(json!(["a", "b"])),
        finalizers(json!(["c", "a"])),
        Ok(finalizers(json!(["c", "a", "b"]))),
    );
    check_strategic(
        POD,
        finalizers(json!(["a", "b"])),
        json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["c", "b"], "finalizers": ["c"]}}),
        Ok(finalizers(json!(["c", "b"]))),
    );
    // Without a merge strategy a list is replaced.
    check_strategic(
        POD,
        json!({"spec": {"tolerations": [1, 2]}}),
        json!({"spec": {"tolerations": [3]}}),
        Ok(json!({"spec": {"tolerations": [3]}})),
    );
    check_strategic(
        POD,
        json!({"spec": {"nodeSelector": {"a": "1", "b": "2"}}}),
        json!({"spec": {"nodeSelector": {"$patch": "replace", "c": "3"}}}),
        Ok(json!({"spec": {"nodeSelector": {"c": "3"}}})),
    );
    check_strategic(
        POD,
        json!({"spec": {"nodeSelector": {"a": "1"}}}),
        json!({"spec": {"nodeSelector": {"$patch": "delete"}}}),
        Ok(json!({"spec": {"nodeSelector": {}}})),
    );
    check_strategic(
        DEPLOYMENT,
        json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
        json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        Ok(json!({"spec": {"strategy": {"type": "Recreate"}}})),
    );
    check_strategic(
        DEPLOYMENT,
        json!({"spec": {"strategy": {}}}),
        json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}}),
        Err("invalid patch format of retainKeys"),
    );
    check_strategic(
        POD,
        json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}),
        json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}]}}),
        Ok(json!({"spec": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}})),
    );
    check_strategic(
        POD,
        json!({}),
        json!({"$patch": "frob"}),
        Err("unknown patch type: frob in map: map[$patch:frob]"),
    );
}

#[test]
fn strategic_without_a_schema_merges_maps_and_replaces_lists() {
    let live = json!({"a": {"b": 1, "c": [1, 2]}});
    let got = apply(&live, &Body::Strategic(json!({"a": {"c": [3], "d": {"e": null}}})), None);
    assert_eq!(got, Ok(json!({"a": {"b": 1, "c": [3], "d": {}}})));
}

#[test]
fn merge_diffs_describe_the_way() {
    let (from, to) = (json!({"a": 1, "b": {"c": 1, "d": 2}, "l": [1]}), json!({"b": {"c": 2}, "l": [1, 2], "n": {}}));
    let patch = merge_diff(&from, &to);
    assert_eq!(patch, json!({"a": null, "b": {"c": 2, "d": null}, "l": [1, 2], "n": {}}));
    assert_eq!(apply(&from, &Body::Merge(patch), None), Ok(to));
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn merging_twice_is_merging_once(live in any_json(), patch in any_json()) {
        let mut once = live.clone();
        merge(&mut once, &patch);
        let mut twice = once.clone();
        merge(&mut twice, &patch);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn a_merge_diff_leads_to_its_target(from in any_json(), to in any_json()) {
        let to = without_nulls(&to);
        let mut target = without_nulls(&from);
        let patch = merge_diff(&target, &to);
        merge(&mut target, &patch);
        prop_assert_eq!(target, to);
    }

    #[test]
    fn a_strategic_patch_without_directives_is_idempotent(live in any_json(), patch in any_json()) {
        let schema = Some((api::builtin::types(), POD));
        let body = Body::Strategic(patch);
        // What is new to an object keeps its nulls until it is decoded, and unknown fields only
        // come to light where there is something to merge with.
        if let Ok(once) = apply(&live, &body, schema)
            && let Ok(twice) = apply(&without_nulls(&once), &body, schema)
        {
            prop_assert_eq!(without_nulls(&twice), without_nulls(&once));
        }
    }

    #[test]
    fn json_patches_never_panic(live in any_json(), path in "(/[a-c0-9-]{0,3}){0,3}", from in "(/[a-c0-9~]{0,3}){0,2}", value in any_json()) {
        for operation in ["add", "remove", "replace", "move", "copy", "test"] {
            let body = Body::Json(json!([{"op": operation, "path": path, "from": from, "value": value}]));
            let _ = apply(&live, &body, None);
        }
    }
}
