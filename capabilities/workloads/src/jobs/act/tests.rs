//! The pods of a job.

use api::Gvk;
use serde_json::{Value, json};

use super::super::decide::NewPod;
use super::body;

fn made(name: &str, template: &Value, new: &NewPod) -> Value {
    let meta = serde_json::from_value(json!({ "name": name, "namespace": "default", "uid": "job" })).unwrap();
    body(template, &Gvk::new("batch", "v1", "Job"), &meta, new)
}

#[test]
fn a_pod_waits_to_be_counted_and_knows_its_index() {
    let template = json!({
        "metadata": { "labels": { "a": "b" }, "finalizers": ["example.com/mine"] },
        "spec": {
            "initContainers": [{ "name": "first", "env": [{ "name": "JOB_COMPLETION_INDEX", "value": "own" }] }],
            "containers": [{ "name": "main", "env": [{ "name": "A", "value": "b" }] }],
        },
    });
    let plain = made("work", &template, &NewPod::default());
    assert_eq!(plain["metadata"]["generateName"], "work-");
    assert_eq!(plain["metadata"]["finalizers"], json!(["example.com/mine", "batch.kubernetes.io/job-tracking"]));
    assert_eq!(plain["spec"], template["spec"]);
    assert_eq!(plain["metadata"]["annotations"], Value::Null);

    let third = made("work", &template, &NewPod { index: Some(3), failures: Some((2, 1)) });
    assert_eq!(third["metadata"]["generateName"], "work-3-");
    assert_eq!(third["metadata"]["labels"], json!({ "a": "b", "batch.kubernetes.io/job-completion-index": "3" }));
    let annotations = json!({
        "batch.kubernetes.io/job-completion-index": "3",
        "batch.kubernetes.io/job-index-failure-count": "2",
        "batch.kubernetes.io/job-index-ignored-failure-count": "1",
    });
    assert_eq!(third["metadata"]["annotations"], annotations);
    assert_eq!(third["spec"]["hostname"], "work-3");
    assert_eq!(third["spec"]["initContainers"], template["spec"]["initContainers"]);
    let path = "metadata.labels['batch.kubernetes.io/job-completion-index']";
    let told = json!({ "name": "JOB_COMPLETION_INDEX", "valueFrom": { "fieldRef": { "fieldPath": path } } });
    assert_eq!(third["spec"]["containers"][0]["env"], json!([{ "name": "A", "value": "b" }, told]));

    let first = made("work", &template, &NewPod { index: Some(0), failures: Some((0, 0)) });
    assert_eq!(first["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"], "0");
    assert_eq!(first["metadata"]["annotations"]["batch.kubernetes.io/job-index-ignored-failure-count"], Value::Null);
}

#[test]
fn long_names_leave_room_for_the_index() {
    let long = "x".repeat(63);
    let name = |index: usize| {
        let pod = made(&long, &json!({ "spec": {} }), &NewPod { index: Some(index), failures: None });
        pod["metadata"]["generateName"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(7), format!("{}-7-", "x".repeat(55)));
    assert_eq!(name(12345), format!("{}-12345-", "x".repeat(51)));
}
