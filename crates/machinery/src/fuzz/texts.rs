//! Small languages: JSONPath, selectors, quantities, names, times, cron lines, patterns.

use serde_json::Value;

use super::shapes;
use super::{Source, run};
use crate::jsonpath::JsonPath;
use crate::quantity::Quantity;
use crate::selector::{FieldSelector, LabelSelector};

fn tokens(source: &mut Source<'_>, from: &[&'static str]) -> String {
    match source.below(6) {
        0 => shapes::text(source),
        1 => String::from_utf8_lossy(source.rest()).into_owned(),
        _ => (0..source.below(24)).map(|_| source.pick(from)).collect(),
    }
}

#[test]
fn jsonpath() {
    const PARTS: &[&str] = &[
        ".",
        "..",
        "a",
        "b",
        "name",
        "[0]",
        "[-1]",
        "[*]",
        "[1:3]",
        "[::2]",
        "[::-1]",
        "[?(@.a==\"b\")]",
        "[?(@.a>1)]",
        "{",
        "}",
        "$",
        "@",
        "'",
        "\"",
        "\\",
        "['a']",
        "[\"b\"]",
        ",",
        "range ",
        "end",
        "[?(",
        ")]",
        "&&",
        "||",
        "9999999999999999999",
        "[",
        "]",
    ];
    run("fuzz::texts::jsonpath", |source| {
        let text = tokens(source, PARTS);
        let Ok(path) = JsonPath::parse(&text) else { return };
        let value = shapes::any(source, 5);
        let found = path.find(&value);
        assert_eq!(path.first(&value), found.first().copied());
        found.into_iter().for_each(|value| drop(crate::jsonpath::text(value)));
        path.fields();
    });
}

#[test]
fn selectors() {
    const PARTS: &[&str] = &[
        "a",
        "b",
        "x.y/z",
        "=",
        "==",
        "!=",
        "!",
        " in ",
        " notin ",
        "(",
        ")",
        ",",
        " ",
        "exists",
        "1",
        "<",
        ">",
        "\\",
        "metadata.name",
        "\\,",
        "\\=",
        "spec.nodeName",
        "-",
        "_",
        ".",
    ];
    run("fuzz::texts::selectors", |source| {
        let text = tokens(source, PARTS);
        let value = shapes::any(source, 5);
        if let Ok(selector) = LabelSelector::parse(&text) {
            selector.matches_object(&value);
            selector.matches(|_| Some("a"));
        }
        if let Ok(selector) = LabelSelector::from_object(&value) {
            selector.matches_object(&value);
        }
        LabelSelector::from_map(&value);
        if let Ok(selector) = FieldSelector::parse(&text) {
            let kind = crate::fixtures::kind("", "Pod");
            if selector.check(&kind).is_ok() {
                selector.matches_object(&kind, &value);
            }
        }
    });
}

#[test]
fn quantities() {
    const PARTS: &[&str] = &[
        "1", "0", "9", ".", "-", "+", "e", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "m", "u", "n", "k", "M", "G", "T",
        "P", "99999999",
    ];
    run("fuzz::texts::quantities", |source| {
        let text = tokens(source, PARTS);
        if let Some(read) = Quantity::parse(&text) {
            let written = read.to_string();
            let again = Quantity::parse(&written).unwrap_or_else(|| panic!("{text} is written as {written}"));
            assert_eq!(again.to_string(), written, "{text}");
            assert_eq!((again.value(), again.milli_value()), (read.value(), read.milli_value()), "{text}");
            if let Some(other) = Quantity::parse(&tokens(source, PARTS)) {
                read.checked_add(other);
                read.checked_sub(other);
            }
            let _ = read.rounded_up_to_milli();
        }
        Quantity::from_json(&shapes::number(source));
    });
}

/// What times, schedules, durations and names are made of.
const WORD_PARTS: &[&str] = &[
    "a",
    "A",
    "-",
    ".",
    "/",
    "0",
    "*",
    "2026-01-02",
    "T03:04:05",
    "Z",
    "+25:00",
    ".5",
    ":",
    "24",
    "60",
    "10s",
    "h",
    "@every ",
    "@daily",
    "CRON_TZ=",
    " ",
    "*/0",
    "1-5",
    "MON",
    ",",
    "é",
    "\u{0}",
];

#[test]
fn words() {
    run("fuzz::texts::words", |source| {
        let text = tokens(source, WORD_PARTS);
        for rule in ["Pod", "Service", "Namespace", "Role"] {
            let group = if rule == "Role" { "rbac.authorization.k8s.io" } else { "" };
            let rule = crate::validate::NameRule::of(&crate::fixtures::kind(group, rule));
            rule.check(&text);
            rule.check_prefix(&text);
        }
        crate::validate::quote(&text);
        if let Some(time) = crate::human::parse_time(&text) {
            assert_eq!(
                crate::human::parse_time(&crate::human::format_micro_time(time)),
                Some(time.round(jiff::Unit::Microsecond).unwrap_or(time))
            );
        }
    });
}

#[test]
fn patterns() {
    run("fuzz::texts::patterns", |source| {
        let text = shapes::text(source);
        let schema = |pattern: &str| serde_json::json!({"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}});
        let pattern = tokens(
            source,
            &[
                "a",
                "(",
                ")",
                "[",
                "]",
                "{2}",
                "{1,999}",
                "*",
                "+",
                "?",
                "|",
                "^",
                "$",
                "\\d",
                "\\pL",
                "(?i)",
                "\\",
                ".",
                "-",
                "[^",
                "\\Q",
                "(?P<x>",
                "[[:alpha:]]",
                "\\x{1F600}",
                "{1000}",
            ],
        );
        if let Ok(compiled) = crate::structural::Schema::compile(&schema(&pattern), "at") {
            let object: serde_json::Map<String, Value> = shapes::map(serde_json::json!({"a": text}));
            compiled.validate(&object, None);
        }
    });
}
