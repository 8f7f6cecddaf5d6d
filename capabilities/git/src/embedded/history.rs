//! Commits as people look at them: who, when, why, and what came before. It
//! reads one repository within bounds.

use contracts::git::Error;
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use jiff::Timestamp;

use super::read;

/// Commits that are looked at for one question.
const COMMITS: usize = 10_000;

/// A commit.
#[derive(Clone, Debug)]
pub struct CommitInfo {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents.
    pub parents: Vec<ObjectId>,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// Why.
    pub message: String,
}

/// Who did something, and when.
#[derive(Clone, Debug)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// When, RFC 3339 in UTC.
    pub date: String,
}

/// Reads one commit.
pub fn commit(git: &gix::Repository, id: ObjectId) -> Result<CommitInfo, Error> {
    let commit = git.find_commit(id).map_err(internal)?;
    let decoded = commit.decode().map_err(internal)?;
    Ok(CommitInfo {
        id,
        tree: decoded.tree(),
        parents: decoded.parents().collect(),
        author: person(decoded.author().map_err(internal)?),
        committer: person(decoded.committer().map_err(internal)?),
        message: decoded.message.to_str_lossy().into_owned(),
    })
}

fn person(signature: gix::actor::SignatureRef<'_>) -> Person {
    let signature = signature.trim();
    let time = Timestamp::from_second(signature.seconds()).unwrap_or(Timestamp::UNIX_EPOCH);
    Person {
        name: signature.name.to_str_lossy().into_owned(),
        email: signature.email.to_str_lossy().into_owned(),
        date: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// A page of history.
pub struct Page {
    /// The commits, newest first.
    pub commits: Vec<CommitInfo>,
    /// How many there are in all, as far as was looked.
    pub total: usize,
}

/// The history that leads to `tip`, only commits that changed `path` unless it is empty.
pub fn log(git: &gix::Repository, tip: ObjectId, path: &str, skip: usize, limit: usize) -> Result<Page, Error> {
    let sorting = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
    let walk = git.rev_walk([tip]).sorting(sorting).all().map_err(internal)?;
    let mut page = Page { commits: Vec::new(), total: 0 };
    for step in walk.take(COMMITS) {
        let id = step.map_err(internal)?.id;
        if !path.is_empty() && !changed(git, id, path)? {
            continue;
        }
        if page.total >= skip && page.commits.len() < limit {
            page.commits.push(commit(git, id)?);
        }
        page.total += 1;
    }
    Ok(page)
}

/// The newest commit that changed a path.
pub fn last_change(git: &gix::Repository, tip: ObjectId, path: &str) -> Result<Option<CommitInfo>, Error> {
    let sorting = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
    let walk = git.rev_walk([tip]).sorting(sorting).all().map_err(internal)?;
    for step in walk.take(COMMITS) {
        let id = step.map_err(internal)?.id;
        if changed(git, id, path)? {
            return commit(git, id).map(Some);
        }
    }
    Ok(None)
}

/// Whether a commit changed a path against every parent.
fn changed(git: &gix::Repository, id: ObjectId, path: &str) -> Result<bool, Error> {
    let at = |id: ObjectId| -> Result<Option<ObjectId>, Error> {
        Ok(read::lookup(git, read::tree_of(git, id)?, path)?.map(|entry| entry.id))
    };
    let own = at(id)?;
    let parents: Vec<ObjectId> = git.find_commit(id).map_err(internal)?.parent_ids().map(gix::Id::detach).collect();
    if parents.is_empty() {
        return Ok(own.is_some());
    }
    for parent in parents {
        if at(parent)? == own {
            return Ok(false);
        }
    }
    Ok(true)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("the history cannot be read: {error}"))
}
