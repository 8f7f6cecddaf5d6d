//! Hooks that run when an Application goes.

use serde_json::{Value, json};

use crate::world::{World, application, config_map, hook, job};

const PRE: &str = "pre-delete-finalizer.argocd.argoproj.io";
const POST: &str = "post-delete-finalizer.argocd.argoproj.io";
const CASCADE: &str = "resources-finalizer.argocd.argoproj.io/background";

fn policy() -> Value {
    json!({"automated": {}, "syncOptions": ["CreateNamespace=true", "PrunePropagationPolicy=background"]})
}

fn finalizers(app: &Value) -> Vec<String> {
    let list = app["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_gone(fake: &client::fake::FakeObjects) -> bool {
    fake.find("applications", "argocd", "app").is_none()
}

async fn synced(files: &[(&str, &str)]) -> World {
    let world = World::start().await;
    let revision = world.git.push("r", files);
    let mut app = application("app", "r", policy());
    app["metadata"]["finalizers"] = json!([CASCADE]);
    world.fake.put(&app);
    world.synced("app", &revision).await;
    world
}

#[tokio::test]
async fn hooks_hold_the_application_only_while_they_are_wanted() {
    let world = synced(&[
        ("a.yaml", &config_map("a", "1", "")),
        ("b.yaml", &hook("first", "PreDelete")),
        ("c.yaml", &job("last", "helm.sh/hook: post-delete")),
    ])
    .await;
    let held = finalizers(&world.app("app"));
    let cleanup = |name: &str| format!("{name}/cleanup");
    assert_eq!(held, [CASCADE.to_owned(), PRE.to_owned(), cleanup(PRE), POST.to_owned(), cleanup(POST)]);
    assert!(world.fake.all("jobs").is_empty(), "they are no part of a sync");
    assert_eq!(world.app("app")["status"]["resources"].as_array().map(Vec::len), Some(1));
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.synced("app", &revision).await;
    assert_eq!(finalizers(&world.app("app")), [CASCADE]);
}

#[tokio::test]
async fn an_application_goes_with_its_hooks_before_and_after() {
    let succeeded = |name: &str, phase: &str| {
        job(name, &format!("argocd.argoproj.io/hook: {phase}, argocd.argoproj.io/hook-delete-policy: HookSucceeded"))
    };
    let files = [
        ("a.yaml", config_map("a", "1", "")),
        ("b.yaml", succeeded("first", "PreDelete")),
        ("c.yaml", succeeded("last", "PostDelete")),
        ("d.yaml", hook("stays", "PostDelete")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let mut world = synced(&files).await;
    world.delete("applications", "argocd", "app").await;
    world.job("first").await;
    // A new process finds the hook that the old one made.
    world = world.restart().await;
    world.controller.idle().await;
    assert!(world.data("web", "a").is_some(), "objects wait for the hooks");
    assert!(!world.has_job("last"));
    world.end_job("first", "Complete").await;
    world.job("last").await;
    assert_eq!(world.data("web", "a"), None, "the hooks wait for the objects");
    assert!(!world.has_job("first"), "it is cleaned up before the objects go");
    world = world.restart().await;
    world.end_job("last", "Complete").await;
    world.controller.idle().await;
    assert!(!is_gone(&world.fake), "every hook is waited for");
    world.end_job("stays", "Complete").await;
    world.fake.until("the application is gone", is_gone).await;
    assert!(!world.has_job("last"));
    assert!(world.has_job("stays"), "one that asks for no deletion is left");
}

#[tokio::test]
async fn a_hook_that_fails_holds_the_application_and_is_tried_again() {
    let world = synced(&[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("first", "PreDelete"))]).await;
    world.delete("applications", "argocd", "app").await;
    let first = world.job("first").await;
    world.end_job("first", "Failed").await;
    let is_told = |app: &Value| app["status"]["conditions"].to_string().contains("PreDelete hook(s) failed: web/first");
    let app = world.until("app", "told", is_told).await;
    assert_eq!(app["status"]["conditions"][0]["type"], "DeletionError");
    let is_new = |fake: &client::fake::FakeObjects| {
        let found = fake.find("jobs", "web", "first");
        found.is_some_and(|job| job["metadata"]["uid"] != first["metadata"]["uid"])
    };
    world.fake.until("it is made again", is_new).await;
    assert!(world.data("web", "a").is_some());
    world.end_job("first", "Complete").await;
    world.fake.until("the application is gone", is_gone).await;
    assert_eq!(world.data("web", "a"), None);
}

#[tokio::test]
async fn hooks_run_without_a_cascade_too() {
    let world = World::start().await;
    let generated = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: bye-\n  annotations: {argocd.argoproj.io/hook: PostDelete}\n";
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", generated)]);
    world.fake.put(&application("app", "r", policy()));
    world.synced("app", &revision).await;
    world.delete("applications", "argocd", "app").await;
    let name = "bye-r-0-postdelete-1767225600";
    world.job(name).await;
    world.controller.idle().await;
    assert_eq!(world.fake.all("jobs").len(), 1);
    world.end_job(name, "Complete").await;
    world.fake.until("the application is gone", is_gone).await;
    assert!(world.data("web", "a").is_some(), "objects stay without a resources finalizer");
}

#[tokio::test]
async fn what_may_not_be_made_is_no_hook_either() {
    let world = synced(&[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("first", "PreDelete"))]).await;
    world
        .patch(
            "appprojects",
            "argocd",
            "default",
            json!({
                "spec": {"namespaceResourceBlacklist": [{"group": "batch", "kind": "Job"}]},
            }),
        )
        .await;
    world.controller.idle().await;
    world.delete("applications", "argocd", "app").await;
    let is_told = |app: &Value| app["status"]["conditions"].to_string().contains("is not permitted in project default");
    world.until("app", "told", is_told).await;
    assert!(world.fake.all("jobs").is_empty());
}
