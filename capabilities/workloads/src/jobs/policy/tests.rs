//! Tables of what failures mean and of what is enough.

use serde_json::{Value, json};

use super::super::indexes::Indexes;
use super::super::samples::{job, pod};
use super::{Meaning, meaning, success};

fn with_rules(rules: &Value) -> crate::views::Job {
    job(&json!({ "podFailurePolicy": { "rules": rules } }), &json!({}))
}

#[test]
fn the_first_rule_that_matches_decides() {
    let check = |rules: Value, words: &str, expect: &Meaning| {
        assert_eq!(meaning(&with_rules(&rules), &pod("a", words)), *expect, "{rules} {words}");
    };
    let codes = |action: &str, operator: &str, values: &[i64]| json!({ "action": action, "onExitCodes": { "operator": operator, "values": values } });
    check(json!([]), "Failed exit1", &Meaning::Counts);
    check(json!([codes("Ignore", "In", &[2, 3])]), "Failed exit3", &Meaning::Ignored);
    check(json!([codes("Ignore", "In", &[2, 3])]), "Failed exit1", &Meaning::Counts);
    check(json!([codes("Ignore", "NotIn", &[2, 3])]), "Failed exit1", &Meaning::Ignored);
    check(json!([codes("Ignore", "NotIn", &[2, 3])]), "Failed exit2", &Meaning::Counts);
    // Neither a container that still runs nor one that ended well has failed.
    check(json!([codes("Ignore", "NotIn", &[2])]), "Failed", &Meaning::Counts);
    check(json!([codes("Ignore", "NotIn", &[2])]), "Failed exit0", &Meaning::Counts);
    // What is not known says nothing, and the next rule is asked.
    check(json!([codes("Ignore", "Near", &[1])]), "Failed exit1", &Meaning::Counts);
    check(json!([codes("Forget", "In", &[1]), codes("Ignore", "In", &[1])]), "Failed exit1", &Meaning::Ignored);
    check(json!([codes("FailIndex", "In", &[4])]), "Failed exit4", &Meaning::FailsIndex);
    let both = json!([codes("Count", "In", &[4]), codes("Ignore", "In", &[4])]);
    check(both, "Failed exit4", &Meaning::Counts);
    let disrupted = json!([{ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget" }] }]);
    check(disrupted.clone(), "Failed disrupted", &Meaning::Ignored);
    check(disrupted, "Failed", &Meaning::Counts);
    let calm = json!([{ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "False" }] }]);
    check(calm, "Failed disrupted", &Meaning::Counts);
    let elsewhere = json!([{
        "action": "Ignore", "onExitCodes": { "containerName": "other", "operator": "In", "values": [4] },
    }]);
    check(elsewhere, "Failed exit4", &Meaning::Counts);
}

#[test]
fn a_failure_of_the_whole_job_says_why() {
    let check = |rules: Value, words: &str, expect: &str| {
        assert_eq!(meaning(&with_rules(&rules), &pod("a", words)), Meaning::FailsJob(expect.into()));
    };
    let codes = json!({ "action": "FailJob", "onExitCodes": { "operator": "In", "values": [42] } });
    let skipped = json!({ "action": "Ignore", "onExitCodes": { "operator": "In", "values": [1] } });
    let expect = "Container main for pod default/a failed with exit code 42 matching FailJob rule at index 1";
    check(json!([skipped, codes]), "Failed exit42", expect);
    let condition = json!({ "action": "FailJob", "onPodConditions": [{ "type": "DisruptionTarget" }] });
    let expect = "Pod default/a has condition DisruptionTarget matching FailJob rule at index 0";
    check(json!([condition]), "Failed disrupted", expect);
}

#[test]
fn enough_is_what_a_rule_says() {
    let check = |rules: Value, succeeded: &str, expect: Option<usize>| {
        let job = job(&json!({ "successPolicy": { "rules": rules } }), &json!({}));
        let found = success(job.spec.success_policy.as_ref(), 10, &Indexes::parse(succeeded, 10));
        assert_eq!(found, expect, "{rules} {succeeded}");
    };
    let indexes = |text: &str| json!({ "succeededIndexes": text });
    check(json!([indexes("0-2")]), "0,1", None);
    check(json!([indexes("0-2")]), "0-3", Some(0));
    check(json!([indexes("9"), indexes("0")]), "0", Some(1));
    check(json!([{ "succeededCount": 2 }]), "5", None);
    check(json!([{ "succeededCount": 2 }]), "5,7", Some(0));
    let some = json!({ "succeededIndexes": "0-4", "succeededCount": 2 });
    check(json!([some]), "3,7,8", None);
    check(json!([some]), "3,4,8", Some(0));
    // Nothing is never enough, and nor are indexes that the job does not have.
    check(json!([{ "succeededCount": 0 }]), "", None);
    check(json!([indexes("12-14")]), "0-9", None);
}
