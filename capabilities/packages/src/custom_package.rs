//! The CustomPackage controller: reads the file of one Application, has a
//! repository made for every directory that `cnoe://` names in it, and once
//! those are filled writes the Application. It must never read a directory's
//! content; GitRepository does.

use std::collections::BTreeMap;
use std::path::Path;

use api::Gvk;
use base::Diagnostic;
use client::{ListOptions, Object};
use serde_json::{Value, json};

use crate::discovery::{self, AppKey};
use crate::kinds::{
    self, CustomPackage, CustomPackageStatus, GitRepository, ObjectRef, RemoteRepository, Source, to_value,
};
use crate::manifest::SourceFile;
use crate::platform::{Failure, Platform, is_observed, owner, why_not_ready};
use crate::{naming, remote, rewrite};

/// What a CustomPackage asks for, its addresses already in place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The Application as it is to be written, without owner.
    pub(crate) application: Value,
    /// Repositories by the name of their GitRepository.
    pub(crate) repositories: BTreeMap<String, Source>,
}

/// Brings one CustomPackage to what it says. An error is to be tried again.
pub async fn reconcile(platform: &Platform, object: &Object) -> Result<(), Failure> {
    let resource: CustomPackage = object.parse()?;
    if resource.metadata.is_deleting() {
        return finalize(platform, object, &resource).await;
    }
    if is_observed(&resource.metadata, resource.status.observed_generation) {
        return Ok(());
    }
    let outcome = act(platform, object, &resource).await;
    report(platform, object, &resource.status, &outcome).await?;
    match outcome {
        Ok(Progress::Waiting { .. }) => Ok(()),
        Err(failure @ (Failure::Retry { .. } | Failure::Conflict(_))) => Err(failure),
        Ok(Progress::Done(_)) | Err(Failure::Refused { .. }) => {
            Ok(platform.mark_observed(&kinds::custom_packages(), object).await?)
        }
    }
}

/// How far a CustomPackage came.
enum Progress {
    /// Repositories are not filled yet; a change of theirs comes back here.
    Waiting { repositories: Vec<ObjectRef>, names: String },
    /// Everything is written.
    Done(Vec<ObjectRef>),
}

async fn act(platform: &Platform, object: &Object, resource: &CustomPackage) -> Result<Progress, Failure> {
    let file = read(platform, object, resource).await?;
    let plan = plan(platform, object, resource, &file)?;
    let kind = &resource.spec.argo_cd.kind;
    let application_kind = Gvk::new("argoproj.io", "v1alpha1", kind);
    if !platform.serves(&object.cluster, &application_kind).await? {
        let diagnostic = Diagnostic::new("kind-not-served", format!("{kind} objects are not served by this platform"))
            .hint("a capability that brings the kind must be present");
        return Err(Failure::refused("KindNotServed", diagnostic));
    }
    let repositories = ensure_repositories(platform, object, &plan).await?;
    remove_stale(platform, object, &plan).await?;
    let references = repositories.iter().map(|repository| reference(&repository.0)).collect();
    let mut waiting = Vec::new();
    for (repository, status) in &repositories {
        if !is_observed(&repository.meta, status.observed_generation) {
            waiting.push(waiting_for(&repository.meta.name, status));
        } else if !status.synced {
            return Err(failed_repository(&repository.meta.name, status));
        }
    }
    if !waiting.is_empty() {
        return Ok(Progress::Waiting { repositories: references, names: waiting.join(", ") });
    }
    write_application(platform, object, &plan).await?;
    Ok(Progress::Done(references))
}

/// The file that holds the Application.
async fn read(platform: &Platform, object: &Object, resource: &CustomPackage) -> Result<SourceFile, Failure> {
    let path = &resource.spec.argo_cd.application_file;
    let Some(repository) = &resource.spec.remote_repository else {
        if !object.cluster.is_root() {
            let title = "a file of the platform's machine can only be used in the root cluster";
            return Err(Diagnostic::new("bad-package", title).hint("name a repository instead").into());
        }
        let path = std::path::PathBuf::from(path);
        return match tokio::task::spawn_blocking(move || discovery::read_file(&path)).await {
            Ok(file) => Ok(file?),
            Err(error) => Err(Failure::retry("ReadFailed", format!("reading the file ended early: {error}"))),
        };
    };
    let revision = if repository.reference.is_empty() { "HEAD" } else { &repository.reference };
    let commit = platform.sources.resolve(&repository.url, revision).await?;
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let tree = platform.sources.read_tree(&repository.url, &commit, directory).await?;
    let text = tree.files.get(name).and_then(|file| String::from_utf8(file.content.to_vec()).ok());
    let text = text.ok_or_else(|| {
        Diagnostic::new("no-such-package", format!("{path} is not in {}", remote::redact(&repository.url)))
            .hint("run coracle create again to look for the package's files anew")
    })?;
    Ok(SourceFile { path: path.clone(), text })
}

/// Reads the Application from its file and puts addresses in the place of `cnoe://`.
pub(crate) fn plan(
    platform: &Platform,
    object: &Object,
    resource: &CustomPackage,
    file: &SourceFile,
) -> Result<Plan, Failure> {
    let wanted = &resource.spec.argo_cd;
    let key = AppKey { kind: wanted.kind.clone(), namespace: wanted.namespace.clone(), name: wanted.name.clone() };
    let found = discovery::applications(std::slice::from_ref(file))?;
    let Some(found) = found.into_iter().find(|found| found.key == key) else {
        let diagnostic = Diagnostic::new("no-such-package", format!("{} does not hold {key} any more", file.path))
            .hint("run coracle create again to look for the package's files anew");
        return Err(diagnostic.into());
    };
    let mut manifest = found.manifest;
    let mut repositories: BTreeMap<String, Source> = BTreeMap::new();
    rewrite::rewrite(&mut manifest, &mut |relative| -> Result<String, Failure> {
        let (source, basename) = source(resource, &file.path, relative)?;
        let mut name = naming::git_repository(&key.name, &basename);
        // The builder's names know Applications of one namespace only.
        if key.namespace != discovery::DEFAULT_NAMESPACE {
            name = naming::distinct(&name, &key.to_string());
        }
        // Two directories of one name must not share a repository.
        if repositories.get(&name).is_some_and(|other| *other != source) {
            let place = remote::clean(relative).unwrap_or_else(|| relative.to_owned());
            name = naming::distinct(&name, &place);
        }
        let id = naming::repository(&object.cluster, &object.meta.namespace, &name);
        repositories.insert(name, source);
        Ok(platform.repositories.clone_url(&id))
    })?;
    Ok(Plan { application: labelled(manifest, &key, &object.meta.name), repositories })
}

/// What `cnoe://<relative>` means, and the name of that directory.
fn source(resource: &CustomPackage, file: &str, relative: &str) -> Result<(Source, String), Failure> {
    let Some(repository) = &resource.spec.remote_repository else {
        let directory = discovery::local_directory(Path::new(file), relative)?;
        let basename = directory.file_name().map_or("root".to_owned(), |name| name.to_string_lossy().into_owned());
        let path = directory.display().to_string();
        return Ok((Source { kind: "local".to_owned(), path, remote_repository: None }, basename));
    };
    let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
    let Some(path) = remote::clean(&format!("{directory}/{relative}")) else {
        let title = format!("{}{relative} in {file} leaves its repository", rewrite::SCHEME);
        return Err(Diagnostic::new("no-such-directory", title)
            .hint("the path is relative to the directory of the Application's file")
            .into());
    };
    let last = path.rsplit('/').next().unwrap_or_default();
    let whole = repository.url.trim_end_matches('/').trim_end_matches(".git");
    let basename = if last.is_empty() { whole.rsplit(['/', ':']).next().unwrap_or("root") } else { last }.to_owned();
    let remote_repository = Some(RemoteRepository { path, ..repository.clone() });
    Ok((Source { kind: "remote".to_owned(), path: String::new(), remote_repository }, basename))
}

/// The manifest with the labels and annotations of a package's Application.
fn labelled(mut manifest: Value, key: &AppKey, package: &str) -> Value {
    let metadata = &mut manifest["metadata"];
    metadata["namespace"] = json!(key.namespace);
    for marks in ["labels", "annotations"] {
        if !metadata[marks].is_object() {
            metadata[marks] = json!({});
        }
    }
    metadata["labels"][naming::PACKAGE_NAME] = json!(key.name);
    metadata["labels"][naming::PACKAGE_TYPE] = json!("custom");
    metadata["annotations"][naming::FINALIZER] = json!(package);
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("status");
    }
    manifest
}

async fn ensure_repositories(
    platform: &Platform,
    object: &Object,
    plan: &Plan,
) -> Result<Vec<(Object, kinds::GitRepositoryStatus)>, Failure> {
    let mut repositories = Vec::new();
    for (name, source) in &plan.repositories {
        refuse_taken(platform, object, name).await?;
        let wanted = git_repository(platform, object, name, source);
        let made = platform.ensure(&object.cluster, &kinds::git_repositories(), &wanted).await?;
        let parsed: GitRepository = made.parse()?;
        repositories.push((made, parsed.status));
    }
    Ok(repositories)
}

/// Refuses a repository that fills itself for another Application: both would be deployed
/// from the content of one. A package that takes the same Application over takes it along.
async fn refuse_taken(platform: &Platform, object: &Object, name: &str) -> Result<(), Failure> {
    let find = async |gvr, name: &str| -> Result<Option<Object>, Failure> {
        let target = kinds::target(&object.cluster, &gvr, &object.meta.namespace);
        match platform.objects.get(&target, name).await {
            Err(status) if status.is_not_found() => Ok(None),
            found => Ok(Some(found?)),
        }
    };
    let Some(repository) = find(kinds::git_repositories(), name).await? else { return Ok(()) };
    let Some(owner) = repository.meta.controller().filter(|owner| owner.uid != object.meta.uid) else { return Ok(()) };
    let Some(other) = find(kinds::custom_packages(), &owner.name).await? else { return Ok(()) };
    let key = |package: &Object| -> Result<AppKey, Failure> {
        let argo_cd = package.parse::<CustomPackage>()?.spec.argo_cd;
        Ok(AppKey { kind: argo_cd.kind, namespace: argo_cd.namespace, name: argo_cd.name })
    };
    let theirs = key(&other)?;
    if other.meta.uid != owner.uid || other.meta.is_deleting() || theirs == key(object)? {
        return Ok(());
    }
    let title = format!("the repository {name} already holds the content of {theirs}");
    let diagnostic = Diagnostic::new("bad-package", title).hint("rename the directory that cnoe:// names");
    Err(Failure::refused("RepositoryTaken", diagnostic))
}

fn git_repository(platform: &Platform, object: &Object, name: &str, source: &Source) -> Value {
    let git_server = platform.endpoints.url("gitea", "/gitea");
    let spec = kinds::GitRepositorySpec {
        provider: kinds::Provider {
            name: "gitea".to_owned(),
            git_url: git_server.clone(),
            internal_git_url: git_server,
            organization_name: naming::REPOSITORY_OWNER.to_owned(),
        },
        secret_ref: kinds::SecretRef { name: "gitea-credential".to_owned(), namespace: "gitea".to_owned() },
        source: source.clone(),
    };
    json!({
        "apiVersion": kinds::API_VERSION,
        "kind": "GitRepository",
        "metadata": {
            "name": name,
            "namespace": object.meta.namespace,
            "annotations": {
                naming::CLI_START_TIME: kinds::mark(&object.meta.annotations, naming::CLI_START_TIME),
            },
            "ownerReferences": [owner("CustomPackage", object)],
        },
        "spec": to_value(&spec),
    })
}

/// GitRepositories that this package does not name any more.
async fn remove_stale(platform: &Platform, object: &Object, plan: &Plan) -> Result<(), Failure> {
    let gvr = kinds::git_repositories();
    let target = kinds::target(&object.cluster, &gvr, &object.meta.namespace);
    for repository in platform.objects.list(&target, ListOptions::default()).await?.items {
        let ours = repository.meta.controller().is_some_and(|owner| owner.uid == object.meta.uid);
        if ours && !plan.repositories.contains_key(&repository.meta.name) {
            platform.delete(&object.cluster, &gvr, &repository.meta.namespace, &repository.meta.name).await?;
        }
    }
    Ok(())
}

fn reference(repository: &Object) -> ObjectRef {
    ObjectRef {
        api_version: kinds::API_VERSION.to_owned(),
        kind: "GitRepository".to_owned(),
        name: repository.meta.name.clone(),
        namespace: repository.meta.namespace.clone(),
        uid: repository.meta.uid.clone(),
    }
}

/// A repository that is not filled yet, with what stands in its way if that is known.
fn waiting_for(name: &str, status: &kinds::GitRepositoryStatus) -> String {
    why_not_ready(&status.conditions).map_or_else(|| name.to_owned(), |(_, message)| format!("{name} ({message})"))
}

fn failed_repository(name: &str, status: &kinds::GitRepositoryStatus) -> Failure {
    let (reason, message) = why_not_ready(&status.conditions).unwrap_or(("RepositoryFailed", "it gives no reason"));
    let diagnostic = Diagnostic::new("bad-package", format!("repository {name} could not be filled")).detail(message);
    Failure::refused(reason, diagnostic)
}

/// Writes the Application. The Localbuild owns it, since an owner in another namespace
/// would be void.
async fn write_application(platform: &Platform, object: &Object, plan: &Plan) -> Result<(), Failure> {
    let mut application = plan.application.clone();
    if let Some(localbuild) = object.meta.controller() {
        application["metadata"]["ownerReferences"] = json!([to_value(localbuild)]);
    }
    let gvr = kinds::applications(application["kind"].as_str().unwrap_or_default());
    let namespace = application["metadata"]["namespace"].as_str().unwrap_or_default();
    platform.ensure_namespace(&object.cluster, namespace, None).await?;
    platform.ensure(&object.cluster, &gvr, &application).await?;
    Ok(())
}

async fn report(
    platform: &Platform,
    object: &Object,
    before: &CustomPackageStatus,
    outcome: &Result<Progress, Failure>,
) -> Result<(), Failure> {
    let mut status = before.clone();
    let generation = object.meta.generation;
    match outcome {
        Ok(Progress::Done(repositories)) => {
            status.synced = true;
            status.observed_generation = generation;
            status.git_repository_refs = repositories.clone();
            platform.set_ready(&mut status.conditions, generation, Ok(()));
        }
        Ok(Progress::Waiting { repositories, names }) => {
            status.synced = false;
            status.git_repository_refs = repositories.clone();
            let waiting = Failure::retry("WaitingForRepositories", format!("waiting for {names}"));
            platform.set_ready(&mut status.conditions, generation, Err(&waiting));
        }
        Err(Failure::Conflict(_)) => return Ok(()),
        Err(failure) => {
            status.synced = false;
            if matches!(failure, Failure::Refused { .. }) {
                status.observed_generation = generation;
            }
            platform.set_ready(&mut status.conditions, generation, Err(failure));
        }
    }
    Ok(platform.report(&kinds::custom_packages(), object, to_value(&status)).await?)
}

/// Removes the Application of a CustomPackage that goes, unless another has taken it over.
/// Repositories stay: what was pushed to them is their users'.
async fn finalize(platform: &Platform, object: &Object, resource: &CustomPackage) -> Result<(), Failure> {
    if !controller::finalizer::has(object, naming::FINALIZER) {
        return Ok(());
    }
    let target = kinds::target(&object.cluster, &kinds::custom_packages(), &object.meta.namespace);
    let mut others = Vec::new();
    for other in platform.objects.list(&target, ListOptions::default()).await?.items {
        others.push(other.parse::<CustomPackage>()?);
    }
    let application = &resource.spec.argo_cd;
    if !is_taken_over(resource, &others) {
        let gvr = kinds::applications(&application.kind);
        platform.delete(&object.cluster, &gvr, &application.namespace, &application.name).await?;
    }
    Ok(controller::finalizer::remove(&*platform.objects, &target, object, naming::FINALIZER).await?)
}

/// Whether another living CustomPackage is for the same Application.
pub(crate) fn is_taken_over(leaving: &CustomPackage, others: &[CustomPackage]) -> bool {
    let key = |package: &CustomPackage| {
        let application = &package.spec.argo_cd;
        (application.kind.clone(), application.namespace.clone(), application.name.clone())
    };
    others.iter().any(|other| {
        other.metadata.uid != leaving.metadata.uid && !other.metadata.is_deleting() && key(other) == key(leaving)
    })
}
