//! Git as other capabilities need it: make a repository, resolve a revision,
//! read a tree, commit a tree. The embedded server answers from disk; URLs of
//! other servers are answered from a cache that is fetched. Nothing here says how.

#[cfg(feature = "suite")]
pub mod suite;

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

/// Why git could not do it. `Display` is one sentence for the owner of the object.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// No such repository.
    #[error("repository {0} does not exist")]
    NoRepository(String),
    /// The revision names no commit.
    #[error("revision {revision} does not exist in {url}")]
    NoRevision {
        /// Repository URL.
        url: String,
        /// What was asked for.
        revision: String,
    },
    /// No such directory in the tree.
    #[error("path {path:?} does not exist at {commit} in {url}")]
    NoPath {
        /// Repository URL.
        url: String,
        /// Commit id.
        commit: String,
        /// What was asked for.
        path: String,
    },
    /// A path that leaves its repository, or a name git cannot hold.
    #[error("{0} is not a path inside the repository")]
    BadPath(String),
    /// A repository or owner name that cannot be one.
    #[error("{0:?} is not a valid repository name: use letters, digits, '-', '_' and '.'")]
    BadName(String),
    /// The expected parent is not the branch's tip any more.
    #[error("branch {branch} moved from {expected} to {actual}")]
    Moved {
        /// Branch.
        branch: String,
        /// Commit the caller had seen; empty for none.
        expected: String,
        /// Commit the branch is at.
        actual: String,
    },
    /// The server of a remote URL cannot be reached or refused.
    #[error("cannot reach {url}: {why}")]
    Unreachable {
        /// Repository URL, without credentials.
        url: String,
        /// What the transport said, without credentials.
        why: String,
    },
    /// A bound was exceeded.
    #[error("{0}")]
    TooLarge(String),
    /// Anything else.
    #[error("{0}")]
    Internal(String),
}

/// A repository of the embedded server, by its owner and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryId {
    /// User or organisation.
    pub owner: String,
    /// Name without `.git`.
    pub name: String,
}

/// What a new repository is made with.
#[derive(Clone, Debug)]
pub struct NewRepository {
    /// Owner and name.
    pub id: RepositoryId,
    /// One line about it.
    pub description: String,
    /// Whether only authenticated users may read it.
    pub private: bool,
    /// Default branch, usually `main`.
    pub default_branch: String,
}

/// A file's kind in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Plain file.
    File,
    /// Executable file.
    Executable,
    /// Symbolic link; the content is its target.
    Link,
}

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is.
    pub mode: Mode,
    /// Its content.
    pub content: Bytes,
}

/// Files by their path relative to the directory that was read, `/` between names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Git's id of the tree: equal ids mean equal content.
    pub id: String,
    /// The files.
    pub files: BTreeMap<String, File>,
}

/// A commit of a whole tree onto a branch.
#[derive(Clone, Debug)]
pub struct NewCommit {
    /// Branch to move.
    pub branch: String,
    /// Commit the branch must be at; `None` for a branch
    /// that must not exist yet.
    pub expected_parent: Option<String>,
    /// The complete content of the new commit.
    pub files: BTreeMap<String, File>,
    /// Author and committer name.
    pub author_name: String,
    /// Author and committer address.
    pub author_email: String,
    /// Message.
    pub message: String,
}

/// A ref that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefChange {
    /// Repository.
    pub repository: RepositoryId,
    /// Full ref name, for example `refs/heads/main`.
    pub reference: String,
    /// Commit before; empty for a new ref.
    pub before: String,
    /// Commit after; empty for a deleted ref.
    pub after: String,
}

/// Reading: works for every URL, of the embedded server and of others.
pub trait Sources: Send + Sync {
    /// The commit that `revision` (`HEAD`, a branch, a tag, a commit id or an unambiguous
    /// prefix of one, or a semver range over tags) names at `url` now.
    fn resolve<'a>(&'a self, url: &'a str, revision: &'a str) -> BoxFuture<'a, Result<String, Error>>;

    /// The files below `path` (`.` or empty for all) at `commit`, with their paths relative to
    /// it. Submodules are left out. Too many or too large files are [`Error::TooLarge`].
    fn read_tree<'a>(&'a self, url: &'a str, commit: &'a str, path: &'a str) -> BoxFuture<'a, Result<Tree, Error>>;

    /// Whether a push to `url` will show as a [`RefChange`] (the embedded server), so that
    /// nobody needs to poll it; and then which repository it is.
    fn embedded(&self, url: &str) -> Option<RepositoryId>;
}

/// Writing: the embedded server, or the provider that replaces it.
pub trait Repositories: Send + Sync {
    /// Makes the repository unless it exists; says whether it made it.
    fn ensure<'a>(&'a self, new: &'a NewRepository) -> BoxFuture<'a, Result<bool, Error>>;

    /// Removes the repository and its objects; absent is fine.
    fn remove<'a>(&'a self, id: &'a RepositoryId) -> BoxFuture<'a, Result<(), Error>>;

    /// The commit at the tip of `branch`, if the branch exists.
    fn tip<'a>(&'a self, id: &'a RepositoryId, branch: &'a str) -> BoxFuture<'a, Result<Option<String>, Error>>;

    /// Writes a commit and moves the branch in one step; returns the commit id. When the
    /// content equals the parent's, nothing is written and the parent is returned.
    fn commit<'a>(&'a self, id: &'a RepositoryId, commit: NewCommit) -> BoxFuture<'a, Result<String, Error>>;

    /// The address others clone from, without credentials.
    fn clone_url(&self, id: &RepositoryId) -> String;

    /// Every ref that moves from now on. A receiver that falls far behind is given every ref of
    /// every repository instead of what it missed, each with an empty `before`.
    fn changes(&self) -> BoxStream<'static, RefChange>;
}
