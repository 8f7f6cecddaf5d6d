//! What writes other than applies leave behind.

use serde_json::json;

use super::world::World;
use crate::ownership::Managers;

#[test]
fn a_writer_owns_what_it_changed() {
    let mut world = World::new();
    world.update("maker", json!({"text": "1", "map": {"x": "1"}}));
    assert_eq!(world.owners(), json!({"~maker": {".": {}, "f:text": {}, "f:map": {".": {}, "f:x": {}}}}));
    world.update("editor", json!({"text": "2", "map": {"x": "1", "y": "1"}}));
    assert_eq!(world.owners()["~editor"], json!({"f:text": {}, "f:map": {"f:y": {}}}));
    assert_eq!(world.owners()["~maker"], json!({".": {}, "f:map": {".": {}, "f:x": {}}}));
    world.update("editor", json!({"text": "2"}));
    assert_eq!(world.owners(), json!({"~editor": {"f:text": {}}, "~maker": {}}));
}

#[test]
fn who_changes_nothing_owns_nothing() {
    let mut world = World::new();
    world.update("maker", json!({"text": "1"}));
    let managers = world.managers.clone();
    world.update("other", json!({"text": "1"}));
    assert_eq!(world.managers, managers);
}

#[test]
fn an_update_takes_what_was_applied() {
    let mut world = World::new();
    world.apply("a", json!({"text": "1", "other": "1"})).expect("nobody else");
    world.update("editor", json!({"text": "2", "other": "1"}));
    assert_eq!(world.owners(), json!({"a": {"f:other": {}}, "~editor": {"f:text": {}}}));
    let conflict = world.apply("a", json!({"text": "1", "other": "1"})).expect_err("the editor owns it now");
    assert_eq!(conflict, r#"Apply failed with 1 conflict: conflict with "editor" using v1: .spec.text"#);
}

#[test]
fn owners_are_written_and_read_in_kubernetes_order() {
    let mut world = World::new();
    world.update("z", json!({"text": "1"}));
    world.apply("b", json!({"other": "1"})).expect("nobody else");
    world.update("y", json!({"text": "2", "other": "1"}));
    world.apply("a", json!({"number": 1})).expect("nobody else");
    let wire = world.managers.write().expect("there are some");
    let told: Vec<&str> =
        wire.as_array().expect("a list").iter().filter_map(|entry| entry["manager"].as_str()).collect();
    assert_eq!(told, ["b", "a", "z", "y"], "appliers first, each by time");
    assert_eq!(
        wire[0],
        json!({"manager": "b", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:02Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:other": {}}}})
    );
    let again = Managers::read(Some(&wire)).expect("they are readable");
    assert_eq!(again.write(), Some(wire));
}

#[test]
fn what_is_no_record_of_owners_is_refused() {
    let entry = |field: &str, value: serde_json::Value| {
        let mut entry =
            json!({"manager": "a", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}});
        entry[field] = value;
        Managers::read(Some(&json!([entry]))).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(entry("manager", json!("b")), Ok(()));
    assert_eq!(entry("operation", json!("Delete")), Err("operation must be `Apply` or `Update`".into()));
    assert_eq!(entry("apiVersion", json!("")), Err("apiVersion must not be empty".into()));
    assert_eq!(entry("fieldsType", json!("")), Err("missing fieldsType in managed fields entry 0".into()));
    assert_eq!(entry("fieldsType", json!("V9")), Err("invalid fieldsType \"V9\" in managed fields entry 0".into()));
    assert!(entry("fieldsV1", json!({"f:a": 1})).is_err());
}
