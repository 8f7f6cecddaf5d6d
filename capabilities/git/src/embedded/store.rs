//! All bare repositories of this server: finds, makes and removes them, and
//! announces when their refs move. It knows neither HTTP nor objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::{Clock, Ids};
use contracts::git::{Error, NewRepository, RefChange, RepositoryId};
use parking_lot::{Mutex, RwLock};
use tokio::sync::broadcast;

use super::bare::{Bare, Facts, Tips, write_empty};
use super::{durable, leftovers};
use crate::names;

/// Pushes that a slow listener may be behind before it has to look for itself.
const PUSHES_HELD: usize = 1024;

/// Refs that moved together, by one push or commit.
#[derive(Clone)]
pub struct Push {
    /// Where.
    pub repository: Arc<Bare>,
    /// Who did it.
    pub actor: String,
    /// When, RFC 3339.
    pub at: String,
    /// What moved; never empty.
    pub changes: Vec<RefChange>,
}

/// The repositories.
pub struct Store {
    repositories: PathBuf,
    trash: PathBuf,
    clock: Clock,
    ids: Ids,
    entries: RwLock<BTreeMap<String, Arc<Bare>>>,
    making: Mutex<()>,
    pushes: broadcast::Sender<Arc<Push>>,
}

impl Store {
    /// Opens what is in `directory`, and clears away what a killed server left half done.
    pub fn open(directory: &Path, clock: Clock, ids: Ids) -> Result<Self, Error> {
        let store = Store {
            repositories: directory.join("repositories"),
            trash: directory.join("trash"),
            clock,
            ids,
            entries: RwLock::default(),
            making: Mutex::new(()),
            pushes: broadcast::Sender::new(PUSHES_HELD),
        };
        let internal = |error: std::io::Error| Error::Internal(format!("{}: {error}", directory.display()));
        fs::create_dir_all(&store.repositories).map_err(internal)?;
        let _ = fs::remove_dir_all(&store.trash);
        fs::create_dir_all(&store.trash).map_err(internal)?;
        let mut entries = store.entries.write();
        for path in leftovers::repositories(&store.repositories).map_err(internal)? {
            leftovers::clear(&path);
            match Bare::open(path.clone()) {
                Ok(bare) => drop(entries.insert(names::key(&bare.id), Arc::new(bare))),
                Err(error) => tracing::error!(path = %path.display(), %error, "a repository cannot be served"),
            }
        }
        drop(entries);
        Ok(store)
    }

    /// A repository, whatever the case of its names.
    pub fn get(&self, id: &RepositoryId) -> Option<Arc<Bare>> {
        let entries = self.entries.read();
        entries.get(&names::key(id)).filter(|bare| !bare.removed.load(Ordering::Acquire)).cloned()
    }

    /// A repository, or the error that says it does not exist.
    pub fn require(&self, id: &RepositoryId) -> Result<Arc<Bare>, Error> {
        self.get(id).ok_or_else(|| Error::NoRepository(format!("{}/{}", id.owner, id.name)))
    }

    /// Every repository, by owner and name.
    pub fn all(&self) -> Vec<Arc<Bare>> {
        let entries = self.entries.read();
        entries.values().filter(|bare| !bare.removed.load(Ordering::Acquire)).cloned().collect()
    }

    /// Makes a repository unless it exists; says whether it made it. Either all of it is
    /// there afterwards or nothing.
    pub fn create(&self, new: &NewRepository) -> Result<(Arc<Bare>, bool), Error> {
        names::check_repository(&new.id)?;
        names::check_branch(&new.default_branch)?;
        let _making = self.making.lock();
        let key = names::key(&new.id);
        let held = self.entries.read().get(&key).cloned();
        match held {
            Some(bare) if bare.removed.load(Ordering::Acquire) => {
                return Err(bare.internal(&"it is being removed"));
            }
            Some(bare) => return Ok((bare, false)),
            None => {}
        }
        let number = self.entries.read().values().map(|bare| bare.facts().number).max().unwrap_or(0) + 1;
        let mut facts = Facts::new(&new.id, number, self.clock.now_rfc3339());
        facts.description.clone_from(&new.description);
        facts.private = new.private;
        let path = self.make_directory(new, &facts).map_err(|error| Error::Internal(error.to_string()))?;
        let bare = Arc::new(Bare::open(path)?);
        self.entries.write().insert(key, bare.clone());
        Ok((bare, true))
    }

    fn make_directory(&self, new: &NewRepository, facts: &Facts) -> std::io::Result<PathBuf> {
        let owner = self.repositories.join(&new.id.owner);
        let path = owner.join(format!("{}.git", new.id.name));
        let temporary = self.trash.join(self.ids.token_hex(8));
        fs::create_dir_all(&owner)?;
        fs::create_dir(&temporary)?;
        write_empty(&temporary, facts, &new.default_branch)?;
        fs::rename(&temporary, &path)?;
        durable::sync_directory(&owner)?;
        durable::sync_directory(&self.repositories)?;
        Ok(path)
    }

    /// Hides a repository from now on, before its object and its files go. `false` if there is none.
    pub fn begin_removal(&self, id: &RepositoryId) -> bool {
        let entries = self.entries.read();
        entries.get(&names::key(id)).is_some_and(|bare| !bare.removed.swap(true, Ordering::AcqRel))
    }

    /// Takes back [`Store::begin_removal`].
    pub fn cancel_removal(&self, id: &RepositoryId) {
        if let Some(bare) = self.entries.read().get(&names::key(id)) {
            bare.removed.store(false, Ordering::Release);
        }
    }

    /// Removes the files of a repository; absent is fine.
    pub fn remove(&self, id: &RepositoryId) -> Result<(), Error> {
        let _making = self.making.lock();
        let Some(bare) = self.entries.read().get(&names::key(id)).cloned() else { return Ok(()) };
        bare.removed.store(true, Ordering::Release);
        let _writing = bare.writing.lock();
        let doomed = self.trash.join(self.ids.token_hex(8));
        fs::rename(&bare.path, &doomed).map_err(|error| bare.internal(&error))?;
        self.entries.write().remove(&names::key(id));
        if let Some(owner) = bare.path.parent() {
            durable::sync_directory(owner).map_err(|error| bare.internal(&error))?;
        }
        if let Err(error) = fs::remove_dir_all(&doomed) {
            // A process that still reads in there; the next start clears the rest.
            tracing::debug!(%error, "a removed repository is not cleared away yet");
        }
        let gone: Vec<RefChange> = compare(&bare, &bare.announced.lock(), &Tips::new());
        self.publish(&bare, "", gone);
        Ok(())
    }

    /// Compares the refs with what was announced last, and announces what moved.
    pub fn announce(&self, bare: &Arc<Bare>, actor: &str) -> Result<Vec<RefChange>, Error> {
        let mut announced = bare.announced.lock();
        let tips = bare.read_tips()?;
        let changes = compare(bare, &announced, &tips);
        if !changes.is_empty() {
            *announced = tips;
            bare.untidied.fetch_add(1, Ordering::Relaxed);
            self.publish(bare, actor, changes.clone());
        }
        Ok(changes)
    }

    fn publish(&self, bare: &Arc<Bare>, actor: &str, changes: Vec<RefChange>) {
        if changes.is_empty() {
            return;
        }
        let at = self.clock.now_rfc3339();
        bare.note_push(&at);
        // An error means that nobody listens.
        let _ = self.pushes.send(Arc::new(Push { repository: bare.clone(), actor: actor.to_owned(), at, changes }));
    }

    /// Every push from now on. Who lags behind must look at [`Store::all`] instead.
    pub fn pushes(&self) -> broadcast::Receiver<Arc<Push>> {
        self.pushes.subscribe()
    }
}

fn compare(bare: &Bare, before: &Tips, after: &Tips) -> Vec<RefChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let moved = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let git = bare.git();
    let commit = |name: &str, tips: &Tips| {
        let id = tips.get(name).cloned().unwrap_or_default();
        if name.starts_with("refs/tags/") { peel(&git, &id).unwrap_or(id) } else { id }
    };
    moved
        .map(|name| RefChange {
            repository: bare.id.clone(),
            reference: name.clone(),
            before: commit(name, before),
            after: commit(name, after),
        })
        .collect()
}

fn peel(git: &gix::Repository, id: &str) -> Option<String> {
    let id = gix::ObjectId::from_hex(id.as_bytes()).ok()?;
    let object = git.try_find_object(id).ok()??.peel_tags_to_end().ok()?;
    Some(object.id.to_string())
}
