//! The hooks of an Application that goes: those before its objects go, and those after.
//! Whether one runs or ran is seen by its being there, so that a new process goes on where
//! an old one was killed. It must never delete anything but such hooks.

use std::collections::BTreeMap;

use api::Status;
use client::Propagation;
use controller::Error;
use serde_json::Value;

use crate::apply::{Mode, Request};
use crate::compare::{Part, Resource};
use crate::destination::Resolved;
use crate::engine::Engine;
use crate::health::{self, Rules, State};
use crate::hooks::{self, DeletePhase, Naming, Policies, Role};
use crate::manifests::{Kinds, Place};
use crate::observe::Observation;
use crate::resource::{self, Key};
use crate::source::Refresh;
use crate::stored::App;

/// A hook that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which object.
    pub key: Key,
    /// How well it is; kinds without a rule are well by being there.
    pub state: State,
    /// When it is deleted.
    pub policies: Policies,
    /// Whether it is on its way out.
    pub is_leaving: bool,
}

/// What is next in running hooks.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// These are made.
    Create(Vec<Key>),
    /// These failed: they go, so that they can be tried again, corrected perhaps.
    Fail(Vec<Key>),
    /// Some run.
    Wait,
    /// All ran.
    Done,
}

/// Decides what is next in running hooks.
pub fn next(expected: &[Key], found: &[Found]) -> Step {
    let is_there = |key: &&Key| found.iter().any(|hook| hook.key == **key);
    let missing: Vec<Key> = expected.iter().filter(|key| !is_there(key)).cloned().collect();
    if !missing.is_empty() {
        return Step::Create(missing);
    }
    let failed: Vec<Key> =
        found.iter().filter(|hook| hook.state == State::Degraded).map(|hook| hook.key.clone()).collect();
    if !failed.is_empty() {
        return Step::Fail(failed);
    }
    if found.iter().any(|hook| hook.state == State::Progressing) { Step::Wait } else { Step::Done }
}

/// The hooks that go when all ran: those that ask for it, by how all of them together ended. `None`
/// if none is left.
pub fn to_clean_up(found: &[Found]) -> Option<Vec<Key>> {
    let worst = found.iter().map(|hook| hook.state).max().unwrap_or(State::Healthy);
    let asks = |hook: &&Found| {
        (hook.policies.failed && worst == State::Degraded) || (hook.policies.succeeded && worst == State::Healthy)
    };
    // One that is on its way out already went well before.
    let due: Vec<&Found> = found.iter().filter(|hook| hook.is_leaving || asks(hook)).collect();
    if due.is_empty() {
        return None;
    }
    Some(due.into_iter().filter(|hook| !hook.is_leaving).map(|hook| hook.key.clone()).collect())
}

/// Runs the hooks of a phase; says whether all ran.
pub async fn run(engine: &Engine, app: &App, phase: DeletePhase) -> Result<bool, Error> {
    let observation = engine.observer.observe(app, &[], Refresh::None).await?;
    let Some(destination) = observation.destination.as_ref().filter(|_| observation.failure.is_none()) else {
        let why: Vec<&str> = observation.conditions.iter().map(|held| held.message.as_str()).collect();
        return Err(Error::msg(format!("{} hooks are not known: {}", phase.word(), why.join("; "))));
    };
    let wanted = wanted(app, &observation, destination, phase);
    let expected: Vec<Key> = wanted.keys().cloned().collect();
    let found = found(&observation.resources, phase, engine.observer.rules);
    match next(&expected, &found) {
        Step::Done => Ok(true),
        Step::Wait => Ok(false),
        Step::Create(keys) => {
            for key in keys {
                create(engine, &observation, destination, &key, &wanted[&key]).await?;
            }
            Ok(false)
        }
        Step::Fail(keys) => {
            delete(engine, &observation.resources, &observation.kinds, &keys).await?;
            let names: Vec<String> = keys.iter().map(|key| format!("{}/{}", key.namespace, key.name)).collect();
            Err(Error::msg(format!("{} hook(s) failed: {}", phase.word(), names.join(", "))))
        }
    }
}

/// Deletes the hooks of a phase that ask for it; says whether they are gone. What is there is enough
/// for that, so that a source out of reach holds nothing up.
pub async fn clean_up(
    engine: &Engine,
    app: &App,
    resources: &[Resource],
    kinds: &Kinds,
    phase: DeletePhase,
) -> Result<bool, Error> {
    let found = found(resources, phase, engine.observer.rules);
    let Some(due) = to_clean_up(&found) else { return Ok(true) };
    delete(engine, resources, kinds, &due).await?;
    if !due.is_empty() {
        // What went at once may be all that was waited for.
        engine.wake(&app.key);
    }
    Ok(false)
}

/// The hooks that the sources state for a phase.
fn wanted(app: &App, observation: &Observation, destination: &Resolved, phase: DeletePhase) -> BTreeMap<Key, Value> {
    let stamp = app.object.meta.deletion_timestamp.as_deref().unwrap_or_default();
    let began = stamp.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    let revision = observation.revisions.first().map(String::as_str).unwrap_or_default();
    let namespace = &app.typed.spec.destination.namespace;
    let place = Place { owner: &app.owner, cluster: &destination.cluster, namespace };
    let templates = observation.hooks.iter().filter(|hook| hook.points.runs_at(phase));
    templates
        .map(|template| {
            let mut object = hooks::named(&template.object, phase.word(), Naming { revision, began });
            let key = Key::of(&object);
            place.mark(&mut object, &key);
            (key, object)
        })
        .collect()
}

fn found(resources: &[Resource], phase: DeletePhase, rules: Rules) -> Vec<Found> {
    let hooks = resources.iter().filter(|resource| resource.part == Part::Hook);
    let live = hooks.filter_map(|resource| Some((&resource.key, resource.live.as_ref()?)));
    live.filter(|(_, live)| matches!(hooks::role(&live.value), Role::Hook(points) if points.runs_at(phase)))
        .map(|(key, live)| Found {
            key: key.clone(),
            state: health::assess(&live.value, rules).map_or(State::Healthy, |health| health.state),
            policies: hooks::policies(&live.value),
            is_leaving: live.object.meta.is_deleting(),
        })
        .collect()
}

async fn create(
    engine: &Engine,
    observation: &Observation,
    destination: &Resolved,
    key: &Key,
    object: &Value,
) -> Result<(), Error> {
    let gvk = resource::gvk(object);
    let Some(kind) = observation.kinds.get(&gvk).and_then(Option::as_ref) else {
        return Err(Error::msg(format!("{gvk} of hook {} is not served", key.name)));
    };
    if let Some(why) = observation.project.refusal(key, &gvk, kind, &destination.destination) {
        return Err(Error::msg(why));
    }
    let cluster = &destination.cluster;
    let request = Request { cluster, kind, desired: object, live: None, mode: Mode::Merge, dry_run: false };
    let applied = engine.applier.apply(request).await?;
    engine.observer.live.wrote(kind, &applied.object);
    Ok(())
}

async fn delete(engine: &Engine, resources: &[Resource], kinds: &Kinds, keys: &[Key]) -> Result<(), Status> {
    for resource in resources.iter().filter(|resource| keys.contains(&resource.key)) {
        let kind = kinds.get(&resource.gvk).and_then(Option::as_ref);
        let (Some(kind), Some(live)) = (kind, &resource.live) else { continue };
        engine.hands(&live.object.cluster, Propagation::Background).delete(kind, &live.object).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
