//! Server-side apply: a client states the fields it wants. What it stated before
//! and states no more goes, unless somebody else owns it; what somebody else owns
//! with another value is a conflict, unless the client takes it by force.

use serde_json::Value;

use super::conflict::Conflicts;
use super::last_applied;
use super::managers::{Manager, Managers, Operation};
use super::sets::{Failure, reconcile, settle};
use super::strip::strip;
use super::update::record;
use super::writer::Writer;
use crate::fields::{Set, same};
use crate::structured::{self, Duplicates, Node};

/// The manager that owns what stood in an object before anything was applied to it.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// The manager whose applies keep the client-side annotation in step.
const KUBECTL: &str = "kubectl";

/// What an apply makes of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The new object, without `managedFields`; `None` if it stays as it is.
    pub object: Option<Value>,
    /// The owners.
    pub managers: Managers,
}

/// Why an apply failed.
#[derive(Debug)]
pub enum ApplyError {
    /// Somebody else owns what it states.
    Conflicts(Conflicts),
    /// What is applied does not fit the schema.
    Patch(structured::Error),
    /// What is stored does not fit the schema.
    Live(structured::Error),
}

/// Applies `config` to `live`. `live` and `empty`, the empty object of the kind, are without
/// `managedFields`; for an object that does not exist yet they are the same.
pub fn apply(
    writer: &Writer<'_>,
    empty: &Value,
    live: &Value,
    config: &Value,
    managers: Managers,
    force: bool,
) -> Result<Applied, ApplyError> {
    let node = writer.node();
    structured::validate(node, config, Duplicates::Refused).map_err(ApplyError::Patch)?;
    let managers = if managers.is_empty() && live != empty {
        let earlier = Writer { manager: BEFORE_FIRST_APPLY, ..*writer };
        record(&earlier, empty, live, managers).map_err(ApplyError::Live)?
    } else {
        managers
    };
    let managers = reconcile(writer, managers);
    let outcome = if writer.manager == KUBECTL {
        apply_after_client_side(writer, live, config, managers, force)
    } else {
        apply_once(writer, live, config, managers, force)
    };
    let mut applied = outcome.map_err(|failure| match failure {
        Failure::Schema(error) => ApplyError::Live(error),
        Failure::Conflicts(found) => ApplyError::Conflicts(found.told()),
    })?;
    if writer.manager == KUBECTL {
        last_applied::refresh(live, config, &mut applied.object);
    }
    Ok(applied)
}

/// What the client itself applied from its own side before is no conflict.
fn apply_after_client_side(
    writer: &Writer<'_>,
    live: &Value,
    config: &Value,
    managers: Managers,
    force: bool,
) -> Result<Applied, Failure> {
    match apply_once(writer, live, config, managers.clone(), force) {
        Err(Failure::Conflicts(found)) => {
            let allowed = last_applied::unchanged(writer.node(), live, writer.api_version).unwrap_or_default();
            match found.without(&allowed) {
                left if left.is_empty() => apply_once(writer, live, config, managers, true),
                left => Err(Failure::Conflicts(left)),
            }
        }
        outcome => outcome,
    }
}

fn apply_once(
    writer: &Writer<'_>,
    live: &Value,
    config: &Value,
    mut managers: Managers,
    force: bool,
) -> Result<Applied, Failure> {
    let node = writer.node();
    let merged = structured::merge(node, live, config)?;
    let stated = structured::contents(node, config).recursive_difference(writer.ignored);
    let mut entry = writer.entry(Operation::Apply, stated);
    entry.time = None;
    let previous = managers.take(&entry);
    // For now the entry stands as it is stated, so that nothing it states is pruned.
    managers.put(entry.clone());
    let object = match &previous {
        Some(previous) if takes_nothing(writer, &managers, previous, &entry) => {
            debug_assert_eq!(prune(writer, merged.clone(), &managers, previous), merged, "nothing was to go");
            merged
        }
        Some(previous) => prune(writer, merged, &managers, previous),
        None => merged,
    };
    let (mut managers, _) = settle(writer, live, &object, managers, Some(&entry), force)?;
    let is_changed = !same(live, &object);
    entry.fields = strip(&entry.fields);
    entry.time = if is_changed { Some(writer.now.to_owned()) } else { previous.and_then(|previous| previous.time) };
    managers.put(entry);
    Ok(Applied { object: is_changed.then_some(object), managers })
}

/// Whether nothing can be pruned: all that the applier stated before it states again, and nobody
/// speaks of another version. Most applies are such, and pruning costs more than the rest of them.
fn takes_nothing(writer: &Writer<'_>, managers: &Managers, previous: &Manager, stated: &Manager) -> bool {
    let is_current = |manager: &Manager| manager.api_version == writer.api_version;
    is_current(previous) && managers.iter().all(is_current) && previous.fields.is_within(&stated.fields)
}

/// Takes out of `merged` what the applier stated before and nobody states or owns now.
fn prune(writer: &Writer<'_>, merged: Value, managers: &Managers, previous: &Manager) -> Value {
    let version = &previous.api_version;
    let Some(node) = writer.versions.node(version) else { return merged };
    let converted = writer.convert(&merged, version);
    let last = structured::ensure_named_fields(node, &previous.fields);
    let pruned = structured::remove(node, &converted, &last);
    let pruned = add_back_owned(writer, &converted, pruned, version, managers);
    let pruned = add_back_dangling(node, &converted, &pruned, &last);
    writer.convert_between(&pruned, version, writer.api_version).into_owned()
}

/// Puts back what others own, the version that was pruned first.
fn add_back_owned(writer: &Writer<'_>, merged: &Value, pruned: Value, version: &str, managers: &Managers) -> Value {
    let mut versions: Vec<&str> = managers.iter().map(|manager| manager.api_version.as_str()).collect();
    versions.sort_by_key(|held| (*held != version, *held));
    versions.dedup();
    let mut pruned = pruned;
    for held in versions {
        let Some(node) = writer.versions.node(held) else { continue };
        let owners = managers.iter().filter(|manager| manager.api_version == held);
        let owned = Set::union_all(owners.map(|manager| manager.fields.clone()).collect());
        let (all, left) =
            (writer.convert_between(merged, version, held), writer.convert_between(&pruned, version, held));
        let named = |value: &Value| structured::ensure_named_fields(node, &structured::contents(node, value));
        let wanted = named(&left).union(&structured::ensure_named_fields(node, &owned));
        let kept = structured::remove(node, &all, &named(&all).difference(&wanted));
        pruned = writer.convert_between(&kept, held, version).into_owned();
    }
    pruned
}

/// Puts back what was taken along and never was the applier's.
fn add_back_dangling(node: Node<'_>, merged: &Value, pruned: &Value, last: &Set) -> Value {
    let named = |value: &Value| structured::ensure_named_fields(node, &structured::contents(node, value));
    let gone = named(merged).difference(&named(pruned));
    structured::remove(node, merged, &gone.intersection(last))
}
