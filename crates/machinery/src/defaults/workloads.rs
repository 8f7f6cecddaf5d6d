//! Conditional defaults of the kinds that make pods, and of their scaling. Nothing here
//! looks into pod templates beyond their labels.

use serde_json::{Value, json};

use super::place::{child, held, is_set, set, set_empty, text};
use super::{Fields, Rule};

/// The rule of a type, if it has one.
pub(super) fn rule(type_name: &str) -> Option<Rule> {
    Some(match type_name {
        "apps.v1.DaemonSet" => daemon_set,
        "apps.v1.Deployment" => deployment,
        "apps.v1.StatefulSet" => stateful_set,
        "apps.v1.StatefulSetSpec" => stateful_set_spec,
        "autoscaling.v1.HorizontalPodAutoscaler" => older_autoscaler,
        "autoscaling.v2.HorizontalPodAutoscaler" => autoscaler,
        "batch.v1.Job" => job,
        "core.v1.ReplicationController" => replication_controller,
        _ => return None,
    })
}

fn deployment(object: &mut Fields) {
    let Some(spec) = child(object, "spec") else { return };
    set(spec, "replicas", 1);
    set(spec, "revisionHistoryLimit", 10);
    set(spec, "progressDeadlineSeconds", 600);
    roll(spec, "strategy", json!("25%"), json!("25%"));
}

fn daemon_set(object: &mut Fields) {
    let Some(spec) = child(object, "spec") else { return };
    set(spec, "revisionHistoryLimit", 10);
    roll(spec, "updateStrategy", json!(1), json!(0));
}

fn roll(spec: &mut Fields, field: &str, unavailable: Value, surge: Value) {
    let Some(strategy) = child(spec, field) else { return };
    set_empty(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate"
        && let Some(rolling) = child(strategy, "rollingUpdate")
    {
        set(rolling, "maxUnavailable", unavailable);
        set(rolling, "maxSurge", surge);
    }
}

fn stateful_set(object: &mut Fields) {
    let Some(spec) = child(object, "spec") else { return };
    set_empty(spec, "podManagementPolicy", "OrderedReady");
    set(spec, "replicas", 1);
    set(spec, "revisionHistoryLimit", 10);
    if let Some(strategy) = child(spec, "updateStrategy") {
        if text(strategy, "type").is_empty() {
            strategy.insert("type".into(), json!("RollingUpdate"));
            set(strategy, "rollingUpdate", json!({}));
        }
        if text(strategy, "type") == "RollingUpdate"
            && let Some(rolling) = held(strategy, "rollingUpdate")
        {
            set(rolling, "partition", 0);
        }
    }
    if let Some(retention) = child(spec, "persistentVolumeClaimRetentionPolicy") {
        set_empty(retention, "whenDeleted", "Retain");
        set_empty(retention, "whenScaled", "Retain");
    }
}

/// A claim's template is served as the object that it is.
fn stateful_set_spec(spec: &mut Fields) {
    for template in super::place::items(spec, "volumeClaimTemplates") {
        template.insert("apiVersion".into(), json!("v1"));
        template.insert("kind".into(), json!("PersistentVolumeClaim"));
    }
}

fn job(object: &mut Fields) {
    let labels = template_labels(object);
    let Some(spec) = child(object, "spec") else { return };
    if !is_set(spec, "completions") && !is_set(spec, "parallelism") {
        spec.insert("completions".into(), json!(1));
    }
    set(spec, "parallelism", 1);
    let retries = if is_set(spec, "backoffLimitPerIndex") { i32::MAX } else { 6 };
    set(spec, "backoffLimit", retries);
    set(spec, "completionMode", "NonIndexed");
    set(spec, "suspend", false);
    let replaced = if is_set(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    set(spec, "podReplacementPolicy", replaced);
    set(spec, "manualSelector", false);
    label(object, labels);
}

fn replication_controller(object: &mut Fields) {
    let labels = template_labels(object);
    if let (Some(labels), Some(spec)) = (&labels, child(object, "spec")) {
        set_empty(spec, "selector", labels.clone());
    }
    label(object, labels);
}

fn template_labels(object: &Fields) -> Option<Value> {
    let labels = object.get("spec")?.get("template")?.get("metadata")?.get("labels")?;
    labels.as_object().filter(|labels| !labels.is_empty()).map(|labels| labels.clone().into())
}

/// An object without labels takes those of its template.
fn label(object: &mut Fields, labels: Option<Value>) {
    if let (Some(labels), Some(meta)) = (labels, child(object, "metadata")) {
        set_empty(meta, "labels", labels);
    }
}

/// The older version states metrics that it does not know in an annotation.
fn older_autoscaler(object: &mut Fields) {
    const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
    let annotations = object.get("metadata").and_then(|meta| meta.get("annotations"));
    let has_metrics = annotations.and_then(|annotations| annotations.get(METRICS)).is_some();
    if !has_metrics && let Some(spec) = child(object, "spec") {
        set(spec, "targetCPUUtilizationPercentage", 80);
    }
}

fn autoscaler(object: &mut Fields) {
    let Some(spec) = child(object, "spec") else { return };
    let cpu = json!([{
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }]);
    set_empty(spec, "metrics", cpu);
    let Some(behavior) = held(spec, "behavior") else { return };
    if let Some(up) = child(behavior, "scaleUp") {
        set(up, "stabilizationWindowSeconds", 0);
        set(up, "selectPolicy", "Max");
        let policies = json!([
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ]);
        set_empty(up, "policies", policies);
    }
    if let Some(down) = child(behavior, "scaleDown") {
        set(down, "selectPolicy", "Max");
        set_empty(down, "policies", json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]));
    }
}
