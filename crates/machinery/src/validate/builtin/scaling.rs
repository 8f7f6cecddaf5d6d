//! Rules for `HorizontalPodAutoscaler` and `PodDisruptionBudget`.

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{at, count_or_percent, number, objects, text};
use super::{Object, selectors};

/// Checks a `HorizontalPodAutoscaler` of either version.
pub(super) fn autoscaler(object: &Object, found: &mut Findings) {
    let (min, max) = (number(object, "spec.minReplicas"), number(object, "spec.maxReplicas"));
    let has_min = at(object, "spec.minReplicas").is_some();
    if has_min && min < 1 {
        found.invalid("spec.minReplicas", &json!(min), "must be greater than or equal to 1");
        if min == 0 {
            let why = "must specify at least one Object or External metric to support scaling to zero replicas";
            found.forbidden("spec.metrics", why);
        }
    }
    if max < 1 {
        found.required("spec.maxReplicas", "must be set and greater than 0");
    }
    if has_min && max < min {
        found.invalid("spec.maxReplicas", &json!(max), "must be greater than or equal to `minReplicas`");
    }
    for name in ["kind", "name"] {
        let field = format!("spec.scaleTargetRef.{name}");
        if text(object, &field).is_empty() {
            found.required(&field, "");
        }
    }
    if text(object, "spec.scaleTargetRef.apiVersion").is_empty() {
        let why = "apiVersion must specify API group";
        found.invalid("spec.scaleTargetRef.apiVersion", &json!(""), why);
    }
    let sources = ["ContainerResource", "External", "Object", "Pods", "Resource"];
    for (index, metric) in objects(object, "spec.metrics") {
        found.one_of(&format!("spec.metrics[{index}].type"), at(metric, "type"), &sources);
    }
}

/// Checks a `PodDisruptionBudget`.
pub(super) fn disruption_budget(object: &Object, found: &mut Findings) {
    let stated = ["spec.minAvailable", "spec.maxUnavailable"];
    if stated.iter().all(|field| at(object, field).is_some()) {
        let shown = at(object, "spec").unwrap_or(&Value::Null);
        found.invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set");
    }
    for field in stated {
        let percent = count_or_percent(field, at(object, field), found);
        if let Some(held) = at(object, field).filter(|held| held.is_string() && percent.is_some_and(|all| all > 100)) {
            found.invalid(field, held, "must not be greater than 100%");
        }
    }
    selectors::check("spec.selector", at(object, "spec.selector"), found);
    let policies = ["AlwaysAllow", "IfHealthyBudget"];
    found.one_of("spec.unhealthyPodEvictionPolicy", at(object, "spec.unhealthyPodEvictionPolicy"), &policies);
}
