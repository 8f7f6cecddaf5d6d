//! Wanted objects against live ones: for each whether it is in sync, whether it is
//! extra, whose it is, how well it is. Hooks that are there are named and not
//! compared. Pure; it must never decide what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{ClusterName, Gvk};
use serde_json::Value;

use crate::health::{self, Health, Rules, State};
use crate::hooks;
use crate::manifests::Kinds;
use crate::normalise;
use crate::options::SyncOptions;
use crate::resource::{self, Key, Live};
use crate::tracking::{self, Owner};
use crate::types::{Condition, IgnoreDifference};

/// Whether something is as it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// It is.
    Synced,
    /// It is not.
    OutOfSync,
}

/// Whether an object is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is.
    Plain,
    /// It asks not to be: it is neither applied nor removed.
    Skipped,
    /// It is a hook that a sync made.
    Hook,
}

/// One object of an Application.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Which object.
    pub key: Key,
    /// Its kind with its version.
    pub gvk: Gvk,
    /// Whether it is compared; what is not counts as in sync.
    pub part: Part,
    /// As it is wanted; `None` if it is extra.
    pub desired: Option<Arc<Value>>,
    /// As it is; `None` if it is missing.
    pub live: Option<Live>,
    /// Whether both agree.
    pub sync: Sync,
    /// Whether it is there and not wanted.
    pub requires_pruning: bool,
    /// Whether it does not make its Application out of sync although it is.
    pub is_tolerated: bool,
    /// Whether it is being deleted, or its namespace or its definition is.
    pub is_leaving: bool,
    /// Another Application whose object it is.
    pub shared_with: Option<Owner>,
    /// How well it is; `None` for kinds without a rule.
    pub health: Option<Health>,
    /// Whether its health does not count.
    pub ignores_health: bool,
    /// What it says of its own syncing.
    pub options: SyncOptions,
    /// Its wave.
    pub wave: i32,
}

/// What objects are compared with.
pub struct Context<'a> {
    /// The Application.
    pub owner: &'a Owner,
    /// Where the objects are.
    pub cluster: &'a ClusterName,
    /// Places not to compare.
    pub ignore: &'a [IgnoreDifference],
    /// How kinds are served.
    pub kinds: &'a Kinds,
    /// Health rules.
    pub rules: Rules,
}

/// Compares. `live` holds the live object of every wanted key that has one; `owned` the live
/// objects that bear the Application's tracking id.
pub fn compare(
    desired: &BTreeMap<Key, Arc<Value>>,
    live: &BTreeMap<Key, Live>,
    owned: &BTreeMap<Key, Live>,
    context: &Context<'_>,
) -> Vec<Resource> {
    let keys: BTreeSet<&Key> = desired.keys().chain(owned.keys().filter(|key| is_extra(&owned[*key]))).collect();
    keys.into_iter()
        .map(|key| {
            let live = live.get(key).or_else(|| owned.get(key));
            one(key, desired.get(key), live, context)
        })
        .collect()
}

/// Dependents of other objects are theirs to remove.
fn is_extra(live: &Live) -> bool {
    live.object.meta.owner_references.is_empty()
}

/// One object by itself, for example the namespace that CreateNamespace asks for.
pub fn one(key: &Key, desired: Option<&Arc<Value>>, live: Option<&Live>, context: &Context<'_>) -> Resource {
    // An object says what it wants of its syncing where it is wanted; an extra, where it is.
    let speaker = desired.or(live.map(|live| &live.value));
    let stated = |name: &str| speaker.and_then(|object| resource::annotation(object, name)).unwrap_or_default();
    let part = part(desired, live);
    let requires_pruning = part == Part::Plain && desired.is_none() && live.is_some();
    let gvk = speaker.map_or_else(|| Gvk::new(&key.group, "", &key.kind), |object| resource::gvk(object));
    let shared_with = live
        .and_then(|live| tracking::owner(context.cluster, &live.object.meta, &key.group, &key.kind))
        .filter(|owner| owner != context.owner);
    let sync = match (desired, live) {
        _ if part != Part::Plain => Sync::Synced,
        (Some(desired), Some(live)) => difference(key, &gvk, desired, live, context),
        _ => Sync::OutOfSync,
    };
    Resource {
        key: key.clone(),
        part,
        sync,
        requires_pruning,
        is_tolerated: requires_pruning
            && stated("argocd.argoproj.io/compare-options").split(',').any(|word| word.trim() == "IgnoreExtraneous"),
        is_leaving: live.is_some_and(|live| live.object.meta.is_deleting()),
        shared_with,
        health: match live {
            _ if part != Part::Plain => None,
            Some(live) => health::assess(&live.value, context.rules),
            None => Some(Health::of(State::Missing)),
        },
        ignores_health: stated("argocd.argoproj.io/ignore-healthcheck") == "true",
        options: speaker.map(|object| SyncOptions::of_object(object)).unwrap_or_default(),
        wave: speaker.map_or(0, |object| resource::wave(object)),
        desired: desired.cloned(),
        live: live.cloned(),
        gvk,
    }
}

fn part(desired: Option<&Arc<Value>>, live: Option<&Live>) -> Part {
    match (desired, live) {
        (Some(desired), _) if hooks::role(desired) == hooks::Role::Skip => Part::Skipped,
        (None, Some(live)) if hooks::is_hook(&live.value) => Part::Hook,
        _ => Part::Plain,
    }
}

fn difference(key: &Key, gvk: &Gvk, desired: &Value, live: &Live, context: &Context<'_>) -> Sync {
    let kind = context.kinds.get(gvk).and_then(Option::as_ref);
    let ignored = normalise::ignored_pointers(context.ignore, key);
    let same = normalise::agrees(desired, &live.value, kind, &ignored);
    if same && !live.object.meta.is_deleting() { Sync::Synced } else { Sync::OutOfSync }
}

/// Marks what leaves with its namespace or its definition: what is made there now would go as well,
/// or be refused. `namespace` is one that leaves and is not among the resources.
pub fn mark_leaving(resources: &mut [Resource], namespace: Option<&str>) {
    let mut namespaces: BTreeSet<Arc<str>> = namespace.map(Arc::from).into_iter().collect();
    let mut kinds = BTreeSet::new();
    for resource in resources.iter().filter(|resource| resource.is_leaving) {
        match (&*resource.key.group, &*resource.key.kind) {
            ("", "Namespace") => drop(namespaces.insert(resource.key.name.clone())),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                kinds.extend(resource.live.as_ref().map(|live| resource::definition_of(&live.value)));
            }
            _ => {}
        }
    }
    if namespaces.is_empty() && kinds.is_empty() {
        return;
    }
    for resource in resources {
        let kind = (resource.key.group.to_string(), resource.key.kind.to_string());
        resource.is_leaving |= namespaces.contains(&resource.key.namespace) || kinds.contains(&kind);
    }
}

/// Whether the Application as a whole is in sync.
pub fn overall(resources: &[Resource]) -> Sync {
    let differs = |resource: &Resource| resource.sync == Sync::OutOfSync && !resource.is_tolerated;
    if resources.iter().any(differs) { Sync::OutOfSync } else { Sync::Synced }
}

/// How well the Application as a whole is; it does not count itself.
#[tracing::instrument(level = "debug", name = "health", skip_all)]
pub fn overall_health(resources: &[Resource], app: &Key) -> Health {
    let parts: Vec<health::Part<'_>> = resources
        .iter()
        .filter(|resource| resource.key != *app && !resource.requires_pruning && resource.part == Part::Plain)
        .map(|resource| health::Part {
            key: &resource.key,
            health: resource.health.as_ref(),
            ignored: resource.ignores_health,
        })
        .collect();
    health::aggregate(&parts)
}

/// A condition for every object that another Application holds as its own.
pub fn shared_conditions(resources: &[Resource], owner: &Owner) -> Vec<Condition> {
    let shared = resources.iter().filter_map(|resource| resource.shared_with.as_ref().map(|other| (resource, other)));
    shared
        .map(|(resource, other)| {
            let message = format!(
                "{}/{} is part of applications {} and {}",
                resource.key.kind, resource.key.name, owner.instance, other.instance
            );
            Condition::new("SharedResourceWarning", message)
        })
        .collect()
}
