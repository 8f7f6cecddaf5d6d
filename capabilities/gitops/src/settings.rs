//! Settings of the capability, from the `Platform` object. Every field has its
//! default here.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// What can be set.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Namespace of the Applications of the platform itself.
    pub namespace: String,
    /// Namespaces, patterns, whose Applications are served beside it.
    pub application_namespaces: Vec<String>,
    /// Seconds after which a repository of another server is looked at again.
    pub refresh_secs: u64,
    /// Applications that are worked on at once.
    pub workers: usize,
    /// A child Application is as well as it says. Argo CD has no such rule built in.
    pub application_health: bool,
    /// Each object's health is written into its Application's status.
    pub resource_health: bool,
    /// The administrator's password is `developer` instead of a random one.
    pub dev_password: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            namespace: "argocd".into(),
            application_namespaces: vec!["argocd".into()],
            refresh_secs: 180,
            workers: 8,
            application_health: false,
            resource_health: true,
            dev_password: false,
        }
    }
}

impl Settings {
    /// Reads settings; nothing stated is the default. The error is one sentence.
    pub fn read(value: &Value) -> Result<Self, String> {
        if value.is_null() {
            return Ok(Settings::default());
        }
        serde_json::from_value(value.clone()).map_err(|error| format!("the settings of gitops cannot be read: {error}"))
    }

    /// Whether Applications of a namespace are served.
    pub fn serves(&self, namespace: &str) -> bool {
        namespace == self.namespace
            || self.application_namespaces.iter().any(|pattern| crate::project::matches(pattern, namespace, None))
    }

    /// Time after which a repository of another server is looked at again.
    pub fn refresh(&self) -> Duration {
        Duration::from_secs(self.refresh_secs.max(1))
    }
}
