//! Sets of fields: the wire, the algebra, and the laws that hold for all of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Element, Set, same};

fn set(wire: &Value) -> Set {
    Set::from_wire(wire).expect("the set is readable")
}

#[test]
fn what_is_read_is_written_again() {
    let cases = [
        json!({}),
        json!({"f:a": {}}),
        json!({"f:a": {".": {}, "f:b": {}}}),
        json!({"f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/name": {}}}}),
        json!({"f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}}}),
        json!({"f:finalizers": {".": {}, "v:\"a/b\"": {}, "v:1": {}, "v:true": {}}}),
        json!({"f:list": {"i:0": {}, "i:12": {"f:x": {}}}}),
        json!({"f:": {}, "f:with:colon": {}}),
    ];
    for wire in cases {
        assert_eq!(set(&wire).to_wire(), wire);
    }
}

#[test]
fn what_is_no_set_is_refused() {
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({"f:x": deep});
    }
    let cases = [
        json!(1),
        json!([]),
        json!(null),
        json!({"f:a": 1}),
        json!({"a": {}}),
        json!({"k:{": {}}),
        json!({"k:[1]": {}}),
        json!({"v:nothing": {}}),
        json!({"i:x": {}}),
        json!({"field:a": {}}),
        deep,
    ];
    for wire in cases {
        assert!(Set::from_wire(&wire).is_err(), "{wire}");
    }
    // A kind of element that only a newer version knows is passed over.
    assert_eq!(set(&json!({"f:a": {}, "x:b": {}})), set(&json!({"f:a": {}})));
}

#[test]
fn sets_are_combined_path_by_path() {
    let one = set(&json!({"f:a": {".": {}, "f:x": {}}, "f:b": {}}));
    let two = set(&json!({"f:a": {"f:x": {}, "f:y": {}}, "f:c": {}}));
    let check = |found: Set, expect: Value| assert_eq!(found.to_wire(), expect);
    check(one.union(&two), json!({"f:a": {".": {}, "f:x": {}, "f:y": {}}, "f:b": {}, "f:c": {}}));
    check(one.intersection(&two), json!({"f:a": {"f:x": {}}}));
    check(one.difference(&two), json!({"f:a": {}, "f:b": {}}));
    check(two.difference(&one), json!({"f:a": {"f:y": {}}, "f:c": {}}));
    check(two.recursive_difference(&one), json!({"f:c": {}}));
    check(one.difference(&one), json!({}));
    assert_eq!(one.len(), 3);
}

#[test]
fn paths_are_told_as_kubernetes_tells_them() {
    let fields = set(&json!({
        "f:spec": {
            "f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}}},
            "f:finalizers": {"v:\"x\"": {}, "v:3": {}},
            "f:list": {"i:2": {}},
        },
        "f:data": {"f:a.b": {}},
    }));
    let told: Vec<String> = fields.paths().into_iter().map(|(_, text)| text).collect();
    let expect = [
        ".data.a.b",
        r#".spec.containers[name="web"]"#,
        r#".spec.containers[name="web"].image"#,
        ".spec.finalizers[=3]",
        r#".spec.finalizers[="x"]"#,
        ".spec.list[2]",
    ];
    assert_eq!(told, expect);
}

#[test]
fn numbers_are_the_same_by_their_size() {
    assert!(same(&json!({"a": [1, 2.5]}), &json!({"a": [1.0, 2.5]})));
    assert!(!same(&json!(1), &json!(2)));
    assert!(!same(&json!(1), &json!("1")));
    assert!(!same(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
    assert_eq!(Element::Value(json!(1)), Element::Value(json!(1.0)));
    assert!(same(&json!(0), &json!(-0.0)) && same(&json!(0.0), &json!(-0.0)));
}

fn element() -> impl Strategy<Value = Element> {
    prop_oneof![
        "[a-c]".prop_map(|name| Element::field(&name)),
        (0..3i64).prop_map(|number| Element::Value(json!(number))),
        "[x-z]".prop_map(|name| Element::Key([("name".into(), json!(name))].into())),
        (0..3i64).prop_map(Element::Index),
    ]
}

fn any_set() -> impl Strategy<Value = Set> {
    prop::collection::vec(prop::collection::vec(element(), 1..4), 0..8).prop_map(|paths| {
        let mut set = Set::new();
        paths.iter().for_each(|path| set.insert(path));
        set
    })
}

proptest! {
    #[test]
    fn a_set_is_the_same_after_the_wire(fields in any_set()) {
        prop_assert_eq!(set(&fields.to_wire()), fields);
    }

    #[test]
    fn sets_keep_the_laws(a in any_set(), b in any_set(), c in any_set()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a.clone());
        prop_assert!(a.difference(&b).intersection(&b).is_empty());
        prop_assert_eq!(a.union(&b).len(), a.len() + b.len() - a.intersection(&b).len());
        prop_assert_eq!(a.recursive_difference(&b).intersection(&b), Set::new());
        prop_assert_eq!(a.is_within(&b), a.difference(&b).is_empty());
        prop_assert!(a.is_within(&a.union(&b)) && a.intersection(&b).is_within(&a));
        for (path, _) in a.paths() {
            prop_assert!(a.has(&path));
            prop_assert_eq!(a.intersection(&b).has(&path), b.has(&path));
        }
    }
}
