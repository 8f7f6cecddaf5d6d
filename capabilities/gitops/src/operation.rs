//! One sync operation from its beginning to its end, over as many reconciles as it
//! has to wait for. What it has done stands in `status.operationState`, so that a
//! new process goes on where an old one was killed. It must never begin by itself.

use std::sync::Arc;
use std::time::Duration;

use api::{ClusterName, Gvk};
use controller::{Error, EventKind};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::automation;
use crate::compare::{self, Resource, Sync};
use crate::engine::Engine;
use crate::hooks::{self, Instance, Naming};
use crate::manifests::Place;
use crate::observe::Observation;
use crate::options::SyncOptions;
use crate::plan::{self, Wish};
use crate::resource::{Key, Live};
use crate::status::rfc3339;
use crate::stored::App;
use crate::sync::{self, Run};
use crate::types::{Operation, OperationState, Phase, SyncOperation, SyncResult};

/// What became of an operation in one reconcile.
pub struct Worked {
    /// The operation's state to report; `None` to leave what was reported.
    pub state: Option<OperationState>,
    /// Whether it began in this reconcile.
    pub has_begun: bool,
    /// Whether it came to its end in this reconcile.
    pub has_ended: bool,
    /// Whether it counts as a deployment.
    pub is_deployed: bool,
    /// When to go on for want of an event.
    pub again: Option<Duration>,
}

impl Worked {
    /// Nothing was done.
    pub fn untouched(app: &App) -> Self {
        let state = app.typed.status.operation_state.clone();
        Worked { state, has_begun: false, has_ended: false, is_deployed: false, again: None }
    }

    /// The operation that stays on the object.
    pub fn operation(&self) -> Option<&Operation> {
        let state = self.state.as_ref().filter(|state| !state.phase.is_completed())?;
        Some(&state.operation)
    }

    /// What there is to tell.
    pub fn events(&self, app: &App) -> Vec<(EventKind, &'static str, String)> {
        let Some(state) = &self.state else { return Vec::new() };
        let revision = state.sync_result.as_ref().map(result_revision).unwrap_or_default();
        let mut events = Vec::new();
        if self.has_begun {
            let message = match state.operation.initiated_by.username.as_str() {
                _ if state.operation.initiated_by.automated => format!("Initiated automated sync to '{revision}'"),
                "" => format!("Unknown user initiated sync to {revision}"),
                user => format!("{user} initiated sync to {revision}"),
            };
            events.push((EventKind::Normal, "OperationStarted", message));
        }
        if self.has_ended {
            let is_partial = state.operation.sync.as_ref().is_some_and(|sync| !sync.resources.is_empty());
            let what = if is_partial { "Partial sync operation" } else { "Sync operation" };
            let (kind, word) = match state.phase {
                Phase::Succeeded => (EventKind::Normal, "succeeded".to_owned()),
                _ => (EventKind::Warning, format!("failed: {}", state.message)),
            };
            events.push((kind, "OperationCompleted", format!("{what} to {revision} {word}")));
            tracing::info!(app = %app.key, phase = ?state.phase, "a sync ended");
        }
        events
    }
}

fn result_revision(result: &SyncResult) -> String {
    if result.revisions.is_empty() { result.revision.clone() } else { result.revisions.join(", ") }
}

/// A new operation.
pub fn begin(operation: Operation, now: Timestamp) -> OperationState {
    OperationState { operation, started_at: rfc3339(now), ..OperationState::default() }
}

/// The operation that is under way or asked for. One that was taken off the object while it was
/// under way is over.
pub fn current(app: &App, now: Timestamp) -> Option<OperationState> {
    let running = app.typed.status.operation_state.as_ref().filter(|state| !state.phase.is_completed());
    match (&app.typed.operation, running) {
        (Some(_), Some(state)) => Some(state.clone()),
        (Some(operation), None) => Some(begin(operation.clone(), now)),
        (None, Some(state)) => Some(OperationState { phase: Phase::Terminating, ..state.clone() }),
        (None, None) => None,
    }
}

/// The revisions that an operation is bound to: those it began with, or those it asks for.
pub fn pinned_revisions(app: &App) -> Vec<String> {
    let running = app.typed.status.operation_state.as_ref().filter(|state| !state.phase.is_completed());
    let Some(operation) = &app.typed.operation else { return Vec::new() };
    // What begins by itself follows the branch, so that a newer commit can take its place, but not
    // while a hook runs: a migration that is cut off half way is worse than one that comes late.
    if running.is_some_and(|state| !has_running_hook(state)) && operation.initiated_by.automated {
        return Vec::new();
    }
    let begun = running.and_then(|state| state.sync_result.as_ref());
    if let Some(result) = begun.filter(|result| !result.revision.is_empty() || !result.revisions.is_empty()) {
        return if result.revisions.is_empty() { vec![result.revision.clone()] } else { result.revisions.clone() };
    }
    let Some(sync) = &operation.sync else { return Vec::new() };
    if app.typed.spec.has_multiple_sources() { sync.revisions.clone() } else { vec![sync.revision.clone()] }
}

fn has_running_hook(state: &OperationState) -> bool {
    let results = state.sync_result.iter().flat_map(|result| &result.resources);
    results.into_iter().any(|result| !result.hook_type.is_empty() && result.hook_phase == "Running")
}

/// Whether an automated operation is under way for other revisions than those wanted now. It would
/// wait, or be tried again, for something that nobody wants any more: the newer commit is often
/// just what mends it.
pub fn is_superseded(state: &OperationState, observation: &Observation) -> bool {
    let Some(result) = state.sync_result.as_ref().filter(|_| state.operation.initiated_by.automated) else {
        return false;
    };
    let begun = if result.revisions.is_empty() { std::slice::from_ref(&result.revision) } else { &result.revisions };
    observation.failure.is_none() && begun != observation.revisions
}

/// The time that is left before a failed attempt is made again.
pub fn pause(state: &OperationState, now: Timestamp) -> Option<Duration> {
    if state.phase != Phase::Running || state.retry_count == 0 {
        return None;
    }
    let failed: Timestamp = state.finished_at.as_deref()?.parse().ok()?;
    let wait = automation::retry_after(&state.operation.retry, state.retry_count - 1)?;
    let elapsed_secs = u64::try_from(now.as_second().saturating_sub(failed.as_second())).unwrap_or(0);
    wait.checked_sub(Duration::from_secs(elapsed_secs)).filter(|left| !left.is_zero())
}

/// Does what can be done of an operation now, and looks at what came of it.
pub async fn work(
    engine: &Engine,
    app: &App,
    observation: &mut Observation,
    mut state: OperationState,
) -> Result<Worked, Error> {
    let now = engine.clock.now();
    let has_begun = state.sync_result.is_none();
    if state.phase == Phase::Terminating {
        let why = match observation.revisions.first() {
            Some(revision) if is_superseded(&state, observation) => format!("Operation superseded by {revision}"),
            _ => "Operation terminated".to_owned(),
        };
        return Ok(match terminate(engine, app, observation, &mut state).await {
            true => ended(state, Phase::Failed, &why, now, has_begun),
            false => ended(state, Phase::Error, "Operation termination had errors", now, has_begun),
        });
    }
    let Some(sync) = state.operation.sync.clone() else {
        return Ok(ended(state, Phase::Error, "Invalid operation request", now, has_begun));
    };
    if observation.failure.is_some() {
        if !has_begun {
            // What was begun goes on when what is wanted is known again.
            return Ok(Worked { state: Some(state), has_begun, has_ended: false, is_deployed: false, again: None });
        }
        let why: Vec<String> =
            observation.conditions.iter().map(|held| format!("{}: {}", held.kind, held.message)).collect();
        return Ok(ended(state, Phase::Error, &why.join("; "), now, has_begun));
    }
    let progress = attempt(engine, app, observation, &state, &sync).await?;
    state.sync_result = Some(result(app, observation, &state, progress.results));
    if !sync.dry_run {
        engine.observer.look(app, observation).await?;
    }
    if progress.phase == Phase::Running {
        state.message = progress.message;
        state.finished_at = None;
        return Ok(Worked { state: Some(state), has_begun, has_ended: false, is_deployed: false, again: None });
    }
    if progress.phase == Phase::Failed
        && let Some(wait) = automation::retry_after(&state.operation.retry, state.retry_count)
    {
        return Ok(again(state, &progress.message, wait, now, has_begun));
    }
    let message = match (progress.phase, state.retry_count) {
        (Phase::Failed, retries) if retries > 0 => format!("{} (retried {retries} times).", progress.message),
        _ => progress.message,
    };
    let mut worked = ended(state, progress.phase, &message, now, has_begun);
    worked.is_deployed = progress.phase == Phase::Succeeded && !sync.dry_run && sync.resources.is_empty();
    Ok(worked)
}

fn ended(mut state: OperationState, phase: Phase, message: &str, now: Timestamp, has_begun: bool) -> Worked {
    state.phase = phase;
    state.message = message.to_owned();
    state.finished_at = Some(rfc3339(now));
    Worked { state: Some(state), has_begun, has_ended: true, is_deployed: false, again: None }
}

/// A failed attempt that is made again: a timer, because nothing tells when it would succeed.
fn again(mut state: OperationState, why: &str, wait: Duration, now: Timestamp, has_begun: bool) -> Worked {
    let at = now.checked_add(jiff::SignedDuration::try_from(wait).unwrap_or_default()).unwrap_or(now);
    state.retry_count += 1;
    state.message = format!("{why}. Retrying attempt #{} at {}.", state.retry_count, at.strftime("%-I:%M%p"));
    state.finished_at = Some(rfc3339(now));
    Worked { state: Some(state), has_begun, has_ended: false, is_deployed: false, again: Some(wait) }
}

async fn attempt(
    engine: &Engine,
    app: &App,
    observation: &mut Observation,
    state: &OperationState,
    sync: &SyncOperation,
) -> Result<sync::Progress, Error> {
    let options = SyncOptions::of(&[&app.typed.spec.sync_policy.sync_options, &sync.sync_options]);
    let namespace = namespace(engine, app, observation, &options).await?;
    // A new attempt after a failure does everything again.
    let is_retry = state.retry_count > 0 && state.finished_at.is_some();
    let before = state.sync_result.as_ref().filter(|_| !is_retry).map(|result| result.resources.as_slice());
    let before = before.unwrap_or_default();
    let wish = Wish {
        prune: sync.prune,
        selected: sync.resources.clone(),
        options: options.clone(),
        begun: before.iter().map(|one| Key::new(&one.group, &one.kind, &one.namespace, &one.name)).collect(),
        deletion_approved: app.object.meta.annotations.contains_key("argocd.argoproj.io/deletion-approved"),
    };
    let Some(destination) = &observation.destination else { return Err(Error::msg("the destination is not known")) };
    let hooks = hooks_of(app, observation, state, sync, &destination.cluster);
    let plan = plan::plan(&observation.resources, &hooks, namespace.as_ref(), &wish);
    let run = Run {
        hands: engine.hands(&destination.cluster, options.propagation()),
        destination: &destination.destination,
        plan: &plan,
        options: &options,
        dry_run: sync.dry_run,
        before,
        project: &observation.project,
        ignore: &app.typed.spec.ignore_differences,
        kinds: &observation.kinds,
    };
    Ok(sync::run(&run).await)
}

/// The hooks that an operation runs: none, if it is for some objects only or asks for none.
fn hooks_of(
    app: &App,
    observation: &Observation,
    state: &OperationState,
    sync: &SyncOperation,
    cluster: &ClusterName,
) -> Vec<Instance> {
    let asks_for_none = sync.rest.get("syncStrategy").is_some_and(|strategy| !strategy["apply"].is_null());
    if asks_for_none || !sync.resources.is_empty() {
        return Vec::new();
    }
    let began = state.started_at.parse::<Timestamp>().map_or(0, Timestamp::as_second);
    let revision = observation.revisions.first().map(String::as_str).unwrap_or_default();
    let mut hooks = hooks::instances(&observation.hooks, Naming { revision, began });
    let place = Place { owner: &app.owner, cluster, namespace: &app.typed.spec.destination.namespace };
    hooks.iter_mut().for_each(|hook| place.mark(&mut hook.object, &hook.key));
    hooks
}

/// Stops what still runs; says whether all went well.
async fn terminate(engine: &Engine, app: &App, observation: &Observation, state: &mut OperationState) -> bool {
    let (Some(cluster), Some(result)) = (observation.cluster(), &mut state.sync_result) else { return true };
    let asked = state.operation.sync.as_ref().map(|sync| sync.sync_options.as_slice()).unwrap_or_default();
    let options = SyncOptions::of(&[&app.typed.spec.sync_policy.sync_options, asked]);
    sync::terminate(&engine.hands(cluster, options.propagation()), &mut result.resources).await
}

/// The namespace that CreateNamespace asks for, if there is something to do about it.
async fn namespace(
    engine: &Engine,
    app: &App,
    observation: &mut Observation,
    options: &SyncOptions,
) -> Result<Option<Resource>, Error> {
    let name = app.typed.spec.destination.namespace.as_str();
    let key = Key::new("", "Namespace", "", name);
    let Some(cluster) = observation.cluster().cloned() else { return Ok(None) };
    if name.is_empty() || !options.has("CreateNamespace", "true") || observation.desired.contains_key(&key) {
        return Ok(None);
    }
    let gvk = Gvk::new("", "v1", "Namespace");
    let Some(kind) = engine.observer.objects.kind(&cluster, &gvk).await? else { return Ok(None) };
    let target = client::Target::cluster(&cluster, &kind.gvr());
    let live = match engine.observer.objects.get(&target, name).await {
        Ok(object) => Live::read(object),
        Err(status) if status.is_not_found() => None,
        Err(status) => return Err(status.into()),
    };
    let mut desired = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    if let Some(metadata) = &app.typed.spec.sync_policy.managed_namespace_metadata {
        desired["metadata"]["labels"] = Value::Object(metadata.labels.clone());
        desired["metadata"]["annotations"] = Value::Object(metadata.annotations.clone());
    } else if live.is_some() {
        return Ok(None);
    }
    observation.kinds.insert(gvk, Some(kind));
    let context = engine.observer.context(app, &cluster, &observation.kinds);
    let resource = compare::one(&key, Some(&Arc::new(desired)), live.as_ref(), &context);
    Ok((resource.sync == Sync::OutOfSync).then_some(resource))
}

fn result(
    app: &App,
    observation: &Observation,
    state: &OperationState,
    resources: Vec<crate::types::ResourceResult>,
) -> SyncResult {
    let mut result = SyncResult {
        resources,
        managed_namespace_metadata: app.typed.spec.sync_policy.managed_namespace_metadata.clone(),
        ..SyncResult::default()
    };
    // An operation keeps the sources that it began with.
    let begun = state.sync_result.as_ref();
    if app.typed.spec.has_multiple_sources() {
        result.revisions = observation.revisions.clone();
        result.sources = begun.map_or_else(|| app.sources().clone(), |begun| begun.sources.clone());
    } else {
        result.revision = observation.revisions.first().cloned().unwrap_or_default();
        result.source = begun.map_or_else(|| app.sources().clone(), |begun| begun.source.clone());
    }
    result
}
