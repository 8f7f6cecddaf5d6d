//! The end of namespaces.

use client::fake::Verb;

use super::*;

fn config_map(name: &str, finalizers: &[&str]) -> Value {
    let metadata = json!({ "namespace": "doomed", "name": name, "finalizers": finalizers });
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata })
}

fn condition(fake: &FakeObjects, kind: &str) -> String {
    let status = fake.find("namespaces", "", "doomed").map(|namespace| namespace["status"].clone()).unwrap_or_default();
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let held = conditions.into_iter().find(|held| held["type"] == kind).unwrap_or_default();
    format!("{} {}", held["status"].as_str().unwrap_or("-"), held["message"].as_str().unwrap_or("-"))
}

async fn doom(fake: &FakeObjects) {
    delete(fake, &target("v1", "namespaces", ""), "doomed", Propagation::Background).await;
}

fn is_gone(fake: &FakeObjects) -> bool {
    fake.find("namespaces", "", "doomed").is_none()
}

#[tokio::test]
async fn a_namespace_goes_with_all_it_holds_and_nothing_else() {
    let fake = FakeObjects::new();
    for name in ["doomed", "kept"] {
        fake.put(&namespace(name));
    }
    fake.put(&config_map("a", &[]));
    fake.put(
        &json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "namespace": "doomed", "name": "web" } }),
    );
    fake.put(&json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": "kept", "name": "s" } }));
    fake.put(&json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n" } }));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    doom(fake).await;
    fake.until("it is gone", is_gone).await;
    let left = ["configmaps", "deployments", "serviceaccounts"].map(|plural| keys(fake, plural));
    assert!(left.iter().flatten().all(|key| key.starts_with("kept/")), "{left:?}");
    assert_eq!([keys(fake, "secrets"), keys(fake, "nodes")].concat(), ["kept/s", "n"]);
    platform.stop().await;
}

#[tokio::test]
async fn it_waits_for_finalizers_says_so_and_asks_no_more_than_it_must() {
    let fake = FakeObjects::new();
    fake.put(&namespace("doomed"));
    fake.put(&config_map("a", &["test/hold"]));
    fake.put(&config_map("b", &["test/hold"]));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    doom(fake).await;
    let finalizers = |fake: &FakeObjects| condition(fake, "NamespaceFinalizersRemaining");
    let held = |count: usize| {
        format!("True Some content in the namespace has finalizers remaining: test/hold in {count} resource instances")
    };
    fake.until("it says what holds it", |fake| finalizers(fake) == held(2)).await;
    let remaining = condition(fake, "NamespaceContentRemaining");
    assert_eq!(remaining, "True Some resources are remaining: configmaps. has 2 resource instances");
    let config_maps = target("v1", "configmaps", "doomed");
    quiet(fake).await;
    merge(fake, &config_maps, "a", json!({ "metadata": { "finalizers": null } })).await;
    fake.until("it counts down", |fake| finalizers(fake) == held(1)).await;
    quiet(fake).await;
    merge(fake, &config_maps, "b", json!({ "metadata": { "finalizers": null } })).await;
    fake.until("it is gone", is_gone).await;
    platform.stop().await;
}

#[tokio::test]
async fn pods_go_before_everything_else() {
    let fake = FakeObjects::new();
    fake.put(&namespace("doomed"));
    fake.put(&config_map("a", &[]));
    let metadata = json!({ "namespace": "doomed", "name": "p", "finalizers": ["test/stop"] });
    fake.put(&json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata }));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    doom(fake).await;
    fake.until("it waits for the pod", |fake| condition(fake, "NamespaceContentRemaining").contains("pods.")).await;
    quiet(fake).await;
    assert!(keys(fake, "configmaps").contains(&"doomed/a".to_owned()));
    merge(fake, &target("v1", "pods", "doomed"), "p", json!({ "metadata": { "finalizers": null } })).await;
    fake.until("it is gone", is_gone).await;
    platform.stop().await;
}

#[tokio::test]
async fn failures_are_told_and_tried_again() {
    let fake = FakeObjects::new();
    fake.put(&namespace("doomed"));
    fake.put(&config_map("a", &[]));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    fake.until("the default account", |fake| keys(fake, "serviceaccounts") == ["doomed/default"]).await;
    for _ in 0..3 {
        fake.fail_next(Verb::Delete, "serviceaccounts", api::Status::internal("no luck"));
    }
    fake.fail_next(Verb::Update, "namespaces", api::Status::unavailable("not now"));
    doom(fake).await;
    fake.until("the failure shows", |fake| {
        condition(fake, "NamespaceDeletionContentFailure")
            .starts_with("True Failed to delete all resource types, 1 remaining")
    })
    .await;
    fake.until("it is gone in the end", is_gone).await;
    platform.stop().await;
}

#[tokio::test]
async fn others_may_hold_it_too() {
    let fake = FakeObjects::new();
    let mut held = namespace("doomed");
    held["metadata"]["finalizers"] = json!(["test/outer"]);
    fake.put(&held);
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    doom(fake).await;
    fake.until("our part is done", |fake| {
        fake.find("namespaces", "", "doomed").unwrap()["spec"]["finalizers"] == json!([])
    })
    .await;
    assert_eq!(condition(fake, "NamespaceContentRemaining"), "False All content successfully removed");
    merge(fake, &target("v1", "namespaces", ""), "doomed", json!({ "metadata": { "finalizers": null } })).await;
    assert!(is_gone(fake));
    platform.stop().await;
}
