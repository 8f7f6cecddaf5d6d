//! The cascade: an Application with a resources finalizer takes its objects with it,
//! the last wave first, and goes when they are gone. Without that finalizer nothing
//! is deleted.

use std::collections::BTreeMap;

use client::{Object, Propagation};
use controller::Error;

use crate::compare::{self, Resource};
use crate::destination;
use crate::engine::Engine;
use crate::kinds;
use crate::manifests::Kinds;
use crate::observe::Observation;
use crate::options::SyncOptions;
use crate::plan;
use crate::resource::Key;
use crate::stored::App;

/// The finalizer of the cascade; with a suffix it names how dependents go.
const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

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

/// The finalizer that asks for a cascade, with how dependents go.
pub fn finalizer(finalizers: &[String]) -> Option<(&str, Propagation)> {
    finalizers.iter().find_map(|name| match name.strip_prefix(FINALIZER)? {
        "/background" => Some((name.as_str(), Propagation::Background)),
        "" | "/foreground" => Some((name.as_str(), Propagation::Foreground)),
        _ => None,
    })
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

/// Takes the next step. What it waits for are live objects, whose end calls for it again.
pub async fn step(engine: &Engine, app: &App) -> Result<(), Error> {
    let Some((finalizer, propagation)) = finalizer(&app.object.meta.finalizers) else { return Ok(()) };
    let destination =
        destination::resolve(&app.key.name, &app.typed.spec.destination, &app.key.cluster, &engine.observer.api_url);
    let Ok(destination) = destination else {
        // A cluster that does not exist holds no objects.
        return release(engine, app, finalizer).await;
    };
    let cluster = destination.cluster.clone();
    let mut observation =
        Observation { destination: Some(destination), kinds: known_kinds(app), ..Observation::default() };
    engine.observer.look(app, &mut observation).await?;
    let context = engine.observer.context(app, &cluster, &observation.kinds);
    let owned = engine.observer.live.owned(&app.owner, &cluster);
    let resources = compare::compare(&BTreeMap::new(), &BTreeMap::new(), &owned, &context);
    let options = SyncOptions::of(&[&app.typed.spec.sync_policy.sync_options]);
    let approved = app.object.meta.annotations.contains_key("argocd.argoproj.io/deletion-approved");
    match decide(&resources, &options, approved) {
        Step::Wait => Ok(()),
        Step::Finish => release(engine, app, finalizer).await,
        Step::Delete(keys) => {
            let due: Vec<&Resource> = resources.iter().filter(|resource| keys.contains(&resource.key)).collect();
            let gone = delete(engine, &due, &observation.kinds, propagation).await?;
            if gone {
                // Every object of the batch went at once, so the next one is due already.
                engine.wake(&app.key);
            }
            Ok(())
        }
    }
}

/// Kinds that the Application reported or wrote objects of.
fn known_kinds(app: &App) -> Kinds {
    let state = app.typed.status.operation_state.as_ref();
    let written = state.and_then(|state| state.sync_result.as_ref()).map(|result| result.resources.as_slice());
    let mut kinds = Kinds::new();
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
