//! The scale subresource: a view of any kind that states where its replica
//! counts are, as `autoscaling/v1 Scale`.

use api::Status;
use api::kind::ScalePaths;
use machinery::patch::Body as PatchBody;
use serde_json::{Map, Value, json};

use super::create::ATTEMPTS;
use super::patch::patch_status;
use super::server::{ApiServer, Subject, Write};
use super::update::{Part, check_uid};
use crate::record::Record;
use crate::tree::{Tree, meta_text};

impl ApiServer {
    /// The scale of an object, as JSON.
    pub fn get_scale(&self, subject: &Subject, name: &str) -> Result<Value, Status> {
        let record = self.get(subject, name)?;
        view(subject, &record)
    }

    /// Sets the replicas of an object from a whole `Scale`.
    pub async fn update_scale(
        &self,
        subject: &Subject,
        name: &str,
        scale: &Tree,
        write: &Write,
    ) -> Result<Value, Status> {
        let replicas = scale
            .get("spec")
            .and_then(|spec| spec.get("replicas"))
            .map_or(Some(0), Value::as_i64)
            .filter(|&count| (0..=i64::from(i32::MAX)).contains(&count))
            .ok_or_else(|| invalid(name, scale))?;
        let paths = paths(subject)?;
        let asked = meta_text(scale, "resourceVersion");
        for _ in 0..ATTEMPTS {
            let entry = self.find(subject, name)?;
            if !asked.is_empty() && asked != entry.revision.to_string() {
                return Err(Status::stale(&subject.gvr(), name));
            }
            check_uid(subject, &entry, scale)?;
            let mut object = Record::of(&entry).value(&subject.kind.descriptor)?;
            set(&mut object, &paths.spec_replicas, json!(replicas));
            match self.replace(subject, &entry, Part::Main, object, write).await {
                // Nobody asked for a certain revision, so the newer one is as good.
                Err(status) if status.is_conflict() && asked.is_empty() => {}
                outcome => return outcome.and_then(|record| view(subject, &record)),
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    /// Patches the `Scale` of an object.
    pub async fn patch_scale(
        &self,
        subject: &Subject,
        name: &str,
        body: &PatchBody,
        write: &Write,
    ) -> Result<Value, Status> {
        for _ in 0..ATTEMPTS {
            let live = self.get_scale(subject, name)?;
            let patched =
                machinery::patch::apply(&live, body, None).map_err(|error| patch_status(subject, name, &error))?;
            let Value::Object(scale) = patched else {
                return Err(Status::bad_request("the patch leaves something that is not a Scale"));
            };
            let is_named = meta_text(&scale, "resourceVersion") != live["metadata"]["resourceVersion"];
            match self.update_scale(subject, name, &scale, write).await {
                Err(status) if status.is_conflict() && !is_named => {}
                outcome => return outcome,
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }
}

fn paths(subject: &Subject) -> Result<&ScalePaths, Status> {
    subject.kind.descriptor.subresources.scale.as_ref().ok_or_else(Status::no_such_resource)
}

fn view(subject: &Subject, record: &Record) -> Result<Value, Status> {
    let paths = paths(subject)?;
    let object = Value::Object(record.value(&subject.kind.descriptor)?);
    let at = |path: &str| object.pointer(&path.replace('.', "/")).cloned();
    let mut status = json!({"replicas": at(&paths.status_replicas).and_then(|count| count.as_i64()).unwrap_or(0)});
    if let Some(selector) = paths.label_selector.as_deref().and_then(at) {
        status["selector"] = json!(selector_text(&selector));
    }
    let meta = &object["metadata"];
    let mut head = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = meta.get(field) {
            head.insert(field.to_owned(), value.clone());
        }
    }
    Ok(json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": head,
        "spec": {"replicas": at(&paths.spec_replicas).and_then(|count| count.as_i64()).unwrap_or(0)},
        "status": status,
    }))
}

/// A selector as text, whether the object holds text, a map or a `LabelSelector`.
fn selector_text(selector: &Value) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    let labels = selector.get("matchLabels").unwrap_or(selector);
    let mut terms: Vec<String> = labels
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let values: Vec<&str> =
            expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        terms.push(match expression["operator"].as_str() {
            Some("In") => format!("{key} in ({})", values.join(",")),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            Some("Exists") => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    terms.join(",")
}

fn set(object: &mut Tree, path: &str, value: Value) {
    let mut parts = path.trim_start_matches('.').split('.').peekable();
    let mut held = object;
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            held.insert(part.to_owned(), value);
            return;
        }
        let child = held.entry(part).or_insert_with(|| json!({}));
        if !child.is_object() {
            *child = json!({});
        }
        held = child.as_object_mut().expect("the field was just made an object");
    }
}

fn invalid(name: &str, scale: &Tree) -> Status {
    let replicas = scale.get("spec").and_then(|spec| spec.get("replicas")).cloned().unwrap_or_default();
    let cause = api::Cause {
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: {replicas}: must be greater than or equal to 0"),
        field: "spec.replicas".into(),
    };
    Status::invalid("autoscaling", "Scale", name, vec![cause])
}
