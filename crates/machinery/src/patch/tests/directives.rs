//! Directives of strategic merge patches where they stand oddly: beside each other, with lists
//! that are not, in what is new to the object. The expectations are kube-apiserver 1.36's.

use serde_json::{Value, json};

use super::super::{Body, Error, apply};
use super::{DEPLOYMENT, POD, check_strategic};

fn refused(live: Value, patch: Value, expect: Error) {
    let schema = Some((api::builtin::types(), POD));
    assert_eq!(apply(&live, &Body::Strategic(patch.clone()), schema), Err(expect), "{patch}");
}

#[test]
fn refusals_are_as_kubernetes_answers_them() {
    let live = || json!({"metadata": {"finalizers": ["f"]}, "spec": {"containers": [{"name": "a"}]}});
    let meta = |patch: Value| json!({"metadata": patch});
    let unexpected = |why: &str| Error::Unexpected(why.to_owned());
    let bad = |why: &str| Error::BadRequest(why.to_owned());
    let retain = "invalid patch format of retainKeys";
    for (patch, expect) in [
        (json!({"$patch": "frob"}), unexpected("unknown patch type: frob in map: map[$patch:frob]")),
        (json!({"$patch": 1}), unexpected("unknown patch type: %!s(int64=1) in map: map[$patch:1]")),
        (json!({"spec": {"$patch": "merge"}}), unexpected("unknown patch type: merge in map: map[$patch:merge]")),
        (
            json!({"spec": {"containers": [{"name": "a", "$patch": "merge"}]}}),
            unexpected("merging lists cannot yet be specified in the patch"),
        ),
        (
            json!({"spec": {"containers": [{"$patch": "delete"}]}}),
            unexpected("map: map[$patch:delete] does not contain declared merge key: name"),
        ),
        (meta(json!({"$retainKeys": 1})), bad(retain)),
        (meta(json!({"$retainKeys": ["a"], "b": "c"})), bad(retain)),
        (meta(json!({"$deleteFromPrimitiveList": ["f"]})), bad("invalid patch format of primitive list")),
        (meta(json!({"$setElementOrder": ["f"]})), bad("invalid patch format of setElementOrder list")),
        (
            meta(json!({"$setElementOrder/finalizers": "f"})),
            unexpected("expected a []interface {}, but received a string"),
        ),
        (
            meta(json!({"$setElementOrder/finalizers": ["f"], "finalizers": null})),
            unexpected("expected a []interface {}, but received a %!s(<nil>)"),
        ),
        (
            meta(json!({"$setElementOrder/frob": ["x"], "frob": ["x"]})),
            unexpected("unable to find api field in struct ObjectMeta for the json field \"frob\""),
        ),
        (meta(json!({"finalizers": ["g", 1]})), unexpected("list element types are not identical: [[f] [g 1]]")),
        (
            json!({"spec": {"$setElementOrder/tolerations": [], "tolerations": []}}),
            unexpected("no elements in any of the given slices"),
        ),
    ] {
        refused(live(), patch, expect);
    }
    let lists = json!({"metadata": {"finalizers": [["x"]]}});
    refused(json!({"metadata": {"finalizers": []}}), lists, Error::Refused("lists of lists are not supported".into()));
}

#[test]
fn replaced_values_are_taken_as_they_are() {
    // Nulls and directives below "replace" are for decoding to drop.
    check_strategic(
        POD,
        json!({"spec": {"nodeSelector": {"a": "1"}}}),
        json!({"spec": {"nodeSelector": {"$patch": "replace", "b": null}}}),
        Ok(json!({"spec": {"nodeSelector": {"b": null}}})),
    );
    // So are those of items that come to a list.
    check_strategic(
        POD,
        json!({"spec": {"containers": [{"name": "a"}]}}),
        json!({"spec": {"containers": [{"name": "b", "env": [{"name": "e", "$patch": "delete"}], "args": null}]}}),
        Ok(json!({"spec": {"containers": [
            {"name": "b", "env": [{"name": "e", "$patch": "delete"}], "args": null}, {"name": "a"},
        ]}})),
    );
    // A field that is new has neither, and maps with a directive do not become part of it.
    check_strategic(
        POD,
        json!({}),
        json!({"spec": {"a": null, "containers": [{"name": "a", "$patch": "delete"}, {"name": "b", "c": null}]}}),
        Ok(json!({"spec": {"containers": [{"name": "b"}]}})),
    );
}

#[test]
fn lists_of_scalars() {
    let of = |items: Value| json!({"metadata": {"finalizers": items}});
    let delete = |items: Value| json!({"metadata": {"$deleteFromPrimitiveList/finalizers": items}});
    let live = || of(json!(["a", "b", "c"]));
    check_strategic(POD, live(), delete(json!(["a", "x"])), Ok(of(json!(["b", "c"]))));
    check_strategic(POD, live(), delete(json!(null)), Ok(json!({"metadata": {}})));
    check_strategic(POD, live(), delete(json!("a")), Ok(live()));
    check_strategic(
        POD,
        json!({}),
        delete(json!(["a"])),
        Ok(json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}})),
    );
    check_strategic(POD, live(), of(json!([])), Ok(live()));
    check_strategic(POD, live(), of(json!(["c", "d"])), Ok(of(json!(["a", "b", "c", "d"]))));
    check_strategic(
        POD,
        live(),
        json!({"metadata": {"$setElementOrder/finalizers": ["c", "a"]}}),
        Ok(of(json!(["b", "c", "a"]))),
    );
}

#[test]
fn items_that_are_deleted_and_come_again() {
    let of = |items: Value| json!({"spec": {"template": {"spec": {"containers": items}}}});
    check_strategic(
        DEPLOYMENT,
        of(json!([{"name": "a", "image": "1"}, {"name": "b"}])),
        of(json!([{"name": "a", "$patch": "delete"}, {"name": "a", "image": "2"}])),
        Ok(of(json!([{"name": "a", "image": "2"}, {"name": "b"}]))),
    );
    check_strategic(
        DEPLOYMENT,
        of(json!([{"name": "a"}])),
        of(json!([{"name": "b"}, {"$patch": "replace"}, {"name": "a", "$patch": "delete"}])),
        Ok(of(json!([{"name": "b"}]))),
    );
    check_strategic(
        DEPLOYMENT,
        json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
        json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": null}}}),
        Ok(json!({"spec": {"strategy": {"type": "Recreate"}}})),
    );
}
