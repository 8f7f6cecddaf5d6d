//! Revisions of a deployment: the replica set of its template, the annotations
//! that number and remember revisions, and which old ones are forgotten. Pure.

use std::collections::BTreeMap;

use api::{Gvk, Status};
use client::Item;
use controller::owner;
use serde_json::{Value, json};

use super::rolling;
use super::scaling;
use super::sets::{Set, Sets};
use crate::template::{self, TEMPLATE_HASH};
use crate::views::Deployment;

/// An annotation of replica sets and deployments: which revision they hold.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// An annotation of a replica set: the revisions it was before it came back.
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// Annotations that replica sets do not get from their deployment.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];
/// Characters of the history at most.
const LONGEST_HISTORY: usize = 2000;
/// Characters of a name.
const LONGEST_NAME: usize = 253;

type Annotations = BTreeMap<String, String>;

/// The revision of a replica set; 0 if it states none.
fn revision(set: &Set) -> i64 {
    set.object.meta.annotations.get(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The number of the newest revision: one beyond all old ones.
fn next(sets: &Sets) -> i64 {
    sets.old.iter().map(revision).max().unwrap_or(0).max(0) + 1
}

/// What the new replica set must be annotated with, if it is not yet, or if it does not wait as
/// long as the deployment says before pods count as available.
pub(super) fn out_of_step(deployment: &Item<Deployment>, sets: &Sets) -> Option<(Set, Annotations)> {
    let new = sets.new.as_ref()?;
    let held = &new.object.meta.annotations;
    let annotations = annotated(&deployment.object.meta.annotations, held, next(sets));
    let is_in_step = annotations == *held && new.view.min_ready_secs == deployment.view.min_ready_secs;
    (!is_in_step).then(|| (new.clone(), annotations))
}

/// The annotations of the new replica set, which holds `held`: those of its deployment on top,
/// and the revision. A set that was a revision before remembers it.
pub(super) fn annotated(deployment: &Annotations, held: &Annotations, next: i64) -> Annotations {
    let mut annotations = held.clone();
    let copied = deployment.iter().filter(|(key, _)| !NOT_COPIED.contains(&key.as_str()));
    annotations.extend(copied.map(|(key, value)| (key.clone(), value.clone())));
    let stated = held.get(REVISION).map(String::as_str);
    // A revision that is no number is somebody else's and is left alone.
    let Ok(before) = stated.unwrap_or("0").parse::<i64>() else { return annotations };
    if before >= next {
        return annotations;
    }
    annotations.insert(REVISION.to_owned(), next.to_string());
    if let Some(stated) = stated {
        let history = held.get(HISTORY).map_or("", String::as_str);
        annotations.insert(HISTORY.to_owned(), remembering(history, stated));
    }
    annotations
}

/// The history with one more revision; the oldest give way.
fn remembering(history: &str, revision: &str) -> String {
    let mut rest = history;
    while !rest.is_empty() && rest.len() + revision.len() + 1 > LONGEST_HISTORY {
        rest = rest.split_once(',').map_or("", |(_, rest)| rest);
    }
    if rest.is_empty() { revision.to_owned() } else { format!("{rest},{revision}") }
}

/// The replica set of the deployment's template.
pub(super) fn new_set(deployment: &Item<Deployment>, gvk: &Gvk, sets: &Sets) -> Result<Value, Status> {
    let (meta, view) = (&deployment.object.meta, &deployment.view);
    let spec = deployment.object.value()?["spec"].take();
    let (mut pods, mut selector) = (spec["template"].clone(), spec["selector"].clone());
    let hash = template::hash(&pods, view.status.collision_count);
    pods["metadata"]["labels"][TEMPLATE_HASH] = hash.as_str().into();
    selector["matchLabels"][TEMPLATE_HASH] = hash.as_str().into();
    let mut annotations = annotated(&meta.annotations, &Annotations::new(), next(sets));
    annotations.extend(scaling::annotations(view).map(|(key, value)| (key.to_owned(), value)));
    let prefix = meta.name.get(..LONGEST_NAME - hash.len() - 1).unwrap_or(&meta.name);
    Ok(json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{prefix}-{hash}"),
            "namespace": meta.namespace,
            "labels": pods["metadata"]["labels"],
            "annotations": annotations,
            "ownerReferences": [owner::reference(gvk, meta, true)],
        },
        "spec": {
            "replicas": rolling::new_size(view, 0, sets.asked()),
            "minReadySeconds": view.min_ready_secs,
            "selector": selector,
            "template": pods,
        },
    }))
}

/// Old replica sets that nobody needs any more: beyond the limit, the oldest revisions first, and
/// of those only what has come to rest without pods.
pub(super) fn forgotten(deployment: &Deployment, sets: &Sets) -> Vec<Set> {
    let Some(limit) = deployment.history_limit else { return Vec::new() };
    let mut alive: Vec<&Set> = sets.old.iter().filter(|set| !set.object.meta.is_deleting()).collect();
    // The sort is stable, and the sets come by age.
    alive.sort_by_key(|set| revision(set));
    let excess = alive.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    let is_at_rest = |set: &&&Set| {
        let (view, generation) = (&set.view, set.object.meta.generation);
        view.replicas == 0 && view.status.replicas == 0 && generation <= view.status.observed_generation
    };
    alive.iter().take(excess).filter(is_at_rest).map(|set| (*set).clone()).collect()
}
