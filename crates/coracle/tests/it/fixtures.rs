//! Packages of the shapes that CNOE's users have.

use std::path::Path;

use crate::sandbox::{Sandbox, fixtures, shared};

/// What stands for GitHub: a repository that the platform itself serves.
fn served_repository(sandbox: &Sandbox) -> String {
    let seed = sandbox.fixture(&fixtures().join("guestbook"), "seed", &|text| text);
    sandbox.create(&["-p", &seed]).ok();
    let packages = sandbox.run(&["get", "packages", "-o", "json"]).json();
    format!("{}.git", packages[0]["GitRepository"].as_str().expect("has a repository"))
}

/// Installs packages with GitHub rewritten, and says what `create` said.
fn install(sandbox: &Sandbox, packages: &[&Path]) -> String {
    let served = served_repository(sandbox);
    let edit = |text: String| text.replace("https://github.com/argoproj/argocd-example-apps.git", &served);
    let mut arguments: Vec<String> = vec!["-p".into(), sandbox.path("seed").display().to_string()];
    for (at, package) in packages.iter().enumerate() {
        arguments.extend(["-p".into(), sandbox.fixture(package, &format!("copy{at}"), &edit)]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    sandbox.create(&arguments).ok().stderr
}

/// Asks for a sync as a person without Argo CD's client does, and waits for it.
fn sync_by_hand(sandbox: &Sandbox, application: &str) {
    let operation = r#"{"operation":{"sync":{}}}"#;
    sandbox.kubectl(&["patch", "application", application, "-n", "argocd", "--type=merge", "-p", operation]).ok();
    let synced = "--for=jsonpath={.status.sync.status}=Synced";
    sandbox.kubectl(&["wait", "application", application, "-n", "argocd", synced, "--timeout=30s"]).ok();
}

#[test]
fn a_package_comes_from_another_servers_repository() {
    let other = Sandbox::new();
    let testdir = fixtures().join("builder/testDir").display().to_string();
    other.create(&["--protocol", "http", "-p", &testdir]).ok();
    let packages = other.run(&["get", "packages", "-o", "json"]).json();
    // The repository that holds the content stands for one that somebody wrote a package into.
    let url = packages[0]["GitRepository"].as_str().expect("has a repository").to_owned();
    let work = other.fixture(&fixtures().join("builder"), "work", &|text| text);
    let secrets = other.run(&["get", "secrets", "-p", "gitea", "-o", "json"]).json();
    let text = |key: &str| secrets[0][key].as_str().expect("is there").to_owned();
    let push_url =
        format!("{url}.git").replacen("http://", &format!("http://{}:{}@", text("username"), text("password")), 1);
    for arguments in [
        vec!["init", "-q", "-b", "main"],
        vec!["add", "."],
        vec!["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "a package"],
        vec!["push", "-q", "--force", &push_url, "main:packages"],
    ] {
        let status = std::process::Command::new("git").current_dir(&work).args(&arguments).status().expect("git runs");
        assert!(status.success(), "git {}", arguments.join(" "));
    }
    let sandbox = Sandbox::new();
    sandbox.create(&["-p", &format!("{url}//testDir?ref=packages")]).ok();
    for application in ["one-source", "two-sources"] {
        assert_eq!(sandbox.application(application), ("Synced".into(), "Healthy".into()), "{application}");
    }
    sandbox.create(&["-p", &format!("{url}//testDir?ref=nowhere")]).fails(1, "no-such-revision");
    sandbox.create(&["-p", &format!("{url}//nowhere?ref=packages")]).fails(1, "nowhere");
}

#[test]
fn the_basic_example_is_synced_though_nothing_runs_pods() {
    let sandbox = Sandbox::new();
    let basic = fixtures().join("basic");
    let said = install(&sandbox, &[&basic.join("package1"), &basic.join("package2")]);
    for application in ["first-app", "visitors", "visitors2"] {
        assert_eq!(sandbox.application(application).0, "Synced", "{application}");
    }
    assert!(said.contains("first-app is Synced but") && said.contains("missing capability: node"), "{said}");
}

#[test]
fn the_builder_fixtures_are_synced() {
    let sandbox = Sandbox::new();
    let builder = fixtures().join("builder");
    let said = install(&sandbox, &[&builder.join("testDir"), &builder.join("testDir2")]);
    for application in ["one-source", "two-sources"] {
        assert_eq!(sandbox.application(application), ("Synced".into(), "Healthy".into()), "{application}");
    }
    assert!(said.contains("manual is OutOfSync; it has no automated sync"), "{said}");
    sync_by_hand(&sandbox, "manual");
    let names = sandbox.kubectl(&["get", "cm", "-n", "two-sources", "-o", "name"]).ok().stdout;
    assert!(names.contains("configmap/first") && names.contains("configmap/second"), "{names}");
}

#[test]
fn cnoes_own_examples_are_synced_where_they_are_present() {
    let Some(shared) = shared() else { return };
    let sandbox = Sandbox::new();
    let (basic, builder) = (shared.join("basic"), shared.join("builder-fixtures"));
    install(&sandbox, &[&basic.join("package1"), &basic.join("package2"), &builder.join("testDir2")]);
    assert_eq!(sandbox.application("my-app").0, "Synced");
    for application in ["guestbook", "guestbook2"] {
        sync_by_hand(&sandbox, application);
    }
    // The next `my-app` has another source; the Pod of this one stays, since it does not prune.
    let sandbox = Sandbox::new();
    let test_dir = builder.join("testDir").display().to_string();
    sandbox.create(&["-p", &test_dir]).ok();
    for application in ["my-app", "my-app2"] {
        assert_eq!(sandbox.application(application), ("Synced".into(), "Healthy".into()), "{application}");
    }
    let packages = sandbox.run(&["get", "packages", "-o", "json"]).json();
    let repository = packages[0]["GitRepository"].as_str().expect("has one");
    assert!(repository.ends_with("/giteaAdmin/idpbuilder-localdev-my-app-app1"), "{repository}");
}
