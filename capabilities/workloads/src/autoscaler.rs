//! Horizontal pod autoscalers: reads the scale of a target and the metrics of
//! its pods, decides how many there should be, and asks for so many.

mod behavior;
mod decide;
mod members;
mod metric;
mod replicas;
mod scale;
mod source;
mod spec;
mod status;
mod words;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Change, Item, Object, ObjectKey};
use controller::{Controller, Error, EventKind, Next, Reconciler, Recorder};
use futures::future::BoxFuture;
use machinery::selector::LabelSelector;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::metrics::Figures;
use crate::resource::Resource;
use crate::views::Pod;
use crate::world::World;
use behavior::{Bounds, Memory};
use decide::Bound;
use metric::Look;
use replicas::Tolerance;
use scale::Scale;
use source::Source;
use spec::Autoscaler;
use status::Report;

const WORKERS: usize = 5;
/// Metrics have no events: they are looked at every so often.
const PERIOD: Duration = Duration::from_secs(15);
const TOLERANCE: f64 = 0.1;

/// Begins to scale. What is stated of simulated pods is an event, unlike what is measured.
pub(crate) fn start(world: &World, figures: &Figures) {
    let autoscalers = Resource::start(world.ctx(), "autoscaling", "v2", "horizontalpodautoscalers");
    let reconciler = Autoscalers {
        world: world.clone(),
        autoscalers: autoscalers.clone(),
        recorder: world.recorder("horizontal-pod-autoscaler"),
        held: Mutex::default(),
    };
    let of_pod = autoscalers.clone();
    let mut controller = Controller::new("autoscalers", Arc::new(reconciler))
        .watches(autoscalers.cache(), keys_of_itself)
        .watches(world.pods.cache(), move |change| keys_of_pod(&of_pod, change));
    for cache in figures.stated() {
        let all = autoscalers.clone();
        controller = controller.watches(&cache, move |change| keys_of_figures(&all, change));
    }
    controller.workers(WORKERS).start(world.tasks());
}

/// An autoscaler that is new, gone, or asks for something else; its own status is no news.
fn keys_of_itself(change: &Change) -> Vec<ObjectKey> {
    let spec = |object: &Object| object.value().map(|mut value| value["spec"].take()).ok();
    match (&change.old, &change.new) {
        (Some(old), Some(new)) if spec(old) == spec(new) => Vec::new(),
        _ => vec![change.key()],
    }
}

/// The autoscalers of the namespace of a pod that states other figures.
fn keys_of_pod(autoscalers: &Resource<Autoscaler>, change: &Change) -> Vec<ObjectKey> {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return Vec::new() };
    if Figures::annotations().iter().all(|key| old.meta.annotations.get(*key) == new.meta.annotations.get(*key)) {
        return Vec::new();
    }
    autoscalers.find_in(&new.cluster, &new.meta.namespace).iter().map(|item| item.key()).collect()
}

/// The autoscalers that figures may concern, unless only their status changed.
fn keys_of_figures(autoscalers: &Resource<Autoscaler>, change: &Change) -> Vec<ObjectKey> {
    let generation = |object: Option<&Object>| object.map(|object| object.meta.generation);
    if generation(change.old.as_ref()) == generation(change.new.as_ref()) {
        return Vec::new();
    }
    let stated = change.object();
    let concerns = |item: &&Arc<Item<Autoscaler>>| {
        let meta = &item.object.meta;
        item.object.cluster == stated.cluster
            && (stated.meta.namespace.is_empty() || stated.meta.namespace == meta.namespace)
    };
    autoscalers.all().iter().filter(concerns).map(|item| item.key()).collect()
}

struct Autoscalers {
    world: World,
    autoscalers: Resource<Autoscaler>,
    recorder: Recorder,
    held: Mutex<HashMap<ObjectKey, Held>>,
}

/// What is remembered of an autoscaler.
#[derive(Default)]
struct Held {
    uid: String,
    /// What its target selects.
    selector: Option<LabelSelector>,
    memory: Memory,
}

/// How far an autoscaler came: the replicas that are wanted, or `None` if that is not known.
struct Decision {
    desired: Option<i64>,
    /// Why they are changed; empty if they are not.
    why: String,
}

impl Reconciler for Autoscalers {
    fn reconcile<'a>(&'a self, key: &'a ObjectKey) -> BoxFuture<'a, Result<Next, Error>> {
        Box::pin(async move {
            let Some(item) = self.autoscalers.get(key) else {
                self.held.lock().remove(key);
                return Ok(Next::Done);
            };
            self.sync(key, &item).await?;
            Ok(Next::After(PERIOD))
        })
    }
}

impl Autoscalers {
    async fn sync(&self, key: &ObjectKey, item: &Item<Autoscaler>) -> Result<(), Error> {
        let now = self.world.clock().now_rfc3339();
        let mut report = Report::of(&item.object, &now)?;
        let objects = &*self.world.ctx().objects;
        let scale = match Scale::read(objects, &item.object, &item.view.spec.scale_target_ref).await {
            Ok(scale) => scale,
            Err(why) => {
                self.warn(item, "FailedGetScale", &why).await;
                let message = format!("the HPA controller was unable to get the target's current scale: {why}");
                report.able(false, "FailedGetScale", message);
                let current = item.object.value()?["status"]["currentReplicas"].as_i64().unwrap_or(0);
                return self.write(item, report.finish(current, None)).await;
            }
        };
        report.able(true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
        let current = scale.wanted();
        self.remember(key, item, |memory| memory.begin(current, self.world.clock().now()));
        let decision = self.decide(key, item, &scale, &mut report).await?;
        if let Some(desired) = decision.desired.filter(|desired| *desired != current) {
            if let Err(status) = scale.set(objects, desired).await {
                if status.is_conflict() {
                    return Err(status.into());
                }
                let message = format!("New size: {desired}; reason: {}; error: {}", decision.why, status.message);
                self.warn(item, "FailedRescale", &message).await;
                let message = format!("the HPA controller was unable to update the target scale: {}", status.message);
                report.able(false, "FailedUpdateScale", message);
                return self.write(item, report.finish(current, None)).await;
            }
            let message = format!("the HPA controller was able to update the target scale to {desired}");
            report.able(true, "SucceededRescale", message);
            report.rescaled();
            let message = format!("New size: {desired}; reason: {}", decision.why);
            self.recorder.record(&item.object, EventKind::Normal, "SuccessfulRescale", "", &message).await;
            let (behavior, time) = (item.view.spec.behavior.as_ref(), self.world.clock().now());
            self.remember(key, item, |memory| memory.scaled(behavior, current, desired, time));
        }
        self.write(item, report.finish(current, decision.desired)).await
    }

    async fn decide(
        &self,
        key: &ObjectKey,
        item: &Item<Autoscaler>,
        scale: &Scale,
        report: &mut Report<'_>,
    ) -> Result<Decision, Error> {
        let spec = &item.view.spec;
        let current = scale.wanted();
        match decide::bound(current, spec.min_replicas, spec.max_replicas) {
            Bound::Disabled => {
                let message = "scaling is disabled since the replica count of the target is zero";
                report.active(false, "ScalingDisabled", message);
                report.metrics(Vec::new());
                Ok(Decision { desired: Some(current), why: String::new() })
            }
            Bound::Set(desired, why) => {
                report.metrics(Vec::new());
                Ok(Decision { desired: Some(desired), why: why.to_owned() })
            }
            Bound::Free => self.by_metrics(key, item, scale, report).await,
        }
    }

    async fn by_metrics(
        &self,
        key: &ObjectKey,
        item: &Item<Autoscaler>,
        scale: &Scale,
        report: &mut Report<'_>,
    ) -> Result<Decision, Error> {
        let spec = &item.view.spec;
        let current = scale.wanted();
        let unknown = Decision { desired: None, why: String::new() };
        let Some(pods) = self.pods(key, item, scale.selector(), report).await else { return Ok(unknown) };
        let look = Look {
            source: Source {
                objects: &*self.world.ctx().objects,
                cluster: &item.object.cluster,
                namespace: &item.object.meta.namespace,
            },
            selector: scale.selector(),
            pods: &pods,
            current,
            running: scale.running(),
            tolerance: tolerance(item),
            now: self.world.clock().now(),
        };
        let mut found = Vec::new();
        for metric in &spec.metrics {
            let proposal = look.at(metric).await;
            if let Err(failure) = &proposal {
                self.warn(item, failure.reason, &failure.message).await;
            }
            found.push(proposal);
        }
        let unknown_status = || json!({ "type": "" });
        let statuses = found.iter().map(|one| one.as_ref().map_or_else(|_| unknown_status(), |it| it.status.clone()));
        report.metrics(statuses.collect());
        let wanted = match decide::combine(&found, current) {
            Ok(wanted) => wanted,
            Err((first, summary)) => {
                let message = format!("the HPA was unable to compute the replica count: {}", first.message);
                report.active(false, first.reason, message);
                self.warn(item, "FailedComputeMetricsReplicas", &summary).await;
                return Ok(unknown);
            }
        };
        let message = format!("the HPA was able to successfully calculate a replica count from {}", wanted.metric);
        report.active(true, "ValidMetricFound", message);
        let bounds = Bounds { current, min: spec.min_replicas, max: spec.max_replicas };
        let normalised = self.remember(key, item, |memory| {
            memory.normalise(spec.behavior.as_ref(), wanted.replicas, bounds, self.world.clock().now())
        });
        report.able(true, normalised.able.0, normalised.able.1);
        report.limited(normalised.is_limited, normalised.limited.0, normalised.limited.1);
        Ok(Decision { desired: Some(normalised.replicas), why: decide::reason(&wanted, current) })
    }

    /// The pods of the target, which must not be another autoscaler's too; `None` where nothing can
    /// be decided, which is reported then.
    async fn pods(
        &self,
        key: &ObjectKey,
        item: &Item<Autoscaler>,
        stated: &str,
        report: &mut Report<'_>,
    ) -> Option<Vec<Arc<Item<Pod>>>> {
        let (reason, event, message) = match LabelSelector::parse(stated) {
            _ if stated.is_empty() => ("InvalidSelector", "SelectorRequired", "selector is required".to_owned()),
            Err(error) => {
                let why = format!("couldn't convert selector into a corresponding internal selector object: {error}");
                ("InvalidSelector", "InvalidSelector", why)
            }
            Ok(selector) => {
                let mut pods = self.world.pods.find_in(&key.cluster, &key.namespace);
                pods.retain(|pod| selector.matches_map(&pod.object.meta.labels));
                let rivals = self.rivals(key, item, selector, &pods);
                if rivals.len() < 2 {
                    return Some(pods);
                }
                let rivals = rivals.join(" ");
                let why = format!("pods by selector {stated} are controlled by multiple HPAs: [{rivals}]");
                ("AmbiguousSelector", "AmbiguousSelector", why)
            }
        };
        self.warn(item, event, &message).await;
        let told = if stated.is_empty() { "the HPA target's scale is missing a selector" } else { &message };
        report.active(false, reason, told);
        self.warn(item, "FailedComputeMetricsReplicas", &message).await;
        None
    }

    /// The autoscalers, this one included, whose targets select any of these pods.
    fn rivals(
        &self,
        key: &ObjectKey,
        item: &Item<Autoscaler>,
        selector: LabelSelector,
        pods: &[Arc<Item<Pod>>],
    ) -> Vec<String> {
        let mut all = self.held.lock();
        let held = all.entry(key.clone()).or_default();
        held.selector = Some(selector);
        held.uid.clone_from(&item.object.meta.uid);
        let same_place = |other: &ObjectKey| other.cluster == key.cluster && other.namespace == key.namespace;
        let selects = |held: &Held| {
            let selector = held.selector.as_ref();
            selector.is_some_and(|selector| pods.iter().any(|pod| selector.matches_map(&pod.object.meta.labels)))
        };
        let rivals = all.iter().filter(|(other, held)| *other == key || (same_place(other) && selects(held)));
        let mut rivals: Vec<String> = rivals.map(|(other, _)| format!("{}/{}", other.namespace, other.name)).collect();
        rivals.sort();
        rivals
    }

    /// Works on what is remembered of an autoscaler; one of the same name made anew has no past.
    fn remember<T>(&self, key: &ObjectKey, item: &Item<Autoscaler>, work: impl FnOnce(&mut Memory) -> T) -> T {
        let mut all = self.held.lock();
        let held = all.entry(key.clone()).or_default();
        if held.uid != item.object.meta.uid {
            *held = Held { uid: item.object.meta.uid.clone(), ..Held::default() };
        }
        work(&mut held.memory)
    }

    async fn warn(&self, item: &Item<Autoscaler>, reason: &str, message: &str) {
        self.recorder.record(&item.object, EventKind::Warning, reason, "", message).await;
    }

    async fn write(&self, item: &Item<Autoscaler>, status: Value) -> Result<(), Error> {
        self.autoscalers.update_status(&item.object, status).await?;
        Ok(())
    }
}

fn tolerance(item: &Item<Autoscaler>) -> Tolerance {
    let behavior = item.view.spec.behavior.as_ref();
    let up = behavior.and_then(|behavior| behavior.scale_up.tolerance());
    let down = behavior.and_then(|behavior| behavior.scale_down.tolerance());
    Tolerance { up: up.unwrap_or(TOLERANCE), down: down.unwrap_or(TOLERANCE) }
}
