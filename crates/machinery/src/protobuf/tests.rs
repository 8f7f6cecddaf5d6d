//! Bodies that Go's own serialiser wrote must decode to what Go would have
//! written as JSON; damaged ones must be refused without a panic. The bodies
//! are in `tests/fixtures/protobuf`, with the program that writes them.

use std::io::Read;

use api::builtin;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

struct Body {
    name: String,
    protobuf: Vec<u8>,
    json: Value,
}

fn bodies(text: &[u8]) -> Vec<Body> {
    let parsed: Vec<Value> = serde_json::from_slice(text).unwrap();
    let body = |body: Value| Body {
        name: body["name"].as_str().unwrap().to_owned(),
        protobuf: STANDARD.decode(body["protobuf"].as_str().unwrap()).unwrap(),
        json: without_nulls(body["json"].clone()),
    };
    parsed.into_iter().map(body).collect()
}

/// As clients write them, with much left empty and zeros that count.
fn small() -> Vec<Body> {
    bodies(include_bytes!("../../tests/fixtures/protobuf/small.json"))
}

/// Every kind of `k8s.io/api` with every field set.
fn full() -> Vec<Body> {
    let mut text = Vec::new();
    let compressed: &[u8] = include_bytes!("../../tests/fixtures/protobuf/full.json.gz");
    GzDecoder::new(compressed).read_to_end(&mut text).unwrap();
    bodies(&text)
}

/// Fields that hold null are the one thing the decoder leaves out. Maps keep
/// theirs, but Go's JSON does not tell maps from structs.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

fn decode_builtin(bytes: &[u8]) -> Result<Value, Error> {
    decode(bytes, builtin::types(), &builtin::type_of)
}

/// A body around a message, as `runtime.Unknown`.
fn wrap(api_version: &str, kind: &str, message: &[u8]) -> Vec<u8> {
    let type_meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), field(1, &type_meta), field(2, message)].concat()
}

fn field(tag: u32, bytes: &[u8]) -> Vec<u8> {
    [varint(u64::from(tag) << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn secret(message: &[u8]) -> Result<Value, Error> {
    decode_builtin(&wrap("v1", "Secret", message))
}

#[test]
fn clients_bodies_decode_to_their_json() {
    let bodies = small();
    assert!(bodies.len() > 25);
    for body in bodies {
        pretty_eq(&body);
    }
}

#[test]
fn every_field_of_every_kind_decodes() {
    let mut decoded = std::collections::BTreeSet::new();
    for body in full() {
        let gvk = kind_of(&body.protobuf).unwrap();
        if builtin::type_of(&gvk).is_none() {
            continue;
        }
        pretty_eq(&body);
        decoded.insert(gvk);
    }
    // The module's data has no bodies for the kinds of other modules.
    let elsewhere = ["CustomResourceDefinition", "APIService"];
    for kind in builtin::kinds().iter().filter(|kind| !elsewhere.contains(&&*kind.gvk.kind)) {
        assert!(decoded.contains(&kind.gvk), "{} was not decoded", kind.gvk);
    }
}

fn pretty_eq(body: &Body) {
    let decoded = decode_builtin(&body.protobuf).unwrap_or_else(|error| panic!("{}: {error}", body.name));
    let decoded = without_nulls(decoded);
    if decoded != body.json {
        let (ours, theirs) = (format!("{decoded:#}"), format!("{:#}", body.json));
        let line = ours.lines().zip(theirs.lines()).position(|(ours, theirs)| ours != theirs).unwrap_or(0);
        let from = |text: &str| text.lines().skip(line.saturating_sub(6)).take(14).collect::<Vec<_>>().join("\n");
        panic!("{} differs\nours:\n{}\nGo's:\n{}", body.name, from(&ours), from(&theirs));
    }
}

/// A CustomResourceDefinition with one version of the given schema, which
/// stands six levels deep.
fn crd(schema: &[u8]) -> Result<Value, Error> {
    let version = field(4, &field(1, schema));
    decode_builtin(&wrap("apiextensions.k8s.io/v1", "CustomResourceDefinition", &field(2, &field(7, &version))))
}

#[test]
fn refusals() {
    let nothing = wrap("v1", "Secret", b"");
    let cases: &[(&str, Vec<u8>, Error)] = &[
        ("no magic", b"{}".to_vec(), Error::Magic),
        ("empty", Vec::new(), Error::Magic),
        ("kind", wrap("x/v1", "Thing", b""), Error::UnknownKind(Gvk::new("x", "v1", "Thing"))),
        ("cut", nothing[..nothing.len() - 1].to_vec(), Error::Truncated),
        ("length", wrap("v1", "Secret", &[0x0a, 0xff, 0xff, 0x03]), Error::Truncated),
        (
            "huge length",
            wrap("v1", "Secret", &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
            Error::Truncated,
        ),
        (
            "overflow",
            wrap("v1", "Secret", &[0x28; 1].iter().copied().chain([0xff; 10]).collect::<Vec<_>>()),
            Error::Overflow,
        ),
        ("tag zero", wrap("v1", "Secret", &[0x02, 0x00]), Error::Tag(2)),
        ("wire type", wrap("v1", "Secret", &[0x0f]), Error::Tag(7)),
        ("end of no group", wrap("v1", "Secret", &[0x0c]), Error::Tag(12)),
        ("utf-8", wrap("v1", "Secret", &field(3, &[0xff])), Error::Utf8),
        ("number for text", wrap("v1", "Secret", &[0x18, 1]), Error::WireType { wire: 0, field: "type".into() }),
        ("encoding", [nothing.clone(), field(3, b"gzip")].concat(), Error::Content("gzip".into())),
        ("content", [nothing.clone(), field(4, b"text/plain")].concat(), Error::Content("text/plain".into())),
        ("large", vec![0; limits::REQUEST_BODY_BYTES + 1], Error::TooLarge),
    ];
    for (name, body, error) in cases {
        assert_eq!(decode_builtin(body).as_ref(), Err(error), "{name}");
    }
}

#[test]
fn what_protobuf_allows() {
    let immutable = |value: u8| vec![5 << 3, value];
    let label = |key: &[u8], value: &[u8]| field(1, &field(11, &[field(1, key), field(2, value)].concat()));
    let check = |message: Vec<u8>, expect: Value| {
        let mut decoded = secret(&message).unwrap();
        decoded.as_object_mut().unwrap().retain(|name, _| name != "kind" && name != "apiVersion");
        assert_eq!(decoded, expect);
    };
    // The last scalar wins, messages and maps are merged.
    check([immutable(1), immutable(0)].concat(), json!({"immutable": false}));
    check(
        [label(b"a", b"1"), label(b"b", b""), label(b"a", b"2")].concat(),
        json!({"metadata": {"labels": {"a": "2", "b": ""}}}),
    );
    // A later empty value takes back what Go's omitempty would not write.
    check([field(3, b"x"), field(3, b"")].concat(), json!({}));
    // A map entry may lack its key, its value or both.
    check(field(2, b""), json!({"data": {"": ""}}));
    // Unknown fields of every encoding are passed over, groups too.
    let unknown = [
        &[0x98, 0x06, 1][..],
        &[0x99, 0x06],
        &[0; 8],
        &[0x9d, 0x06],
        &[0; 4],
        &field(99, b"x"),
        &[0x9b, 0x06, 0x08, 1, 0x9c, 0x06],
    ];
    check([unknown.concat(), immutable(1)].concat(), json!({"immutable": true}));
    // Negative generation: 64 bits, and a defaulted owner's zero bool.
    check(field(1, &[vec![7 << 3], varint(u64::MAX)].concat()), json!({"metadata": {"generation": -1}}));
}

#[test]
fn packed_and_unpacked_numbers_are_lists() {
    let groups = |bytes: &[u8]| {
        let context = field(14, bytes);
        let pod = wrap("v1", "Pod", &field(2, &context));
        decode_builtin(&pod).unwrap()["spec"]["securityContext"]["supplementalGroups"].clone()
    };
    assert_eq!(groups(&[4 << 3, 1, 4 << 3, 2]), json!([1, 2]));
    assert_eq!(groups(&field(4, &[1, 2, 0])), json!([1, 2, 0]));
    assert_eq!(groups(&[field(4, &[1]), vec![4 << 3, 2]].concat()), json!([1, 2]));
}

#[test]
fn json_inside_is_passed_through() {
    let inside = [MAGIC.to_vec(), field(2, br#"{"a":1}"#), field(4, b"application/json")].concat();
    assert_eq!(decode_builtin(&inside), Ok(json!({"a": 1})));
    let revision = |raw: &[u8]| decode_builtin(&wrap("apps/v1", "ControllerRevision", &field(2, &field(1, raw))));
    assert_eq!(revision(b"[null]").unwrap()["data"], json!([null]));
    assert!(revision(b"null").unwrap().get("data").is_none());
    assert!(matches!(revision(b"{"), Err(Error::Json(_))));
    // Six levels above, as many as JSON's own reader takes below.
    let deep = |levels: usize| {
        let raw = [vec![b'['; levels], vec![b']'; levels]].concat();
        crd(&field(8, &field(1, &raw)))
    };
    assert!(deep(limits::NESTING - 6).is_ok());
    assert_eq!(deep(limits::NESTING - 5), Err(Error::Nesting));
}

#[test]
fn nesting_is_bounded() {
    // `not` is field 28 of a schema: schemas within schemas without end.
    let nested = |levels: usize| crd(&(0..levels).fold(Vec::new(), |inner, _| field(28, &inner)));
    assert!(nested(limits::NESTING - 6).is_ok());
    assert_eq!(nested(limits::NESTING - 5), Err(Error::Nesting));
    assert_eq!(nested(5_000), Err(Error::Nesting));
}

#[test]
fn unfolding_is_bounded() {
    let empty_containers: Vec<u8> = [0x12, 0x00].repeat(VALUES + 1);
    assert_eq!(decode_builtin(&wrap("v1", "Pod", &field(2, &empty_containers))), Err(Error::TooLarge));
}

#[test]
fn out_of_range_values_are_refused() {
    let created = |seconds: u64, nanos: u64| {
        let time = [vec![8], varint(seconds), vec![16], varint(nanos)].concat();
        secret(&field(1, &field(8, &time)))
    };
    assert_eq!(created(0, 0).unwrap()["metadata"]["creationTimestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(created(253_402_300_800, 0), Err(Error::Range("Time")));
    assert_eq!(created(i64::MIN as u64, 0), Err(Error::Range("Time")));
    assert_eq!(created(0, 1_000_000_000), Err(Error::Range("Time")));
    assert!(integral(f64::NAN).is_err() && integral(f64::INFINITY).is_err());
    assert_eq!(integral(-2.0), Ok(json!(-2)));
    assert_eq!(integral(0.5), Ok(json!(0.5)));
    assert_eq!(special::decode(&Shape::IntOrString, &[8, 2], 0), Err(Error::Range("IntOrString")));
}

#[test]
fn durations_are_written_as_go_does() {
    let check = |nanos: i64, expect: &str| {
        let message = [vec![8], varint(nanos as u64)].concat();
        assert_eq!(special::decode(&Shape::Duration, &message, 0), Ok(json!(expect)));
    };
    check(0, "0s");
    check(1, "1ns");
    check(1_500, "1.5µs");
    check(-2_000_000, "-2ms");
    check(1_100_000_000, "1.1s");
    check(90_000_000_000, "1m30s");
    check(3_600_000_000_000, "1h0m0s");
    check(i64::MIN, "-2562047h47m16.854775808s");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_builtin(&message);
        for (api_version, kind) in [("v1", "Pod"), ("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("v1", "DeleteOptions")] {
            let _ = decode_builtin(&wrap(api_version, kind, &message));
        }
    }

    #[test]
    fn damaged_bodies_never_panic(which in 0..1000usize, at in 0..100_000usize, byte in any::<u8>(), cut in any::<bool>()) {
        thread_local! {
            static BODIES: Vec<Body> = small();
        }
        BODIES.with(|bodies| {
            let mut damaged = bodies[which % bodies.len()].protobuf.clone();
            let at = at % damaged.len();
            damaged[at] = byte;
            if cut {
                damaged.truncate(at);
            }
            let _ = decode_builtin(&damaged);
        });
    }
}
