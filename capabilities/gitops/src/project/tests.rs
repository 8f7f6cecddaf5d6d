//! What projects permit, as cases.

use serde_json::{Value, json};

use super::{Project, normalise_url};
use crate::types::{Destination, Source};

fn project(spec: Value) -> Project {
    serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a project")
}

fn source(url: &str) -> Source {
    Source { repo_url: url.into(), ..Source::default() }
}

fn destination(server: &str, namespace: &str) -> Destination {
    Destination { server: server.into(), namespace: namespace.into(), ..Destination::default() }
}

#[test]
fn sources() {
    let cases: &[(&[&str], &str, bool)] = &[
        (&["*"], "https://any.example/r.git", true),
        (&[], "https://any.example/r.git", false),
        (&["https://a.example/org/*"], "https://a.example/org/r.git", true),
        (&["https://a.example/org/*"], "https://a.example/org/sub/r.git", false),
        (&["https://a.example/**"], "https://a.example/org/sub/r.git", true),
        (&["https://A.example/org/r"], "https://a.example/org/r.git", true),
        (&["!https://a.example/org/secret", "*"], "https://a.example/org/secret.git", false),
        (&["!https://a.example/org/secret", "*"], "https://a.example/org/open", true),
        (&["!https://a.example/org/secret"], "https://a.example/org/open", true),
        (&["{broken"], "x", false),
    ];
    for (patterns, url, expect) in cases {
        let project = project(json!({"sourceRepos": patterns}));
        assert_eq!(project.permits_source(&source(url)), *expect, "{patterns:?} {url}");
    }
}

#[test]
fn destinations() {
    let local = "https://kubernetes.default.svc";
    let cases: &[(Value, &str, &str, bool)] = &[
        (json!([{"server": "*", "namespace": "*"}]), local, "web", true),
        (json!([]), local, "web", false),
        (json!([{"server": local, "namespace": "web"}]), local, "web", true),
        (json!([{"server": local, "namespace": "web"}]), local, "kube-system", false),
        (json!([{"server": local, "namespace": "team-*"}]), local, "team-a", true),
        (json!([{"server": "*", "namespace": "!kube-system"}]), local, "web", true),
        (json!([{"server": "*", "namespace": "!kube-system"}]), local, "kube-system", false),
        (json!([{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!kube-*"}]), local, "kube-x", false),
        (
            json!([{"server": format!("!{local}"), "namespace": "*"}, {"server": "*", "namespace": "*"}]),
            local,
            "web",
            false,
        ),
        (json!([{"name": "in-cluster", "namespace": "*"}]), local, "web", false),
    ];
    for (entries, server, namespace, expect) in cases {
        let project = project(json!({"destinations": entries}));
        assert_eq!(project.permits_destination(&destination(server, namespace)), *expect, "{entries} {namespace}");
    }
}

#[test]
fn kinds() {
    let all = json!([{"group": "*", "kind": "*"}]);
    let cases: &[(Value, &str, &str, bool, bool)] = &[
        (json!({}), "", "ConfigMap", true, true),
        (json!({}), "", "Namespace", false, false),
        (json!({"clusterResourceWhitelist": all}), "", "Namespace", false, true),
        (
            json!({"clusterResourceWhitelist": all, "clusterResourceBlacklist": [{"group": "", "kind": "Namespace"}]}),
            "",
            "Namespace",
            false,
            false,
        ),
        (json!({"namespaceResourceWhitelist": []}), "", "ConfigMap", true, false),
        (json!({"namespaceResourceWhitelist": [{"group": "apps", "kind": "*"}]}), "apps", "Deployment", true, true),
        (json!({"namespaceResourceWhitelist": [{"group": "apps", "kind": "*"}]}), "", "ConfigMap", true, false),
        (json!({"namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}]}), "", "Secret", true, false),
    ];
    for (spec, group, kind, namespaced, expect) in cases {
        assert_eq!(project(spec.clone()).permits_kind(group, kind, "x", *namespaced), *expect, "{spec} {group}/{kind}");
    }
}

#[test]
fn sentences_are_argo_cds() {
    let project = project(json!({"sourceRepos": ["https://a.example/*"], "destinations": []}));
    let found: Vec<String> = project
        .conditions(&[source("https://b.example/r")], &destination("https://kubernetes.default.svc", "web"))
        .into_iter()
        .map(|condition| condition.message)
        .collect();
    assert_eq!(
        found,
        [
            "application repo https://b.example/r is not permitted in project 'p'",
            "application destination server 'https://kubernetes.default.svc' and namespace 'web' do not match any of \
             the allowed destinations in project 'p'",
        ]
    );
}

#[test]
fn urls_have_one_spelling() {
    for (url, expect) in [
        ("https://GitHub.com/A/B.git", "https://github.com/a/b"),
        ("https://github.com/a/b/", "https://github.com/a/b"),
        ("git@github.com:a/b.git", "git@github.com/a/b"),
        ("ssh://git@github.com/a/b", "git@github.com/a/b"),
    ] {
        assert_eq!(normalise_url(url), expect);
    }
}

#[test]
fn namespaces_of_applications() {
    let project = project(json!({"sourceNamespaces": ["team-*"]}));
    assert!(project.permits_namespace("argocd", "argocd"));
    assert!(project.permits_namespace("team-a", "argocd"));
    assert!(!project.permits_namespace("other", "argocd"));
}
