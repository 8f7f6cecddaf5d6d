//! Validation of object metadata, in the words kube-apiserver uses, because
//! people search for them and clients match on them. It never changes an
//! object and knows nothing of any kind's spec.

mod builtin;
mod names;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};

use api::status::MOST_CAUSES;
use api::{Cause, KindDescriptor, ObjectMeta, OwnerReference};

pub use builtin::{builtin_create, builtin_update, pod_part_update};
pub use names::{dns_1035_label, dns_label, dns_subdomain, label_value, path_segment, qualified_name};

/// Checks the metadata of an object that is to be created; names have been generated already.
pub fn metadata(kind: &KindDescriptor, meta: &ObjectMeta) -> Vec<Cause> {
    let rule = NameRule::of(kind);
    let mut causes = Vec::new();
    if !meta.generate_name.is_empty() {
        let field = "metadata.generateName";
        causes
            .extend(rule.check_prefix(&meta.generate_name).iter().map(|why| invalid(field, &meta.generate_name, why)));
    }
    if meta.name.is_empty() {
        causes.push(required("metadata.name", "name or generateName is required"));
    } else {
        causes.extend(rule.check(&meta.name).iter().map(|why| invalid("metadata.name", &meta.name, why)));
    }
    common(kind, meta, &mut causes);
    causes
}

/// Checks the metadata of an object that replaces `old`.
pub fn metadata_update(kind: &KindDescriptor, new: &ObjectMeta, old: &ObjectMeta) -> Vec<Cause> {
    let mut causes = Vec::new();
    if old.is_deleting() {
        let held: HashSet<&String> = old.finalizers.iter().collect();
        let extra: Vec<&String> = new.finalizers.iter().filter(|name| !held.contains(name)).collect();
        if !extra.is_empty() {
            let listed: Vec<String> = extra.iter().map(|name| quote(name)).collect();
            causes.push(forbidden(
                "metadata.finalizers",
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    listed.join(", ")
                ),
            ));
        }
    }
    let pairs =
        [("name", &new.name, &old.name), ("namespace", &new.namespace, &old.namespace), ("uid", &new.uid, &old.uid)];
    for (field, new, old) in pairs {
        if new != old {
            causes.push(invalid(&format!("metadata.{field}"), new, "field is immutable"));
        }
    }
    common(kind, new, &mut causes);
    causes
}

fn common(kind: &KindDescriptor, meta: &ObjectMeta, causes: &mut Vec<Cause>) {
    match (kind.namespaced, meta.namespace.is_empty()) {
        (true, true) => causes.push(required("metadata.namespace", "")),
        (true, false) => {
            let problems = dns_label(&meta.namespace);
            causes.extend(problems.iter().map(|why| invalid("metadata.namespace", &meta.namespace, why)));
        }
        (false, false) => causes.push(forbidden("metadata.namespace", "not allowed on this type")),
        (false, true) => {}
    }
    causes.extend(labels(&meta.labels, "metadata.labels"));
    causes.extend(annotations(&meta.annotations, "metadata.annotations"));
    causes.extend(owner_references(&meta.owner_references, "metadata.ownerReferences"));
    causes.extend(finalizers(&meta.finalizers, "metadata.finalizers"));
}

/// Checks a map of labels that stands at `field`.
pub fn labels(labels: &BTreeMap<String, String>, field: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in labels {
        if causes.len() >= MOST_CAUSES {
            break;
        }
        causes.extend(qualified_name(key).iter().map(|why| invalid(field, key, why)));
        causes.extend(label_value(value).iter().map(|why| invalid(field, value, why)));
    }
    causes
}

/// Checks a map of annotations that stands at `field`.
pub fn annotations(annotations: &BTreeMap<String, String>, field: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for key in annotations.keys() {
        if causes.len() >= MOST_CAUSES {
            break;
        }
        // Upper case is allowed in the prefix of an annotation, unlike a label's.
        causes.extend(qualified_name(&key.to_lowercase()).iter().map(|why| invalid(field, key, why)));
    }
    let total: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if total > base::limits::ANNOTATION_BYTES {
        causes.push(cause(
            "FieldValueTooLong",
            field,
            format!("Too long: may not be more than {} bytes", base::limits::ANNOTATION_BYTES),
        ));
    }
    causes
}

/// Checks a list of finalizers that stands at `field`.
pub fn finalizers(finalizers: &[String], field: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for name in finalizers {
        if causes.len() >= MOST_CAUSES {
            break;
        }
        causes.extend(qualified_name(name).iter().map(|why| invalid(field, name, why)));
    }
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let listed: Vec<String> = finalizers.iter().map(|name| quote(name)).collect();
        causes.push(cause(
            "FieldValueInvalid",
            field,
            format!(
                "Invalid value: [{}]: finalizer orphan and foregroundDeletion cannot be both set",
                listed.join(",")
            ),
        ));
    }
    causes
}

/// Checks a list of owners that stands at `field`.
pub fn owner_references(owners: &[OwnerReference], field: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut controller: Option<String> = None;
    let all = OnceCell::new();
    for owner in owners {
        if causes.len() >= MOST_CAUSES {
            break;
        }
        // Kubernetes does not say which owner it means.
        owner_reference(owner, field, &mut causes);
        if owner.controller != Some(true) {
            continue;
        }
        let name = format!("{}/{}", owner.kind, owner.name);
        match &controller {
            None => controller = Some(name),
            Some(first) => causes.push(cause(
                "FieldValueInvalid",
                field,
                format!(
                    "Invalid value: {}: Only one reference can have Controller set to true. Found \"true\" in references for {first} and {name}",
                    all.get_or_init(|| shown(&serde_json::json!(owners)))
                ),
            )),
        }
    }
    causes
}

fn owner_reference(owner: &OwnerReference, field: &str, causes: &mut Vec<Cause>) {
    if owner.api_version.is_empty() || owner.api_version.matches('/').count() > 1 || owner.api_version.ends_with('/') {
        causes.push(invalid(&format!("{field}.apiVersion"), &owner.api_version, "version must not be empty"));
    }
    for (name, value) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
        if value.is_empty() {
            causes.push(invalid(&format!("{field}.{name}"), "", "must not be empty"));
        }
    }
    if owner.api_version == "v1" && owner.kind == "Event" {
        causes.push(cause(
            "FieldValueInvalid",
            field,
            format!("Invalid value: {}: /v1, Kind=Event is disallowed from being an owner", serde_json::json!(owner)),
        ));
    }
}

/// Of a list, so many bytes are repeated in a message.
const MOST_SHOWN: usize = 16 * 1024;

fn shown(value: &serde_json::Value) -> String {
    let mut text = value.to_string();
    text.truncate(text.floor_char_boundary(MOST_SHOWN));
    text
}

/// How the objects of a kind may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// RFC 1123 subdomain: the default.
    Subdomain,
    /// RFC 1123 label.
    Label,
    /// RFC 1123 subdomain of at most 52 characters: a cron job's name gets a suffix of 11 for its jobs.
    CronJob,
    /// Anything that fits one segment of a path.
    PathSegment,
    /// `plural.group`, which the validation of the spec compares.
    Free,
}

impl NameRule {
    /// The rule of a kind.
    pub fn of(kind: &KindDescriptor) -> Self {
        match (&*kind.gvk.group, &*kind.gvk.kind) {
            ("", "Namespace" | "Service") => NameRule::Label,
            ("batch", "CronJob") => NameRule::CronJob,
            ("rbac.authorization.k8s.io", _) => NameRule::PathSegment,
            ("apiregistration.k8s.io", "APIService") | ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                NameRule::Free
            }
            ("", "ComponentStatus") | ("certificates.k8s.io", "ClusterTrustBundle") => NameRule::PathSegment,
            _ => NameRule::Subdomain,
        }
    }

    /// What is wrong with `name`; empty if nothing.
    pub fn check(self, name: &str) -> Vec<String> {
        match self {
            NameRule::Subdomain => dns_subdomain(name),
            NameRule::Label => dns_label(name),
            NameRule::CronJob => {
                let mut problems = dns_subdomain(name);
                if name.len() > 52 {
                    problems.push("must be no more than 52 characters".to_owned());
                }
                problems
            }
            NameRule::PathSegment => path_segment(name, false),
            NameRule::Free => Vec::new(),
        }
    }

    /// What is wrong with `prefix` as the start of a generated name; empty if nothing.
    pub fn check_prefix(self, prefix: &str) -> Vec<String> {
        if self == NameRule::PathSegment {
            return path_segment(prefix, true);
        }
        // A prefix may end in a dash, for characters follow.
        match prefix.strip_suffix('-') {
            Some(start) if !start.is_empty() => self.check(&format!("{start}a")),
            _ => self.check(prefix),
        }
    }
}

/// `Invalid value: "…": why` at a field.
pub fn invalid(field: &str, value: &str, why: &str) -> Cause {
    cause("FieldValueInvalid", field, format!("Invalid value: {}: {why}", quote(value)))
}

/// `Required value: why` at a field.
pub fn required(field: &str, why: &str) -> Cause {
    cause("FieldValueRequired", field, detailed("Required value", why))
}

/// `Forbidden: why` at a field.
pub fn forbidden(field: &str, why: &str) -> Cause {
    cause("FieldValueForbidden", field, detailed("Forbidden", why))
}

fn detailed(what: &str, why: &str) -> String {
    if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") }
}

fn cause(reason: &str, field: &str, message: String) -> Cause {
    Cause { reason: reason.to_owned(), message, field: field.to_owned() }
}

/// Text as Go's `%q` prints it.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 || control == '\u{7f}' => {
                out.push_str(&format!("\\x{:02x}", u32::from(control)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
