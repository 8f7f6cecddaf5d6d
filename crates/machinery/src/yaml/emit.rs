//! Writes YAML as `sigs.k8s.io/yaml` does: sorted keys, lists not indented,
//! block literals for text of several lines, and quotes around everything that
//! a Go reader would take for something other than text.

use serde_json::{Map, Number, Value};

use super::order;

/// The YAML of a value, ending in a line break.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_map(map, 0, &mut out),
        Value::Array(list) if !list.is_empty() => write_list(list, 0, &mut out),
        scalar => write_scalar(scalar, 0, &mut out),
    }
    out
}

fn write_map(map: &Map<String, Value>, indent: usize, out: &mut String) {
    for (index, key) in order::sorted(map.keys().map(String::as_str).collect()).into_iter().enumerate() {
        // The first key follows what was written already: nothing, or the dash of a list.
        if index > 0 || !ends_in_dash(out) {
            push_indent(indent, out);
        }
        out.push_str(&quoted_inline(key));
        out.push(':');
        match &map[key] {
            Value::Object(inner) if !inner.is_empty() => {
                out.push('\n');
                write_map(inner, indent + 2, out);
            }
            Value::Array(inner) if !inner.is_empty() => {
                out.push('\n');
                write_list(inner, indent, out);
            }
            scalar => {
                out.push(' ');
                write_scalar(scalar, indent + 2, out);
            }
        }
    }
}

fn write_list(list: &[Value], indent: usize, out: &mut String) {
    for (index, item) in list.iter().enumerate() {
        if index > 0 || !ends_in_dash(out) {
            push_indent(indent, out);
        }
        out.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => write_map(inner, indent + 2, out),
            Value::Array(inner) if !inner.is_empty() => write_list(inner, indent + 2, out),
            scalar => write_scalar(scalar, indent + 2, out),
        }
    }
}

fn ends_in_dash(out: &str) -> bool {
    out.ends_with("- ")
}

fn push_indent(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A scalar and the line break after it.
fn write_scalar(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) if text.contains('\n') && fits_literal(text) => {
            write_literal(text, indent, out);
            return;
        }
        Value::String(text) => out.push_str(&quoted_inline(text)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
    out.push('\n');
}

/// Go's shortest form: whole numbers without a fraction, an exponent only outside 1e-4..1e21.
fn number_text(number: &Number) -> String {
    if !number.is_f64() {
        return number.to_string();
    }
    let value = number.as_f64().unwrap_or_default();
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..21).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

/// Text of several lines that a literal block can carry unchanged.
fn fits_literal(text: &str) -> bool {
    !text.ends_with(' ')
        && !text.contains(" \n")
        && text.chars().all(|character| character == '\n' || is_printable(character))
}

fn write_literal(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") || text == "\n" {
        out.push('+');
    }
    out.push('\n');
    let body = text.strip_suffix('\n').unwrap_or(text);
    // At the root a literal is indented by nothing, which readers refuse after a hint.
    let indent = indent.max(2);
    for line in body.split('\n') {
        if !line.is_empty() {
            push_indent(indent, out);
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// A text on one line: plain, in single quotes or in double quotes.
fn quoted_inline(text: &str) -> String {
    if text.is_empty() || reads_as_other(text) {
        return double_quoted(text);
    }
    if !text.chars().all(is_printable) {
        return double_quoted(text);
    }
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

/// Whether a reader would take the bare text for a boolean, null, number, time or merge key.
fn reads_as_other(text: &str) -> bool {
    // Some readers ignore the case of these words, and take merge keys for such anywhere.
    const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "<<"];
    let lower = text.to_lowercase();
    if WORDS.contains(&lower.as_str()) {
        return true;
    }
    if [".inf", "+.inf", "-.inf", ".nan"].contains(&lower.as_str()) {
        return true;
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return false;
    }
    is_number(&lower.replace('_', "")) || is_base60(text) || is_date(text)
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return !rest.is_empty() && rest.chars().all(|digit| digit.is_digit(radix));
        }
    }
    digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') && digits.parse::<f64>().is_ok()
}

fn is_base60(text: &str) -> bool {
    let mut parts = text.strip_prefix(['+', '-']).unwrap_or(text).split(':');
    let number = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_digit())
            && part.chars().all(|character| character.is_ascii_digit() || "._".contains(character))
    };
    parts.next().is_some_and(number) && text.contains(':') && parts.all(number)
}

/// `2026-1-2` with or without a time, which YAML 1.1 readers take for a timestamp.
fn is_date(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else { return false };
    let Some((month, day)) = rest.split_once('-') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let day = day.split(['T', 't', ' ']).next().unwrap_or_default();
    year.len() == 4 && digits(year) && month.len() <= 2 && digits(month) && day.len() <= 2 && digits(day)
}

fn is_plain(text: &str) -> bool {
    let first = text.chars().next().unwrap_or(' ');
    let second_is_blank = text.chars().nth(1).is_none_or(|second| second == ' ');
    if ",[]{}#&*!|>'\"%@` ".contains(first) || ("?:-".contains(first) && second_is_blank) {
        return false;
    }
    // A document marker at the start of a line ends the document.
    let is_marker = text.starts_with("---") || text.starts_with("...");
    !is_marker && !text.ends_with([' ', ':']) && !text.contains(": ") && !text.contains(" #")
}

fn is_printable(character: char) -> bool {
    matches!(character,
        ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            printable if is_printable(printable) => out.push(printable),
            other if u32::from(other) <= 0xff => out.push_str(&format!("\\x{:02X}", u32::from(other))),
            other if u32::from(other) <= 0xffff => out.push_str(&format!("\\u{:04X}", u32::from(other))),
            other => out.push_str(&format!("\\U{:08X}", u32::from(other))),
        }
    }
    out.push('"');
    out
}
