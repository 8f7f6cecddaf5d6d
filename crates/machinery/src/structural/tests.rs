//! Schemas against what a real kube-apiserver answered: what it refuses to
//! install, what it says of objects, what it stores of them. The tables stand in
//! `testdata`; each line is one question with its answer.

mod bounded;
mod laws;

use api::Cause;
use serde_json::{Map, Value, json};

use super::Schema;

pub(super) const AT: &str = "spec.validation.openAPIV3Schema";

/// An object of the kind that the tables are about.
fn object(fields: &Value) -> Map<String, Value> {
    let mut object = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}});
    let map = object.as_object_mut().expect("an object");
    map.extend(fields.as_object().expect("fields").clone());
    map.clone()
}

/// Go prints a float without a fraction as a whole number.
#[allow(clippy::cast_possible_truncation)]
fn as_go_prints(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, as_go_prints(value))).collect(),
        Value::Array(list) => list.into_iter().map(as_go_prints).collect(),
        Value::Number(number) if number.is_f64() => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => json!(float as i64),
            _ => Value::Number(number),
        },
        other => other,
    }
}

fn sorted(causes: &[Cause]) -> Vec<(String, String, String)> {
    let mut list: Vec<_> =
        causes.iter().map(|cause| (cause.field.clone(), cause.message.clone(), cause.reason.clone())).collect();
    list.sort();
    list
}

fn expected(causes: &Value) -> Vec<(String, String, String)> {
    let causes: Vec<Cause> = serde_json::from_value(causes.clone()).expect("causes");
    sorted(&causes)
}

/// Compares, and says all differences of a table at once.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare<T: std::fmt::Debug + PartialEq>(&mut self, what: &str, got: &T, expect: &T) {
        if got != expect {
            self.0.push(format!("{what}\n  got    {got:?}\n  expect {expect:?}"));
        }
    }

    fn none(self) {
        assert!(self.0.is_empty(), "{} differ:\n{}", self.0.len(), self.0.join("\n"));
    }
}

fn table(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("a table")
}

#[test]
fn schemas_are_refused_as_kubernetes_refuses_them() {
    let mut differences = Differences::default();
    for case in table(include_str!("testdata/install.json")) {
        let causes = Schema::compile(&case["schema"], AT).err().unwrap_or_default();
        differences.compare(&case["schema"].to_string(), &sorted(&causes), &expected(&case["causes"]));
    }
    differences.none();
}

#[test]
fn objects_are_judged_and_stored_as_kubernetes_does_it() {
    objects(include_str!("testdata/objects.json"));
}

/// Schemas and objects drawn at random.
#[test]
fn random_objects_are_judged_and_stored_as_kubernetes_does_it() {
    objects(include_str!("testdata/random.json"));
}

fn bad_request(cause: &Cause) -> Vec<Cause> {
    let why = "Thing in version \"v1\" cannot be handled as a Thing";
    let message = format!("{why}: {}: {}", cause.field, cause.message);
    vec![Cause { reason: String::new(), message, field: String::new() }]
}

fn objects(text: &str) {
    let mut differences = Differences::default();
    for table in table(text) {
        let schema = Schema::compile(&table["schema"], AT).expect("a valid schema");
        for case in table["objects"].as_array().expect("objects") {
            let mut object = object(&case["object"]);
            let malformed = schema.malformed(&object);
            let mut unknown = schema.prune(&mut object);
            unknown.sort_unstable();
            schema.default(&mut object);
            let causes = match malformed {
                Some(cause) => bad_request(&cause),
                None => schema.validate(&object, None),
            };
            let what = format!("{} under {}", case["object"], table["schema"]);
            differences.compare(&what, &sorted(&causes), &expected(&case["causes"]));
            let unknown_there: Vec<String> = serde_json::from_value(case["unknown"].clone()).expect("paths");
            differences.compare(&what, &unknown, &unknown_there);
            if let Some(stored) = case.get("stored") {
                for field in ["apiVersion", "kind", "metadata"] {
                    object.remove(field);
                }
                differences.compare(&what, &as_go_prints(Value::Object(object)), stored);
            }
        }
    }
    differences.none();
}

#[test]
fn what_was_invalid_may_stay_as_it_was() {
    pairs(include_str!("testdata/ratchet.json"));
}

#[test]
fn of_random_changes_only_what_changed_is_judged() {
    pairs(include_str!("testdata/random_changes.json"));
}

fn pairs(text: &str) {
    let mut differences = Differences::default();
    for table in table(text) {
        let schema = Schema::compile(&table["schema"], AT).expect("a valid schema");
        let admitted = |fields: &Value| {
            let mut object = object(fields);
            let malformed = schema.malformed(&object);
            schema.default(&mut object);
            schema.prune(&mut object);
            schema.default(&mut object);
            (object, malformed)
        };
        for case in table["pairs"].as_array().expect("pairs") {
            let (new, malformed) = admitted(&case["object"]);
            // What Kubernetes stored it printed before.
            let (old, _) = admitted(&as_go_prints(case["old"].clone()));
            let causes = match malformed {
                Some(cause) => bad_request(&cause),
                None => schema.validate(&new, Some(&old)),
            };
            let what = format!("{} for {} under {}", case["object"], case["old"], table["schema"]);
            differences.compare(&what, &sorted(&causes), &expected(&case["causes"]));
        }
    }
    differences.none();
}
