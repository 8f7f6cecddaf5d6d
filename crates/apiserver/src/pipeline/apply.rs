//! Server-side apply: the stored object, or none yet, takes what the client
//! states, and goes the way of every other create or update.

use api::Status;
use serde_json::Value;

use super::decode;
use super::part::Part;
use super::server::{ApiServer, Subject, Write};
use super::update::check_stated_uid;
use crate::custom;
use crate::record::Record;
use crate::strategy;
use crate::tree::{Tree, meta_text};

/// How often an apply goes on from what another write left: whoever applies states no revision
/// and is not to be troubled with the races of others.
const RACES: usize = 32;

/// What became of an applied object.
pub struct Applied {
    /// The object as stored.
    pub record: Record,
    /// Whether it is new.
    pub is_new: bool,
}

impl ApiServer {
    /// Applies what a client states of an object, or of a part of it.
    pub async fn apply(
        &self,
        subject: &Subject,
        name: &str,
        part: Part,
        config: Tree,
        write: &Write,
    ) -> Result<Applied, Status> {
        let config = self.check_applied(subject, name, config)?;
        let asked = Asked::of(&config);
        let config = Value::Object(config);
        for _ in 0..RACES {
            let outcome = match self.store().get(&subject.key(name)) {
                Some(entry) => self.apply_over(subject, &entry, part, &asked, &config, write).await,
                None if part != Part::Main => return Err(Status::not_found(&subject.gvr(), name)),
                None => self.apply_new(subject, name, &asked, &config, write).await,
            };
            match outcome {
                // Somebody else wrote meanwhile: what they wrote counts, too.
                Err(status) if asked.revision.is_empty() && (status.is_already_exists() || is_stale(&status)) => {}
                outcome => return outcome,
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }

    async fn apply_over(
        &self,
        subject: &Subject,
        entry: &store::Entry,
        part: Part,
        asked: &Asked,
        config: &Value,
        write: &Write,
    ) -> Result<Applied, Status> {
        check_stated_uid(subject, entry, &asked.uid)?;
        if !asked.revision.is_empty() && asked.revision != entry.revision.to_string() {
            return Err(Status::stale(&subject.gvr(), &entry.key.name));
        }
        let mut old = self.stored(subject, entry)?;
        let Some(mut object) = self.own_applied(subject, part, Some(&mut old), config, write)? else {
            return Ok(Applied { record: custom::record(&subject.kind, entry), is_new: false });
        };
        decode::applied(subject, &mut object)?;
        let record = self.replace_owned(subject, entry, part, old, object, write).await?;
        Ok(Applied { record, is_new: false })
    }

    async fn apply_new(
        &self,
        subject: &Subject,
        name: &str,
        asked: &Asked,
        config: &Value,
        write: &Write,
    ) -> Result<Applied, Status> {
        if !asked.uid.is_empty() {
            let uid = &asked.uid;
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Status::conflict(&subject.gvr(), name, &why));
        }
        if asked.name.is_empty() {
            let why = format!("the name of the object ({name} based on URL) was undeterminable: name must be provided");
            return Err(Status::bad_request(why));
        }
        let mut object = self.own_applied(subject, Part::Main, None, config, write)?.unwrap_or_default();
        decode::applied(subject, &mut object)?;
        strategy::default(&subject.kind.descriptor, &mut object);
        let record = self.create_owned(subject, object, write).await?;
        Ok(Applied { record, is_new: true })
    }

    /// The configuration with what the path says of it, or why it cannot be applied.
    fn check_applied(&self, subject: &Subject, name: &str, mut config: Tree) -> Result<Tree, Status> {
        let gvk = &subject.kind.descriptor.gvk;
        let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default();
        if text("apiVersion") != gvk.api_version() || text("kind") != &*gvk.kind {
            let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
            let kind = text("kind");
            return Err(Status::bad_request(format!("invalid object type: {group}/{version}, Kind={kind}")));
        }
        if config.get("metadata").and_then(|meta| meta.get("managedFields")).is_some_and(|held| !held.is_null()) {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        self.place(subject, &mut config)?;
        let stated = meta_text(&config, "name").to_owned();
        if !stated.is_empty() && stated != name {
            return Err(Status::bad_request(format!(
                "the name of the object ({stated}) does not match the name on the URL ({name})"
            )));
        }
        Ok(config)
    }
}

/// What a configuration says of the object that it is for.
struct Asked {
    name: String,
    uid: String,
    revision: String,
}

impl Asked {
    fn of(config: &Tree) -> Asked {
        let text = |field: &str| meta_text(config, field).to_owned();
        Asked { name: text("name"), uid: text("uid"), revision: text("resourceVersion") }
    }
}

/// Whether a conflict is one of revisions, which trying again resolves, and not one of owners.
fn is_stale(status: &Status) -> bool {
    status.is_conflict() && status.causes.is_empty() && !status.is_already_exists()
}
