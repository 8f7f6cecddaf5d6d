//! One cluster as the scheduler sees it: takes in every change, keeps a pod's
//! place from the moment it is decided, and says what is to be done next. Pure;
//! it neither reads nor writes objects.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use client::ObjectKey;
use jiff::Timestamp;

use super::board::{Board, Budget};
use super::claims::{Claim, Class, Volume};
use super::filter;
use super::node::{Facts, Node};
use super::pod::Pod;
use super::queue::Queue;
use super::storage::{Step, Storage};
use super::verdict::{Plugin, Unfit};
use super::{decide, preempt};

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Work {
    /// Write what the pod's volumes need, and come back once they are bound.
    Prepare { pod: Arc<Pod>, node: Arc<str>, steps: Vec<Step> },
    /// Bind the pod to the node.
    Bind { pod: Arc<Pod>, node: Arc<str> },
    /// Tell the owner that there is no node.
    Report { pod: Arc<Pod>, message: String, clears_nomination: bool },
    /// Tell the owner, and make room; `displaced` are pods that were to have that room.
    MakeRoom { pod: Arc<Pod>, message: String, room: preempt::Choice, displaced: Vec<Arc<Pod>> },
}

/// A pod that is known.
#[derive(Debug)]
struct Known {
    pod: Arc<Pod>,
    /// Where it is, or is about to be.
    node: Option<Arc<str>>,
    /// Whether its place is decided and not yet written.
    is_assumed: bool,
    /// Whether it waits there for its volumes.
    awaits_volumes: bool,
    nominated: Option<Arc<str>>,
}

/// One cluster.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub(super) board: Board,
    queue: Queue,
    pods: HashMap<ObjectKey, Known>,
    /// Pods whose volumes are bound by now.
    complete: Vec<ObjectKey>,
}

impl Cluster {
    /// A pod as it is now; `None` if it is gone.
    pub(super) fn set_pod(&mut self, key: &ObjectKey, pod: Option<Pod>, now: Timestamp) {
        let pod = pod.filter(|pod| !pod.is_finished).map(Arc::new);
        let uid = pod.as_ref().map(|pod| pod.uid());
        if self.pods.get(key).is_some_and(|known| Some(known.pod.uid()) != uid) {
            self.forget(key, now);
        }
        let Some(pod) = pod else { return };
        match (pod.node().map(Arc::<str>::from), self.pods.contains_key(key)) {
            (Some(node), _) => self.bound(pod, node, now),
            (None, true) => self.changed(pod, now),
            (None, false) => self.arrived(pod, now),
        }
    }

    fn arrived(&mut self, pod: Arc<Pod>, now: Timestamp) {
        let nominated = (!pod.nominated_node.is_empty()).then(|| Arc::<str>::from(&*pod.nominated_node));
        if let Some(node) = nominated.as_ref().filter(|_| waits(&pod)) {
            self.board.nominate(pod.clone(), node);
        }
        if waits(&pod) {
            self.queue.add(&pod.key, pod.priority, now);
        }
        let key = pod.key.clone();
        self.pods.insert(key, Known { pod, node: None, is_assumed: false, awaits_volumes: false, nominated });
    }

    /// A pod without a node has changed.
    fn changed(&mut self, pod: Arc<Pod>, now: Timestamp) {
        let Some(known) = self.pods.get_mut(&pod.key) else { return };
        let before = std::mem::replace(&mut known.pod, pod.clone());
        if let Some(node) = known.node.clone() {
            self.board.displace(&pod.key, &node);
            self.board.place(pod.clone(), &node);
        }
        if let Some(node) = known.nominated.clone() {
            self.board.forget_nominee(&pod.key, &node);
            self.board.nominate(pod.clone(), &node);
        }
        if !waits(&pod) {
            self.release(&pod.key, now);
            self.denominate(&pod.key, now);
            self.queue.remove(&pod.key);
        } else if self.pods.get(&pod.key).is_some_and(|known| known.node.is_none()) {
            let is_new = !waits(&before);
            if is_new || !pod.asks_as(&before) {
                self.queue.add(&pod.key, pod.priority, now);
            }
        }
    }

    /// A pod is on a node, whoever put it there.
    fn bound(&mut self, pod: Arc<Pod>, node: Arc<str>, now: Timestamp) {
        self.queue.remove(&pod.key);
        let before = self.pods.remove(&pod.key);
        if let Some(held) = before.as_ref().and_then(|known| known.node.clone()) {
            self.board.displace(&pod.key, &held);
        }
        self.board.place(pod.clone(), &node);
        let is_news = before.as_ref().is_none_or(|known| {
            known.node.as_ref() != Some(&node)
                || !known.pod.asks_as(&pod)
                || known.is_assumed
                || known.pod.is_deleting() != pod.is_deleting()
        });
        let shrank = before.as_ref().is_some_and(|known| known.node.is_some() && known.pod.requested != pod.requested);
        let nominated = before.as_ref().and_then(|known| known.nominated.clone());
        if let Some(held) = &nominated {
            self.board.forget_nominee(&pod.key, held);
        }
        let moved = before.and_then(|known| known.node).filter(|held| *held != node);
        let key = pod.key.clone();
        self.pods.insert(
            key,
            Known { pod, node: Some(node.clone()), is_assumed: false, awaits_volumes: false, nominated: None },
        );
        if is_news {
            self.wake_all(now, |plugin| matches!(plugin, Plugin::Spread | Plugin::Nearness));
        }
        if shrank {
            self.wake_for(&node, now);
        }
        for held in moved.into_iter().chain(nominated) {
            self.wake_for(&held, now);
        }
    }

    /// A pod is gone.
    fn forget(&mut self, key: &ObjectKey, now: Timestamp) {
        self.queue.remove(key);
        self.release(key, now);
        self.denominate(key, now);
        self.pods.remove(key);
    }

    /// Gives up a pod's place.
    fn release(&mut self, key: &ObjectKey, now: Timestamp) {
        let Some(known) = self.pods.get_mut(key) else { return };
        known.is_assumed = false;
        known.awaits_volumes = false;
        let uses = known.pod.claims.iter().map(|used| (Box::<str>::from(known.pod.namespace()), used.name.clone()));
        let claims: Vec<_> = uses.collect();
        let Some(node) = known.node.take() else { return };
        for key in claims {
            if let Some(claim) = self.board.claims.get(&key) {
                let uid = claim.object.meta.uid.clone();
                self.board.given.retain(|_, held| **held != *uid);
            }
        }
        self.board.displace(key, &node);
        self.wake_for(&node, now);
    }

    /// Room is made for a pod no longer: others may have it.
    fn denominate(&mut self, key: &ObjectKey, now: Timestamp) {
        let Some(known) = self.pods.get_mut(key) else { return };
        if let Some(node) = known.nominated.take() {
            self.board.forget_nominee(key, &node);
            self.wake_for(&node, now);
        }
    }

    /// A node as it is now; `None` if it is gone.
    pub(super) fn set_node(&mut self, name: &str, facts: Option<Facts>, now: Timestamp) {
        match facts {
            None => self.board.remove_node(name),
            Some(facts) => {
                if self.board.set_node(name, facts) {
                    self.wake_for(name, now);
                }
            }
        }
    }

    /// A namespace with its labels; `None` if it is gone.
    pub(super) fn set_namespace(&mut self, name: &str, labels: Option<BTreeMap<String, String>>, now: Timestamp) {
        let changed = match labels {
            None => self.board.namespaces.remove(name).is_some(),
            Some(labels) => self.board.namespaces.insert(name.into(), labels.clone()) != Some(labels),
        };
        if changed {
            self.wake_all(now, |plugin| plugin == Plugin::Nearness);
        }
    }

    /// A class of volumes; `None` if it is gone.
    pub(super) fn set_class(&mut self, name: &str, class: Option<Class>, now: Timestamp) {
        match class {
            None => drop(self.board.classes.remove(name)),
            Some(class) => drop(self.board.classes.insert(name.into(), class)),
        }
        self.wake_all(now, |plugin| plugin == Plugin::Volumes);
    }

    /// A volume; `None` if it is gone.
    pub(super) fn set_volume(&mut self, name: &str, volume: Option<Volume>, now: Timestamp) {
        match volume {
            None => {
                self.board.volumes.remove(name);
                self.board.given.remove(name);
            }
            Some(volume) => {
                if volume.claim.is_some() {
                    self.board.given.remove(name);
                }
                self.board.volumes.insert(name.into(), volume);
            }
        }
        self.wake_all(now, |plugin| plugin == Plugin::Volumes);
    }

    /// A claim; `None` if it is gone.
    pub(super) fn set_claim(&mut self, namespace: &str, name: &str, claim: Option<Claim>, now: Timestamp) {
        let key = (namespace.into(), name.into());
        match claim {
            None => drop(self.board.claims.remove(&key)),
            Some(claim) => drop(self.board.claims.insert(key, claim)),
        }
        let uses = |known: &Known| {
            known.awaits_volumes
                && known.pod.namespace() == namespace
                && known.pod.claims.iter().any(|used| *used.name == *name)
        };
        let awaiting: Vec<ObjectKey> =
            self.pods.iter().filter(|(_, known)| uses(known)).map(|(key, _)| key.clone()).collect();
        for key in awaiting {
            self.look_at_volumes(&key, now);
        }
        self.wake_all(now, |plugin| plugin == Plugin::Volumes);
    }

    /// What the volumes of a pod need was written.
    pub(super) fn prepared(&mut self, key: &ObjectKey, now: Timestamp) {
        if let Some(known) = self.pods.get_mut(key).filter(|known| known.is_assumed) {
            known.awaits_volumes = true;
            self.look_at_volumes(key, now);
        }
    }

    /// A pod has its place and waits for its volumes: they may be bound now, or never will be.
    fn look_at_volumes(&mut self, key: &ObjectKey, now: Timestamp) {
        let Some((pod, node)) = self.pods.get(key).and_then(|known| Some((known.pod.clone(), known.node.clone()?)))
        else {
            return;
        };
        let steps = self.board.node(&node).map(|held| {
            let storage = Storage::of(&self.board, &pod).ok()?;
            let steps = storage.steps(&self.board, held).ok()?;
            Some((storage.is_bound(), steps))
        });
        match steps.flatten() {
            Some((true, _)) => {
                if let Some(known) = self.pods.get_mut(key) {
                    known.awaits_volumes = false;
                }
                self.complete.push(key.clone());
            }
            // A provisioner that cannot serve the node takes the node's name off the claim.
            Some((false, steps)) if steps.iter().all(|step| self.is_under_way(&pod, step)) => {}
            _ => {
                self.release(key, now);
                self.queue.fail(key, now);
            }
        }
    }

    fn is_under_way(&self, pod: &Pod, step: &Step) -> bool {
        let key = (pod.namespace().into(), step.claim().into());
        match step {
            Step::Give { volume, .. } => self.board.volumes.get(volume).is_some_and(|volume| volume.claim.is_some()),
            Step::Provision { .. } => self.board.claims.get(&key).is_some_and(|claim| claim.selected_node().is_some()),
        }
    }

    /// A budget of disruptions; `None` if it is gone.
    pub(super) fn set_budget(&mut self, namespace: &str, name: &str, budget: Option<Budget>) {
        let key = (namespace.into(), name.into());
        match budget {
            None => drop(self.board.budgets.remove(&key)),
            Some(budget) => drop(self.board.budgets.insert(key, budget)),
        }
    }

    /// A node is new, has changed, or has more room: pods may be tried again that it alone does
    /// not keep out, and those that care where other pods are.
    fn wake_for(&mut self, name: &str, now: Timestamp) {
        let Some(node) = self.board.node(name) else { return };
        let counts = |plugin| matches!(plugin, Plugin::NoNode | Plugin::Spread | Plugin::Nearness);
        let helped = |key: &&ObjectKey| {
            let known = self.pods.get(*key).filter(|known| known.node.is_none());
            known.is_some_and(|known| self.may_help(&known.pod, node) || self.queue.is_refused_by(key, counts))
        };
        let woken: Vec<ObjectKey> = self.queue.hopeful().filter(helped).cloned().collect();
        woken.iter().for_each(|key| self.queue.wake(key, now));
    }

    /// Whether a node might have a pod, pods of lower priority leaving it if need be.
    fn may_help(&self, pod: &Pod, node: &Node) -> bool {
        filter::alone(pod, node).is_none_or(|refusal| {
            let may_preempt = !pod.never_preempts && node.pods.values().any(|other| other.priority < pod.priority);
            !refusal.is_lasting && (may_preempt || *pod.nominated_node == *node.name)
        })
    }

    fn wake_all(&mut self, now: Timestamp, concerns: impl Fn(Plugin) -> bool) {
        let helped = |key: &&ObjectKey| self.queue.is_refused_by(key, &concerns);
        let woken: Vec<ObjectKey> = self.queue.hopeful().filter(helped).cloned().collect();
        woken.iter().for_each(|key| self.queue.wake(key, now));
    }

    /// What is to be done next. A place that is decided is taken at once.
    pub(super) fn next(&mut self, now: Timestamp, mut chance: impl FnMut() -> u64) -> Option<Work> {
        while let Some(key) = self.complete.pop() {
            let known = self.pods.get(&key).filter(|known| known.is_assumed && known.pod.node().is_none());
            if let Some((pod, Some(node))) = known.map(|known| (known.pod.clone(), known.node.clone())) {
                return Some(Work::Bind { pod, node });
            }
        }
        loop {
            let key = self.queue.take(now)?;
            let Some(pod) = self.pods.get(&key).map(|known| known.pod.clone()) else { continue };
            return Some(match decide::place(&self.board, &pod, chance()) {
                Ok(placement) => self.assume(&pod, placement, now),
                Err(unfit) => self.refuse(&pod, unfit, now),
            });
        }
    }

    fn assume(&mut self, pod: &Arc<Pod>, placement: decide::Placement, now: Timestamp) -> Work {
        let decide::Placement { node, steps, has_unbound, visited } = placement;
        self.board.next_start = self.board.next_start.wrapping_add(visited);
        self.board.place(pod.clone(), &node);
        self.denominate(&pod.key, now);
        for step in &steps {
            let key = (pod.namespace().into(), step.claim().into());
            if let (Step::Give { volume, .. }, Some(claim)) = (step, self.board.claims.get(&key)) {
                self.board.given.insert(volume.clone(), claim.object.meta.uid.as_str().into());
            }
        }
        if let Some(known) = self.pods.get_mut(&pod.key) {
            known.node = Some(node.clone());
            known.is_assumed = true;
        }
        match has_unbound {
            true => Work::Prepare { pod: pod.clone(), node, steps },
            false => Work::Bind { pod: pod.clone(), node },
        }
    }

    fn refuse(&mut self, pod: &Arc<Pod>, unfit: Unfit, now: Timestamp) -> Work {
        self.queue.refuse(&pod.key, unfit.plugins.clone());
        let no_room = match unfit.refusals.is_empty() {
            true => None,
            false => match preempt::find(&self.board, pod, &unfit) {
                Ok(room) => {
                    let displaced = self.make_room(pod, &room, now);
                    return Work::MakeRoom { pod: pod.clone(), message: unfit.message(None), room, displaced };
                }
                Err(no_room) => Some(no_room),
            },
        };
        let message = unfit.message(no_room.as_ref().map(|no_room| &*no_room.why));
        let clears_nomination = no_room.is_some_and(|no_room| !no_room.keeps_nomination);
        if clears_nomination {
            self.denominate(&pod.key, now);
        }
        Work::Report { pod: pod.clone(), message, clears_nomination }
    }

    /// The owner of a pod was told, and everybody asked to go who was to: the pod waits for a
    /// change. Until then it was not tried again, so that what is told last is true.
    pub(super) fn reported(&mut self, pod: &Pod, now: Timestamp) {
        if self.pods.get(&pod.key).is_some_and(|known| known.pod.uid() == pod.uid() && known.node.is_none()) {
            self.queue.park(&pod.key, now);
        }
    }

    /// Keeps the room for a pod; those of lower priority that were to have it are tried anew.
    fn make_room(&mut self, pod: &Arc<Pod>, room: &preempt::Choice, now: Timestamp) -> Vec<Arc<Pod>> {
        let lower = self.board.nominees(&room.node, pod).filter(|other| other.priority < pod.priority);
        let displaced: Vec<Arc<Pod>> = lower.cloned().collect();
        for other in &displaced {
            self.denominate(&other.key, now);
        }
        self.denominate(&pod.key, now);
        if let Some(known) = self.pods.get_mut(&pod.key) {
            known.nominated = Some(room.node.clone());
            self.board.nominate(pod.clone(), &room.node);
        }
        displaced
    }

    /// Something could not be written for a pod: it gives up its place and is tried again later.
    pub(super) fn failed(&mut self, pod: &Pod, now: Timestamp) {
        let is_it = |known: &Known| known.pod.uid() == pod.uid() && (known.is_assumed || known.node.is_none());
        if self.pods.get(&pod.key).is_some_and(is_it) {
            self.release(&pod.key, now);
            self.queue.fail(&pod.key, now);
        }
    }

    /// When a pod that failed is to be tried again.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }
}

/// Whether a pod waits for a node of ours.
fn waits(pod: &Pod) -> bool {
    pod.is_ours && !pod.is_gated && !pod.is_deleting() && pod.node().is_none()
}
