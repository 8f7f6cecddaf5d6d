//! Hooks of a sync: phases, results, policies. The jobs are ended by hand.

use serde_json::{Value, json};

use crate::world::{World, application, config_map, hook, job};

const FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";

fn policy(retries: i64) -> Value {
    let options = ["CreateNamespace=true", "PrunePropagationPolicy=background"];
    json!({"automated": {}, "syncOptions": options, "retry": {"limit": retries}})
}

fn with_policy(name: &str, phase: &str, policy: &str) -> String {
    job(name, &format!("argocd.argoproj.io/hook: {phase:?}, argocd.argoproj.io/hook-delete-policy: {policy:?}"))
}

fn deployment() -> String {
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n".to_owned()
}

async fn make_healthy(world: &World) {
    let well =
        json!({"status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}});
    world.patch("deployments", "web", "web", well).await;
}

/// Results of an operation, each in one line.
fn results(app: &Value) -> Vec<String> {
    let text = |result: &Value, name: &str| result[name].as_str().unwrap_or("-").to_owned();
    let results = app["status"]["operationState"]["syncResult"]["resources"].as_array().cloned().unwrap_or_default();
    let line = |result: &Value| {
        ["syncPhase", "name", "status", "hookType", "hookPhase", "message"].map(|name| text(result, name)).join(" | ")
    };
    results.iter().map(line).collect()
}

#[tokio::test]
async fn phases_come_one_after_the_other() {
    let world = World::start().await;
    let revision = world.git.push(
        "r",
        &[
            ("a.yaml", &config_map("a", "1", "")),
            ("b.yaml", &deployment()),
            ("c.yaml", &hook("before", "PreSync")),
            ("d.yaml", &hook("after", "PostSync")),
            ("e.yaml", &hook("consolation", "SyncFail")),
        ],
    );
    world.fake.put(&application("app", "r", policy(0)));
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.controller.idle().await;
    let made = world.job("before").await;
    assert_eq!(made["metadata"]["finalizers"], json!([FINALIZER]));
    let id = &made["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"];
    assert_eq!(id, "app:batch/Job:web/before");
    assert_eq!(world.data("web", "a"), None, "nothing is applied before the first phase is over");

    world.end_job("before", "Complete").await;
    world.told("app", "waiting for healthy state of apps/Deployment/web").await;
    assert!(world.data("web", "a").is_some());
    assert!(world.job("before").await["metadata"].get("finalizers").is_none_or(|list| *list == json!([])));
    assert!(!world.has_job("after"), "the last phase waits for what was applied");

    make_healthy(&world).await;
    world.told("app", "waiting for completion of hook batch/Job/after").await;
    assert_eq!(world.app("app")["status"]["operationState"]["phase"], "Running");
    world.end_job("after", "Complete").await;
    let app = world.told("app", "successfully synced (no more tasks)").await;
    assert_eq!(app["status"]["operationState"]["phase"], "Succeeded");
    assert_eq!(
        results(&app),
        [
            "PreSync | web | Synced | - | Succeeded | namespace/web created",
            "PreSync | before | Synced | PreSync | Succeeded | before is Complete",
            "Sync | a | Synced | - | Succeeded | configmap/a created",
            "Sync | web | Synced | - | Succeeded | deployment.apps/web created",
            "PostSync | after | Synced | PostSync | Succeeded | after is Complete",
        ]
    );
    let app = world.synced("app", &revision).await;
    let listed: Vec<Value> = app["status"]["resources"].as_array().cloned().unwrap_or_default();
    let left: Vec<&Value> = listed.iter().filter(|one| one["kind"] == "Job").collect();
    let expect = |name: &str| json!({"group": "batch", "version": "v1", "kind": "Job", "namespace": "web", "name": name, "hook": true, "requiresPruning": true});
    assert_eq!(left, [&expect("after"), &expect("before")], "hooks stay and are not compared");
    assert!(!world.has_job("consolation"));
    assert_eq!(app["status"]["history"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_next_sync_runs_them_anew() {
    let world = World::start().await;
    let files = |value| [("a.yaml", config_map("a", value, "")), ("b.yaml", hook("before", "PreSync"))];
    let push = |value| {
        let files = files(value);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        world.git.push("r", &files)
    };
    push("1");
    world.fake.put(&application("app", "r", policy(0)));
    let first = world.job("before").await;
    world.end_job("before", "Complete").await;
    world.told("app", "successfully synced (all tasks run)").await;
    world.controller.idle().await;

    let revision = push("2");
    let is_new = |fake: &client::fake::FakeObjects| {
        let uid = |job: &Value| job["metadata"]["uid"].clone();
        fake.find("jobs", "web", "before").is_some_and(|job| uid(&job) != uid(&first))
    };
    world.fake.until("the hook is made anew", is_new).await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "1"})));
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.end_job("before", "Complete").await;
    world.synced("app", &revision).await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
}

#[tokio::test]
async fn a_hook_that_fails_ends_the_sync_after_its_consolation() {
    let world = World::start().await;
    world.git.push(
        "r",
        &[
            ("a.yaml", &config_map("a", "1", "")),
            ("b.yaml", &with_policy("before", "PreSync", "HookFailed")),
            ("c.yaml", &with_policy("calm", "PreSync", "HookSucceeded")),
            ("d.yaml", &hook("consolation", "SyncFail")),
        ],
    );
    world.fake.put(&application("app", "r", policy(0)));
    world.told("app", "waiting for completion of hook batch/Job/before and 1 more hooks").await;
    world.end_job("before", "Failed").await;
    world.told("app", "waiting for completion of hook batch/Job/calm").await;
    assert!(!world.has_job("consolation"), "what runs is waited for");
    world.end_job("calm", "Complete").await;
    world.told("app", "waiting for completion of hook batch/Job/consolation").await;
    assert_eq!(world.app("app")["status"]["operationState"]["phase"], "Running");
    world.end_job("consolation", "Complete").await;
    let app = world.told("app", "one or more synchronization tasks completed unsuccessfully").await;
    assert_eq!(app["status"]["operationState"]["phase"], "Failed");
    assert_eq!(
        results(&app),
        [
            "PreSync | web | Synced | - | Succeeded | namespace/web created",
            "PreSync | before | Synced | PreSync | Failed | before is Failed",
            "PreSync | calm | Synced | PreSync | Succeeded | calm is Complete",
            "SyncFail | consolation | Synced | SyncFail | Succeeded | consolation is Complete",
        ]
    );
    assert_eq!(world.data("web", "a"), None);
    assert!(!world.has_job("before"), "it goes with a failure");
    assert!(world.has_job("calm"), "it goes with a success only");
}

#[tokio::test]
async fn a_failed_hook_is_tried_again_when_asked() {
    let world = World::start().await;
    world.git.push("r", &[("b.yaml", &hook("before", "PreSync")), ("a.yaml", &config_map("a", "1", ""))]);
    let mut retrying = policy(1);
    retrying["retry"]["backoff"] = json!({"duration": "0s"});
    world.fake.put(&application("app", "r", retrying));
    let first = world.job("before").await;
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.end_job("before", "Failed").await;
    let is_new = |fake: &client::fake::FakeObjects| {
        let uid = |job: &Value| job["metadata"]["uid"].clone();
        fake.find("jobs", "web", "before").is_some_and(|job| uid(&job) != uid(&first))
    };
    world.fake.until("the hook is made anew", is_new).await;
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.end_job("before", "Failed").await;
    let told = "one or more synchronization tasks completed unsuccessfully (retried 1 times).";
    let app = world.told("app", told).await;
    assert_eq!(app["status"]["operationState"]["phase"], "Failed");
    assert_eq!(app["status"]["operationState"]["retryCount"], 1);
}

#[tokio::test]
async fn a_success_takes_hooks_along_that_ask_for_it() {
    let world = World::start().await;
    let files = [
        ("a.yaml", config_map("a", "1", "")),
        ("b.yaml", with_policy("gone", "PreSync", "HookSucceeded")),
        ("c.yaml", with_policy("both", "Sync", "HookFailed,HookSucceeded")),
        ("d.yaml", with_policy("stays", "PostSync", "HookFailed")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    world.git.push("r", &files);
    world.fake.put(&application("app", "r", policy(0)));
    for name in ["gone", "both", "stays"] {
        world.told("app", &format!("waiting for completion of hook batch/Job/{name}")).await;
        assert_eq!(world.data("web", "a").is_some(), name != "gone");
        assert!(world.has_job("gone"), "they go when the sync is over");
        world.end_job(name, "Complete").await;
    }
    world.told("app", "successfully synced (no more tasks)").await;
    assert_eq!([world.has_job("gone"), world.has_job("both"), world.has_job("stays")], [false, false, true]);
}

#[tokio::test]
async fn waves_and_kinds_order_the_hooks_of_a_phase() {
    let world = World::start().await;
    let at = |name: &str, annotations: &str| job(name, &format!("argocd.argoproj.io/hook: PreSync, {annotations}"));
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: runner\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-weight: \"-5\"}\n";
    world.git.push(
        "r",
        &[
            ("a.yaml", &at("second", "argocd.argoproj.io/sync-wave: \"1\"")),
            ("b.yaml", &at("first", "argocd.argoproj.io/sync-wave: \"-5\"")),
            ("c.yaml", account),
            ("d.yaml", &job("never", "helm.sh/hook: test")),
            ("e.yaml", &config_map("a", "1", "")),
        ],
    );
    world.fake.put(&application("app", "r", policy(0)));
    world.told("app", "waiting for completion of hook batch/Job/first").await;
    world.controller.idle().await;
    assert!(world.fake.find("serviceaccounts", "web", "runner").is_some());
    assert!(!world.has_job("second"));
    world.end_job("first", "Complete").await;
    world.told("app", "waiting for completion of hook batch/Job/second").await;
    assert_eq!(world.data("web", "a"), None);
    world.end_job("second", "Complete").await;
    let app = world.told("app", "successfully synced (all tasks run)").await;
    assert_eq!(results(&app)[1], "PreSync | runner | Synced | PreSync | Succeeded | runner created");
    assert!(!world.has_job("never"));
}

#[tokio::test]
async fn a_name_is_made_of_commit_phase_and_time() {
    let world = World::start().await;
    let generated = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n  annotations: {argocd.argoproj.io/hook: \"PreSync,PostSync\"}\n";
    world.git.push("repository", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", generated)]);
    world.fake.put(&application("app", "repository", policy(0)));
    for phase in ["presync", "postsync"] {
        let name = format!("migrate-reposit-{phase}-1767225600");
        world.told("app", &format!("waiting for completion of hook batch/Job/{name}")).await;
        world.end_job(&name, "Complete").await;
    }
    let app = world.told("app", "successfully synced (no more tasks)").await;
    assert_eq!(app["status"]["operationState"]["phase"], "Succeeded");
}

#[tokio::test]
async fn less_than_a_whole_sync_runs_no_hooks() {
    let world = World::start().await;
    let manual = json!({"syncOptions": ["CreateNamespace=true", "PrunePropagationPolicy=background"]});
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("before", "PreSync"))]);
    world.fake.put(&application("app", "r", manual));
    world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    let dry = json!({"sync": {"dryRun": true}});
    let part = json!({"sync": {"resources": [{"kind": "ConfigMap", "name": "a"}]}});
    let apply = json!({"sync": {"syncStrategy": {"apply": {}}}});
    for (what, operation, told) in [
        ("dry", dry, "successfully synced (no more tasks)"),
        ("part", part, "successfully synced (all tasks run)"),
        ("apply", apply, "successfully synced (all tasks run)"),
    ] {
        world.patch("applications", "argocd", "app", json!({"operation": operation})).await;
        let app = world.until("app", what, |app| app.get("operation").is_none()).await;
        assert_eq!(app["status"]["operationState"]["phase"], "Succeeded", "{what}");
        assert_eq!(app["status"]["operationState"]["message"], told, "{what}");
        let is_tried = results(&app).iter().any(|line| line.contains("job.batch/before created (dry run)"));
        assert_eq!(is_tried, what == "dry", "{:?}", results(&app));
    }
    assert!(world.fake.all("jobs").is_empty());
}

#[tokio::test]
async fn a_changed_hook_alone_is_no_difference() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("before", "PreSync"))]);
    let mut pruning = policy(0);
    pruning["automated"] = json!({"prune": true, "selfHeal": true});
    world.fake.put(&application("app", "r", pruning));
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.end_job("before", "Complete").await;
    world.synced("app", "r-0").await;
    world.told("app", "successfully synced (all tasks run)").await;
    world.controller.idle().await;
    let uid = world.job("before").await["metadata"]["uid"].clone();

    // The hook is another one, then none, then a user deletes what is left.
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("other", "PostSync"))]);
    world.synced("app", "r-1").await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.synced("app", "r-2").await;
    assert_eq!(world.job("before").await["metadata"]["uid"], uid, "a hook is never pruned");
    assert!(!world.has_job("other"));
    world.delete_job("before").await;
    let is_forgotten = |app: &Value| app["status"]["resources"].as_array().is_some_and(|list| list.len() == 1);
    world.until("app", "it is not told of any more", is_forgotten).await;
    world.controller.idle().await;
    assert!(world.fake.all("jobs").is_empty());
    let app = world.app("app");
    assert_eq!(app["status"]["sync"]["status"], "Synced");
    assert_eq!(app["status"]["history"].as_array().map(Vec::len), Some(1), "nothing was synced");
}

#[tokio::test]
async fn what_is_skipped_is_neither_applied_nor_removed() {
    let world = World::start().await;
    let skipped = |name: &str, value: &str| config_map(name, value, "argocd.argoproj.io/hook: Skip");
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &config_map("b", "1", ""))]);
    let mut pruning = policy(0);
    pruning["automated"] = json!({"prune": true, "selfHeal": true});
    world.fake.put(&application("app", "r", pruning));
    world.synced("app", "r-0").await;
    let files = [("a.yaml", config_map("a", "2", "")), ("b.yaml", skipped("b", "2")), ("c.yaml", skipped("c", "1"))];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let revision = world.git.push("r", &files);
    let app = world.synced("app", &revision).await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
    assert_eq!(world.data("web", "b"), Some(json!({"key": "1"})));
    assert_eq!(world.data("web", "c"), None);
    let statuses: Vec<&Value> =
        app["status"]["resources"].as_array().expect("a list").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [&json!("Synced"), &Value::Null, &Value::Null]);
    assert_eq!(app["status"]["health"]["status"], "Healthy");
}

#[tokio::test]
async fn an_object_that_fails_to_apply_is_told_with_its_reason() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("consolation", "SyncFail"))]);
    world.fake.put(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}));
    // The dry runs of both are accepted, the write is not.
    world.fake.put(&application("app", "r", json!({"retry": {"limit": 0}})));
    world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    world.controller.idle().await;
    world.fake.fail_next(client::fake::Verb::Patch, "configmaps", api::Status::internal("not now"));
    world.fake.fail_next(client::fake::Verb::Patch, "configmaps", api::Status::internal("disk is full"));
    world.patch("applications", "argocd", "app", json!({"operation": {"sync": {}}})).await;
    world.told("app", "waiting for completion of hook batch/Job/consolation").await;
    world.end_job("consolation", "Complete").await;
    let app = world.until("app", "failed", |app| app["status"]["operationState"]["phase"] == "Failed").await;
    let message = app["status"]["operationState"]["message"].as_str().unwrap_or_default().to_owned();
    let expect = "one or more synchronization tasks completed unsuccessfully, reason: ";
    assert!(message.starts_with(expect) && message.contains("disk is full"), "{message}");
}

#[tokio::test]
async fn what_the_server_would_refuse_ends_the_sync_before_its_hooks() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("before", "PreSync"))]);
    world.fake.put(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}));
    world.fake.put(&application("app", "r", json!({"retry": {"limit": 0}})));
    world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    world.controller.idle().await;
    let refused = api::Status::new(422, api::Reason::Invalid, "data: Invalid value");
    world.fake.fail_next(client::fake::Verb::Patch, "configmaps", refused);
    world.patch("applications", "argocd", "app", json!({"operation": {"sync": {}}})).await;
    let app = world.told("app", "one or more objects failed to apply (dry run)").await;
    assert_eq!(app["status"]["operationState"]["phase"], "Failed");
    assert_eq!(results(&app), ["Sync | a | SyncFailed | - | Failed | data: Invalid value"]);
    assert!(!world.has_job("before"));
}

#[tokio::test]
async fn an_object_that_fails_alone_is_told_so() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    world.fake.put(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}));
    world.fake.put(&application("app", "r", json!({})));
    world.until("app", "out of sync", |app| app["status"]["sync"]["status"] == "OutOfSync").await;
    world.controller.idle().await;
    // The dry run's refusal may be gone when it is the object's turn.
    world.fake.fail_next(client::fake::Verb::Patch, "configmaps", api::Status::internal("not now"));
    world.fake.fail_next(client::fake::Verb::Patch, "configmaps", api::Status::internal("never"));
    world.patch("applications", "argocd", "app", json!({"operation": {"sync": {}}})).await;
    let app = world.until("app", "failed", |app| app["status"]["operationState"]["phase"] == "Failed").await;
    let message = app["status"]["operationState"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.starts_with("one or more objects failed to apply, reason: "), "{message}");
}

#[tokio::test]
async fn objects_beside_a_hook_are_waited_for_only_where_something_comes_after() {
    let world = World::start().await;
    world.git.push("r", &[("b.yaml", &deployment()), ("c.yaml", &hook("with", "Sync"))]);
    world.fake.put(&application("app", "r", policy(0)));
    world.told("app", "waiting for completion of hook batch/Job/with").await;
    assert!(world.fake.find("deployments", "web", "web").is_some(), "a hook of this phase runs beside the objects");
    world.end_job("with", "Complete").await;
    let app = world.told("app", "successfully synced (no more tasks)").await;
    assert_eq!(app["status"]["health"]["status"], "Progressing");
}

#[tokio::test]
async fn a_broken_object_ends_a_sync_of_several_steps() {
    let world = World::start().await;
    world.git.push("r", &[("b.yaml", &deployment()), ("c.yaml", &hook("after", "PostSync"))]);
    world.fake.put(&application("app", "r", policy(0)));
    world.told("app", "waiting for healthy state of apps/Deployment/web").await;
    let late = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
    let broken = json!({"status": {"observedGeneration": 1, "conditions": late}});
    world.patch("deployments", "web", "web", broken).await;
    let app = world.told("app", "one or more synchronization tasks completed unsuccessfully").await;
    assert_eq!(app["status"]["operationState"]["phase"], "Failed");
    let expect = "Sync | web | Synced | - | Failed | Deployment \"web\" exceeded its progress deadline";
    assert_eq!(results(&app)[1], expect);
    assert!(!world.has_job("after"));
}
