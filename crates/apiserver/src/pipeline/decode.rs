//! From what a client sent to an object of its kind: values of another type refuse the
//! request, unknown and duplicate fields do what the request asked for, and the rest takes
//! the form that kube-apiserver gives it. It stores nothing and knows no kind.

use api::schema::TypeId;
use api::{Cause, Gvk, Reason, Status};
use machinery::decode::{self, Findings, Numbers};
use machinery::patch::Body as PatchBody;
use serde_json::{Map, Value};

use super::server::{Subject, Write};
use super::validation::{FieldValidation, Reading};
use crate::custom;
use crate::tree::{Tree, meta_text};

/// The fields of an operation of a JSON patch.
const OPERATION: [&str; 4] = ["op", "path", "from", "value"];
/// Levels of an object that is stored.
const MOST_NESTED: usize = base::limits::OBJECT_NESTING;
/// Characters of a refused value that a refusal repeats.
const MOST_SHOWN: usize = 16 * 1024;

/// Decodes an object that was sent whole.
pub(super) fn sent(subject: &Subject, object: &mut Tree, write: &Write) -> Result<(), Status> {
    refuse_deep(object)?;
    let gvk = &subject.kind.descriptor.gvk;
    let id = type_of(subject);
    let unknown = match id {
        Some(id) => decode::builtin(api::builtin::types(), id, object),
        None => metadata(object),
    };
    let mut unknown = unknown.map_err(|error| unhandled(gvk, &first(error, id, write)))?;
    unknown.extend(custom::admit(&subject.kind, object)?);
    judge_sent(gvk, id, &unknown, write)
}

/// Brings what an apply made into the form of its type. What is unknown was refused before.
pub(super) fn applied(subject: &Subject, object: &mut Tree) -> Result<(), Status> {
    refuse_deep(object)?;
    let outcome = match type_of(subject) {
        Some(id) => decode::builtin(api::builtin::types(), id, object),
        None => metadata(object),
    };
    if let Err(error) = outcome {
        let (gvk, name) = (&subject.kind.descriptor.gvk, meta_text(object, "name"));
        let kind = format!("{}, Kind={}", gvk.api_version(), gvk.kind);
        let why = error.of_tree();
        return Err(Status::new(
            500,
            Reason::Unknown,
            format!(
                "failed to convert new object ({}/{name}; {kind}) to proper version: unable to convert unstructured object to {kind}: {why}",
                subject.namespace
            ),
        ));
    }
    custom::admit(&subject.kind, object).map(drop)
}

/// Of several faults the one that the text has first. Of a custom kind's object the
/// metadata is read from a tree.
fn first(error: decode::Error, id: Option<TypeId>, write: &Write) -> String {
    match (&write.reading.text, id) {
        (Some(text), Some(_)) => {
            let order = decode::order(text, &error.paths());
            error.in_order(&order).to_string()
        }
        _ => error.to_string(),
    }
}

/// Refuses an object that nests so deep that it, or what is recorded of its owners, could not be
/// read again once it was stored.
fn refuse_deep(object: &Tree) -> Result<(), Status> {
    let is_deep = |(name, value): (&String, &Value)| match (name.as_str(), value) {
        ("metadata", Value::Object(fields)) => {
            fields.iter().any(|(field, value)| field != "managedFields" && nests_deeper(value, MOST_NESTED - 2))
        }
        (_, value) => nests_deeper(value, MOST_NESTED - 1),
    };
    if !object.iter().any(is_deep) {
        return Ok(());
    }
    Err(Status::bad_request(format!("the object nests deeper than {MOST_NESTED} levels")))
}

fn nests_deeper(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|item| nests_deeper(item, levels - 1)),
        Value::Object(fields) => levels == 0 || fields.values().any(|field| nests_deeper(field, levels - 1)),
        _ => false,
    }
}

/// Decodes a `Scale` that was sent whole.
pub fn sent_scale(scale: &mut Tree, write: &Write) -> Result<(), Status> {
    sent_as(&scale_gvk(), scale, write)
}

/// Decodes what was sent whole to a subresource that speaks a kind of its own.
pub(super) fn sent_as(gvk: &Gvk, sent: &mut Tree, write: &Write) -> Result<(), Status> {
    refuse_deep(sent)?;
    let Some(id) = api::builtin::type_of(gvk) else { return Ok(()) };
    let unknown = decode::builtin(api::builtin::types(), id, sent);
    let unknown = unknown.map_err(|error| unhandled(gvk, &first(error, Some(id), write)))?;
    judge_sent(gvk, Some(id), &unknown, write)
}

/// Decodes what a patch made of an object. `again` makes it once more, for a refusal to show.
pub(super) fn patched(
    subject: &Subject,
    object: &mut Tree,
    body: &PatchBody,
    write: &Write,
    again: &dyn Fn() -> Option<Value>,
) -> Result<(), Status> {
    refuse_deep(object)?;
    let mut unknown = match type_of(subject) {
        Some(id) => decode::builtin_with(api::builtin::types(), id, object, numbers(body)),
        None => metadata(object),
    };
    if let Ok(unknown) = &mut unknown {
        unknown.extend(custom::admit(&subject.kind, object)?);
    }
    judge_patched(unknown, body, write, again)
}

/// Decodes what a patch made of a `Scale`.
pub(super) fn patched_scale(
    scale: &mut Tree,
    body: &PatchBody,
    write: &Write,
    again: &dyn Fn() -> Option<Value>,
) -> Result<(), Status> {
    let Some(id) = api::builtin::type_of(&scale_gvk()) else { return Ok(()) };
    let unknown = decode::builtin_with(api::builtin::types(), id, scale, numbers(body));
    judge_patched(unknown, body, write, again)
}

fn scale_gvk() -> Gvk {
    Gvk::new("autoscaling", "v1", "Scale")
}

fn type_of(subject: &Subject) -> Option<TypeId> {
    let name = &subject.kind.descriptor.type_name;
    if name.is_empty() { None } else { api::builtin::types().id(name) }
}

/// Decodes the metadata of an object of a custom kind, which has a type whatever its schema says.
fn metadata(object: &mut Tree) -> Result<Vec<String>, decode::Error> {
    let unknown = decode::metadata(api::builtin::types(), object)?;
    object.iter_mut().filter(|(field, _)| *field != "metadata").for_each(|(_, value)| decode::whole_numbers(value));
    Ok(unknown)
}

/// A strategic merge patch is never text on its way, so its numbers count by value.
fn numbers(body: &PatchBody) -> Numbers {
    if matches!(body, PatchBody::Strategic(_)) { Numbers::ByValue } else { Numbers::AsWritten }
}

fn judge_sent(gvk: &Gvk, id: Option<TypeId>, unknown: &[String], write: &Write) -> Result<(), Status> {
    let Reading { findings, text } = &write.reading;
    if write.validation == FieldValidation::Ignore || (findings.is_empty() && unknown.is_empty()) {
        return Ok(());
    }
    let words = match id {
        Some(id) => {
            let seen = findings.of_type(api::builtin::types(), id);
            let order = text.as_ref().map(|text| decode::order(text, unknown));
            seen.words(unknown, order.as_ref())
        }
        None => findings.words(unknown, None),
    };
    match strictly(write, words) {
        None => Ok(()),
        Some(why) => Err(unhandled(gvk, &why)),
    }
}

fn judge_patched(
    unknown: Result<Vec<String>, decode::Error>,
    body: &PatchBody,
    write: &Write,
    again: &dyn Fn() -> Option<Value>,
) -> Result<(), Status> {
    let unknown = unknown.map_err(|error| {
        let why = if numbers(body) == Numbers::ByValue { error.of_tree().to_owned() } else { error.to_string() };
        refused_patch(&shown(body, again), &why)
    })?;
    if write.validation == FieldValidation::Ignore {
        return Ok(());
    }
    let mut words = of_patch(body, &write.reading);
    words.extend(Findings::default().words(&unknown, None));
    match strictly(write, words) {
        None => Ok(()),
        Some(why) => Err(refused_patch(&shown(body, again), &why)),
    }
}

/// The findings in the body of a patch itself.
fn of_patch(body: &PatchBody, reading: &Reading) -> Vec<String> {
    let PatchBody::Json(operations) = body else { return reading.findings.words(&[], None) };
    let mut unknown = Vec::new();
    for (index, operation) in operations.as_array().into_iter().flatten().enumerate() {
        let keys = operation.as_object().into_iter().flat_map(Map::keys);
        unknown.extend(keys.filter(|key| !OPERATION.contains(&key.as_str())).map(|key| format!("[{index}].{key}")));
        if unknown.len() >= decode::MOST_FINDINGS {
            break;
        }
    }
    if reading.findings.is_empty() && unknown.is_empty() {
        return Vec::new();
    }
    let mut findings = Findings::clone(&reading.findings);
    let is_known = |step: Option<&decode::Step>| match step {
        Some(decode::Step::Key(key)) => OPERATION.contains(&key.as_str()),
        _ => false,
    };
    findings.duplicates.retain(|finding| is_known(finding.path.get(1)));
    let order = reading.text.as_ref().map(|text| decode::order(text, &unknown));
    findings.words(&unknown, order.as_ref()).into_iter().map(|word| format!("json patch {word}")).collect()
}

/// Warns of the findings, or says why the request is refused.
fn strictly(write: &Write, words: Vec<String>) -> Option<String> {
    if words.is_empty() {
        return None;
    }
    if write.validation == FieldValidation::Strict {
        return Some(format!("strict decoding error: {}", words.join(", ")));
    }
    for word in words {
        // What YAML repeats is one finding with many lines.
        let lines = word.strip_prefix("yaml: unmarshal errors:\n").unwrap_or(&word);
        lines.split('\n').for_each(|line| write.warnings.add(line.trim()));
    }
    None
}

fn unhandled(gvk: &Gvk, why: &str) -> Status {
    let Gvk { version, kind, .. } = gvk;
    Status::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
}

fn refused_patch(value: &str, why: &str) -> Status {
    let mut value = value.to_owned();
    value.truncate(value.floor_char_boundary(MOST_SHOWN));
    let cause = Cause {
        reason: "FieldValueInvalid".into(),
        message: format!("Invalid value: {}: {why}", Value::from(value)),
        field: "patch".into(),
    };
    Status::invalid("", "", "", vec![cause])
}

/// What a refusal shows of a patch: of a strategic merge the patch, else what it made.
fn shown(body: &PatchBody, again: &dyn Fn() -> Option<Value>) -> String {
    match body {
        PatchBody::Strategic(patch) => {
            let mut out = String::new();
            print(&mut out, patch);
            out
        }
        _ => again().unwrap_or_default().to_string(),
    }
}

/// A tree as Go prints it for people.
fn print(out: &mut String, value: &Value) {
    if out.len() > MOST_SHOWN {
        return;
    }
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                print(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push_str("map[");
            for (index, (key, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                out.push_str(key);
                out.push(':');
                print(out, value);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}
