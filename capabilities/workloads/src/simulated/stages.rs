//! Which stage an object takes next: those that match compete by weight, as in
//! KWOK, and what was chosen is remembered until it is due, so that an event in
//! between neither draws again nor delays it.

mod choice;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use client::{DeleteOptions, Item, Object, ObjectKey, Patch, View};
use controller::{Error, EventKind, Recorder};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::stage::{PatchKind, Rule, Stage, StagePatch};
use super::template::Facts;
use crate::resource::Resource;
use crate::world::World;

/// A stage that still matches after it was taken is not taken again sooner: its effects come
/// back as an event, and would keep the platform busy for ever.
const SHORTEST_ROUND: SignedDuration = SignedDuration::from_secs(1);

/// The stages of one kind of object, and what was chosen for each object.
pub(super) struct Stages {
    world: World,
    kind: &'static str,
    stages: Resource<Stage>,
    recorder: Recorder,
    chosen: Mutex<HashMap<ObjectKey, Chosen>>,
}

struct Chosen {
    uid: String,
    stage: String,
    at: Timestamp,
    is_taken: bool,
}

/// What is to be done about an object.
pub(super) enum Choice {
    Nothing,
    Wait(Duration),
    /// The built-in stage that was offered.
    Builtin,
    Stage(Arc<Item<Stage>>),
}

impl Stages {
    pub(super) fn new(world: &World, kind: &'static str, stages: &Resource<Stage>) -> Self {
        Stages {
            world: world.clone(),
            kind,
            stages: stages.clone(),
            recorder: world.recorder("simulated-nodes"),
            chosen: Mutex::default(),
        }
    }

    /// Whether there is a stage for this kind in the cluster of an object.
    pub(super) fn is_empty(&self, object: &Object) -> bool {
        self.rules(object).is_empty()
    }

    fn rules(&self, object: &Object) -> Vec<Arc<Item<Stage>>> {
        let mut all = self.stages.find_in(&object.cluster, "");
        all.retain(|stage| rule_of(stage).is_some_and(|rule| rule.kind == self.kind));
        all
    }

    /// Chooses among the stages that match an object and the built-in one that would be due.
    pub(super) fn choose(
        &self,
        object: &Object,
        builtin: Option<(&'static str, Timestamp)>,
        now: Timestamp,
    ) -> Result<Choice, Error> {
        let mut matching = self.rules(object);
        let builtin = builtin.filter(|(name, _)| !matching.iter().any(|stage| stage.object.meta.name == *name));
        if !matching.is_empty() {
            let value = object.value()?;
            matching.retain(|stage| rule_of(stage).is_some_and(|rule| rule.matches(&value)));
            if !matching.is_empty() {
                return Ok(self.draw(object, &value, &matching, builtin, now));
            }
        }
        Ok(match builtin {
            None => Choice::Nothing,
            Some((_, at)) if at > now => Choice::Wait(until(at, now)),
            Some(_) => Choice::Builtin,
        })
    }

    fn draw(
        &self,
        object: &Object,
        value: &Value,
        matching: &[Arc<Item<Stage>>],
        builtin: Option<(&'static str, Timestamp)>,
        now: Timestamp,
    ) -> Choice {
        let find = |name: &str| matching.iter().find(|stage| stage.object.meta.name == name);
        let is_builtin = |name: &str| builtin.is_some_and(|(builtin, _)| builtin == name);
        let mut all = self.chosen.lock();
        let earlier = all.get(&ObjectKey::of(object)).filter(|chosen| chosen.uid == object.meta.uid);
        let (name, at) = match earlier {
            Some(chosen) if !chosen.is_taken && (find(&chosen.stage).is_some() || is_builtin(&chosen.stage)) => {
                (chosen.stage.clone(), chosen.at)
            }
            _ => {
                let (name, at) = self.draw_anew(value, matching, builtin, now);
                let again = earlier.filter(|chosen| chosen.stage == name).map(|chosen| chosen.at + SHORTEST_ROUND);
                (name, again.map_or(at, |again| again.max(at)))
            }
        };
        let uid = object.meta.uid.clone();
        let is_due = at <= now;
        all.insert(
            ObjectKey::of(object),
            Chosen { uid, stage: name.clone(), at: if is_due { now } else { at }, is_taken: is_due },
        );
        match find(&name) {
            _ if !is_due => Choice::Wait(until(at, now)),
            Some(stage) => Choice::Stage(stage.clone()),
            None => Choice::Builtin,
        }
    }

    fn draw_anew(
        &self,
        value: &Value,
        matching: &[Arc<Item<Stage>>],
        builtin: Option<(&'static str, Timestamp)>,
        now: Timestamp,
    ) -> (String, Timestamp) {
        let weigh = |stage: &Arc<Item<Stage>>| rule_of(stage).map_or(0, |rule| rule.weight(value));
        let mut weights: Vec<u64> = matching.iter().map(weigh).collect();
        if builtin.is_some() {
            weights.push(0);
        }
        let index = choice::weighted(&weights, self.random());
        match (matching.get(index), builtin) {
            (Some(stage), _) => {
                let chance = f64::from(u32::try_from(self.random() >> 32).unwrap_or(0)) / f64::from(u32::MAX);
                let at = rule_of(stage).map_or(now, |rule| rule.due(value, now, chance));
                (stage.object.meta.name.clone(), at)
            }
            (None, Some((name, at))) => (name.to_owned(), at),
            (None, None) => (String::new(), now),
        }
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.world.ids().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Does what a stage says.
    pub(super) async fn take<V: View>(
        &self,
        stage: &Item<Stage>,
        resource: &Resource<V>,
        object: &Object,
        facts: &Facts,
    ) -> Result<(), Error> {
        let Some(rule) = rule_of(stage) else { return Ok(()) };
        let effects = &rule.effects;
        if let Some(event) = &effects.event {
            let kind = if event.kind == "Warning" { EventKind::Warning } else { EventKind::Normal };
            self.recorder.record(object, kind, &event.reason, "", &event.message).await;
        }
        if let Some(finalizers) = effects.finalizers.of(&object.meta.finalizers) {
            let revision = &object.meta.resource_version;
            let patch = json!({ "metadata": { "finalizers": finalizers, "resourceVersion": revision } });
            resource.patch(object, None, Patch::Merge(patch.to_string().into())).await?;
        }
        if effects.delete {
            let options = DeleteOptions { grace_period_secs: Some(0), ..DeleteOptions::default() };
            return Ok(resource.delete_with(object, options).await?);
        }
        let value = object.value()?;
        for patch in &effects.patches {
            match body(patch, object, &value, facts) {
                Ok(body) => drop(resource.patch(object, patch.subresource.as_deref(), body).await?),
                // The next try would give the same.
                Err(why) => {
                    let message = format!("{} {}: {why}", self.kind, object.meta.name);
                    self.recorder.record(&stage.object, EventKind::Warning, "TemplateFailed", "", &message).await;
                }
            }
        }
        Ok(())
    }

    /// Forgets what was chosen for an object that is gone.
    pub(super) fn forget(&self, key: &ObjectKey) {
        self.chosen.lock().remove(key);
    }
}

fn rule_of(stage: &Item<Stage>) -> Option<&Rule> {
    stage.view.0.as_ref().ok()
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

fn body(patch: &StagePatch, object: &Object, value: &Value, facts: &Facts) -> Result<Patch, String> {
    let mut body = patch.template.render(value, facts)?;
    if patch.kind == PatchKind::Json {
        return Ok(Patch::Json(body.to_string().into()));
    }
    if !patch.root.is_empty() {
        body = json!({ patch.root.as_str(): body });
    }
    if !body.is_object() {
        return Err("what the template gives is no object".into());
    }
    // Another object of the same name is not meant.
    body["metadata"]["uid"] = object.meta.uid.as_str().into();
    let body = body.to_string().into();
    Ok(if patch.kind == PatchKind::Merge { Patch::Merge(body) } else { Patch::Strategic(body) })
}
