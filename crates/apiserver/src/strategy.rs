//! The little that single built-in kinds need beyond their descriptor: what is
//! filled at creation, and which fields are turned into others. A table of small
//! functions; whole behaviours of a kind belong to a capability.

use api::KindDescriptor;
use serde_json::{Map, Value, json};

use crate::tree::Tree;
use crate::{crd, record};

/// Kinds that a PUT to a free name creates.
pub fn creates_on_update(kind: &KindDescriptor) -> bool {
    matches!(
        (&*kind.gvk.group, &*kind.plural),
        ("", "endpoints" | "events" | "limitranges" | "services")
            | ("events.k8s.io", "events")
            | ("coordination.k8s.io", "leases" | "leasecandidates")
            | ("rbac.authorization.k8s.io", _)
            | ("node.k8s.io", "runtimeclasses")
    )
}

/// Kinds that a PUT replaces only if it states which revision it knows. Custom kinds,
/// which have no type among the built-in ones, all do.
pub fn needs_revision(kind: &KindDescriptor) -> bool {
    kind.type_name.is_empty()
        || matches!(
            (&*kind.gvk.group, &*kind.plural),
            ("admissionregistration.k8s.io" | "apiextensions.k8s.io" | "apiregistration.k8s.io", _)
                | ("coordination.k8s.io" | "storagemigration.k8s.io" | "internal.apiserver.k8s.io", _)
                | ("certificates.k8s.io", "clustertrustbundles" | "podcertificaterequests")
                | ("node.k8s.io", "runtimeclasses")
                | ("policy", "poddisruptionbudgets")
                | ("storage.k8s.io", "csidrivers" | "csinodes" | "csistoragecapacities" | "volumeattachments")
        )
}

/// Metadata that a write to the status leaves alone. Most built-in kinds let labels and
/// annotations come along, as their controllers expect; custom kinds let nothing.
pub fn kept_on_status(kind: &KindDescriptor) -> Kept {
    if kind.type_name.is_empty() {
        return Kept::All;
    }
    match (&*kind.gvk.group, &*kind.plural) {
        ("flowcontrol.apiserver.k8s.io", _) => Kept::All,
        ("", "pods") => Kept::Fields(&["ownerReferences"]),
        ("apps", "deployments") => Kept::Fields(&["labels"]),
        ("admissionregistration.k8s.io" | "networking.k8s.io", "validatingadmissionpolicies" | "servicecidrs")
        | ("resource.k8s.io" | "scheduling.k8s.io" | "storagemigration.k8s.io" | "internal.apiserver.k8s.io", _)
        | ("certificates.k8s.io", "podcertificaterequests")
        | ("storage.k8s.io", "volumeattachments") => {
            Kept::Fields(&["labels", "annotations", "finalizers", "ownerReferences"])
        }
        _ => Kept::Fields(&[]),
    }
}

/// What of the metadata is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    All,
    /// These fields.
    Fields(&'static [&'static str]),
}

/// Fills what Kubernetes fills before an object is created.
pub fn prepare_create(kind: &KindDescriptor, object: &mut Tree) {
    prepare_write(kind, object);
    match (&*kind.gvk.group, &*kind.plural) {
        ("", "namespaces") => {
            let name = crate::tree::meta_text(object, "name").to_owned();
            let meta = crate::tree::meta_of(object);
            let labels = meta.entry("labels").or_insert_with(|| json!({}));
            if !labels.is_object() {
                *labels = json!({});
            }
            labels["kubernetes.io/metadata.name"] = json!(name);
            child(object, "spec").insert("finalizers".into(), json!(["kubernetes"]));
            object.insert("status".into(), json!({"phase": "Active"}));
        }
        ("", "pods") => {
            object.insert("status".into(), json!({"phase": "Pending", "qosClass": qos_class(object)}));
        }
        ("", "persistentvolumeclaims" | "persistentvolumes") => {
            object.insert("status".into(), json!({"phase": "Pending"}));
        }
        (crd::GROUP, crd::PLURAL) => {
            let meta = crate::tree::meta_of(object);
            let finalizers = meta.entry("finalizers").or_insert_with(|| json!([]));
            if let Some(list) = finalizers.as_array_mut()
                && !list.contains(&json!(crd::FINALIZER))
            {
                list.push(json!(crd::FINALIZER));
            }
        }
        _ => {}
    }
}

/// Fills what Kubernetes fills before an object is created or replaced.
pub fn prepare_write(kind: &KindDescriptor, object: &mut Tree) {
    match (&*kind.gvk.group, &*kind.plural) {
        ("", "secrets") => fold_string_data(object),
        (crd::GROUP, crd::PLURAL) => crd::default_spec(object),
        _ => {}
    }
}

/// Whether the status that a client sends to the main resource counts at creation:
/// no kind with a status subresource lets it.
pub fn keeps_status(kind: &KindDescriptor) -> bool {
    !kind.subresources.status
}

/// `stringData` is write-only: its values end up base64-encoded in `data`.
fn fold_string_data(object: &mut Tree) {
    object.entry("type").or_insert_with(|| json!("Opaque"));
    let Some(Value::Object(plain)) = object.remove("stringData") else { return };
    let data = child(object, "data");
    for (key, value) in plain {
        if let Some(text) = value.as_str() {
            data.insert(key, json!(record::base64(text.as_bytes())));
        }
    }
}

fn child<'a>(object: &'a mut Tree, field: &str) -> &'a mut Tree {
    let value = object.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("the field was just made an object")
}

/// BestEffort, Burstable or Guaranteed, by the containers' requests and limits.
fn qos_class(pod: &Tree) -> &'static str {
    let mut any = false;
    let mut guaranteed = true;
    let containers = ["containers", "initContainers"];
    let all = containers.iter().filter_map(|field| pod.get("spec")?.get(field)?.as_array()).flatten();
    for container in all {
        let amount = |list: &str, name: &str| container.pointer(&format!("/resources/{list}/{name}")).cloned();
        for name in ["cpu", "memory"] {
            let (request, limit) = (amount("requests", name), amount("limits", name));
            any |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
