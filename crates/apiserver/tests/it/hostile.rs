//! Requests made to hurt: each is answered as it deserves, in bounded time, while others go
//! on being answered, and the server works afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use base::Clock;
use base::limits::REQUEST_BODY_BYTES;
use serde_json::{Value, json};
use testkit::Platform;

use crate::wire::{CONFIGMAPS, JSON, JSON_PATCH, MERGE, Wire};

const YAML: &str = "application/yaml";
const APPLY: &str = "application/apply-patch+yaml";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const VICTIMS: &str = "/apis/hostile.test/v1/namespaces/default/victims";

/// One answer may take so long, in a debug build beside other tests.
const ANSWERED_SECS: u64 = 240;
/// A small request beside it may take so long; unhindered it takes a few milliseconds.
const NEIGHBOUR_MILLIS: u64 = 5000;

/// A server, somebody who keeps asking it for little, and how long the slowest answer took.
struct Siege {
    platform: Platform,
    wire: Wire,
    slowest_micros: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    neighbour: tokio::task::JoinHandle<Result<u64>>,
    clock: Clock,
    complaints: std::sync::Mutex<Vec<String>>,
}

impl Siege {
    async fn begin() -> Result<Siege> {
        let platform = Platform::start(Vec::new()).await?;
        let (wire, quiet) = (Wire::to(&platform).await?, Wire::to(&platform).await?);
        wire.made(CONFIGMAPS, json!({"metadata": {"name": "small"}, "data": {"a": "b"}})).await?;
        let (slowest_micros, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (slowest, over) = (slowest_micros.clone(), is_over.clone());
        #[expect(clippy::disallowed_methods, reason = "the neighbour asks for as long as the test runs")]
        let neighbour = tokio::spawn(async move {
            let watch = Clock::system().stopwatch();
            let mut answers = 0;
            let mut pause = tokio::time::interval(Duration::from_millis(5));
            while !over.load(Ordering::Relaxed) {
                let before = watch.elapsed();
                let (code, _) = quiet.get(&format!("{CONFIGMAPS}/small")).await?;
                ensure!(code == 200, "the neighbour is answered {code}");
                let took = (watch.elapsed() - before).as_micros();
                slowest.fetch_max(u64::try_from(took).unwrap_or(u64::MAX), Ordering::Relaxed);
                answers += 1;
                pause.tick().await;
            }
            Ok(answers)
        });
        Ok(Siege {
            platform,
            wire,
            slowest_micros,
            is_over,
            neighbour,
            clock: Clock::system(),
            complaints: Default::default(),
        })
    }

    /// Sends, and expects one of these codes; what is refused is refused by a `Status` of a
    /// size that a person can be shown.
    async fn check(&self, what: &str, request: Sent<'_>, expect: &[u16]) -> Result<Value> {
        let Sent(method, path, media, body) = request;
        let (length, watch) = (body.len(), self.clock.stopwatch());
        let (code, answer) = self.wire.send(method, path, media, body).await?;
        let took = watch.elapsed();
        let slowest = self.slowest_micros.swap(0, Ordering::Relaxed) / 1000;
        let text = answer.to_string();
        let shown: String = text.chars().take(300).collect();
        println!("{what}: {length} bytes, {code} in {took:?}, neighbour at most {slowest} ms: {shown}");
        let complain = |holds: bool, why: String| {
            if !holds {
                self.complaints
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push(format!("{what}: {why}"));
            }
        };
        complain(expect.contains(&code), format!("{code} {shown}"));
        if code >= 400 {
            complain(answer["kind"] == "Status" && answer["code"] == code, shown);
            complain(text.len() < 512 * 1024, format!("a refusal of {} bytes", text.len()));
        }
        complain(took < Duration::from_secs(ANSWERED_SECS), format!("answered after {took:?}"));
        complain(slowest < NEIGHBOUR_MILLIS, format!("the neighbour waited for {slowest} ms"));
        Ok(answer)
    }

    /// The server works as before.
    async fn end(self) -> Result<()> {
        self.wire.made(CONFIGMAPS, json!({"metadata": {"name": "afterwards"}, "data": {"a": "b"}})).await?;
        let (code, _) = self.wire.delete(&format!("{CONFIGMAPS}/afterwards")).await?;
        ensure!(code == 200, "the server does not delete: {code}");
        self.is_over.store(true, Ordering::Relaxed);
        let answers = self.neighbour.await??;
        ensure!(answers > 10, "the neighbour was answered {answers} times");
        self.platform.stop().await;
        let complaints = self.complaints.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
        Ok(())
    }

    async fn definition(&self, schema: Value) -> Result<()> {
        self.wire.made(DEFINITIONS, definition("victims", schema)).await.map(drop)
    }
}

/// Method, path, media type, body.
struct Sent<'a>(&'a str, &'a str, &'a str, Vec<u8>);

fn definition(plural: &str, schema: Value) -> Value {
    let kind = plural.trim_end_matches('s').to_owned();
    let kind = kind[..1].to_uppercase() + &kind[1..];
    json!({
        "metadata": {"name": format!("{plural}.hostile.test")},
        "spec": {
            "group": "hostile.test", "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind, "singular": plural.trim_end_matches('s')},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn nested(open: &str, close: &str, levels: usize) -> String {
    format!("{}1{}", open.repeat(levels), close.repeat(levels))
}

fn config_map(rest: &str) -> Vec<u8> {
    format!(r#"{{"metadata":{{"name":"h"}},{rest}}}"#).into_bytes()
}

/// A list of so many equal items.
fn many(item: &str, count: usize) -> String {
    let mut text = String::with_capacity((item.len() + 1) * count + 2);
    text.push('[');
    for index in 0..count {
        if index > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push(']');
    text
}

fn victim(spec: &str) -> Vec<u8> {
    format!(r#"{{"apiVersion":"hostile.test/v1","kind":"Victim","metadata":{{"name":"v"}},"spec":{spec}}}"#)
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn nesting_is_bounded_in_every_body() -> Result<()> {
    let siege = Siege::begin().await?;
    let small = format!("{CONFIGMAPS}/small");
    let deep_lists = nested("[", "]", 100_000);
    let deep_objects = nested("{\"a\":", "}", 100_000);
    for deep in [&deep_lists, &deep_objects] {
        let whole = config_map(&format!("\"data\":{deep}"));
        siege.check("deep JSON", Sent("POST", CONFIGMAPS, JSON, whole.clone()), &[400]).await?;
        siege.check("deep YAML", Sent("POST", CONFIGMAPS, YAML, whole.clone()), &[400]).await?;
        siege
            .check("deep apply", Sent("PATCH", &format!("{CONFIGMAPS}/h?fieldManager=m"), APPLY, whole.clone()), &[400])
            .await?;
        for media in [MERGE, STRATEGIC] {
            siege.check("deep patch", Sent("PATCH", &small, media, whole.clone()), &[400]).await?;
        }
        let operation = format!(r#"[{{"op":"add","path":"/data","value":{deep}}}]"#);
        siege.check("deep operation", Sent("PATCH", &small, JSON_PATCH, operation.into_bytes()), &[400]).await?;
        let options = format!(r#"{{"preconditions":{deep}}}"#);
        siege.check("deep options", Sent("DELETE", &small, JSON, options.into_bytes()), &[400]).await?;
        let fields = format!(r#"{{"metadata":{{"name":"h","managedFields":[{{"fieldsV1":{deep}}}]}}}}"#);
        siege.check("deep managedFields", Sent("POST", CONFIGMAPS, JSON, fields.into_bytes()), &[400]).await?;
    }
    let steps: String = "/a".repeat(400_000);
    let operation = format!(r#"[{{"op":"add","path":"{steps}","value":1}}]"#);
    siege.check("long pointer", Sent("PATCH", &small, JSON_PATCH, operation.into_bytes()), &[400, 422]).await?;
    let block: String = (0..1500).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    siege.check("deep block YAML", Sent("POST", CONFIGMAPS, YAML, block.into_bytes()), &[400]).await?;
    siege.check("dashes", Sent("POST", CONFIGMAPS, YAML, "- ".repeat(1 << 20).into_bytes()), &[400]).await?;
    siege.check("keys", Sent("POST", CONFIGMAPS, YAML, "? ".repeat(1 << 20).into_bytes()), &[400]).await?;
    let mut schema = json!({"type": "string"});
    for _ in 0..60 {
        schema = json!({"type": "object", "properties": {"a": schema}});
    }
    let deep = definition("deeps", schema).to_string();
    siege.check("deep schema", Sent("POST", DEFINITIONS, JSON, deep.into_bytes()), &[201, 400, 422]).await?;
    siege.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_and_long_yaml_are_bounded() -> Result<()> {
    let siege = Siege::begin().await?;
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9 {
        let last = format!("*a{},", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{last}]\n"));
    }
    for media in [YAML, APPLY] {
        let (method, path) = match media {
            YAML => ("POST", CONFIGMAPS.to_owned()),
            _ => ("PATCH", format!("{CONFIGMAPS}/h?fieldManager=m")),
        };
        siege.check("alias bomb", Sent(method, &path, media, bomb.clone().into_bytes()), &[400]).await?;
        let many_aliases = format!("a: &a {{b: c}}\nl:\n{}", "- *a\n".repeat(500_000));
        siege.check("many aliases", Sent(method, &path, media, many_aliases.into_bytes()), &[400]).await?;
        let merges = format!("a: &a {{b: c}}\nd:\n  <<: *a\n{}", "  <<: *a\n".repeat(250_000));
        siege.check("merge keys", Sent(method, &path, media, merges.into_bytes()), &[400]).await?;
        let anchors: String = (0..150_000).map(|at| format!("k{at}: &a{at} 1\n")).collect();
        siege.check("many anchors", Sent(method, &path, media, anchors.into_bytes()), &[400]).await?;
        let lines: String = (0..230_000).map(|at| format!("  k{at}: v\n")).collect();
        let body = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: h\ndata:\n{lines}");
        siege.check("2.9 MB of lines", Sent(method, &path, media, body.into_bytes()), &[201, 400, 413]).await?;
        let dashes = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: h\n  finalizers:\n{}",
            "  - a\n".repeat(480_000)
        );
        siege.check("2.9 MB of items", Sent(method, &path, media, dashes.into_bytes()), &[400, 413, 422, 500]).await?;
        let flow = format!("metadata: {{name: h}}\ndata: {{{}", "a: b, ".repeat(480_000));
        siege.check("2.9 MB of one line", Sent(method, &path, media, flow.into_bytes()), &[400]).await?;
        let scalar = format!("metadata: {{name: h}}\ndata:\n  a: |\n{}", "    x\n".repeat(480_000));
        siege.check("2.9 MB of one text", Sent(method, &path, media, scalar.into_bytes()), &[201, 400, 413]).await?;
        let quoted = format!("metadata: {{name: h}}\ndata:\n  a: \"{}", "\\n\n".repeat(900_000));
        siege.check("an open quote", Sent(method, &path, media, quoted.into_bytes()), &[400]).await?;
        let documents = "---\n".repeat(700_000);
        siege.check("many documents", Sent(method, &path, media, documents.into_bytes()), &[400, 422]).await?;
        let repeated = format!("metadata: {{name: h}}\ndata:\n{}", "  a: b\n".repeat(400_000));
        siege
            .check("one key often", Sent(method, &path, media, repeated.into_bytes()), &[200, 201, 400, 409, 413])
            .await?;
        siege.wire.delete(&format!("{CONFIGMAPS}/h")).await?;
    }
    siege.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_every_shape_are_bounded() -> Result<()> {
    let siege = Siege::begin().await?;
    let room = REQUEST_BODY_BYTES - 200;
    let small_keys = |value: &str| (0..170_000).map(|at| format!("\"k{at}\":{value}")).collect::<Vec<_>>().join(",");
    let metadata = |rest: String| format!(r#"{{"metadata":{{"name":"h",{rest}}}}}"#).into_bytes();
    let cases = [
        ("one long text", config_map(&format!(r#""data":{{"a":"{}"}}"#, "x".repeat(room)))),
        ("one long escaped text", config_map(&format!(r#""data":{{"a":"{}"}}"#, "\\u0001".repeat(room / 6)))),
        ("one long key", config_map(&format!(r#""data":{{"{}":"a"}}"#, "x".repeat(room)))),
        ("one long odd key", config_map(&format!(r#""data":{{"{}":"a"}}"#, "é/".repeat(room / 3)))),
        ("one long unknown field", config_map(&format!(r#""{}":"a""#, "x".repeat(room)))),
        ("many small keys", config_map(&format!(r#""data":{{{}}}"#, small_keys("\"a\"")))),
        ("many odd keys", config_map(&format!(r#""data":{{{}}}"#, small_keys("\"a\"").replace("\"k", "\"/")))),
        ("many unknown fields", config_map(&small_keys("1"))),
        ("many numbers in place of texts", config_map(&format!(r#""data":{{{}}}"#, small_keys("1")))),
        ("many equal keys", config_map(&format!(r#""data":{{{}"a":"b"}}"#, "\"a\":\"b\",".repeat(300_000)))),
        ("many labels", metadata(format!(r#""labels":{{{}}}"#, small_keys("\"/\"")))),
        ("many annotations", metadata(format!(r#""annotations":{{{}}}"#, small_keys("\"/\"").replace("\"k", "\"/")))),
        ("many finalizers", metadata(format!(r#""finalizers":{}"#, many("\"a\"", 700_000)))),
        ("many empty owners", metadata(format!(r#""ownerReferences":{}"#, many("{}", 900_000)))),
        (
            "many controlling owners",
            metadata(format!(r#""ownerReferences":{}"#, many(r#"{"controller":true}"#, 140_000))),
        ),
        (
            "many owners that are events",
            metadata(format!(
                r#""ownerReferences":{}"#,
                many(r#"{"kind":"Event","apiVersion":"v1","name":"a","uid":"b"}"#, 50_000)
            )),
        ),
        ("many owners that are none", metadata(format!(r#""ownerReferences":{}"#, many("1", 1_000_000)))),
        ("many managers", metadata(format!(r#""managedFields":{}"#, many("{}", 900_000)))),
        ("a long name", format!(r#"{{"metadata":{{"name":"{}"}}}}"#, "x".repeat(room)).into_bytes()),
        ("a long namespace", metadata(format!(r#""namespace":"{}""#, "x".repeat(room)))),
        ("a long prefix", format!(r#"{{"metadata":{{"generateName":"{}"}}}}"#, "x".repeat(room)).into_bytes()),
        ("a long number", config_map(&format!(r#""data":{{"a":{}}}"#, "1".repeat(room)))),
        ("spaces", [config_map("\"data\":{}"), vec![b' '; room]].concat()),
        ("no JSON", vec![b'x'; room]),
        ("too much", vec![b' '; REQUEST_BODY_BYTES + 1]),
        ("bytes", config_map(&format!(r#""binaryData":{{"a":"{}!"}}"#, "a".repeat(room)))),
    ];
    for (what, body) in cases {
        let expect: &[u16] = &[200, 201, 400, 413, 422];
        siege.check(what, Sent("POST", CONFIGMAPS, JSON, body.clone()), expect).await?;
        siege.wire.delete(&format!("{CONFIGMAPS}/h")).await?;
        if what.contains("unknown") || what.contains("equal") {
            let strict = format!("{CONFIGMAPS}?fieldValidation=Strict");
            siege.check(what, Sent("POST", &strict, JSON, body), &[400]).await?;
        }
    }
    siege.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_of_every_shape_are_bounded() -> Result<()> {
    let siege = Siege::begin().await?;
    let pods = "/api/v1/namespaces/default/pods";
    for (what, spec) in [
        ("many empty containers", format!(r#"{{"containers":{}}}"#, many("{}", 200_000))),
        ("many equal containers", format!(r#"{{"containers":{}}}"#, many(r#"{"name":"a","image":"b"}"#, 110_000))),
        ("many ports", format!(r#"{{"containers":[{{"name":"a","image":"b","ports":{}}}]}}"#, many("{}", 200_000))),
        (
            "many variables",
            format!(r#"{{"containers":[{{"name":"a","image":"b","env":{}}}]}}"#, many(r#"{"name":"a"}"#, 200_000)),
        ),
        (
            "many volumes",
            format!(r#"{{"containers":[{{"name":"a","image":"b"}}],"volumes":{}}}"#, many(r#"{"name":"a"}"#, 200_000)),
        ),
        (
            "many tolerations",
            format!(r#"{{"containers":[{{"name":"a","image":"b"}}],"tolerations":{}}}"#, many("{}", 200_000)),
        ),
    ] {
        let pod = format!(r#"{{"metadata":{{"name":"h"}},"spec":{spec}}}"#);
        siege.check(what, Sent("POST", pods, JSON, pod.into_bytes()), &[400, 413, 422]).await?;
    }
    siege.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_that_explode_are_bounded() -> Result<()> {
    let siege = Siege::begin().await?;
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
    siege.definition(schema).await?;
    let items = many("1", 400_000);
    siege
        .check(
            "a large object",
            Sent("POST", VICTIMS, JSON, victim(&format!(r#"{{"a":{items},"b":[],"c":{{}}}}"#))),
            &[201],
        )
        .await?;
    let path = format!("{VICTIMS}/v");
    let operations = |operation: &str, count: usize| many(operation, count).into_bytes();
    let cases: [(&str, Vec<u8>, &[u16]); 10] = [
        ("10,001 operations", operations(r#"{"op":"test","path":"/kind","value":"Victim"}"#, 10_001), &[413]),
        ("10,000 tests", operations(r#"{"op":"test","path":"/kind","value":"Victim"}"#, 10_000), &[200]),
        (
            "10,000 moves of much",
            operations(r#"{"op":"move","from":"/spec/a","path":"/spec/a"}"#, 10_000),
            &[200, 400, 422],
        ),
        ("10,000 copies of much", operations(r#"{"op":"copy","from":"/spec/a","path":"/spec/b/-"}"#, 10_000), &[422]),
        (
            "10,000 copies that double",
            operations(r#"{"op":"copy","from":"/spec/c","path":"/spec/c/c"}"#, 10_000),
            &[400, 413, 422],
        ),
        ("10,000 removals", operations(r#"{"op":"remove","path":"/spec/a/0"}"#, 10_000), &[200, 413, 422]),
        ("10,000 insertions", operations(r#"{"op":"add","path":"/spec/a/0","value":1}"#, 10_000), &[200, 413, 422]),
        ("700 tests of much", operations(r#"{"op":"test","path":"/spec/a","value":[1]}"#, 700), &[422]),
        ("a million empty operations", operations("{}", 1_000_000), &[413]),
        ("a million that are none", operations("1", 1_000_000), &[400, 413]),
    ];
    for (what, body, expect) in cases {
        siege.check(what, Sent("PATCH", &path, JSON_PATCH, body), expect).await?;
    }
    let merge = format!(r#"{{"spec":{{"d":{}}}}}"#, many("{\"a\":null}", 200_000));
    siege.check("a large merge", Sent("PATCH", &path, MERGE, merge.into_bytes()), &[200, 413]).await?;
    let directives = format!(
        r#"{{"data":{{{}}}}}"#,
        (0..90_000).map(|at| format!("\"$setElementOrder/k{at}\":[1]")).collect::<Vec<_>>().join(",")
    );
    let small = format!("{CONFIGMAPS}/small");
    siege
        .check("many directives", Sent("PATCH", &small, STRATEGIC, directives.into_bytes()), &[200, 400, 413, 422, 500])
        .await?;
    let owners = (0..40_000)
        .map(|at| format!(r#"{{"uid":"u{at}","name":"a","kind":"b","apiVersion":"v1"}}"#))
        .collect::<Vec<_>>()
        .join(",");
    let order = (0..40_000).rev().map(|at| format!(r#"{{"uid":"u{at}"}}"#)).collect::<Vec<_>>().join(",");
    let keyed = format!(r#"{{"metadata":{{"ownerReferences":[{owners}]}}}}"#);
    siege
        .check("many keyed items", Sent("PATCH", &small, STRATEGIC, keyed.clone().into_bytes()), &[200, 413, 422])
        .await?;
    siege.check("many keyed items", Sent("PATCH", &small, STRATEGIC, keyed.into_bytes()), &[200, 413, 422]).await?;
    let ordered = format!(r#"{{"metadata":{{"$setElementOrder/ownerReferences":[{order}]}}}}"#);
    siege
        .check("an order of many", Sent("PATCH", &small, STRATEGIC, ordered.into_bytes()), &[200, 400, 413, 422])
        .await?;
    let finalizers = (0..40_000).map(|at| format!(r#""a.b/f{at}""#)).collect::<Vec<_>>().join(",");
    for directive in ["finalizers", "$setElementOrder/finalizers", "$deleteFromPrimitiveList/finalizers"] {
        let body = format!(r#"{{"metadata":{{"{directive}":[{finalizers}]}}}}"#);
        siege.check(directive, Sent("PATCH", &small, STRATEGIC, body.into_bytes()), &[200, 400, 413, 422]).await?;
    }
    siege.end().await
}

/// Schemas of one field, and the codes that their definitions may be answered with.
fn hostile_schemas() -> Vec<(&'static str, Value, &'static [u16])> {
    let text = |pattern: String| json!({"type": "string", "pattern": pattern});
    let numbers: Vec<Value> = (0..400_000).map(Value::from).collect();
    let many: Value = (0..50_000).map(|at| (format!("p{at}"), json!({"type": "string"}))).collect();
    let required: Vec<String> = (0..50_000).map(|at| format!("p{at}")).collect();
    let tree = |keyword: &str, width: usize, levels: usize| {
        (0..levels).fold(json!({"minLength": 1}), |inner, _| json!({keyword: vec![inner; width]}))
    };
    let with = |mut schema: Value, keyword: &str| {
        schema["type"] = json!("string");
        let inner = schema[keyword].take();
        json!({"type": "string", keyword: inner})
    };
    let multiplying = (0..6).fold(json!({"type": "string"}), |inner, _| {
        json!({"type": "array", "default": [null, null, null, null, null, null, null, null], "items": {"type": "object", "default": {}, "properties": {"a": inner}}})
    });
    vec![
        ("an exponential pattern", text("^(a+)+$".into()), &[201]),
        ("a huge pattern", text("a".repeat(2_000_000)), &[201, 422]),
        ("a pattern of huge counts", text("((a{1000}){1000}){1000}".into()), &[201, 422]),
        ("a deep pattern", text("(".repeat(500_000)), &[422]),
        ("many alternatives", text(vec!["[a-z]{50}"; 50_000].join("|")), &[201, 422]),
        ("many classes", text("[\\pL\\pN]{100}".repeat(2_000)), &[201, 422]),
        ("a huge enumeration", json!({"type": "integer", "enum": numbers}), &[422]),
        (
            "a long default",
            json!({"type": "string", "default": "x".repeat(1_000_000), "pattern": "^(x+)+$"}),
            &[201, 413, 422],
        ),
        ("many properties", json!({"type": "object", "properties": many}), &[201, 413]),
        ("many that are required", json!({"type": "object", "properties": {}, "required": required}), &[201, 413, 422]),
        ("a tree of allOf", with(tree("allOf", 6, 6), "allOf"), &[201, 413, 422]),
        ("a tree of anyOf", with(tree("anyOf", 6, 6), "anyOf"), &[201, 413, 422]),
        ("a tree of oneOf", with(tree("oneOf", 2, 14), "oneOf"), &[201, 413, 422]),
        ("a tree of not", (0..90).fold(json!({"type": "string"}), |inner, _| json!({"not": inner})), &[422]),
        ("defaults that multiply", multiplying, &[201, 422]),
        (
            "a huge rule",
            json!({"type": "string", "x-kubernetes-validations": [{"rule": "x".repeat(1_000_000)}]}),
            &[201, 413, 422],
        ),
        (
            "many rules",
            json!({"type": "string", "x-kubernetes-validations": vec![json!({"rule": "true"}); 50_000]}),
            &[201, 413, 422],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_definitions_are_bounded() -> Result<()> {
    let siege = Siege::begin().await?;
    for (at, (what, schema, expect)) in hostile_schemas().into_iter().enumerate() {
        let whole = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": schema}}}});
        let plural = format!("things{at}s");
        let body = definition(&plural, whole).to_string().into_bytes();
        let answer = siege.check(what, Sent("POST", DEFINITIONS, JSON, body), expect).await?;
        if answer["kind"] == "Status" {
            continue;
        }
        let kind = answer["spec"]["names"]["kind"].clone();
        let objects = format!("/apis/hostile.test/v1/namespaces/default/{plural}");
        for value in [
            "{}".to_owned(),
            format!(r#"{{"a":"{}!"}}"#, "a".repeat(1_000_000)),
            format!(r#"{{"a":{}}}"#, many("\"ab\"", 300_000)),
            format!(r#"{{"a":{}}}"#, many("{}", 300_000)),
        ] {
            let body = format!(
                r#"{{"apiVersion":"hostile.test/v1","kind":{kind},"metadata":{{"generateName":"v"}},"spec":{value}}}"#
            );
            siege.check(what, Sent("POST", &objects, JSON, body.into_bytes()), &[201, 413, 422]).await?;
        }
        siege.check("its OpenAPI", Sent("GET", "/openapi/v3/apis/hostile.test/v1", JSON, Vec::new()), &[200]).await?;
        siege
            .check("its end", Sent("DELETE", &format!("{DEFINITIONS}/{plural}.hostile.test"), JSON, Vec::new()), &[200])
            .await?;
    }
    siege.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_with_much_to_compare_are_bounded() -> Result<()> {
    let siege = Siege::begin().await?;
    let text = json!({"type": "string"});
    siege
        .definition(json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "set": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
            "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "l"],
                "items": {"type": "object", "required": ["k", "l"], "properties": {"k": text, "l": text, "v": text}}},
            "list": {"type": "array", "items": {"type": "string", "pattern": "^([a-z]+)+$", "maxLength": 3,
                "anyOf": [{"minLength": 2}, {"pattern": "^x*$"}, {"format": "date-time"}]}},
            "unique": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["p"],
                "items": {"type": "object", "required": ["p"], "properties": {"p": {"type": "integer"}, "m": {
                    "type": "array", "items": text, "x-kubernetes-list-type": "set"}}}},
        }}}}))
        .await?;
    let distinct = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    let long = "k".repeat(1000);
    let cases = [
        ("a set of many", format!(r#"{{"set":[{}]}}"#, distinct(100_000, &|at| format!("\"i{at}\"")))),
        ("a set of many that are equal", format!(r#"{{"set":{}}}"#, many("\"a\"", 300_000))),
        ("a map of many", format!(r#"{{"map":[{}]}}"#, distinct(60_000, &|at| format!(r#"{{"k":"{at}","l":"a"}}"#)))),
        ("a map of many that are equal", format!(r#"{{"map":{}}}"#, many(r#"{"k":"a","l":"a"}"#, 100_000))),
        (
            "a map with long keys",
            format!(r#"{{"map":[{}]}}"#, distinct(1_200, &|at| format!(r#"{{"k":"{long}{at}","l":"{long}"}}"#))),
        ),
        ("a map without keys", format!(r#"{{"map":{}}}"#, many("{}", 700_000))),
        ("many wrong texts", format!(r#"{{"list":{}}}"#, many("\"ABCD\"", 400_000))),
        ("many wrong items", format!(r#"{{"list":{}}}"#, many("1", 1_000_000))),
        (
            "many unknown fields",
            format!(r#"{{"ports":[{{"p":1,{}}}]}}"#, distinct(150_000, &|at| format!("\"u{at}\":1"))),
        ),
        (
            "many inner sets",
            format!(r#"{{"ports":[{}]}}"#, distinct(20_000, &|at| format!(r#"{{"p":{at},"m":["a","b","a"]}}"#))),
        ),
    ];
    for (what, spec) in cases {
        let expect: &[u16] = &[200, 201, 400, 413, 422, 500];
        siege.check(what, Sent("POST", VICTIMS, JSON, victim(&spec)), expect).await?;
        let applied = format!("{VICTIMS}/v?fieldManager=one");
        siege.check(what, Sent("PATCH", &applied, APPLY, victim(&spec)), &[200, 201, 400, 409, 413, 422, 500]).await?;
        siege.check(what, Sent("PATCH", &applied, APPLY, victim("{}")), expect).await?;
        let merge = format!(r#"{{"spec":{spec}}}"#);
        siege
            .check(what, Sent("PATCH", &format!("{VICTIMS}/v"), MERGE, merge.into_bytes()), &[200, 400, 404, 413, 422])
            .await?;
        siege.wire.delete(&format!("{VICTIMS}/v")).await?;
    }
    siege.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_managers_are_bounded() -> Result<()> {
    let siege = Siege::begin().await?;
    let entry = |name: &str, operation: &str, fields: &str| {
        format!(
            r#"{{"manager":"{name}","operation":"{operation}","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{fields}}}"#
        )
    };
    let all = |entries: Vec<String>| {
        format!(r#"{{"metadata":{{"name":"m","managedFields":[{}]}},"data":{{"a":"b"}}}}"#, entries.join(","))
            .into_bytes()
    };
    let owned = r#"{"f:data":{"f:a":{}}}"#;
    let wide: String = (0..100_000).map(|at| format!("\"f:k{at}\":{{}}")).collect::<Vec<_>>().join(",");
    let keys: String =
        (0..30_000).map(|at| format!(r#""k:{{\"name\":\"n{at}\"}}":{{}}"#)).collect::<Vec<_>>().join(",");
    let cases = [
        ("10,000 appliers", all((0..10_000).map(|at| entry(&format!("m{at}"), "Apply", owned)).collect())),
        ("10,000 updaters", all((0..10_000).map(|at| entry(&format!("m{at}"), "Update", owned)).collect())),
        (
            "10,000 versions",
            all((0..10_000)
                .map(|at| entry("m", "Update", owned).replace("\"v1\"", &format!("\"x{at}/v1\"")))
                .collect()),
        ),
        ("one of many fields", all(vec![entry("m", "Apply", &format!("{{\"f:data\":{{{wide}}}}}"))])),
        ("one of many items", all(vec![entry("m", "Apply", &format!(r#"{{"f:data":{{{keys}}}}}"#))])),
        (
            "one that is forged",
            all(vec![entry("m", "Apply", r#"{"f:metadata":{"f:name":{}},"k:{}":{},"i:-1":{},"v:{}":{}}"#)]),
        ),
        ("one of nothing", all(vec![entry("m", "Apply", "1")])),
    ];
    for (what, body) in cases {
        siege.check(what, Sent("POST", CONFIGMAPS, JSON, body.clone()), &[201, 413, 422]).await?;
        let path = format!("{CONFIGMAPS}/m");
        siege.check(what, Sent("PUT", &path, JSON, body), &[200, 413, 422]).await?;
        let config = br#"{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"c"},"metadata":{"name":"m"}}"#;
        for query in ["?fieldManager=x", "?fieldManager=x&force=true", "?fieldManager=kubectl"] {
            siege
                .check(what, Sent("PATCH", &format!("{path}{query}"), APPLY, config.to_vec()), &[200, 201, 409])
                .await?;
        }
        siege.check(what, Sent("PATCH", &path, MERGE, br#"{"data":{"a":"d"}}"#.to_vec()), &[200]).await?;
        siege
            .check(what, Sent("PUT", &path, JSON, br#"{"metadata":{"name":"m"},"data":{"a":"e"}}"#.to_vec()), &[200])
            .await?;
        siege.check(what, Sent("DELETE", &path, JSON, Vec::new()), &[200]).await?;
    }
    siege.end().await
}
