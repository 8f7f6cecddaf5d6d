//! What every write but an apply leaves behind: the writer owns what it changed,
//! and nobody else owns it any more.

use serde_json::Value;

use super::cap::cap;
use super::managers::{Managers, Operation};
use super::sets::{Failure, reconcile, settle};
use super::strip::strip;
use super::writer::Writer;
use crate::structured;

/// The owners after `live` became `new`. For a create `live` is the empty object of the kind.
pub fn update(
    writer: &Writer<'_>,
    live: &Value,
    new: &Value,
    managers: Managers,
) -> Result<Managers, structured::Error> {
    record(writer, live, new, managers).map(cap)
}

/// The same without the cap.
pub(super) fn record(
    writer: &Writer<'_>,
    live: &Value,
    new: &Value,
    managers: Managers,
) -> Result<Managers, structured::Error> {
    let managers = reconcile(writer, managers);
    let (mut managers, comparison) = match settle(writer, live, new, managers, None, true) {
        Ok(settled) => settled,
        Err(Failure::Schema(error)) => return Err(error),
        Err(Failure::Conflicts(_)) => return Ok(Managers::default()),
    };
    let changed = comparison.modified.union(&comparison.added).recursive_difference(writer.ignored);
    let mut entry = writer.entry(Operation::Update, strip(&changed));
    if !entry.fields.is_empty() {
        if let Some(previous) = managers.take(&entry) {
            entry.fields = entry.fields.union(&previous.fields);
        }
        managers.put(entry);
    }
    Ok(managers)
}
