//! Alternatives: a value against any, one or all of several schemas, or against
//! the contrary of one. Of alternatives that all fail the one that came nearest
//! is shown. Nothing in alternatives is excused for being unchanged: only the
//! place that holds them is.

use serde_json::Value;

use super::super::node::{Check, Span};
use super::super::path::Path;
use super::Validator;
use super::outcome::Outcome;

impl Validator<'_> {
    pub(super) fn branches(&self, checks: &[Check], value: &Value, path: &Path<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        for check in checks {
            match check {
                Check::AnyOf(span) => self.any_of(*span, value, path, &mut outcome),
                Check::OneOf(span) => self.one_of(*span, value, path, &mut outcome),
                Check::AllOf(span) => self.all_of(*span, value, path, &mut outcome),
                Check::Not(id) if self.value(*id, value, path, None).is_valid() => {
                    outcome.general(format!("\"{path}\" must not validate the schema (not)"));
                }
                _ => {}
            }
        }
        outcome.matches += 1;
        outcome
    }

    fn any_of(&self, span: Span, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
        let mut best: Option<Outcome> = None;
        for id in span.of(&self.tables.lists) {
            let result = self.value(*id, value, path, None);
            if result.is_valid() {
                return outcome.merge(result);
            }
            if best.as_ref().is_none_or(|best| result.matches > best.matches) {
                best = Some(result);
            }
        }
        outcome.general(format!("\"{path}\" must validate at least one schema (anyOf)"));
        best.into_iter().for_each(|best| outcome.merge(best));
    }

    fn one_of(&self, span: Span, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
        let mut best: Option<Outcome> = None;
        let mut first: Option<Outcome> = None;
        let mut valid = 0;
        for id in span.of(&self.tables.lists) {
            let result = self.value(*id, value, path, None);
            if result.is_valid() {
                valid += 1;
                best = None;
                first.get_or_insert(result);
            } else if valid == 0 && best.as_ref().is_none_or(|best| result.matches > best.matches) {
                best = Some(result);
            }
        }
        if valid == 1 {
            return first.into_iter().for_each(|first| outcome.merge(first));
        }
        let found =
            if valid == 0 { "Found none valid".to_owned() } else { format!("Found {valid} valid alternatives") };
        outcome.general(format!("\"{path}\" must validate one and only one schema (oneOf). {found}"));
        best.into_iter().for_each(|best| outcome.merge(best));
    }

    fn all_of(&self, span: Span, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
        let ids = span.of(&self.tables.lists);
        let mut valid = 0;
        for id in ids {
            let result = self.value(*id, value, path, None);
            valid += usize::from(result.is_valid());
            outcome.merge(result);
        }
        if valid != ids.len() {
            let none = if valid == 0 { ". None validated" } else { "" };
            outcome.general(format!("\"{path}\" must validate all the schemas (allOf){none}"));
        }
    }
}
