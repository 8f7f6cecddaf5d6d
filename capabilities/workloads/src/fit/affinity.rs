//! Node selectors: terms of which one must match, each of expressions over
//! labels and fields that must all match.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What a pod requires and prefers of its node.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub(crate) required: Option<NodeSelector>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub(crate) preferred: Box<[PreferredTerm]>,
}

/// A preference and how much it counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PreferredTerm {
    pub(crate) weight: i64,
    pub(crate) preference: NodeSelectorTerm,
}

/// Terms of which one must match; without terms nothing does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeSelector {
    pub(crate) node_selector_terms: Box<[NodeSelectorTerm]>,
}

/// Expressions that must all match; without any, nothing does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NodeSelectorTerm {
    pub(crate) match_expressions: Box<[Requirement]>,
    pub(crate) match_fields: Box<[Requirement]>,
}

/// One expression.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Requirement {
    pub(crate) key: Box<str>,
    pub(crate) operator: Operator,
    pub(crate) values: Box<[Box<str>]>,
}

/// How an expression compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
    /// One that the API does not know and would have refused. It matches nothing.
    #[default]
    #[serde(other)]
    Unknown,
}

impl NodeSelector {
    /// The nodes that can be selected at all, if every term names some, as those of daemon sets do.
    pub(crate) fn names(&self) -> Option<BTreeSet<&str>> {
        let named = self.node_selector_terms.iter().map(|term| {
            let mut fields = term.match_fields.iter();
            let field = fields.find(|field| &*field.key == "metadata.name" && field.operator == Operator::In)?;
            Some(field.values.iter().map(|value| &**value))
        });
        Some(named.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Whether a node of this name and these labels is selected.
    pub(crate) fn matches(&self, node: &str, labels: &BTreeMap<String, String>) -> bool {
        self.node_selector_terms.iter().any(|term| term.matches(node, labels))
    }

    /// The one node that is selected by its name, as pods of daemon sets are tied to theirs.
    pub(crate) fn named_node(&self) -> Option<&str> {
        let mut fields = self.node_selector_terms.iter().flat_map(|term| &term.match_fields);
        let field = fields.find(|field| &*field.key == "metadata.name" && field.operator == Operator::In)?;
        field.values.first().map(|name| &**name)
    }
}

impl NodeSelectorTerm {
    /// Whether all of it matches.
    pub(crate) fn matches(&self, node: &str, labels: &BTreeMap<String, String>) -> bool {
        if self.match_expressions.is_empty() && self.match_fields.is_empty() {
            return false;
        }
        let label = |requirement: &Requirement| requirement.matches(labels.get(&*requirement.key).map(String::as_str));
        self.match_expressions.iter().all(label) && self.match_fields.iter().all(|field| field.matches_field(node))
    }
}

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|wanted| **wanted == *value);
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => self.numbers(value).is_some_and(|(held, bound)| held > bound),
            Operator::Lt => self.numbers(value).is_some_and(|(held, bound)| held < bound),
            Operator::Unknown => false,
        }
    }

    /// The name is the only field there is, and it is compared with one value.
    fn matches_field(&self, node: &str) -> bool {
        let [wanted] = &*self.values else { return false };
        let held = if &*self.key == "metadata.name" { node } else { "" };
        match self.operator {
            Operator::In => **wanted == *held,
            Operator::NotIn => **wanted != *held,
            _ => false,
        }
    }

    fn numbers(&self, value: Option<&str>) -> Option<(i64, i64)> {
        let [bound] = &*self.values else { return None };
        Some((value?.parse().ok()?, bound.parse().ok()?))
    }
}
