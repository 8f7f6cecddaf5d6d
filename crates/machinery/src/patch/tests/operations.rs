//! JSON patches at their edges: paths that lead nowhere, indexes, escapes, fields that are
//! missing. Whether a patch applies was asked of kube-apiserver 1.36.

use serde_json::{Value, json};

use super::super::{Body, Error, apply};

fn live() -> Value {
    json!({"a": {"b": [1, 2], "n": null}, "c": "d", "x/y": 1, "p~q": 2})
}

/// What becomes of [`live`], or of its fields that a case names.
fn check(operations: Value, expect: Result<Value, &str>) {
    let got = apply(&live(), &Body::Json(operations.clone()), None).map_err(|error| error.to_string());
    match (got, expect) {
        (Ok(got), Ok(expect)) => {
            for (field, value) in expect.as_object().into_iter().flatten() {
                assert_eq!(got.get(field).unwrap_or(&Value::Null), value, "{operations}: {field} of {got}");
            }
        }
        (got, expect) => assert_eq!(got, expect.map_err(str::to_owned), "{operations}"),
    }
}

#[test]
fn places_in_lists() {
    let list = |items: Value| Ok(json!({"a": {"b": items, "n": null}}));
    for (path, expect) in [
        ("/a/b/-", list(json!([1, 2, 9]))),
        ("/a/b/0", list(json!([9, 1, 2]))),
        ("/a/b/2", list(json!([1, 2, 9]))),
        ("/a/b/01", list(json!([1, 9, 2]))),
        ("/a/b/-1", list(json!([1, 2, 9]))),
        ("/a/b/-3", list(json!([9, 1, 2]))),
        ("/a/b/3", Err("error in add for path: '/a/b/3': Unable to access invalid index: 3: invalid index referenced")),
        (
            "/a/b/-4",
            Err("error in add for path: '/a/b/-4': Unable to access invalid index: -4: invalid index referenced"),
        ),
        (
            "/a/b/x",
            Err(
                "error in add for path: '/a/b/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax",
            ),
        ),
    ] {
        check(json!([{"op": "add", "path": path, "value": 9}]), expect);
    }
    let out_of_range = "error in remove for path: '/a/b/99999999999999999999': strconv.Atoi: parsing \"99999999999999999999\": value out of range";
    check(json!([{"op": "remove", "path": "/a/b/99999999999999999999"}]), Err(out_of_range));
    check(json!([{"op": "remove", "path": "/a/b/-1"}]), list(json!([1])));
    let dash = "error in remove for path: '/a/b/-': strconv.Atoi: parsing \"-\": invalid syntax";
    check(json!([{"op": "remove", "path": "/a/b/-"}]), Err(dash));
    check(json!([{"op": "replace", "path": "/a/b/1", "value": 9}]), list(json!([1, 9])));
    let missing = "replace operation does not apply: doc is missing key: /a/b/2: missing value";
    check(json!([{"op": "replace", "path": "/a/b/2", "value": 9}]), Err(missing));
    check(json!([{"op": "test", "path": "/a/b/1", "value": 2}]), Ok(json!({})));
    let index = "error in test for path: '/a/b/9': Unable to access invalid index: 9: invalid index referenced";
    check(json!([{"op": "test", "path": "/a/b/9", "value": 2}]), Err(index));
}

#[test]
fn what_is_not_there() {
    check(json!([{"op": "replace", "path": "/new", "value": 1}]), Ok(json!({"new": 1})));
    check(json!([{"op": "add", "path": "/new"}]), Ok(json!({"new": null})));
    check(json!([{"op": "copy", "from": "/none", "path": "/new"}]), Ok(json!({"new": null, "c": "d"})));
    check(json!([{"op": "test", "path": "/none"}, {"op": "test", "path": "/a/n", "value": null}]), Ok(json!({})));
    check(json!([{"op": "test", "path": "/none", "value": 1}]), Err("testing value /none failed: test failed"));
    for (operation, expect) in [
        (
            json!({"op": "add", "path": "/c/x", "value": 1}),
            "add operation does not apply: doc is missing path: \"/c/x\": missing value",
        ),
        (
            json!({"op": "remove", "path": "/n/x"}),
            "remove operation does not apply: doc is missing path: \"/n/x\": missing value",
        ),
        (
            json!({"op": "replace", "path": "/a/n/x"}),
            "replace operation does not apply: doc is missing path: /a/n/x: missing value",
        ),
        (json!({"op": "test", "path": "/n/x"}), "test operation does not apply: is missing path: /n/x: missing value"),
        (
            json!({"op": "move", "from": "/n/x", "path": "/c"}),
            "move operation does not apply: doc is missing from path: /n/x: missing value",
        ),
        (
            json!({"op": "move", "from": "/c", "path": "/n/x"}),
            "move operation does not apply: doc is missing destination path: /n/x: missing value",
        ),
        (
            json!({"op": "copy", "from": "/n/x", "path": "/c"}),
            "copy operation does not apply: doc is missing from path: /n/x: missing value",
        ),
        (
            json!({"op": "copy", "from": "/c", "path": "/n/x"}),
            "copy operation does not apply: doc is missing destination path: /n/x: missing value",
        ),
        (
            json!({"op": "add", "path": "", "value": {}}),
            "add operation does not apply: doc is missing path: \"\": missing value",
        ),
        (
            json!({"op": "replace", "path": "", "value": 1}),
            "replace operation value must be object or array: %!w(<nil>)",
        ),
    ] {
        check(json!([operation]), Err(expect));
    }
}

#[test]
fn names_are_unescaped_once() {
    check(json!([{"op": "replace", "path": "/x~1y", "value": 3}]), Ok(json!({"x/y": 3})));
    check(json!([{"op": "remove", "path": "/p~0q"}]), Ok(json!({"p~q": null})));
    check(
        json!([{"op": "add", "path": "/~01", "value": 1}, {"op": "add", "path": "/~2", "value": 2}]),
        Ok(json!({"~1": 1, "~2": 2})),
    );
    // What stands before the first slash does not count.
    check(
        json!([{"op": "add", "path": "some/c", "value": 1}, {"op": "add", "path": "/", "value": 2}]),
        Ok(json!({"c": 1, "": 2})),
    );
}

#[test]
fn incomplete_operations() {
    for (operation, expect) in [
        (json!(null), "Unexpected kind: unknown"),
        (json!({}), "Unexpected kind: unknown"),
        (json!({"op": "frob", "path": "/c"}), "Unexpected kind: frob"),
        (json!({"op": "add"}), "add operation failed to decode path: missing value"),
        (json!({"op": "remove"}), "remove operation failed to decode path: missing value"),
        (
            json!({"op": "replace"}),
            "replace operation failed to decode path: operation missing path field: missing value",
        ),
        (json!({"op": "test"}), "test operation failed to decode path: operation missing path field: missing value"),
        (json!({"op": "move"}), "move operation failed to decode from: operation, missing from field: missing value"),
        (json!({"op": "copy"}), "copy operation failed to decode from: operation, missing from field: missing value"),
        (
            json!({"op": "move", "from": "/c"}),
            "move operation failed to decode path: operation missing path field: missing value",
        ),
        (json!({"op": "copy", "from": "/c"}), "copy operation failed to decode path: missing value"),
    ] {
        check(json!([operation]), Err(expect));
    }
    for (patch, expect) in [
        (json!({}), "object into Go value of type []handlers.jsonPatchOp"),
        (json!([1]), "number into Go value of type handlers.jsonPatchOp"),
        (json!([{"op": 1}]), "number into Go struct field jsonPatchOp.op of type string"),
        (json!([{"op": "add", "path": []}]), "array into Go struct field jsonPatchOp.path of type string"),
        (json!([{"op": "move", "from": true}]), "bool into Go struct field jsonPatchOp.from of type string"),
    ] {
        let expect = format!("error decoding patch: json: cannot unmarshal {expect}");
        assert_eq!(apply(&live(), &Body::Json(patch), None), Err(Error::BadRequest(expect)));
    }
    assert_eq!(apply(&live(), &Body::Json(Value::Null), None), Ok(live()));
}
