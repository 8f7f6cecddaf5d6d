//! Validation of an object against a schema, in the words of kube-apiserver. A
//! value that is invalid but unchanged passes, place by place, as Kubernetes'
//! ratcheting has it. The work is bounded whatever schema and object are.

mod branches;
mod number;
mod outcome;
mod value;

use std::cell::Cell;

use api::Cause;
use serde_json::{Map, Value};

use super::cause;
use super::node::{NodeId, Tables};
use super::path::Path;

/// Most steps of one validation: a step is one value held against one part of a schema, or
/// some characters against a pattern.
const STEPS: u64 = 2_000_000;

/// One validation under way.
pub(super) struct Validator<'s> {
    tables: &'s Tables,
    steps: Cell<u64>,
}

impl<'s> Validator<'s> {
    fn new(tables: &'s Tables) -> Self {
        Validator { tables, steps: Cell::new(STEPS) }
    }

    /// Takes from what is left to do; false if nothing is left.
    fn spend(&self, steps: u64) -> bool {
        self.steps.set(self.steps.get().saturating_sub(steps));
        self.steps.get() > 0
    }
}

/// Validates an object.
pub(super) fn object(
    tables: &Tables,
    root: NodeId,
    object: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
) -> Vec<Cause> {
    let validator = Validator::new(tables);
    let outcome = validator.map_at_root(root, object, old);
    causes(&validator, outcome, "")
}

/// Validates a value that stands at `field`, or the object itself if that is empty.
pub(super) fn value(tables: &Tables, id: NodeId, value: &Value, old: Option<&Value>, field: &str) -> Vec<Cause> {
    let validator = Validator::new(tables);
    let outcome = validator.ratcheted(id, value, &Path::root(""), old);
    causes(&validator, outcome, field)
}

fn causes(validator: &Validator<'_>, outcome: outcome::Outcome, field: &str) -> Vec<Cause> {
    let mut causes = outcome.causes(field);
    if validator.steps.get() == 0 {
        causes.push(cause::new(
            "FieldValueTooLong",
            if field.is_empty() { "<nil>" } else { field },
            "Too long: the object takes too many steps to validate".to_owned(),
        ));
    }
    causes
}
