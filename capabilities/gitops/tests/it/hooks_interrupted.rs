//! Hooks whose sync is interrupted: by the end of the process, by its owner, by a newer
//! commit, by someone who takes them away.

use futures::{FutureExt, Stream, StreamExt};
use serde_json::{Value, json};

use crate::world::{World, application, config_map, hook, job};

fn policy() -> Value {
    let options = ["CreateNamespace=true", "PrunePropagationPolicy=background"];
    json!({"automated": {}, "syncOptions": options, "retry": {"limit": 0}})
}

async fn start(phases: &[(&str, &str)]) -> World {
    start_as(phases, hook).await
}

async fn start_as(phases: &[(&str, &str)], manifest: impl Fn(&str, &str) -> String) -> World {
    let world = World::start().await;
    let mut files = vec![("a.yaml".to_owned(), config_map("a", "1", ""))];
    files.extend(phases.iter().map(|(name, phase)| (format!("{name}.yaml"), manifest(name, phase))));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    world.git.push("r", &files);
    world.fake.put(&application("app", "r", policy()));
    world
}

fn uid(world: &World, name: &str) -> Option<Value> {
    world.fake.find("jobs", "web", name).map(|job| job["metadata"]["uid"].clone())
}

#[tokio::test]
async fn a_new_process_goes_on_in_every_phase() {
    let mut world = start(&[("before", "PreSync"), ("with", "Sync"), ("after", "PostSync")]).await;
    let mut uids = Vec::new();
    for name in ["before", "with", "after"] {
        world.told("app", &format!("waiting for completion of hook batch/Job/{name}")).await;
        uids.push((name, uid(&world, name)));
        // One ends while nobody looks, the next while somebody does.
        world = world.restart().await;
        world.controller.idle().await;
        if name == "with" {
            assert!(world.tasks.stop(std::time::Duration::from_secs(10)).await);
            world.end_job(name, "Complete").await;
            world = World::start_with(world.fake.clone(), world.git.clone()).await;
        } else {
            world.end_job(name, "Complete").await;
        }
    }
    let app = world.told("app", "successfully synced (no more tasks)").await;
    assert_eq!(app["status"]["operationState"]["phase"], "Succeeded");
    for (name, before) in uids {
        assert_eq!(uid(&world, name), before, "{name} ran once");
    }
}

fn is_running(job: &client::Object) -> bool {
    !job.meta.is_deleting() && job.value().is_ok_and(|job| job["status"]["conditions"].is_null())
}

/// Ends every Job that runs.
async fn end_jobs(world: &World) {
    for job in world.fake.all("jobs").iter().filter(|job| is_running(job)) {
        world.end_job(&job.meta.name, "Complete").await;
    }
}

#[tokio::test]
async fn wherever_it_is_killed_every_hook_runs_once() {
    let phases = [("before", "PreSync"), ("with", "Sync"), ("after", "PostSync")];
    let mut kills = 0;
    // One world for each status write after which the process ends.
    for writes in 1.. {
        let mut world = World::start().await;
        let jobs = client::Target::everywhere(&client::fake::gvr("batch/v1", "jobs"));
        let watched = world.fake.objects().watch(&jobs, client::WatchOptions::default()).await.expect("a watch");
        let mut files = vec![("a.yaml".to_owned(), config_map("a", "1", ""))];
        files.extend(phases.iter().map(|(name, phase)| (format!("{name}.yaml"), with_policy(name, phase))));
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        world.git.push("r", &files);
        world.fake.put(&application("app", "r", policy()));
        let is_over = |app: &Value| app["status"]["operationState"]["phase"] == "Succeeded";
        let mut is_killed = false;
        while !is_over(&world.app("app")) {
            let is_due = || !is_killed && world.writes() >= writes;
            let has_work = || world.fake.all("jobs").iter().any(is_running);
            world.fake.until("something", |_| has_work() || is_due() || is_over(&world.app("app"))).await;
            if is_due() {
                world = world.restart().await;
                is_killed = true;
            }
            end_jobs(&world).await;
        }
        world.controller.idle().await;
        assert!(is_over(&world.app("app")));
        assert!(world.fake.all("jobs").is_empty(), "they are let go and deleted");
        let added = added(watched).await;
        assert_eq!(added, ["before", "with", "after"], "killed after {writes} writes");
        if !is_killed {
            break;
        }
        kills += 1;
    }
    assert!(kills > 5, "it was killed in every phase");
}

fn with_policy(name: &str, phase: &str) -> String {
    job(name, &format!("argocd.argoproj.io/hook: {phase:?}, argocd.argoproj.io/hook-delete-policy: HookSucceeded"))
}

/// Names of the objects that a watch saw come.
async fn added(mut watched: impl Stream<Item = Result<client::Event, api::Status>> + Unpin) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(Some(event)) = watched.next().now_or_never() {
        if let Ok(client::Event::Added(object)) = event {
            names.push(object.meta.name.clone());
        }
    }
    names
}

#[tokio::test]
async fn a_hook_that_was_made_and_not_told_is_not_made_again() {
    let world = start(&[("before", "PreSync")]).await;
    // The old process made the hook and ended before it could say so.
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.controller.idle().await;
    assert!(world.tasks.stop(std::time::Duration::from_secs(10)).await);
    let mut app = world.app("app");
    let results = app["status"]["operationState"]["syncResult"]["resources"].as_array_mut().expect("results");
    let told = results.iter_mut().find(|result| result["name"] == "before").and_then(Value::as_object_mut);
    let told = told.expect("the hook is told of");
    ["status", "message", "hookPhase"].iter().for_each(|field| drop(told.remove(*field)));
    world.end_job("before", "Complete").await;
    let results = json!({"status": {"operationState": {"syncResult": {"resources": results}}}});
    world.patch("applications", "argocd", "app", results).await;
    let before = uid(&world, "before");
    let world = World::start_with(world.fake.clone(), world.git.clone()).await;
    world.told("app", "successfully synced (all tasks run)").await;
    assert_eq!(uid(&world, "before"), before, "it ran once");
}

#[tokio::test]
async fn a_refused_status_write_runs_no_hook_twice() {
    // Hooks that go with the success: how they ended must be stored before they are gone.
    let world = start_as(&[("before", "PreSync"), ("after", "PostSync")], with_policy).await;
    for name in ["before", "after"] {
        world.told("app", &format!("waiting for completion of hook batch/Job/{name}")).await;
        world.controller.idle().await;
        for _ in 0..3 {
            let refused = api::Status::internal("the store is busy");
            world.fake.fail_next(client::fake::Verb::Patch, "applications", refused);
        }
        world.end_job(name, "Complete").await;
        world.until("app", "it is told", |app| app.to_string().contains(&format!("{name} is Complete"))).await;
    }
    let app = world.told("app", "successfully synced (no more tasks)").await;
    assert_eq!(app["status"]["operationState"]["phase"], "Succeeded");
    assert!(world.fake.all("jobs").is_empty());
}

#[tokio::test]
async fn a_sync_that_is_told_to_end_stops_its_hooks() {
    for by_phase in [false, true] {
        let world = start(&[("before", "PreSync"), ("other", "PreSync")]).await;
        world.told("app", "waiting for completion of hook batch/Job/before and 1 more hooks").await;
        world.end_job("other", "Complete").await;
        world.told("app", "waiting for completion of hook batch/Job/before").await;
        let end = if by_phase {
            json!({"status": {"operationState": {"phase": "Terminating"}}})
        } else {
            json!({"operation": null})
        };
        world.patch("applications", "argocd", "app", end).await;
        let app = world.told("app", "Operation terminated").await;
        assert_eq!(app["status"]["operationState"]["phase"], "Failed");
        assert_eq!(app.get("operation"), None);
        assert!(!world.has_job("before"), "what ran is stopped");
        assert!(world.has_job("other"), "what had ended stays");
        let results = app["status"]["operationState"]["syncResult"]["resources"].as_array().expect("results").clone();
        let told = |name: &str| {
            let result = results.iter().find(|result| result["name"] == name).expect("a result");
            (result["hookPhase"].clone(), result["message"].clone())
        };
        assert_eq!(told("before"), (json!("Failed"), json!("Terminated")));
        assert_eq!(told("other"), (json!("Succeeded"), json!("other is Complete")));
        assert_eq!(world.data("web", "a"), None);
    }
}

#[tokio::test]
async fn a_running_hook_is_not_cut_off_by_a_newer_commit() {
    let world = start(&[("before", "PreSync")]).await;
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    let before = uid(&world, "before");
    world.git.push("r", &[("a.yaml", &config_map("a", "2", "")), ("before.yaml", &hook("before", "PreSync"))]);
    world.controller.idle().await;
    assert_eq!(uid(&world, "before"), before);
    assert_eq!(world.app("app")["status"]["operationState"]["syncResult"]["revision"], "r-0");

    world.end_job("before", "Complete").await;
    let is_new = |_: &client::fake::FakeObjects| uid(&world, "before").is_some_and(|now| Some(now) != before);
    world.fake.until("the newer commit has its own", is_new).await;
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.end_job("before", "Complete").await;
    world.synced("app", "r-1").await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
}

#[tokio::test]
async fn a_hook_that_is_taken_away_fails_the_sync() {
    let world = start(&[("before", "PreSync")]).await;
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    let jobs = client::Target::namespaced(&api::ClusterName::root(), &client::fake::gvr("batch/v1", "jobs"), "web");
    world.patch_at(&jobs, "before", json!({"metadata": {"finalizers": null}})).await;
    world.delete_job("before").await;
    let app = world.until("app", "failed", |app| app["status"]["operationState"]["phase"] == "Failed").await;
    assert_eq!(
        app["status"]["operationState"]["message"],
        "one or more synchronization tasks completed unsuccessfully, reason: \
         Resource batch/Job/before is missing, it might have been deleted"
    );
}

#[tokio::test]
async fn a_hook_that_is_deleted_when_it_is_done_is_seen_before() {
    let world = start(&[("before", "PreSync")]).await;
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    // As the TTL controller does it: the finalizer holds what it deletes.
    assert!(world.tasks.stop(std::time::Duration::from_secs(10)).await);
    world.end_job("before", "Complete").await;
    world.delete_job("before").await;
    assert!(world.has_job("before"));
    let world = World::start_with(world.fake.clone(), world.git.clone()).await;
    world.told("app", "successfully synced (all tasks run)").await;
    world.fake.until("it is let go", |_| !world.has_job("before")).await;
    assert!(world.data("web", "a").is_some());
}

#[tokio::test]
async fn what_an_earlier_process_left_half_deleted_gives_way() {
    let world = World::start().await;
    world.fake.put(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}));
    // Somebody else's job of the same name, held by somebody's finalizer.
    world.fake.put(&json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "before", "namespace": "web", "finalizers": ["x.io/held"]},
    }));
    let old = uid(&world, "before");
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &hook("before", "PreSync"))]);
    world.fake.put(&application("app", "r", policy()));
    world.told("app", "waiting for deletion of hook batch/Job/before").await;
    world.controller.idle().await;
    assert_eq!(uid(&world, "before"), old);
    let jobs = client::Target::namespaced(&api::ClusterName::root(), &client::fake::gvr("batch/v1", "jobs"), "web");
    world.patch_at(&jobs, "before", json!({"metadata": {"finalizers": null}})).await;
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    assert_ne!(uid(&world, "before"), old);
}

#[tokio::test]
async fn a_cascade_takes_a_running_hook_along() {
    let world = World::start().await;
    let running = job("before", "argocd.argoproj.io/hook: PreSync");
    world.git.push("r", &[("a.yaml", &config_map("a", "1", "")), ("b.yaml", &running)]);
    let mut app = application("app", "r", policy());
    app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io/background"]);
    world.fake.put(&app);
    world.told("app", "waiting for completion of hook batch/Job/before").await;
    world.delete("applications", "argocd", "app").await;
    world.fake.until("the application is gone", |fake| fake.find("applications", "argocd", "app").is_none()).await;
    assert!(!world.has_job("before"));
}
