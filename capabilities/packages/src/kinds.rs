//! The kinds of this capability as CNOE's builder has them, with conditions added.
//! Plain data: only the fields the controllers read or write.

use api::{ClusterName, Gvr, ObjectMeta};
use client::Target;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// API group of all three kinds.
pub const GROUP: &str = "idpbuilder.cnoe.io";
/// Their `apiVersion`.
pub const API_VERSION: &str = "idpbuilder.cnoe.io/v1alpha1";

/// The CustomResourceDefinitions.
pub const CRDS: &[&str] = &[
    include_str!("../kinds/localbuild.yaml"),
    include_str!("../kinds/gitrepository.yaml"),
    include_str!("../kinds/custompackage.yaml"),
];

/// Resource of Localbuild.
pub fn localbuilds() -> Gvr {
    Gvr::new(GROUP, "v1alpha1", "localbuilds")
}

/// Resource of GitRepository.
pub fn git_repositories() -> Gvr {
    Gvr::new(GROUP, "v1alpha1", "gitrepositories")
}

/// Resource of CustomPackage.
pub fn custom_packages() -> Gvr {
    Gvr::new(GROUP, "v1alpha1", "custompackages")
}

/// Resource of Application or ApplicationSet, by kind.
pub fn applications(kind: &str) -> Gvr {
    let plural = if kind == "ApplicationSet" { "applicationsets" } else { "applications" };
    Gvr::new("argoproj.io", "v1alpha1", plural)
}

/// Where an object of a kind stands.
pub fn target(cluster: &ClusterName, gvr: &Gvr, namespace: &str) -> Target {
    if namespace.is_empty() { Target::cluster(cluster, gvr) } else { Target::namespaced(cluster, gvr, namespace) }
}

/// One platform's packages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Localbuild {
    /// Metadata.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: LocalbuildSpec,
    /// What is.
    pub status: LocalbuildStatus,
}

/// What a Localbuild wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalbuildSpec {
    /// Packages.
    pub package_configs: PackageConfigs,
    /// How the platform is reached.
    pub build_customization: BuildCustomization,
}

/// The packages of a Localbuild.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PackageConfigs {
    /// Kept for compatibility; always true.
    pub argo_package_configs: Enabled,
    /// Kept for compatibility; always true.
    pub embedded_argo_applications_package_configs: Enabled,
    /// Files.
    pub custom_package_files: Vec<String>,
    /// Directories.
    pub custom_package_dirs: Vec<String>,
    /// Addresses.
    pub custom_package_urls: Vec<String>,
    /// All of the above in the order of the command line, which decides between
    /// packages that bring the same Application. Without it: directories, files, addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_package_order: Vec<String>,
}

impl PackageConfigs {
    /// Every package once, in the order that decides their priority.
    pub fn in_order(&self) -> Vec<String> {
        let by_class =
            || self.custom_package_dirs.iter().chain(&self.custom_package_files).chain(&self.custom_package_urls);
        let mut ordered: Vec<String> = Vec::new();
        let listed = self.custom_package_order.iter().filter(|wanted| by_class().any(|named| named == *wanted));
        let (listed, rest): (Vec<&String>, Vec<&String>) =
            (listed.collect(), by_class().filter(|named| !self.custom_package_order.contains(named)).collect());
        for package in rest.into_iter().chain(listed) {
            // The last mention counts, as it does on the command line.
            ordered.retain(|earlier| earlier != package);
            ordered.push(package.clone());
        }
        ordered
    }
}

/// A switch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Enabled {
    /// Whether it is on.
    pub enabled: bool,
}

/// How a platform is reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BuildCustomization {
    /// `https` or `http`.
    pub protocol: String,
    /// Base host.
    pub host: String,
    /// Host in Ingress rules.
    pub ingress_host: String,
    /// Port.
    pub port: String,
    /// One host with paths.
    pub use_path_routing: bool,
    /// Certificate of the authority, PEM.
    pub self_signed_cert: String,
    /// Whether passwords are `developer`.
    pub static_password: bool,
}

/// What a Localbuild is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalbuildStatus {
    /// Generation this status is of.
    pub observed_generation: i64,
    /// The GitOps engine.
    #[serde(rename = "ArgoCD")]
    pub argo_cd: Available,
    /// The git server.
    pub gitea: Gitea,
    /// The ingress.
    pub nginx: Available,
    /// Packages as they were found.
    pub packages: Vec<PackageStatus>,
    /// Conditions.
    pub conditions: Vec<Value>,
}

/// Whether a part is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Available {
    /// Whether it is.
    pub available: bool,
}

/// The git server of a platform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Gitea {
    /// Whether it is there.
    pub available: bool,
    /// Address from outside.
    #[serde(rename = "externalURL")]
    pub external_url: String,
    /// Address from inside; the same.
    #[serde(rename = "internalURL")]
    pub internal_url: String,
    /// Secret with its administrator's credentials. The key is misspelt in CNOE's builder.
    #[serde(rename = "adminUserSecretNameecret")]
    pub admin_user_secret_name: String,
    /// Its namespace.
    pub admin_user_secret_namespace: String,
}

/// One package of a Localbuild.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PackageStatus {
    /// The `-p` argument, without credentials.
    pub source: String,
    /// Position; higher wins.
    pub priority: usize,
    /// CustomPackages taken from it.
    pub custom_packages: Vec<String>,
    /// Why it was refused; empty if it was not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Code of the refusal, a page in `docs/errors/`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What to do about the refusal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// An Application of a package.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomPackage {
    /// Metadata.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: CustomPackageSpec,
    /// What is.
    pub status: CustomPackageStatus,
}

/// What a CustomPackage wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomPackageSpec {
    /// The Application.
    #[serde(rename = "argoCD")]
    pub argo_cd: ArgoApplication,
    /// Address of the git server.
    #[serde(rename = "gitServerURL")]
    pub git_server_url: String,
    /// The same from inside. The key lacks a letter in CNOE's builder.
    #[serde(rename = "internalGitServeURL")]
    pub internal_git_server_url: String,
    /// Credentials of the git server.
    pub git_server_auth_secret_ref: SecretRef,
    /// Where the file comes from, if not from this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_repository: Option<RemoteRepository>,
    /// Kept for compatibility; always true.
    pub replicate: bool,
}

/// Which Application a CustomPackage is for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArgoApplication {
    /// File that holds it.
    pub application_file: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// `Application` or `ApplicationSet`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A Secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecretRef {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
}

/// A directory of a repository elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RemoteRepository {
    /// Address of the repository.
    pub url: String,
    /// Branch, tag or commit; empty for the default branch.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Directory.
    pub path: String,
    /// Whether submodules are wanted.
    pub clone_submodules: bool,
}

/// What a CustomPackage is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomPackageStatus {
    /// Generation this status is of.
    pub observed_generation: i64,
    /// Whether its repositories are pushed and its Application is written.
    pub synced: bool,
    /// Its GitRepositories.
    pub git_repository_refs: Vec<ObjectRef>,
    /// Conditions.
    pub conditions: Vec<Value>,
}

/// An object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Uid.
    pub uid: String,
}

/// A repository filled from a directory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GitRepository {
    /// Metadata.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: GitRepositorySpec,
    /// What is.
    pub status: GitRepositoryStatus,
}

/// What a GitRepository wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GitRepositorySpec {
    /// The git server.
    pub provider: Provider,
    /// Credentials of the git server.
    pub secret_ref: SecretRef,
    /// Where its content comes from.
    pub source: Source,
}

/// A git server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Provider {
    /// `gitea` or `github`.
    pub name: String,
    /// Address.
    #[serde(rename = "gitURL")]
    pub git_url: String,
    /// Address from inside.
    #[serde(rename = "internalGitURL")]
    pub internal_git_url: String,
    /// Owner of the repository.
    pub organization_name: String,
}

/// Where a GitRepository's content comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// `local`, `remote` or `embedded`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Directory on this machine, for `local`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Directory elsewhere, for `remote`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_repository: Option<RemoteRepository>,
}

/// What a GitRepository is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GitRepositoryStatus {
    /// Generation this status is of.
    pub observed_generation: i64,
    /// What was last committed.
    pub commit: Commit,
    /// Address from outside.
    pub external_git_repository_url: String,
    /// Address from inside; the same.
    pub internal_git_repository_url: String,
    /// Where the content was read.
    pub path: String,
    /// Whether the content is committed.
    pub synced: bool,
    /// Conditions.
    pub conditions: Vec<Value>,
}

/// A commit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Its id.
    pub hash: String,
}

/// The text of an annotation or label; empty if absent.
pub fn mark<'a>(marks: &'a std::collections::BTreeMap<String, String>, key: &str) -> &'a str {
    marks.get(key).map_or("", String::as_str)
}

/// A type as JSON.
pub fn to_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("the kinds are plain data")
}
