//! What writes of a kind may touch: tables that the pipeline asks. Nothing here changes an
//! object.

use api::KindDescriptor;

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

/// Whether the status that a client sends to the main resource counts at creation: a
/// kubelet registers its node with one; no other kind with a status subresource lets it.
pub fn keeps_status(kind: &KindDescriptor) -> bool {
    !kind.subresources.status || (kind.gvk.group.is_empty() && &*kind.plural == "nodes")
}
