//! The terms by which pods want to be near other pods, or far from them. They
//! know pods by namespace and labels only.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use api::Status;
use machinery::selector::LabelSelector;
use serde_json::{Value, json};

/// The labels of each namespace of a cluster.
pub(super) type Namespaces = HashMap<Box<str>, BTreeMap<String, String>>;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// One term: some pods, and how near is near.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) topology_key: Box<str>,
    selector: LabelSelector,
    namespaces: BTreeSet<Box<str>>,
    namespace_selector: LabelSelector,
}

/// All terms of a pod.
#[derive(Debug, Default)]
pub(super) struct Terms {
    pub(super) near: Box<[Term]>,
    pub(super) apart: Box<[Term]>,
    /// With weights; those of `podAntiAffinity` are negative.
    pub(super) preferred: Box<[(i64, Term)]>,
    /// The terms as they were written: pods of equal text, namespace and labels mean the same.
    pub(super) text: Box<str>,
}

impl Terms {
    /// Reads the affinity of a pod with this namespace and these labels.
    pub(super) fn read(affinity: &Value, namespace: &str, labels: &BTreeMap<String, String>) -> Result<Terms, Status> {
        let (near, apart) = (&affinity["podAffinity"], &affinity["podAntiAffinity"]);
        if near.is_null() && apart.is_null() {
            return Ok(Terms::default());
        }
        let term = |term: &Value| Term::read(term, namespace, labels);
        let required = |from: &Value| -> Result<Box<[Term]>, Status> {
            from[REQUIRED].as_array().into_iter().flatten().map(term).collect()
        };
        let mut preferred = Vec::new();
        for (from, sign) in [(near, 1), (apart, -1)] {
            for weighted in from[PREFERRED].as_array().into_iter().flatten() {
                preferred.push((sign * weighted["weight"].as_i64().unwrap_or(0), term(&weighted["podAffinityTerm"])?));
            }
        }
        Ok(Terms {
            near: required(near)?,
            apart: required(apart)?,
            preferred: preferred.into(),
            text: format!("{near}{apart}").into(),
        })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.near.is_empty() && self.apart.is_empty() && self.preferred.is_empty()
    }

    /// Whether a pod is one of those that this one must be near to: of every required term.
    pub(super) fn are_near(&self, namespace: &str, labels: &BTreeMap<String, String>, all: &Namespaces) -> bool {
        !self.near.is_empty() && self.near.iter().all(|term| term.means(namespace, labels, all))
    }
}

impl Term {
    fn read(term: &Value, namespace: &str, labels: &BTreeMap<String, String>) -> Result<Term, Status> {
        let keys = |field: &str| texts(&term[field]).map(str::to_owned).collect::<Vec<_>>();
        let selector = with_keys(&term["labelSelector"], labels, &keys("matchLabelKeys"), &keys("mismatchLabelKeys"));
        let mut namespaces: BTreeSet<Box<str>> = texts(&term["namespaces"]).map(Into::into).collect();
        if namespaces.is_empty() && term["namespaceSelector"].is_null() {
            namespaces.insert(namespace.into());
        }
        Ok(Term {
            topology_key: term["topologyKey"].as_str().unwrap_or_default().into(),
            selector: LabelSelector::from_object(&selector).map_err(Status::internal)?,
            namespaces,
            namespace_selector: LabelSelector::from_object(&term["namespaceSelector"]).map_err(Status::internal)?,
        })
    }

    /// Whether a pod with this namespace and these labels is meant.
    pub(super) fn means(&self, namespace: &str, labels: &BTreeMap<String, String>, all: &Namespaces) -> bool {
        let in_namespace = self.namespaces.contains(namespace)
            || self.namespace_selector.is_everything()
            || all.get(namespace).is_some_and(|labels| self.namespace_selector.matches_map(labels));
        in_namespace && self.selector.matches_map(labels)
    }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A label selector narrowed to pods whose labels of some keys are those of `labels`, and of
/// others are not. A missing selector matches nothing and stays so.
pub(super) fn with_keys(
    selector: &Value,
    labels: &BTreeMap<String, String>,
    same: &[String],
    different: &[String],
) -> Value {
    let mut selector = selector.clone();
    if selector.is_null() || (same.is_empty() && different.is_empty()) {
        return selector;
    }
    let mut expressions = selector["matchExpressions"].as_array().cloned().unwrap_or_default();
    for (keys, operator) in [(same, "In"), (different, "NotIn")] {
        let held = keys.iter().filter_map(|key| Some((key, labels.get(key)?)));
        expressions.extend(held.map(|(key, value)| json!({ "key": key, "operator": operator, "values": [value] })));
    }
    selector["matchExpressions"] = expressions.into();
    selector
}
