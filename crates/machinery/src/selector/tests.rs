//! Tables of selectors: what they match, what they are refused with.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn label_selectors_match() {
    let web = labels(&[("app", "web"), ("tier", "front"), ("n", "7"), ("empty", "")]);
    for (text, expect) in [
        ("", true),
        ("app=web", true),
        ("app==web,tier=front", true),
        ("app!=web", false),
        ("other!=web", true),
        ("app in (web,api)", true),
        ("app in (api)", false),
        ("app notin (web)", false),
        ("other notin (web)", true),
        ("app", true),
        ("!app", false),
        ("!other", true),
        (" app = web , tier in ( front , back ) ", true),
        ("empty=", true),
        ("empty in ()", true),
        ("empty in (,a)", true),
        ("app in (a,)", false),
        ("n>6", true),
        ("n<7", false),
        ("app>1", false),
        ("in in (in)", false),
        ("app=in", false),
    ] {
        let selector = LabelSelector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(selector.matches_map(&web), expect, "{text}");
        assert_eq!(LabelSelector::parse(&selector.to_string()), Ok(selector.clone()), "{text}");
    }
}

#[test]
fn label_selectors_are_refused_in_kubernetes_words() {
    let key = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    for (text, expect) in [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt".to_owned()),
        ("a=b c", "found 'c', expected: ',' or 'end of string'".to_owned()),
        ("a,", "found '', expected: identifier after ','".to_owned()),
        (",a", "found ',', expected: !, identifier, or 'end of string'".to_owned()),
        ("a in b", "unable to parse requirement: found 'b' expected: '('".to_owned()),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'".to_owned()),
        ("!", "unable to parse requirement: found '', expected: identifier".to_owned()),
        ("@", format!("unable to parse requirement: <nil>: Invalid value: \"@\": name part {key}")),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"
                .to_owned(),
        ),
        (
            "a=-",
            "unable to parse requirement: values[0][a]: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                .to_owned(),
        ),
    ] {
        assert_eq!(LabelSelector::parse(text), Err(Error(expect)), "{text}");
    }
}

#[test]
fn label_selector_objects() {
    let check = |selector: serde_json::Value, expect: bool| {
        let selector = LabelSelector::from_object(&selector).unwrap();
        assert_eq!(selector.matches_object(&json!({"metadata": {"labels": {"a": "b"}}})), expect, "{selector}");
    };
    check(json!(null), false);
    check(json!({}), true);
    check(json!({"matchLabels": {"a": "b"}}), true);
    check(json!({"matchLabels": {"a": "c"}}), false);
    check(json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "b"]}]}), true);
    check(json!({"matchExpressions": [{"key": "z", "operator": "DoesNotExist"}]}), true);
    assert_eq!(
        LabelSelector::from_object(&json!({"matchExpressions": [{"key": "a", "operator": "Gt"}]})),
        Err(Error("\"Gt\" is not a valid label selector operator".into()))
    );
    assert_eq!(
        LabelSelector::from_object(&json!({"matchExpressions": [{"key": "a", "operator": "In"}]})),
        Err(Error("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty".into()))
    );
}

fn pods() -> api::KindDescriptor {
    crate::fixtures::kind("", "Pod")
}

#[test]
fn field_selectors_match() {
    let pod = json!({"metadata": {"name": "a", "namespace": "x,y"}, "spec": {"nodeName": "n=1"}});
    for (text, expect) in [
        ("", true),
        ("metadata.name=a", true),
        ("metadata.name==a", true),
        ("metadata.name!=a", false),
        ("metadata.namespace=x\\,y,spec.nodeName=n\\=1", true),
        ("status.phase=", true),
        ("status.phase!=Running", true),
        ("spec.hostNetwork=false", true),
    ] {
        let selector = FieldSelector::parse(text).unwrap();
        assert_eq!(selector.check(&pods()), Ok(()));
        assert_eq!(selector.matches_object(&pods(), &pod), expect, "{text}");
        assert_eq!(FieldSelector::parse(&selector.to_string()), Ok(selector.clone()), "{text}");
    }
}

#[test]
fn field_selectors_are_refused_in_kubernetes_words() {
    let check = |text: &str, expect: &str| {
        let got = FieldSelector::parse(text).and_then(|selector| selector.check(&pods()));
        assert_eq!(got, Err(Error(expect.to_owned())), "{text}");
    };
    check("spec.foo=1", "field label not supported: spec.foo");
    check("x", "invalid selector: 'x'; can't understand 'x'");
    check("a=b=c", "invalid field selector: unescaped character in value: 61");
    check("a=b\\c", "invalid field selector: invalid escape sequence: \\c");
    check("a=b\\", "invalid field selector: invalid escape sequence: \\");
}

proptest! {
    #[test]
    fn selectors_never_panic(text in "[a-c!=(), ><\\\\\u{e9}\u{0}]{0,24}|.{0,24}") {
        if let Ok(selector) = LabelSelector::parse(&text) {
            prop_assert_eq!(LabelSelector::parse(&selector.to_string()), Ok(selector));
        }
        if let Ok(selector) = FieldSelector::parse(&text) {
            prop_assert!(FieldSelector::parse(&selector.to_string()).is_ok());
        }
    }
}
