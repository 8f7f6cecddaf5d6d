//! Tables of what fits where.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Amounts, HostPorts, Needs, Taint, shortages};

fn needs(spec: Value) -> Needs {
    serde_json::from_value(spec).unwrap()
}

fn labels() -> BTreeMap<String, String> {
    [("zone", "a"), ("cores", "16"), ("odd", "1x")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[test]
fn selectors_and_required_affinity_select_nodes() {
    let check = |spec: Value, expect: bool| {
        assert_eq!(needs(spec.clone()).select("n1", &labels()), expect, "{spec}");
    };
    let terms = |terms: Value| {
        let required = json!({ "nodeSelectorTerms": terms });
        json!({ "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": required } } })
    };
    let expression = |key: &str, operator: &str, values: Value| {
        terms(json!([{ "matchExpressions": [{ "key": key, "operator": operator, "values": values }] }]))
    };
    let field = |operator: &str, values: Value| {
        terms(json!([{ "matchFields": [{ "key": "metadata.name", "operator": operator, "values": values }] }]))
    };
    check(json!({}), true);
    check(json!({ "affinity": { "podAffinity": {} } }), true);
    check(json!({ "nodeSelector": { "zone": "a" } }), true);
    check(json!({ "nodeSelector": { "zone": "a", "disk": "ssd" } }), false);
    check(json!({ "nodeSelector": { "zone": "" } }), false);
    check(terms(json!([])), false);
    check(terms(json!([{}])), false);
    check(expression("zone", "In", json!(["b", "a"])), true);
    check(expression("zone", "In", json!(["b"])), false);
    check(expression("disk", "In", json!(["ssd"])), false);
    check(expression("zone", "NotIn", json!(["b"])), true);
    check(expression("zone", "NotIn", json!(["a"])), false);
    check(expression("disk", "NotIn", json!(["ssd"])), true);
    check(expression("zone", "Exists", json!([])), true);
    check(expression("disk", "Exists", json!([])), false);
    check(expression("disk", "DoesNotExist", json!([])), true);
    check(expression("cores", "Gt", json!(["8"])), true);
    check(expression("cores", "Gt", json!(["16"])), false);
    check(expression("cores", "Lt", json!(["17"])), true);
    check(expression("odd", "Lt", json!(["17"])), false);
    check(expression("disk", "Gt", json!(["1"])), false);
    check(expression("zone", "Near", json!(["a"])), false);
    check(field("In", json!(["n1"])), true);
    check(field("In", json!(["n2"])), false);
    check(field("NotIn", json!(["n2"])), true);
    check(field("Exists", json!(["n1"])), false);
    check(field("In", json!(["n1", "n2"])), false);
    // One of the terms is enough; all of a term is needed; the node selector as well.
    let here = json!({ "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["n1"] }] });
    let there = json!({ "matchExpressions": [{ "key": "zone", "operator": "In", "values": ["b"] }] });
    let both = json!({ "matchFields": here["matchFields"], "matchExpressions": there["matchExpressions"] });
    check(terms(json!([there, here])), true);
    check(terms(json!([both])), false);
    let mut narrowed = terms(json!([here]));
    narrowed["nodeSelector"] = json!({ "zone": "b" });
    check(narrowed, false);
}

#[test]
fn tolerations_cover_taints() {
    let check = |toleration: Value, taint: Value, expect: bool| {
        let taints: Vec<Taint> = vec![serde_json::from_value(taint.clone()).unwrap()];
        let pod = needs(json!({ "tolerations": [toleration] }));
        assert_eq!(pod.repelled_by(&taints).is_none(), expect, "{toleration} {taint}");
    };
    let taint = json!({ "key": "team", "value": "x", "effect": "NoSchedule" });
    check(json!({ "key": "team", "value": "x" }), taint.clone(), true);
    check(json!({ "key": "team", "operator": "Equal", "value": "y" }), taint.clone(), false);
    check(json!({ "key": "team", "operator": "Exists" }), taint.clone(), true);
    check(json!({ "operator": "Exists" }), taint.clone(), true);
    check(json!({ "operator": "Exists", "effect": "NoSchedule" }), taint.clone(), true);
    check(json!({ "operator": "Exists", "effect": "NoExecute" }), taint.clone(), false);
    check(json!({ "key": "other", "operator": "Exists" }), taint.clone(), false);
    check(json!({ "key": "team", "operator": "Lt", "value": "9" }), taint, false);
    let other = json!({ "key": "other" });
    check(other.clone(), json!({ "key": "team", "effect": "NoExecute" }), false);
    check(other, json!({ "key": "team", "effect": "PreferNoSchedule" }), true);
}

#[test]
fn a_cordoned_node_takes_who_tolerates_it() {
    let key = "node.kubernetes.io/unschedulable";
    assert!(!needs(json!({})).tolerates_unschedulable());
    assert!(needs(json!({ "tolerations": [{ "key": key, "operator": "Exists" }] })).tolerates_unschedulable());
    let wrong = json!({ "tolerations": [{ "key": key, "operator": "Exists", "effect": "NoExecute" }] });
    assert!(!needs(wrong).tolerates_unschedulable());
}

fn ports(ports: Value) -> HostPorts {
    HostPorts::of(&needs(json!({ "containers": [{ "ports": ports }] })))
}

#[test]
fn host_ports_conflict_by_address_protocol_and_number() {
    let check = |held: Value, asked: Value, expect: bool| {
        let text = format!("{held} {asked}");
        let (held, asked) = (ports(json!([held])), ports(json!([asked])));
        assert_eq!(held.conflict(&asked), expect, "{text}");
        assert_eq!(asked.conflict(&held), expect, "{text} reversed");
    };
    check(json!({ "hostPort": 80 }), json!({ "hostPort": 80 }), true);
    check(json!({ "hostPort": 80 }), json!({ "hostPort": 81 }), false);
    check(json!({ "hostPort": 80 }), json!({ "hostPort": 80, "protocol": "UDP" }), false);
    check(json!({ "hostPort": 80 }), json!({ "hostPort": 80, "hostIP": "127.0.0.1" }), true);
    let first = json!({ "hostPort": 80, "hostIP": "127.0.0.1" });
    check(first.clone(), json!({ "hostPort": 80, "hostIP": "127.0.0.2" }), false);
    check(first.clone(), first, true);
    check(json!({ "containerPort": 80 }), json!({ "containerPort": 80 }), false);
}

#[test]
fn host_ports_come_of_containers_and_sidecars_and_go_again() {
    let of = |restart_policy: &str| {
        let init = json!({ "restartPolicy": restart_policy, "ports": [{ "hostPort": 9 }] });
        HostPorts::of(&needs(json!({ "initContainers": [init] })))
    };
    assert!(of("").is_empty());
    assert!(!of("Always").is_empty());
    let mut held = HostPorts::default();
    let web = ports(json!([{ "hostPort": 80 }, { "hostPort": 443 }]));
    held.add(&web);
    assert!(held.conflict(&ports(json!([{ "hostPort": 443 }]))));
    held.remove(&web);
    assert!(held.is_empty());
}

fn container(cpu: &str, memory: &str) -> Value {
    json!({ "resources": { "requests": { "cpu": cpu, "memory": memory } } })
}

fn init(cpu: &str, memory: &str, is_sidecar: bool) -> Value {
    let mut container = container(cpu, memory);
    if is_sidecar {
        container["restartPolicy"] = json!("Always");
    }
    container
}

fn amounts(of: Value) -> Amounts {
    serde_json::from_value(of).unwrap()
}

#[test]
fn requests_are_summed_as_kubernetes_does() {
    let check = |spec: Value, cpu: &str, memory: &str| {
        let expect = amounts(json!({ "cpu": cpu, "memory": memory }));
        assert_eq!(Amounts::requested(&needs(spec.clone())), expect, "{spec}");
    };
    let two = json!([container("100m", "1Gi"), container("0.2", "1Gi")]);
    check(json!({ "containers": two }), "300m", "2Gi");
    // The largest init container counts where it is more than all containers.
    let inits = json!([init("1", "1Gi", false), init("200m", "4Gi", false)]);
    check(json!({ "containers": two, "initContainers": inits }), "1", "4Gi");
    // Sidecars stay: they are added to the containers, and to the init containers after them.
    let before = json!([init("500m", "0", true), init("1", "0", false)]);
    check(json!({ "containers": two, "initContainers": before }), "1500m", "2Gi");
    let after = json!([init("1", "0", false), init("500m", "0", true)]);
    check(json!({ "containers": two, "initContainers": after }), "1", "2Gi");
    let only = json!([init("500m", "1Gi", true)]);
    check(json!({ "containers": two, "initContainers": only }), "800m", "3Gi");
    // What is stated for the pod stands in place of the sum, and overhead comes on top.
    let pod = json!({ "requests": { "cpu": "2" } });
    check(json!({ "containers": two, "resources": pod, "overhead": { "cpu": "250m" } }), "2250m", "2Gi");
    check(json!({ "containers": [{}] }), "0", "0");
}

#[test]
fn scores_take_containers_without_requests_for_small_ones() {
    let of = |spec: Value| {
        let found = Amounts::scored(&needs(spec));
        (found.cpu_millis, found.memory >> 20)
    };
    assert_eq!(of(json!({ "containers": [{}, container("1", "1Gi")] })), (1100, 1224));
    assert_eq!(of(json!({ "containers": [{}], "resources": { "requests": { "cpu": "50m" } } })), (50, 200));
}

#[test]
fn a_node_lacks_what_is_asked_for_beyond_what_is_left() {
    let node = amounts(json!({ "cpu": "2", "memory": "4Gi", "pods": "3", "gpu.dev/a": 1 }));
    let used = amounts(json!({ "cpu": "1500m", "memory": "4Gi" }));
    let check = |asked: Value, pods: usize, expect: &[(&str, bool)]| {
        let found = shortages(&amounts(asked.clone()), &node, &used, pods);
        let found: Vec<_> = found.iter().map(|shortage| (shortage.reason(), shortage.is_lasting)).collect();
        let expect: Vec<_> = expect.iter().map(|(reason, lasting)| ((*reason).to_owned(), *lasting)).collect();
        assert_eq!(found, expect, "{asked}");
    };
    check(json!({ "cpu": "500m" }), 2, &[]);
    check(json!({ "cpu": "501m" }), 2, &[("Insufficient cpu", false)]);
    check(json!({ "cpu": "3", "memory": "1" }), 2, &[("Insufficient cpu", true), ("Insufficient memory", false)]);
    check(json!({}), 3, &[("Too many pods", false)]);
    check(json!({ "gpu.dev/a": 1 }), 0, &[]);
    check(json!({ "gpu.dev/a": 2 }), 0, &[("Insufficient gpu.dev/a", true)]);
    check(json!({ "gpu.dev/b": 1 }), 0, &[("Insufficient gpu.dev/b", true)]);
}

proptest! {
    #[test]
    fn what_was_added_can_be_taken_off(amounts in prop::collection::vec((0i64..1 << 40, 0i64..1 << 40, 1i64..9), 0..8)) {
        let all: Vec<Amounts> = amounts.iter().map(|(cpu, memory, devices)| {
            let others = BTreeMap::from([("gpu.dev/a".into(), *devices)]);
            Amounts { cpu_millis: *cpu, memory: *memory, others, ..Amounts::default() }
        }).collect();
        let mut sum = Amounts::default();
        all.iter().for_each(|one| sum.add(one));
        prop_assert_eq!(sum.cpu_millis, amounts.iter().map(|it| it.0).sum::<i64>());
        all.iter().rev().for_each(|one| sum.subtract(one));
        prop_assert_eq!(sum, Amounts::default());
    }
}
