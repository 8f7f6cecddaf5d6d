//! What must hold whatever happens: nothing is overcommitted, nothing bound twice.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Table, asking, node};
use crate::scheduler::cluster::Work;

/// Something that happens to a cluster.
#[derive(Clone, Debug)]
enum Happening {
    Comes {
        cpu: i64,
        priority: i64,
        port: bool,
    },
    Goes(usize),
    NodeComes {
        cpu: i64,
    },
    NodeGoes(usize),
    Decide,
    /// The outcome of a binding under way: whether it was carried out, and whether that was answered.
    Ends {
        which: usize,
        well: bool,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (1_i64..3000, 0_i64..3, any::<bool>())
            .prop_map(|(cpu, priority, port)| Happening::Comes { cpu, priority, port }),
        1 => any::<usize>().prop_map(Happening::Goes),
        1 => (500_i64..5000).prop_map(|cpu| Happening::NodeComes { cpu }),
        1 => any::<usize>().prop_map(Happening::NodeGoes),
        6 => Just(Happening::Decide),
        5 => (any::<usize>(), any::<bool>()).prop_map(|(which, well)| Happening::Ends { which, well }),
    ]
}

/// What the API server has.
#[derive(Default)]
struct World {
    pods: BTreeMap<String, Value>,
    nodes: BTreeMap<String, i64>,
    under_way: Vec<(std::sync::Arc<crate::scheduler::pod::Pod>, String)>,
    made: usize,
}

impl World {
    fn happens(&mut self, table: &mut Table, happening: &Happening) {
        match happening {
            Happening::Comes { cpu, priority, port } => {
                let name = self.name("pod");
                let mut pod = asking(&name, &format!("{cpu}m"), json!({ "priority": priority }));
                if *port {
                    pod["spec"]["containers"][0]["ports"] = json!([{ "hostPort": 80 }]);
                }
                table.pod(&pod);
                self.pods.insert(name, pod);
            }
            Happening::Goes(which) => {
                if let Some(name) = pick(self.pods.keys(), *which) {
                    self.pods.remove(&name);
                    table.gone(&name);
                }
            }
            Happening::NodeComes { cpu } => {
                let name = self.name("node");
                let mut node = node(&name, json!({}), json!({}));
                node["status"]["allocatable"]["cpu"] = format!("{cpu}m").into();
                table.node(&node);
                self.nodes.insert(name, *cpu);
            }
            Happening::NodeGoes(which) => {
                if let Some(name) = pick(self.nodes.keys(), *which) {
                    self.nodes.remove(&name);
                    table.cluster.set_node(&name, None, table.now);
                }
            }
            Happening::Decide => self.decide(table),
            Happening::Ends { which, well } => self.ends(table, *which, *well),
        }
    }

    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-{}", self.made)
    }

    fn decide(&mut self, table: &mut Table) {
        match table.next() {
            Some(Work::Bind { pod, node }) => {
                let is_under_way = self.under_way.iter().any(|(other, _)| other.key == pod.key);
                assert!(!is_under_way, "{} is bound while it is being bound", pod.key);
                self.under_way.push((pod, node.to_string()));
            }
            Some(Work::MakeRoom { pod, room, .. }) => {
                assert!(room.victims.iter().all(|victim| victim.priority < pod.priority));
                for victim in &room.victims {
                    self.pods.remove(&victim.object.meta.name);
                    table.gone(&victim.object.meta.name);
                }
                table.cluster.reported(&pod, table.now);
            }
            Some(Work::Report { pod, .. }) => table.cluster.reported(&pod, table.now),
            _ => {}
        }
    }

    fn ends(&mut self, table: &mut Table, which: usize, well: bool) {
        if self.under_way.is_empty() {
            return;
        }
        let (pod, node) = self.under_way.swap_remove(which % self.under_way.len());
        let Some(held) = self.pods.get_mut(&pod.object.meta.name) else { return };
        if well {
            assert!(held["spec"]["nodeName"].is_null(), "{} is bound twice", pod.key);
            held["spec"]["nodeName"] = node.into();
            let held = held.clone();
            table.pod(&held);
        } else {
            table.cluster.failed(&pod, table.now);
            table.later(20);
        }
    }

    /// Every node holds what it can, counting what is about to come.
    fn check(&self) {
        let mut used = HashMap::<&str, (i64, usize)>::new();
        let bound = self.pods.values().filter_map(|pod| Some((pod, pod["spec"]["nodeName"].as_str()?)));
        let coming = self.under_way.iter().filter_map(|(pod, node)| {
            let held = self.pods.get(&pod.object.meta.name)?;
            Some((held, node.as_str()))
        });
        for (pod, node) in bound.chain(coming) {
            let container = &pod["spec"]["containers"][0];
            let cpu = container["resources"]["requests"]["cpu"].as_str().unwrap();
            let sum = used.entry(node).or_default();
            sum.0 += cpu.trim_end_matches('m').parse::<i64>().unwrap();
            sum.1 += usize::from(!container["ports"].is_null());
        }
        for (node, (cpu, ports)) in used {
            let Some(allowed) = self.nodes.get(node) else { continue };
            assert!(cpu <= *allowed, "{node} has {allowed} and was asked for {cpu}");
            assert!(ports <= 1, "{node} gave a port {ports} times");
        }
    }
}

fn pick<'a>(names: impl ExactSizeIterator<Item = &'a String> + Clone, which: usize) -> Option<String> {
    let count = names.len();
    if count == 0 { None } else { names.clone().nth(which % count).cloned() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_node_is_overcommitted_and_no_pod_bound_twice(
        happenings in prop::collection::vec(happening(), 1..120)
    ) {
        let (mut table, mut world) = (Table::of(&[]), World::default());
        for happening in &happenings {
            world.happens(&mut table, happening);
            world.check();
        }
        // Whoever can be placed is placed in the end.
        for _ in 0..2 * happenings.len() + 10 {
            world.decide(&mut table);
            while !world.under_way.is_empty() {
                world.ends(&mut table, 0, true);
            }
            world.check();
            table.later(20);
        }
        let mut left: HashMap<&str, i64> = world.nodes.iter().map(|(name, cpu)| (name.as_str(), *cpu)).collect();
        for pod in world.pods.values() {
            let cpu = pod["spec"]["containers"][0]["resources"]["requests"]["cpu"].as_str().unwrap();
            if let Some(left) = pod["spec"]["nodeName"].as_str().and_then(|node| left.get_mut(node)) {
                *left -= cpu.trim_end_matches('m').parse::<i64>().unwrap();
            }
        }
        for pod in world.pods.values().filter(|pod| pod["spec"]["nodeName"].is_null()) {
            let container = &pod["spec"]["containers"][0];
            let cpu: i64 = container["resources"]["requests"]["cpu"].as_str().unwrap().trim_end_matches('m').parse().unwrap();
            let has_port = !container["ports"].is_null();
            let most = left.values().copied().max().unwrap_or(0);
            prop_assert!(has_port || cpu > most, "a pod of {} waits while {} are left", cpu, most);
        }
    }
}
