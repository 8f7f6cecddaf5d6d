//! Laws that hold for all objects of a kind.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::schema::node;
use crate::fields::same;
use crate::structured::{compare, contents, extract, merge, remove};

fn word() -> impl Strategy<Value = Value> {
    "[abc]".prop_map(Value::from)
}

fn some(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let each: Vec<_> =
        fields.into_iter().map(|(name, value)| prop::option::of(value).prop_map(move |value| (name, value))).collect();
    each.prop_map(|fields| {
        let stated = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(stated.collect::<Map<String, Value>>())
    })
    .boxed()
}

fn entries() -> BoxedStrategy<Value> {
    prop::collection::btree_map("[klm]", "[abc]", 0..3).prop_map(|map| json!(map)).boxed()
}

fn distinct(keys: &'static [&'static str]) -> BoxedStrategy<Vec<String>> {
    prop::sample::subsequence(keys.to_vec(), 0..=keys.len())
        .prop_shuffle()
        .prop_map(|keys| keys.into_iter().map(str::to_owned).collect())
        .boxed()
}

fn keyed() -> BoxedStrategy<Value> {
    let inner = some(vec![("x", (0..3).prop_map(Value::from).boxed()), ("y", (0..3).prop_map(Value::from).boxed())]);
    let rest = prop::collection::vec(some(vec![("value", word().boxed()), ("inner", inner)]), 3);
    (distinct(&["a", "b", "c"]), rest)
        .prop_map(|(names, rest)| {
            let named = names.into_iter().zip(rest).map(|(name, mut item)| {
                item["name"] = name.into();
                item
            });
            Value::Array(named.collect())
        })
        .boxed()
}

fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![word(), (0..2).prop_map(Value::from), any::<bool>().prop_map(Value::from)];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..2).prop_map(Value::Array),
            prop::collection::btree_map("[mn]", inner, 0..2).prop_map(|map| json!(map)),
        ]
    })
    .boxed()
}

/// Objects of the kind. Empty containers are left out: they cannot be told from absent ones by
/// the fields they state.
fn object() -> impl Strategy<Value = Value> {
    let fields = vec![
        ("text", word().boxed()),
        ("number", (0..3).prop_map(Value::from).boxed()),
        ("set", distinct(&["a", "b", "c", "d"]).prop_map(|items| json!(items)).boxed()),
        ("atomicList", prop::collection::vec(some(vec![("a", word().boxed())]), 0..3).prop_map(Value::Array).boxed()),
        ("keyed", keyed()),
        ("map", entries()),
        ("atomicMap", entries()),
        (
            "struct",
            some(vec![("p", word().boxed()), ("q", word().boxed()), ("deep", some(vec![("r", word().boxed())]))]),
        ),
        ("any", anything()),
    ];
    some(fields).prop_map(|spec| json!({"spec": spec}))
}

/// Whether two objects have the same contents, whatever the order of items in sets and maps.
fn alike(a: &Value, b: &Value) -> bool {
    compare(node(), a, b).is_ok_and(|comparison| comparison.is_same())
}

/// A value without empty containers, which state nothing that a set of fields could hold.
fn without_hollow(value: &Value) -> Value {
    let is_hollow = |value: &Value| *value == json!({}) || *value == json!([]);
    match value {
        Value::Object(map) => {
            let kept = map.iter().map(|(name, value)| (name.clone(), without_hollow(value)));
            Value::Object(kept.filter(|(_, value)| !is_hollow(value)).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn nothing_changes_twice(live in object(), applied in object()) {
        let once = merge(node(), &live, &applied).expect("both fit");
        prop_assert_eq!(merge(node(), &once, &applied).expect("both fit"), once.clone());
        prop_assert!(same(&merge(node(), &live, &live).expect("both fit"), &live));
    }

    #[test]
    fn what_is_applied_can_be_taken_out_again(live in object(), applied in object()) {
        let merged = merge(node(), &live, &applied).expect("both fit");
        let taken = extract(node(), &merged, &contents(node(), &applied)).unwrap_or_else(|| json!({}));
        let (taken, applied) = (without_hollow(&taken), without_hollow(&applied));
        prop_assert!(alike(&taken, &applied), "{} and {}", taken, applied);
    }

    #[test]
    fn a_comparison_is_empty_exactly_for_the_same(a in object(), b in object()) {
        let there = compare(node(), &a, &b).expect("both fit");
        let back = compare(node(), &b, &a).expect("both fit");
        prop_assert_eq!(&there.added, &back.removed);
        prop_assert_eq!(&there.removed, &back.added);
        prop_assert_eq!(&there.modified, &back.modified);
        prop_assert!(compare(node(), &a, &a).expect("it fits").is_same());
        prop_assert!(there.added.intersection(&there.removed).is_empty());
    }

    #[test]
    fn what_is_taken_out_is_gone(object in object(), other in object()) {
        let fields = contents(node(), &other);
        let left = remove(node(), &object, &fields);
        let gone = contents(node(), &left).intersection(&fields);
        // A container that lost everything stays, and then states itself.
        for (path, text) in gone.paths() {
            let value = path.iter().try_fold(&left, |value, step| match step {
                crate::fields::Element::Field(name) => value.get(&**name),
                _ => None,
            });
            prop_assert!(value.is_some_and(|value| *value == json!({}) || *value == json!([])), "{} of {}", text, left);
        }
    }
}
