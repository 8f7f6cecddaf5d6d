//! One bare repository on disk: its facts, its refs as they were last announced,
//! and the handle that reads it. It does not know of other repositories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32};

use contracts::git::{Error, RepositoryId};
use gix::refs::TargetRef;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use super::durable;

/// Version of [`Facts`] that this program writes and the newest it reads.
const FORMAT: u32 = 1;
/// Where the facts are, in the repository's directory.
const FACTS_FILE: &str = "coracle.json";

/// What is kept of a repository beside git's own files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Version of this format.
    pub format: u32,
    /// Number that Gitea's API shows.
    pub number: i64,
    /// User or organisation.
    pub owner: String,
    /// Name.
    pub name: String,
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// Whether only authenticated users may read it.
    #[serde(default)]
    pub private: bool,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When a ref last moved, RFC 3339; empty for never.
    #[serde(default)]
    pub pushed: String,
    /// The `Repository` object that stands for it.
    #[serde(default)]
    pub object: Option<ObjectName>,
    /// Which state of that object these facts follow.
    #[serde(default)]
    pub applied: Option<Applied>,
}

/// A state of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Uid of the object.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
}

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectName {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Facts {
    /// Facts of a repository that is being made.
    pub fn new(id: &RepositoryId, number: i64, created: String) -> Self {
        Facts {
            format: FORMAT,
            number,
            owner: id.owner.clone(),
            name: id.name.clone(),
            description: String::new(),
            private: false,
            created,
            pushed: String::new(),
            object: None,
            applied: None,
        }
    }

    /// Writes the facts into a repository's directory, flushed.
    pub fn write(&self, directory: &Path) -> std::io::Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        durable::replace(&directory.join(FACTS_FILE), &bytes)
    }

    fn read(directory: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(directory.join(FACTS_FILE)).map_err(|error| error.to_string())?;
        let facts: Facts = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if facts.format > FORMAT {
            return Err(format!("it was written by a newer version (format {})", facts.format));
        }
        Ok(facts)
    }
}

/// Full ref names and the objects they point to.
pub type Tips = BTreeMap<String, String>;

/// A bare repository.
pub struct Bare {
    /// Owner and name.
    pub id: RepositoryId,
    /// Its directory.
    pub path: PathBuf,
    /// Held while objects are written and a branch is moved by this process.
    pub writing: Mutex<()>,
    /// Refs as last announced; held while they are compared and announced.
    pub announced: Mutex<Tips>,
    /// Set once its removal has begun.
    pub removed: AtomicBool,
    /// Pushes and commits since it was last tidied.
    pub untidied: AtomicU32,
    facts: RwLock<Facts>,
    git: gix::ThreadSafeRepository,
}

impl Bare {
    /// Opens the repository in `path`.
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        let internal = |why: String| Error::Internal(format!("repository {} cannot be opened: {why}", path.display()));
        let facts = Facts::read(&path).map_err(internal)?;
        let options = gix::open::Options::isolated().open_path_as_is(true).with(gix::sec::Trust::Full);
        let git = options.open(&path).map_err(|error| internal(error.to_string()))?;
        let bare = Bare {
            id: RepositoryId { owner: facts.owner.clone(), name: facts.name.clone() },
            writing: Mutex::new(()),
            announced: Mutex::default(),
            removed: AtomicBool::new(false),
            untidied: AtomicU32::new(0),
            facts: RwLock::new(facts),
            git,
            path,
        };
        *bare.announced.lock() = bare.read_tips()?;
        Ok(bare)
    }

    /// A handle to read with, for one thread.
    pub fn git(&self) -> gix::Repository {
        self.git.to_thread_local()
    }

    /// The facts as they are now.
    pub fn facts(&self) -> Facts {
        self.facts.read().clone()
    }

    /// Whether only authenticated users may read it.
    pub fn is_private(&self) -> bool {
        self.facts.read().private
    }

    /// Changes the facts, on disk first.
    pub fn change_facts(&self, change: impl FnOnce(&mut Facts)) -> Result<(), Error> {
        let mut held = self.facts.write();
        let mut facts = held.clone();
        change(&mut facts);
        if facts != *held {
            facts.write(&self.path).map_err(|error| self.internal(&error))?;
            *held = facts;
        }
        Ok(())
    }

    /// Notes that a ref moved. On disk this is written with the next change of the facts only:
    /// the `Repository` object's status is what keeps it.
    pub fn note_push(&self, at: &str) {
        at.clone_into(&mut self.facts.write().pushed);
    }

    /// The branch that HEAD names.
    pub fn default_branch(&self) -> String {
        let head = std::fs::read_to_string(self.path.join("HEAD")).unwrap_or_default();
        head.trim().strip_prefix("ref: refs/heads/").unwrap_or("main").to_owned()
    }

    /// Makes HEAD name another branch.
    pub fn set_default_branch(&self, branch: &str) -> Result<(), Error> {
        if self.default_branch() == branch {
            return Ok(());
        }
        let head = format!("ref: refs/heads/{branch}\n");
        durable::replace(&self.path.join("HEAD"), head.as_bytes()).map_err(|error| self.internal(&error))
    }

    /// Branches and their commits as last announced.
    pub fn branches(&self) -> Vec<(String, String)> {
        let announced = self.announced.lock();
        let branch =
            |(name, commit): (&String, &String)| Some((name.strip_prefix("refs/heads/")?.into(), commit.clone()));
        announced.iter().filter_map(branch).collect()
    }

    /// The refs as they are on disk.
    pub fn read_tips(&self) -> Result<Tips, Error> {
        let git = self.git();
        let platform = git.references().map_err(|error| self.internal(&error))?;
        let mut tips = Tips::new();
        for reference in platform.all().map_err(|error| self.internal(&error))? {
            match reference {
                Ok(reference) => {
                    if let TargetRef::Object(id) = reference.target() {
                        tips.insert(reference.name().as_bstr().to_string(), id.to_string());
                    }
                }
                Err(error) => tracing::warn!(repository = %self.path.display(), %error, "a ref cannot be read"),
            }
        }
        Ok(tips)
    }

    /// An error of this repository that nobody can act on.
    pub fn internal(&self, error: &dyn std::fmt::Display) -> Error {
        Error::Internal(format!("repository {}/{}: {error}", self.id.owner, self.id.name))
    }
}

/// Writes the files of an empty bare repository into `directory`, which exists, flushed.
pub fn write_empty(directory: &Path, facts: &Facts, default_branch: &str) -> std::io::Result<()> {
    for inner in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        std::fs::create_dir_all(directory.join(inner))?;
    }
    let config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
    durable::write_new(&directory.join("config"), config.as_bytes())?;
    durable::write_new(&directory.join("HEAD"), format!("ref: refs/heads/{default_branch}\n").as_bytes())?;
    facts.write(directory)?;
    for inner in ["objects", "refs", "."] {
        durable::sync_directory(&directory.join(inner))?;
    }
    Ok(())
}
