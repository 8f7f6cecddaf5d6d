//! The GitRepository controller: a directory, here or in a repository elsewhere,
//! becomes the content of a repository of the platform's git server. The
//! directory is the truth: a file that left it leaves the repository. It must
//! never write to the directory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base::Diagnostic;
use client::Object;
use contracts::git::{File, NewCommit, NewRepository};

use crate::kinds::{self, GitRepository, GitRepositoryStatus, to_value};
use crate::platform::{Failure, Platform, is_observed};
use crate::{naming, remote, tree};

const AUTHOR_NAME: &str = "git-reconciler";
const AUTHOR_EMAIL: &str = "idpbuilder-agent@cnoe.io";

/// Where content comes from, decided from a GitRepository's spec.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    /// Nothing is asked that was not done.
    Keep,
    /// Commit a directory of this machine.
    Local(PathBuf),
    /// Commit a directory of another repository.
    Remote { url: String, revision: String, path: String },
    /// It cannot be done as it stands.
    Refuse(Failure),
}

/// Brings one GitRepository to what it says. An error is to be tried again.
pub async fn reconcile(platform: &Platform, object: &Object) -> Result<(), Failure> {
    let resource: GitRepository = object.parse()?;
    let decision = decide(&resource, object.cluster.is_root());
    if decision == Decision::Keep {
        return Ok(());
    }
    let outcome = act(platform, object, decision).await;
    report(platform, object, &resource.status, &outcome).await?;
    match outcome {
        Err(failure @ (Failure::Retry { .. } | Failure::Conflict(_))) => Err(failure),
        Ok(_) | Err(Failure::Refused { .. }) => Ok(platform.mark_observed(&kinds::git_repositories(), object).await?),
    }
}

/// What is to be done. Work is done once for each invocation and each spec, so that a
/// restart of the platform does not overwrite what was pushed since.
fn decide(resource: &GitRepository, local_allowed: bool) -> Decision {
    let GitRepository { metadata, spec, status } = resource;
    if metadata.is_deleting() || is_observed(metadata, status.observed_generation) {
        return Decision::Keep;
    }
    let refuse = |reason: &str, title: String, hint: &str| {
        Decision::Refuse(Failure::refused(reason, Diagnostic::new("bad-package", title).hint(hint)))
    };
    if spec.provider.name == "github" {
        return refuse(
            "ProviderNotSupported",
            "the provider github is not supported".to_owned(),
            "set spec.provider.name to gitea",
        );
    }
    match (spec.source.kind.as_str(), &spec.source.remote_repository) {
        ("local", _) if !local_allowed => refuse(
            "LocalSourceRefused",
            "a directory of the platform's machine can only be used in the root cluster".to_owned(),
            "push the content to a repository and name that",
        ),
        ("local", _) if !spec.source.path.is_empty() => Decision::Local(PathBuf::from(&spec.source.path)),
        ("remote", Some(remote)) => Decision::Remote {
            url: remote.url.clone(),
            revision: if remote.reference.is_empty() { "HEAD".to_owned() } else { remote.reference.clone() },
            path: remote.path.clone(),
        },
        (kind, _) => refuse(
            "SourceNotSupported",
            format!("a source of type {kind:?} without its directory has no content"),
            "set spec.source.type to local with a path, or to remote with a remoteRepository",
        ),
    }
}

/// What was committed, and from where.
struct Committed {
    hash: String,
    path: String,
    url: String,
}

async fn act(platform: &Platform, object: &Object, decision: Decision) -> Result<Committed, Failure> {
    let (files, path) = match decision {
        Decision::Keep => (BTreeMap::new(), String::new()),
        Decision::Refuse(failure) => return Err(failure),
        Decision::Local(directory) => {
            let shown = directory.display().to_string();
            (read_local(directory).await?, shown)
        }
        Decision::Remote { url, revision, path } => {
            let commit = platform.sources.resolve(&url, &revision).await?;
            let tree = platform.sources.read_tree(&url, &commit, &path).await?;
            (tree.files, format!("{}//{path}", remote::redact(&url)))
        }
    };
    let id = naming::repository(&object.cluster, &object.meta.namespace, &object.meta.name);
    let new = NewRepository {
        id: id.clone(),
        description: format!("Content of {}", object.meta.name),
        private: false,
        default_branch: naming::BRANCH.to_owned(),
    };
    platform.repositories.ensure(&new).await?;
    let expected_parent = platform.repositories.tip(&id, naming::BRANCH).await?;
    let commit = NewCommit {
        branch: naming::BRANCH.to_owned(),
        expected_parent,
        files,
        author_name: AUTHOR_NAME.to_owned(),
        author_email: AUTHOR_EMAIL.to_owned(),
        message: format!("updated from {path}"),
    };
    let hash = platform.repositories.commit(&id, commit).await?;
    Ok(Committed { hash, path, url: platform.repositories.clone_url(&id) })
}

async fn read_local(directory: PathBuf) -> Result<BTreeMap<String, File>, Failure> {
    match tokio::task::spawn_blocking(move || tree::read(&directory)).await {
        Ok(files) => Ok(files?),
        Err(error) => Err(Failure::retry("ReadFailed", format!("reading the directory ended early: {error}"))),
    }
}

async fn report(
    platform: &Platform,
    object: &Object,
    before: &GitRepositoryStatus,
    outcome: &Result<Committed, Failure>,
) -> Result<(), Failure> {
    let mut status = before.clone();
    let generation = object.meta.generation;
    match outcome {
        Ok(committed) => {
            status.commit.hash = committed.hash.clone();
            status.path = committed.path.clone();
            status.external_git_repository_url = committed.url.clone();
            status.internal_git_repository_url = committed.url.clone();
            status.synced = true;
            status.observed_generation = generation;
            platform.set_ready(&mut status.conditions, generation, Ok(()));
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
    Ok(platform.report(&kinds::git_repositories(), object, to_value(&status)).await?)
}
