//! What clients of a deprecated version are told: the words of the definition, or which other
//! version there is.

use std::sync::Arc;

use super::spec::{Spec, VersionSpec};
use crate::version_order::priority;

/// The warning of a version, if it is deprecated.
pub(super) fn warning(spec: &Spec, version: &VersionSpec) -> Option<Arc<str>> {
    if !version.deprecated {
        return None;
    }
    if let Some(stated) = &version.deprecation_warning {
        return Some(stated.as_str().into());
    }
    let (group, kind) = (&spec.group, &spec.names.kind);
    let told = format!("{group}/{} {kind} is deprecated", version.name);
    let newer = spec.versions.iter().filter(|other| other.served && !other.deprecated);
    let best =
        newer.filter(|other| priority(&other.name) > priority(&version.name)).max_by_key(|other| priority(&other.name));
    Some(match best {
        Some(best) => format!("{told}; use {group}/{} {kind}", best.name).into(),
        None => told.into(),
    })
}
