//! Stop 6, sync: carries out a plan. It remembers nothing itself: what is done is
//! read from the results so far, and everything it does may be done again. A wave
//! that others wait for must be healthy; until then the sync waits for a change of
//! a live object, never for a clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ClusterName, KindDescriptor, Status};
use client::Objects;
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::apply::{Apply, Mode, Request};
use crate::health::{self, Rules, State};
use crate::live::LiveState;
use crate::manifests::Kinds;
use crate::normalise;
use crate::options::SyncOptions;
use crate::plan::{Action, Plan, Task, Wave};
use crate::project::Project;
use crate::resource::{self, Key, definition_of};
use crate::types::{Destination, IgnoreDifference, Phase, ResourceResult};

/// Objects of one batch that are written at once.
const AT_ONCE: usize = 16;

/// What a sync needs.
pub struct Run<'a> {
    /// Where to.
    pub cluster: &'a ClusterName,
    /// Where to, as projects are asked about it.
    pub destination: &'a Destination,
    /// What is to be done.
    pub plan: &'a Plan,
    /// Options of the Application and the operation.
    pub options: &'a SyncOptions,
    /// Check, and change nothing.
    pub dry_run: bool,
    /// What was done by this operation before.
    pub before: &'a [ResourceResult],
    /// Whose rules count.
    pub project: &'a Project,
    /// Places that may keep their live values.
    pub ignore: &'a [IgnoreDifference],
    /// How kinds are served.
    pub kinds: &'a Kinds,
    /// Health rules.
    pub rules: Rules,
    /// Who writes.
    pub applier: &'a dyn Apply,
    /// What is there.
    pub live: &'a LiveState,
    /// For kinds that come to be served during the sync.
    pub objects: &'a Arc<dyn Objects>,
}

/// How far a sync came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Running while it waits.
    pub phase: Phase,
    /// One sentence.
    pub message: String,
    /// Object by object.
    pub results: Vec<ResourceResult>,
}

/// Why a sync goes no further now.
enum Stop {
    Wait(String),
    Fail(String),
}

/// Carries out as much of a plan as can be done now.
#[tracing::instrument(level = "debug", name = "sync", skip_all)]
pub async fn run(run: &Run<'_>) -> Progress {
    let mut results = Results::new(run.before);
    let (phase, message) = match advance(run, &mut results).await {
        Ok(()) => (Phase::Succeeded, "successfully synced (all tasks run)".to_owned()),
        Err(Stop::Wait(message)) => (Phase::Running, message),
        Err(Stop::Fail(message)) => (Phase::Failed, message),
    };
    Progress { phase, message, results: results.list }
}

async fn advance(run: &Run<'_>, results: &mut Results) -> Result<(), Stop> {
    if !validate(run, results).await {
        return Err(Stop::Fail("one or more synchronization tasks are not valid".into()));
    }
    let waves = &run.plan.waves;
    for (index, wave) in waves.iter().enumerate() {
        let has_begun = |later: &Wave| later.tasks().any(|task| results.is_done(&task.key));
        if waves[index + 1..].iter().any(has_begun) && wave.tasks().all(|task| results.is_done(&task.key)) {
            continue;
        }
        prune(run, wave, results).await?;
        for batch in &wave.batches {
            apply_batch(run, batch, results).await?;
        }
        if !run.dry_run {
            wait_for_leaving(wave, results)?;
        }
        if index + 1 < waves.len() && !run.dry_run {
            settle(run, wave, results)?;
        }
    }
    Ok(())
}

/// Looks at every task before anything is written: a kind that the destination does not serve, an
/// object that the project does not permit or that the server would refuse ends the sync whole.
async fn validate(run: &Run<'_>, results: &mut Results) -> bool {
    let defined: Vec<(String, String)> = run
        .plan
        .tasks()
        .filter(|task| &*task.key.kind == "CustomResourceDefinition")
        .filter_map(|task| task.desired.as_ref().map(|desired| definition_of(desired)))
        .collect();
    let mut valid = true;
    for task in run.plan.tasks().filter(|task| task.action == Action::Apply) {
        if results.is_done(&task.key) {
            continue;
        }
        let kind = run.kinds.get(&task.gvk).and_then(Option::as_ref);
        let problem = match kind {
            Some(kind) => refusal(run, task, kind).await,
            None if defined.contains(&(task.key.group.to_string(), task.key.kind.to_string())) => None,
            None if run.options.for_object(&task.options, "SkipDryRunOnMissingResource", "true") => None,
            None => Some(not_served(task)),
        };
        if let Some(problem) = problem {
            results.set(task, "SyncFailed", &problem, "Failed");
            valid = false;
        }
    }
    valid
}

async fn refusal(run: &Run<'_>, task: &Task, kind: &KindDescriptor) -> Option<String> {
    let Key { group, kind: name, .. } = &task.key;
    let project = &run.project.metadata.name;
    if !run.project.permits_kind(group, name, &task.key.name, kind.namespaced) {
        return Some(format!("resource {group}:{name} is not permitted in project {project}."));
    }
    if kind.namespaced && task.key.namespace.is_empty() {
        return Some(format!("Namespace for {} {} is missing.", task.key.name, task.gvk));
    }
    let place = Destination { namespace: task.key.namespace.to_string(), ..run.destination.clone() };
    if kind.namespaced && !run.project.permits_destination(&place) {
        return Some(format!("namespace {} is not permitted in project '{project}'.", place.namespace));
    }
    // What is as it is wanted was accepted before, and a dry run of it would only take time.
    if !task.is_change || task.is_leaving || run.options.for_object(&task.options, "Validate", "false") {
        return None;
    }
    let desired = task.desired.as_ref()?;
    let live = task.live.as_ref().map(|live| &live.object);
    let request = Request { cluster: run.cluster, kind, desired, live, mode: Mode::Merge, dry_run: true };
    match run.applier.apply(request).await {
        // Other refusals may be gone when it is this task's turn: a namespace or a definition of
        // the same sync may be missing yet.
        Err(status) if matches!(status.code, 400 | 422) && mode(run, task) == Mode::Merge => Some(status.message),
        _ => None,
    }
}

fn not_served(task: &Task) -> String {
    let Key { group, kind, namespace, name } = &task.key;
    format!(
        "The Kubernetes API could not find {group}/{kind} for requested resource {namespace}/{name}. Make sure the \
         \"{kind}\" CRD is installed on the destination cluster."
    )
}

async fn prune(run: &Run<'_>, wave: &Wave, results: &mut Results) -> Result<(), Stop> {
    for task in &wave.prunes {
        if results.is_done(&task.key) {
            continue;
        }
        if let Action::KeepExtra(why) = task.action {
            results.set(task, "PruneSkipped", why, "");
            continue;
        }
        let kind = run.kinds.get(&task.gvk).and_then(Option::as_ref);
        let (Some(kind), Some(live)) = (kind, &task.live) else {
            results.set(task, "Pruned", "pruned", "Succeeded");
            continue;
        };
        match run.applier.delete(kind, &live.object, run.options.propagation(), run.dry_run).await {
            Ok(_) if run.dry_run => results.set(task, "Pruned", "pruned (dry run)", "Succeeded"),
            Ok(remains) => {
                match remains {
                    Some(object) => run.live.wrote(kind, &object),
                    None => run.live.deleted(kind, &live.object),
                }
                results.set(task, "Pruned", "pruned", "Succeeded");
            }
            Err(status) => {
                results.set(task, "SyncFailed", &status.message, "Failed");
                return Err(Stop::Fail(failed_to_apply(&status.message)));
            }
        }
    }
    Ok(())
}

async fn apply_batch(run: &Run<'_>, batch: &[Task], results: &mut Results) -> Result<(), Stop> {
    // Boxed one by one: the compiler cannot prove a stream of closures over references to be Send.
    let one = |task| -> BoxFuture<'_, (&Task, Result<String, Problem>)> {
        Box::pin(async move { (task, apply(run, task).await) })
    };
    let is_due = |task: &&Task| !task.is_leaving && (!results.is_done(&task.key) || is_gone(run, task));
    let pending: Vec<_> = batch.iter().filter(is_due).map(one).collect();
    let done: Vec<_> = futures::stream::iter(pending).buffered(AT_ONCE).collect().await;
    let mut failure = None;
    let mut waiting = None;
    for (task, outcome) in done {
        match outcome {
            Ok(message) => results.set(task, "Synced", &message, "Running"),
            Err(Problem::NotYet(message)) => waiting = Some(message),
            Err(Problem::Refused(message)) => {
                results.set(task, "SyncFailed", &message, "Failed");
                failure.get_or_insert(message);
            }
        }
    }
    match (failure, waiting) {
        (Some(message), _) => Err(Stop::Fail(failed_to_apply(&message))),
        (None, Some(message)) => Err(Stop::Wait(message)),
        (None, None) => Ok(()),
    }
}

/// Whether an object was deleted again while its operation waited for something.
fn is_gone(run: &Run<'_>, task: &Task) -> bool {
    let kind = run.kinds.get(&task.gvk).and_then(Option::as_ref);
    !run.dry_run && kind.is_some_and(|kind| run.live.get(run.cluster, kind, &task.key).is_none())
}

/// What is being deleted cannot be made before it is gone, and a sync has not ended before it is made.
fn wait_for_leaving(wave: &Wave, results: &Results) -> Result<(), Stop> {
    let tasks = wave.batches.iter().flatten();
    match tasks.filter(|task| task.is_leaving).find(|task| !results.is_done(&task.key)) {
        Some(task) => Err(Stop::Wait(format!("waiting for deletion of {}", task.key.short()))),
        None => Ok(()),
    }
}

fn failed_to_apply(why: &str) -> String {
    format!("one or more objects failed to apply, reason: {why}")
}

enum Problem {
    NotYet(String),
    Refused(String),
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        Problem::Refused(status.message)
    }
}

async fn apply(run: &Run<'_>, task: &Task) -> Result<String, Problem> {
    let Some(desired) = &task.desired else { return Ok(String::new()) };
    let kind = served(run, task).await?;
    if run.options.has("FailOnSharedResource", "true")
        && let Some(live) = &task.live
        && let Some(id) = foreign(desired, &live.value)
    {
        return Err(Problem::Refused(format!("Shared resource found: {} is tracked as {id}", task.key.short())));
    }
    let live = run.live.whole(run.cluster, &kind, &task.key).await;
    let live = live.or_else(|| task.live.as_ref().map(|live| live.object.clone()));
    let wanted = with_respected(run, task, desired);
    let request = Request {
        cluster: run.cluster,
        kind: &kind,
        desired: &wanted,
        live: live.as_ref(),
        mode: mode(run, task),
        dry_run: run.dry_run,
    };
    let applied = run.applier.apply(request).await?;
    let name = task.key.as_kubectl();
    if run.dry_run {
        return Ok(format!("{name} {} (dry run)", applied.outcome.word()));
    }
    run.live.wrote(&kind, &applied.object);
    Ok(format!("{name} {}", applied.outcome.word()))
}

/// How a task's kind is served, also when that began during this sync.
async fn served(run: &Run<'_>, task: &Task) -> Result<KindDescriptor, Problem> {
    if let Some(Some(kind)) = run.kinds.get(&task.gvk) {
        return Ok(kind.clone());
    }
    if let Some(kind) = run.objects.kind(run.cluster, &task.gvk).await? {
        return Ok(kind);
    }
    let defines = |other: &Task| {
        let defined = other.desired.as_ref().map(|desired| definition_of(desired));
        &*other.key.kind == "CustomResourceDefinition"
            && defined.is_some_and(|(group, kind)| group == *task.key.group && kind == *task.key.kind)
    };
    match run.plan.tasks().find(|other| defines(other)) {
        Some(definition) if !run.dry_run => {
            Err(Problem::NotYet(format!("waiting for {} to be established", definition.key.short())))
        }
        _ => Err(Problem::Refused(not_served(task))),
    }
}

/// The tracking id of another Application on a live object.
fn foreign<'a>(desired: &Value, live: &'a Value) -> Option<&'a str> {
    let id = |object: &'a Value| resource::annotation(object, crate::tracking::TRACKING_ID);
    let instance = |id: &str| id.split_once(':').map(|(instance, _)| instance.to_owned());
    let ours = resource::annotation(desired, crate::tracking::TRACKING_ID).and_then(instance);
    id(live).filter(|theirs| instance(theirs) != ours)
}

fn with_respected(run: &Run<'_>, task: &Task, desired: &Value) -> Value {
    let mut wanted = desired.clone();
    if let Some(live) = task.live.as_ref().filter(|_| run.options.has("RespectIgnoreDifferences", "true")) {
        let ignored = normalise::ignored_pointers(run.ignore, &task.key);
        normalise::respect_ignored(&mut wanted, &live.value, &ignored);
    }
    wanted
}

fn mode(run: &Run<'_>, task: &Task) -> Mode {
    let is = |name: &str| run.options.for_object(&task.options, name, "true");
    // Namespaces hold what would go with them, so they are never replaced.
    if !is("Replace") || &*task.key.kind == "Namespace" {
        Mode::Merge
    } else if is("Force") {
        Mode::Recreate
    } else {
        Mode::Replace
    }
}

/// Lets the next wave begin only when this one's objects are gone or healthy.
fn settle(run: &Run<'_>, wave: &Wave, results: &mut Results) -> Result<(), Stop> {
    let mut waiting = BTreeMap::new();
    for task in wave.tasks() {
        let kind = run.kinds.get(&task.gvk).and_then(Option::as_ref);
        let live = kind.and_then(|kind| run.live.get(run.cluster, kind, &task.key));
        match task.action {
            Action::KeepExtra(_) => {}
            Action::Prune if live.is_some() => drop(waiting.insert(task.key.short(), "deletion")),
            Action::Prune => {}
            Action::Apply => {
                let value = live.and_then(|object| object.value().ok());
                let health = value.as_ref().and_then(|value| health::assess(value, run.rules));
                match health.map(|health| (health.state, health.message)) {
                    Some((State::Degraded, message)) => {
                        results.set_hook_phase(&task.key, "Failed", &message);
                        return Err(Stop::Fail("one or more synchronization tasks completed unsuccessfully".into()));
                    }
                    Some((state, _)) if state != State::Healthy && state != State::Suspended => {
                        waiting.insert(task.key.short(), "healthy state");
                    }
                    _ => results.set_hook_phase(&task.key, "Succeeded", ""),
                }
            }
        }
    }
    let Some((first, what)) = waiting.first_key_value() else { return Ok(()) };
    let more = match waiting.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more resources"),
    };
    Err(Stop::Wait(format!("waiting for {what} of {first}{more}")))
}

/// Results so far, in the order in which they came.
struct Results {
    list: Vec<ResourceResult>,
}

impl Results {
    fn new(before: &[ResourceResult]) -> Self {
        Results { list: before.to_vec() }
    }

    fn find(&self, key: &Key) -> Option<usize> {
        self.list.iter().position(|result| {
            result.name == *key.name
                && result.namespace == *key.namespace
                && result.kind == *key.kind
                && result.group == *key.group
        })
    }

    fn is_done(&self, key: &Key) -> bool {
        self.find(key).is_some_and(|index| self.list[index].status != "SyncFailed")
    }

    fn set(&mut self, task: &Task, status: &str, message: &str, hook_phase: &str) {
        let result = ResourceResult {
            group: task.key.group.to_string(),
            version: task.gvk.version.to_string(),
            kind: task.key.kind.to_string(),
            namespace: task.key.namespace.to_string(),
            name: task.key.name.to_string(),
            status: status.into(),
            message: message.into(),
            hook_phase: hook_phase.into(),
            sync_phase: "Sync".into(),
        };
        match self.find(&task.key) {
            Some(index) => self.list[index] = result,
            None => self.list.push(result),
        }
    }

    fn set_hook_phase(&mut self, key: &Key, hook_phase: &str, message: &str) {
        let Some(index) = self.find(key) else { return };
        let result = &mut self.list[index];
        result.hook_phase = hook_phase.into();
        if !message.is_empty() {
            result.message = message.into();
        }
    }
}
