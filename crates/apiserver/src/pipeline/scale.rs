//! The scale subresource: a view of any kind that states where its replica
//! counts are, as `autoscaling/v1 Scale`.

use api::kind::ScalePaths;
use api::{Gvk, Status};
use machinery::patch::Body as PatchBody;
use serde_json::{Map, Value, json};

use super::create::ATTEMPTS;
use super::decode;
use super::part::Part;
use super::patch::patch_status;
use super::server::{ApiServer, Subject, Write};
use super::update::check_uid;
use crate::custom;
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
        let replicas = replicas_of(subject, name, scale)?.unwrap_or(0);
        let paths = paths(subject)?;
        let asked = meta_text(scale, "resourceVersion");
        for _ in 0..ATTEMPTS {
            let entry = self.find(subject, name)?;
            if !asked.is_empty() && asked != entry.revision.to_string() {
                return Err(Status::stale(&subject.gvr(), name));
            }
            check_uid(subject, &entry, scale)?;
            let mut object = custom::record(&subject.kind, &entry).value(&subject.kind.descriptor)?;
            set(&mut object, &paths.spec_replicas, json!(replicas));
            match self.replace(subject, &entry, Part::Scale, object, write).await {
                // Nobody asked for a certain revision, so the newer one is as good.
                Err(status) if status.is_conflict() && asked.is_empty() => {}
                outcome => return outcome.and_then(|record| view(subject, &record)),
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    /// Applies a `Scale`: the client comes to own the replicas, and nothing else of the object.
    pub async fn apply_scale(
        &self,
        subject: &Subject,
        name: &str,
        scale: Tree,
        write: &Write,
    ) -> Result<Value, Status> {
        let text = |field: &str| scale.get(field).and_then(Value::as_str).unwrap_or_default();
        if (text("apiVersion"), text("kind")) != ("autoscaling/v1", "Scale") {
            let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
            return Err(Status::bad_request(format!("invalid object type: {group}/{version}, Kind={}", text("kind"))));
        }
        let paths = paths(subject)?;
        let gvk = &subject.kind.descriptor.gvk;
        let mut config = Tree::new();
        config.insert("apiVersion".into(), json!(gvk.api_version()));
        config.insert("kind".into(), json!(&*gvk.kind));
        if let Some(replicas) = replicas_of(subject, name, &scale)? {
            set(&mut config, &paths.spec_replicas, json!(replicas));
        }
        let config = Value::Object(config);
        for _ in 0..ATTEMPTS {
            let entry = self.find(subject, name)?;
            check_uid(subject, &entry, &scale)?;
            let mut old = self.stored(subject, &entry)?;
            let owned = self.own_applied(subject, Part::Scale, Some(&mut old), &config, write);
            let owned = owned.map_err(|status| seen_in_scale(status, gvk, &paths.spec_replicas))?;
            let Some(mut object) = owned else { return view(subject, &custom::record(&subject.kind, &entry)) };
            // Replicas that nobody states any more are none.
            if at(&Value::Object(object.clone()), &paths.spec_replicas).is_none() {
                set(&mut object, &paths.spec_replicas, json!(0));
            }
            match self.replace_owned(subject, &entry, Part::Scale, old, object, write).await {
                Err(status) if status.is_conflict() => {}
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
            let patched = machinery::patch::apply(&live, body, None).map_err(|error| patch_status(&error))?;
            let Value::Object(mut scale) = patched else {
                return Err(Status::bad_request("the patch leaves something that is not a Scale"));
            };
            let again = || machinery::patch::apply(&live, body, None).ok();
            decode::patched_scale(&mut scale, body, write, &again)?;
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

fn at<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    object.pointer(&path.replace('.', "/"))
}

/// The replicas that a `Scale` states. Those of custom kinds are judged with their object.
fn replicas_of(subject: &Subject, name: &str, scale: &Tree) -> Result<Option<i64>, Status> {
    let stated = scale.get("spec").and_then(|spec| spec.get("replicas")).filter(|count| !count.is_null());
    let Some(count) = stated else { return Ok(None) };
    let least = if subject.kind.is_custom() { i64::from(i32::MIN) } else { 0 };
    let count = count.as_i64().filter(|count| (least..=i64::from(i32::MAX)).contains(count));
    count.map(Some).ok_or_else(|| invalid(name, scale))
}

/// Conflicts about an object as they are seen in its `Scale`.
fn seen_in_scale(mut status: Status, gvk: &Gvk, path: &str) -> Status {
    let seen = |text: &str| {
        text.replace(&format!(" using {}", gvk.api_version()), " using autoscaling/v1").replace(path, ".spec.replicas")
    };
    status.message = seen(&status.message);
    for cause in &mut status.causes {
        cause.message = seen(&cause.message);
        cause.field = seen(&cause.field);
    }
    status
}

fn view(subject: &Subject, record: &Record) -> Result<Value, Status> {
    let paths = paths(subject)?;
    let object = Value::Object(record.value(&subject.kind.descriptor)?);
    let count = |path: &str| at(&object, path).and_then(Value::as_i64).unwrap_or(0);
    let mut status = json!({"replicas": count(&paths.status_replicas)});
    if let Some(selector) = paths.label_selector.as_deref().and_then(|path| at(&object, path)) {
        status["selector"] = json!(selector_text(selector));
    }
    // None are not written.
    let spec = Some(count(&paths.spec_replicas)).filter(|count| *count != 0);
    let spec = spec.map_or_else(|| json!({}), |count| json!({"replicas": count}));
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
        "spec": spec,
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
