//! Groups and versions in the order that clients prefer them. Pure; it knows
//! kinds only by their names.

use std::collections::BTreeMap;

use crate::registry::Kind;
use crate::version_order::priority;

/// Kinds by group, then by version, the preferred version first.
pub type Groups = BTreeMap<String, Vec<(String, Vec<Kind>)>>;

/// Each kind in its group's preferred version only.
pub fn preferred(kinds: &[Kind]) -> Vec<Kind> {
    let mut chosen: BTreeMap<(String, String), Kind> = BTreeMap::new();
    for versions in groups(kinds).into_values() {
        for (_, kinds) in versions {
            for kind in kinds {
                let key = (kind.descriptor.gvk.group.to_string(), kind.descriptor.plural.to_string());
                chosen.entry(key).or_insert(kind);
            }
        }
    }
    chosen.into_values().collect()
}

/// Kinds by group and version.
pub fn groups(kinds: &[Kind]) -> Groups {
    let mut groups: BTreeMap<String, BTreeMap<String, Vec<Kind>>> = BTreeMap::new();
    for kind in kinds {
        let gvk = &kind.descriptor.gvk;
        let versions = groups.entry(gvk.group.to_string()).or_default();
        versions.entry(gvk.version.to_string()).or_default().push(kind.clone());
    }
    let ordered = |versions: BTreeMap<String, Vec<Kind>>| {
        let mut versions: Vec<(String, Vec<Kind>)> = versions.into_iter().collect();
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(priority(version)));
        versions
    };
    groups.into_iter().map(|(group, versions)| (group, ordered(versions))).collect()
}
