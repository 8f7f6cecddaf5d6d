//! Settings of the capability, from the `Platform` object. Every field has its
//! default here.

use serde::Deserialize;
use serde_json::Value;

/// What can be set.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    /// Simulated nodes that are there from the start.
    pub(crate) simulated_nodes: u32,
    /// For how long a node may be silent before nobody vouches for it.
    #[serde(rename = "nodeMonitorGracePeriodSeconds")]
    pub(crate) node_grace_secs: u32,
    /// Pods that have ended of which so many are kept in a cluster; 0 for all.
    pub(crate) terminated_pod_gc_threshold: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { simulated_nodes: 0, node_grace_secs: 50, terminated_pod_gc_threshold: 12_500 }
    }
}

/// Nodes at most: beyond it, somebody has mistyped.
const MOST_NODES: u32 = 5_000;

impl Settings {
    /// Reads settings; nothing stated is the default. The error is one sentence.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        if value.is_null() {
            return Ok(Settings::default());
        }
        let settings: Settings = serde_json::from_value(value.clone())
            .map_err(|error| format!("the settings of workloads cannot be read: {error}"))?;
        if settings.simulated_nodes > MOST_NODES {
            return Err(format!("workloads.simulatedNodes is more than {MOST_NODES}"));
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use serde_json::{Value, json};

    #[test]
    fn settings_are_read_and_bounded() {
        let nodes = |value: &Value| Settings::read(value).map(|settings| settings.simulated_nodes);
        assert_eq!(nodes(&Value::Null), Ok(0));
        assert_eq!(nodes(&json!({ "simulatedNodes": 50 })), Ok(50));
        assert!(nodes(&json!({ "simulatedNodes": "many" })).unwrap_err().contains("cannot be read"));
        assert!(nodes(&json!({ "simulatedNodes": 50_000 })).unwrap_err().contains("more than 5000"));
    }
}
