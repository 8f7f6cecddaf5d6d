//! When jobs are to be deleted.

use api::ClusterName;
use client::{Object, View};
use serde_json::{Value, json};

use super::expires;
use crate::views::Job;

#[test]
fn a_job_is_kept_for_as_long_as_it_asks_after_its_end() {
    let check = |kept: Value, conditions: Value, expect: Option<&str>| {
        let job = json!({
            "metadata": { "name": "work" },
            "spec": { "ttlSecondsAfterFinished": kept },
            "status": { "conditions": conditions },
        });
        let object = Object::from_json(ClusterName::root(), job.to_string().into()).unwrap();
        let found = expires(&Job::read(&object).unwrap());
        assert_eq!(found.map(|time| time.to_string()).as_deref(), expect, "{job}");
    };
    let ended = |kind: &str, status: &str| json!([{ "type": kind, "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z" }]);
    check(json!(90), ended("Complete", "True"), Some("2026-01-01T00:01:30Z"));
    check(json!(0), ended("Failed", "True"), Some("2026-01-01T00:00:00Z"));
    check(Value::Null, ended("Complete", "True"), None);
    check(json!(90), ended("Complete", "False"), None);
    check(json!(90), ended("SuccessCriteriaMet", "True"), None);
    check(json!(90), json!([]), None);
}
