//! Causes in Kubernetes' words, with values as its server prints them: Go's
//! spellings of numbers, quoted text and JSON. It knows no schema.

use api::Cause;
use serde_json::{Number, Value};

use crate::validate::quote;

/// Longest value that is repeated in a cause.
const SHOWN_BYTES: usize = 64 * 1024;

pub(super) fn new(reason: &str, field: impl ToString, message: String) -> Cause {
    Cause { reason: reason.to_owned(), message, field: field.to_string() }
}

/// `Invalid value: …: why`.
pub(super) fn invalid(field: impl ToString, value: &Value, why: &str) -> Cause {
    new("FieldValueInvalid", field, format!("Invalid value: {}: {why}", shown(value)))
}

/// `Invalid value: "…": why` of a text.
pub(super) fn invalid_text(field: impl ToString, value: &str, why: &str) -> Cause {
    new("FieldValueInvalid", field, format!("Invalid value: {}: {why}", quote(value)))
}

/// `Required value: why`.
pub(super) fn required(field: impl ToString, why: &str) -> Cause {
    new("FieldValueRequired", field, detailed("Required value", why))
}

/// `Forbidden: why`.
pub(super) fn forbidden(field: impl ToString, why: &str) -> Cause {
    new("FieldValueForbidden", field, detailed("Forbidden", why))
}

/// `Unsupported value: …: supported values: …`.
pub(super) fn unsupported(field: impl ToString, value: &Value, supported: &[&str]) -> Cause {
    let listed: Vec<String> = supported.iter().map(|value| quote(value)).collect();
    let message = format!("Unsupported value: {}: supported values: {}", shown(value), listed.join(", "));
    new("FieldValueNotSupported", field, message)
}

/// `Duplicate value: …`.
pub(super) fn duplicate(field: impl ToString, value: &Value) -> Cause {
    new("FieldValueDuplicate", field, format!("Duplicate value: {}", shown(value)))
}

fn detailed(what: &str, why: &str) -> String {
    if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") }
}

/// A value as causes show it.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => quote(text),
        Value::Number(number) => number_text(number),
        other => json_text(other),
    };
    cut(text)
}

/// A value as an item of a list of supported values, unquoted.
pub(super) fn listed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => json_text(other),
    }
}

fn cut(mut text: String) -> String {
    if text.len() > SHOWN_BYTES {
        let mut end = SHOWN_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// JSON as Go writes it, which escapes what HTML would read as markup.
pub(super) fn json_text(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return text;
    }
    // Outside of strings JSON has none of these.
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => out.push(other),
        }
    }
    out
}

/// A number as Go reads JSON: whole where it is written so and fits 64 bits with a sign.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Numeric {
    Whole(i64),
    Float(f64),
}

impl Numeric {
    pub(super) fn of(number: &Number) -> Self {
        match number.as_i64() {
            Some(whole) => Numeric::Whole(whole),
            None => Numeric::Float(number.as_f64().unwrap_or(f64::MAX)),
        }
    }

    #[allow(clippy::cast_precision_loss)]
    pub(super) fn float(self) -> f64 {
        match self {
            Numeric::Whole(whole) => whole as f64,
            Numeric::Float(float) => float,
        }
    }
}

fn number_text(number: &Number) -> String {
    match Numeric::of(number) {
        Numeric::Whole(whole) => whole.to_string(),
        Numeric::Float(float) => float_text(float),
    }
}

/// A floating-point number as Go's `%v` prints it.
pub(super) fn float_text(float: f64) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() { "-0".to_owned() } else { "0".to_owned() };
    }
    if !float.is_finite() {
        return float.to_string();
    }
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return float.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
