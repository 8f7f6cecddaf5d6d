//! What is where in one cluster: nodes with their pods, and what pods and
//! nodes refer to. Plain bookkeeping that knows neither queue nor decision.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use client::ObjectKey;

use super::claims::{Claim, Class, Volume};
use super::groups::Groups;
use super::node::{Facts, Node};
use super::pod::Pod;
use super::terms::Namespaces;

/// A budget of disruptions, for choosing whom to ask to go.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) namespace: Box<str>,
    pub(super) selector: machinery::selector::LabelSelector,
    pub(super) allowed: i64,
    /// Pods whose going was counted already.
    pub(super) disrupted: BTreeSet<Box<str>>,
}

/// Everything a decision looks at.
#[derive(Debug, Default)]
pub(super) struct Board {
    /// Nodes that are there, in the order in which they came.
    order: Vec<Arc<str>>,
    nodes: HashMap<Arc<str>, Node>,
    /// Pods of nodes that are not there, or not yet.
    elsewhere: HashMap<Arc<str>, BTreeMap<ObjectKey, Arc<Pod>>>,
    pub(super) groups: Groups,
    pub(super) namespaces: Namespaces,
    /// By namespace and name.
    pub(super) claims: HashMap<(Box<str>, Box<str>), Claim>,
    pub(super) volumes: BTreeMap<Box<str>, Volume>,
    pub(super) classes: HashMap<Box<str>, Class>,
    pub(super) budgets: BTreeMap<(Box<str>, Box<str>), Budget>,
    /// Volumes that were given to a claim and do not say so yet, with the claim's uid.
    pub(super) given: HashMap<Box<str>, Box<str>>,
    /// Pods for which room is being made, by node.
    nominees: HashMap<Arc<str>, BTreeMap<ObjectKey, Arc<Pod>>>,
    /// Where the next search for a node begins, so that all nodes have their turn.
    pub(super) next_start: usize,
}

impl Board {
    /// Nodes there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// A node by its name.
    pub(super) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// All nodes in order, from the `start`th on and around.
    pub(super) fn nodes_from(&self, start: usize) -> impl Iterator<Item = &Node> {
        let start = if self.order.is_empty() { 0 } else { start % self.order.len() };
        let (before, after) = self.order.split_at(start);
        after.iter().chain(before).filter_map(|name| self.nodes.get(name))
    }

    /// All nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes_from(0)
    }

    /// A node is there, or says something new; says whether anything changed.
    pub(super) fn set_node(&mut self, name: &str, facts: Facts) -> bool {
        if let Some(node) = self.nodes.get_mut(name) {
            let changed = *node.facts != facts;
            node.facts = Arc::new(facts);
            return changed;
        }
        let name: Arc<str> = name.into();
        let mut node = Node::new(name.clone(), Arc::new(facts));
        for pod in self.elsewhere.remove(&name).into_iter().flat_map(BTreeMap::into_values) {
            self.groups.add(&pod, &name);
            node.add(pod);
        }
        self.order.push(name.clone());
        self.nodes.insert(name, node);
        true
    }

    /// A node is gone. Its pods stay known until they go too.
    pub(super) fn remove_node(&mut self, name: &str) {
        let Some(node) = self.nodes.remove(name) else { return };
        self.order.retain(|held| **held != *name);
        for pod in node.pods.values() {
            self.groups.remove(pod, name);
        }
        if !node.pods.is_empty() {
            self.elsewhere.insert(node.name, node.pods);
        }
    }

    /// A pod comes to a node.
    pub(super) fn place(&mut self, pod: Arc<Pod>, node: &Arc<str>) {
        match self.nodes.get_mut(node) {
            Some(held) => {
                self.groups.add(&pod, &held.name);
                held.add(pod);
            }
            None => {
                self.elsewhere.entry(node.clone()).or_default().insert(pod.key.clone(), pod);
            }
        }
    }

    /// A pod leaves a node.
    pub(super) fn displace(&mut self, key: &ObjectKey, node: &str) {
        if let Some(held) = self.nodes.get_mut(node) {
            if let Some(pod) = held.remove(key) {
                self.groups.remove(&pod, node);
            }
        } else if let Some(pods) = self.elsewhere.get_mut(node) {
            pods.remove(key);
            if pods.is_empty() {
                self.elsewhere.remove(node);
            }
        }
    }

    /// Room is being made for a pod on a node.
    pub(super) fn nominate(&mut self, pod: Arc<Pod>, node: &Arc<str>) {
        self.nominees.entry(node.clone()).or_default().insert(pod.key.clone(), pod);
    }

    /// No longer.
    pub(super) fn forget_nominee(&mut self, key: &ObjectKey, node: &str) {
        if let Some(pods) = self.nominees.get_mut(node) {
            pods.remove(key);
            if pods.is_empty() {
                self.nominees.remove(node);
            }
        }
    }

    /// The pods, other than this one, for which room is being made on a node.
    pub(super) fn nominees<'a>(&'a self, node: &str, pod: &'a Pod) -> impl Iterator<Item = &'a Arc<Pod>> {
        self.nominees.get(node).into_iter().flat_map(BTreeMap::values).filter(|other| other.key != pod.key)
    }
}
