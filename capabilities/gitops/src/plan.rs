//! Stop 5, plan: from what is wanted and what is there to ordered tasks. Pure and
//! deterministic: the same resources in any order give the same plan, and what a
//! plan has done needs no second plan. It must never ask the API.

mod dependencies;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::compare::{Part, Resource, Sync};
use crate::hooks::{self, Instance, SyncPhase};
use crate::options::SyncOptions;
use crate::resource::{self, Key};
use crate::task::{Action, PREPARATION, Plan, Step, Task, Wave, kind_rank};
use crate::types::ResourceSelector;
use dependencies::Dependencies;

/// What a sync was asked to do.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Delete what is no longer wanted.
    pub prune: bool,
    /// Only these; empty for all.
    pub selected: Vec<ResourceSelector>,
    /// Options of the Application and the operation.
    pub options: SyncOptions,
    /// Objects that the same operation has already been at: others may wait for them.
    pub begun: BTreeSet<Key>,
    /// Whether someone confirmed deletions that ask for it.
    pub deletion_approved: bool,
}

/// Makes the plan. `hooks` are those to be run; `namespace` is the one that CreateNamespace asks for,
/// if it is not among the resources; it comes before everything.
#[tracing::instrument(level = "debug", name = "plan", skip_all)]
pub fn plan(resources: &[Resource], hooks: &[Instance], namespace: Option<&Resource>, wish: &Wish) -> Plan {
    let chosen: Vec<&Resource> = resources.iter().filter(|resource| is_chosen(resource, wish)).collect();
    let wanted = chosen.iter().filter(|resource| resource.desired.is_some());
    let mut applied: Vec<(Step, Task)> =
        wanted.map(|resource| ((SyncPhase::Sync, resource.wave), task(resource, Action::Apply))).collect();
    applied.extend(hooks.iter().map(|hook| ((hook.phase, resource::wave(&hook.object)), hook_task(hook))));
    let mut waves: BTreeMap<Step, Wave> = BTreeMap::new();
    for (number, resource) in prune_waves(&chosen, last_wave(&applied), wish) {
        let wave = waves.entry((SyncPhase::Sync, number)).or_default();
        wave.prunes.push(task(resource, prune_action(resource, wish)));
    }
    let dependencies = Dependencies::of(&applied);
    for (step, task) in applied {
        place(&mut waves, dependencies.step(step, &task), dependencies.rank(&task), task);
    }
    if let Some(namespace) = namespace {
        let task = Task { phase: SyncPhase::PreSync, ..task(namespace, Action::Apply) };
        place(&mut waves, PREPARATION, 0, task);
    }
    let mut plan = Plan::default();
    for ((phase, number), mut wave) in waves {
        (wave.phase, wave.number) = (phase, number);
        wave.prunes.sort_by(|a, b| (kind_rank(&b.key.kind), &a.key).cmp(&(kind_rank(&a.key.kind), &b.key)));
        wave.batches.retain(|batch| !batch.is_empty());
        wave.batches.iter_mut().for_each(|batch| batch.sort_by(|a, b| by_name(&a.key).cmp(&by_name(&b.key))));
        plan.waves.push(wave);
    }
    plan
}

/// Objects to delete when the Application goes, in batches: the last wave first, and in a wave
/// the last kind first.
pub fn deletion(resources: &[(i32, Key)]) -> Vec<Vec<Key>> {
    let mut waves: BTreeMap<i32, Vec<Key>> = BTreeMap::new();
    for (wave, key) in resources {
        waves.entry(*wave).or_default().push(key.clone());
    }
    let mut batches: Vec<Vec<Key>> = waves.into_values().rev().collect();
    for batch in &mut batches {
        batch.sort_by(|a, b| (kind_rank(&b.kind), a).cmp(&(kind_rank(&a.kind), b)));
    }
    batches
}

fn by_name(key: &Key) -> (&str, &Key) {
    (&key.name, key)
}

fn is_chosen(resource: &Resource, wish: &Wish) -> bool {
    let selected = wish.selected.is_empty() || wish.selected.iter().any(|selector| selects(selector, &resource.key));
    let only_changed = wish.options.has("ApplyOutOfSyncOnly", "true")
        && resource.sync == Sync::Synced
        && !wish.begun.contains(&resource.key);
    let is_concerned = resource.part == Part::Plain && (resource.desired.is_some() || resource.requires_pruning);
    is_concerned && selected && !only_changed
}

fn selects(selector: &ResourceSelector, key: &Key) -> bool {
    let is = |wanted: &str, actual: &str| wanted == "*" || wanted == actual;
    is(&selector.group, &key.group)
        && is(&selector.kind, &key.kind)
        && is(&selector.name, &key.name)
        && (selector.namespace.is_empty() || is(&selector.namespace, &key.namespace))
}

fn task(resource: &Resource, action: Action) -> Task {
    Task {
        key: resource.key.clone(),
        gvk: resource.gvk.clone(),
        phase: SyncPhase::Sync,
        hook: None,
        action,
        desired: resource.desired.clone(),
        live: resource.live.clone(),
        options: resource.options.clone(),
        is_change: resource.sync == Sync::OutOfSync,
        is_leaving: resource.is_leaving,
    }
}

fn hook_task(hook: &Instance) -> Task {
    Task {
        key: hook.key.clone(),
        gvk: resource::gvk(&hook.object),
        phase: hook.phase,
        hook: Some(hooks::policies(&hook.object)),
        action: Action::Apply,
        desired: Some(Arc::new(hook.object.clone())),
        live: None,
        options: SyncOptions::of_object(&hook.object),
        is_change: true,
        is_leaving: false,
    }
}

/// Puts a task where it belongs. What others need comes in their phase.
fn place(waves: &mut BTreeMap<Step, Wave>, step: Step, rank: usize, task: Task) {
    let batches = &mut waves.entry(step).or_default().batches;
    if batches.len() <= rank {
        batches.resize_with(rank + 1, Vec::new);
    }
    batches[rank].push(Task { phase: step.0, ..task });
}

/// The last wave of the phase in which objects are applied.
fn last_wave(applied: &[(Step, Task)]) -> i32 {
    applied.iter().filter(|((phase, _), _)| *phase == SyncPhase::Sync).map(|((_, wave), _)| *wave).max().unwrap_or(0)
}

fn prune_action(resource: &Resource, wish: &Wish) -> Action {
    if wish.options.for_object(&resource.options, "Prune", "false") {
        return Action::KeepExtra("ignored (no prune)");
    }
    if !wish.prune {
        return Action::KeepExtra("ignored (requires pruning)");
    }
    if wish.options.for_object(&resource.options, "Prune", "confirm") && !wish.deletion_approved {
        return Action::KeepExtra("ignored (waiting for deletion confirmation)");
    }
    Action::Prune
}

/// Extras with the wave in which they go: what was made last goes first, so the first and the
/// last wave of extras change places; with PruneLast, after everything else.
fn prune_waves<'a>(chosen: &[&'a Resource], last: i32, wish: &Wish) -> Vec<(i32, &'a Resource)> {
    let extras: Vec<&Resource> = chosen.iter().filter(|resource| resource.desired.is_none()).copied().collect();
    let numbers: BTreeSet<i32> = extras.iter().map(|extra| extra.wave).collect();
    let mirror: BTreeMap<i32, i32> = numbers.iter().copied().zip(numbers.iter().rev().copied()).collect();
    let last = numbers.last().copied().unwrap_or(0).max(last).max(0).saturating_add(1);
    extras
        .into_iter()
        .map(|extra| {
            let goes_last = wish.options.for_object(&extra.options, "PruneLast", "true");
            (if goes_last { last } else { mirror[&extra.wave] }, extra)
        })
        .collect()
}

#[cfg(test)]
mod tests;
