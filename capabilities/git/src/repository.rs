//! Push-to-url, stop 2: notice. The controller of `Repository`: an object makes
//! and removes a repository, a repository on disk makes its object, and a push
//! becomes the object's status and an event. It writes no git data.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use api::ClusterName;
use client::{Cache, Object, ObjectKey, Objects, Target};
use contracts::git::{NewRepository, RepositoryId};
use controller::{Condition, Controller, Error, EventKind, Handle, Next, Reconciler, Recorder};
use controller::{condition, finalizer, place, report};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::sync::broadcast::error::RecvError;

use crate::embedded::bare::{Bare, ObjectName};
use crate::embedded::sources::blocking;
use crate::embedded::store::{Push, Store};
use crate::forge::Forge;
use crate::kinds::{self, Branch, FINALIZER, Repository};
use crate::names;
use crate::records::{self, Records};

/// Branches that a status lists.
const BRANCHES: usize = 100;

/// Brings objects and repositories to agree.
pub struct Repositories {
    forge: Arc<Forge>,
    objects: Arc<dyn Objects>,
    cache: Cache,
    target: Target,
}

/// What there is of one repository.
enum Observed {
    /// Neither object nor repository.
    Nothing,
    /// A repository without an object.
    OnDisk(Arc<Bare>),
    /// An object that is to go.
    Leaving(Object),
    /// An object that is to stay.
    Wanted(Object),
}

impl Repositories {
    /// Starts the controller and the recorder of pushes.
    pub fn start(forge: &Arc<Forge>, objects: &Arc<dyn Objects>, recorder: Recorder) -> Handle {
        let tasks = forge.tasks.clone();
        let target = Target::cluster(&ClusterName::root(), &kinds::repositories());
        let cache = Cache::start(objects.clone(), target.clone(), &tasks);
        let store = forge.embedded.store.clone();
        let reconciler = Repositories { forge: forge.clone(), objects: objects.clone(), cache: cache.clone(), target };
        let handle = Controller::new("git repositories", Arc::new(reconciler))
            .owns(&cache)
            .triggered_by(pushed_keys(store.clone()))
            .start(&tasks);
        tasks.spawn("git push events", record_pushes(store, cache, recorder));
        handle
    }

    fn observe(&self, key: &ObjectKey) -> Observed {
        match self.cache.get(key) {
            Some(object) if object.meta.is_deleting() => Observed::Leaving(object),
            Some(object) => Observed::Wanted(object),
            None => {
                let all = self.forge.embedded.store.all();
                all.into_iter().find(|bare| Records::key(bare) == *key).map_or(Observed::Nothing, Observed::OnDisk)
            }
        }
    }

    /// The repository that is known to be this object's.
    fn bound(&self, key: &ObjectKey) -> Option<Arc<Bare>> {
        let is_own = |own: ObjectName| *own.namespace == *key.namespace && *own.name == *key.name;
        self.forge.embedded.store.all().into_iter().find(|bare| bare.facts().object.is_some_and(is_own))
    }

    /// An object that is to go takes its repository with it, unless that is another object's.
    async fn leave(&self, object: &Object) -> Result<(), Error> {
        if !finalizer::has(object, FINALIZER) {
            return Ok(());
        }
        if let Some(bare) = self.bound(&ObjectKey::of(object)) {
            let (store, id) = (self.forge.embedded.store.clone(), bare.id.clone());
            blocking(move || store.remove(&id)).await?;
        }
        Ok(finalizer::remove(&*self.objects, &self.target, object, FINALIZER).await?)
    }

    async fn keep(&self, object: Object) -> Result<(), Error> {
        let parsed: Repository = object.parse()?;
        let found = match self.id(&object) {
            Ok(id) => self.bring_about(&object, &parsed, &id).await?,
            Err(why) => Err(Trouble { reason: "InvalidName", message: why.to_string() }),
        };
        let now = self.forge.clock.now_rfc3339();
        let status = match &found {
            Ok(bare) => decide(&parsed, object.meta.generation, &facts(&self.forge, bare), &now),
            Err(trouble) => refuse(&parsed, object.meta.generation, trouble, &now),
        };
        let status = serde_json::to_value(status)?;
        report::status_if_changed(&*self.objects, &self.target, &object, status).await?;
        Ok(())
    }

    /// Makes the repository what the object says. The outer error is worth a retry, the inner
    /// one is for the object's owner.
    async fn bring_about(
        &self,
        object: &Object,
        parsed: &Repository,
        id: &RepositoryId,
    ) -> Result<Result<Arc<Bare>, Trouble>, Error> {
        if !finalizer::has(object, FINALIZER) {
            finalizer::add(&*self.objects, &self.target, object, FINALIZER).await?;
        }
        if let Some(bare) = self.bound(&ObjectKey::of(object)).filter(|bare| names::key(&bare.id) != names::key(id)) {
            let message = format!("It stands for {}/{}, which cannot be renamed.", bare.id.owner, bare.id.name);
            return Ok(Err(Trouble { reason: "Renamed", message }));
        }
        let bare = match self.forge.embedded.store.get(id) {
            Some(bare) => bare,
            None => match self.make(object, parsed, id).await? {
                Ok(bare) => bare,
                Err(trouble) => return Ok(Err(trouble)),
            },
        };
        let key = ObjectKey::of(object);
        let own = ObjectName { namespace: key.namespace.to_string(), name: key.name.to_string() };
        if let Some(other) = bare.facts().object.filter(|other| *other != own) {
            let place = ObjectKey::new(&key.cluster, &other.namespace, &other.name);
            if self.cache.get(&place).is_some() {
                let message = format!("{}/{} is described by Repository {place}.", id.owner, id.name);
                return Ok(Err(Trouble { reason: "Conflict", message }));
            }
        }
        let (held, object) = (bare.clone(), object.clone());
        let applied = blocking(move || records::apply(&held, &object)).await;
        Ok(match applied {
            Ok(()) => Ok(bare),
            Err(error @ contracts::git::Error::BadName(_)) => {
                Err(Trouble { reason: "InvalidBranch", message: error.to_string() })
            }
            Err(error) => return Err(error.into()),
        })
    }

    /// Makes the repository of an object, after asking whether the object is still wanted: what
    /// the cache shows may be older than a removal.
    async fn make(
        &self,
        object: &Object,
        parsed: &Repository,
        id: &RepositoryId,
    ) -> Result<Result<Arc<Bare>, Trouble>, Error> {
        let target = place::of(&self.target, object);
        let newest = self.objects.get(&target, &object.meta.name).await?;
        if newest.meta.is_deleting() || newest.meta.uid != object.meta.uid {
            return Err(Error::msg("the object is being deleted"));
        }
        let default_branch = match parsed.spec.default_branch.as_str() {
            "" => "main".to_owned(),
            branch => branch.to_owned(),
        };
        let new = NewRepository {
            id: id.clone(),
            description: parsed.spec.description.clone(),
            private: parsed.spec.private,
            default_branch,
        };
        let store = self.forge.embedded.store.clone();
        match blocking(move || store.create(&new)).await {
            Ok((bare, _)) => Ok(Ok(bare)),
            Err(error @ contracts::git::Error::BadName(_)) => {
                Ok(Err(Trouble { reason: "InvalidName", message: error.to_string() }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The repository that an object describes.
    fn id(&self, object: &Object) -> Result<RepositoryId, Error> {
        let spec = object.parse::<Repository>()?.spec;
        let administrator = || self.forge.users.administrator().map(|account| account.login);
        let owner = match spec.owner.as_str() {
            "" => administrator().unwrap_or_else(|| kinds::ADMINISTRATOR.to_owned()),
            owner => owner.to_owned(),
        };
        let name = if spec.name.is_empty() { object.meta.name.clone() } else { spec.name };
        let id = RepositoryId { owner, name };
        names::check_repository(&id)?;
        Ok(id)
    }
}

impl Reconciler for Repositories {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            match self.observe(key) {
                Observed::Nothing => {}
                Observed::OnDisk(bare) if bare.removed.load(Ordering::Acquire) => {}
                Observed::OnDisk(bare) => self.forge.records.create(&bare).await?,
                Observed::Leaving(object) => self.leave(&object).await?,
                Observed::Wanted(object) => self.keep(object).await?,
            }
            Ok(Next::Done)
        })
    }
}

/// Why an object cannot be brought about until its owner changes it.
struct Trouble {
    reason: &'static str,
    message: String,
}

/// What a status says of a repository.
struct Found {
    clone_url: String,
    head: String,
    branches: Vec<(String, String)>,
    pushed: String,
}

fn facts(forge: &Forge, bare: &Bare) -> Found {
    Found {
        clone_url: forge.address.clone_url(&bare.id),
        head: bare.default_branch(),
        branches: bare.branches(),
        pushed: bare.facts().pushed,
    }
}

fn decide(parsed: &Repository, generation: i64, found: &Found, now: &str) -> kinds::Status {
    let revision = found.branches.iter().find(|(name, _)| *name == found.head).map(|(_, commit)| commit.clone());
    let branch = |(name, commit): &(String, String)| Branch { name: name.clone(), commit: commit.clone() };
    let ready = Condition::new("Ready", true, "Served", "The repository is served.").observed(generation);
    let mut conditions = parsed.status.conditions.clone();
    condition::set(&mut conditions, &ready, now);
    kinds::Status {
        clone_url: found.clone_url.clone(),
        head: found.head.clone(),
        revision: revision.unwrap_or_default(),
        branches: found.branches.iter().take(BRANCHES).map(branch).collect(),
        more_branches: found.branches.len().saturating_sub(BRANCHES),
        last_push: if found.pushed.is_empty() { parsed.status.last_push.clone() } else { found.pushed.clone() },
        observed_generation: generation,
        conditions,
    }
}

fn refuse(parsed: &Repository, generation: i64, trouble: &Trouble, now: &str) -> kinds::Status {
    let mut status = parsed.status.clone();
    let ready = Condition::new("Ready", false, trouble.reason, trouble.message.clone()).observed(generation);
    condition::set(&mut status.conditions, &ready, now);
    status.observed_generation = generation;
    status
}

/// The keys of repositories that are there at first and that were pushed to since.
fn pushed_keys(store: Arc<Store>) -> BoxStream<'static, ObjectKey> {
    let every =
        |store: &Store| futures::stream::iter(store.all().iter().map(|bare| Records::key(bare)).collect::<Vec<_>>());
    let pushes = store.pushes();
    let first = every(&store);
    let later = futures::stream::unfold((pushes, store), move |(mut pushes, store)| async move {
        let keys = match pushes.recv().await {
            Ok(push) => futures::stream::iter(vec![Records::key(&push.repository)]),
            // Too many to hear one by one: look at all of them.
            Err(RecvError::Lagged(_)) => every(&store),
            Err(RecvError::Closed) => return None,
        };
        Some((keys, (pushes, store)))
    });
    first.chain(later.flatten()).boxed()
}

async fn record_pushes(store: Arc<Store>, cache: Cache, recorder: Recorder) {
    let mut pushes = store.pushes();
    cache.ready().await;
    loop {
        match pushes.recv().await {
            Ok(push) => {
                if let Some(object) = cache.get(&Records::key(&push.repository)) {
                    recorder.record(&object, EventKind::Normal, "Pushed", "Push", &describe(&push)).await;
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn describe(push: &Push) -> String {
    let short = |id: &str| id.get(..8).unwrap_or(id).to_owned();
    let moves = push.changes.iter().take(5).map(|change| {
        let name = change.reference.trim_start_matches("refs/heads/").trim_start_matches("refs/");
        match (change.before.as_str(), change.after.as_str()) {
            ("", after) => format!("{name} is new at {}", short(after)),
            (_, "") => format!("{name} was deleted"),
            (before, after) => format!("{name} moved from {} to {}", short(before), short(after)),
        }
    });
    let moves: Vec<String> = moves.collect();
    let more = push.changes.len().saturating_sub(moves.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let actor = if push.actor.is_empty() { "somebody" } else { &push.actor };
    format!("{actor} pushed: {}{more}.", moves.join(", "))
}
