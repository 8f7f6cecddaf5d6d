//! What the published schemas and discovery documents of Kubernetes do not
//! say of its kinds: generation, field selectors, scale, storage. Hand-written
//! from kube-apiserver's registry strategies; nothing that discovery states
//! belongs here.

use crate::kind::ScalePaths;

/// Kinds whose `metadata.generation` counts changes, as `group/Kind`.
const WITH_GENERATION: &[&str] = &[
    "/Pod",
    "/PodTemplate",
    "/ReplicationController",
    "admissionregistration.k8s.io/MutatingAdmissionPolicy",
    "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/CustomResourceDefinition",
    "apps/DaemonSet",
    "apps/Deployment",
    "apps/ReplicaSet",
    "apps/StatefulSet",
    "batch/CronJob",
    "batch/Job",
    "discovery.k8s.io/EndpointSlice",
    "flowcontrol.apiserver.k8s.io/FlowSchema",
    "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration",
    "networking.k8s.io/Ingress",
    "networking.k8s.io/IngressClass",
    "networking.k8s.io/NetworkPolicy",
    "policy/PodDisruptionBudget",
    "resource.k8s.io/DeviceClass",
    "resource.k8s.io/ResourceSlice",
    "scheduling.k8s.io/PriorityClass",
];

/// Fields that field selectors may name beside `metadata.name` and
/// `metadata.namespace`, as `group/Kind` and paths.
const SELECTABLE: &[(&str, &[&str])] = &[
    (
        "/Pod",
        &[
            ".spec.nodeName",
            ".spec.restartPolicy",
            ".spec.schedulerName",
            ".spec.serviceAccountName",
            ".spec.hostNetwork",
            ".status.phase",
            ".status.podIP",
            ".status.nominatedNodeName",
        ],
    ),
    (
        "/Event",
        &[
            ".involvedObject.kind",
            ".involvedObject.namespace",
            ".involvedObject.name",
            ".involvedObject.uid",
            ".involvedObject.apiVersion",
            ".involvedObject.resourceVersion",
            ".involvedObject.fieldPath",
            ".reason",
            ".reportingComponent",
            ".source",
            ".type",
        ],
    ),
    (
        "events.k8s.io/Event",
        &[
            ".regarding.kind",
            ".regarding.namespace",
            ".regarding.name",
            ".regarding.uid",
            ".regarding.apiVersion",
            ".regarding.resourceVersion",
            ".regarding.fieldPath",
            ".reason",
            ".reportingController",
            ".type",
        ],
    ),
    ("/Namespace", &[".status.phase"]),
    ("/Node", &[".spec.unschedulable"]),
    ("/ReplicationController", &[".status.replicas"]),
    ("/Secret", &[".type"]),
    ("/Service", &[".spec.clusterIP", ".spec.type"]),
    ("batch/Job", &[".status.successful"]),
    ("certificates.k8s.io/CertificateSigningRequest", &[".spec.signerName"]),
    ("resource.k8s.io/ResourceSlice", &[".spec.nodeName", ".spec.driver"]),
];

/// Where a selectable field's value stands when it is not the field's own path:
/// `group/Kind`, the path in the selector, the paths to read in turn.
const READ_FROM: &[(&str, &str, &[&str])] = &[
    ("/Event", ".source", &[".source.component", ".reportingComponent"]),
    ("batch/Job", ".status.successful", &[".status.succeeded"]),
];

/// Selectable fields that are not text, with what selects objects that lack them.
const WHEN_ABSENT: &[(&str, &str)] = &[
    (".spec.hostNetwork", "false"),
    (".spec.unschedulable", "false"),
    (".status.replicas", "0"),
    (".status.successful", "0"),
];

/// Kinds stored as another group or version: `group/version/Kind`, then the
/// group and the version of the stored object.
const STORED_AS: &[(&str, &str, &str)] =
    &[("events.k8s.io/v1/Event", "", "v1"), ("autoscaling/v1/HorizontalPodAutoscaler", "autoscaling", "v2")];

/// Kinds that discovery lists and this server does not serve: `ComponentStatus`
/// has been deprecated since 1.19 and would have to invent its answers.
pub(super) const NOT_SERVED: &[&str] = &["/ComponentStatus"];

pub(super) fn has_generation(group: &str, kind: &str) -> bool {
    WITH_GENERATION.iter().any(|entry| is(entry, group, kind))
}

pub(super) fn selectable_fields(group: &str, kind: &str) -> &'static [&'static str] {
    SELECTABLE.iter().find(|(entry, _)| is(entry, group, kind)).map(|(_, paths)| *paths).unwrap_or_default()
}

/// Where to read a selectable field if not from its own path.
pub(super) fn read_from(group: &str, kind: &str, path: &str) -> Option<&'static [&'static str]> {
    READ_FROM.iter().find(|(entry, from, _)| is(entry, group, kind) && *from == path).map(|(.., paths)| *paths)
}

/// What selects objects that lack a selectable field.
pub(super) fn when_absent(path: &str) -> &'static str {
    WHEN_ABSENT.iter().find(|(field, _)| *field == path).map(|(_, text)| *text).unwrap_or_default()
}

/// Group and version of the stored object, where they are not the kind's own.
pub(super) fn stored_as(group: &str, version: &str, kind: &str) -> Option<(&'static str, &'static str)> {
    let wanted = format!("{group}/{version}/{kind}");
    STORED_AS.iter().find(|(entry, ..)| *entry == wanted).map(|(_, group, version)| (*group, *version))
}

pub(super) fn is_served(group: &str, kind: &str) -> bool {
    !NOT_SERVED.iter().any(|entry| is(entry, group, kind))
}

/// Where the scale subresource of a built-in kind finds its numbers: all of
/// them keep them in the same place.
pub(super) fn scale_paths() -> ScalePaths {
    ScalePaths {
        spec_replicas: ".spec.replicas".into(),
        status_replicas: ".status.replicas".into(),
        label_selector: Some(".spec.selector".into()),
    }
}

fn is(entry: &str, group: &str, kind: &str) -> bool {
    entry.split_once('/') == Some((group, kind))
}
