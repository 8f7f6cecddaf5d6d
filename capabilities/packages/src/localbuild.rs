//! The Localbuild controller: looks for the packages that a platform is to have
//! and makes a CustomPackage for every Application in them. A package that
//! cannot be read whole is refused whole, and nothing of it is removed. It must
//! never touch Applications itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use api::Gvk;
use base::Diagnostic;
use client::{ListOptions, Object};
use controller::condition::{self, Condition};
use serde_json::{Value, json};

use crate::discovery::{self, Chosen, Found};
use crate::kinds::{self, CustomPackageSpec, Localbuild, LocalbuildStatus, PackageStatus, RemoteRepository, to_value};
use crate::manifest::SourceFile;
use crate::platform::{Failure, Platform, is_observed, owner};
use crate::remote::{self, RemotePackage};
use crate::{naming, settings};

/// One package of the list, read.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The `-p` argument.
    pub(crate) argument: String,
    /// Where it is, if not on this machine.
    pub(crate) remote: Option<RemotePackage>,
    /// What it holds.
    pub(crate) found: Result<Vec<Found>, Failure>,
}

/// What is to become of the CustomPackages of a Localbuild.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Those to be, by name.
    pub(crate) wanted: BTreeMap<String, Value>,
    /// Those to go.
    pub(crate) stale: Vec<String>,
    /// What is said of each package.
    pub(crate) packages: Vec<PackageStatus>,
}

/// Brings one Localbuild to what it says. An error is to be tried again.
pub async fn reconcile(platform: &Platform, object: &Object) -> Result<(), Failure> {
    let resource: Localbuild = object.parse()?;
    if resource.metadata.is_deleting() || is_observed(&resource.metadata, resource.status.observed_generation) {
        return Ok(());
    }
    let outcome = act(platform, object, &resource).await;
    report(platform, object, &resource.status, &outcome).await?;
    let (_, failure) = outcome?;
    match failure {
        Some(failure @ (Failure::Retry { .. } | Failure::Conflict(_))) => Err(failure),
        Some(Failure::Refused { .. }) | None => Ok(platform.mark_observed(&kinds::localbuilds(), object).await?),
    }
}

/// What was found, and the first failure among the packages. Every package that can be
/// read is installed, whatever becomes of the others.
type Outcome = Result<(Vec<PackageStatus>, Option<Failure>), Failure>;

async fn act(platform: &Platform, object: &Object, resource: &Localbuild) -> Outcome {
    let namespace = naming::namespace(&object.meta.name);
    platform.ensure_namespace(&object.cluster, &namespace, Some(owner("Localbuild", object))).await?;
    platform.ensure_namespace(&object.cluster, discovery::DEFAULT_NAMESPACE, None).await?;
    let mut loaded = Vec::new();
    for argument in resource.spec.package_configs.in_order() {
        loaded.push(load(platform, object, resource, argument).await);
    }
    let target = kinds::target(&object.cluster, &kinds::custom_packages(), &namespace);
    let existing = platform.objects.list(&target, ListOptions::default()).await?.items;
    let plan = decide(object, &platform.endpoints.url("gitea", "/gitea"), &loaded, &existing);
    for wanted in plan.wanted.values() {
        platform.ensure(&object.cluster, &kinds::custom_packages(), wanted).await?;
    }
    for stale in &plan.stale {
        platform.delete(&object.cluster, &kinds::custom_packages(), &namespace, stale).await?;
    }
    // One that may yet be mended by time counts before one that will not, so that it is tried again.
    let mut failures: Vec<Failure> = loaded.into_iter().filter_map(|package| package.found.err()).collect();
    failures.sort_by_key(|failure| matches!(failure, Failure::Refused { .. }));
    Ok((plan.packages, failures.into_iter().next()))
}

/// Reads one package.
async fn load(platform: &Platform, object: &Object, resource: &Localbuild, argument: String) -> Loaded {
    if resource.spec.package_configs.custom_package_urls.contains(&argument) {
        return match remote::parse(&argument) {
            Ok(remote) => {
                let found = load_remote(platform, &remote).await;
                Loaded { argument, remote: Some(remote), found }
            }
            Err(diagnostic) => Loaded { argument, remote: None, found: Err(diagnostic.into()) },
        };
    }
    if !object.cluster.is_root() {
        let title = "a directory of the platform's machine can only be used in the root cluster";
        let found = Err(Diagnostic::new("bad-package", title).hint("name a repository instead").into());
        return Loaded { argument, remote: None, found };
    }
    let path = PathBuf::from(&argument);
    let found = match tokio::task::spawn_blocking(move || discovery::check_local(&path)).await {
        Ok(found) => found.map_err(Failure::from),
        Err(error) => Err(Failure::retry("ReadFailed", format!("reading {argument} ended early: {error}"))),
    };
    Loaded { argument, remote: None, found }
}

async fn load_remote(platform: &Platform, remote: &RemotePackage) -> Result<Vec<Found>, Failure> {
    let reading = async {
        let commit = platform.sources.resolve(&remote.repository, remote.revision_or_head()).await?;
        let (directory, only) = if discovery::is_yaml(&remote.path) {
            remote
                .path
                .rsplit_once('/')
                .map_or(("", Some(remote.path.as_str())), |(directory, name)| (directory, Some(name)))
        } else {
            (remote.path.as_str(), None)
        };
        let tree = platform.sources.read_tree(&remote.repository, &commit, directory).await?;
        let wanted = |name: &str| only.map_or(discovery::is_yaml(name) && !name.contains('/'), |only| only == name);
        let files: Vec<SourceFile> = tree
            .files
            .iter()
            .filter(|(name, _)| wanted(name))
            .take(settings::MANIFEST_FILES)
            .map(|(name, file)| SourceFile {
                path: format!("{directory}/{name}").trim_start_matches('/').to_owned(),
                text: String::from_utf8_lossy(&file.content).into_owned(),
            })
            .collect();
        let found = discovery::applications(&files)?;
        if found.is_empty() {
            return Err(Diagnostic::new("empty-package", format!("{remote} holds no Application"))
                .hint("check the path behind // of the address")
                .into());
        }
        Ok(found)
    };
    match tokio::time::timeout(remote.timeout, reading).await {
        Ok(found) => found,
        Err(_) => Err(Failure::retry(
            "Unreachable",
            format!("{remote} did not answer within {} seconds", remote.timeout.as_secs()),
        )),
    }
}

/// What is to become of the CustomPackages. Those of a package that was refused stay as
/// they are: a broken file removes nothing.
pub(crate) fn decide(localbuild: &Object, git_server: &str, loaded: &[Loaded], existing: &[Object]) -> Plan {
    let found = loaded
        .iter()
        .enumerate()
        .filter_map(|(priority, package)| Some((priority, package.found.as_ref().ok()?.clone())));
    let mut plan = Plan { packages: loaded.iter().enumerate().map(described).collect(), ..Plan::default() };
    for chosen in discovery::choose(found.collect()) {
        plan.packages[chosen.priority].custom_packages.push(chosen.name.clone());
        let object = custom_package(localbuild, git_server, &loaded[chosen.priority], &chosen);
        plan.wanted.insert(chosen.name, object);
    }
    let refused: BTreeSet<String> = loaded
        .iter()
        .filter(|package| package.found.is_err())
        .map(|package| remote::redact(&package.argument))
        .collect();
    for package in existing {
        let ours = package.meta.controller().is_some_and(|owner| owner.uid == localbuild.meta.uid);
        let kept = refused.contains(kinds::mark(&package.meta.annotations, naming::SOURCE_PATH));
        if ours && !kept && !package.meta.is_deleting() && !plan.wanted.contains_key(&package.meta.name) {
            plan.stale.push(package.meta.name.clone());
        }
    }
    plan
}

fn described((priority, package): (usize, &Loaded)) -> PackageStatus {
    let mut status = PackageStatus { source: remote::redact(&package.argument), priority, ..PackageStatus::default() };
    match &package.found {
        Ok(_) => {}
        Err(Failure::Refused { diagnostic, .. }) => {
            status.error = diagnostic.to_string();
            status.code = diagnostic.code.clone();
            status.hint = diagnostic.hint.clone();
        }
        Err(failure) => status.error = failure.message(),
    }
    status
}

fn custom_package(localbuild: &Object, git_server: &str, package: &Loaded, chosen: &Chosen) -> Value {
    let spec = CustomPackageSpec {
        argo_cd: kinds::ArgoApplication {
            application_file: chosen.found.file.clone(),
            name: chosen.found.key.name.clone(),
            namespace: chosen.found.key.namespace.clone(),
            kind: chosen.found.key.kind.clone(),
        },
        git_server_url: git_server.to_owned(),
        internal_git_server_url: git_server.to_owned(),
        git_server_auth_secret_ref: kinds::SecretRef { name: "gitea-credential".into(), namespace: "gitea".into() },
        remote_repository: package.remote.as_ref().map(|remote| RemoteRepository {
            url: remote.repository.clone(),
            reference: remote.revision.clone(),
            path: remote.path.clone(),
            clone_submodules: remote.submodules,
        }),
        replicate: true,
    };
    json!({
        "apiVersion": kinds::API_VERSION,
        "kind": "CustomPackage",
        "metadata": {
            "name": chosen.name,
            "namespace": naming::namespace(&localbuild.meta.name),
            "annotations": {
                naming::CLI_START_TIME: kinds::mark(&localbuild.meta.annotations, naming::CLI_START_TIME),
                naming::PRIORITY: chosen.priority.to_string(),
                naming::SOURCE_PATH: remote::redact(&package.argument),
            },
            "finalizers": [naming::FINALIZER],
            "ownerReferences": [owner("Localbuild", localbuild)],
        },
        "spec": to_value(&spec),
    })
}

async fn report(
    platform: &Platform,
    object: &Object,
    before: &LocalbuildStatus,
    outcome: &Outcome,
) -> Result<(), Failure> {
    if matches!(outcome, Err(Failure::Conflict(_))) {
        return Ok(());
    }
    let mut status = before.clone();
    let generation = object.meta.generation;
    let application = Gvk::new("argoproj.io", "v1alpha1", "Application");
    status.argo_cd.available = platform.serves(&object.cluster, &application).await?;
    let git_server = platform.endpoints.url("gitea", "/gitea");
    status.gitea = kinds::Gitea {
        available: true,
        external_url: git_server.clone(),
        internal_url: git_server,
        admin_user_secret_name: "gitea-credential".to_owned(),
        admin_user_secret_namespace: "gitea".to_owned(),
    };
    let failure = match outcome {
        Ok((packages, failure)) => {
            status.packages = packages.clone();
            failure.as_ref()
        }
        Err(failure) => Some(failure),
    };
    if !matches!(failure, Some(Failure::Retry { .. })) {
        status.observed_generation = generation;
    }
    platform.set_ready(&mut status.conditions, generation, failure.map_or(Ok(()), Err));
    let discovered = match failure {
        None => {
            let message = format!("{} packages were read.", status.packages.len());
            Condition::new("PackagesDiscovered", true, "Found", message)
        }
        Some(failure) => Condition::new("PackagesDiscovered", false, failure.reason(), failure.message()),
    };
    condition::set(&mut status.conditions, &discovered.observed(generation), &platform.clock.now_rfc3339());
    Ok(platform.report(&kinds::localbuilds(), object, to_value(&status)).await?)
}
