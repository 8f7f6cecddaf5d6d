//! Query parameters, typed and checked. Unknown ones are ignored, as
//! kube-apiserver does.

use std::collections::HashMap;

use api::Status;
use client::{DeleteOptions, Preconditions, Propagation};
use serde_json::Value;

use crate::local::parse_revision;
use crate::pipeline::{ReadAt, WatchFrom, Write};

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
        match self.0.get(name).map(String::as_str) {
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
            Some(_) => true,
        }
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
        self.number("timeoutSeconds")
    }

    /// Whether to store.
    pub fn write(&self) -> Result<Write, Status> {
        match self.text("dryRun") {
            "" => Ok(Write { dry_run: false }),
            "All" => Ok(Write { dry_run: true }),
            other => {
                Err(Status::bad_request(format!("dryRun: Unsupported value: \"{other}\": supported values: \"All\"")))
            }
        }
    }

    /// The state a list is to be of.
    pub fn read_at(&self) -> Result<ReadAt, Status> {
        let revision = self.text("resourceVersion");
        let number = if revision.is_empty() { 0 } else { parse_revision(revision)? };
        match self.text("resourceVersionMatch") {
            "" if number == 0 => Ok(ReadAt::Newest),
            "" | "NotOlderThan" => Ok(ReadAt::NotOlderThan(number)),
            "Exact" if number > 0 => Ok(ReadAt::Exact(number)),
            "Exact" => Err(Status::bad_request(
                "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            )),
            other => Err(Status::bad_request(format!("resourceVersionMatch: Unsupported value: \"{other}\""))),
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
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_else(|| self.text(name)).to_owned();
        let orphan = body.get("orphanDependents").and_then(Value::as_bool);
        let orphan = orphan.or_else(|| self.0.contains_key("orphanDependents").then(|| self.flag("orphanDependents")));
        let propagation = match (text("propagationPolicy").as_str(), orphan) {
            ("", None) => None,
            ("", Some(true)) | ("Orphan", None) => Some(Propagation::Orphan),
            ("", Some(false)) | ("Background", None) => Some(Propagation::Background),
            ("Foreground", None) => Some(Propagation::Foreground),
            (_, Some(_)) => {
                return Err(Status::bad_request("orphanDependents and propagationPolicy cannot be both set"));
            }
            (other, None) => {
                return Err(Status::bad_request(format!("propagationPolicy: Unsupported value: \"{other}\"")));
            }
        };
        let precondition = |name: &str| {
            let value = body.pointer(&format!("/preconditions/{name}")).and_then(Value::as_str);
            value.map(str::to_owned).filter(|value| !value.is_empty())
        };
        let dry_run = match body.get("dryRun").and_then(Value::as_array) {
            Some(list) if !list.is_empty() => true,
            _ => self.write()?.dry_run,
        };
        let grace = body.get("gracePeriodSeconds").and_then(Value::as_i64);
        Ok(DeleteOptions {
            preconditions: Preconditions {
                uid: precondition("uid"),
                resource_version: precondition("resourceVersion"),
            },
            propagation,
            grace_period_secs: grace.or(self.number("gracePeriodSeconds")?.map(u64::cast_signed)),
            dry_run,
        })
    }
}

fn forbidden(why: &str) -> Status {
    let cause = api::Cause {
        reason: "FieldValueForbidden".into(),
        message: format!("Forbidden: {why}"),
        field: "resourceVersionMatch".into(),
    };
    Status::invalid("meta.k8s.io", "ListOptions", "", vec![cause])
}
