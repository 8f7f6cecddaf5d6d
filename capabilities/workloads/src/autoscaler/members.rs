//! The pods of a target as the algorithm sees them, read from pods. Pure.

use api::Status;
use client::Item;
use machinery::quantity::Quantity;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::replicas::Member;
use crate::views::Pod;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    spec: Spec,
    status: PodStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
    resources: Resources,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    restart_policy: String,
    resources: Resources,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    start_time: Option<jiff::Timestamp>,
}

impl Resources {
    fn request(&self, resource: &str) -> Option<i64> {
        self.requests.get(resource).and_then(Quantity::from_json).map(|quantity| quantity.milli_value())
    }
}

/// What a pod is to a metric of this resource, of one container or of all (empty).
pub(super) fn member(pod: &Item<Pod>, resource: &str, container: &str) -> Result<Member, Status> {
    let wire: Wire = pod.object.parse()?;
    let condition = pod.view.condition("Ready");
    let ready = condition.and_then(|held| Some((&*held.status != "False", held.last_transition_time?)));
    Ok(Member {
        name: pod.object.meta.name.clone(),
        phase: pod.view.status.phase,
        is_deleting: pod.object.meta.is_deleting(),
        ready,
        is_ready: pod.view.is_ready(),
        started: wire.status.start_time,
        request: request(&wire.spec, &pod.object.meta.name, resource, container),
    })
}

/// The sum of the requests of containers and sidecars; every one must state its own, unless the
/// pod does as a whole.
fn request(spec: &Spec, pod: &str, resource: &str, container: &str) -> Result<i64, String> {
    if resource.is_empty() {
        return Ok(0);
    }
    if let Some(whole) = spec.resources.request(resource).filter(|_| container.is_empty()) {
        return Ok(whole);
    }
    let sidecars = spec.init_containers.iter().filter(|init| init.restart_policy == "Always");
    let mut sum = 0_i64;
    for one in spec.containers.iter().chain(sidecars) {
        if !container.is_empty() && one.name != container {
            continue;
        }
        let stated = one.resources.request(resource);
        sum = sum.saturating_add(
            stated.ok_or_else(|| format!("missing request for {resource} in container {} of Pod {pod}", one.name))?,
        );
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_are_summed_where_all_are_stated() {
        let cpu = |amount: &str| json!({ "requests": { "cpu": amount } });
        let spec: Spec = serde_json::from_value(json!({
            "containers": [{ "name": "main", "resources": cpu("100m") }, { "name": "side", "resources": cpu("1") }],
            "initContainers": [
                { "name": "first", "resources": cpu("5") },
                { "name": "proxy", "restartPolicy": "Always", "resources": cpu("200m") },
            ],
        }))
        .unwrap();
        assert_eq!(request(&spec, "web", "cpu", ""), Ok(1300));
        assert_eq!(request(&spec, "web", "cpu", "side"), Ok(1000));
        assert_eq!(request(&spec, "web", "", ""), Ok(0));
        let why = "missing request for memory in container main of Pod web";
        assert_eq!(request(&spec, "web", "memory", ""), Err(why.to_owned()));
        let whole: Spec = serde_json::from_value(json!({
            "containers": [{ "name": "main" }], "resources": cpu("2"),
        }))
        .unwrap();
        assert_eq!(request(&whole, "web", "cpu", ""), Ok(2000));
        assert!(request(&whole, "web", "cpu", "main").is_err());
    }
}
