//! Laws of applies: in whatever order, by whomever.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::World;
use crate::ownership::agrees;

/// Specs over a few fields; `side` keeps two of them apart.
fn spec(side: &'static str) -> impl Strategy<Value = Value> {
    let entries = prop::collection::btree_map("[xyz]", "[12]", 0..3);
    let items = prop::sample::subsequence(vec!["p", "q", "r"], 0..=3);
    (prop::option::of("[12]"), entries, items.clone(), items).prop_map(move |(text, map, set, names)| {
        let mut spec = json!({});
        if let Some(text) = text {
            spec[if side == "left" { "text" } else { "other" }] = json!(text);
        }
        let mark = |name: &str| format!("{side}-{name}");
        spec["map"] =
            map.into_iter().map(|(key, value)| (mark(&key), json!(value))).collect::<serde_json::Map<_, _>>().into();
        spec["set"] = set.into_iter().map(mark).collect::<Vec<_>>().into();
        spec["keyed"] =
            names.into_iter().map(|name| json!({"name": mark(name), "value": "1"})).collect::<Vec<_>>().into();
        spec
    })
}

fn sorted(spec: Value) -> Value {
    let mut spec = spec;
    for list in ["set", "keyed"] {
        if let Some(items) = spec.get_mut(list).and_then(Value::as_array_mut) {
            items.sort_by_key(Value::to_string);
        }
    }
    if let Some(fields) = spec.as_object_mut() {
        fields.retain(|_, value| *value != json!([]) && *value != json!({}));
    }
    spec
}

/// Everything that is owned is there, and whoever applied it agrees with it.
fn owners_describe_the_object(world: &World) {
    let object = world.object.clone().expect("there is one");
    for manager in world.managers.iter() {
        for (path, text) in manager.fields.paths() {
            let held = path.iter().try_fold(&object, |value, step| match step {
                crate::fields::Element::Field(name) => value.get(&**name),
                crate::fields::Element::Value(wanted) => value.as_array()?.iter().find(|item| *item == wanted),
                crate::fields::Element::Key(keys) => value
                    .as_array()?
                    .iter()
                    .find(|item| keys.iter().all(|(key, wanted)| item.get(&**key) == Some(wanted))),
                crate::fields::Element::Index(_) => None,
            });
            assert!(held.is_some(), "{} owns {text}, which is not in {object}", manager.name);
        }
    }
}

proptest! {
    #[test]
    fn appliers_of_different_fields_do_not_meet(left in spec("left"), right in spec("right")) {
        let (mut one, mut two) = (World::new(), World::new());
        one.apply("l", left.clone()).expect("no conflict");
        one.apply("r", right.clone()).expect("no conflict");
        two.apply("r", right).expect("no conflict");
        two.apply("l", left).expect("no conflict");
        prop_assert_eq!(sorted(one.spec()), sorted(two.spec()));
        prop_assert_eq!(one.owners(), two.owners());
        owners_describe_the_object(&one);
    }

    #[test]
    fn an_apply_leaves_what_it_states(before in spec("left"), theirs in spec("left"), wanted in spec("left")) {
        let mut world = World::new();
        world.update("editor", before);
        world.apply("!other", theirs).expect("by force");
        world.apply("!me", wanted.clone()).expect("by force");
        let (object, managers) = (world.object.clone().expect("there is one"), world.managers.clone());
        let mine = managers.iter().find(|manager| manager.name == "me");
        if let Some(mine) = mine {
            prop_assert!(agrees(&mine.fields, &json!({"spec": wanted}), &object), "{} {}", wanted, object);
        }
        owners_describe_the_object(&world);
        world.apply("me", wanted).expect("it is its own already");
        prop_assert_eq!(world.object.as_ref(), Some(&object));
        prop_assert!(world.managers.same_but_for_times(&managers));
    }

    #[test]
    fn who_states_more_than_before_takes_nothing_away(
        mine in spec("left"),
        theirs in spec("left"),
        more in spec("right"),
    ) {
        let mut world = World::new();
        world.apply("!me", mine.clone()).expect("by force");
        world.apply("!other", theirs).expect("by force");
        let before = world.spec();
        let mut both = mine;
        for (field, value) in more.as_object().expect("a spec is a map") {
            match (both.get_mut(field), value) {
                (Some(Value::Array(held)), Value::Array(items)) => held.extend(items.clone()),
                (Some(Value::Object(held)), Value::Object(entries)) => held.extend(entries.clone()),
                _ => both[field] = value.clone(),
            }
        }
        world.apply("!me", both).expect("by force");
        for (field, value) in before.as_object().expect("a spec is a map") {
            let held = world.spec()[field].clone();
            let is_kept = match value {
                Value::Array(items) => items.len() <= held.as_array().map_or(0, Vec::len),
                Value::Object(entries) => entries.keys().all(|key| held.get(key).is_some()),
                _ => held.is_string(),
            };
            prop_assert!(is_kept, "{} of {} became {}", field, value, held);
        }
        owners_describe_the_object(&world);
    }

    #[test]
    fn who_leaves_takes_what_only_it_stated(mine in spec("left"), theirs in spec("right")) {
        let mut world = World::new();
        world.apply("other", theirs.clone()).expect("nobody else");
        world.apply("me", mine).expect("other fields");
        world.leave("me");
        prop_assert_eq!(sorted(world.spec()), sorted(theirs));
        prop_assert!(world.managers.iter().all(|manager| manager.name == "other"));
    }
}
