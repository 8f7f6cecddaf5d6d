//! What the unit tests of this crate share: arbitrary objects and a built-in
//! kind by its name. Compiled for tests only.

use api::KindDescriptor;

/// A built-in kind as the API server describes it.
pub(crate) fn kind(group: &str, name: &str) -> KindDescriptor {
    let found = api::builtin::kinds().iter().find(|kind| &*kind.gvk.group == group && &*kind.gvk.kind == name);
    found.unwrap_or_else(|| panic!("no built-in kind {group}/{name}")).as_ref().clone()
}

/// Any JSON of small size, with keys that the schema of a Pod knows among others.
pub(crate) fn any_json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        (0i64..4).prop_map(serde_json::Value::from),
        "[abc]{0,2}".prop_map(serde_json::Value::from),
    ];
    let key = "a|b|c|name|spec|metadata|labels|finalizers|containers|volumes|ports";
    leaf.prop_recursive(5, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key, inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}
