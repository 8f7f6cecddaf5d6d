//! What the owner of the platform may set about git, read from the `Platform`
//! object. Nothing here has an effect by itself.

use base::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

/// Settings of the capability.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// The administrator's password is `developer` instead of random.
    pub dev_password: bool,
    /// Largest push, in bytes.
    pub max_push_bytes: u64,
    /// Largest file that is read out of a tree, in bytes.
    pub max_file_bytes: u64,
    /// Largest tree that is read at once, in bytes.
    pub max_tree_bytes: u64,
    /// Most files that are read at once.
    pub max_tree_files: usize,
    /// Clones, fetches and pushes that run at the same time.
    pub max_operations: usize,
    /// How long a client may wait for its turn before it is sent away, in seconds.
    pub queue_timeout_secs: u64,
    /// How long a clone or push may stand still, in seconds.
    pub idle_timeout_secs: u64,
    /// How long a clone or push may take, in seconds.
    pub operation_timeout_secs: u64,
    /// How long one call of an external server may take, in seconds.
    pub external_timeout_secs: u64,
    /// For how long an answer of an external server about its refs is believed, in milliseconds.
    pub external_refs_millis: u64,
    /// Calls of external servers that run at the same time.
    pub max_external: usize,
    /// Whether `file://` URLs are fetched from. For tests only.
    pub allow_file: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            dev_password: false,
            max_push_bytes: 512 << 20,
            max_file_bytes: 10 << 20,
            max_tree_bytes: 64 << 20,
            max_tree_files: 20_000,
            max_operations: 32,
            queue_timeout_secs: 10,
            idle_timeout_secs: 120,
            operation_timeout_secs: 3600,
            external_timeout_secs: 27,
            external_refs_millis: 3000,
            max_external: 8,
            allow_file: false,
        }
    }
}

impl Settings {
    /// Reads the settings; `Null` means all defaults.
    pub fn read(value: &Value) -> Result<Self, Diagnostic> {
        if value.is_null() {
            return Ok(Settings::default());
        }
        Settings::deserialize(value).map_err(|error| {
            Diagnostic::new("git-settings", "the settings of the git capability cannot be read")
                .detail(error)
                .hint("Correct spec.capabilities.git.settings of the Platform object.")
        })
    }
}
