//! Commits made by this process, without a working tree: builds trees, writes the
//! commit and moves the branch from where the caller saw it, or fails as a whole.
//! It announces nothing; [`super::store`] does.

use std::collections::BTreeMap;
use std::fs::File as DiskFile;
use std::sync::Arc;

use base::{Clock, Ids};
use contracts::git::{Error, File, Mode, NewCommit};
use gix::ObjectId;
use gix::actor::Signature;
use gix::bstr::BString;
use gix::lock::acquire::Fail;
use gix::objs::tree::EntryKind;
use gix::objs::{Commit, Kind, Tree};
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};

use super::bare::Bare;
use super::durable;
use super::objects::{NewObjects, Staged};
use super::read;
use crate::names;
use crate::program::Program;

/// How long another writer's lock on a ref is waited for.
const LOCK_PATIENCE: Fail = Fail::AfterDurationWithBackoff(std::time::Duration::from_secs(2));

/// One change of a tree.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Path of the file.
    pub path: String,
    /// Its new content; `None` removes it.
    pub file: Option<File>,
    /// What must be there before.
    pub expect: Expect,
}

/// What must be at a path before it is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Whatever is there.
    Anything,
    /// Nothing.
    Absent,
    /// A file, with this id unless it is empty.
    File(String),
}

/// Why single changes are refused, for whoever asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The branch to start from does not exist.
    NoBranch(String),
    /// A file that should not be there is.
    Exists(String),
    /// A file that should be there is not.
    Missing(String),
    /// The file is not the one the caller saw.
    Stale {
        /// Path.
        path: String,
        /// What the caller saw.
        expected: String,
        /// What is there.
        actual: String,
    },
    /// A parent of the path is a file, or the path itself is a directory.
    NotAFile(String),
}

/// What a commit of single changes is made with.
pub struct EditCommit {
    /// Branch to move.
    pub branch: String,
    /// Branch to start from, if `branch` does not exist yet.
    pub from: Option<String>,
    /// The changes.
    pub edits: Vec<Edit>,
    /// Who and why.
    pub about: About,
}

/// Who made a commit, and why.
#[derive(Clone, Debug)]
pub struct About {
    /// Author and committer name.
    pub name: String,
    /// Author and committer address.
    pub email: String,
    /// Message.
    pub message: String,
}

/// A commit that is about to be written.
struct Draft {
    branch: String,
    /// Where the branch was when it was looked at.
    before: Option<ObjectId>,
    parent: Option<ObjectId>,
    tree: ObjectId,
    about: About,
}

/// Writes commits. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    /// Makes large packs.
    pub program: Program,
    /// Time of commits.
    pub clock: Clock,
    /// Names of temporary files.
    pub ids: Ids,
}

impl Writer {
    /// Makes `new.files` the content of the branch; says which commit holds it.
    pub fn commit_all(&self, bare: &Arc<Bare>, new: NewCommit) -> Result<String, Error> {
        names::check_branch(&new.branch)?;
        check_files(&new.files)?;
        let _writing = bare.writing.lock();
        let git = bare.git();
        let tip = read::branch(&git, &new.branch)?;
        check_parent(&new, tip)?;
        let mut objects = NewObjects::default();
        let tree = whole_tree(&git, &mut objects, new.files)?;
        let about = About { name: new.author_name, email: new.author_email, message: new.message };
        self.commit_tree(bare, &git, objects, Draft { branch: new.branch, before: tip, parent: tip, tree, about })
    }

    /// Makes single changes on the branch; says which commit holds them.
    pub fn commit_edits(&self, bare: &Arc<Bare>, new: EditCommit) -> Result<Result<String, Refusal>, Error> {
        names::check_branch(&new.branch)?;
        let _writing = bare.writing.lock();
        let git = bare.git();
        let tip = read::branch(&git, &new.branch)?;
        let parent = match (&tip, &new.from) {
            (None, Some(from)) => match read::branch(&git, from)? {
                Some(parent) => Some(parent),
                None => return Ok(Err(Refusal::NoBranch(from.clone()))),
            },
            _ => tip,
        };
        let root = parent.map(|commit| read::tree_of(&git, commit)).transpose()?;
        for edit in &new.edits {
            names::check_file_path(&edit.path)?;
            if let Some(refusal) = check_edit(&git, root, edit)? {
                return Ok(Err(refusal));
            }
        }
        let mut objects = NewObjects::default();
        let tree = edited_tree(&git, &mut objects, root, new.edits)?;
        let draft = Draft { branch: new.branch, before: tip, parent, tree, about: new.about };
        self.commit_tree(bare, &git, objects, draft).map(Ok)
    }

    fn commit_tree(
        &self,
        bare: &Bare,
        git: &gix::Repository,
        mut objects: NewObjects,
        draft: Draft,
    ) -> Result<String, Error> {
        if let Some(parent) = draft.parent
            && read::tree_of(git, parent)? == draft.tree
        {
            if draft.before.is_none() {
                move_branch(bare, git, &draft.branch, None, parent)?;
            }
            return Ok(parent.to_string());
        }
        let commit = self.encode_commit(&draft);
        let id = objects.add_encoded(git, &commit)?;
        let staged = objects.stage(bare, &self.program, &self.ids)?;
        change_branch(bare, git, &draft.branch, draft.before, update(draft.before, id), staged)?;
        Ok(id.to_string())
    }

    fn encode_commit(&self, draft: &Draft) -> Commit {
        let about = &draft.about;
        let time = gix::date::Time { seconds: self.clock.now().as_second(), offset: 0 };
        let signature = Signature { name: one_line(&about.name, "coracle"), email: one_line(&about.email, ""), time };
        let message = format!("{}\n", about.message.trim_end().replace('\0', ""));
        Commit {
            tree: draft.tree,
            parents: draft.parent.into_iter().collect(),
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        }
    }
}

fn one_line(text: &str, otherwise: &str) -> BString {
    let clean: String = text.chars().filter(|character| !matches!(character, '<' | '>' | '\n' | '\r' | '\0')).collect();
    let clean = clean.trim();
    if clean.is_empty() { otherwise.into() } else { clean.into() }
}

fn check_parent(new: &NewCommit, tip: Option<ObjectId>) -> Result<(), Error> {
    let actual = tip.map(|tip| tip.to_string());
    if actual == new.expected_parent {
        return Ok(());
    }
    Err(Error::Moved {
        branch: new.branch.clone(),
        expected: new.expected_parent.clone().unwrap_or_default(),
        actual: actual.unwrap_or_default(),
    })
}

fn check_files(files: &BTreeMap<String, File>) -> Result<(), Error> {
    for path in files.keys() {
        names::check_file_path(path)?;
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        if let Some(parent) = parents.into_iter().find(|parent| files.contains_key(*parent)) {
            return Err(Error::BadPath(format!("{path}: {parent} is a file")));
        }
    }
    Ok(())
}

fn whole_tree(
    git: &gix::Repository,
    objects: &mut NewObjects,
    files: BTreeMap<String, File>,
) -> Result<ObjectId, Error> {
    let mut editor = gix::objs::tree::Editor::new(Tree::empty(), &git.objects, gix::hash::Kind::Sha1);
    for (path, file) in files {
        let id = objects.add(git, Kind::Blob, file.content.into())?;
        editor.upsert(path.split('/'), entry_kind(file.mode), id).map_err(internal)?;
    }
    editor.write(|tree| objects.add_encoded(git, tree))
}

fn check_edit(git: &gix::Repository, root: Option<ObjectId>, edit: &Edit) -> Result<Option<Refusal>, Error> {
    let path = &edit.path;
    if let Some(root) = root {
        for (at, _) in path.match_indices('/') {
            if read::lookup(git, root, &path[..at])?.is_some_and(|entry| entry.kind != EntryKind::Tree) {
                return Ok(Some(Refusal::NotAFile(path[..at].to_owned())));
            }
        }
    }
    let held = root.map(|root| read::lookup(git, root, path)).transpose()?.flatten();
    if held.as_ref().is_some_and(|entry| entry.kind == EntryKind::Tree) {
        return Ok(Some(Refusal::NotAFile(path.clone())));
    }
    Ok(match (&edit.expect, held) {
        (Expect::Absent, Some(_)) => Some(Refusal::Exists(path.clone())),
        (Expect::File(_), None) => Some(Refusal::Missing(path.clone())),
        (Expect::File(expected), Some(entry)) if !expected.is_empty() => {
            let (expected, actual) = (expected.clone(), entry.id.to_string());
            (expected != actual).then(|| Refusal::Stale { path: path.clone(), expected, actual })
        }
        _ => None,
    })
}

fn edited_tree(
    git: &gix::Repository,
    objects: &mut NewObjects,
    root: Option<ObjectId>,
    edits: Vec<Edit>,
) -> Result<ObjectId, Error> {
    let tree = root.map_or_else(|| Ok(Tree::empty()), |root| read::decoded_tree(git, root))?;
    let mut editor = gix::objs::tree::Editor::new(tree, &git.objects, gix::hash::Kind::Sha1);
    for edit in edits {
        let components = edit.path.split('/');
        match edit.file {
            Some(file) => {
                let id = objects.add(git, Kind::Blob, file.content.into())?;
                editor.upsert(components, entry_kind(file.mode), id).map_err(internal)?;
            }
            None => drop(editor.remove(components).map_err(internal)?),
        }
    }
    editor.write(|tree| objects.add_encoded(git, tree))
}

fn entry_kind(mode: Mode) -> EntryKind {
    match mode {
        Mode::File => EntryKind::Blob,
        Mode::Executable => EntryKind::BlobExecutable,
        Mode::Link => EntryKind::Link,
    }
}

/// Moves a branch from `before` to `after` under git's own lock; flushed on return.
pub fn move_branch(
    bare: &Bare,
    git: &gix::Repository,
    branch: &str,
    before: Option<ObjectId>,
    after: ObjectId,
) -> Result<(), Error> {
    change_branch(bare, git, branch, before, update(before, after), Staged::default())
}

fn update(before: Option<ObjectId>, after: ObjectId) -> Change {
    let expected = match before {
        Some(before) => PreviousValue::MustExistAndMatch(Target::Object(before)),
        None => PreviousValue::MustNotExist,
    };
    let log = LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: "commit".into() };
    Change::Update { log, expected, new: Target::Object(after) }
}

/// Removes a branch that is at `before`; flushed on return.
pub fn remove_branch(bare: &Bare, git: &gix::Repository, branch: &str, before: ObjectId) -> Result<(), Error> {
    let expected = PreviousValue::MustExistAndMatch(Target::Object(before));
    let change = Change::Delete { expected, log: RefLog::AndReference };
    change_branch(bare, git, branch, Some(before), change, Staged::default())
}

/// Puts objects in place and moves a branch, in two flushes: everything's content, then
/// everything's names. That a ref's new name is not on disk before those of its objects is left
/// to the file system, which keeps the order of renames, as git itself leaves it.
fn change_branch(
    bare: &Bare,
    git: &gix::Repository,
    branch: &str,
    before: Option<ObjectId>,
    change: Change,
    mut staged: Staged,
) -> Result<(), Error> {
    let full = format!("refs/heads/{branch}");
    let name = FullName::try_from(full.as_str()).map_err(|_| Error::BadName(branch.to_owned()))?;
    let moved = |error: &dyn std::fmt::Display| {
        let actual = read::branch(git, branch).ok().flatten();
        if actual == before {
            return bare.internal(error);
        }
        let text = |id: Option<ObjectId>| id.map(|id| id.to_string()).unwrap_or_default();
        Error::Moved { branch: branch.to_owned(), expected: text(before), actual: text(actual) }
    };
    let flushed = |result: std::io::Result<()>| result.map_err(|error| bare.internal(&error));
    let edit = RefEdit { change, name, deref: false };
    let prepared =
        git.refs.transaction().prepare([edit], LOCK_PATIENCE, LOCK_PATIENCE).map_err(|error| moved(&error))?;
    // The lock file is what becomes the ref.
    let path = bare.path.join(&full);
    let lock = path.with_file_name(format!("{}.lock", branch.rsplit('/').next().unwrap_or(branch)));
    staged.files.extend(DiskFile::open(lock));
    flushed(durable::sync_all(&staged.files))?;
    flushed(staged.place())?;
    prepared.commit(None).map_err(|error| moved(&error))?;
    let refs = bare.path.join("refs");
    let holders = path.ancestors().skip(1).take_while(|holder| holder.starts_with(&refs));
    staged.touched.extend(holders.filter(|holder| holder.is_dir()).map(std::path::Path::to_path_buf));
    flushed(durable::sync_directories(&staged.touched))
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("a tree cannot be built: {error}"))
}
