//! Numbers: the range of their format, bounds, multiples. Whole numbers are
//! compared as such, as Go does, so that large ones stay exact.

use serde_json::Value;

use super::super::cause::{Numeric, float_text};
use super::super::format::Format;
use super::super::node::{Check, Type};
use super::outcome::Outcome;

/// The largest float of 32 bits.
const FLOAT_MAX: f64 = f32::MAX as f64;
/// Up to here every whole number is a float of 64 bits.
const WHOLE_FLOATS: f64 = 9_007_199_254_740_991.0;

pub(super) fn is_whole(float: f64) -> bool {
    float.abs() <= WHOLE_FLOATS && float.fract() == 0.0
}

/// A float as Go turns it into a whole number.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn truncated(float: f64) -> i64 {
    float as i64
}

/// Checks a number.
pub(super) fn check(checks: &[Check], kind: Type, value: &Value, number: Numeric, path: &str) -> Outcome {
    let format = checks.iter().find_map(|check| match check {
        Check::Format(format) => Some(*format),
        _ => None,
    });
    let range = Range { kind, format, path };
    let mut outcome = Outcome { matches: 1, ..Outcome::default() };
    range.check(number, "Checked", &mut outcome);
    for check in checks {
        if let Check::MultipleOf { bits } = check {
            multiple_of(&range, value, number, f64::from_bits(*bits), &mut outcome);
        }
    }
    for check in checks {
        if let Check::Minimum { bits, exclusive } = check {
            bound(&range, value, number, Bound::Minimum(f64::from_bits(*bits), *exclusive), &mut outcome);
        }
    }
    for check in checks {
        if let Check::Maximum { bits, exclusive } = check {
            bound(&range, value, number, Bound::Maximum(f64::from_bits(*bits), *exclusive), &mut outcome);
        }
    }
    outcome
}

/// What a type and a format can hold.
struct Range<'a> {
    kind: Type,
    format: Option<Format>,
    path: &'a str,
}

impl Range<'_> {
    fn holds(&self, number: Numeric) -> bool {
        let float = number.float();
        match (self.kind, self.format) {
            (Type::Integer, Some(Format::Int32)) => match number {
                Numeric::Whole(whole) => i32::try_from(whole).is_ok(),
                Numeric::Float(float) => {
                    float.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&float)
                }
            },
            (Type::Integer, _) => match number {
                Numeric::Whole(_) => true,
                Numeric::Float(float) => float.fract() == 0.0 && float.abs() < 9.223_372_036_854_775e18,
            },
            (Type::Number, Some(Format::Float)) => float.abs() <= FLOAT_MAX,
            _ => true,
        }
    }

    fn check(&self, number: Numeric, what: &str, outcome: &mut Outcome) -> bool {
        if self.holds(number) {
            return true;
        }
        let (kind, path) = (self.kind.name(), self.path);
        outcome.general(match self.format {
            Some(format) => format!("{what} value must be of type {kind} with format {} in {path}", format.name()),
            None => format!("{what} value must be of type {kind} (default format) in {path}"),
        });
        false
    }
}

enum Bound {
    Minimum(f64, bool),
    Maximum(f64, bool),
}

fn bound(range: &Range<'_>, value: &Value, number: Numeric, bound: Bound, outcome: &mut Outcome) {
    let (limit, exclusive, what, words) = match bound {
        Bound::Minimum(limit, true) => (limit, true, "Minimum boundary", "greater than"),
        Bound::Minimum(limit, false) => (limit, false, "Minimum boundary", "greater than or equal to"),
        Bound::Maximum(limit, true) => (limit, true, "Maximum boundary", "less than"),
        Bound::Maximum(limit, false) => (limit, false, "Maximum boundary", "less than or equal to"),
    };
    let fits = range.check(Numeric::Float(limit), what, outcome);
    let (order, shown) = match number {
        Numeric::Whole(whole) if fits => (Some(whole.cmp(&truncated(limit))), truncated(limit).to_string()),
        other => (other.float().partial_cmp(&limit), float_text(limit)),
    };
    let beyond = match bound {
        Bound::Minimum(..) => std::cmp::Ordering::Less,
        Bound::Maximum(..) => std::cmp::Ordering::Greater,
    };
    if order == Some(beyond) || (exclusive && order == Some(std::cmp::Ordering::Equal)) {
        outcome.invalid(range.path, value, format!("{} in body should be {words} {shown}", range.path));
    }
}

fn multiple_of(range: &Range<'_>, value: &Value, number: Numeric, factor: f64, outcome: &mut Outcome) {
    let fits = range.check(Numeric::Float(factor), "MultipleOf", outcome);
    let path = range.path;
    let (is_positive, is_multiple, shown) = match number {
        Numeric::Whole(whole) if fits => {
            let factor = truncated(factor);
            (factor > 0, factor > 0 && whole % factor == 0, factor.to_string())
        }
        other => {
            let quotient = if factor < 1.0 { 1.0 / factor * other.float() } else { other.float() / factor };
            (factor > 0.0, is_whole(quotient), float_text(factor))
        }
    };
    if !is_positive {
        let text = format!("factor MultipleOf declared for {path} must be positive: {shown}");
        let value = serde_json::json!(truncated(factor));
        outcome.invalid(path, &value, text);
    } else if !is_multiple {
        outcome.invalid(path, value, format!("{path} in body should be a multiple of {shown}"));
    }
}
