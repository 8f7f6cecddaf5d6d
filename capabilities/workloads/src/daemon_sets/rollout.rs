//! Which daemon pods give way to the newest template now, within the bounds of
//! what may be missing or in excess. Pure.

use std::sync::Arc;

use client::Item;

use super::placement::Wanted;
use super::scene::{Pods, Scene};
use crate::views::Pod;

/// The pods of a node by whether they are of the newest template.
struct OnNode<'a> {
    new: Option<&'a Arc<Item<Pod>>>,
    old: Option<&'a Arc<Item<Pod>>>,
}

impl<'a> OnNode<'a> {
    /// `None` if there are more of a sort than one, which is to be put in order first.
    fn of(scene: &Scene<'_>, pods: &'a [Arc<Item<Pod>>]) -> Option<OnNode<'a>> {
        let mut found = OnNode { new: None, old: None };
        for pod in pods.iter().filter(|pod| !pod.object.meta.is_deleting()) {
            let place = if scene.is_updated(pod) { &mut found.new } else { &mut found.old };
            if place.replace(pod).is_some() {
                return None;
            }
        }
        Some(found)
    }
}

/// Nodes for which pods are to be made beside those that are there, and pods to delete.
pub(super) fn update(scene: &Scene<'_>) -> (Vec<String>, Pods) {
    match scene.bounds() {
        None => (Vec::new(), Vec::new()),
        Some((unavailable, 0)) => (Vec::new(), replaced(scene, unavailable)),
        Some((_, surge)) => surged(scene, surge),
    }
}

/// The nodes that have pods or want one.
fn nodes<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = (&'a str, &'a [Arc<Item<Pod>>])> {
    let wanting = scene.nodes.iter().filter(|(node, wanted)| **wanted == Wanted::Yes || scene.pods.contains_key(*node));
    wanting.map(|(node, _)| (node.as_str(), scene.pods_on(node)))
}

/// Old pods that go: those that do not serve, and of the others as many as may be missing.
fn replaced(scene: &Scene<'_>, max_unavailable: usize) -> Pods {
    let (mut missing, mut useless, mut serving) = (0, Vec::new(), Vec::new());
    for (_, pods) in nodes(scene) {
        match OnNode::of(scene, pods) {
            Some(OnNode { new: Some(new), old: None }) => missing += usize::from(!scene.is_available(new)),
            Some(OnNode { new: None, old: Some(old) }) if scene.is_available(old) => serving.push(old.clone()),
            Some(OnNode { new: None, old: Some(old) }) => {
                missing += 1;
                useless.push(old.clone());
            }
            _ => missing += 1,
        }
    }
    useless.extend(serving.into_iter().take(max_unavailable.saturating_sub(missing)));
    useless
}

/// Nodes that get a new pod beside the old one, and old pods whose new one serves.
fn surged(scene: &Scene<'_>, max_surge: usize) -> (Vec<String>, Pods) {
    let (mut surging, mut done) = (0, Vec::new());
    let (mut needy, mut candidates) = (Vec::new(), Vec::new());
    for (node, pods) in nodes(scene) {
        match OnNode::of(scene, pods) {
            None => surging += 1,
            Some(OnNode { old: None, .. }) => {}
            Some(OnNode { new: None, old: Some(_) }) if scene.nodes.get(node) != Some(&Wanted::Yes) => {}
            Some(OnNode { new: None, old: Some(old) }) if scene.is_available(old) => candidates.push(node.to_owned()),
            Some(OnNode { new: None, old: Some(_) }) => needy.push(node.to_owned()),
            Some(OnNode { new: Some(new), old: Some(_) }) if !scene.is_available(new) => surging += 1,
            Some(OnNode { new: Some(_), old: Some(old) }) => done.push(old.clone()),
        }
    }
    needy.extend(candidates.into_iter().take(max_surge.saturating_sub(surging)));
    (needy, done)
}
