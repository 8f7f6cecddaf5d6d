//! The cap on those who update.

use serde_json::{Value, json};

use super::world::World;
use crate::ownership::Managers;

#[test]
fn the_oldest_updaters_are_folded_into_one() {
    let mut world = World::new();
    for number in 0..14 {
        let mut map = json!({});
        for entry in 0..=number {
            map[format!("k{entry:02}")] = json!("v");
        }
        world.update(&format!("writer-{number:02}"), json!({"map": map}));
    }
    let owners = world.owners();
    let names: Vec<&String> = owners.as_object().expect("owners").keys().collect();
    assert_eq!(names.len(), 10, "{names:?}");
    assert_eq!(owners["~ancient-changes"]["f:map"]["f:k00"], json!({}));
    assert_eq!(owners["~ancient-changes"]["f:map"]["f:k04"], json!({}));
    assert_eq!(owners["~writer-13"], json!({"f:map": {"f:k13": {}}}));
    world.apply("applier", json!({"text": "1"})).expect("nobody else");
    assert_eq!(world.owners().as_object().map(serde_json::Map::len), Some(11), "appliers do not count");
}

/// Entries of as many clients as a request has room for.
#[test]
fn many_owners_cost_little() {
    for (operation, version) in [("Apply", "v1"), ("Update", "v1"), ("Update", "")] {
        let entries: Vec<Value> = (0..20_000)
            .map(|at| {
                let version = if version.is_empty() { format!("g{at}/v1") } else { version.to_owned() };
                json!({"manager": format!("m{at}"), "operation": operation, "apiVersion": version, "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:map": {format!("f:k{at}"): {}}}}, "time": format!("2026-01-01T00:00:00.{at:05}Z")})
            })
            .collect();
        let read = Managers::read(Some(&Value::Array(entries))).expect("they are readable");
        assert!(read.same_but_for_times(&read.clone()));
        let mut world = World::new();
        world.managers = read;
        let map: serde_json::Map<String, Value> = (0..20_000).map(|at| (format!("k{at}"), json!("1"))).collect();
        world.object = Some(json!({"kind": "Thing", "spec": {"map": map.clone()}}));
        let mut changed = map;
        changed.values_mut().for_each(|value| *value = json!("2"));
        world.apply("!last", json!({"map": {"k0": "3"}})).expect("by force");
        world.update("editor", json!({"map": changed}));
        assert!(world.managers.iter().count() <= 12, "{}", world.managers.iter().count());
    }
}
