//! Patch: the stored object is read, changed and replaced, and again if another
//! write came between, unless the patch itself names a revision.

use api::{Reason, Status};
use machinery::patch::{self, Body as PatchBody};
use serde_json::Value;

use super::create::ATTEMPTS;
use super::server::{ApiServer, Subject, Write};
use super::update::{Part, check_uid};
use crate::record::Record;
use crate::tree::{Tree, meta_text};

/// The reader of stored objects goes `limits::NESTING` deep, and some of that is ours.
const MOST_NESTED: usize = base::limits::NESTING - 4;

impl ApiServer {
    /// Changes an object, or a part of it, and returns it as stored.
    pub async fn patch(
        &self,
        subject: &Subject,
        name: &str,
        part: Part,
        body: &PatchBody,
        write: &Write,
    ) -> Result<Record, Status> {
        for _ in 0..ATTEMPTS {
            let entry = self.find(subject, name)?;
            let live = Value::Object(Record::of(&entry).value(&subject.kind.descriptor)?);
            let mut patched = self.apply_patch(subject, &live, body)?;
            let asked = meta_text(&patched, "resourceVersion").to_owned();
            let named = asked != entry.revision.to_string();
            if named && !asked.is_empty() {
                return Err(Status::stale(&subject.gvr(), name));
            }
            check_uid(subject, &entry, &patched)?;
            self.check_type(subject, &mut patched)?;
            match self.replace(subject, &entry, part, patched, write).await {
                Err(status) if status.is_conflict() && !states_revision(body) => {}
                outcome => return outcome,
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    /// The object that a patch makes of `live`.
    pub(super) fn apply_patch(&self, subject: &Subject, live: &Value, body: &PatchBody) -> Result<Tree, Status> {
        let kind = &subject.kind.descriptor;
        if matches!(body, PatchBody::Strategic(_)) && subject.kind.is_custom() {
            return Err(Status::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json",
                "application/strategic-merge-patch+json",
            ));
        }
        let schema = (!kind.type_name.is_empty()).then(|| (api::builtin::types(), &*kind.type_name));
        let patched = patch::apply(live, body, schema).map_err(|error| {
            let name = live.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            patch_status(subject, name, &error)
        })?;
        if is_too_deep(&patched) {
            return Err(Status::bad_request(format!("the patch nests the object more than {MOST_NESTED} deep")));
        }
        match patched {
            Value::Object(tree) => Ok(tree),
            _ => Err(Status::bad_request("the patch leaves something that is not an object")),
        }
    }
}

/// Whether a value nests so deep that it could not be read again once it was stored.
fn is_too_deep(value: &Value) -> bool {
    let mut level: Vec<&Value> = vec![value];
    for _ in 0..MOST_NESTED {
        let below = level.into_iter().flat_map(|value| match value {
            Value::Object(map) => map.values().filter(|value| is_container(value)).collect::<Vec<_>>(),
            Value::Array(list) => list.iter().filter(|value| is_container(value)).collect(),
            _ => Vec::new(),
        });
        level = below.collect();
        if level.is_empty() {
            return false;
        }
    }
    true
}

fn is_container(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

pub(super) fn patch_status(subject: &Subject, name: &str, error: &patch::Error) -> Status {
    let gvk = &subject.kind.descriptor.gvk;
    match error {
        patch::Error::BadRequest(why) => Status::bad_request(why),
        patch::Error::TooLarge { .. } => Status::new(413, Reason::RequestEntityTooLarge, error.to_string()),
        patch::Error::Invalid(why) => {
            let cause = api::Cause { reason: "FieldValueInvalid".into(), message: why.clone(), field: String::new() };
            Status::invalid(&gvk.group, &gvk.kind, name, vec![cause])
        }
    }
}

fn states_revision(body: &PatchBody) -> bool {
    match body {
        PatchBody::Merge(patch) | PatchBody::Strategic(patch) => {
            patch.pointer("/metadata/resourceVersion").is_some_and(|revision| !revision.is_null())
        }
        PatchBody::Json(_) => false,
    }
}
