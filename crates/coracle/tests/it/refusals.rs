//! What cannot be: one clear sentence, a remedy, and nothing half-made.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use crate::sandbox::Sandbox;

/// Refused with a code, and nothing of a platform is there.
fn refused(sandbox: &Sandbox, arguments: &[&str], code: &str) -> String {
    let said = sandbox.create(arguments).fails(1, &format!("error[{code}]"));
    assert!(!sandbox.platform().exists(), "something was left behind");
    assert!(!sandbox.kubeconfig().exists(), "the kubeconfig was touched");
    said.stderr
}

#[test]
fn a_busy_port() {
    let sandbox = Sandbox::new();
    let _held = TcpListener::bind(("127.0.0.1", sandbox.port)).expect("was free");
    let said = refused(&sandbox, &[], "port-in-use");
    assert!(said.contains(&format!("port {} is in use", sandbox.port)) && said.contains("--port"), "{said}");
    // This process holds it, or for an instant one it is about to start.
    assert!(said.contains("(process "), "{said}");
}

#[test]
fn packages_that_cannot_be() {
    let sandbox = Sandbox::new();
    refused(&sandbox, &["-p", "absent"], "no-such-package");
    sandbox.write("broken/app.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: [a\n");
    let said = refused(&sandbox, &["-p", "broken"], "broken-yaml");
    assert!(said.contains("broken/app.yaml:") && said.contains('^'), "{said}");
    sandbox.write("empty/readme.md", "nothing");
    refused(&sandbox, &["-p", "empty"], "empty-package");
    let said = refused(&sandbox, &["-p", "https://127.0.0.1:1/o/r//p"], "unreachable-package");
    assert!(said.contains("https://127.0.0.1:1/o/r//p cannot be reached"), "{said}");
    refused(&sandbox, &["-p", "https://127.0.0.1:1/o/r"], "bad-package-url");
    let app = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {source: {repoURL: 'cnoe://gone'}}\n";
    sandbox.write("dangling/app.yaml", app);
    refused(&sandbox, &["-p", "dangling"], "no-such-directory");
}

#[test]
fn a_foreign_directory() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("mine/thesis.txt", "years of work");
    sandbox.create(&["--data-dir", "mine"]).fails(1, "error[foreign-directory]");
    sandbox.run(&["delete", "--data-dir", "mine"]).fails(1, "error[foreign-directory]");
    assert_eq!(std::fs::read_to_string(file).expect("is untouched"), "years of work");
}

#[test]
fn a_broken_kubeconfig() {
    let sandbox = Sandbox::new();
    for text in ["a: [", "just a word"] {
        sandbox.write("kubeconfig", text);
        sandbox.create(&[]).fails(1, "error[unusable-kubeconfig]");
        assert!(!sandbox.path(".local/share/coracle").exists(), "something was left behind");
        assert_eq!(std::fs::read_to_string(sandbox.kubeconfig()).expect("is there"), text);
    }
    sandbox.write("kubeconfig", "");
    sandbox.create(&["--no-wait"]).ok();
    sandbox.write("kubeconfig", "coracle-localdev: [");
    sandbox.run(&["delete"]).fails(1, "error[unusable-kubeconfig]");
    assert!(!sandbox.platform().exists(), "the platform goes all the same");
    TcpListener::bind(("127.0.0.1", sandbox.api_port)).expect("the server is gone");
    sandbox.write("kubeconfig", "a: [");
    sandbox.run(&["delete"]).ok();
}

#[test]
fn a_locked_kubeconfig() {
    let sandbox = Sandbox::new();
    let lock = sandbox.write("kubeconfig.lock", "");
    let said = refused(&sandbox, &["--no-wait"], "unusable-kubeconfig");
    assert!(said.contains("kubeconfig.lock exists"), "{said}");
    let (port, api_port) = (sandbox.port.to_string(), sandbox.api_port.to_string());
    let mut command = sandbox.command(&["create", "--no-wait", "--port", &port, "--api-port", &api_port]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(child.stderr.take().expect("is piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("platform started")));
    std::fs::remove_file(&lock).expect("is there");
    lines.for_each(drop);
    assert!(child.wait().expect("it ends").success(), "another's lock is waited for");
}

#[test]
fn flags_that_mean_nothing() {
    let sandbox = Sandbox::new();
    for (arguments, why) in [
        (["--protocol", "ftp"], "neither https nor http"),
        (["--port", "70000"], "is not a port"),
        (["--name", "No_Name"], "cannot be the name"),
        (["--extra-ports", "80"], "is not a pair of ports"),
        (["-c", "argocd"], "exactly one ':'"),
        (["-c", "vault:x.yaml"], "customization for vault not supported"),
        (["--timeout", "soon"], "is not a duration"),
        (["--registry-config=/absent", "-n"], "no registry config was found"),
        (["-l", "loud"], "loud is not a valid log level"),
    ] {
        sandbox.run(&[&["create"], &arguments[..]].concat()).fails(1, why);
    }
    sandbox.run(&["get"]).fails(1, "specify subcommand");
    sandbox.run(&["get", "secrets", "-o", "xml"]).fails(1, "output format xml is not supported");
    sandbox.run(&["create", "--no-such-flag"]).fails(1, "--no-such-flag");
    sandbox.run(&["status"]).fails(1, "error[no-such-platform]");
    let error = sandbox.run(&["create", "-p", "absent", "-o", "json"]).fails(1, "no-such-package");
    let error: serde_json::Value = serde_json::from_str(&error.stderr).expect("is JSON");
    assert_eq!(error["error"]["code"], "no-such-package");
}

#[test]
fn a_timeout_says_who_is_not_ready() {
    let sandbox = Sandbox::new();
    let app = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: late, namespace: argocd}\nspec:\n  project: default\n  source: {repoURL: 'https://127.0.0.1:1/o/r', targetRevision: HEAD, path: .}\n  destination: {server: 'https://kubernetes.default.svc', namespace: default}\n  syncPolicy: {automated: {}}\n";
    sandbox.write("late/app.yaml", app);
    let said = sandbox.create(&["-p", "late", "--timeout", "1s"]).fails(2, "error[timed-out]");
    assert!(said.stderr.contains("late:"), "{}", said.stderr);
    sandbox.run(&["status"]).ok();
}
