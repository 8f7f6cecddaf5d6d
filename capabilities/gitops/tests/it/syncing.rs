//! Automated and manual syncs, drift, pruning, waves.

use serde_json::{Value, json};

use crate::world::{World, application, config_map};

fn automated(more: Value) -> Value {
    json!({"automated": more, "syncOptions": ["CreateNamespace=true", "PrunePropagationPolicy=background"]})
}

#[tokio::test]
async fn a_new_application_becomes_synced_and_healthy() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({}))));
    let app = world.synced("app", &revision).await;

    let status = &app["status"];
    assert_eq!(status["health"]["status"], "Healthy");
    assert_eq!(status["sourceType"], "Directory");
    assert_eq!(status["controllerNamespace"], "argocd");
    assert_eq!(
        status["resources"],
        json!([{"version": "v1", "kind": "ConfigMap", "namespace": "web", "name": "a", "status": "Synced"}])
    );
    let state = &status["operationState"];
    assert_eq!(state["phase"], "Succeeded");
    assert_eq!(state["message"], "successfully synced (all tasks run)");
    assert_eq!(state["syncResult"]["revision"], revision);
    let told: Vec<&str> = state["syncResult"]["resources"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|result| result["message"].as_str())
        .collect();
    assert_eq!(told, ["namespace/web created", "configmap/a created"]);
    assert_eq!(status["history"][0]["id"], 0);
    assert_eq!(status["history"][0]["revision"], revision);
    assert_eq!(app.get("operation"), None);

    let map = world.fake.find("configmaps", "web", "a").expect("the object was applied");
    assert_eq!(map["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"], "app:/ConfigMap:web/a");
    assert_eq!(world.writes(), 1, "one status write for one sync");
    assert!(world.fake.find("appprojects", "argocd", "default").is_some());
    assert!(world.fake.find("secrets", "argocd", "argocd-initial-admin-secret").is_some());
    let mut reasons: Vec<String> = world
        .fake
        .all("events")
        .iter()
        .filter_map(|event| event.value().ok())
        .map(|event| format!("{}: {}", event["reason"].as_str().unwrap_or(""), event["message"].as_str().unwrap_or("")))
        .collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "OperationCompleted: Sync operation to r-0 succeeded",
            "OperationStarted: Initiated automated sync to 'r-0'",
            "ResourceUpdated: Updated health status:  -> Healthy",
            "ResourceUpdated: Updated sync status:  -> Synced",
        ]
    );
}

#[tokio::test]
async fn a_push_is_applied_with_one_status_write() {
    let world = World::start().await;
    let first = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({}))));
    world.synced("app", &first).await;
    let before = world.writes();
    let second = world.git.push("r", &[("a.yaml", &config_map("a", "2", ""))]);
    let app = world.synced("app", &second).await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
    assert_eq!(world.writes() - before, 1);
    assert_eq!(app["status"]["operationState"]["syncResult"]["resources"][0]["message"], "configmap/a configured");
    assert_eq!(app["status"]["history"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changed() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({"selfHeal": true}))));
    world.synced("app", &revision).await;
    let (writes, calls) = (world.writes(), world.fake.count(client::fake::Verb::Update, "configmaps"));
    // What others add to a managed object is no difference. That it was looked at again shows in
    // the refresh that was asked for, whose end is the only write.
    world.patch("configmaps", "web", "a", json!({"metadata": {"labels": {"theirs": "x"}}})).await;
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}});
    world.patch("applications", "argocd", "app", refresh).await;
    let is_done = |app: &Value| app["metadata"]["annotations"].get("argocd.argoproj.io/refresh").is_none();
    world.until("app", "refreshed", is_done).await;
    world.controller.idle().await;
    assert_eq!(world.writes() - writes, 2, "the user's write and the end of the refresh");
    assert_eq!(world.fake.count(client::fake::Verb::Update, "configmaps"), calls);

    let writes = world.writes();
    let world = world.restart().await;
    world.controller.idle().await;
    assert_eq!(world.writes(), writes, "a restart finds everything as it was reported");
}

#[tokio::test]
async fn drift_is_undone_when_asked() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &config_map("b", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({"selfHeal": true}))));
    world.synced("app", &revision).await;
    world.patch("configmaps", "web", "a", json!({"data": {"key": "drifted"}})).await;
    world.fake.until("the drift is undone", |_| world.data("web", "a") == Some(json!({"key": "1"}))).await;
    let app = world
        .until("app", "the healing is reported", |app| {
            app["status"]["operationState"]["operation"]["sync"]["selfHealAttemptsCount"] == 1
        })
        .await;
    let results = app["status"]["operationState"]["syncResult"]["resources"].as_array().expect("results").clone();
    assert_eq!(results.len(), 1, "only what drifted is synced: {results:?}");
    assert_eq!(app["status"]["history"].as_array().map(Vec::len), Some(1), "healing is no deployment");
}

#[tokio::test]
async fn drift_is_only_shown_when_not_asked() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({}))));
    world.synced("app", &revision).await;
    world.patch("configmaps", "web", "a", json!({"data": {"key": "drifted"}})).await;
    world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    world.controller.idle().await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "drifted"})));
    // The object goes: also noticed.
    world.delete("configmaps", "web", "a").await;
    world.until("app", "missing", |app| app["status"]["resources"][0]["health"]["status"] == "Missing").await;
}

#[tokio::test]
async fn extras_are_pruned_only_when_asked() {
    let world = World::start().await;
    let both: &[(&str, &str)] = &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &config_map("b", "1", ""))];
    let first = world.git.push("r", both);
    world.fake.put(&application("app", "r", automated(json!({}))));
    world.synced("app", &first).await;
    let second = world.git.push("r", &both[..1]);
    let app = world.until("app", "at the new commit", |app| app["status"]["sync"]["revision"] == second.as_str()).await;
    world.controller.idle().await;
    assert_eq!(app["status"]["sync"]["status"], "OutOfSync");
    assert_eq!(app["status"]["resources"][1]["requiresPruning"], true);
    assert!(world.data("web", "b").is_some());

    world.patch("applications", "argocd", "app", json!({"spec": {"syncPolicy": {"automated": {"prune": true}}}})).await;
    let app = world.synced("app", &second).await;
    assert_eq!(world.data("web", "b"), None);
    let results = app["status"]["operationState"]["syncResult"]["resources"].as_array().expect("results").clone();
    let pruned: Vec<&Value> = results.iter().filter(|result| result["status"] == "Pruned").collect();
    assert_eq!(pruned.len(), 1);
    assert_eq!(pruned[0]["message"], "pruned");
}

#[tokio::test]
async fn an_empty_render_prunes_nothing() {
    let world = World::start().await;
    let first = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({"prune": true, "selfHeal": true}))));
    world.synced("app", &first).await;
    let second = world.git.push("r", &[("README.md", "nothing here")]);
    let app = world.until("app", "blocked", |app| app["status"]["conditions"][0]["type"] == "SyncError").await;
    let expect = format!("Skipping sync attempt to {second}: auto-sync will wipe out all resources");
    assert_eq!(app["status"]["conditions"][0]["message"], expect);
    world.controller.idle().await;
    assert!(world.data("web", "a").is_some());

    let policy = json!({"spec": {"syncPolicy": {"automated": {"allowEmpty": true}}}});
    world.patch("applications", "argocd", "app", policy).await;
    world.fake.until("it is pruned", |_| world.data("web", "a").is_none()).await;
}

fn deployment(wave: i32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: first\n  annotations: {{argocd.argoproj.io/sync-wave: \"{wave}\"}}\nspec:\n  replicas: 1\n"
    )
}

#[tokio::test]
async fn a_wave_waits_for_the_health_of_the_one_before() {
    let world = World::start().await;
    let late = config_map("late", "1", "argocd.argoproj.io/sync-wave: \"2\"");
    let revision = world.git.push("r", &[("a.yaml", &deployment(1)), ("b.yaml", &late)]);
    world.fake.put(&application("app", "r", automated(json!({}))));
    let app = world.until("app", "waiting", |app| app["status"]["operationState"]["phase"] == "Running").await;
    let message = &app["status"]["operationState"]["message"];
    assert_eq!(message, "waiting for healthy state of apps/Deployment/first");
    assert!(app["operation"].is_object(), "an operation that waits stands on the object");
    world.controller.idle().await;
    assert_eq!(world.data("web", "late"), None);

    // A new process goes on where the old one was.
    let world = world.restart().await;
    let well =
        json!({"status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}});
    world.patch("deployments", "web", "first", well).await;
    let app = world.synced("app", &revision).await;
    assert_eq!(app["status"]["operationState"]["phase"], "Succeeded");
    assert_eq!(app.get("operation"), None);
    assert!(world.data("web", "late").is_some());
}

#[tokio::test]
async fn what_is_deleted_while_a_wave_waits_is_made_again() {
    let world = World::start().await;
    let late = config_map("late", "1", "argocd.argoproj.io/sync-wave: \"2\"");
    world.git.push("r", &[("a.yaml", &deployment(1)), ("b.yaml", &late)]);
    world.fake.put(&application("app", "r", automated(json!({}))));
    world.until("app", "waiting", |app| app["status"]["operationState"]["phase"] == "Running").await;
    let gvr = client::fake::gvr("apps/v1", "deployments");
    let deployments = client::Target::namespaced(&api::ClusterName::root(), &gvr, "web");
    let objects = world.fake.objects();
    objects.delete(&deployments, "first", client::DeleteOptions::default()).await.expect("the delete is accepted");
    world.fake.until("it is made again", |fake| fake.find("deployments", "web", "first").is_some()).await;
    world.controller.idle().await;
    assert_eq!(world.app("app")["status"]["operationState"]["phase"], "Running");
    assert_eq!(world.data("web", "late"), None, "the next wave still waits");
}

#[tokio::test]
async fn a_manual_sync_does_what_it_says() {
    let world = World::start().await;
    let both: &[(&str, &str)] = &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &config_map("b", "1", ""))];
    let revision = world.git.push("r", both);
    world.fake.put(&application("app", "r", json!({"syncOptions": ["CreateNamespace=true"]})));
    world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    world.controller.idle().await;
    assert_eq!(world.data("web", "a"), None, "nothing is synced unasked");

    let dry = json!({"operation": {"sync": {"dryRun": true}}});
    world.patch("applications", "argocd", "app", dry).await;
    let app = world.until("app", "tried", |app| app["status"]["operationState"]["phase"] == "Succeeded").await;
    let results = app["status"]["operationState"]["syncResult"]["resources"].to_string();
    assert!(results.contains("configmap/a created (dry run)"), "{results}");
    assert_eq!(world.data("web", "a"), None);

    let partial = json!({"operation": {
        "sync": {"resources": [{"kind": "ConfigMap", "name": "b"}]}, "initiatedBy": {"username": "me"},
    }});
    world.patch("applications", "argocd", "app", partial).await;
    world.fake.until("the one object is there", |_| world.data("web", "b").is_some()).await;
    world.until("app", "the partial sync ended", |app| app.get("operation").is_none()).await;
    assert_eq!(world.data("web", "a"), None);

    world.patch("applications", "argocd", "app", json!({"operation": {"sync": {}}})).await;
    let app = world.synced("app", &revision).await;
    assert_eq!(app.get("operation"), None);
    assert_eq!(app["status"]["history"].as_array().map(Vec::len), Some(1), "only the whole sync is a deployment");
}

#[tokio::test]
async fn a_failed_sync_is_tried_again_and_then_told() {
    let world = World::start().await;
    let custom = "apiVersion: x.io/v1\nkind: Thing\nmetadata:\n  name: t\n";
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("t.yaml", custom)]);
    let policy = json!({"automated": {}, "syncOptions": ["CreateNamespace=true"], "retry": {"limit": 0}});
    world.fake.put(&application("app", "r", policy));
    let app = world.until("app", "failed", |app| app["status"]["conditions"][0]["type"] == "SyncError").await;
    let state = &app["status"]["operationState"];
    assert_eq!(state["phase"], "Failed");
    assert_eq!(state["message"], "one or more synchronization tasks are not valid");
    let results = state["syncResult"]["resources"].to_string();
    assert!(results.contains("Make sure the \\\"Thing\\\" CRD is installed on the destination cluster."), "{results}");
    assert_eq!(world.data("web", "a"), None, "nothing is half made");

    let retrying = json!({"automated": {}, "syncOptions": ["CreateNamespace=true"], "retry": {"limit": 3}});
    world.fake.put(&application("again", "r", retrying));
    let app = world.until("again", "retrying", |app| app["status"]["operationState"]["retryCount"] == 1).await;
    let message = app["status"]["operationState"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.ends_with("Retrying attempt #1 at 12:00AM."), "{message}");
    assert_eq!(app["status"]["operationState"]["phase"], "Running");
}

#[tokio::test]
async fn definitions_come_before_their_objects() {
    let world = World::start().await;
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.x.io\nspec:\n  group: x.io\n  scope: Namespaced\n  names: {kind: Thing, plural: things}\n  versions:\n  - {name: v1, served: true, storage: true}\n";
    let custom = "apiVersion: x.io/v1\nkind: Thing\nmetadata:\n  name: t\n";
    let revision = world.git.push("r", &[("a.yaml", custom), ("b.yaml", definition)]);
    world.fake.put(&application("app", "r", automated(json!({}))));
    world.synced("app", &revision).await;
    assert!(world.fake.find("things", "web", "t").is_some());
}

#[tokio::test]
async fn an_object_of_another_application_is_told() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.git.push("s", &[("a.yaml", &config_map("a", "2", ""))]);
    world.fake.put(&application("one", "r", automated(json!({"selfHeal": true}))));
    world.synced("one", &revision).await;
    let careful = json!({"automated": {}, "syncOptions": ["FailOnSharedResource=true"], "retry": {"limit": 0}});
    world.fake.put(&application("two", "s", careful));
    let app = world.until("two", "refused", |app| app["status"]["operationState"]["phase"] == "Failed").await;
    let message = app["status"]["operationState"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("Shared resource found: ConfigMap/a"), "{message}");
    let told = app["status"]["conditions"].to_string();
    assert!(told.contains("ConfigMap/a is part of applications two and one"), "{told}");
    world.controller.idle().await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "1"})));

    // One that does not care takes it; the first one says so and does not take it back.
    world.fake.put(&application("three", "s", automated(json!({}))));
    world.synced("three", "s-0").await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
    let app = world
        .until("one", "its loss is told", |app| app["status"]["conditions"][0]["type"] == "SharedResourceWarning")
        .await;
    assert_eq!(app["status"]["sync"]["status"], "OutOfSync");
}

#[tokio::test]
async fn another_cluster_of_the_platform_is_a_destination() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    let mut app = application("app", "r", automated(json!({"selfHeal": true})));
    app["spec"]["destination"]["server"] = json!("https://127.0.0.1:6443/clusters/dev");
    world.fake.put(&app);
    world.synced("app", "r-0").await;
    let found = world.fake.all("configmaps");
    assert_eq!(found.iter().map(|map| map.cluster.as_str()).collect::<Vec<_>>(), ["dev"]);
    assert_eq!(found[0].meta.annotations["argocd.argoproj.io/installation-id"], "root");

    let dev = api::ClusterName::new("dev").expect("a name");
    let target = client::Target::namespaced(&dev, &client::fake::gvr("v1", "configmaps"), "web");
    let objects = world.fake.objects();
    objects.delete(&target, "a", client::DeleteOptions::default()).await.expect("the delete is accepted");
    world.fake.until("it is made again", |fake| fake.all("configmaps").len() == 1).await;
}

#[tokio::test]
async fn an_operation_can_be_ended() {
    let world = World::start().await;
    let late = config_map("late", "1", "argocd.argoproj.io/sync-wave: \"2\"");
    world.git.push("r", &[("a.yaml", &deployment(1)), ("b.yaml", &late)]);
    world.fake.put(&application("app", "r", json!({"syncOptions": ["CreateNamespace=true"]})));
    world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    world.patch("applications", "argocd", "app", json!({"operation": {"sync": {}}})).await;
    world.until("app", "waiting", |app| app["status"]["operationState"]["phase"] == "Running").await;
    let terminate = json!({"status": {"operationState": {"phase": "Terminating"}}});
    world.patch("applications", "argocd", "app", terminate).await;
    let app = world.until("app", "ended", |app| app["status"]["operationState"]["phase"] == "Failed").await;
    assert_eq!(app["status"]["operationState"]["message"], "Operation terminated");
    assert_eq!(app.get("operation"), None);
    assert_eq!(world.data("web", "late"), None);
}

#[tokio::test]
async fn a_lost_race_for_the_status_is_run_again() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    let conflict = api::Status::stale(&client::fake::gvr("argoproj.io/v1alpha1", "applications"), "app");
    world.fake.fail_next(client::fake::Verb::Patch, "applications", conflict);
    let conflict = api::Status::stale(&client::fake::gvr("v1", "configmaps"), "a");
    world.fake.fail_next(client::fake::Verb::Update, "configmaps", conflict);
    world.fake.put(&application("app", "r", automated(json!({}))));
    world.synced("app", &revision).await;
    let newer = world.git.push("r", &[("a.yaml", &config_map("a", "2", ""))]);
    world.synced("app", &newer).await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
}

#[tokio::test]
async fn a_newer_commit_takes_the_place_of_one_that_cannot_end() {
    let world = World::start().await;
    let late = config_map("late", "1", "argocd.argoproj.io/sync-wave: \"2\"");
    world.git.push("r", &[("a.yaml", &deployment(1)), ("b.yaml", &late)]);
    world.fake.put(&application("app", "r", automated(json!({"prune": true}))));
    world.until("app", "waiting", |app| app["status"]["operationState"]["phase"] == "Running").await;
    let also_stuck = world.git.push("r", &[("a.yaml", &deployment(0)), ("b.yaml", &late)]);
    let app = world
        .until("app", "waiting for the second", |app| app["operation"]["sync"]["revision"] == also_stuck.as_str())
        .await;
    assert_eq!(app["status"]["operationState"]["syncResult"]["revision"], also_stuck);
    assert_eq!(app["status"]["operationState"]["phase"], "Running");
    let mended = world.git.push("r", &[("b.yaml", &late)]);
    let app = world.synced("app", &mended).await;
    assert_eq!(app["status"]["operationState"]["phase"], "Succeeded");
    assert_eq!(app.get("operation"), None);
    assert!(world.data("web", "late").is_some());
    assert!(world.fake.all("deployments").is_empty());
}

#[tokio::test]
async fn one_live_change_after_the_other_is_undone_at_once() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &config_map("b", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({"selfHeal": true}))));
    world.synced("app", &revision).await;
    // The clock of this world stands still, so whatever waits for a time never comes.
    for name in ["a", "b", "a", "b"] {
        world.patch("configmaps", "web", name, json!({"data": {"key": "drifted"}})).await;
        world.fake.until("the drift is undone", |_| world.data("web", name) == Some(json!({"key": "1"}))).await;
    }
}

#[tokio::test]
async fn what_is_held_in_deletion_is_made_again_when_it_is_gone() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({"selfHeal": true}))));
    world.synced("app", &revision).await;
    world.patch("configmaps", "web", "a", json!({"metadata": {"finalizers": ["x.io/held"]}})).await;
    world.delete("configmaps", "web", "a").await;
    let app = world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    world.controller.idle().await;
    assert_eq!(world.app("app")["metadata"]["resourceVersion"], app["metadata"]["resourceVersion"], "nothing is tried");
    world.patch("configmaps", "web", "a", json!({"metadata": {"finalizers": null}})).await;
    let is_new = |_: &client::fake::FakeObjects| {
        let made = world.fake.find("configmaps", "web", "a");
        made.is_some_and(|made| made["metadata"].get("deletionTimestamp").is_none())
    };
    world.fake.until("it is made again", is_new).await;
    world.synced("app", &revision).await;
}

#[tokio::test]
async fn a_sync_waits_for_what_is_being_deleted() {
    let world = World::start().await;
    let first = world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &config_map("b", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({}))));
    world.synced("app", &first).await;
    world.patch("configmaps", "web", "a", json!({"metadata": {"finalizers": ["x.io/held"]}})).await;
    world.delete("configmaps", "web", "a").await;
    let second = world.git.push("r", &[("a.yaml", &config_map("a", "2", "")), ("b.yaml", &config_map("b", "2", ""))]);
    let app = world.until("app", "waiting", |app| app["status"]["operationState"]["phase"] == "Running").await;
    assert_eq!(app["status"]["operationState"]["message"], "waiting for deletion of /ConfigMap/a");
    assert_eq!(world.data("web", "b"), Some(json!({"key": "2"})), "what can be done is done");
    world.patch("configmaps", "web", "a", json!({"metadata": {"finalizers": null}})).await;
    world.synced("app", &second).await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
}

#[tokio::test]
async fn a_namespace_that_is_deleted_comes_back_when_it_is_gone() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&application("app", "r", automated(json!({"selfHeal": true}))));
    world.synced("app", &revision).await;
    let uid = |world: &World| world.fake.find("namespaces", "", "web").map(|found| found["metadata"]["uid"].clone());
    let before = uid(&world).expect("the namespace is there");
    // As the API server and the namespace controller do it.
    world.delete_cluster("namespaces", "web").await;
    world.delete("configmaps", "web", "a").await;
    world.until("app", "missing", |app| app["status"]["health"]["status"] == "Missing").await;
    world.controller.idle().await;
    assert_eq!(world.data("web", "a"), None, "nothing is made in a namespace that goes");
    world.finalize("web").await;
    world.fake.until("the namespace is new", |_| uid(&world).is_some_and(|now| now != before)).await;
    let app = world.synced("app", &revision).await;
    assert!(world.data("web", "a").is_some());
    assert_eq!(app["status"]["operationState"]["phase"], "Succeeded");
    assert_eq!(app["status"]["operationState"].get("retryCount"), None, "no attempt failed");
}

#[tokio::test]
async fn instances_wait_for_their_definition_to_be_gone() {
    let world = World::start().await;
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.x.io\nspec:\n  group: x.io\n  scope: Namespaced\n  names: {kind: Thing, plural: things}\n  versions:\n  - {name: v1, served: true, storage: true}\n";
    let custom = "apiVersion: x.io/v1\nkind: Thing\nmetadata:\n  name: t\n";
    let revision = world.git.push("r", &[("a.yaml", custom), ("b.yaml", definition)]);
    world.fake.put(&application("app", "r", automated(json!({"selfHeal": true}))));
    world.synced("app", &revision).await;
    let held = json!({"metadata": {"finalizers": ["customresourcecleanup.apiextensions.k8s.io"]}});
    world.patch_at(&world.definitions(), "things.x.io", held).await;
    world
        .fake
        .objects()
        .delete(&world.definitions(), "things.x.io", client::DeleteOptions::default())
        .await
        .expect("ok");
    let things = client::Target::namespaced(&api::ClusterName::root(), &client::fake::gvr("x.io/v1", "things"), "web");
    world.fake.objects().delete(&things, "t", client::DeleteOptions::default()).await.expect("the delete is accepted");
    let is_missing = |app: &Value| {
        let resources = app["status"]["resources"].as_array().cloned().unwrap_or_default();
        resources.iter().any(|one| one["kind"] == "Thing" && one["health"]["status"] == "Missing")
    };
    world.until("app", "missing", is_missing).await;
    world.controller.idle().await;
    assert!(world.fake.find("things", "web", "t").is_none(), "no instance holds up its definition");
    world.patch_at(&world.definitions(), "things.x.io", json!({"metadata": {"finalizers": null}})).await;
    world.fake.until("both are back", |fake| fake.find("things", "web", "t").is_some()).await;
    world.synced("app", &revision).await;
}

#[tokio::test]
async fn what_a_gone_application_left_is_taken_by_who_wants_it() {
    let world = World::start().await;
    let revision = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.git.push("s", &[("a.yaml", &config_map("a", "2", ""))]);
    world.fake.put(&application("one", "r", automated(json!({"selfHeal": true}))));
    world.synced("one", &revision).await;
    world.fake.put(&application("two", "s", automated(json!({}))));
    world.synced("two", "s-0").await;
    world
        .until("one", "its loss is told", |app| app["status"]["conditions"][0]["type"] == "SharedResourceWarning")
        .await;
    world.controller.idle().await;
    world.delete("applications", "argocd", "two").await;
    let app = world.synced("one", &revision).await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "1"})));
    assert_eq!(app["status"].get("conditions"), None);
}

#[tokio::test]
async fn a_cluster_that_was_made_again_gets_its_project_again() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    let dev = api::ClusterName::new("dev").expect("a name");
    let at = |plural| client::Target::namespaced(&dev, &client::fake::gvr("argoproj.io/v1alpha1", plural), "argocd");
    let objects = world.fake.objects();
    for _ in 0..2 {
        let app = application("inner", "r", automated(json!({}))).to_string();
        objects.create(&at("applications"), app.into(), client::WriteOptions::default()).await.expect("it is accepted");
        let project = |fake: &client::fake::FakeObjects| fake.all("appprojects").iter().any(|one| one.cluster == dev);
        world.fake.until("the cluster has the project", project).await;
        world.controller.idle().await;
        for (plural, name) in [("applications", "inner"), ("appprojects", "default")] {
            objects.delete(&at(plural), name, client::DeleteOptions::default()).await.expect("it is accepted");
        }
        world.controller.idle().await;
    }
}

fn with_data(data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: web\ndata: {data}\n")
}

#[tokio::test]
async fn what_git_states_no_more_goes_and_what_others_own_stays() {
    let world = World::start().await;
    world.git.push("app", &[("map.yaml", &with_data("{a: one, b: two}"))]);
    world.fake.put(&application(
        "app",
        "app",
        json!({"automated": {"selfHeal": true}, "syncOptions": ["CreateNamespace=true"]}),
    ));
    world.synced("app", "app-0").await;
    world.patch("configmaps", "web", "settings", json!({"data": {"theirs": "stays"}})).await;
    world.controller.idle().await;
    assert_eq!(world.app("app")["status"]["sync"]["status"], "Synced", "another's field is no difference");
    let revision = world.git.push("app", &[("map.yaml", &with_data("{a: three}"))]);
    world.synced("app", &revision).await;
    assert_eq!(world.data("web", "settings"), Some(json!({"a": "three", "theirs": "stays"})));
}

#[tokio::test]
async fn what_was_applied_from_the_client_side_comes_over() {
    let world = World::start().await;
    let last = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "web"}, "data": {"a": "one", "old": "goes"}});
    world.fake.put(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}));
    world.fake.put(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "settings", "namespace": "web",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": last.to_string()},
            "managedFields": [{
                "manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                "fieldsV1": {
                    "f:metadata": {"f:annotations": {".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}}},
                    "f:data": {".": {}, "f:a": {}, "f:old": {}},
                },
            }],
        },
        "data": {"a": "one", "old": "goes", "theirs": "stays"},
    }));
    world.git.push("app", &[("map.yaml", &with_data("{a: one}"))]);
    world.fake.put(&application("app", "app", json!({"automated": {}})));
    world.synced("app", "app-0").await;
    assert_eq!(world.data("web", "settings"), Some(json!({"a": "one", "theirs": "stays"})));
    let map = world.fake.find("configmaps", "web", "settings").expect("it is there");
    assert_eq!(map["metadata"]["annotations"].get("kubectl.kubernetes.io/last-applied-configuration"), None);
    assert_eq!(map["metadata"]["managedFields"].as_array().map(Vec::len), Some(1), "{map}");
    assert_eq!(map["metadata"]["managedFields"][0]["manager"], "argocd-controller");
}
