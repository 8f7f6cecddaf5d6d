//! Where pods go and why they go nowhere.

use serde_json::{Value, json};

use super::{Table, asking, node, pod};

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

fn zoned(name: &str, zone: &str) -> Value {
    node(name, json!({ "zone": zone }), json!({}))
}

fn check(nodes: &[Value], placed: &[(Value, &str)], pod: Value, expect: &str) {
    let mut table = Table::of(nodes);
    placed.iter().for_each(|(pod, node)| table.placed(pod.clone(), node));
    assert_eq!(table.comes(&pod), expect, "{pod}");
}

#[test]
fn every_rule_refuses_in_its_words() {
    let none = "no nodes available to schedule pods";
    check(&[], &[], pod("a", json!({})), none);
    let refused = |why: &str, preemption: &str| {
        format!("0/1 nodes are available: 1 {why}. preemption: 0/1 nodes are available: 1 {preemption}.")
    };
    let taint = |effect: &str| json!({ "taints": [{ "key": "k", "value": "v", "effect": effect }] });
    let plain = || node("n", json!({}), json!({}));
    let cases = [
        (node("n", json!({}), json!({ "unschedulable": true })), pod("a", json!({})), "node(s) were unschedulable"),
        (node("n", json!({}), taint("NoSchedule")), pod("a", json!({})), "node(s) had untolerated taint(s)"),
        (node("n", json!({}), taint("NoExecute")), pod("a", json!({})), "node(s) had untolerated taint(s)"),
        (
            plain(),
            pod("a", json!({ "nodeSelector": { "disk": "ssd" } })),
            "node(s) didn't match Pod's node affinity/selector",
        ),
        (plain(), asking("a", "5", json!({})), "Insufficient cpu"),
        (
            plain(),
            pod("a", near("podAffinity", json!({ "app": "db" }), "zone")),
            "node(s) didn't match pod affinity rules",
        ),
        (
            plain(),
            pod("a", spread("zone", "DoNotSchedule")),
            "node(s) didn't match pod topology spread constraints (missing required label)",
        ),
    ];
    for (node, pod, why) in cases {
        check(&[node], &[], pod, &refused(why, NOT_HELPFUL));
    }
    // What other pods' going could change.
    let port = json!({ "containers": [{ "ports": [{ "hostPort": 80 }] }] });
    let cases = [
        (pod("b", port.clone()), pod("a", port), "node(s) didn't have free ports for the requested pod ports"),
        (asking("b", "3", json!({})), asking("a", "2", json!({})), "Insufficient cpu"),
        (
            pod("b", json!({})),
            pod("a", near("podAntiAffinity", json!({ "app": "web" }), "kubernetes.io/hostname")),
            "node(s) didn't match pod anti-affinity rules",
        ),
        (
            pod("b", near("podAntiAffinity", json!({ "app": "web" }), "kubernetes.io/hostname")),
            pod("a", json!({})),
            "node(s) didn't satisfy existing pods anti-affinity rules",
        ),
    ];
    for (held, pod, why) in cases {
        check(&[plain()], &[(held, "n")], pod, &refused(why, NO_VICTIMS));
    }
}

#[test]
fn reasons_are_counted_and_ordered_by_their_text() {
    let taint = json!({ "taints": [{ "key": "k", "effect": "NoSchedule" }] });
    let nodes = [node("a", json!({}), taint.clone()), node("b", json!({}), taint), node("c", json!({}), json!({}))];
    let expect = "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). preemption: 0/3 nodes \
                  are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for \
                  scheduling.";
    check(&nodes, &[(asking("held", "2", json!({})), "c")], asking("a", "3", json!({})), expect);
}

#[test]
fn tolerations_and_preferences_choose_nodes() {
    let tainted = node("bad", json!({}), json!({ "taints": [{ "key": "k", "effect": "NoSchedule" }] }));
    let tolerant = json!({ "tolerations": [{ "key": "k", "operator": "Exists" }], "nodeSelector": {} });
    check(&[tainted], &[], pod("a", tolerant), "bad");
    let avoided = node("avoided", json!({}), json!({ "taints": [{ "key": "k", "effect": "PreferNoSchedule" }] }));
    check(&[avoided, node("good", json!({}), json!({}))], &[], pod("a", json!({})), "good");
    let prefers = json!({ "affinity": { "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
        { "weight": 1, "preference": { "matchExpressions": [{ "key": "zone", "operator": "In", "values": ["b"] }] } },
    ] } } });
    check(&[zoned("x", "a"), zoned("y", "b")], &[], pod("a", prefers), "y");
    // The emptier node, counting pods that ask for nothing as small ones.
    check(&[zoned("x", "a"), zoned("y", "b")], &[(pod("held", json!({})), "x")], pod("a", json!({})), "y");
}

fn near(kind: &str, labels: Value, topology_key: &str) -> Value {
    let term = json!({ "labelSelector": { "matchLabels": labels }, "topologyKey": topology_key });
    json!({ "affinity": { kind: { "requiredDuringSchedulingIgnoredDuringExecution": [term] } } })
}

fn spread(topology_key: &str, otherwise: &str) -> Value {
    json!({ "topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": topology_key, "whenUnsatisfiable": otherwise,
        "labelSelector": { "matchLabels": { "app": "web" } },
    }] })
}

#[test]
fn pods_are_near_to_those_they_name() {
    let nodes = [zoned("x", "a"), zoned("y", "b"), zoned("z", "b")];
    let mut database = pod("db", json!({}));
    database["metadata"]["labels"] = json!({ "app": "db" });
    let wants = || pod("a", near("podAffinity", json!({ "app": "db" }), "zone"));
    // On the other node of the zone, which is emptier.
    check(&nodes, &[(database.clone(), "y")], wants(), "z");
    let mut elsewhere = database.clone();
    elsewhere["metadata"]["namespace"] = json!("other");
    let found = {
        let mut table = Table::of(&nodes);
        table.placed(elsewhere.clone(), "y");
        table.comes(&wants())
    };
    assert!(found.contains("3 node(s) didn't match pod affinity rules"), "{found}");
    // By the labels of a namespace, and by its name.
    for field in
        [json!({ "namespaceSelector": { "matchLabels": { "team": "t" } } }), json!({ "namespaces": ["other"] })]
    {
        let mut table = Table::of(&nodes);
        table.cluster.set_namespace("other", Some([("team".to_owned(), "t".to_owned())].into()), table.now);
        table.placed(elsewhere.clone(), "y");
        let mut wants = wants();
        let path = "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0";
        super::merge(wants.pointer_mut(path).unwrap(), &field);
        assert_eq!(table.comes(&wants), "z", "{field}");
    }
    // The first of those that want to be near each other goes anywhere.
    let own = near("podAffinity", json!({ "app": "web" }), "zone");
    let mut table = Table::of(&nodes);
    let first = table.comes(&pod("a", own.clone()));
    let zone = |node: &str| if node == "x" { "a" } else { "b" };
    for name in ["b", "c", "d"] {
        assert_eq!(zone(&table.comes(&pod(name, own.clone()))), zone(&first));
    }
}

#[test]
fn pods_keep_apart_in_both_directions_and_by_wish() {
    let nodes = [zoned("x", "a"), zoned("y", "b"), zoned("z", "b")];
    let apart = || near("podAntiAffinity", json!({ "app": "web" }), "zone");
    check(&nodes, &[(pod("held", json!({})), "y")], pod("a", apart()), "x");
    check(&nodes, &[(pod("held", apart()), "y")], pod("a", json!({})), "x");
    let wish = |kind: &str| {
        let term = json!({ "labelSelector": { "matchLabels": { "app": "web" } }, "topologyKey": "zone" });
        let weighted = json!({ "weight": 100, "podAffinityTerm": term });
        json!({ "affinity": { kind: { "preferredDuringSchedulingIgnoredDuringExecution": [weighted] } } })
    };
    check(&nodes, &[(pod("held", json!({})), "x")], pod("a", wish("podAffinity")), "x");
    check(
        &nodes,
        &[(pod("held", json!({})), "x"), (pod("too", json!({})), "y")],
        pod("a", wish("podAntiAffinity")),
        "z",
    );
    check(&nodes, &[(pod("held", wish("podAffinity")), "x")], pod("a", json!({})), "x");
}

#[test]
fn match_label_keys_narrow_a_term_to_one_revision() {
    let mut apart = near("podAntiAffinity", json!({ "app": "web" }), "kubernetes.io/hostname");
    let path = "/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/matchLabelKeys";
    apart.pointer_mut(path.trim_end_matches("/matchLabelKeys")).unwrap()["matchLabelKeys"] = json!(["revision"]);
    let of = |name: &str, revision: &str| {
        let mut pod = pod(name, apart.clone());
        pod["metadata"]["labels"]["revision"] = revision.into();
        pod
    };
    let nodes = [node("n", json!({}), json!({}))];
    check(&nodes, &[(of("held", "1"), "n")], of("a", "2"), "n");
    let mut table = Table::of(&nodes);
    table.placed(of("held", "2"), "n");
    assert!(table.comes(&of("a", "2")).contains("anti-affinity"));
}

#[test]
fn pods_spread_over_domains() {
    let nodes = [zoned("x", "a"), zoned("y", "b"), zoned("z", "b")];
    let mut table = Table::of(&nodes);
    let mut zones = [0_i64; 2];
    for number in 0..8 {
        let node = table.comes(&pod(&format!("p{number}"), spread("zone", "DoNotSchedule")));
        zones[usize::from(node != "x")] += 1;
        assert!((zones[0] - zones[1]).abs() <= 1, "{zones:?}");
    }
    // Of a wish only as far as it can be.
    let cordoned = node("y", json!({ "zone": "b" }), json!({ "unschedulable": true }));
    check(
        &[zoned("x", "a"), cordoned.clone()],
        &[(pod("h", json!({})), "x")],
        pod("a", spread("zone", "ScheduleAnyway")),
        "x",
    );
    // A cordoned node counts as a domain by default, and does not if taints are honoured.
    let found = {
        let mut table = Table::of(&[
            zoned("x", "a"),
            node("y", json!({ "zone": "b" }), json!({ "taints": [{ "key": "k", "effect": "NoSchedule" }] })),
        ]);
        table.placed(pod("h", json!({})), "x");
        let mut honours = pod("b", spread("zone", "DoNotSchedule"));
        let refused = table.comes(&pod("a", spread("zone", "DoNotSchedule")));
        honours["spec"]["topologySpreadConstraints"][0]["nodeTaintsPolicy"] = json!("Honor");
        (refused, table.comes(&honours))
    };
    assert!(found.0.contains("1 node(s) didn't match pod topology spread constraints, 1 node(s) had"), "{}", found.0);
    assert_eq!(found.1, "x");
}

#[test]
fn too_few_domains_count_as_empty_and_leaving_pods_not_at_all() {
    let mut wants = pod("a", spread("zone", "DoNotSchedule"));
    wants["spec"]["topologySpreadConstraints"][0]["minDomains"] = json!(2);
    let held = pod("h", json!({}));
    let mut table = Table::of(&[zoned("x", "a")]);
    table.placed(held.clone(), "x");
    assert!(table.comes(&wants).contains("topology spread constraints"));
    let mut leaving = held;
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    check(&[zoned("x", "a")], &[(leaving, "x")], wants, "x");
}

#[test]
fn a_pod_that_names_its_node_goes_nowhere_else() {
    let named = |name: &str| {
        let field = json!({ "key": "metadata.name", "operator": "In", "values": [name] });
        json!({ "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{ "matchFields": [field] }],
        } } } })
    };
    let nodes = [zoned("x", "a"), zoned("y", "b"), zoned("z", "b")];
    check(&nodes, &[(pod("held", json!({})), "y")], pod("a", named("y")), "y");
    let full = format!(
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/3 \
         nodes are available: 1 {NO_VICTIMS}, 2 {NOT_HELPFUL}."
    );
    check(&nodes, &[(asking("held", "3", json!({})), "y")], asking("a", "2", named("y")), &full);
}

#[test]
fn every_node_is_looked_at_once_for_each_of_five_thousand_pods() {
    let roomy = |number: usize| {
        let mut node = node(&format!("n{number}"), json!({}), json!({}));
        node["status"]["allocatable"] = json!({ "cpu": "32", "memory": "64Gi", "pods": "110" });
        node
    };
    let mut table = Table::of(&(0..50).map(roomy).collect::<Vec<_>>());
    for number in 0..5000 {
        table.pod(&asking(&format!("p{number}"), "100m", json!({})));
    }
    let mut placed = 0;
    while super::of_work(table.next()).is_some() {
        placed += 1;
    }
    assert_eq!((placed, table.cluster.board.next_start), (5000, 250_000));
}

#[test]
fn a_search_of_many_nodes_ends_when_enough_are_found() {
    let nodes: Vec<_> = (0..1000).map(|number| node(&format!("n{number}"), json!({}), json!({}))).collect();
    let mut table = Table::of(&nodes);
    table.pod(&pod("a", json!({})));
    let before = table.cluster.board.next_start;
    assert!(table.next().is_some());
    // 50 % less one for every 125 nodes.
    assert_eq!(table.cluster.board.next_start - before, 420);
    table.pod(&pod("b", json!({})));
    assert!(table.next().is_some());
    assert_eq!(table.cluster.board.next_start - before, 840);
}

#[test]
fn pods_that_are_alike_are_counted_together() {
    let mut table = Table::of(&[node("x", json!({}), json!({})), node("y", json!({}), json!({}))]);
    for number in 0..100 {
        table.comes(&pod(&format!("p{number}"), json!({})));
    }
    assert_eq!(table.cluster.board.groups.len(), 1);
    (0..100).for_each(|number| table.gone(&format!("p{number}")));
    assert_eq!(table.cluster.board.groups.len(), 0);
}
