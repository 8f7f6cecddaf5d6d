//! Stop 5, plan: from what is wanted and what is there to ordered tasks. Pure and
//! deterministic: the same resources in any order give the same plan, and what a
//! plan has done needs no second plan. It must never ask the API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::Gvk;
use serde_json::Value;

use crate::compare::{Resource, Sync};
use crate::options::SyncOptions;
use crate::resource::{Key, Live, definition_of};
use crate::types::ResourceSelector;

/// Kinds in the order in which they are applied within a wave; every other kind comes last.
const KIND_ORDER: &[&str] = &[
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Where a kind stands in the order.
pub fn kind_rank(kind: &str) -> usize {
    KIND_ORDER.iter().position(|known| *known == kind).unwrap_or(KIND_ORDER.len())
}

/// What is done to one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create it, or make it as wanted.
    Apply,
    /// Delete it.
    Prune,
    /// Say why it is not deleted.
    KeepExtra(&'static str),
}

/// One step of a plan.
#[derive(Clone, Debug)]
pub struct Task {
    /// Which object.
    pub key: Key,
    /// Its version.
    pub gvk: Gvk,
    /// What is done.
    pub action: Action,
    /// As it is wanted; `None` for what is deleted.
    pub desired: Option<Arc<Value>>,
    /// As it is.
    pub live: Option<Live>,
    /// What it says of itself.
    pub options: SyncOptions,
    /// Whether it differs from what is wanted.
    pub is_change: bool,
    /// Whether it is on its way out, so that it cannot be made yet.
    pub is_leaving: bool,
}

/// Tasks that belong together: deletions first, then batches in the order of kinds.
#[derive(Clone, Debug, Default)]
pub struct Wave {
    /// Its number.
    pub number: i32,
    /// Deletions.
    pub prunes: Vec<Task>,
    /// Objects to apply; a batch begins when the one before is done.
    pub batches: Vec<Vec<Task>>,
}

impl Wave {
    /// Every task in order.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.prunes.iter().chain(self.batches.iter().flatten())
    }
}

/// An ordered sync.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Waves in order; none is empty.
    pub waves: Vec<Wave>,
}

impl Plan {
    /// Every task in order.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.waves.iter().flat_map(Wave::tasks)
    }

    /// Tasks that will change something.
    pub fn changes(&self) -> impl Iterator<Item = &Task> {
        self.tasks().filter(|task| task.is_change && !matches!(task.action, Action::KeepExtra(_)))
    }
}

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

/// Makes the plan. `namespace` is the one that CreateNamespace asks for, if it is not among the
/// resources; it comes before everything.
#[tracing::instrument(level = "debug", name = "plan", skip_all)]
pub fn plan(resources: &[Resource], namespace: Option<&Resource>, wish: &Wish) -> Plan {
    let chosen: Vec<&Resource> = resources.iter().filter(|resource| is_chosen(resource, wish)).collect();
    let mut waves: BTreeMap<i32, Wave> = BTreeMap::new();
    let dependencies = Dependencies::of(&chosen);
    for resource in chosen.iter().filter(|resource| resource.desired.is_some()) {
        let number = dependencies.wave(resource);
        let rank = dependencies.rank(resource);
        place(&mut waves, number, rank, task(resource, Action::Apply));
    }
    for (number, resource) in prune_waves(&chosen, wish) {
        let wave = waves.entry(number).or_default();
        wave.prunes.push(task(resource, prune_action(resource, wish)));
    }
    if let Some(namespace) = namespace {
        place(&mut waves, i32::MIN, 0, task(namespace, Action::Apply));
    }
    let mut plan = Plan::default();
    for (number, mut wave) in waves {
        wave.number = number;
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
    let is_concerned = resource.desired.is_some() || resource.requires_pruning;
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
        action,
        desired: resource.desired.clone(),
        live: resource.live.clone(),
        options: resource.options.clone(),
        is_change: resource.sync == Sync::OutOfSync,
        is_leaving: resource.is_leaving,
    }
}

fn place(waves: &mut BTreeMap<i32, Wave>, number: i32, rank: usize, task: Task) {
    let batches = &mut waves.entry(number).or_default().batches;
    if batches.len() <= rank {
        batches.resize_with(rank + 1, Vec::new);
    }
    batches[rank].push(task);
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
fn prune_waves<'a>(chosen: &[&'a Resource], wish: &Wish) -> Vec<(i32, &'a Resource)> {
    let extras: Vec<&Resource> = chosen.iter().filter(|resource| resource.desired.is_none()).copied().collect();
    let numbers: BTreeSet<i32> = extras.iter().map(|extra| extra.wave).collect();
    let mirror: BTreeMap<i32, i32> = numbers.iter().copied().zip(numbers.iter().rev().copied()).collect();
    let last = chosen.iter().map(|resource| resource.wave).max().unwrap_or(0).saturating_add(1);
    extras
        .into_iter()
        .map(|extra| {
            let goes_last = wish.options.for_object(&extra.options, "PruneLast", "true");
            (if goes_last { last } else { mirror[&extra.wave] }, extra)
        })
        .collect()
}

/// What must be there before other objects of the same sync: their namespace and the definition
/// of their kind, wherever these say they belong.
struct Dependencies {
    namespaces: BTreeMap<Arc<str>, i32>,
    kinds: BTreeMap<(Arc<str>, Arc<str>), i32>,
    defined: BTreeSet<(String, String)>,
}

impl Dependencies {
    fn of(chosen: &[&Resource]) -> Self {
        let mut found = Dependencies { namespaces: BTreeMap::new(), kinds: BTreeMap::new(), defined: BTreeSet::new() };
        for resource in chosen.iter().filter(|resource| resource.desired.is_some()) {
            let wave = resource.wave;
            let first = |held: &mut i32| *held = (*held).min(wave);
            found.namespaces.entry(resource.key.namespace.clone()).and_modify(first).or_insert(wave);
            let kind = (resource.key.group.clone(), resource.key.kind.clone());
            found.kinds.entry(kind).and_modify(first).or_insert(wave);
            found.defined.extend(defines(resource));
        }
        found
    }

    /// A resource's wave, or the first wave that needs it.
    fn wave(&self, resource: &Resource) -> i32 {
        let needed = if is_namespace(&resource.key) {
            self.namespaces.get(&resource.key.name).copied()
        } else {
            defines(resource).and_then(|(group, kind)| self.kinds.get(&(group.into(), kind.into())).copied())
        };
        needed.map_or(resource.wave, |needed| needed.min(resource.wave))
    }

    /// A resource's place in its wave; a custom resource never comes before its definition.
    fn rank(&self, resource: &Resource) -> usize {
        let rank = kind_rank(&resource.key.kind);
        let is_custom = self.defined.contains(&(resource.key.group.to_string(), resource.key.kind.to_string()));
        if is_custom { rank.max(kind_rank("CustomResourceDefinition") + 1) } else { rank }
    }
}

fn is_namespace(key: &Key) -> bool {
    key.group.is_empty() && &*key.kind == "Namespace"
}

/// Group and kind that a CustomResourceDefinition defines.
fn defines(resource: &Resource) -> Option<(String, String)> {
    let is_definition =
        &*resource.key.group == "apiextensions.k8s.io" && &*resource.key.kind == "CustomResourceDefinition";
    let desired = resource.desired.as_ref().filter(|_| is_definition)?;
    Some(definition_of(desired))
}

#[cfg(test)]
mod tests;
