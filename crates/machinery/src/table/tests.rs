//! Rows as kubectl shows them.

use api::kind::PrinterColumn;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::kind;
use crate::human::parse_time;

fn now() -> Timestamp {
    parse_time("2026-01-02T00:00:00Z").unwrap()
}

fn check(group: &str, name: &str, mut object: Value, expect: &[&str]) {
    object["metadata"]["name"] = json!("x");
    object["metadata"]["creationTimestamp"] = json!("2026-01-01T23:00:00Z");
    let cells = cells(&kind(group, name), &object, now());
    let cells: Vec<String> = cells.iter().map(crate::jsonpath::text).collect();
    assert_eq!(cells, expect, "{name}");
}

#[test]
fn every_built_in_kind_has_a_cell_per_column_even_for_an_empty_object() {
    for kind in api::builtin::kinds() {
        let printer = Printer::new(kind);
        assert_eq!(printer.columns().len(), printer.cells(&json!({}), now()).len(), "{}", kind.gvk);
    }
    for entry in AREAS.iter().flat_map(|area| area.iter()).filter(|entry| entry.kind != "Scale") {
        let known =
            api::builtin::kinds().iter().any(|kind| &*kind.gvk.group == entry.group && &*kind.gvk.kind == entry.kind);
        let is_not_served =
            ["ComponentStatus", "ClusterTrustBundle", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"];
        assert!(known || is_not_served.contains(&entry.kind), "{}/{}", entry.group, entry.kind);
    }
}

fn pod(spec: Value, status: Value, deleted: bool) -> Value {
    let mut pod = json!({"metadata": {}, "spec": spec, "status": status});
    if deleted {
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T23:59:00Z");
    }
    pod
}

fn check_pod(spec: Value, status: Value, deleted: bool, expect: [&str; 3]) {
    let cells = cells(&kind("", "Pod"), &pod(spec, status.clone(), deleted), now());
    let cells: Vec<&str> = cells[1..4].iter().map(|cell| cell.as_str().unwrap()).collect();
    assert_eq!(cells, expect, "{status}");
}

#[test]
fn pod_status() {
    let one = || json!({"containers": [{"name": "a"}]});
    let with = |phase: &str, containers: Value| json!({"phase": phase, "containerStatuses": containers});
    let ready = || json!([{"type": "Ready", "status": "True"}]);
    check_pod(one(), json!({"phase": "Pending"}), false, ["0/1", "Pending", "0"]);
    check_pod(
        one(),
        with("Running", json!([{"ready": true, "state": {"running": {}}}])),
        false,
        ["1/1", "Running", "0"],
    );
    check_pod(
        one(),
        with(
            "Running",
            json!([{"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"finishedAt": "2026-01-01T23:55:00Z"}}}]),
        ),
        false,
        ["0/1", "CrashLoopBackOff", "4 (5m ago)"],
    );
    check_pod(
        one(),
        with("Succeeded", json!([{"state": {"terminated": {"reason": "Completed", "exitCode": 0}}}])),
        false,
        ["0/1", "Completed", "0"],
    );
    check_pod(
        one(),
        with("Failed", json!([{"state": {"terminated": {"exitCode": 3}}}])),
        false,
        ["0/1", "ExitCode:3", "0"],
    );
    check_pod(
        one(),
        with("Failed", json!([{"state": {"terminated": {"signal": 9, "exitCode": 137}}}])),
        false,
        ["0/1", "Signal:9", "0"],
    );
    check_pod(
        one(),
        with("Running", json!([{"ready": true, "state": {"running": {}}}])),
        true,
        ["1/1", "Terminating", "0"],
    );
    check_pod(one(), json!({"phase": "Succeeded"}), true, ["0/1", "Succeeded", "0"]);
    check_pod(one(), json!({"phase": "Running", "reason": "NodeLost"}), true, ["0/1", "Unknown", "0"]);
    check_pod(one(), json!({"phase": "Failed", "reason": "Evicted"}), false, ["0/1", "Evicted", "0"]);
    check_pod(
        one(),
        json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]}),
        false,
        ["0/1", "SchedulingGated", "0"],
    );
    let two = || json!([{"ready": true, "state": {"running": {}}}, {"state": {"terminated": {"reason": "Completed"}}}]);
    let both = json!({"containers": [{"name": "a"}, {"name": "b"}]});
    let reversed = json!([two()[1], two()[0]]);
    check_pod(
        both.clone(),
        json!({"phase": "Running", "conditions": ready(), "containerStatuses": reversed}),
        false,
        ["1/2", "Running", "0"],
    );
    check_pod(both, json!({"phase": "Running", "containerStatuses": reversed}), false, ["1/2", "NotReady", "0"]);
}

#[test]
fn pod_initialisation() {
    let spec = || json!({"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]});
    let with = |init: Value| json!({"phase": "Pending", "initContainerStatuses": init});
    check_pod(spec(), with(json!([{"name": "i", "state": {"running": {}}}])), false, ["0/2", "Init:0/2", "0"]);
    check_pod(
        spec(),
        with(json!([{"name": "i", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}])),
        false,
        ["0/2", "Init:CrashLoopBackOff", "2"],
    );
    check_pod(
        spec(),
        with(json!([{"name": "i", "state": {"terminated": {"exitCode": 1}}}])),
        false,
        ["0/2", "Init:ExitCode:1", "0"],
    );
    check_pod(
        spec(),
        with(
            json!([{"name": "i", "state": {"terminated": {"exitCode": 0}}}, {"name": "s", "state": {"waiting": {"reason": "PodInitializing"}}}]),
        ),
        false,
        ["0/2", "Init:1/2", "0"],
    );
    check_pod(
        spec(),
        json!({"phase": "Running",
            "initContainerStatuses": [
                {"name": "i", "restartCount": 5, "state": {"terminated": {"exitCode": 0}}},
                {"name": "s", "restartCount": 1, "started": true, "ready": true, "state": {"running": {}}}],
            "containerStatuses": [{"ready": true, "state": {"running": {}}}]}),
        false,
        ["2/2", "Running", "1"],
    );
}

#[test]
fn workloads() {
    let template = json!({"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "i:2"}], "nodeSelector": {"d": "ssd"}}});
    let selector = json!({"matchLabels": {"app": "web"}});
    check(
        "apps",
        "Deployment",
        json!({"spec": {"replicas": 3, "selector": selector, "template": template}, "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}}),
        &["x", "1/3", "2", "1", "60m", "a,b", "i:1,i:2", "app=web"],
    );
    check(
        "apps",
        "DaemonSet",
        json!({"spec": {"selector": selector, "template": template}, "status": {"desiredNumberScheduled": 2, "numberReady": 1}}),
        &["x", "2", "0", "1", "0", "0", "d=ssd", "60m", "a,b", "i:1,i:2", "app=web"],
    );
    check(
        "batch",
        "Job",
        json!({"spec": {"completions": 3, "template": template}, "status": {"succeeded": 3, "startTime": "2026-01-01T23:50:00Z",
            "completionTime": "2026-01-01T23:50:42Z", "conditions": [{"type": "Complete", "status": "True"}]}}),
        &["x", "Complete", "3/3", "42s", "60m", "a,b", "i:1,i:2", "<none>"],
    );
    check(
        "batch",
        "CronJob",
        json!({"spec": {"schedule": "* * * * *", "suspend": false}, "status": {"active": [{}], "lastScheduleTime": "2026-01-01T23:59:30Z"}}),
        &["x", "* * * * *", "<none>", "False", "1", "30s", "60m", "", "", "<none>"],
    );
    check(
        "autoscaling",
        "HorizontalPodAutoscaler",
        json!({"spec": {"maxReplicas": 5, "minReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}]}}),
        &["x", "Deployment/web", "cpu: <unknown>/80%", "2", "5", "0", "60m"],
    );
    check("policy", "PodDisruptionBudget", json!({"spec": {"minAvailable": "50%"}}), &["x", "50%", "N/A", "0", "60m"]);
}

#[test]
fn network() {
    check(
        "",
        "Service",
        json!({"spec": {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"], "selector": {"b": "2", "a": "1"},
            "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]}}),
        &["x", "LoadBalancer", "10.0.0.1", "<pending>", "80:30080/TCP,53/UDP", "60m", "a=1,b=2"],
    );
    check(
        "",
        "Service",
        json!({"spec": {"type": "ExternalName", "externalName": "a.b"}}),
        &["x", "ExternalName", "<none>", "a.b", "<none>", "60m", "<none>"],
    );
    let rules: Vec<Value> = ["a", "b", "c", "d", "e"].iter().map(|host| json!({"host": host})).collect();
    check(
        "networking.k8s.io",
        "Ingress",
        json!({"spec": {"rules": rules, "tls": [{}]}}),
        &["x", "<none>", "a,b,c + 2 more...", "", "80, 443", "60m"],
    );
    check(
        "networking.k8s.io",
        "Ingress",
        json!({"spec": {"rules": [{}], "ingressClassName": "n"}, "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}),
        &["x", "n", "*", "1.2.3.4", "80", "60m"],
    );
    check(
        "",
        "Endpoints",
        json!({"subsets": [{"addresses": [{"ip": "1.1.1.1"}, {"ip": "1.1.1.2"}], "ports": [{"port": 1}, {"port": 2}]}]}),
        &["x", "1.1.1.1:1,1.1.1.2:1,1.1.1.1:2 + 1 more...", "60m"],
    );
    check(
        "discovery.k8s.io",
        "EndpointSlice",
        json!({"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": []}),
        &["x", "IPv4", "80", "<unset>", "60m"],
    );
}

#[test]
fn storage_access_and_cluster() {
    check(
        "",
        "PersistentVolumeClaim",
        json!({"spec": {"volumeName": "v", "storageClassName": "fast", "volumeMode": "Filesystem"},
            "status": {"phase": "Bound", "capacity": {"storage": "1024Mi"}, "accessModes": ["ReadWriteOnce"]}}),
        &["x", "Bound", "v", "1Gi", "RWO", "fast", "<unset>", "60m", "Filesystem"],
    );
    check("", "Secret", json!({"type": "Opaque", "data": {"a": "", "b": ""}}), &["x", "Opaque", "2", "60m"]);
    check("rbac.authorization.k8s.io", "ClusterRole", json!({}), &["x", "2026-01-01T23:00:00Z"]);
    check(
        "rbac.authorization.k8s.io",
        "RoleBinding",
        json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n"}]}),
        &["x", "Role/r", "60m", "u", "", "n/s"],
    );
    check(
        "",
        "Node",
        json!({"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}, "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "True"}], "addresses": [{"type": "InternalIP", "address": "10.0.0.9"}],
                "nodeInfo": {"kubeletVersion": "v1.36.0", "kernelVersion": "6.1", "architecture": "amd64", "osImage": "Debian"}}}),
        &[
            "x",
            "Ready,SchedulingDisabled",
            "control-plane",
            "60m",
            "v1.36.0",
            "10.0.0.9",
            "<none>",
            "Debian",
            "6.1 (amd64)",
            "<unknown>",
        ],
    );
    let event = json!({"type": "Warning", "reason": "Failed", "message": " no \n", "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "f"},
        "firstTimestamp": "2026-01-01T23:00:00Z", "lastTimestamp": "2026-01-01T23:59:30Z", "count": 3, "source": {"component": "kubelet", "host": "h"}});
    check("", "Event", event, &["30s", "Warning", "Failed", "pod/p", "f", "kubelet, h", "no", "60m", "3", "x"]);
    let event = json!({"type": "Normal", "reason": "R", "note": "n", "regarding": {"kind": "Pod", "name": "p"}, "eventTime": "2026-01-01T23:59:50.000000Z", "reportingController": "c"});
    check("events.k8s.io", "Event", event, &["10s", "Normal", "R", "pod/p", "", "c", "n", "10s", "1", "x"]);
    check(
        "",
        "ResourceQuota",
        json!({"status": {"hard": {"pods": "10", "limits.cpu": "2", "requests.nvidia.com/gpu": "1"}, "used": {"pods": "3", "limits.cpu": "500m"}}}),
        &["x", "pods: 3/10, requests.nvidia.com/gpu: 0/1", "limits.cpu: 500m/2", "60m"],
    );
    check(
        "apiregistration.k8s.io",
        "APIService",
        json!({"status": {"conditions": [{"type": "Available", "status": "False", "reason": "Gone"}]}}),
        &["x", "Local", "False (Gone)", "60m"],
    );
}

#[test]
fn custom_kinds_print_their_columns() {
    let mut custom = kind("", "Pod");
    custom.gvk = api::Gvk::new("example.com", "v1", "Thing");
    let column = |name: &str, kind: &str, path: &str| PrinterColumn {
        name: name.into(),
        kind: kind.into(),
        format: String::new(),
        description: String::new(),
        priority: 0,
        json_path: path.into(),
    };
    custom.columns = vec![
        column("Ready", "string", ".status.conditions[?(@.type=='Ready')].status"),
        column("Replicas", "integer", ".spec.replicas"),
        column("Labels", "string", ".metadata.labels"),
        column("Gone", "string", ".spec.gone"),
        column("Since", "date", ".status.since"),
        column("Wrong", "integer", ".metadata.name"),
    ];
    let object = json!({"metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {"replicas": 2},
        "status": {"since": "2026-01-01T00:00:00Z", "conditions": [{"type": "Ready", "status": "True"}]}});
    assert_eq!(
        cells(&custom, &object, now()),
        [json!("x"), json!("True"), json!(2), json!("{\"a\":\"b\"}"), Value::Null, json!("24h"), Value::Null]
    );
    custom.columns.clear();
    let names: Vec<String> = columns(&custom).into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["Name", "Age"]);
    assert_eq!(columns(&custom)[0].to_json()["format"], json!("name"));
}
