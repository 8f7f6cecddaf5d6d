//! Whether a definition may be stored, in Kubernetes' words. A field that all
//! versions have alike is named as if it stood beside them, because that is
//! where Kubernetes' own server moves it. Nothing is changed here.

pub(super) mod approval;
mod conversion;
mod names;
mod versions;

use std::sync::Arc;

use api::{Cause, Status};
use machinery::structural::Schema;
use machinery::validate;
use serde_json::{Map, Value, json};

use super::GROUP;
use super::spec::Spec;
use super::status::{is_established, stored_versions};

/// The schema of a version, by its index.
pub fn schema_of(object: &Map<String, Value>, index: usize) -> Option<&Value> {
    let versions = object.get("spec")?.get("versions")?;
    versions.get(index)?.get("schema")?.get("openAPIV3Schema").filter(|schema| !schema.is_null())
}

/// Checks a definition that is created, or that replaces `old`. `known` finds a schema that
/// was checked before.
pub fn check(
    object: &Map<String, Value>,
    old: Option<&Map<String, Value>>,
    name: &str,
    known: &dyn Fn(&Value) -> Option<Arc<Schema>>,
) -> Result<(), Status> {
    let spec = Spec::of(object)?;
    let mut causes = Vec::new();
    if old.is_none() {
        causes.extend(validate::dns_subdomain(name).iter().map(|why| validate::invalid("metadata.name", name, why)));
        if name != format!("{}.{}", spec.names.plural, spec.group) {
            let why = "must be spec.names.plural+\".\"+spec.group";
            causes.push(validate::invalid("metadata.name", name, why));
        }
    }
    names::group(&spec.group, &mut causes);
    scope(&spec.scope, &mut causes);
    versions::check(object, &spec, known, &mut causes);
    names::check(&spec.names, &mut causes);
    conversion::check(spec.conversion.as_ref(), &mut causes);
    // Of a new definition only the server says where it is stored.
    stored(old.unwrap_or(&Map::new()), &spec, &mut causes);
    if spec.preserve_unknown_fields == Some(true) {
        let why =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        causes.push(invalid("spec.preserveUnknownFields", &json!(true), why));
    }
    approval::check(&spec.group, object, old, &mut causes);
    if let Some(old) = old {
        immutable(&spec, old, &mut causes)?;
    }
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(GROUP, "CustomResourceDefinition", name, causes)) }
}

/// `Invalid value: …: why` of any JSON.
fn invalid(field: &str, value: &Value, why: &str) -> Cause {
    let shown = match value {
        Value::String(text) => validate::quote(text),
        other => other.to_string(),
    };
    Cause { reason: "FieldValueInvalid".into(), message: format!("Invalid value: {shown}: {why}"), field: field.into() }
}

/// `Unsupported value: …` of a text.
fn unsupported(field: &str, value: &str, supported: &[&str]) -> Cause {
    let listed: Vec<String> = supported.iter().map(|value| validate::quote(value)).collect();
    let message = format!("Unsupported value: {}: supported values: {}", validate::quote(value), listed.join(", "));
    Cause { reason: "FieldValueNotSupported".into(), message, field: field.into() }
}

/// What is wrong with a label of a definition, on one line.
fn label_problem(text: &str) -> Option<String> {
    let problems = validate::dns_1035_label(text);
    (!problems.is_empty()).then(|| problems.join(","))
}

fn scope(scope: &str, causes: &mut Vec<Cause>) {
    match scope {
        "" => causes.push(validate::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => causes.push(unsupported("spec.scope", other, &["Cluster", "Namespaced"])),
    }
}

/// Objects may be stored in every version that ever was the one to store in.
fn stored(old: &Map<String, Value>, spec: &Spec, causes: &mut Vec<Cause>) {
    let stored = stored_versions(old, spec.storage_version());
    let field = "status.storedVersions";
    if stored.is_empty() {
        causes.push(invalid(field, &Value::Null, "must have at least one stored version"));
        return;
    }
    for version in spec.versions.iter().filter(|version| version.storage) {
        if !stored.iter().any(|held| *held == version.name) {
            let why = format!("must have the storage version {}", version.name);
            causes.push(invalid(field, &json!(stored), &why));
        }
    }
    for (index, version) in stored.iter().enumerate() {
        let name = version.as_str().unwrap_or_default();
        if !spec.versions.iter().any(|held| held.name == name) {
            let why = format!(
                "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
            );
            causes.push(invalid(&format!("{field}[{index}]"), version, &why));
        }
    }
}

/// Group and plural are for life; kind and scope as soon as anything is served.
fn immutable(spec: &Spec, old: &Map<String, Value>, causes: &mut Vec<Cause>) -> Result<(), Status> {
    let before = Spec::of(old)?;
    let is_established = is_established(old);
    for (field, new, old, is_fixed) in [
        ("spec.scope", &spec.scope, &before.scope, is_established),
        ("spec.names.kind", &spec.names.kind, &before.names.kind, is_established),
        ("spec.group", &spec.group, &before.group, true),
        ("spec.names.plural", &spec.names.plural, &before.names.plural, true),
    ] {
        if is_fixed && new != old {
            causes.push(validate::invalid(field, new, "field is immutable"));
        }
    }
    Ok(())
}
