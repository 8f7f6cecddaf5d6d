//! Taints and who tolerates them.

use serde::Deserialize;

/// The taint of a node that is cordoned.
pub(crate) const NODE_UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// What a node says to keep pods away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Taint {
    pub(crate) key: Box<str>,
    pub(crate) value: Box<str>,
    pub(crate) effect: Effect,
}

/// How far a taint goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Effect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
    /// In a toleration: all of them.
    #[default]
    #[serde(other)]
    Any,
}

/// What a pod puts up with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Toleration {
    pub(crate) key: Box<str>,
    pub(crate) operator: Box<str>,
    pub(crate) value: Box<str>,
    pub(crate) effect: Effect,
    /// How long, for `NoExecute`; forever if it is not said.
    pub(crate) toleration_seconds: Option<i64>,
}

impl Toleration {
    /// Whether it is about this taint. The operators `Lt` and `Gt` are behind a gate of
    /// Kubernetes that is closed unless asked for, and tolerate nothing.
    pub(crate) fn tolerates(&self, taint: &Taint) -> bool {
        (self.effect == Effect::Any || self.effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && match &*self.operator {
                "" | "Equal" => self.value == taint.value,
                "Exists" => true,
                _ => false,
            }
    }
}

/// Whether one of the tolerations covers a taint.
pub(crate) fn is_tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| toleration.tolerates(taint))
}

/// The first taint with one of these effects that no toleration covers.
pub(crate) fn untolerated<'a>(
    taints: impl IntoIterator<Item = &'a Taint>,
    tolerations: &[Toleration],
    effects: &[Effect],
) -> Option<&'a Taint> {
    taints.into_iter().find(|taint| effects.contains(&taint.effect) && !is_tolerated(taint, tolerations))
}
