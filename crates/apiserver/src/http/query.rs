//! Query parameters, typed and checked. Unknown ones are ignored, as
//! kube-apiserver does.

use std::collections::{BTreeMap, HashMap};

use api::Status;
use client::DeleteOptions;
use serde_json::Value;

use crate::delete_options::{self, all_of, is_true};
use crate::pipeline::{FieldValidation, ReadAt, WatchFrom, Write};
use crate::request::parse_revision;

/// The parameters of one request; of repeated ones the first counts, but `dryRun`.
pub struct Query(HashMap<String, String>);

impl Query {
    /// Parses the query part of a URI.
    pub fn parse(text: &str) -> Self {
        let mut map = HashMap::new();
        for (key, value) in url::form_urlencoded::parse(text.as_bytes()) {
            map.entry(key.into_owned()).or_insert_with(|| value.into_owned());
        }
        Query(map)
    }

    /// A parameter; empty if absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A boolean parameter as Go's `strconv.ParseBool` reads it.
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|text| is_true(text))
    }

    /// Every parameter.
    pub fn all(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Status> {
        match self.text(name) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Status::bad_request(format!("{name}: Invalid value: \"{text}\": must be a number"))),
        }
    }

    /// At most so many objects; 0 for all.
    pub fn limit(&self) -> Result<u64, Status> {
        Ok(self.number("limit")?.unwrap_or(0))
    }

    /// How long a watch may last.
    pub fn timeout_secs(&self) -> Result<Option<u64>, Status> {
        Ok(self.number("timeoutSeconds")?.filter(|&secs| secs > 0))
    }

    /// How to write; `options` is what Kubernetes calls the options of the verb.
    pub fn write(&self, options: &str) -> Result<Write, Status> {
        let stated = self.text("fieldValidation");
        let validation = FieldValidation::parse(stated).ok_or_else(|| {
            let supported = r#"supported values: "", "Ignore", "Strict", "Warn""#;
            let cause = api::Cause {
                reason: "FieldValueNotSupported".into(),
                message: format!("Unsupported value: {}: {supported}", Value::from(stated)),
                field: "fieldValidation".into(),
            };
            Status::invalid("meta.k8s.io", options, "", vec![cause])
        })?;
        Ok(Write { dry_run: self.dry_run()?, validation, ..Write::default() })
    }

    /// Whether to store nothing.
    fn dry_run(&self) -> Result<bool, Status> {
        all_of(Some(self.text("dryRun")).filter(|text| !text.is_empty()))
    }

    /// The revision that is stated; 0 for none.
    pub fn revision(&self) -> Result<u64, Status> {
        match self.text("resourceVersion") {
            "" => Ok(0),
            text => parse_revision(text),
        }
    }

    /// The state a list is to be of.
    pub fn read_at(&self) -> Result<ReadAt, Status> {
        if self.0.contains_key("sendInitialEvents") {
            return Err(refused("sendInitialEvents", "Forbidden", "sendInitialEvents is forbidden for list"));
        }
        let revision = self.text("resourceVersion");
        let number = self.revision()?;
        let matching = self.text("resourceVersionMatch");
        let is_continued = !self.text("continue").is_empty();
        if is_continued && number > 0 {
            return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
        }
        if !matching.is_empty() && revision.is_empty() {
            return Err(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }
        if !matching.is_empty() && is_continued {
            return Err(forbidden("resourceVersionMatch is forbidden when continue is provided"));
        }
        match matching {
            "" if number == 0 => Ok(ReadAt::Newest),
            // Pages of a stated revision are of that very revision.
            "" if self.limit()? > 0 => Ok(ReadAt::Exact(number)),
            "" | "NotOlderThan" => Ok(ReadAt::NotOlderThan(number)),
            "Exact" if number > 0 => Ok(ReadAt::Exact(number)),
            "Exact" => Err(forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")),
            other => Err(refused("resourceVersionMatch", "NotSupported", &unsupported_match(other))),
        }
    }

    /// Where a watch is to begin.
    pub fn watch_from(&self) -> Result<WatchFrom, Status> {
        let revision = self.text("resourceVersion");
        let matching = self.text("resourceVersionMatch");
        if self.0.contains_key("sendInitialEvents") {
            if matching != "NotOlderThan" {
                return Err(forbidden(
                    "resourceVersionMatch is required when sendInitialEvents is set, and must be NotOlderThan",
                ));
            }
            if self.flag("sendInitialEvents") {
                if !self.flag("allowWatchBookmarks") {
                    return Err(forbidden("sendInitialEvents needs allowWatchBookmarks"));
                }
                return Ok(WatchFrom::EverythingThenBookmark);
            }
        } else if !matching.is_empty() {
            return Err(forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        }
        match revision {
            "" | "0" => Ok(WatchFrom::Everything),
            text => Ok(WatchFrom::Revision(parse_revision(text)?)),
        }
    }

    /// Options of delete, from the query and the body.
    pub fn delete(&self, body: &Value) -> Result<DeleteOptions, Status> {
        delete_options::read(body, &|name| self.0.get(name).map(String::as_str))
    }
}

fn unsupported_match(value: &str) -> String {
    format!("\"{value}\": supported values: \"Exact\", \"NotOlderThan\"")
}

fn forbidden(why: &str) -> Status {
    refused("resourceVersionMatch", "Forbidden", why)
}

/// A refusal of list options, in the words of a field's error.
fn refused(field: &str, what: &str, why: &str) -> Status {
    let label = if what == "NotSupported" { "Unsupported value" } else { what };
    let cause =
        api::Cause { reason: format!("FieldValue{what}"), message: format!("{label}: {why}"), field: field.into() };
    Status::invalid("meta.k8s.io", "ListOptions", "", vec![cause])
}
