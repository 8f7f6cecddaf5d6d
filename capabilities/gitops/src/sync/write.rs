//! The writing of one wave: extras are pruned, then batch by batch objects are applied.
//! What came of each stands in the results. It must never wait for health.

use api::{KindDescriptor, Status};
use client::Object;
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::decide::Stage;
use super::results::Results;
use super::run::{Run, Stop};
use crate::apply::{Mode, Request};
use crate::normalise;
use crate::resource::{self, Key, definition_of};
use crate::task::{Action, Task, Wave};
use crate::tracking::TRACKING_ID;

/// Objects of one batch that are written at once.
const AT_ONCE: usize = 16;

/// Prunes the extras of a wave.
pub async fn prune(run: &Run<'_>, wave: &Wave, results: &mut Results) {
    for task in &wave.prunes {
        if results.stage(task) != Stage::Pending {
            continue;
        }
        if let Action::KeepExtra(why) = task.action {
            results.set(task, "PruneSkipped", why, Stage::Succeeded);
            continue;
        }
        let kind = run.kinds.get(&task.gvk).and_then(Option::as_ref);
        let (Some(kind), Some(live)) = (kind, &task.live) else {
            results.set(task, "Pruned", "pruned", Stage::Succeeded);
            continue;
        };
        match run.hands.applier.delete(kind, &live.object, run.hands.propagation, run.dry_run).await {
            Ok(_) if run.dry_run => results.set(task, "Pruned", "pruned (dry run)", Stage::Succeeded),
            Ok(remains) => {
                match remains {
                    Some(object) => run.hands.live.wrote(kind, &object),
                    None => run.hands.live.deleted(kind, &live.object),
                }
                results.set(task, "Pruned", "pruned", Stage::Succeeded);
            }
            Err(status) => results.set(task, "SyncFailed", &status.message, Stage::Failed),
        }
    }
}

/// Applies what is pending of some batches. What fails holds up no other object of the wave.
pub async fn apply_batches(
    run: &Run<'_>,
    batches: impl Iterator<Item = &[Task]>,
    results: &mut Results,
) -> Result<(), Stop> {
    for batch in batches {
        // Boxed one by one: the compiler cannot prove a stream of closures over references to be Send.
        let one = |task| -> BoxFuture<'_, (&Task, Result<String, Problem>)> {
            Box::pin(async move { (task, apply(run, task).await) })
        };
        let pending: Vec<_> = batch.iter().filter(|task| is_due(run, task, results)).map(one).collect();
        let done: Vec<_> = futures::stream::iter(pending).buffered(AT_ONCE).collect().await;
        let mut waiting = None;
        for (task, outcome) in done {
            match outcome {
                Ok(message) if run.dry_run => results.set(task, "Synced", &message, Stage::Succeeded),
                Ok(message) => results.set(task, "Synced", &message, Stage::Running),
                Err(Problem::NotYet(message)) => waiting = Some(message),
                Err(Problem::Refused(message)) => results.set(task, "SyncFailed", &message, Stage::Failed),
            }
        }
        if let Some(message) = waiting {
            return Err(Stop::Wait(message));
        }
    }
    Ok(())
}

fn is_due(run: &Run<'_>, task: &Task, results: &Results) -> bool {
    let stage = results.stage(task);
    // An object that was deleted again while its operation waited is made again. A hook is not:
    // nobody knows how far it had come.
    let is_gone = || !task.is_hook() && !stage.is_unsuccessful() && is_gone(run, task);
    !task.is_leaving && (stage == Stage::Pending || is_gone())
}

fn is_gone(run: &Run<'_>, task: &Task) -> bool {
    let is_known = run.kinds.get(&task.gvk).and_then(Option::as_ref).is_some();
    !run.dry_run && is_known && run.live(task).is_none()
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
    let name = task.key.as_kubectl();
    if run.options.has("FailOnSharedResource", "true")
        && let Some(live) = &task.live
        && let Some(id) = foreign(desired, &live.value)
    {
        return Err(Problem::Refused(format!("Shared resource found: {} is tracked as {id}", task.key.short())));
    }
    let live = run.hands.live.whole(run.hands.cluster, &kind, &task.key).await;
    let live = live.or_else(|| task.live.as_ref().map(|live| live.object.clone()));
    if live.is_some() && task.hook.is_some_and(|policies| policies.before_creation) {
        if run.dry_run {
            // What an earlier sync left of it would be deleted first.
            return Ok(format!("{name} created (dry run)"));
        }
        // It was gone before it was announced, so what is there was made by this operation, whose
        // process ended before it could say so.
        if run.hands.read(&kind, &task.key).await?.is_some_and(|object| is_marked_as(&object, desired)) {
            return Ok(format!("{name} created"));
        }
    }
    let wanted = with_respected(run, task, desired);
    let request = Request {
        cluster: run.hands.cluster,
        kind: &kind,
        desired: &wanted,
        live: live.as_ref(),
        mode: mode(run, task),
        dry_run: run.dry_run,
    };
    let applied = run.hands.applier.apply(request).await?;
    if run.dry_run {
        return Ok(format!("{name} {} (dry run)", applied.outcome.word()));
    }
    run.hands.live.wrote(&kind, &applied.object);
    Ok(format!("{name} {}", applied.outcome.word()))
}

async fn served(run: &Run<'_>, task: &Task) -> Result<KindDescriptor, Problem> {
    if let Some(kind) = run.kind(task).await? {
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

/// Why an object of a kind that nobody serves cannot be applied.
pub fn not_served(task: &Task) -> String {
    let Key { group, kind, namespace, name } = &task.key;
    format!(
        "The Kubernetes API could not find {group}/{kind} for requested resource {namespace}/{name}. Make sure the \
         \"{kind}\" CRD is installed on the destination cluster."
    )
}

/// Whether a live object bears the tracking id of what is wanted.
fn is_marked_as(live: &Object, desired: &Value) -> bool {
    let id = resource::annotation(desired, TRACKING_ID);
    id.is_some() && live.meta.annotations.get(TRACKING_ID).map(String::as_str) == id
}

/// The tracking id of another Application on a live object.
fn foreign<'a>(desired: &Value, live: &'a Value) -> Option<&'a str> {
    let id = |object: &'a Value| resource::annotation(object, TRACKING_ID);
    let instance = |id: &str| id.split_once(':').map(|(instance, _)| instance.to_owned());
    let ours = resource::annotation(desired, TRACKING_ID).and_then(instance);
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

/// How a task's object is written.
pub fn mode(run: &Run<'_>, task: &Task) -> Mode {
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
