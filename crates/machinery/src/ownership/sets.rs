//! What a change of an object does to the owners of its fields: whoever owned
//! what changed loses it, unless the change is an apply that must not take it.

use std::collections::BTreeMap;

use api::status::MOST_CAUSES;
use serde_json::Value;

use super::conflict::{Conflict, Conflicts, owner_text};
use super::managers::{Manager, Managers, Operation};
use super::writer::Writer;
use crate::fields::Set;
use crate::structured::{self, Comparison};

/// Why a change of owners failed.
pub(super) enum Failure {
    /// An object does not fit its schema.
    Schema(structured::Error),
    /// Somebody else owns what changed.
    Conflicts(Found),
}

impl From<structured::Error> for Failure {
    fn from(error: structured::Error) -> Self {
        Failure::Schema(error)
    }
}

/// An owner in the order in which conflicts are told, and how it is told.
type OwnerKey = (String, Operation, String, String, String);

fn owner_key(manager: &Manager) -> OwnerKey {
    let version = if manager.operation == Operation::Apply { "" } else { &manager.api_version };
    let (name, subresource) = (manager.name.clone(), manager.subresource.clone());
    (name, manager.operation, version.to_owned(), subresource, owner_text(manager))
}

/// Conflicting fields by owner.
#[derive(Default)]
pub(super) struct Found {
    by_owner: BTreeMap<OwnerKey, Set>,
}

impl Found {
    /// The conflicts that are not in `allowed`.
    pub fn without(mut self, allowed: &Set) -> Found {
        for fields in self.by_owner.values_mut() {
            *fields = fields.difference(allowed);
        }
        self.by_owner.retain(|_, fields| !fields.is_empty());
        self
    }

    pub fn is_empty(&self) -> bool {
        self.by_owner.is_empty()
    }

    /// The conflicts as they are told, of which there are only so many.
    pub fn told(self) -> Conflicts {
        let all = self.by_owner.into_iter().flat_map(|((.., manager), fields)| {
            let paths = fields.texts(MOST_CAUSES);
            paths.into_iter().map(move |field| Conflict { manager: manager.clone(), field })
        });
        Conflicts(all.take(MOST_CAUSES).collect())
    }
}

/// Sets of fields as they read under the schemas of now; owners of versions that are gone stay
/// for [`settle`] to drop.
pub(super) fn reconcile(writer: &Writer<'_>, managers: Managers) -> Managers {
    managers.filter_map(|mut manager| {
        if let Some(node) = writer.versions.node(&manager.api_version)
            && let Some(fields) = structured::reconcile(node, &manager.fields)
        {
            manager.fields = fields;
        }
        Some(manager)
    })
}

/// Takes from every owner but `keep` what changed between `old` and `new`. Returns the owners
/// and the comparison in the version of the writer.
pub(super) fn settle(
    writer: &Writer<'_>,
    old: &Value,
    new: &Value,
    managers: Managers,
    keep: Option<&Manager>,
    force: bool,
) -> Result<(Managers, Comparison), Failure> {
    let current = structured::compare(writer.node(), old, new)?;
    let mut changes = vec![Changes::of(writer.api_version, current.clone().without(writer.ignored))];
    let mut conflicts = Found::default();
    let mut failed = None;
    let managers = managers.filter_map(|mut manager| {
        if keep.is_some_and(|keep| keep.is_same_owner(&manager)) {
            return Some(manager);
        }
        let changes = match changes_in(writer, &manager.api_version, old, new, &mut changes) {
            Ok(changes) => changes?,
            Err(error) => {
                failed.get_or_insert(error);
                return None;
            }
        };
        let taken = manager.fields.intersection(&changes.touched);
        if !taken.is_empty() && !force {
            let held = conflicts.by_owner.entry(owner_key(&manager)).or_default();
            *held = held.union(&taken);
        }
        manager.fields = manager.fields.difference(&taken).difference(&changes.removed);
        Some(manager)
    });
    match failed {
        Some(error) => Err(error.into()),
        None if !conflicts.is_empty() => Err(Failure::Conflicts(conflicts)),
        None => Ok((managers, current)),
    }
}

/// What changed, in one version.
struct Changes {
    version: String,
    /// Modified or added.
    touched: Set,
    removed: Set,
}

impl Changes {
    fn of(version: &str, comparison: Comparison) -> Self {
        let touched = comparison.modified.union(&comparison.added);
        Changes { version: version.to_owned(), touched, removed: comparison.removed }
    }
}

/// What changed in a version; `None` if the version is gone.
fn changes_in<'c>(
    writer: &Writer<'_>,
    version: &str,
    old: &Value,
    new: &Value,
    known: &'c mut Vec<Changes>,
) -> Result<Option<&'c Changes>, structured::Error> {
    if let Some(position) = known.iter().position(|held| held.version == version) {
        return Ok(Some(&known[position]));
    }
    let Some(node) = writer.versions.node(version) else { return Ok(None) };
    let (old, new) = (writer.convert(old, version), writer.convert(new, version));
    let comparison = structured::compare(node, &old, &new)?.without(writer.ignored);
    known.push(Changes::of(version, comparison));
    Ok(known.last())
}
