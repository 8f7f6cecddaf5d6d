//! Decoding as tables: what comes in, what Go's decoder makes of it, and what it says. The
//! expectations are answers of kube-apiserver 1.36 and of Go's own encoder.

use api::Gvk;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Document, Findings, Numbers, builtin, builtin_with, complete, json as read, metadata, order, yaml};
use crate::fixtures::any_json;

fn type_of(kind: &str) -> api::schema::TypeId {
    let group = match kind {
        "Deployment" => "apps",
        "Lease" => "coordination.k8s.io",
        "CustomResourceDefinition" => "apiextensions.k8s.io",
        "Role" => "rbac.authorization.k8s.io",
        _ => "",
    };
    api::builtin::type_of(&Gvk::new(group, "v1", kind)).expect("a built-in kind")
}

/// The object after a round trip, or the refusal.
fn decoded(kind: &str, text: &str) -> Result<(Value, Vec<String>), String> {
    let (table, id) = (api::builtin::types(), type_of(kind));
    let Document { value, findings } = read(text.as_bytes()).map_err(|error| error.to_string())?;
    let mut object = value.as_object().expect("an object").clone();
    let in_order = |error: super::Error| error.clone().in_order(&order(text.as_bytes(), &error.paths())).to_string();
    let unknown = builtin(table, id, &mut object).map_err(in_order)?;
    let words = findings.of_type(table, id).words(&unknown, Some(&order(text.as_bytes(), &unknown)));
    Ok((Value::Object(object), words))
}

#[track_caller]
fn check(kind: &str, text: &str, expect: &Value) {
    assert_eq!(decoded(kind, text).map(|(object, _)| object), Ok(expect.clone()), "{kind} {text}");
}

#[track_caller]
fn check_words(kind: &str, text: &str, expect: &[&str]) {
    assert_eq!(decoded(kind, text).map(|(_, words)| words), Ok(expect.iter().map(|&word| word.into()).collect()));
}

#[track_caller]
fn check_refused(kind: &str, text: &str, expect: &str) {
    assert_eq!(decoded(kind, text).map(|_| ()), Err(expect.to_owned()), "{kind} {text}");
}

#[test]
fn what_go_leaves_out_is_dropped() {
    let cases = [
        ("ConfigMap", r#"{"data":{},"immutable":null,"metadata":{"labels":null,"name":""}}"#, json!({"metadata": {}})),
        ("ConfigMap", r#"{"immutable":false,"data":{"a":null}}"#, json!({"immutable": false, "data": {"a": ""}})),
        ("Pod", r#"{"spec":{"hostNetwork":false,"hostUsers":false}}"#, json!({"spec": {"hostUsers": false}})),
        ("Secret", r#"{"data":{"a":null}}"#, json!({"data": {"a": ""}})),
        ("Pod", r#"{"spec":{"containers":[]}}"#, json!({"spec": {"containers": []}})),
        ("Pod", r#"{"spec":{"containers":[null]}}"#, json!({"spec": {"containers": [{}]}})),
        ("Deployment", r#"{"spec":{"replicas":0,"paused":false}}"#, json!({"spec": {"replicas": 0}})),
        ("Service", r#"{"spec":{"ports":[{"port":1,"targetPort":0}]}}"#, json!({"spec": {"ports": [{"port": 1}]}})),
        ("Namespace", r#"{"foo":{"a":1},"metadata":{"bar":1}}"#, json!({"metadata": {}})),
    ];
    for (kind, text, expect) in cases {
        check(kind, text, &expect);
    }
}

#[test]
fn values_take_their_canonical_form() {
    let quantities = [
        ("\"1000m\"", "1"),
        ("\"1024Mi\"", "1Gi"),
        ("1", "1"),
        ("1.5", "1500m"),
        ("\" 1 \"", "1"),
        ("\"0.5\"", "500m"),
        ("\"+5\"", "+5"),
        ("\"5.\"", "5."),
        ("\"1E3\"", "1E3"),
        ("\"1e4\"", "10e3"),
        ("\"0Mi\"", "0"),
        ("\".\"", "0"),
        ("null", "0"),
        ("\"1.0000000001\"", "1000000001n"),
        ("\"512Mi\"", "512Mi"),
        ("\"2048Ki\"", "2Mi"),
    ];
    for (written, expect) in quantities {
        let text = format!(r#"{{"spec":{{"hard":{{"cpu":{written}}}}}}}"#);
        check("ResourceQuota", &text, &json!({"spec": {"hard": {"cpu": expect}}}));
    }
    let times = [
        ("2020-01-01T01:02:03.5+02:00", "2019-12-31T23:02:03Z"),
        ("2020-02-29T23:59:59Z", "2020-02-29T23:59:59Z"),
        ("1999-12-31T23:59:59.123456789-11:30", "2000-01-01T11:29:59Z"),
    ];
    for (written, expect) in times {
        let text = format!(r#"{{"metadata":{{"creationTimestamp":"{written}"}}}}"#);
        check("ConfigMap", &text, &json!({"metadata": {"creationTimestamp": expect}}));
    }
    check(
        "Lease",
        r#"{"spec":{"renewTime":"2020-02-29T23:59:59.123456+02:00"}}"#,
        &json!({"spec": {"renewTime": "2020-02-29T21:59:59.123456Z"}}),
    );
    check("Secret", r#"{"data":{"a":"YR==","b":"YWJj\nZA=="}}"#, &json!({"data": {"a": "YQ==", "b": "YWJjZA=="}}));
}

#[test]
fn another_type_is_refused_in_gos_words() {
    let cases = [
        (r#"{"spec":{"replicas":"x"}}"#, "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        (r#"{"spec":{"replicas":1.0}}"#, "number 1.0 into Go struct field DeploymentSpec.spec.replicas of type int32"),
        (
            r#"{"spec":{"replicas":3000000000}}"#,
            "number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (r#"{"spec":{"paused":1}}"#, "number into Go struct field DeploymentSpec.spec.paused of type bool"),
        (r#"{"metadata":"x"}"#, "string into Go struct field Deployment.metadata of type v1.ObjectMeta"),
        (r#"{"metadata":{"labels":{"a":1}}}"#, "number into Go struct field ObjectMeta.metadata.labels of type string"),
        (r#"{"metadata":{"uid":1}}"#, "number into Go struct field ObjectMeta.metadata.uid of type types.UID"),
        (
            r#"{"metadata":{"deletionTimestamp":1}}"#,
            "number into Go struct field ObjectMeta.metadata.deletionTimestamp of type string",
        ),
        (
            r#"{"spec":{"template":{"spec":{"containers":"x"}}}}"#,
            "string into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
        ),
        (
            r#"{"spec":{"template":{"spec":{"containers":[{"resources":{"limits":1}}]}}}}"#,
            "number into Go struct field ResourceRequirements.spec.template.spec.containers.resources.limits of type v1.ResourceList",
        ),
        (
            r#"{"spec":{"template":{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":true}}}]}}}}"#,
            "bool into Go struct field HTTPGetAction.spec.template.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32",
        ),
        (
            r#"{"spec":{"template":{"spec":{"restartPolicy":1}}}}"#,
            "number into Go struct field PodSpec.spec.template.spec.restartPolicy of type v1.RestartPolicy",
        ),
    ];
    for (text, expect) in cases {
        check_refused("Deployment", text, &format!("json: cannot unmarshal {expect}"));
    }
}

#[test]
fn values_with_readers_of_their_own_refuse_in_their_words() {
    const FORMAT: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    for (written, expect) in [
        ("\"x\"", FORMAT),
        ("true", FORMAT),
        ("\"\"", FORMAT),
        ("\"1.2.3\"", FORMAT),
        ("\"1mm\"", "unable to parse quantity's suffix"),
        ("\"--1\"", "unable to parse quantity's suffix"),
    ] {
        check_refused("ResourceQuota", &format!(r#"{{"spec":{{"hard":{{"cpu":{written}}}}}}}"#), expect);
    }
    let layout = "2006-01-02T15:04:05Z07:00";
    for (written, expect) in [
        ("x", format!(r#"parsing time "x" as "{layout}": cannot parse "x" as "2006""#)),
        ("2020-01-01", format!(r#"parsing time "2020-01-01" as "{layout}": cannot parse "" as "T""#)),
        ("2020-13-01T00:00:00Z", r#"parsing time "2020-13-01T00:00:00Z": month out of range"#.to_owned()),
        ("2020-02-30T00:00:00Z", r#"parsing time "2020-02-30T00:00:00Z": day out of range"#.to_owned()),
        ("2020-01-01T00:00:00ZZ", r#"parsing time "2020-01-01T00:00:00ZZ": extra text: "Z""#.to_owned()),
    ] {
        check_refused("ConfigMap", &format!(r#"{{"metadata":{{"creationTimestamp":"{written}"}}}}"#), &expect);
    }
    check_refused("Secret", r#"{"data":{"a":"*"}}"#, "illegal base64 data at input byte 0");
    // It comes later in the text, but ends the reading.
    check_refused(
        "ResourceQuota",
        r#"{"metadata":{"name":1},"spec":{"hard":{"cpu":"1mm"}}}"#,
        "unable to parse quantity's suffix",
    );
}

#[test]
fn findings_come_in_the_order_of_the_text() {
    let unknown = |path: &str| format!("unknown field \"{path}\"");
    let duplicate = |path: &str| format!("duplicate field \"{path}\"");
    check_words(
        "Deployment",
        r#"{"zed":1,"spec":{"foo":1,"foo":2,"replicas":1,"replicas":2},"bar":1,"metadata":{"a":1}}"#,
        &[&unknown("zed"), &unknown("spec.foo"), &duplicate("spec.replicas"), &unknown("bar"), &unknown("metadata.a")],
    );
    check_words(
        "Pod",
        r#"{"spec":{"containers":[{"image":"i"},{"image":"i","image":"j","foo":{"a":1,"a":2}}]}}"#,
        &[&duplicate("spec.containers[1].image"), &unknown("spec.containers[1].foo")],
    );
    check_words(
        "ConfigMap",
        r#"{"metadata":{"labels":{"a":"1","a":"2"},"managedFields":[{"fieldsV1":{"x":1,"x":2}}]}}"#,
        &[&duplicate("metadata.labels.a")],
    );
    check_words(
        "ConfigMap",
        r#"{"Metadata":{},"metadata":{"Name":1}}"#,
        &[&unknown("Metadata"), &unknown("metadata.Name")],
    );
    let many: String = (0..500).map(|count| format!("\"x{count}\":1,")).collect();
    let words = decoded("ConfigMap", &format!("{{{many}\"data\":{{}}}}")).expect("it decodes").1;
    assert_eq!(words.len(), super::MOST_FINDINGS);
}

#[test]
fn what_go_always_writes_is_added_at_the_end() {
    let cases = [
        ("ConfigMap", json!({}), json!({"metadata": {}})),
        ("Role", json!({}), json!({"metadata": {}, "rules": null})),
        ("Role", json!({"rules": []}), json!({"metadata": {}, "rules": null})),
        ("Role", json!({"rules": [{"verbs": []}]}), json!({"metadata": {}, "rules": [{"verbs": null}]})),
        ("Namespace", json!({}), json!({"metadata": {}, "spec": {}, "status": {}})),
        (
            "Deployment",
            json!({"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}),
            json!({
                "metadata": {},
                "spec": {
                    "selector": null,
                    "strategy": {},
                    "template": {"metadata": {}, "spec": {"containers": [{"name": "c", "resources": {}}]}},
                },
                "status": {},
            }),
        ),
        (
            "Pod",
            json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
            json!({
                "metadata": {},
                "spec": {"containers": null},
                "status": {"conditions": [
                    {"type": "Ready", "status": "True", "lastProbeTime": null, "lastTransitionTime": null},
                ]},
            }),
        ),
    ];
    for (kind, given, expect) in cases {
        let mut object = given.as_object().expect("an object").clone();
        complete(api::builtin::types(), type_of(kind), &mut object);
        assert_eq!(Value::Object(object.clone()), expect, "{kind}");
        let once = object.clone();
        complete(api::builtin::types(), type_of(kind), &mut object);
        assert_eq!(object, once, "{kind}: the second time changes nothing");
    }
}

#[test]
fn metadata_of_any_kind_is_read_alone() {
    let check = |given: Value, expect: Result<(Value, &[&str]), &str>| {
        let mut object = given.as_object().expect("an object").clone();
        let read = metadata(api::builtin::types(), &mut object).map_err(|error| error.to_string());
        let expect = expect.map(|(value, paths)| (value, paths.iter().map(|&path| path.to_owned()).collect()));
        assert_eq!(read.map(|paths: Vec<String>| (Value::Object(object), paths)), expect.map_err(str::to_owned));
    };
    check(json!({"spec": {"a": null}}), Ok((json!({"spec": {"a": null}}), &[])));
    check(json!({"metadata": null}), Ok((json!({}), &[])));
    check(
        json!({"metadata": {"name": "x", "foo": 1, "ownerReferences": [{"bar": 1}], "labels": {"a": null}}}),
        Ok((
            json!({"metadata": {"name": "x", "ownerReferences": [{}], "labels": {"a": ""}}}),
            &["metadata.foo", "metadata.ownerReferences[0].bar"],
        )),
    );
    check(json!({"metadata": "x"}), Err("json: cannot unmarshal string into Go value of type v1.ObjectMeta"));
    check(
        json!({"metadata": {"labels": {"a": 1}}}),
        Err("json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string"),
    );
}

#[test]
fn a_tree_has_words_of_its_own() {
    let check = |given: Value, expect: &str| {
        let mut object = given.as_object().expect("an object").clone();
        let read = builtin_with(api::builtin::types(), type_of("Deployment"), &mut object, Numbers::ByValue);
        assert_eq!(read.map_err(|error| error.of_tree().to_owned()), Err(expect.to_owned()), "{given}");
    };
    check(json!({"spec": {"replicas": "x"}}), "unrecognized type: int32");
    check(json!({"spec": {"replicas": 1.5}}), "cannot convert float64 to int32");
    check(json!({"metadata": {"labels": {"a": 1}}}), "cannot convert int64 to string");
    check(json!({"metadata": {"labels": "x"}}), "cannot restore map from string");
    check(json!({"metadata": "x"}), "cannot restore struct from: string");
    check(json!({"metadata": {"finalizers": 1}}), "cannot restore slice from int64");
    let mut whole = json!({"spec": {"replicas": 2.0}}).as_object().expect("an object").clone();
    let read = builtin_with(api::builtin::types(), type_of("Deployment"), &mut whole, Numbers::ByValue);
    assert_eq!((read, Value::Object(whole)), (Ok(Vec::new()), json!({"spec": {"replicas": 2}})));
}

#[test]
fn text_that_is_no_json_is_refused_in_gos_words() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
        (b"{} x", "invalid character 'x' after top-level value"),
        (b"{\"a\" 1}", "invalid character '1' after object key"),
        (b"{\"a\":1 2}", "invalid character '2' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        (b"*", "invalid character '*' looking for beginning of value"),
    ];
    for (text, expect) in cases {
        let refused = read(text).expect_err("it is no JSON");
        assert_eq!(refused.to_string(), expect, "{}", String::from_utf8_lossy(text));
    }
    let nested = "[".repeat(100_000);
    assert_eq!(read(nested.as_bytes()).expect_err("too deep").to_string(), "invalid character '[' exceeded max depth");
}

#[test]
fn what_is_no_text_becomes_replacement_characters() {
    let cases: [(&[u8], &str); 6] = [
        (b"\"x\xff\"", "x\u{fffd}"),
        (b"\"\\ud800\"", "\u{fffd}"),
        (b"\"\\ud83d\\ude00\"", "\u{1f600}"),
        (b"\"\\udc00\\ud800x\"", "\u{fffd}\u{fffd}x"),
        (b"\"\\\\ud800\"", "\\ud800"),
        (b"\"\\uD800\\u0041\"", "\u{fffd}A"),
    ];
    for (text, expect) in cases {
        assert_eq!(read(text).map(|document| document.value), Ok(json!(expect)), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn yaml_tells_repeated_keys_by_their_lines() {
    let check = |text: &str, value: Value, lines: &[&str]| {
        let lines = lines.iter().map(|&line| line.to_owned()).collect();
        let findings = Findings { duplicates: Vec::new(), lines };
        assert_eq!(yaml(text.as_bytes()), Ok(Document { value, findings }), "{text}");
    };
    check("", Value::Null, &[]);
    check("a: 1\n---\nb: 2\n", json!({"a": 1}), &[]);
    check(
        "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n",
        json!({"a": 3, "b": {"c": 2}}),
        &[r#"line 4: key "c" already set in map"#, r#"line 5: key "a" already set in map"#],
    );
    check(r#"{"a":{"b":1,"b":2}}"#, json!({"a": {"b": 2}}), &[r#"line 1: key "b" already set in map"#]);
    check("a: &x {b: c}\nd: *x\n", json!({"a": {"b": "c"}, "d": {"b": "c"}}), &[]);
    let levels = (1..9).map(|level| {
        let before = format!("*a{},", level - 1).repeat(9);
        format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(','))
    });
    let bomb: String = std::iter::once("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned()).chain(levels).collect();
    let refused = yaml(bomb.as_bytes()).expect_err("a bomb");
    assert_eq!(refused.to_string(), "yaml: document contains excessive aliasing");
}

/// Text that looks like JSON or YAML more often than not.
#[test]
fn numbers_are_the_same_after_they_were_written() {
    for text in ["9.223372036815476e19", "0.1", "1e-7", "5e-324", "1.7976931348623157e308", "123456789.12345679"] {
        let once = read(text.as_bytes()).expect("a number").value;
        assert_eq!(once, Value::from(text.parse::<f64>().expect("a number")), "{text}");
        assert_eq!(read(once.to_string().as_bytes()).expect("we wrote it").value, once, "{text}");
    }
}

#[test]
fn the_first_finding_is_told_however_long() {
    let long = "x".repeat(200_000);
    for text in [
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"data":{{"{long}":"a","{long}":"b"}}}}"#),
        format!(r#"{{"{long}":1,"{long}b":1,"a":1}}"#),
    ] {
        let (_, words) = decoded("ConfigMap", &text).expect("an object");
        assert!(!words.is_empty(), "strict decoding would accept it");
        assert!(words.iter().map(String::len).sum::<usize>() < 70_000);
    }
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\ud800",
        "\\udc00",
        "\"a\":",
        "\"metadata\":{",
        "\"name\":",
        "1e999",
        "-0",
        "123456789012345678901234567890",
        "null",
        "true",
        "\n",
        "- ",
        "a: ",
        "&x ",
        "*x ",
        "<<: ",
        "? ",
        "|\n",
        "\t",
        "\u{0}",
        "\u{fffd}",
        "'",
        "#",
        "---\n",
        "!!binary ",
    ]);
    let text = prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![4 => text, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

/// A value as text with every key of its first object stated twice.
fn with_duplicates(value: &Value) -> (String, usize) {
    let Value::Object(fields) = value else { return (value.to_string(), 0) };
    let stated: Vec<String> =
        fields.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect();
    (format!("{{{}}}", [stated.clone(), stated].concat().join(",")), fields.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn reading_never_panics(bytes in hostile()) {
        for document in [read(&bytes), yaml(&bytes)].into_iter().flatten() {
            let mut object = document.value.as_object().cloned().unwrap_or_default();
            for kind in ["Pod", "CustomResourceDefinition"] {
                let _ = builtin(api::builtin::types(), type_of(kind), &mut object);
            }
        }
        let _ = order(&bytes, &["metadata.name".to_owned()]);
    }

    #[test]
    fn the_last_of_duplicate_keys_counts(value in any_json()) {
        let (text, count) = with_duplicates(&value);
        let document = read(text.as_bytes()).expect("it is JSON");
        prop_assert_eq!(&document.value, &value);
        prop_assert_eq!(document.findings.duplicates.len(), count);
    }

    #[test]
    fn decoding_twice_is_decoding_once(value in any_json(), spec in any_json()) {
        let mut object = value.as_object().cloned().unwrap_or_default();
        object.insert("spec".into(), spec);
        let (table, id) = (api::builtin::types(), type_of("Pod"));
        if builtin(table, id, &mut object).is_ok() {
            let once = object.clone();
            prop_assert_eq!(builtin(table, id, &mut object), Ok(Vec::new()));
            prop_assert_eq!(&object, &once);
            complete(table, id, &mut object);
            let whole = object.clone();
            prop_assert_eq!(builtin(table, id, &mut object), Ok(Vec::new()));
            complete(table, id, &mut object);
            prop_assert_eq!(&object, &whole);
        }
    }
}

#[test]
fn large_bodies_cost_their_length() {
    // Each would take minutes if any step were quadratic.
    let key = "k".repeat(1 << 20);
    let children: String = (0..100_000).map(|count| format!("\"x{count}\":1,")).collect();
    let wide = format!("{{\"data\":{{\"{key}\":{{{children}\"a\":1,\"a\":2}}}}}}");
    let document = read(wide.as_bytes()).expect("it is JSON");
    assert_eq!(document.findings.duplicates.len(), 1, "strict decoding must refuse it");
    assert!(document.findings.words(&[], None)[0].len() < 64 * 1024, "a path longer than may be told is cut");
    let mut object = document.value.as_object().expect("an object").clone();
    assert!(builtin(api::builtin::types(), type_of("ConfigMap"), &mut object).is_err());
    order(wide.as_bytes(), &["data".to_owned()]);
    let repeated = format!("{{{}\"a\":1}}", "\"a\":1,".repeat(400_000));
    assert_eq!(read(repeated.as_bytes()).expect("it is JSON").findings.duplicates.len(), super::MOST_FINDINGS);
    let mut empty = json!({"spec": {"containers": vec![json!({}); 600_000]}}).as_object().expect("an object").clone();
    complete(api::builtin::types(), type_of("Pod"), &mut empty);
    assert!(Value::Object(empty).to_string().len() > base::limits::OBJECT_BYTES, "what is left half done is refused");
    let escapes = format!("\"{}\"", "\\ud800".repeat(400_000));
    assert!(read(escapes.as_bytes()).is_ok());
}
