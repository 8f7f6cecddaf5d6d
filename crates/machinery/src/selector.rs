//! Label and field selectors: reading them from text and objects, refusing
//! them in Kubernetes' words, and matching. Nothing here knows where labels
//! and fields come from beyond a lookup by name.

mod field;
mod label;
#[cfg(test)]
mod tests;

pub use field::{FieldSelector, FieldTerm};
pub use label::{LabelSelector, Operator, Requirement};

/// Why a selector was refused. The text is the one kube-apiserver answers with, under 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);
