//! The kinds of this capability: manifests of the definitions by which nodes are
//! simulated. They are KWOK's, and never narrower than what KWOK's own accept.

/// Definitions.
pub(crate) const DEFINITIONS: &[&str] =
    &[include_str!("kinds/stage.yaml"), include_str!("kinds/usages.yaml"), include_str!("kinds/metrics.yaml")];
