//! The end of an Application: its hooks run before and after, and with a resources
//! finalizer it takes its objects with it, the last wave first, and goes when they
//! are gone. Without that finalizer no object is deleted.

mod finalizers;
mod hooks;

use std::collections::BTreeMap;

use client::{Object, Patch, Propagation, Target, WriteOptions};
use controller::Error;
use serde_json::json;

use crate::compare::{self, Resource};
use crate::destination::{self, Resolved};
use crate::engine::Engine;
use crate::hooks::{DeletePhase, FINALIZER};
use crate::manifests::Kinds;
use crate::observe::Observation;
use crate::options::SyncOptions;
use crate::resource::Key;
use crate::stored::App;
use crate::types::Condition;
use crate::{kinds, plan, status};
use finalizers::Stage;

/// What is next in taking an Application away.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// These objects go now.
    Delete(Vec<Key>),
    /// Objects are on their way out.
    Wait,
    /// Nothing is left.
    Finish,
}

/// Decides what is next. Objects that ask to stay, and those of other Applications, stay.
pub fn decide(resources: &[Resource], options: &SyncOptions, deletion_approved: bool) -> Step {
    let stays = |resource: &Resource| {
        let is = |value: &str| options.for_object(&resource.options, "Delete", value);
        is("false") || (is("confirm") && !deletion_approved)
    };
    let leaving: Vec<(i32, Key)> = resources
        .iter()
        .filter(|resource| resource.live.is_some() && resource.shared_with.is_none() && !stays(resource))
        .map(|resource| (resource.wave, resource.key.clone()))
        .collect();
    let Some(batch) = plan::deletion(&leaving).into_iter().next() else { return Step::Finish };
    let is_leaving = |key: &Key| {
        let found = resources.iter().find(|resource| resource.key == *key);
        found.and_then(|resource| resource.live.as_ref()).is_some_and(|live| live.object.meta.is_deleting())
    };
    let due: Vec<Key> = batch.into_iter().filter(|key| !is_leaving(key)).collect();
    if due.is_empty() { Step::Wait } else { Step::Delete(due) }
}

/// Puts on an Application the finalizers that its hooks ask for, and takes off those that none asks
/// for; answers the Application as it is then, if it changed.
pub async fn keep_finalizers(engine: &Engine, app: &App, observation: &Observation) -> Result<Option<App>, Error> {
    let has = |phase| observation.hooks.iter().any(|hook| hook.points.runs_at(phase));
    let meta = &app.object.meta;
    let wanted = finalizers::wanted(&meta.finalizers, has(DeletePhase::PreDelete), has(DeletePhase::PostDelete));
    let Some(wanted) = wanted.filter(|_| observation.failure.is_none()) else { return Ok(None) };
    let precise = json!({"uid": meta.uid, "resourceVersion": meta.resource_version, "finalizers": wanted});
    let patch = Patch::Merge(json!({ "metadata": precise }).to_string().into());
    let target = Target::namespaced(&app.key.cluster, &kinds::applications(), &app.key.namespace);
    let objects = &engine.observer.objects;
    let written = objects.patch(&target, &app.key.name, None, patch, WriteOptions::default()).await?;
    engine.memory.lock().written.insert(app.key.clone(), written.clone());
    Ok(Some(App::read(written, &engine.settings.namespace)?))
}

/// Takes the next step. What it waits for are live objects, whose end calls for it again.
pub async fn step(engine: &Engine, app: &App) -> Result<(), Error> {
    let Some((finalizer, stage)) = finalizers::next(&app.object.meta.finalizers) else { return Ok(()) };
    let destination =
        destination::resolve(&app.key.name, &app.typed.spec.destination, &app.key.cluster, &engine.observer.api_url);
    let Ok(destination) = destination else {
        // A cluster that does not exist holds no objects, and can run no hooks.
        return release(engine, app, finalizer).await;
    };
    let is_over = match stage {
        Stage::Run(phase) => hooks::run(engine, app, phase).await,
        Stage::CleanUp(phase) => clean_up(engine, app, destination, phase).await,
        Stage::Cascade(propagation) => cascade(engine, app, destination, propagation).await,
    };
    match is_over {
        Ok(true) => release(engine, app, finalizer).await,
        Ok(false) => Ok(()),
        Err(error) => {
            tell(engine, app, &error.to_string()).await?;
            Err(error)
        }
    }
}

/// Takes the next step of the cascade; says whether nothing is left.
async fn cascade(engine: &Engine, app: &App, destination: Resolved, propagation: Propagation) -> Result<bool, Error> {
    let (resources, kinds) = look(engine, app, destination).await?;
    let options = SyncOptions::of(&[&app.typed.spec.sync_policy.sync_options]);
    let approved = app.object.meta.annotations.contains_key("argocd.argoproj.io/deletion-approved");
    match decide(&resources, &options, approved) {
        Step::Wait => Ok(false),
        Step::Finish => Ok(true),
        Step::Delete(keys) => {
            let due: Vec<&Resource> = resources.iter().filter(|resource| keys.contains(&resource.key)).collect();
            let gone = delete(engine, &due, &kinds, propagation).await?;
            if gone {
                // Every object of the batch went at once, so the next one is due already.
                engine.wake(&app.key);
            }
            Ok(false)
        }
    }
}

async fn clean_up(engine: &Engine, app: &App, destination: Resolved, phase: DeletePhase) -> Result<bool, Error> {
    let (resources, kinds) = look(engine, app, destination).await?;
    hooks::clean_up(engine, app, &resources, &kinds, phase).await
}

/// What is there of an Application, without its sources.
async fn look(engine: &Engine, app: &App, destination: Resolved) -> Result<(Vec<Resource>, Kinds), Error> {
    let cluster = destination.cluster.clone();
    let mut observation =
        Observation { destination: Some(destination), kinds: known_kinds(app), ..Observation::default() };
    engine.observer.look(app, &mut observation).await?;
    let context = engine.observer.context(app, &cluster, &observation.kinds);
    let owned = engine.observer.live.owned(&app.owner, &cluster);
    let resources = compare::compare(&BTreeMap::new(), &BTreeMap::new(), &owned, &context);
    Ok((resources, observation.kinds))
}

/// Tells the Application's owner why it does not go.
async fn tell(engine: &Engine, app: &App, why: &str) -> Result<(), Error> {
    let held = &app.typed.status.conditions;
    if held.iter().any(|condition| condition.kind == "DeletionError" && condition.message == why) {
        return Ok(());
    }
    let since = Some(status::rfc3339(engine.clock.now()));
    let mut conditions = held.clone();
    conditions.retain(|condition| condition.kind != "DeletionError");
    conditions.push(Condition { last_transition_time: since, ..Condition::new("DeletionError", why) });
    let written = app.write(&*engine.observer.objects, json!({"status": {"conditions": conditions}})).await?;
    engine.memory.lock().written.insert(app.key.clone(), written);
    Ok(())
}

/// Kinds that the Application reported or wrote objects of, and those that hooks mostly are.
fn known_kinds(app: &App) -> Kinds {
    let state = app.typed.status.operation_state.as_ref();
    let written = state.and_then(|state| state.sync_result.as_ref()).map(|result| result.resources.as_slice());
    let mut kinds = Kinds::new();
    kinds.insert(api::Gvk::new("batch", "v1", "Job"), None);
    kinds.insert(api::Gvk::new("", "v1", "Pod"), None);
    for result in written.unwrap_or_default() {
        kinds.insert(api::Gvk::new(&result.group, &result.version, &result.kind), None);
    }
    kinds
}

/// Deletes objects; says whether all are gone already.
async fn delete(engine: &Engine, due: &[&Resource], kinds: &Kinds, propagation: Propagation) -> Result<bool, Error> {
    let mut gone = true;
    for resource in due {
        let kind = kinds.get(&resource.gvk).and_then(Option::as_ref);
        let (Some(kind), Some(live)) = (kind, &resource.live) else { continue };
        if controller::finalizer::has(&live.object, FINALIZER) {
            // Nobody waits for the end of this hook any more.
            engine.hands(&live.object.cluster, propagation).release(kind, &live.object).await?;
        }
        let remains: Option<Object> = engine.applier.delete(kind, &live.object, propagation, false).await?;
        gone &= remains.is_none();
        match remains {
            Some(object) => engine.observer.live.wrote(kind, &object),
            None => engine.observer.live.deleted(kind, &live.object),
        }
    }
    Ok(gone)
}

async fn release(engine: &Engine, app: &App, finalizer: &str) -> Result<(), Error> {
    let target = client::Target::everywhere(&kinds::applications());
    Ok(controller::finalizer::remove(&*engine.observer.objects, &target, &app.object, finalizer).await?)
}

#[cfg(test)]
mod tests;
