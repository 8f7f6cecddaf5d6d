//! Tables of histories.

use std::sync::Arc;

use api::{ClusterName, Gvk};
use client::{Item, Object, View};
use serde_json::{Value, json};

use super::{Plan, Recorded, oldest, plan, template_of};
use crate::views::{Revision, StatefulSet, record};

fn item<V: View>(json: &Value) -> Item<V> {
    let object = Object::from_json(ClusterName::root(), json.to_string().into()).unwrap();
    Item { view: V::read(&object).unwrap(), object }
}

fn template(image: &str) -> Value {
    json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "image": image }] } })
}

fn revision(name: &str, number: i64, image: &str) -> Arc<Item<Revision>> {
    Arc::new(item(&json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": { "name": name },
        "data": record(&template(image)), "revision": number,
    })))
}

fn set(image: &str) -> Item<StatefulSet> {
    item(&json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "web", "namespace": "default", "uid": "u", "annotations": { "why": "because" } },
        "spec": { "selector": { "matchLabels": { "app": "web" } }, "template": template(image) },
    }))
}

#[test]
fn a_template_is_recorded_once_and_raised_when_it_comes_back() {
    let held = [revision("a", 1, "one"), revision("b", 2, "two"), revision("c", 3, "three")];
    let check = |image: &str, held: &[Arc<Item<Revision>>], expect: Plan| {
        assert_eq!(plan(&set(image).view.digest, held), expect, "{image}");
    };
    check("one", &[], Plan::Record(1));
    check("three", &held, Plan::Keep(2));
    check("one", &held, Plan::Raise(0, 4));
    check("four", &held, Plan::Record(4));
    // Of two records of the same, the newer counts.
    check("one", &[revision("a", 1, "one"), revision("z", 2, "one")], Plan::Keep(1));
    check("one", &[revision("a", 3, "one"), revision("b", 3, "two")], Plan::Raise(0, 4));
}

#[test]
fn a_revision_records_what_puts_the_template_back() {
    let set = set("one");
    let owner = set.object.value().unwrap();
    let gvk = Gvk::new("apps", "v1", "StatefulSet");
    let recorded = Recorded {
        gvk,
        owner: &set.object,
        digest: &set.view.digest,
        collisions: 0,
        hash_label: "controller.kubernetes.io/hash",
    };
    let data = record(&owner["spec"]["template"]);
    let body = recorded.body(&owner, &data, 7, 0);
    let hash = body["metadata"]["labels"]["controller.kubernetes.io/hash"].as_str().unwrap();
    assert_eq!(body["metadata"]["name"], format!("web-{hash}"));
    assert_eq!(body["metadata"]["labels"]["app"], "web");
    assert_eq!(body["metadata"]["annotations"], json!({ "why": "because" }));
    assert_eq!(body["metadata"]["ownerReferences"][0]["controller"], true);
    assert_eq!(body["revision"], 7);
    assert_eq!(body["data"]["spec"]["template"]["$patch"], "replace");
    let read: Item<Revision> = item(&body);
    assert_eq!(read.view.digest, set.view.digest);
    assert_eq!(template_of(&read).unwrap(), template("one"));
    assert_ne!(recorded.body(&owner, &data, 7, 1)["metadata"]["name"], body["metadata"]["name"]);
}

#[test]
fn the_oldest_are_forgotten_first() {
    let names = |count: usize| -> Vec<String> {
        let all = vec![revision("c", 9, "x"), revision("a", 1, "y"), revision("b", 2, "z")];
        oldest(all, count).iter().map(|revision| revision.object.meta.name.clone()).collect()
    };
    assert_eq!(names(0), Vec::<String>::new());
    assert_eq!(names(2), ["a", "b"]);
    assert_eq!(names(5), ["a", "b", "c"]);
}
