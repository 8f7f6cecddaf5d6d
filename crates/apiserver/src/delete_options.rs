//! The options of a delete, as they come in a body or in a query. Pure; what they do to an
//! object is the pipeline's.

use api::Status;
use client::{DeleteOptions, Preconditions, Propagation};
use serde_json::Value;

/// Reads the options from a body, and what it does not state from the parameters of a query.
pub fn read<'a>(body: &Value, query: &dyn Fn(&str) -> Option<&'a str>) -> Result<DeleteOptions, Status> {
    let precondition = |name: &str| {
        let value = body.pointer(&format!("/preconditions/{name}")).and_then(Value::as_str);
        value.map(str::to_owned).filter(|value| !value.is_empty())
    };
    let dry_run = match body.get("dryRun").and_then(Value::as_array) {
        Some(list) if !list.is_empty() => all_of(list.iter().map(|value| value.as_str().unwrap_or_default()))?,
        _ => all_of(query("dryRun").filter(|text| !text.is_empty()))?,
    };
    let stated = match query("gracePeriodSeconds") {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_| {
            Status::bad_request(format!("gracePeriodSeconds: Invalid value: \"{text}\": must be a number"))
        })?),
    };
    Ok(DeleteOptions {
        preconditions: Preconditions { uid: precondition("uid"), resource_version: precondition("resourceVersion") },
        propagation: propagation(body, query)?,
        grace_period_secs: body.get("gracePeriodSeconds").and_then(Value::as_i64).or(stated),
        dry_run,
    })
}

fn propagation<'a>(body: &Value, query: &dyn Fn(&str) -> Option<&'a str>) -> Result<Option<Propagation>, Status> {
    let policy = body.get("propagationPolicy").and_then(Value::as_str).or_else(|| query("propagationPolicy"));
    let orphan = body.get("orphanDependents").and_then(Value::as_bool);
    match (policy.unwrap_or_default(), orphan.or_else(|| query("orphanDependents").map(is_true))) {
        ("", None) => Ok(None),
        ("", Some(true)) | ("Orphan", None) => Ok(Some(Propagation::Orphan)),
        ("", Some(false)) | ("Background", None) => Ok(Some(Propagation::Background)),
        ("Foreground", None) => Ok(Some(Propagation::Foreground)),
        (_, Some(_)) => Err(Status::bad_request("orphanDependents and propagationPolicy cannot be both set")),
        (other, None) => Err(Status::bad_request(format!("propagationPolicy: Unsupported value: \"{other}\""))),
    }
}

/// A boolean parameter as Go's `strconv.ParseBool` reads it.
pub fn is_true(text: &str) -> bool {
    !matches!(text, "0" | "f" | "F" | "false" | "FALSE" | "False")
}

/// Whether `dryRun` is stated, which has one value only.
pub fn all_of<'a>(stated: impl IntoIterator<Item = &'a str>) -> Result<bool, Status> {
    let mut is_stated = false;
    for value in stated {
        if value != "All" {
            let why = format!("dryRun: Unsupported value: \"{value}\": supported values: \"All\"");
            return Err(Status::bad_request(why));
        }
        is_stated = true;
    }
    Ok(is_stated)
}
