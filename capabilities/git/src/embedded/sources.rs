//! The embedded repositories as the contracts offer them: resolve, read, commit.
//! Work on disk runs on threads that may block; every branch that moves is
//! announced before the caller hears of it.

use std::sync::Arc;

use contracts::git::{Error, NewCommit, RepositoryId, Tree};
use futures::future::BoxFuture;
use gix::ObjectId;

use super::bare::Bare;
use super::read::{self, Limits};
use super::store::Store;
use super::write::{EditCommit, Refusal, Writer};
use crate::revision::{self, Refs, Resolved};

/// Reads and commits in embedded repositories. Cheap to clone.
#[derive(Clone)]
pub struct Embedded {
    /// The repositories.
    pub store: Arc<Store>,
    /// Makes commits.
    pub writer: Writer,
    /// Bounds of reads.
    pub limits: Limits,
}

impl Embedded {
    /// Runs `work` on a repository where it may block.
    pub async fn with<T: Send + 'static>(
        &self,
        id: &RepositoryId,
        work: impl FnOnce(&Arc<Bare>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let bare = self.store.require(id)?;
        blocking(move || work(&bare)).await
    }

    /// The commit that a revision names.
    pub async fn resolve(&self, id: &RepositoryId, url: &str, revision: &str) -> Result<String, Error> {
        let (url, asked) = (url.to_owned(), revision.to_owned());
        self.with(id, move |bare| {
            let git = bare.git();
            let found = resolve(&git, &asked)?;
            found.ok_or(Error::NoRevision { url, revision: asked })
        })
        .await
    }

    /// The files below a directory of a commit.
    pub async fn read_tree(&self, id: &RepositoryId, url: &str, commit: &str, path: &str) -> Result<Tree, Error> {
        let (url, commit, path, limits) = (url.to_owned(), commit.to_owned(), path.to_owned(), self.limits);
        self.with(id, move |bare| read_tree(&bare.git(), &url, &commit, &path, limits)).await
    }

    /// Makes the files given the content of a branch.
    pub async fn commit_all(&self, id: &RepositoryId, new: NewCommit, actor: &str) -> Result<String, Error> {
        self.changing(id, actor, move |writer, bare| writer.commit_all(bare, new)).await
    }

    /// Makes single changes on a branch.
    pub async fn commit_edits(
        &self,
        id: &RepositoryId,
        new: EditCommit,
        actor: &str,
    ) -> Result<Result<String, Refusal>, Error> {
        self.changing(id, actor, move |writer, bare| writer.commit_edits(bare, new)).await
    }

    /// Runs `work`, which may move refs, on a repository, and announces what it moved.
    pub fn changing<'a, T: Send + 'static>(
        &'a self,
        id: &'a RepositoryId,
        actor: &str,
        work: impl FnOnce(&Writer, &Arc<Bare>) -> Result<T, Error> + Send + 'static,
    ) -> BoxFuture<'a, Result<T, Error>> {
        let (writer, store, actor) = (self.writer.clone(), self.store.clone(), actor.to_owned());
        Box::pin(self.with(id, move |bare| {
            let done = work(&writer, bare)?;
            store.announce(bare, &actor)?;
            Ok(done)
        }))
    }
}

/// Runs `work` on a thread that may block.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::Internal(format!("git work did not end well: {error}"))))
}

/// The commit that a revision names in one repository. Refs are read one by one as long as
/// that answers it, all of them only for a range.
pub fn resolve(git: &gix::Repository, revision: &str) -> Result<Option<String>, Error> {
    let mut refs = Refs::default();
    let name = revision.trim();
    if name.is_empty() || name == "HEAD" {
        refs.head = git.head_id().ok().map(|id| id.to_string());
    } else if crate::semver::Range::parse(name).is_some() {
        let platform = git.references().map_err(internal)?;
        for reference in platform.tags().map_err(internal)?.flatten() {
            let full = reference.name().as_bstr().to_string();
            if let Ok(id) = reference.into_fully_peeled_id() {
                refs.by_name.insert(full, id.to_string());
            }
        }
    }
    for full in [name.to_owned(), format!("refs/heads/{name}"), format!("refs/tags/{name}")] {
        if full.starts_with("refs/")
            && let Some(id) = read::reference(git, &full)?
        {
            refs.by_name.insert(full, id.to_string());
        }
    }
    match revision::resolve(&refs, revision) {
        Resolved::Commit(id) => Ok(Some(id)),
        Resolved::Id(id) => commit_of(git, &id),
        Resolved::Prefix(prefix) => by_prefix(git, &prefix),
        Resolved::Nothing => Ok(None),
    }
}

fn commit_of(git: &gix::Repository, id: &str) -> Result<Option<String>, Error> {
    let Ok(id) = ObjectId::from_hex(id.as_bytes()) else { return Ok(None) };
    let Some(object) = git.try_find_object(id).map_err(internal)? else { return Ok(None) };
    Ok(object.peel_to_commit().ok().map(|commit| commit.id.to_string()))
}

/// The one commit whose id begins so. Trees and files with the same beginning do not count.
fn by_prefix(git: &gix::Repository, prefix: &str) -> Result<Option<String>, Error> {
    let Ok(prefix) = gix::hash::Prefix::from_hex(prefix) else { return Ok(None) };
    let mut candidates = std::collections::HashSet::new();
    git.objects.lookup_prefix(prefix, Some(&mut candidates)).map_err(internal)?;
    let mut commits = candidates
        .into_iter()
        .filter(|id| git.find_header(*id).is_ok_and(|header| header.kind() == gix::objs::Kind::Commit));
    let first = commits.next();
    Ok(if commits.next().is_none() { first.map(|id| id.to_string()) } else { None })
}

/// The files below a directory of a commit.
pub fn read_tree(git: &gix::Repository, url: &str, commit: &str, path: &str, limits: Limits) -> Result<Tree, Error> {
    let no_revision = || Error::NoRevision { url: url.to_owned(), revision: commit.to_owned() };
    let id = commit_of(git, commit)?.ok_or_else(no_revision)?;
    let id = ObjectId::from_hex(id.as_bytes()).map_err(internal)?;
    let root = read::tree_of(git, id)?;
    match read::lookup(git, root, path)? {
        Some(entry) if entry.kind == gix::objs::tree::EntryKind::Tree => read::tree(git, entry.id, limits),
        _ => Err(Error::NoPath { url: url.to_owned(), commit: commit.to_owned(), path: path.to_owned() }),
    }
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("the repository cannot be read: {error}"))
}
