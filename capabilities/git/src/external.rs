//! Repositories of other servers: looked at and fetched by git into a cache, and
//! read from there. It never writes to another server, and never lets a
//! credential into a command line, an error or the cache.

pub mod remote;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::clock::Stopwatch;
use base::{Clock, Diagnostic, digest};
use contracts::git::{Error, Tree};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::embedded::read::Limits;
use crate::embedded::sources::{blocking, read_tree, resolve};
use crate::forge::Forge;
use crate::program::Program;
use crate::revision::{self, Refs, Resolved};
use remote::{Call, Remote};

/// Answers about refs that are remembered.
const REMEMBERED: usize = 512;

/// Reads other servers' repositories.
pub struct External {
    directory: PathBuf,
    program: Program,
    clock: Clock,
    limits: Limits,
    allow_file: bool,
    timeout: Duration,
    believed_for: Duration,
    turns: Semaphore,
    caches: Mutex<HashMap<String, Arc<Cached>>>,
    refs: Mutex<HashMap<String, (Stopwatch, Arc<Refs>)>>,
}

/// One repository in the cache.
struct Cached {
    path: PathBuf,
    /// Held while it is fetched into.
    fetching: tokio::sync::Mutex<()>,
    /// Held while its refs are asked for, so that many askers share one answer.
    asking: tokio::sync::Mutex<()>,
}

impl External {
    /// A cache in `directory`.
    pub fn new(directory: &Path, forge: &Forge) -> Result<Self, Diagnostic> {
        std::fs::create_dir_all(directory).map_err(|error| {
            Diagnostic::new("unusable-directory", format!("{} cannot be made", directory.display())).detail(error)
        })?;
        let settings = &forge.settings;
        Ok(External {
            directory: directory.to_path_buf(),
            program: forge.program.clone(),
            clock: forge.clock.clone(),
            limits: forge.embedded.limits,
            allow_file: settings.allow_file,
            timeout: Duration::from_secs(settings.external_timeout_secs),
            believed_for: Duration::from_millis(settings.external_refs_millis),
            turns: Semaphore::new(settings.max_external.max(1)),
            caches: Mutex::default(),
            refs: Mutex::default(),
        })
    }

    /// The commit that a revision names there now.
    pub async fn resolve(&self, url: &str, revision: &str) -> Result<String, Error> {
        let remote = Remote::parse(url, self.allow_file)?;
        let no_revision = || Error::NoRevision { url: remote.url.clone(), revision: revision.to_owned() };
        // A commit that is here already needs nobody to be asked.
        if let Resolved::Id(id) = revision::resolve(&Refs::default(), revision) {
            let cached = self.cached(&remote).await?;
            if self.has(&cached, &id).await? {
                return Ok(id);
            }
            self.fetch_commit(&remote, &cached, &id).await?;
            return self.local(&cached, &id).await?.ok_or_else(no_revision);
        }
        let refs = self.refs(&remote).await?;
        match revision::resolve(&refs, revision) {
            Resolved::Commit(id) | Resolved::Id(id) => Ok(id),
            Resolved::Prefix(prefix) => {
                let cached = self.cached(&remote).await?;
                if let Some(id) = self.local(&cached, &prefix).await? {
                    return Ok(id);
                }
                self.fetch_all(&remote, &cached).await?;
                self.local(&cached, &prefix).await?.ok_or_else(no_revision)
            }
            Resolved::Nothing => Err(no_revision()),
        }
    }

    /// The files below a directory of a commit there.
    pub async fn read_tree(&self, url: &str, commit: &str, path: &str) -> Result<Tree, Error> {
        let remote = Remote::parse(url, self.allow_file)?;
        let cached = self.cached(&remote).await?;
        if !self.has(&cached, commit).await? {
            self.fetch_commit(&remote, &cached, commit).await?;
        }
        let (directory, limits, shown) = (cached.path.clone(), self.limits, remote.url.clone());
        let (commit, path) = (commit.to_owned(), path.to_owned());
        blocking(move || read_tree(&open(&directory)?, &shown, &commit, &path, limits)).await
    }

    /// The refs there, asked for at most every few seconds.
    async fn refs(&self, remote: &Remote) -> Result<Arc<Refs>, Error> {
        let key = remote.key();
        if let Some(refs) = self.remembered(&key) {
            return Ok(refs);
        }
        let cached = self.cached(remote).await?;
        let _asking = cached.asking.lock().await;
        if let Some(refs) = self.remembered(&key) {
            return Ok(refs);
        }
        let listing = self.call(remote, &cached.path, &["ls-remote", "--symref", "--", &remote.url]).await?;
        let refs = Arc::new(remote::parse_listing(&listing));
        let mut held = self.refs.lock();
        if held.len() >= REMEMBERED {
            held.clear();
        }
        held.insert(key, (self.clock.stopwatch(), refs.clone()));
        Ok(refs)
    }

    fn remembered(&self, key: &str) -> Option<Arc<Refs>> {
        let held = self.refs.lock();
        let (since, refs) = held.get(key)?;
        (since.elapsed() < self.believed_for).then(|| refs.clone())
    }

    /// The cache of one repository, made if it is not there. Credentials are part of what tells
    /// caches apart: who may not read a repository must not find it here.
    async fn cached(&self, remote: &Remote) -> Result<Arc<Cached>, Error> {
        let key = remote.key();
        let path = self.directory.join(format!("{}.git", &digest::sha256_hex(key.as_bytes())[..32]));
        let cached = {
            let mut caches = self.caches.lock();
            let fresh = || {
                Arc::new(Cached {
                    path,
                    fetching: tokio::sync::Mutex::default(),
                    asking: tokio::sync::Mutex::default(),
                })
            };
            caches.entry(key).or_insert_with(fresh).clone()
        };
        if !cached.path.join("HEAD").is_file() {
            let _fetching = cached.fetching.lock().await;
            self.make(remote, &cached.path).await?;
        }
        Ok(cached)
    }

    async fn make(&self, remote: &Remote, path: &Path) -> Result<(), Error> {
        if path.join("HEAD").is_file() {
            return Ok(());
        }
        let directory = path.to_string_lossy().into_owned();
        self.call(remote, &self.directory, &["init", "--quiet", "--bare", "--", &directory]).await.map(drop)
    }

    async fn has(&self, cached: &Cached, commit: &str) -> Result<bool, Error> {
        Ok(self.local(cached, commit).await?.is_some())
    }

    async fn local(&self, cached: &Cached, revision: &str) -> Result<Option<String>, Error> {
        let (path, revision) = (cached.path.clone(), revision.to_owned());
        blocking(move || resolve(&open(&path)?, &revision)).await
    }

    /// Fetches one commit without its history; where the server hands out only what its refs
    /// reach, everything.
    async fn fetch_commit(&self, remote: &Remote, cached: &Cached, commit: &str) -> Result<(), Error> {
        {
            let _fetching = cached.fetching.lock().await;
            if self.has(cached, commit).await? {
                return Ok(());
            }
            let keep = format!("+{commit}:refs/fetched/{commit}");
            let arguments = ["fetch", "--quiet", "--no-tags", "--depth=1", "--", &remote.url, &keep];
            match self.call(remote, &cached.path, &arguments).await {
                Ok(_) => return Ok(()),
                Err(error) if !remote::is_refused_commit(&error) => return Err(error),
                Err(_) => {}
            }
        }
        self.fetch_all(remote, cached).await?;
        if self.has(cached, commit).await? {
            return Ok(());
        }
        Err(Error::NoRevision { url: remote.url.clone(), revision: commit.to_owned() })
    }

    async fn fetch_all(&self, remote: &Remote, cached: &Cached) -> Result<(), Error> {
        let _fetching = cached.fetching.lock().await;
        let shallow = cached.path.join("shallow").is_file();
        let depth: &[&str] = if shallow { &["--unshallow"] } else { &[] };
        let head = ["fetch", "--quiet", "--prune", "--no-tags"];
        let tail = ["--", &remote.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        let arguments: Vec<&str> = head.iter().chain(depth).chain(&tail).copied().collect();
        self.call(remote, &cached.path, &arguments).await.map(drop)
    }

    async fn call(&self, remote: &Remote, directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, Error> {
        let turn = tokio::time::timeout(self.timeout, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| remote.unreachable("too many fetches are running"))?;
        let call = Call { program: &self.program, directory, arguments, timeout: self.timeout };
        remote.call(call).await
    }
}

fn open(path: &Path) -> Result<gix::Repository, Error> {
    let options = gix::open::Options::isolated().open_path_as_is(true).with(gix::sec::Trust::Full);
    let opened =
        options.open(path).map_err(|error| Error::Internal(format!("the git cache cannot be read: {error}")))?;
    Ok(opened.to_thread_local())
}
