//! Server-side apply, case by case.

use serde_json::json;

use super::world::World;
use crate::fields::Set;

#[test]
fn what_is_stated_no_more_goes() {
    let mut world = World::new();
    world.apply("a", json!({"text": "1", "map": {"x": "1", "y": "1"}, "set": ["p", "q"], "keyed": [{"name": "n", "value": "1"}, {"name": "m"}]})).expect("nobody else");
    world.apply("a", json!({"map": {"y": "1"}, "set": ["q"], "keyed": [{"name": "n"}]})).expect("nobody else");
    assert_eq!(world.spec(), json!({"map": {"y": "1"}, "set": ["q"], "keyed": [{"name": "n"}]}));
    assert_eq!(
        world.owners(),
        json!({"a": {"f:map": {"f:y": {}}, "f:set": {"v:\"q\"": {}}, "f:keyed": {"k:{\"name\":\"n\"}": {".": {}, "f:name": {}}}}})
    );
}

#[test]
fn what_others_own_stays() {
    let mut world = World::new();
    world.apply("a", json!({"text": "1", "set": ["p"], "map": {"x": "1"}})).expect("nobody else");
    world.apply("b", json!({"text": "1", "set": ["p", "q"]})).expect("the same values are no conflict");
    world.update("c", json!({"text": "1", "set": ["p", "q"], "map": {"x": "1"}, "number": 7}));
    world.leave("a");
    assert_eq!(world.spec(), json!({"text": "1", "set": ["p", "q"], "number": 7}));
    assert_eq!(
        world.owners(),
        json!({"b": {"f:text": {}, "f:set": {"v:\"p\"": {}, "v:\"q\"": {}}}, "~c": {"f:number": {}}})
    );
}

#[test]
fn an_item_stays_while_somebody_owns_a_part_of_it() {
    let mut world = World::new();
    world.apply("a", json!({"keyed": [{"name": "n", "value": "1"}]})).expect("nobody else");
    world.apply("b", json!({"keyed": [{"name": "n", "more": "2"}]})).expect("another field");
    world.leave("a");
    assert_eq!(world.spec(), json!({"keyed": [{"name": "n", "more": "2"}]}));
    world.leave("b");
    assert_eq!(world.spec(), json!(null));
    assert!(world.managers.is_empty());
}

#[test]
fn conflicts_are_told_in_kubernetes_words() {
    let mut world = World::new();
    world.apply("a", json!({"text": "1", "keyed": [{"name": "n", "value": "1"}]})).expect("nobody else");
    world.update("editor", json!({"text": "1", "other": "1", "keyed": [{"name": "n", "value": "1"}]}));
    let one = world.apply("b", json!({"text": "2"})).expect_err("a owns it");
    assert_eq!(one, r#"Apply failed with 1 conflict: conflict with "a": .spec.text"#);
    let more = world
        .apply("b", json!({"text": "2", "other": "2", "keyed": [{"name": "n", "value": "2"}]}))
        .expect_err("they own it");
    let expect = [
        "Apply failed with 3 conflicts: conflicts with \"a\":",
        "- .spec.text",
        "- .spec.keyed[name=\"n\"].value",
        "conflicts with \"editor\" using v1:",
        "- .spec.other",
    ];
    assert_eq!(more, expect.join("\n"));
    assert_eq!(world.spec()["text"], "1", "nothing is changed by what is refused");
    world.apply("!b", json!({"text": "2", "other": "2"})).expect("by force");
    assert_eq!(world.spec(), json!({"text": "2", "other": "2", "keyed": [{"name": "n", "value": "1"}]}));
    assert_eq!(world.owners()["b"], json!({"f:text": {}, "f:other": {}}));
    assert_eq!(world.owners()["a"], json!({"f:keyed": {"k:{\"name\":\"n\"}": {".": {}, "f:name": {}, "f:value": {}}}}));
    assert_eq!(world.owners().get("~editor"), None);
}

#[test]
fn a_subresource_is_another_owner() {
    let mut world = World::new();
    world.apply("a", json!({"number": 1})).expect("nobody else");
    world.subresource = "scale";
    let conflict = world.apply("a", json!({"number": 2})).expect_err("it is owned through the object");
    assert_eq!(conflict, r#"Apply failed with 1 conflict: conflict with "a": .spec.number"#);
    world.apply("!a", json!({"number": 2})).expect("by force");
    world.subresource = "";
    let conflict = world.apply("a", json!({"number": 1})).expect_err("it is owned through the subresource");
    assert_eq!(conflict, r#"Apply failed with 1 conflict: conflict with "a" with subresource "scale": .spec.number"#);
}

#[test]
fn nothing_changes_twice_and_no_time_moves() {
    let mut world = World::new();
    world.apply("a", json!({"text": "1"})).expect("nobody else");
    let (object, managers) = (world.object.clone(), world.managers.clone());
    world.apply("a", json!({"text": "1"})).expect("the same again");
    assert_eq!((world.object.clone(), world.managers.clone()), (object, managers));
    assert_eq!(world.time_of("a").as_deref(), Some("2026-01-01T00:00:01Z"));
    world.apply("b", json!({"text": "1"})).expect("the same by another");
    assert_eq!(world.time_of("b"), None, "it changed nothing");
    world.apply("a", json!({"text": "1", "other": "2"})).expect("a new field");
    assert_eq!(world.time_of("a").as_deref(), Some("2026-01-01T00:00:04Z"));
}

#[test]
fn what_stood_there_before_the_first_apply_is_owned_by_nobody_in_particular() {
    let mut world = World::new();
    world.object = Some(json!({"kind": "Thing", "spec": {"text": "1", "number": 3}}));
    let conflict = world.apply("a", json!({"text": "2"})).expect_err("it stood there");
    assert_eq!(conflict, r#"Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .spec.text"#);
    world.apply("a", json!({"text": "1"})).expect("the same value");
    assert_eq!(
        world.owners(),
        json!({"a": {"f:text": {}}, "~before-first-apply": {".": {}, "f:text": {}, "f:number": {}}})
    );
}

#[test]
fn what_a_write_leaves_alone_is_not_owned() {
    let mut world = World::new();
    world.ignored = Set::of_fields(&[&["status"]]);
    world
        .apply_whole("a", json!({"kind": "Thing", "spec": {"text": "1"}, "status": {"state": "s"}}))
        .expect("nobody else");
    assert_eq!(world.owners(), json!({"a": {"f:text": {}}}));
}

#[test]
fn names_and_types_are_not_owned() {
    let mut world = World::new();
    let config = json!({"kind": "Thing", "apiVersion": "v1", "metadata": {"name": "n", "namespace": "ns", "labels": {"l": "1"}}});
    world.apply_whole("a", config).expect("nobody else");
    assert_eq!(world.owners(), json!({"a": {"f:metadata": {"f:labels": {"f:l": {}}}}}));
}

#[test]
fn owners_come_along_into_another_version() {
    let mut world = World::new();
    world.apply("a", json!({"set": ["p", "q"], "text": "1"})).expect("nobody else");
    world.object = Some(json!({"kind": "Thing", "spec": {"names": ["p", "q"], "text": "1"}}));
    world.version = "v2";
    let conflict = world.apply("b", json!({"text": "2"})).expect_err("a owns it in the other version");
    assert_eq!(conflict, r#"Apply failed with 1 conflict: conflict with "a": .spec.text"#);
    world.apply("a", json!({"names": ["q"]})).expect("the same applier in another version");
    assert_eq!(world.spec(), json!({"names": ["q"]}));
    assert_eq!(world.owners(), json!({"a": {"f:names": {"v:\"q\"": {}}}}));
}

#[test]
fn owners_of_a_version_that_is_gone_go() {
    let mut world = World::new();
    world.version = "v0";
    world.apply("a", json!({"text": "1"})).expect("nobody else");
    world.version = "v1";
    world.apply("b", json!({"text": "2"})).expect("nobody is left who owns it");
    assert_eq!(world.owners(), json!({"b": {"f:text": {}}}));
}

#[test]
fn a_part_of_what_became_one_thing_is_the_whole() {
    let mut world = World::new();
    world.apply("a", json!({"struct": {"p": "1"}})).expect("nobody else");
    world.version = "v2";
    world.managers = crate::ownership::Managers::read(Some(&json!([{
        "manager": "a", "operation": "Apply", "apiVersion": "v2", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:struct": {"f:p": {}}}},
    }])))
    .expect("the owners are readable");
    let conflict = world.apply("b", json!({"struct": {"q": "1"}})).expect_err("a owns all of it");
    assert_eq!(conflict, r#"Apply failed with 1 conflict: conflict with "a": .spec.struct"#);
}

#[test]
fn kubectl_takes_over_what_it_applied_from_its_own_side() {
    let last = json!({"kind": "Thing", "apiVersion": "v1", "spec": {"text": "1", "other": "1"}});
    let mut world = World::new();
    world.object = Some(json!({
        "kind": "Thing",
        "apiVersion": "v1",
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": last.to_string()}},
        "spec": {"text": "1", "other": "changed since"},
    }));
    let config =
        |text: &str, other: &str| json!({"kind": "Thing", "apiVersion": "v1", "spec": {"text": text, "other": other}});
    let conflict = world.apply_whole("kubectl", config("2", "2")).expect_err("it changed since");
    assert_eq!(conflict, r#"Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .spec.other"#);
    world.apply_whole("kubectl", config("2", "changed since")).expect("what it had applied is its own");
    let annotation =
        world.object.as_ref().and_then(|object| object.pointer("/metadata/annotations")).expect("it is kept");
    let text = annotation["kubectl.kubernetes.io/last-applied-configuration"].as_str().expect("text");
    assert_eq!(text, format!("{}\n", config("2", "changed since")), "the annotation is kept in step");
    let conflict = world.apply_whole("other", config("3", "changed since")).expect_err("only kubectl's is taken over");
    assert!(conflict.contains("conflict with \"kubectl\""), "{conflict}");
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let mut world = World::new();
    let refused = world.apply("a", json!({"text": 1, "unknown": true})).expect_err("it does not fit");
    assert_eq!(
        refused,
        "errors:\n  .spec.text: expected string, got &value.valueUnstructured{Value:1}\n  .spec.unknown: field not declared in schema"
    );
    assert!(world.apply("a", json!({"set": ["p", "p"]})).is_err());
    assert!(world.managers.is_empty() && world.object.is_none());
}
