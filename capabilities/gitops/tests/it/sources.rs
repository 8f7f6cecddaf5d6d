//! Sources, destinations and projects.

use serde_json::json;

use crate::world::{World, application, config_map};

#[tokio::test]
async fn git_out_of_reach_changes_nothing() {
    let world = World::start().await;
    let first = world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    let options = ["CreateNamespace=true", "PrunePropagationPolicy=background"];
    let policy = json!({"automated": {"prune": true, "selfHeal": true}, "syncOptions": options});
    world.fake.put(&application("app", "r", policy));
    world.synced("app", &first).await;
    world.git.set_reachable(false);
    let second = world.git.push("r", &[("b.yaml", &config_map("b", "1", ""))]);
    let app = world.until("app", "unknown", |app| app["status"]["sync"]["status"] == "Unknown").await;
    assert_eq!(app["status"]["conditions"][0]["type"], "ComparisonError");
    let message = app["status"]["conditions"][0]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("cannot reach https://git.example/r: connection refused"), "{message}");
    assert_eq!(app["status"]["resources"][0]["name"], "a", "what was reported stays");
    world.controller.idle().await;
    assert!(world.data("web", "a").is_some());

    world.git.set_reachable(true);
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    world.patch("applications", "argocd", "app", refresh).await;
    let app = world.synced("app", &second).await;
    assert_eq!(app["status"].get("conditions"), None);
    let annotations = &app["metadata"]["annotations"];
    assert!(annotations.get("argocd.argoproj.io/refresh").is_none(), "{annotations}");
}

#[tokio::test]
async fn a_broken_manifest_names_its_file() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", "apiVersion: v1\nkind: [broken\nmetadata:\n")]);
    world.fake.put(&application("app", "r", json!({"automated": {}})));
    let app = world.until("app", "told", |app| app["status"]["conditions"][0]["type"] == "ComparisonError").await;
    let message = app["status"]["conditions"][0]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("Failed to unmarshal \"a.yaml\""), "{message}");
    assert_eq!(app["status"]["health"]["status"], "Unknown");
}

#[tokio::test]
async fn several_sources_make_one_application() {
    let world = World::start().await;
    world.git.push("r", &[("one/a.yaml", &config_map("a", "1", "")), ("two/b.yaml", &config_map("b", "1", ""))]);
    let mut app = application("app", "r", json!({"automated": {}, "syncOptions": ["CreateNamespace=true"]}));
    let source = app["spec"]["source"].take();
    let at = |path: &str| {
        let mut source = source.clone();
        source["path"] = json!(path);
        source
    };
    app["spec"]["sources"] = json!([at("one"), at("two")]);
    app["spec"].as_object_mut().expect("a spec").remove("source");
    world.fake.put(&app);
    let app = world.until("app", "synced", |app| app["status"]["sync"]["status"] == "Synced").await;
    assert_eq!(app["status"]["sync"]["revisions"], json!(["r-0", "r-0"]));
    assert_eq!(app["status"]["sourceTypes"], json!(["Directory", "Directory"]));
    assert!(world.data("web", "a").is_some() && world.data("web", "b").is_some());
    world.controller.idle().await;
    assert_eq!(world.writes(), 1);
    let newer =
        world.git.push("r", &[("one/a.yaml", &config_map("a", "2", "")), ("two/b.yaml", &config_map("b", "1", ""))]);
    world
        .until("app", "the push", |app| app["status"]["sync"]["revisions"] == json!([newer.as_str(), newer.as_str()]))
        .await;
    assert_eq!(world.data("web", "a"), Some(json!({"key": "2"})));
}

#[tokio::test]
async fn what_is_wrong_with_a_spec_is_said() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    let cases = [
        ("path", json!({"source": {"path": "../x"}}), "ComparisonError", "app path is outside of the repository"),
        ("gone", json!({"source": {"path": "gone"}}), "ComparisonError", "gone: app path does not exist"),
        (
            "chart",
            json!({"source": {"path": null, "chart": "nginx"}}),
            "InvalidSpecError",
            "Helm repositories are not supported yet",
        ),
        ("helm", json!({"source": {"helm": {}}}), "ComparisonError", "Helm sources are not supported yet"),
        (
            "place",
            json!({"destination": {"server": "https://elsewhere"}}),
            "InvalidSpecError",
            "there are no clusters with this URL: https://elsewhere",
        ),
        (
            "project",
            json!({"project": "missing"}),
            "InvalidSpecError",
            "Application referencing project missing which does not exist",
        ),
    ];
    for (name, patch, kind, expect) in cases {
        let mut app = application(name, "r", json!({"automated": {}}));
        machinery::patch::merge(&mut app, &json!({"spec": patch}));
        world.fake.put(&app);
        let app = world.until(name, "told", |app| app["status"]["conditions"][0]["type"].is_string()).await;
        assert_eq!(app["status"]["conditions"][0]["type"], kind, "{name}");
        let message = app["status"]["conditions"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(expect), "{name}: {message}");
        assert_eq!(app["status"]["sync"]["status"], "Unknown", "{name}");
    }
    assert_eq!(world.data("web", "a"), None);
}

#[tokio::test]
async fn a_project_holds_objects_back() {
    let world = World::start().await;
    world.git.push("r", &[("a.yaml", &config_map("a", "1", ""))]);
    let mut app = application("app", "r", json!({"automated": {}, "retry": {"limit": 0}}));
    app["spec"]["project"] = json!("narrow");
    world.fake.put(&app);
    world.until("app", "no project", |app| app["status"]["conditions"][0]["type"] == "InvalidSpecError").await;
    // The project comes later, and with it the Application is looked at again.
    world.fake.put(&json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "narrow", "namespace": "argocd"},
        "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "web"}],
            "namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}],
        },
    }));
    let app = world.until("app", "refused", |app| app["status"]["operationState"]["phase"] == "Failed").await;
    let message = app["status"]["operationState"]["syncResult"]["resources"][0]["message"].clone();
    assert_eq!(message, "resource :ConfigMap is not permitted in project narrow.");
    assert_eq!(world.data("web", "a"), None);
}
