//! What the server fills, against what kube-apiserver 1.36 fills.

use serde_json::{Value, json};

use super::{Grace, counts_as_change, default, grace, prepare_create, prepare_update};
use crate::tree::Tree;

fn kind(plural: &str) -> &'static api::KindDescriptor {
    api::builtin::kinds().iter().find(|kind| &*kind.plural == plural).unwrap()
}

fn tree(value: Value) -> Tree {
    value.as_object().cloned().unwrap()
}

fn created(plural: &str, object: Value) -> Value {
    let mut object = tree(object);
    default(kind(plural), &mut object);
    prepare_create(kind(plural), &mut object);
    Value::Object(object)
}

#[test]
fn jobs_select_their_own_pods() {
    let template = |labels: Value| json!({"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}});
    let meta = json!({"name": "j", "uid": "u"});
    let job = created("jobs", json!({"metadata": meta, "spec": {"template": template(json!({"a": "b"}))}}));
    let labels = json!({
        "a": "b", "batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "j", "controller-uid": "u",
        "job-name": "j",
    });
    assert_eq!(job["metadata"]["labels"], labels);
    assert_eq!(job["spec"]["template"]["metadata"]["labels"], labels);
    assert_eq!(job["spec"]["selector"], json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}));
    let selector = json!({"matchLabels": {"x": "y"}});
    let manual = json!({"manualSelector": true, "selector": selector, "template": template(json!({"x": "y"}))});
    let job = created("jobs", json!({"metadata": meta, "spec": manual}));
    assert_eq!(job["spec"]["selector"], selector);
    assert_eq!(job["spec"]["template"]["metadata"]["labels"], json!({"x": "y"}));
}

#[test]
fn pods_have_a_class_of_service() {
    let check = |resources: &[Value], expect: &str| {
        let containers: Vec<Value> =
            resources.iter().map(|held| json!({"name": "c", "image": "i", "resources": held})).collect();
        let pod = created("pods", json!({"metadata": {}, "spec": {"containers": containers}}));
        assert_eq!(pod["status"]["qosClass"], expect, "{resources:?}");
        assert_eq!(pod["status"]["phase"], "Pending");
    };
    let both = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    check(&[json!({})], "BestEffort");
    check(std::slice::from_ref(&both), "Guaranteed");
    check(&[json!({"limits": {"cpu": "1000m", "memory": "1Gi"}, "requests": {"cpu": "1"}})], "Guaranteed");
    check(&[both, json!({})], "Burstable");
    check(&[json!({"requests": {"cpu": "1"}})], "Burstable");
    check(&[json!({"limits": {"cpu": "1"}})], "Burstable");
    check(&[json!({"limits": {"ephemeral-storage": "1Gi"}})], "BestEffort");
}

#[test]
fn generations_count_what_is_wanted() {
    let check = |plural: &str, old: Value, new: Value, expect: bool| {
        assert_eq!(counts_as_change(kind(plural), &tree(old), &tree(new)), expect, "{plural}");
    };
    let annotated = json!({"metadata": {"annotations": {"a": "b"}}});
    let labelled = json!({"metadata": {"labels": {"a": "b"}}});
    check("deployments", json!({}), annotated.clone(), true);
    check("statefulsets", json!({}), annotated, false);
    check("endpointslices", json!({}), labelled.clone(), true);
    check("deployments", json!({}), labelled, false);
    check("priorityclasses", json!({"description": "a"}), json!({"description": "b"}), false);
    check("deployments", json!({"spec": {"replicas": 1}}), json!({"spec": {"replicas": 2}}), true);
    check("deployments", json!({"status": {}}), json!({"status": {"replicas": 2}}), false);
}

#[test]
fn daemon_sets_count_their_templates() {
    const ANNOTATION: &str = "deprecated.daemonset.template.generation";
    let set = |image: &str| json!({"metadata": {}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}});
    let old = created("daemonsets", set("a"));
    assert_eq!(old["metadata"]["annotations"][ANNOTATION], "1");
    let mut same = tree(old.clone());
    prepare_update(kind("daemonsets"), &tree(old.clone()), &mut same);
    assert_eq!(same["metadata"]["annotations"][ANNOTATION], "1");
    let mut changed = tree(set("b"));
    prepare_update(kind("daemonsets"), &tree(old), &mut changed);
    assert_eq!(changed["metadata"]["annotations"][ANNOTATION], "2");
}

#[test]
fn services_lose_what_their_type_does_not_have() {
    let update = |old: &Value, change: &dyn Fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        let mut new = tree(new);
        default(kind("services"), &mut new);
        prepare_update(kind("services"), &tree(old.clone()), &mut new);
        Value::Object(new)
    };
    let mut balanced = created(
        "services",
        json!({"metadata": {}, "spec": {"type": "LoadBalancer", "loadBalancerClass": "a/b", "ports": [{"port": 80, "nodePort": 30001}]}}),
    );
    balanced["spec"]["clusterIP"] = json!("10.96.0.9");
    balanced["spec"]["clusterIPs"] = json!(["10.96.0.9"]);
    let inner = update(&balanced, &|new| new["spec"]["type"] = json!("ClusterIP"));
    for field in ["loadBalancerClass", "allocateLoadBalancerNodePorts", "externalTrafficPolicy"] {
        assert!(inner["spec"].get(field).is_none(), "{field}");
    }
    assert!(inner["spec"]["ports"][0].get("nodePort").is_none());
    assert_eq!(inner["spec"]["clusterIP"], "10.96.0.9");
    let named = update(&balanced, &|new| {
        new["spec"]["type"] = json!("ExternalName");
        new["spec"]["externalName"] = json!("a.b");
    });
    assert!(named["spec"].get("clusterIP").is_none() && named["spec"].get("clusterIPs").is_none());
    let unset = update(&balanced, &|new| {
        new["spec"] = json!({"type": "NodePort", "ports": [{"port": 80}]});
    });
    assert_eq!(unset["spec"]["clusterIPs"], json!(["10.96.0.9"]));
    assert_eq!(unset["spec"]["ports"][0]["nodePort"], 30001);
    let moved = update(&balanced, &|new| new["spec"]["clusterIP"] = json!("10.96.0.10"));
    assert_eq!(moved["spec"]["clusterIPs"], json!(["10.96.0.10"]));
}

#[test]
fn claims_name_their_source_twice() {
    let claim = created(
        "persistentvolumeclaims",
        json!({"metadata": {}, "spec": {"dataSource": {"kind": "PersistentVolumeClaim", "name": "z"}}}),
    );
    assert_eq!(claim["spec"]["dataSourceRef"], json!({"apiGroup": null, "kind": "PersistentVolumeClaim", "name": "z"}));
    let claim = created(
        "persistentvolumeclaims",
        json!({"metadata": {}, "spec": {"dataSource": {"kind": "Other", "name": "z", "apiGroup": "a.b"}}}),
    );
    assert!(claim["spec"].get("dataSource").is_none());
}

#[test]
fn pods_are_given_time_to_end() {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let until = |end: &str, secs: i64| Grace::Until(format!("2026-01-01T00:{end}Z"), secs);
    let on_node = json!({"nodeName": "n", "terminationGracePeriodSeconds": 30});
    let running = json!({"phase": "Running"});
    let new = json!({});
    let going = json!({"deletionTimestamp": "2026-01-01T00:00:20Z", "deletionGracePeriodSeconds": 30});
    let held = json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0});
    let cases = [
        ("its own time", &new, &on_node, &running, None, until("00:30", 30)),
        ("the time asked for", &new, &on_node, &running, Some(90), until("01:30", 90)),
        ("none", &new, &on_node, &running, Some(0), until("00:00", 0)),
        ("what cannot be", &new, &on_node, &running, Some(-5), until("00:01", 1)),
        ("no node", &new, &json!({"terminationGracePeriodSeconds": 30}), &running, Some(9), until("00:00", 0)),
        ("over", &new, &on_node, &json!({"phase": "Succeeded"}), None, until("00:00", 0)),
        ("failed", &new, &on_node, &json!({"phase": "Failed"}), Some(9), until("00:00", 0)),
        ("asked again", &going, &on_node, &running, None, Grace::Runs),
        ("longer", &going, &on_node, &running, Some(60), Grace::Runs),
        ("as long", &going, &on_node, &running, Some(30), Grace::Runs),
        ("shorter", &going, &on_node, &running, Some(15), until("00:05", 15)),
        ("at once", &going, &on_node, &running, Some(0), Grace::Until("2025-12-31T23:59:50Z".into(), 0)),
        ("over meanwhile", &going, &on_node, &json!({"phase": "Failed"}), None, Grace::Runs),
        ("held by finalizers", &held, &on_node, &running, Some(5), Grace::Over),
    ];
    for (what, meta, spec, status, asked, expect) in cases {
        let object = tree(json!({"metadata": meta, "spec": spec, "status": status}));
        let meta: api::ObjectMeta = serde_json::from_value(meta.clone()).unwrap();
        assert_eq!(grace(kind("pods"), &object, &meta, asked, now), expect, "{what}");
    }
    let meta = api::ObjectMeta::default();
    assert_eq!(grace(kind("configmaps"), &tree(json!({})), &meta, Some(9), now), until("00:00", 0));
}
