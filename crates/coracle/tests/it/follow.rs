//! `--no-exit`: what is saved is deployed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::sandbox::Sandbox;

#[test]
fn edits_are_deployed_within_a_second() {
    let sandbox = Sandbox::new();
    let app = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: live, namespace: argocd}\nspec:\n  project: default\n  source: {repoURL: 'cnoe://m', targetRevision: HEAD, path: .}\n  destination: {server: 'https://kubernetes.default.svc', namespace: default}\n  syncPolicy: {automated: {prune: true}}\n";
    let cm = |value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: live}}\ndata: {{value: '{value}'}}\n")
    };
    sandbox.write("one/app.yaml", app);
    let manifest = sandbox.write("one/m/cm.yaml", &cm("first"));
    let (port, api_port) = (sandbox.port.to_string(), sandbox.api_port.to_string());
    let mut command = sandbox.command(&["create", "--port", &port, "--api-port", &api_port, "-p", "one", "--no-exit"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(child.stderr.take().expect("is piped")).lines().map_while(Result::ok);
    let mut until = |what: &str| lines.find(|line| line.contains(what)).unwrap_or_else(|| panic!("never said {what}"));
    until("following");

    fs::write(&manifest, cm("second")).expect("is writable");
    let said = until("synced in");
    let millis: u32 = said.split_whitespace().nth(2).and_then(|text| text.parse().ok()).expect("says how long");
    assert!(millis < 1_000, "{said}");
    let read = sandbox.kubectl(&["get", "cm", "live", "-n", "default", "-o", "jsonpath={.data.value}"]).ok();
    assert_eq!(read.stdout, "second");

    fs::write(sandbox.path("one/app.yaml"), "a: [").expect("is writable");
    until("not synced");
    fs::write(sandbox.path("one/app.yaml"), app).expect("is writable");
    until("synced in");

    sandbox.run(&["stop"]).ok();
    fs::write(&manifest, cm("third")).expect("is writable");
    until("not synced");
    sandbox.run(&["start"]).ok();
    fs::write(&manifest, cm("fourth")).expect("is writable");
    until("synced in");
    fs::rename(sandbox.path("one"), sandbox.path("away")).expect("is writable");
    until("not synced");

    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill runs").success());
    until("command interrupted");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    sandbox.run(&["status"]).ok();
}
