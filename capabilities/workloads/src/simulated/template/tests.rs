//! Tables of templates: what they give, and which are refused.

use serde_json::{Value, json};

use super::{Facts, Template};

fn render(text: &str) -> Value {
    let facts = Facts {
        now: "2026-01-01T00:00:00Z".into(),
        node_ip: "172.16.0.1".into(),
        node_name: "simulated-0".into(),
        pod_ip: "10.128.0.1".into(),
    };
    let pod = json!({ "metadata": { "name": "web" }, "spec": { "priority": 5 }, "status": {} });
    Template::parse(text).unwrap().render(&pod, &facts).unwrap()
}

#[test]
fn templates_put_in_what_they_name() {
    let cases: &[(&str, Value)] = &[
        ("phase: Running", json!({ "phase": "Running" })),
        ("", Value::Null),
        ("startTime: {{ Now | Quote }}", json!({ "startTime": "2026-01-01T00:00:00Z" })),
        ("{{ $now := Now }}\nat: {{ $now | Quote }}", json!({ "at": "2026-01-01T00:00:00Z" })),
        ("ip: {{ PodIP }}\nhost: {{ NodeIP }}", json!({ "ip": "10.128.0.1", "host": "172.16.0.1" })),
        ("name: {{ .metadata.name }}\npriority: {{ .spec.priority }}", json!({ "name": "web", "priority": 5 })),
        ("name: {{ .spec.priority | Quote }}", json!({ "name": "5" })),
        ("none: {{ .status.podIP }}", json!({ "none": null })),
        ("exit: {{ 3 }}\n{{- /* why */}}\nnode: {{ NodeName }}", json!({ "exit": 3, "node": "simulated-0" })),
        ("ip: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) | Quote }}", json!({ "ip": "10.128.0.1" })),
    ];
    for (text, expect) in cases {
        assert_eq!(render(text), *expect, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "{{ range .spec.containers }}",
        "{{ if .status }}a: b{{ end }}",
        "{{ $unknown }}",
        "{{ .a | YAML 1 }}",
        "{{ or .a .b }}",
        "{{ Now",
        "{{ }}",
    ] {
        assert!(Template::parse(text).is_err(), "{text}");
    }
    let why = Template::parse("a: {{ range .spec.containers }}").unwrap_err();
    assert!(why.starts_with("the template action {{ range .spec.containers }} is not supported"), "{why}");
}
