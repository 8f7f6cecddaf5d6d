//! What a simulated node says of itself, in the shape a kubelet gives it. What
//! the node's author has stated stays. Pure.

use serde_json::{Value, json};

/// The stage that is there without a Stage object; one of the same name replaces it.
pub(super) const INITIALIZE: &str = "node-initialize";

const VERSION: &str = "v1.36.0";
/// Conditions that hold when all is well, with reason and message, as a kubelet words them.
const CONDITIONS: [(&str, &str, &str, &str); 4] = [
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
];

/// The internal address of a node.
pub(super) fn address(node: &Value) -> Option<String> {
    let addresses = node["status"]["addresses"].as_array()?;
    let internal = addresses.iter().find(|held| held["type"] == "InternalIP")?;
    internal["address"].as_str().map(str::to_owned)
}

/// Whether it is not ready, or lacks what its pods need.
pub(super) fn is_incomplete(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    let is_ready = conditions.into_iter().flatten().any(|held| held["type"] == "Ready" && held["status"] == "True");
    !is_ready || address(node).is_none() || node["status"]["allocatable"].is_null()
}

/// The status that makes it whole, as a strategic merge patch.
pub(super) fn complete(node: &Value, address: &str, now: &str) -> Value {
    let held = &node["status"];
    let condition = |(kind, status, reason, message): &(&str, &str, &str, &str)| {
        let earlier = held["conditions"].as_array().into_iter().flatten().find(|held| held["type"] == **kind);
        let same = earlier.filter(|earlier| earlier["status"] == **status);
        let since = same.map_or_else(|| now.into(), |same| same["lastTransitionTime"].clone());
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": since,
        })
    };
    let mut status = json!({ "conditions": CONDITIONS.iter().map(condition).collect::<Vec<_>>() });
    if self::address(node).is_none() {
        status["addresses"] = json!([
            { "type": "InternalIP", "address": address },
            { "type": "Hostname", "address": node["metadata"]["name"] },
        ]);
    }
    // KWOK's sizes: a node that does not say how large it is holds whatever comes.
    let capacity = json!({ "cpu": "1k", "memory": "1Ti", "pods": "1M" });
    let stated = |field: &str| held[field].as_object().map(|_| held[field].clone());
    if held["capacity"].is_null() {
        status["capacity"] = stated("allocatable").unwrap_or_else(|| capacity.clone());
    }
    if held["allocatable"].is_null() {
        status["allocatable"] = stated("capacity").unwrap_or(capacity);
    }
    status["nodeInfo"] = json!({
        "architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": VERSION,
        "containerRuntimeVersion": "simulated://1", "kubeProxyVersion": "", "kernelVersion": "", "osImage": "simulated",
        "machineID": "", "systemUUID": "", "bootID": "",
    });
    for (field, value) in held["nodeInfo"].as_object().into_iter().flatten() {
        if value.as_str().is_some_and(|text| !text.is_empty()) {
            status["nodeInfo"][field] = value.clone();
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-01T01:00:00Z";

    #[test]
    fn a_bare_node_is_made_whole() {
        let bare = json!({ "metadata": { "name": "a" } });
        assert!(is_incomplete(&bare));
        let status = complete(&bare, "172.16.0.1", NOW);
        assert_eq!(status["capacity"], json!({ "cpu": "1k", "memory": "1Ti", "pods": "1M" }));
        assert_eq!(status["allocatable"], status["capacity"]);
        assert_eq!(status["addresses"][1], json!({ "type": "Hostname", "address": "a" }));
        assert_eq!(status["nodeInfo"]["kubeletVersion"], VERSION);
        let whole = json!({ "metadata": { "name": "a" }, "status": status });
        assert_eq!(address(&whole).as_deref(), Some("172.16.0.1"));
        assert!(!is_incomplete(&whole));
    }

    #[test]
    fn what_was_stated_stays() {
        let node = json!({ "metadata": { "name": "a" }, "status": {
            "addresses": [{ "type": "InternalIP", "address": "192.168.0.7" }],
            "allocatable": { "cpu": "4" },
            "nodeInfo": { "architecture": "arm64", "osImage": "" },
            "conditions": [
                { "type": "Ready", "status": "Unknown", "lastTransitionTime": "2026-01-01T00:00:00Z" },
                { "type": "DiskPressure", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z" },
            ],
        } });
        let status = complete(&node, "172.16.0.1", NOW);
        assert!(status["addresses"].is_null() && status["allocatable"].is_null());
        assert_eq!(status["capacity"], json!({ "cpu": "4" }));
        assert_eq!(status["nodeInfo"]["architecture"], "arm64");
        assert_eq!(status["nodeInfo"]["osImage"], "simulated");
        assert_eq!(status["conditions"][1]["lastTransitionTime"], "2026-01-01T00:00:00Z");
        assert_eq!(status["conditions"][3]["lastTransitionTime"], NOW);
    }
}
