//! Stop 2, notice: the Application controller. A push, a change of an Application, of
//! its project or of a live object calls for it; it observes, decides, acts and
//! reports, with one status write, and none when there is nothing new to say. It
//! must never hold a rule of its own: those are in the pure files beside it.

use std::collections::HashSet;

use client::{Object, ObjectKey};
use contracts::git::{RefChange, RepositoryId};
use controller::{Error, EventKind, Next, Reconciler};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::automation::{self, Decision, Situation};
use crate::compare;
use crate::engine::Engine;
use crate::health::{Health, State};
use crate::observe::{Failure, Observation};
use crate::operation::{self, Worked};
use crate::source::Refresh;
use crate::status::{self, Report};
use crate::stored::{App, REFRESH};
use crate::tracking::Owner;
use crate::types::{DEFAULT_PROJECT, OperationState, Phase};
use crate::{bootstrap, deletion};

impl Reconciler for Engine {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(self.one(key))
    }
}

impl Engine {
    /// Calls for every Application that a push concerns.
    pub fn pushed(&self, change: &RefChange) {
        let apps = self.memory.lock().repositories.get(&change.repository).cloned().unwrap_or_default();
        tracing::debug!(repository = %change.repository.name, reference = %change.reference, apps = apps.len(), "a push was noticed");
        apps.iter().for_each(|app| self.wake(app));
    }

    #[tracing::instrument(level = "debug", name = "notice", skip_all, fields(app = %key))]
    async fn one(&self, key: &ObjectKey) -> Result<Next, Error> {
        let Some(object) = self.stored(key) else {
            self.forget(key);
            return Ok(Next::Done);
        };
        let skips = object.meta.annotations.get("argocd.argoproj.io/skip-reconcile").is_some_and(|word| word == "true");
        if skips || !self.settings.serves(&key.namespace) {
            return Ok(Next::Done);
        }
        let app = App::read(object, &self.settings.namespace)?;
        self.prepare(&app).await?;
        if app.object.meta.is_deleting() {
            deletion::step(self, &app).await?;
            return Ok(Next::Done);
        }
        self.reconcile_app(&app).await
    }

    /// The newest that is known of an Application.
    fn stored(&self, key: &ObjectKey) -> Option<Object> {
        let cached = self.apps.get(key)?;
        let mut memory = self.memory.lock();
        match memory.written.get(key) {
            Some(written)
                if written.meta.uid == cached.meta.uid && written.meta.revision() > cached.meta.revision() =>
            {
                Some(written.clone())
            }
            _ => {
                memory.written.remove(key);
                Some(cached)
            }
        }
    }

    fn forget(&self, key: &ObjectKey) {
        // What it held and left behind is free for those who want it, too.
        let owner = Owner::of(key, &self.settings.namespace);
        self.observer.live.rivals(&owner).iter().filter(|app| *app != key).for_each(|app| self.wake(app));
        self.observer.live.forget(key);
        let mut memory = self.memory.lock();
        memory.written.remove(key);
        for apps in memory.repositories.values_mut() {
            apps.remove(key);
        }
        memory.repositories.retain(|_, apps| !apps.is_empty());
    }

    /// Makes sure of the cluster, and remembers which pushes concern the Application.
    async fn prepare(&self, app: &App) -> Result<(), Error> {
        let cluster = &app.key.cluster;
        let project = ObjectKey::new(cluster, &self.settings.namespace, DEFAULT_PROJECT);
        let needs_it = app.typed.spec.project() == DEFAULT_PROJECT && !app.object.meta.is_deleting();
        if needs_it && self.observer.projects.get(&project).is_none() {
            bootstrap::cluster(&*self.observer.objects, cluster, &self.settings).await?;
        }
        let sources = app.typed.spec.sources();
        let heard: HashSet<RepositoryId> =
            sources.iter().filter_map(|source| self.observer.fetcher.repository(source)).collect();
        let mut memory = self.memory.lock();
        for (_, apps) in memory.repositories.iter_mut().filter(|(id, _)| !heard.contains(id)) {
            apps.remove(&app.key);
        }
        memory.repositories.retain(|_, apps| !apps.is_empty());
        for repository in heard {
            memory.repositories.entry(repository).or_default().insert(app.key.clone());
        }
        Ok(())
    }

    async fn reconcile_app(&self, app: &App) -> Result<Next, Error> {
        let refresh = app.refresh();
        let pinned = operation::pinned_revisions(app);
        let mut observation = self.observer.observe(app, &pinned, refresh).await?;
        let renewed = deletion::keep_finalizers(self, app, &observation).await?;
        let app = renewed.as_ref().unwrap_or(app);
        let mut next = self.patience(app, &observation);
        let work = self.decide(app, &observation);
        let worked = match work {
            Work::None => Worked::untouched(app),
            Work::Wait(pause) => {
                next = sooner(next, pause);
                Worked::untouched(app)
            }
            Work::Refuse(condition) => {
                observation.conditions.push(condition);
                Worked::untouched(app)
            }
            Work::Run(state) => operation::work(self, app, &mut observation, *state).await?,
        };
        if let Some(pause) = worked.again {
            next = sooner(next, pause);
        }
        self.report(app, &observation, &worked, refresh).await?;
        Ok(next)
    }

    /// When to look again for want of an event: nobody tells of pushes to other servers, nor of
    /// their coming back.
    fn patience(&self, app: &App, observation: &Observation) -> Next {
        let is_heard = |source| self.observer.fetcher.repository(source).is_some();
        if app.typed.spec.sources().iter().all(is_heard) || observation.failure == Some(Failure::Spec) {
            return Next::Done;
        }
        Next::After(self.settings.refresh())
    }

    /// What is to be done: go on with an operation, begin the one that was asked for, or begin one.
    fn decide(&self, app: &App, observation: &Observation) -> Work {
        let now = self.clock.now();
        let current = operation::current(app, now);
        let superseded = current.as_ref().is_some_and(|state| operation::is_superseded(state, observation));
        if let Some(state) = current.clone().filter(|_| !superseded) {
            return match operation::pause(&state, now) {
                Some(pause) => Work::Wait(pause),
                None => Work::Run(Box::new(state)),
            };
        }
        if observation.failure.is_some() {
            return Work::None;
        }
        let situation = Situation {
            app: &app.typed,
            sources: app.sources(),
            revisions: &observation.revisions,
            resources: &observation.resources,
            sync: compare::overall(&observation.resources),
            now,
        };
        match (automation::decide(&situation), current) {
            (Decision::Start(operation), _) => Work::Run(Box::new(operation::begin(*operation, now))),
            (_, Some(state)) => Work::Run(Box::new(OperationState { phase: Phase::Terminating, ..state })),
            (other, None) => Work::from(other),
        }
    }

    /// Writes what is new, once, and tells of it.
    async fn report(
        &self,
        app: &App,
        observation: &Observation,
        worked: &Worked,
        refresh: Refresh,
    ) -> Result<(), Error> {
        let new = self.status(app, observation, worked);
        let old = status::stored(&app.raw);
        let mut patch = status::patch(&old, &new, app.operation(), worked.operation());
        if refresh != Refresh::None {
            let patch = patch.get_or_insert_with(|| json!({"status": {"reconciledAt": new["reconciledAt"]}}));
            patch["metadata"]["annotations"][REFRESH] = Value::Null;
        }
        let Some(patch) = patch else { return Ok(()) };
        let written = app.write(&*self.observer.objects, patch).await?;
        self.memory.lock().written.insert(app.key.clone(), written);
        self.tell(app, worked, &old, &new).await;
        Ok(())
    }

    fn status(&self, app: &App, observation: &Observation, worked: &Worked) -> Value {
        let resources = observation.failure.is_none().then_some(observation.resources.as_slice());
        let mut conditions = observation.conditions.clone();
        conditions.extend(compare::shared_conditions(&observation.resources, &app.owner));
        let health = match observation.failure {
            None => compare::overall_health(&observation.resources, &app.resource_key()),
            Some(Failure::Comparison) => last_health(&app.typed.status.health.status),
            Some(Failure::Spec) => Health::of(State::Unknown),
        };
        status::build(&Report {
            app: &app.typed,
            spec: app.raw.get("spec").unwrap_or(&Value::Null),
            status: app.raw.get("status").unwrap_or(&Value::Null),
            sync: resources.map(compare::overall),
            revisions: &observation.revisions,
            health,
            resources,
            conditions,
            operation_state: worked.state.as_ref(),
            is_deployed: worked.is_deployed,
            source_types: observation.source_types.clone(),
            controller_namespace: &self.settings.namespace,
            resource_health: self.settings.resource_health,
            now: self.clock.now(),
        })
    }

    /// Events on the Application, in Argo CD's words.
    async fn tell(&self, app: &App, worked: &Worked, old: &Value, new: &Value) {
        for (kind, reason, message) in worked.events(app) {
            self.recorder.record(&app.object, kind, reason, "", &message).await;
        }
        let (old_sync, old_health) = status::words(old);
        let (new_sync, new_health) = status::words(new);
        for (what, before, after) in [("sync", old_sync, new_sync), ("health", old_health, new_health)] {
            if before != after {
                let message = format!("Updated {what} status: {before} -> {after}");
                self.recorder.record(&app.object, EventKind::Normal, "ResourceUpdated", "", &message).await;
            }
        }
    }
}

/// What a reconcile does beside reporting.
enum Work {
    None,
    Wait(std::time::Duration),
    Refuse(crate::types::Condition),
    Run(Box<OperationState>),
}

impl From<Decision> for Work {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Rest | Decision::Start(_) => Work::None,
            Decision::Wait(pause) => Work::Wait(pause),
            Decision::Refuse(condition) => Work::Refuse(condition),
        }
    }
}

/// The sooner of two times to look again.
fn sooner(next: Next, pause: std::time::Duration) -> Next {
    match next {
        Next::After(other) if other < pause => next,
        _ => Next::After(pause),
    }
}

/// Health that was last reported: what is not known to have changed is not said to have.
fn last_health(word: &str) -> Health {
    let state = match word {
        "Healthy" => State::Healthy,
        "Suspended" => State::Suspended,
        "Progressing" => State::Progressing,
        "Missing" => State::Missing,
        "Degraded" => State::Degraded,
        _ => State::Unknown,
    };
    Health::of(state)
}
