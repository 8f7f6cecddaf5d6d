//! Stages (`kwok.x-k8s.io/v1alpha1`) as they are read: which objects they are
//! for, when they are due and what they do. What cannot be interpreted makes the
//! whole stage refused, with the reason; it is never half obeyed. Pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use api::Status;
use client::{Object, View};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::duration;
use super::query::{Query, text_of};
use super::template::Template;
use crate::acceptance::Judged;

/// A stage, or why it is refused.
#[derive(Debug)]
pub(super) struct Stage(pub(super) Result<Rule, String>);

/// A stage that was understood.
#[derive(Debug)]
pub(super) struct Rule {
    /// `Pod` or `Node`.
    pub(super) kind: String,
    requirements: Vec<Requirement>,
    weight: u64,
    weight_from: Option<Query>,
    delay: Delay,
    pub(super) effects: Effects,
}

/// What a stage does to its object.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) event: Option<Event>,
    pub(super) finalizers: Finalizers,
    pub(super) delete: bool,
    pub(super) patches: Vec<StagePatch>,
}

/// An event that a stage records.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) reason: String,
    pub(super) message: String,
}

/// What a stage does to finalizers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Finalizers {
    add: Vec<Finalizer>,
    remove: Vec<Finalizer>,
    empty: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Finalizer {
    value: String,
}

/// A patch that a stage makes.
#[derive(Debug)]
pub(super) struct StagePatch {
    pub(super) subresource: Option<String>,
    /// The field that the template's value is put under; empty for the object itself.
    pub(super) root: String,
    pub(super) template: Template,
    pub(super) kind: PatchKind,
}

/// How a patch is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PatchKind {
    Json,
    #[default]
    Merge,
    Strategic,
}

#[derive(Debug)]
struct Requirement {
    query: Query,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

#[derive(Debug, Default)]
struct Delay {
    least: Moment,
    most: Option<Moment>,
}

/// How long to wait: what a field of the object says, or else a fixed time.
#[derive(Debug, Default)]
struct Moment {
    from: Option<Query>,
    fixed: Duration,
}

impl View for Stage {
    fn read(object: &Object) -> Result<Self, Status> {
        let wire = object.parse::<wire::Stage>();
        Ok(Stage(wire.map_err(|status| status.message).and_then(|wire| Rule::read(wire.spec))))
    }
}

impl Judged for Stage {
    fn verdict(&self) -> Result<(), &str> {
        self.0.as_ref().map(|_| ()).map_err(String::as_str)
    }
}

impl Rule {
    fn read(spec: wire::Spec) -> Result<Rule, String> {
        let reference = spec.resource_ref;
        if !matches!(reference.api_group.as_str(), "" | "v1") || !matches!(&*reference.kind, "Pod" | "Node") {
            return Err(format!("{} is not simulated: only Pod and Node of v1 are", reference.kind));
        }
        // KWOK: no selector selects nothing.
        let selector = spec.selector.ok_or("it selects nothing: spec.selector is missing")?;
        Ok(Rule {
            kind: reference.kind,
            requirements: requirements(selector)?,
            weight: spec.weight,
            weight_from: expression(spec.weight_from)?,
            delay: delay(spec.delay)?,
            effects: effects(spec.next)?,
        })
    }

    /// Whether the stage is for an object in this state.
    pub(super) fn matches(&self, object: &Value) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(object))
    }

    /// How likely it is among several that match.
    pub(super) fn weight(&self, object: &Value) -> u64 {
        let stated = self.weight_from.as_ref().and_then(|query| query.text(object));
        stated.and_then(|text| text.parse().ok()).unwrap_or(self.weight)
    }

    /// When it is due for an object that is in its state since now. `chance` below one moves it
    /// between the least and the most time.
    pub(super) fn due(&self, object: &Value, now: Timestamp, chance: f64) -> Timestamp {
        let least = self.delay.least.after(object, now);
        let delay = match self.delay.most.as_ref().map(|most| most.after(object, now)) {
            // KWOK: a jitter below the duration replaces it.
            Some(most) if most < least => most,
            Some(most) => least + (most - least).mul_f64(chance.clamp(0.0, 1.0)),
            None => least,
        };
        SignedDuration::try_from(delay).ok().and_then(|delay| now.checked_add(delay).ok()).unwrap_or(now)
    }
}

impl Finalizers {
    /// The finalizers that result; `None` if nothing changes.
    pub(super) fn of(&self, held: &[String]) -> Option<Vec<String>> {
        let mut wanted = if self.empty { Vec::new() } else { held.to_vec() };
        wanted.retain(|name| !self.remove.iter().any(|removed| removed.value == *name));
        for added in &self.add {
            if !wanted.contains(&added.value) {
                wanted.push(added.value.clone());
            }
        }
        (wanted != held).then_some(wanted)
    }
}

impl Requirement {
    fn holds(&self, object: &Value) -> bool {
        let found = self.query.find(object);
        let has_any = || found.iter().any(|value| self.values.contains(&text_of(value)));
        match self.operator {
            Operator::In => has_any(),
            Operator::NotIn => !has_any(),
            Operator::Exists => !found.is_empty(),
            Operator::DoesNotExist => found.is_empty(),
        }
    }
}

impl Moment {
    fn after(&self, object: &Value, now: Timestamp) -> Duration {
        let stated = self.from.as_ref().and_then(|query| query.text(object));
        let read = |text: String| match text.parse::<Timestamp>() {
            Ok(time) => Some(Duration::try_from(time.duration_since(now)).unwrap_or(Duration::ZERO)),
            Err(_) => duration::parse(&text),
        };
        stated.and_then(read).unwrap_or(self.fixed)
    }
}

fn requirements(selector: wire::Selector) -> Result<Vec<Requirement>, String> {
    let mut all = Vec::new();
    let maps = [("labels", selector.match_labels), ("annotations", selector.match_annotations)];
    for (field, map) in maps {
        for (key, value) in map {
            let query = Query::parse(&format!(".metadata.{field}[{}]", Value::String(key)))?;
            all.push(Requirement { query, operator: Operator::In, values: vec![value] });
        }
    }
    for stated in selector.match_expressions {
        if stated.expression.is_some() {
            return Err("CEL expressions in selectors are not supported".into());
        }
        let operator = match stated.operator.as_str() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(format!("the operator {other:?} is not one of In, NotIn, Exists, DoesNotExist")),
        };
        all.push(Requirement { query: Query::parse(&stated.key)?, operator, values: stated.values });
    }
    Ok(all)
}

fn expression(stated: Option<wire::From>) -> Result<Option<Query>, String> {
    stated.filter(|from| !from.expression_from.is_empty()).map(|from| Query::parse(&from.expression_from)).transpose()
}

fn delay(stated: Option<wire::Delay>) -> Result<Delay, String> {
    let Some(stated) = stated else { return Ok(Delay::default()) };
    let least = Moment {
        from: expression(stated.duration_from)?,
        fixed: Duration::from_millis(stated.duration_milliseconds.unwrap_or(0)),
    };
    let from = expression(stated.jitter_duration_from)?;
    let fixed = stated.jitter_duration_milliseconds.map(Duration::from_millis);
    // A field that says nothing leaves the delay as it is.
    let most = match (from, fixed) {
        (None, None) => None,
        (from, fixed) => Some(Moment { from, fixed: fixed.unwrap_or(least.fixed) }),
    };
    Ok(Delay { least, most })
}

fn effects(next: wire::Next) -> Result<Effects, String> {
    let mut patches = Vec::new();
    if !next.status_template.is_empty() {
        patches.push(StagePatch {
            subresource: Some("status".into()),
            root: "status".into(),
            template: Template::parse(&next.status_template)?,
            kind: PatchKind::Strategic,
        });
    }
    for patch in next.patches {
        if !matches!(patch.subresource.as_str(), "" | "status") {
            return Err(format!("the subresource {:?} is not simulated: only status is", patch.subresource));
        }
        if patch.impersonation.is_some() {
            return Err("impersonation is not available for pods and nodes".into());
        }
        patches.push(StagePatch {
            subresource: (!patch.subresource.is_empty()).then_some(patch.subresource),
            root: patch.root,
            template: Template::parse(&patch.template)?,
            kind: patch.kind,
        });
    }
    Ok(Effects { event: next.event, finalizers: next.finalizers, delete: next.delete, patches })
}

/// The fields of a stage as they are written.
mod wire {
    use super::{BTreeMap, Deserialize, Event, Finalizers, PatchKind, Value};

    #[derive(Deserialize)]
    pub(super) struct Stage {
        pub(super) spec: Spec,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Spec {
        pub(super) resource_ref: ResourceRef,
        pub(super) selector: Option<Selector>,
        #[serde(default)]
        pub(super) weight: u64,
        pub(super) weight_from: Option<From>,
        pub(super) delay: Option<Delay>,
        pub(super) next: Next,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct ResourceRef {
        #[serde(default)]
        pub(super) api_group: String,
        pub(super) kind: String,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub(super) struct Selector {
        pub(super) match_labels: BTreeMap<String, String>,
        pub(super) match_annotations: BTreeMap<String, String>,
        pub(super) match_expressions: Vec<Expression>,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct Expression {
        pub(super) key: String,
        pub(super) expression: Option<String>,
        pub(super) operator: String,
        pub(super) values: Vec<String>,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub(super) struct From {
        pub(super) expression_from: String,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub(super) struct Delay {
        pub(super) duration_milliseconds: Option<u64>,
        pub(super) duration_from: Option<From>,
        pub(super) jitter_duration_milliseconds: Option<u64>,
        pub(super) jitter_duration_from: Option<From>,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    pub(super) struct Next {
        pub(super) event: Option<Event>,
        pub(super) finalizers: Finalizers,
        pub(super) delete: bool,
        pub(super) status_template: String,
        pub(super) patches: Vec<Patch>,
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    pub(super) struct Patch {
        pub(super) subresource: String,
        pub(super) root: String,
        pub(super) template: String,
        #[serde(rename = "type")]
        pub(super) kind: PatchKind,
        pub(super) impersonation: Option<Value>,
    }
}
