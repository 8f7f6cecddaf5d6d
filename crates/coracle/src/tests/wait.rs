//! When packages are in place.

use serde_json::{Value, json};

use crate::wait::{Goal, Seen, Verdict, judge};

/// One platform with one package `app`, and its Application as given.
fn seen(application: Value) -> Seen {
    let parse = |value: Value| value;
    let marks = json!({"cnoe.io/cli-start-time": "t", "cnoe.io/last-observed-cli-start-time": "t"});
    let package = json!({
        "metadata": {"name": "app-app", "annotations": marks},
        "spec": {"argoCD": {"name": "app", "namespace": "argocd", "type": "Application"}},
        "status": {"synced": true},
    });
    let repository = json!({
        "metadata": {"name": "app-m"},
        "status": {"externalGitRepositoryUrl": "https://git/m.git", "commit": {"hash": "c2"}},
    });
    let localbuild = json!({"metadata": {"name": "localdev", "annotations": marks}});
    Seen {
        localbuild: Some(serde_json::from_value(parse(localbuild)).expect("is one")),
        packages: vec![serde_json::from_value(package).expect("is one")],
        repositories: vec![serde_json::from_value(repository).expect("is one")],
        applications: [("argocd/app".to_owned(), application)].into(),
        animated: ["apps/Deployment".to_owned()].into(),
        has_node: true,
    }
}

fn application(sync: &str, revision: &str, health: &str, resources: Value) -> Value {
    json!({
        "metadata": {"name": "app"},
        "spec": {
            "source": {"repoURL": "https://git/m.git", "targetRevision": "HEAD"},
            "syncPolicy": {"automated": {}},
        },
        "status": {
            "sync": {"status": sync, "revision": revision},
            "health": {"status": health},
            "resources": resources,
        },
    })
}

fn goal() -> Goal {
    Goal { start_time: "t".into(), healthy: true }
}

/// `done`, `done: note`, `waiting: why` or `refused: why`.
fn said(goal: &Goal, seen: &Seen) -> String {
    match judge(goal, seen) {
        Verdict::Done(notes) if notes.is_empty() => "done".into(),
        Verdict::Done(notes) => format!("done: {}", notes.join("; ")),
        Verdict::Waiting(pending) => format!("waiting: {}", pending[0].why),
        Verdict::Refused(refusals) => format!("refused: {}", refusals[0].why),
    }
}

#[test]
fn applications_are_waited_for_as_long_as_that_can_help() {
    let check = |application: Value, expect: &str| {
        let said = said(&goal(), &seen(application));
        assert!(said.starts_with(expect), "{expect}: {said}");
    };
    let none = || json!([]);
    let unhealthy =
        |group: &str, kind: &str, health: &str| json!([{"group": group, "kind": kind, "health": {"status": health}}]);
    check(application("Synced", "c2", "Healthy", none()), "done");
    check(application("Synced", "c2", "Suspended", none()), "done");
    check(application("Synced", "c1", "Healthy", none()), "waiting: its newest commit is being compared");
    check(application("OutOfSync", "c2", "Healthy", none()), "waiting: sync is OutOfSync");
    check(application("", "c2", "", none()), "waiting: it is being compared");
    check(
        application("Synced", "c2", "Progressing", unhealthy("apps", "Deployment", "Progressing")),
        "waiting: health is Progressing",
    );
    check(application("Synced", "c2", "Missing", unhealthy("", "Pod", "Missing")), "waiting: health is Missing");
    check(
        application("Synced", "c2", "Progressing", unhealthy("", "Pod", "Progressing")),
        "done: app is Synced but Progressing: nothing here makes Pod live (missing capability: node)",
    );
    check(
        application("Synced", "c2", "Progressing", unhealthy("example.org", "Thing", "Progressing")),
        "done: app is Synced but Progressing: nothing here makes example.org/Thing live",
    );
    check(
        application(
            "OutOfSync",
            "c2",
            "Healthy",
            json!([{"kind": "Pod", "status": "OutOfSync", "requiresPruning": true}]),
        ),
        "done: app is OutOfSync: objects left its source",
    );
    let mut manual = application("OutOfSync", "c2", "Missing", none());
    manual["spec"]["syncPolicy"] = json!({});
    check(manual, "done: app is OutOfSync; it has no automated sync");
    let mut failing = application("OutOfSync", "c2", "Missing", none());
    failing["status"]["operationState"] = json!({"phase": "Failed", "message": "no such namespace"});
    check(failing, "waiting: no such namespace");
    let mut broken = application("Unknown", "", "Healthy", none());
    broken["status"]["conditions"] = json!([{"type": "ComparisonError", "message": "broken manifest"}]);
    check(broken, "waiting: broken manifest");
    let mut chart = application("Unknown", "", "Healthy", none());
    let message = format!("Helm sources {}", render::NOT_SUPPORTED);
    chart["status"]["conditions"] = json!([{"type": "ComparisonError", "message": message}]);
    check(chart, "done: app is not deployed: Helm sources are not supported yet");
}

#[test]
fn what_is_made_of_pods_needs_a_node() {
    let resources = json!([{"group": "apps", "kind": "Deployment", "health": {"status": "Progressing"}}]);
    let mut bare = seen(application("Synced", "c2", "Progressing", resources));
    bare.has_node = false;
    let said = said(&goal(), &bare);
    assert!(said.ends_with("nothing here makes apps/Deployment live (missing capability: node)"), "{said}");
}

#[test]
fn what_nobody_serves_is_named_and_not_waited_for() {
    let mut set = seen(application("Synced", "c2", "Healthy", json!([])));
    set.packages[0].spec.argo_cd.kind = "ApplicationSet".into();
    assert!(said(&goal(), &set).starts_with("done: app is installed but not acted on: ApplicationSet"));
    set.animated.insert("argoproj.io/ApplicationSet".into());
    assert_eq!(said(&goal(), &set), "done");
}

#[test]
fn several_sources_are_each_looked_at() {
    let mut two = application("Synced", "", "Healthy", json!([]));
    two["spec"]["sources"] = json!([{"repoURL": "https://elsewhere"}, {"repoURL": "https://git/m.git"}]);
    two["status"]["sync"]["revisions"] = json!(["x", "c1"]);
    assert!(said(&goal(), &seen(two.clone())).starts_with("waiting"));
    two["status"]["sync"]["revisions"] = json!(["x", "c2"]);
    assert_eq!(said(&goal(), &seen(two)), "done");
}

#[test]
fn an_earlier_invocation_counts_for_nothing() {
    let healthy = || seen(application("Synced", "c2", "Healthy", json!([])));
    let later = Goal { start_time: "later".into(), ..goal() };
    assert!(said(&later, &healthy()).starts_with("waiting"));
    let mut refused = healthy();
    let localbuild = refused.localbuild.as_mut().expect("is there");
    localbuild.status.packages.push(packages::kinds::PackageStatus {
        code: "broken-yaml".into(),
        error: "it is broken".into(),
        ..Default::default()
    });
    assert_eq!(said(&goal(), &refused), "refused: it is broken");
    assert!(said(&later, &refused).starts_with("waiting"));
    assert!(said(&goal(), &Seen::default()).starts_with("waiting"));
}

#[test]
fn health_is_not_waited_for_when_nobody_asks() {
    let progressing = json!([{"group": "apps", "kind": "Deployment", "health": {"status": "Progressing"}}]);
    let seen = seen(application("Synced", "c2", "Progressing", progressing));
    assert_eq!(said(&Goal { healthy: false, ..goal() }, &seen), "done");
}

#[test]
fn packages_that_were_given_up_are_refused_or_noted() {
    let given_up = |reason: &str| {
        let mut seen = seen(Value::Null);
        let status = &mut seen.packages[0].status;
        status.synced = false;
        status.conditions = vec![json!({"type": "Ready", "status": "False", "reason": reason, "message": "it is so"})];
        seen
    };
    assert_eq!(said(&goal(), &given_up("InvalidPackage")), "refused: it is so");
    assert!(said(&goal(), &given_up("KindNotServed")).starts_with("done: app is installed but not acted on"));
}
