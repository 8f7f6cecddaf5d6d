//! From nothing to a platform, and back to nothing.

use std::fs;

use crate::sandbox::{Sandbox, said};

fn app(name: &str, directory: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: default\n  source: {{repoURL: 'cnoe://{directory}', targetRevision: HEAD, path: .}}\n  destination: {{server: 'https://kubernetes.default.svc', namespace: default}}\n  syncPolicy: {{automated: {{prune: true}}}}\n"
    )
}

fn cm(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: '{value}'}}\n")
}

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
    sandbox.write("one/app.yaml", &app("probe", "m"));
    let extra = sandbox.write("one/extra.yaml", &app("extra", "extra"));
    sandbox.write("one/extra/cm.yaml", &cm("extra", "x"));
    let manifest = sandbox.write("one/m/cm.yaml", &cm("probe", "first"));
    let read = || sandbox.kubectl(&["get", "cm", "probe", "-n", "default", "-o", "jsonpath={.data.value}"]);
    sandbox.create(&["-p", "one"]).ok();
    assert_eq!(read().ok().stdout, "first");

    fs::write(&manifest, cm("probe", "second")).expect("is writable");
    sandbox.create(&[]).ok();
    assert_eq!(read().ok().stdout, "second");

    sandbox.run(&["create", "--host", "other.example"]).fails(1, "configurations are incompatible");
    sandbox.write("two/app.yaml", &app("other", "m"));
    sandbox.write("two/m/cm.yaml", &cm("other", "x"));
    sandbox.create(&["-p", "two"]).ok();
    for application in ["probe", "extra", "other"] {
        assert_eq!(
            sandbox.application(application).0,
            "Synced",
            "{application}: a package is added to those there are"
        );
    }
    fs::remove_file(extra).expect("is there");
    sandbox.create(&[]).ok();
    assert_eq!(sandbox.application("extra").0, "", "what a package no longer holds is removed");
    assert_eq!(sandbox.application("probe").0, "Synced");

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
fn a_refused_recreate_deletes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.create(&["--no-wait"]).ok();
    sandbox.kubectl(&["create", "configmap", "mark"]).ok();
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let busy = held.local_addr().expect("it is bound").port().to_string();
    sandbox.run(&["create", "--recreate", "--port", "7000", "--api-port", "7000"]).fails(1, "error[bad-flag]");
    sandbox.create(&["--recreate", "--port", &busy]).fails(1, "error[port-in-use]");
    let directory = sandbox.platform().display().to_string();
    sandbox.create(&["--recreate", "--name", "another", "--data-dir", &directory]).fails(1, "error[foreign-directory]");
    let kubeconfig = fs::read_to_string(sandbox.kubeconfig()).expect("is there");
    fs::write(sandbox.kubeconfig(), "a: [").expect("is writable");
    sandbox.create(&["--recreate"]).fails(1, "error[unusable-kubeconfig]");
    fs::write(sandbox.kubeconfig(), kubeconfig).expect("is writable");
    sandbox.kubectl(&["get", "configmap", "mark"]).ok();
}

#[test]
fn a_package_given_again_counts_last_and_a_refused_one_is_taken_back() {
    let sandbox = Sandbox::new();
    for package in ["one", "two"] {
        sandbox.write(&format!("{package}/app.yaml"), &app("same", "m"));
        sandbox.write(&format!("{package}/m/cm.yaml"), &cm("same", package));
    }
    let order = || {
        let path = "-o=jsonpath={.spec.packageConfigs.customPackageOrder[*]}";
        let paths = sandbox.kubectl(&["get", "localbuild", "localdev", path]).ok().stdout;
        let names = paths.split_whitespace().map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    let read = || sandbox.kubectl(&["get", "cm", "same", "-n", "default", "-o", "jsonpath={.data.value}"]).ok().stdout;
    sandbox.create(&["-p", "one"]).ok();
    sandbox.create(&["-p", "two"]).ok();
    assert_eq!((order().as_str(), read().as_str()), ("one two", "two"));
    sandbox.create(&["-p", "one"]).ok();
    assert_eq!((order().as_str(), read().as_str()), ("two one", "one"));

    // The repository is there, the directory is not: only the server finds out.
    let packages = sandbox.run(&["get", "packages", "-o", "json"]).json();
    let url = packages[0]["GitRepository"].as_str().expect("has a repository").to_owned();
    sandbox.create(&["-p", &format!("{url}//nowhere")]).fails(1, "nowhere");
    assert_eq!(order(), "two one");
    sandbox.create(&[]).ok();
}

#[test]
fn two_creates_at_once_make_one_platform() {
    let sandbox = Sandbox::new();
    for package in ["one", "two"] {
        sandbox.write(&format!("{package}/app.yaml"), &app(package, "m"));
        sandbox.write(&format!("{package}/m/cm.yaml"), &cm(package, "x"));
    }
    let (port, api_port) = (sandbox.port.to_string(), sandbox.api_port.to_string());
    std::thread::scope(|scope| {
        let create = |package: &'static str| {
            let arguments = ["create", "--port", &port, "--api-port", &api_port, "--timeout", "60s", "-p", package];
            let command = sandbox.command(&arguments);
            scope.spawn(move || said(command))
        };
        let both = ["one", "two"].map(create);
        for one in both {
            one.join().expect("it ends").ok();
        }
    });
    for application in ["one", "two"] {
        assert_eq!(sandbox.application(application).0, "Synced", "{application}");
    }
    let left: Vec<_> = fs::read_dir(sandbox.path(".local/share/coracle")).expect("is there").flatten().collect();
    assert_eq!(left.len(), 1, "the lock is gone: {left:?}");
}

#[test]
fn a_broken_platform_can_be_deleted_and_hides_no_other() {
    let sandbox = Sandbox::new();
    sandbox.create(&["--no-wait"]).ok();
    sandbox.write(".local/share/coracle/broken/platform.json", "{");
    let listed = sandbox.run(&["get", "clusters", "-o", "json"]).ok();
    assert!(listed.stderr.contains("broken/platform.json"), "{}", listed.stderr);
    assert_eq!(listed.json().as_array().map(Vec::len), Some(1));
    sandbox.run(&["delete", "--name", "broken"]).ok();
    assert!(!sandbox.path(".local/share/coracle/broken").exists());

    fs::write(sandbox.platform().join("platform.json"), "{").expect("is writable");
    sandbox.run(&["delete"]).ok();
    assert!(!sandbox.path(".local/share/coracle").exists());
    let kubeconfig = fs::read_to_string(sandbox.kubeconfig()).expect("is there");
    assert!(!kubeconfig.contains("coracle-"), "{kubeconfig}");
    std::net::TcpListener::bind(("127.0.0.1", sandbox.api_port)).expect("the server is gone");
}

#[test]
fn a_directory_behind_a_link_goes_with_the_link() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("real")).expect("is writable");
    std::os::unix::fs::symlink("real", sandbox.path("link")).expect("is writable");
    sandbox.create(&["--no-wait", "--data-dir", "link"]).ok();
    assert!(sandbox.path("real/platform.json").exists());
    sandbox.run(&["delete", "--data-dir", "link/"]).ok();
    assert!(!sandbox.path("real").exists());
    assert!(!sandbox.path("link").is_symlink());
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
