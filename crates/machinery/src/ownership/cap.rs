//! The cap on owners that update: the oldest are folded into one entry per
//! version, so that an object that many clients write does not grow for ever.

use std::collections::{BTreeMap, HashMap};

use super::managers::{Manager, Managers, Operation};
use crate::fields::Set;

/// Entries of updates that an object may have.
const MOST_UPDATERS: usize = 10;
/// The name under which older ones are folded.
const BUCKET: &str = "ancient-changes";

/// What is folded of one version: its first entry until a second one comes, and then the
/// entries and their last time.
struct Folding<'m> {
    entries: Vec<&'m Manager>,
    /// The entry under [`BUCKET`] that there was.
    bucket: Option<&'m Manager>,
    has_first: bool,
}

/// The owners with at most ten that update, unless each is of another version.
pub(super) fn cap(mut managers: Managers) -> Managers {
    let mut count = managers.updaters();
    if count <= MOST_UPDATERS {
        return managers;
    }
    let all = managers.clone();
    let mut updaters: Vec<&Manager> = all.iter().filter(|manager| manager.operation == Operation::Update).collect();
    updaters.sort_by(|a, b| (&a.time, &a.name, &a.api_version).cmp(&(&b.time, &b.name, &b.api_version)));
    let is_bucket = |manager: &Manager| manager.name == BUCKET && manager.subresource.is_empty();
    let buckets: HashMap<&str, &Manager> =
        updaters.iter().filter(|held| is_bucket(held)).map(|held| (held.api_version.as_str(), *held)).collect();
    let mut versions: BTreeMap<&str, Folding<'_>> = BTreeMap::new();
    for manager in updaters {
        if count <= MOST_UPDATERS {
            break;
        }
        let version = manager.api_version.as_str();
        let Some(folding) = versions.get_mut(version) else {
            // The first of each version is folded only when a second one comes.
            let bucket = buckets.get(version).copied();
            versions.insert(version, Folding { entries: vec![manager], bucket, has_first: bucket.is_none() });
            continue;
        };
        count -= usize::from(!is_bucket(manager));
        folding.entries.push(manager);
    }
    for folding in versions.values() {
        let Some(last) = folding.entries.last().filter(|_| folding.entries.len() > 1) else { continue };
        let first = usize::from(!folding.has_first);
        let mut gone: Vec<&Manager> = folding.entries[first..].to_vec();
        gone.extend(folding.bucket);
        let fields = Set::union_all(gone.iter().map(|manager| manager.fields.clone()).collect());
        let bucket = Manager { name: BUCKET.to_owned(), subresource: String::new(), fields, ..(*last).clone() };
        managers.fold(&gone, vec![bucket]);
    }
    managers
}
