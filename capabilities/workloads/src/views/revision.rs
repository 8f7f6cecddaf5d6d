//! Controller revisions as controllers read them, and what is recorded in them.

use api::Status;
use base::digest;
use client::{Object, View};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ownership;

/// What controllers read of a controller revision.
#[derive(Debug)]
pub(crate) struct Revision {
    /// Its place in the history: the highest is the newest.
    pub(crate) number: i64,
    /// Equal for revisions that record the same.
    pub(crate) digest: String,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    revision: i64,
    #[serde(default)]
    data: Value,
}

impl View for Revision {
    fn read(object: &Object) -> Result<Self, Status> {
        let wire: Wire = object.parse()?;
        Ok(Revision { number: wire.revision, digest: digest_of(&wire.data) })
    }

    fn words(&self, object: &Object) -> Vec<String> {
        vec![ownership(object)]
    }
}

/// What is recorded of a template: a patch that puts it back, which kubectl's undo applies.
pub(crate) fn record(template: &Value) -> Value {
    let mut template = template.clone();
    template["$patch"] = json!("replace");
    json!({ "spec": { "template": template } })
}

/// What tells the record of a template from others.
pub(super) fn digest_of_template(template: &Value) -> String {
    digest_of(&record(template))
}

/// Keys of JSON trees are sorted, so what is equal has equal text.
fn digest_of(data: &Value) -> String {
    digest::sha256_hex(data.to_string().as_bytes())
}
