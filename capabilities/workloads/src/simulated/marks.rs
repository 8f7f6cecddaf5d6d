//! The annotations and labels by which the author of a pod or node says what is
//! to be simulated. This file is their documentation. Pure.
//!
//! | mark | means |
//! | --- | --- |
//! | annotation `kwok.x-k8s.io/node: fake` of a node | it is simulated |
//! | annotation `simulated.coracle.dev/starts-after: 3s` | the pod stays `Pending` so long once it is bound |
//! | annotation `simulated.coracle.dev/ready: "false"` | the pod runs and is never ready |
//! | annotation `simulated.coracle.dev/image-pull: fail` | its images cannot be pulled |
//! | annotation `simulated.coracle.dev/exit-code: "1"` | its containers end so, and start again if its restart policy says it: a crash loop |
//! | annotation `simulated.coracle.dev/runs-for: 5s` | they run so long before they end (with exit code 0 if none is stated) |
//! | annotation `pod-complete.stage.kwok.x-k8s.io/delay: 5s` | the same, for pods of Jobs, as in KWOK |
//! | annotation `pod-delete.stage.kwok.x-k8s.io/delay: 5s` | a deleted pod takes so long to end, its grace period at most |
//! | label `pod-container-running-failed.stage.kwok.x-k8s.io: "true"` | the pod fails for good a second after it started, as in KWOK; annotations of the same name with `/delay`, `/reason`, `/message`, `/exit-code` and `/container-name` say when and how |
//!
//! Containers of a Job's pod end at once with exit code 0 if nothing else is stated.

use std::time::Duration;

use api::ObjectMeta;

use super::duration;

/// The annotation of a node that is simulated.
pub(super) const NODE: (&str, &str) = ("kwok.x-k8s.io/node", "fake");

const FAILING: &str = "pod-container-running-failed.stage.kwok.x-k8s.io";
const OWN: &str = "simulated.coracle.dev/";

/// Whether a node is simulated.
pub(crate) fn is_simulated(node: &ObjectMeta) -> bool {
    node.annotations.get(NODE.0).is_some_and(|value| value == NODE.1)
}

/// What the author of a pod wants of its simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wishes {
    pub(super) starts_after: Duration,
    pub(super) is_never_ready: bool,
    pub(super) pull_fails: bool,
    /// How the containers end, and after what time; `None` if they run on.
    pub(super) end: Option<End>,
    pub(super) deletes_after: Duration,
    pub(super) failing: Option<Failing>,
}

/// How containers end by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) exit_code: i32,
    pub(super) after: Duration,
}

/// A failure for good, as KWOK's stage `pod-container-running-failed` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failing {
    pub(super) after: Duration,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) exit_code: i32,
    /// The container that fails; empty for all.
    pub(super) container: String,
}

/// Whether a pod bears marks at all.
pub(super) fn has_wishes(pod: &ObjectMeta) -> bool {
    pod.labels.contains_key(FAILING)
        || pod.annotations.keys().any(|key| key.starts_with(OWN) || key.contains(".stage.kwok.x-k8s.io/"))
}

/// Whether a pod is to run to its end.
pub(super) fn is_of_job(pod: &ObjectMeta) -> bool {
    pod.owner_references.iter().any(|owner| owner.kind == "Job")
}

/// Reads the marks of a pod. What is no duration or number counts as not stated.
pub(super) fn wishes(pod: &ObjectMeta) -> Wishes {
    let stated = |key: &str| pod.annotations.get(key).map(String::as_str);
    let own = |key: &str| stated(&format!("{OWN}{key}"));
    let time = |text: Option<&str>| text.and_then(duration::parse);
    let runs_for = time(own("runs-for")).or_else(|| time(stated("pod-complete.stage.kwok.x-k8s.io/delay")));
    let exit_code = own("exit-code").and_then(|code| code.parse().ok());
    let ends = exit_code.is_some() || own("runs-for").is_some() || is_of_job(pod);
    let failing = pod.labels.get(FAILING).is_some_and(|value| value == "true");
    let failing = failing.then(|| {
        let of = |key: &str| stated(&format!("{FAILING}/{key}"));
        Failing {
            after: time(of("delay")).unwrap_or(Duration::from_secs(1)),
            reason: of("reason").unwrap_or("containerFailed").to_owned(),
            message: of("message").unwrap_or("container failed").to_owned(),
            exit_code: of("exit-code").and_then(|code| code.parse().ok()).unwrap_or(1),
            container: of("container-name").unwrap_or_default().to_owned(),
        }
    });
    Wishes {
        starts_after: time(own("starts-after")).unwrap_or_default(),
        is_never_ready: own("ready") == Some("false"),
        pull_fails: own("image-pull") == Some("fail"),
        end: ends.then(|| End { exit_code: exit_code.unwrap_or(0), after: runs_for.unwrap_or_default() }),
        deletes_after: time(stated("pod-delete.stage.kwok.x-k8s.io/delay")).unwrap_or_default(),
        failing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(metadata: Value) -> Wishes {
        wishes(&serde_json::from_value(metadata).unwrap())
    }

    #[test]
    fn marks_say_what_is_simulated() {
        let secs = Duration::from_secs;
        let plain = Wishes::default();
        let cases = [
            (json!({}), plain.clone()),
            (json!({ "simulated.coracle.dev/starts-after": "3s" }), Wishes { starts_after: secs(3), ..plain.clone() }),
            (json!({ "simulated.coracle.dev/starts-after": "soon" }), plain.clone()),
            (json!({ "simulated.coracle.dev/ready": "false" }), Wishes { is_never_ready: true, ..plain.clone() }),
            (json!({ "simulated.coracle.dev/image-pull": "fail" }), Wishes { pull_fails: true, ..plain.clone() }),
            (
                json!({ "simulated.coracle.dev/exit-code": "3" }),
                Wishes { end: Some(End { exit_code: 3, after: secs(0) }), ..plain.clone() },
            ),
            (
                json!({ "simulated.coracle.dev/runs-for": "2s" }),
                Wishes { end: Some(End { exit_code: 0, after: secs(2) }), ..plain.clone() },
            ),
            // Only pods of Jobs end by KWOK's annotation.
            (json!({ "pod-complete.stage.kwok.x-k8s.io/delay": "2s" }), plain.clone()),
            (json!({ "pod-delete.stage.kwok.x-k8s.io/delay": "2s" }), Wishes { deletes_after: secs(2), ..plain }),
        ];
        for (annotations, expect) in cases {
            assert_eq!(read(json!({ "annotations": annotations })), expect, "{annotations}");
        }
    }

    #[test]
    fn pods_of_jobs_end_by_themselves() {
        let owners = json!([{ "apiVersion": "batch/v1", "kind": "Job", "name": "a", "uid": "a" }]);
        let end = read(json!({ "ownerReferences": owners })).end;
        assert_eq!(end, Some(End { exit_code: 0, after: Duration::ZERO }));
        let annotations = json!({ "pod-complete.stage.kwok.x-k8s.io/delay": "2s" });
        let end = read(json!({ "ownerReferences": owners, "annotations": annotations })).end;
        assert_eq!(end, Some(End { exit_code: 0, after: Duration::from_secs(2) }));
    }

    #[test]
    fn kwoks_failure_has_kwoks_defaults() {
        let labels = json!({ FAILING: "true" });
        let failing = read(json!({ "labels": labels })).failing.unwrap();
        assert_eq!((failing.after, failing.exit_code), (Duration::from_secs(1), 1));
        assert_eq!((&*failing.reason, &*failing.message), ("containerFailed", "container failed"));
        let annotations = json!({ format!("{FAILING}/exit-code"): "9", format!("{FAILING}/delay"): "5s" });
        let failing = read(json!({ "labels": labels, "annotations": annotations })).failing.unwrap();
        assert_eq!((failing.after, failing.exit_code), (Duration::from_secs(5), 9));
        assert_eq!(read(json!({ "labels": { FAILING: "false" } })).failing, None);
    }
}
