//! Label and field selectors over stored objects. Only as much of an object is
//! read as the selectors ask for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use api::{KindDescriptor, Status};
use machinery::selector::{FieldSelector, LabelSelector};
use serde::Deserialize;
use serde_json::Value;

use crate::record::Record;

/// What list, watch and deletecollection select by.
#[derive(Clone, Debug)]
pub struct Selectors {
    labels: LabelSelector,
    fields: FieldSelector,
}

#[derive(Deserialize)]
struct Labels {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

impl Selectors {
    /// Parses both selectors and checks that the kind lets one select by the fields.
    pub fn parse(kind: &KindDescriptor, labels: &str, fields: &str) -> Result<Self, Status> {
        let refuse = |error: &dyn std::fmt::Display| Status::bad_request(error.to_string());
        let labels = LabelSelector::parse(labels).map_err(|error| refuse(&error))?;
        let fields = FieldSelector::parse(fields).map_err(|error| refuse(&error))?;
        fields.check(kind).map_err(|error| refuse(&error))?;
        Ok(Selectors { labels, fields })
    }

    /// Whether everything matches, so that nothing needs to be read.
    pub fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// The only name that can match, if the fields say so.
    pub fn name(&self) -> Option<&str> {
        self.fields.exact("metadata.name")
    }

    /// Whether an object matches.
    pub fn matches(&self, kind: &KindDescriptor, namespace: &str, name: &str, record: &Record) -> bool {
        self.fields_match(kind, namespace, name, record) && self.labels_match(record)
    }

    fn labels_match(&self, record: &Record) -> bool {
        if self.labels.is_everything() {
            return true;
        }
        let labels = serde_json::from_slice::<Labels>(&record.meta).ok().and_then(|meta| meta.labels);
        self.labels.matches_map(&labels.unwrap_or_default())
    }

    fn fields_match(&self, kind: &KindDescriptor, namespace: &str, name: &str, record: &Record) -> bool {
        if self.fields.is_everything() {
            return true;
        }
        let of_key = |field: &str| match field {
            "metadata.name" => Some(name),
            "metadata.namespace" => Some(namespace),
            _ => None,
        };
        if self.fields.terms().iter().all(|term| of_key(&term.field).is_some()) {
            return self.fields.matches(|field| of_key(field).map(Cow::Borrowed));
        }
        record.value(kind).is_ok_and(|object| self.fields.matches_object(kind, &Value::Object(object)))
    }
}
