//! What goes with an Application, and what stays.

use serde_json::json;

use crate::world::{World, application, config_map};

const POLICY: &str = r#"{"automated": {}, "syncOptions": ["CreateNamespace=true"]}"#;

#[tokio::test]
async fn a_cascade_takes_the_objects_along() {
    let world = World::start().await;
    let kept = config_map("kept", "1", "argocd.argoproj.io/sync-options: Delete=false");
    let late = config_map("late", "1", "argocd.argoproj.io/sync-wave: \"5\"");
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("k.yaml", &kept), ("l.yaml", &late)]);
    let mut app = application("app", "r", serde_json::from_str(POLICY).expect("a policy"));
    app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io/background"]);
    world.fake.put(&app);
    world.synced("app", &revision).await;
    world.delete("applications", "argocd", "app").await;
    world.fake.until("the application is gone", |fake| fake.find("applications", "argocd", "app").is_none()).await;
    assert_eq!(world.data("web", "a"), None);
    assert_eq!(world.data("web", "late"), None);
    assert!(world.data("web", "kept").is_some());
    let order: Vec<String> = world
        .fake
        .calls()
        .into_iter()
        .filter(|call| call.verb == client::fake::Verb::Delete && call.resource == "configmaps")
        .map(|call| call.name)
        .collect();
    assert_eq!(order, ["late", "a"]);
}

#[tokio::test]
async fn a_cascade_waits_for_what_is_held() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    let mut app = application("app", "r", serde_json::from_str(POLICY).expect("a policy"));
    app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io/background"]);
    world.fake.put(&app);
    world.synced("app", &revision).await;
    world.patch("configmaps", "web", "a", json!({"metadata": {"finalizers": ["x.io/held"]}})).await;
    world.delete("applications", "argocd", "app").await;
    world
        .fake
        .until("the object is on its way out", |fake| {
            fake.find("configmaps", "web", "a").is_some_and(|map| map["metadata"]["deletionTimestamp"].is_string())
        })
        .await;
    world.controller.idle().await;
    assert!(world.fake.find("applications", "argocd", "app").is_some());
    world.patch("configmaps", "web", "a", json!({"metadata": {"finalizers": null}})).await;
    world.fake.until("the application is gone", |fake| fake.find("applications", "argocd", "app").is_none()).await;
}

#[tokio::test]
async fn without_a_finalizer_everything_stays() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", serde_json::from_str(POLICY).expect("a policy")));
    world.synced("app", &revision).await;
    world.delete("applications", "argocd", "app").await;
    world.controller.idle().await;
    assert!(world.data("web", "a").is_some());
}
