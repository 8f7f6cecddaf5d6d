//! From nothing to a platform, and back to nothing.

use std::fs;

use crate::sandbox::Sandbox;

#[test]
fn the_shipped_stack_comes_up_healthy_and_goes_without_a_trace() {
    let sandbox = Sandbox::new();
    let others = "apiVersion: v1\nkind: Config\ncurrent-context: mine\ncontexts:\n- name: mine\n  context: {cluster: c, user: u}\nclusters: []\nusers: []\n";
    fs::write(sandbox.kubeconfig(), others).expect("is writable");
    let created = sandbox.create(&[]).ok();
    assert!(created.stdout.contains("Finished Creating IDP Successfully!"), "{}", created.stdout);
    assert!(created.stdout.contains("Can Access Git at"), "{}", created.stdout);
    for application in ["platform-basics", "platform-guide", "team-workspace"] {
        assert_eq!(sandbox.application(application), ("Synced".into(), "Healthy".into()), "{application}");
    }
    let quota = sandbox.kubectl(&["get", "resourcequota", "-n", "team-demo", "-o", "name"]).ok();
    assert_eq!(quota.stdout.trim(), "resourcequota/team-quota");
    let localbuild =
        sandbox.kubectl(&["get", "localbuild", "localdev", "-o", "jsonpath={.status.gitea.available}"]).ok();
    assert_eq!(localbuild.stdout, "true");

    sandbox.run(&["delete"]).ok();
    assert!(!sandbox.path(".local/share/coracle").exists());
    let kubeconfig = fs::read_to_string(sandbox.kubeconfig()).expect("is still there");
    assert!(kubeconfig.contains("current-context: mine") && !kubeconfig.contains("coracle"), "{kubeconfig}");
    std::net::TcpListener::bind(("127.0.0.1", sandbox.api_port)).expect("the server is gone");
    sandbox.run(&["delete"]).ok();
}

#[test]
fn a_second_create_updates_and_keeps_what_it_must() {
    let sandbox = Sandbox::new();
    let app = |name: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: 'cnoe://m', targetRevision: HEAD, path: .}}\n  destination: {{server: 'https://kubernetes.default.svc', namespace: default}}\n  syncPolicy: {{automated: {{prune: true}}}}\n"
        )
    };
    let cm = |value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: probe}}\ndata: {{value: '{value}'}}\n")
    };
    sandbox.write("one/app.yaml", &app("probe"));
    let manifest = sandbox.write("one/m/cm.yaml", &cm("first"));
    let read = || sandbox.kubectl(&["get", "cm", "probe", "-n", "default", "-o", "jsonpath={.data.value}"]);
    sandbox.create(&["-p", "one"]).ok();
    assert_eq!(read().ok().stdout, "first");

    fs::write(&manifest, cm("second")).expect("is writable");
    sandbox.create(&[]).ok();
    assert_eq!(read().ok().stdout, "second");

    sandbox.run(&["create", "--host", "other.example"]).fails(1, "configurations are incompatible");
    sandbox.write("two/app.yaml", &app("other"));
    sandbox.write("two/m/cm.yaml", &cm("x").replace("probe", "other"));
    sandbox.create(&["-p", "two"]).ok();
    assert_eq!(sandbox.application("other").0, "Synced");
    assert_eq!(sandbox.application("probe").0, "", "what is no longer named is removed");

    sandbox.run(&["stop"]).ok();
    sandbox.run(&["get", "packages"]).fails(1, "coracle start");
    sandbox.run(&["start"]).ok();
    assert_eq!(sandbox.application("other").0, "Synced");
}

#[test]
fn recreate_begins_anew() {
    let sandbox = Sandbox::new();
    sandbox.create(&[]).ok();
    sandbox.kubectl(&["create", "configmap", "mark"]).ok();
    sandbox.create(&["--recreate", "--dev-password"]).ok();
    sandbox.kubectl(&["get", "configmap", "mark"]).fails(1, "NotFound");
}

#[test]
fn the_server_outlives_a_kill() {
    let sandbox = Sandbox::new();
    sandbox.create(&[]).ok();
    let status = sandbox.run(&["status", "-o", "json"]).ok().json();
    let pid = status["pid"].as_i64().expect("it runs").to_string();
    let killed = std::process::Command::new("kill").args(["-9", &pid]).status().expect("kill runs");
    assert!(killed.success());
    sandbox.create(&[]).ok();
    assert_eq!(sandbox.application("platform-guide"), ("Synced".into(), "Healthy".into()));
}
