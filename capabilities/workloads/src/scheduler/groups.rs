//! Placed pods by what other pods can tell them apart by: pods of one workload
//! are one group with a count per node, so that counting the pods a selector
//! means does not visit every pod.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::pod::Pod;
use super::terms::Terms;

/// How many pods there are on each node.
pub(super) type Counts = HashMap<Arc<str>, i64>;

/// What the pods of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kin {
    pub(super) namespace: Box<str>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) is_deleting: bool,
    terms: Box<str>,
}

impl Kin {
    fn of(pod: &Pod) -> Kin {
        Kin {
            namespace: pod.namespace().into(),
            labels: pod.labels().clone(),
            is_deleting: pod.is_deleting(),
            terms: pod.terms.text.clone(),
        }
    }
}

/// The pods of a group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) terms: Arc<Terms>,
    pub(super) counts: Counts,
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Those without terms on other pods, by namespace.
    plain: HashMap<Box<str>, HashMap<Kin, Group>>,
    /// Those with.
    bound: HashMap<Kin, Group>,
}

impl Groups {
    /// A pod comes to a node.
    pub(super) fn add(&mut self, pod: &Pod, node: &Arc<str>) {
        let kin = Kin::of(pod);
        let groups = match pod.terms.is_empty() {
            true => self.plain.entry(kin.namespace.clone()).or_default(),
            false => &mut self.bound,
        };
        let group = groups.entry(kin).or_insert_with(|| Group { terms: pod.terms.clone(), counts: Counts::default() });
        *group.counts.entry(node.clone()).or_default() += 1;
    }

    /// A pod leaves a node; it must be as it was when it came.
    pub(super) fn remove(&mut self, pod: &Pod, node: &str) {
        let kin = Kin::of(pod);
        let groups = match pod.terms.is_empty() {
            true => self.plain.entry(kin.namespace.clone()).or_default(),
            false => &mut self.bound,
        };
        if let Some(group) = groups.get_mut(&kin) {
            if let Some(count) = group.counts.get_mut(node) {
                *count -= 1;
                if *count == 0 {
                    group.counts.remove(node);
                }
            }
            if group.counts.is_empty() {
                groups.remove(&kin);
            }
        }
        if self.plain.get(pod.namespace()).is_some_and(HashMap::is_empty) {
            self.plain.remove(pod.namespace());
        }
    }

    /// The groups of a namespace.
    pub(super) fn of_namespace<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = (&'a Kin, &'a Group)> {
        let bound = self.bound.iter().filter(move |(kin, _)| *kin.namespace == *namespace);
        self.plain.get(namespace).into_iter().flatten().chain(bound)
    }

    /// All groups.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Kin, &Group)> {
        self.plain.values().flatten().chain(&self.bound)
    }

    /// Those whose pods have terms on other pods.
    pub(super) fn with_terms(&self) -> impl Iterator<Item = (&Kin, &Group)> {
        self.bound.iter()
    }

    /// How many groups there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.all().count()
    }
}
