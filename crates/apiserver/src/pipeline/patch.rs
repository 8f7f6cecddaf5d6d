//! Patch: the stored object is read, changed and replaced, and again if another
//! write came between, unless the patch itself names a revision.

use api::{Reason, Status};
use machinery::patch::{self, Body as PatchBody};
use serde_json::Value;

use super::create::ATTEMPTS;
use super::decode;
use super::part::Part;
use super::server::{ApiServer, Subject, Write};
use super::update::check_uid;
use crate::custom;
use crate::record::Record;
use crate::tree::{Tree, meta_text};

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
            let live = Value::Object(custom::record(&subject.kind, &entry).value(&subject.kind.descriptor)?);
            let mut patched = self.apply_patch(subject, &live, body)?;
            let asked = meta_text(&patched, "resourceVersion").to_owned();
            let named = asked != entry.revision.to_string();
            if named && !asked.is_empty() {
                return Err(Status::stale(&subject.gvr(), name));
            }
            check_uid(subject, &entry, &patched)?;
            self.check_type(subject, &mut patched)?;
            let again = || self.apply_patch(subject, &live, body).ok().map(Value::Object);
            decode::patched(subject, &mut patched, body, write, &again)?;
            self.check_place(subject, name, &mut patched)?;
            match self.replace(subject, &entry, part, patched, write).await {
                Err(status) if status.is_conflict() && !states_revision(body) => {}
                outcome => return outcome,
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    /// A patched object must say where it stands, and cannot go elsewhere.
    fn check_place(&self, subject: &Subject, name: &str, object: &mut Tree) -> Result<(), Status> {
        let stated = meta_text(object, "name");
        if stated.is_empty() {
            let why = format!("the name of the object ({name} based on URL) was undeterminable: name must be provided");
            return Err(Status::bad_request(why));
        }
        if stated != name {
            return Err(Status::bad_request(format!(
                "the name of the object ({stated}) does not match the name on the URL ({name})"
            )));
        }
        self.place(subject, object)
    }

    /// The object that a patch makes of `live`.
    pub(super) fn apply_patch(&self, subject: &Subject, live: &Value, body: &PatchBody) -> Result<Tree, Status> {
        let kind = &subject.kind.descriptor;
        if matches!(body, PatchBody::Strategic(_)) && subject.kind.is_custom() {
            return Err(Status::unsupported_media_type(
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            ));
        }
        let schema = (!kind.type_name.is_empty()).then(|| (api::builtin::types(), &*kind.type_name));
        let patched = patch::apply(live, body, schema).map_err(|error| patch_status(&error))?;
        match patched {
            Value::Object(tree) => Ok(tree),
            _ => Err(Status::bad_request("the patch leaves something that is not an object")),
        }
    }
}

pub(super) fn patch_status(error: &patch::Error) -> Status {
    match error {
        patch::Error::BadRequest(why) => Status::bad_request(why),
        patch::Error::TooLarge { .. } => Status::new(413, Reason::RequestEntityTooLarge, error.to_string()),
        patch::Error::Unexpected(why) => Status::new(500, Reason::Unknown, why),
        patch::Error::Refused(why) => {
            let cause = api::Cause { reason: "FieldValueInvalid".into(), message: why.clone(), field: String::new() };
            let words = "the server rejected our request due to an error in our request";
            Status { causes: vec![cause], ..Status::new(422, Reason::Invalid, words) }
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
