//! Tables of what Kubernetes YAML reads and is written as.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn scalars_read_as_kubectl_reads_them() {
    for (text, expect) in [
        ("yes", json!(true)),
        ("off", json!(false)),
        ("'yes'", json!("yes")),
        ("0777", json!(511)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("1e3", json!(1000.0)),
        ("1.10", json!(1.1)),
        ("2026-01-02", json!("2026-01-02")),
        ("2026-01-02T03:04:05Z", json!("2026-01-02T03:04:05Z")),
        ("12:30:45", json!("12:30:45")),
        ("1.2.3", json!("1.2.3")),
        ("0.0.0.0", json!("0.0.0.0")),
        ("~", json!(null)),
        ("9007199254740993", json!(9_007_199_254_740_993_i64)),
        ("18446744073709551615", json!(u64::MAX)),
        ("100m", json!("100m")),
        ("0x", json!("0x")),
        ("!!str 1", json!("1")),
        ("1e", json!("1e")),
    ] {
        assert_eq!(value(&format!("a: {text}\n")).map(|value| value["a"].clone()), Ok(expect), "{text}");
    }
}

#[test]
fn documents_are_split_and_lists_expanded() {
    let text = "---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n- kind: A\n  apiVersion: v1\n- kind: B\n  apiVersion: v1\n---\nkind: C\n...\n---\n";
    let kinds: Vec<Value> = documents(text).unwrap().iter().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, [json!("A"), json!("B"), json!("C")]);
    let typed = documents("apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: a}}]").unwrap();
    assert_eq!(typed, [json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})]);
    assert_eq!(documents(""), Ok(vec![]));
    assert_eq!(documents("{\"a\":\n\t1}\n{\"b\":2}"), Ok(vec![json!({"a": 1}), json!({"b": 2})]));
}

#[test]
fn anchors_and_merge_keys() {
    let text = "base: &base {a: 1, b: 2}\nother:\n  <<: *base\n  b: 3\n";
    assert_eq!(value(text), Ok(json!({"base": {"a": 1, "b": 2}, "other": {"a": 1, "b": 3}})));
}

#[test]
fn tabs_after_values_are_dropped_but_kept_in_block_scalars() {
    let text =
        "apiVersion: v1\t\nkind: X\t \nmetadata:\t\n  name: a \t\ndata:\n  script: |\n    one\t\n\n    two\n  - b\t";
    assert!(values(text).is_err());
    let text = "apiVersion: v1\t\nkind: X\t \nmetadata:\t\n  name: a \t\ndata:\n  script: |\t\n    one\t\n\n    two\n  last: b\t";
    assert_eq!(
        value(text),
        Ok(
            json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "data": {"script": "one\t\n\ntwo\n", "last": "b"}})
        )
    );
}

#[test]
fn errors_say_where() {
    let error = values("a: 1\nb: 2\na: 3\n").unwrap_err();
    assert_eq!((error.line, error.column), (3, 1));
    assert!(error.message.contains("duplicate"), "{}", error.message);
    assert_eq!(error.snippet, "    1 | a: 1\n    2 | b: 2\n    3 | a: 3\n      | ^");
    let error = values("a: [1, 2\nb: 3\n").unwrap_err();
    assert!(error.line > 0, "{error:?}");
    assert!(values("a: b: c").is_err());
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}, *a{below}, *a{below}, *a{below}, *a{below}, *a{below}]\n"));
    }
    assert!(values(&bomb).is_err());
    assert!(values(&"[".repeat(100_000)).is_err());
    assert!(values(&"a: {".repeat(1000)).is_err());
    let deep: String = (0..200).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert!(values(&deep).is_err());
}

#[test]
fn large_documents_are_read() {
    let text: String = (0..20_000)
        .map(|index| {
            format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a{index}\ndata:\n  key: value\n")
        })
        .collect();
    assert_eq!(documents(&text).map(|objects| objects.len()), Ok(20_000));
}

#[test]
fn writing_quotes_what_go_would_misread() {
    let check = |value: Value, expect: &str| {
        assert_eq!(to_string(&json!({"k": value})), format!("k: {expect}\n"));
    };
    check(json!("plain text"), "plain text");
    check(json!("<<"), "\"<<\"");
    check(json!("tRue"), "\"tRue\"");
    check(json!("="), "=");
    check(json!("yes"), "\"yes\"");
    check(json!("1"), "\"1\"");
    check(json!("0x1f"), "\"0x1f\"");
    check(json!("1e3"), "\"1e3\"");
    check(json!("1_000"), "\"1_000\"");
    check(json!("2026-01-02"), "\"2026-01-02\"");
    check(json!("12:30"), "\"12:30\"");
    check(json!("1.2.3"), "1.2.3");
    check(json!("-"), "'-'");
    check(json!("- a"), "'- a'");
    check(json!("-a"), "-a");
    check(json!("a: b"), "'a: b'");
    check(json!("a #b"), "'a #b'");
    check(json!("it's"), "it's");
    check(json!("'a'"), "'''a'''");
    check(json!("{{ x }}"), "'{{ x }}'");
    check(json!("*"), "'*'");
    check(json!(""), "\"\"");
    check(json!("tab\there"), "\"tab\\there\"");
    check(json!("a\nb"), "|-\n  a\n  b");
    check(json!("a\nb\n"), "|\n  a\n  b");
    check(json!("a\n\n"), "|+\n  a\n");
    check(json!(" a\nb"), "|2-\n   a\n  b");
    check(json!("a \nb"), "\"a \\nb\"");
    check(json!(1.5), "1.5");
    check(json!(2.0), "2");
    check(json!(1e21), "1e+21");
    check(json!(null), "null");
    check(json!({}), "{}");
    check(json!([]), "[]");
    assert_eq!(to_string(&json!({"k": [1, {"a": 1, "b": [2]}, [3]]})), "k:\n- 1\n- a: 1\n  b:\n  - 2\n- - 3\n");
}

#[test]
fn keys_are_sorted_and_quoted() {
    assert_eq!(
        to_string(&json!({"b": {"y": 1, "x": 2}, "a": 1, "on": 1})),
        "a: 1\nb:\n  x: 2\n  \"y\": 1\n\"on\": 1\n"
    );
}

proptest! {
    #[test]
    fn reading_never_panics(text in "[-a:|>&*!?{}\\[\\],#'\"%@ \t\n0-9~]{0,60}|.{0,40}") {
        let _ = documents(&text);
    }

    #[test]
    fn what_is_written_reads_back(value in crate::fixtures::any_json()) {
        prop_assert_eq!(values(&to_string(&value)).map(|mut values| values.pop().unwrap_or(Value::Null)), Ok(value));
    }

    #[test]
    fn any_text_reads_back(text in "[-a:|>&*!?{}#'\"%@ \t\n\r0-9~=<.+e_TZ\u{e9}\u{85}\u{feff}\u{1}]{0,12}|.{0,16}") {
        let value = json!({"k": text.as_str(), "l": [text.as_str()]});
        prop_assert_eq!(values(&to_string(&value)), Ok(vec![value]));
        let key = json!({text: 1});
        prop_assert_eq!(values(&to_string(&key)), Ok(vec![key]));
    }
}
