//! The one kind of this capability, `Repository`: its definition for the API
//! server and its shape for us. It does nothing with it.

use api::{Gvk, Gvr};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// CustomResourceDefinitions of this capability.
pub const MANIFESTS: &[&str] = &[include_str!("kinds/repository.yaml")];
/// Group of the kind.
pub const GROUP: &str = "coracle.dev";
/// Version of the kind.
pub const VERSION: &str = "v1alpha1";
/// Namespace of what this capability creates itself.
pub const NAMESPACE: &str = "gitea";
/// Login of the administrator, who owns what names no owner.
pub const ADMINISTRATOR: &str = "giteaAdmin";
/// Holds an object back until its repository is removed.
pub const FINALIZER: &str = "git.coracle.dev/repository";
/// Field manager of what this capability writes.
pub const MANAGER: &str = "git";

/// The kind.
pub fn repository_gvk() -> Gvk {
    Gvk::new(GROUP, VERSION, "Repository")
}

/// The resource.
pub fn repositories() -> Gvr {
    Gvr::new(GROUP, VERSION, "repositories")
}

/// Secrets, which hold credentials and accounts.
pub fn secrets() -> Gvr {
    Gvr::new("", "v1", "secrets")
}

/// Namespaces.
pub fn namespaces() -> Gvr {
    Gvr::new("", "v1", "namespaces")
}

/// A `Repository` as far as this capability reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Repository {
    /// What is wanted.
    pub spec: Spec,
    /// What was found.
    pub status: Status,
}

/// What is wanted of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// User or organisation; empty means the administrator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Name; empty means the object's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// One line about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether only authenticated users may read it.
    pub private: bool,
    /// Default branch; empty leaves it as it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub default_branch: String,
}

/// What was found of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Where to clone it from.
    #[serde(rename = "cloneURL", skip_serializing_if = "String::is_empty")]
    pub clone_url: String,
    /// The default branch.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub head: String,
    /// The commit of the default branch.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Branches and their commits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Branch>,
    /// How many branches there are beyond those listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_branches: usize,
    /// When a ref last moved.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last_push: String,
    /// Generation that this was found for.
    pub observed_generation: i64,
    /// Whether it can be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Value>,
}

/// A branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branch {
    /// Name.
    pub name: String,
    /// Commit.
    pub commit: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
