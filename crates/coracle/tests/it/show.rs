//! What `get`, `status`, `version`, `doctor` and `completion` print.

use serde_json::json;

use crate::sandbox::Sandbox;

#[test]
fn listings_have_the_keys_of_cnoes_builder() {
    let sandbox = Sandbox::new();
    sandbox.create(&[]).ok();
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<String> = value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys
    };
    let clusters = sandbox.run(&["get", "clusters", "-o", "json"]).ok().json();
    assert_eq!(clusters[0]["Name"], "localdev");
    assert_eq!(clusters[0]["ExternalPort"], sandbox.port);
    assert_eq!(keys(&clusters[0]), ["ExternalPort", "KubePort", "Name", "Nodes", "Running", "TlsCheck", "URLKubeApi"]);
    let packages = sandbox.run(&["get", "packages", "-o", "json"]).ok().json();
    assert_eq!(packages.as_array().map(Vec::len), Some(3));
    assert_eq!(
        keys(&packages[0]),
        ["ArgocdRepository", "GitRepository", "Health", "Name", "Namespace", "Status", "Sync", "Type"]
    );
    assert_eq!(packages[0]["Status"], "true");
    let one = sandbox.run(&["get", "packages", "-p", "platform-guide-platform-guide", "-o", "json"]).ok().json();
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    let table = sandbox.run(&["get", "packages"]).ok().stdout;
    assert!(table.starts_with("NAME "), "{table}");
    let capabilities = sandbox.run(&["get", "capabilities", "-o", "json"]).ok().json();
    let names: Vec<&str> =
        capabilities.as_array().into_iter().flatten().filter_map(|held| held["name"].as_str()).collect();
    assert_eq!(names, ["core", "git", "gitops", "packages", "workloads"]);
    let status = sandbox.run(&["status"]).ok().stdout;
    assert!(status.contains("running, process") && status.contains("platform-guide"), "{status}");
    assert!(sandbox.run(&["logs", "-n", "1"]).ok().stdout.lines().count() == 1);
}

#[test]
fn secrets_are_shown_by_label() {
    let sandbox = Sandbox::new();
    sandbox.create(&[]).ok();
    sandbox.kubectl(&["create", "secret", "generic", "mine", "--from-literal=b=2", "--from-literal=a=1"]).ok();
    sandbox.kubectl(&["label", "secret", "mine", "cnoe.io/cli-secret=true", "cnoe.io/package-name=team"]).ok();
    sandbox.kubectl(&["create", "secret", "generic", "unmarked", "--from-literal=c=3"]).ok();
    let mine = sandbox.run(&["get", "secrets", "-p", "team", "-o", "json"]).ok().json();
    assert_eq!(mine, json!([{"IsCore": false, "name": "mine", "namespace": "default", "data": {"a": "1", "b": "2"}}]));
    let all = sandbox.run(&["get", "secrets"]).ok().stdout;
    assert!(all.contains("mine") && all.contains("a=1, b=2") && !all.contains("unmarked"), "{all}");
    assert_eq!(sandbox.run(&["get", "secrets", "-p", "nobody"]).ok().stdout, "no secrets found\n");
    let kubeconfig = sandbox.kubeconfig().display().to_string();
    sandbox.run(&["get", "secrets", "--kubeconfig", &kubeconfig]).ok();
}

#[test]
fn facts_need_no_platform() {
    let sandbox = Sandbox::new();
    let version = sandbox.run(&["version"]).ok().stdout;
    assert!(version.starts_with("coracle 0."), "{version}");
    let facts = sandbox.run(&["version", "-o", "json"]).ok().json();
    for key in ["idpbuilderVersion", "goVersion", "goOs", "goArch", "gitCommit", "buildDate"] {
        assert!(facts[key].is_string(), "{key}");
    }
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(sandbox.run(&["completion", shell]).ok().stdout.contains("coracle"), "{shell}");
    }
    assert_eq!(sandbox.run(&["get", "clusters"]).ok().stdout, "no clusters found\n");
    let (port, api_port) = (sandbox.port.to_string(), sandbox.api_port.to_string());
    let doctor = sandbox.run(&["doctor", "--port", &port, "--api-port", &api_port]);
    assert!(doctor.stdout.contains("✓ git"), "{}", doctor.stdout);
}
