//! Rows of what decides who may do what: RBAC, certificates, admission, flow control.

use serde_json::{Value, json};

use super::row::{Row, text as text_at};
use super::workloads::seconds;
use super::{ColumnEntry, Entry, integer, text, wide};

pub(super) const KINDS: &[Entry] = &[
    created_at("rbac.authorization.k8s.io", "Role"),
    created_at("rbac.authorization.k8s.io", "ClusterRole"),
    Entry { group: "rbac.authorization.k8s.io", kind: "RoleBinding", columns: BINDING, cells: binding },
    Entry { group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding", columns: BINDING, cells: binding },
    Entry {
        group: "certificates.k8s.io",
        kind: "CertificateSigningRequest",
        columns: &[
            text("Name"),
            text("Age"),
            text("SignerName"),
            text("Requestor"),
            text("RequestedDuration"),
            text("Condition"),
        ],
        cells: signing_request,
    },
    Entry {
        group: "certificates.k8s.io",
        kind: "ClusterTrustBundle",
        columns: &[text("Name"), text("SignerName")],
        cells: |row| vec![row.name(), json!(row.text_or("/spec/signerName", "<none>"))],
    },
    webhooks("ValidatingWebhookConfiguration"),
    webhooks("MutatingWebhookConfiguration"),
    Entry {
        group: "admissionregistration.k8s.io",
        kind: "ValidatingAdmissionPolicy",
        columns: &[text("Name"), integer("Validations"), text("ParamKind"), text("Age")],
        cells: |row| vec![row.name(), json!(row.count("/spec/validations")), json!(param_kind(row)), row.age()],
    },
    Entry {
        group: "admissionregistration.k8s.io",
        kind: "MutatingAdmissionPolicy",
        columns: &[text("Name"), integer("Mutations"), text("ParamKind"), text("Age")],
        cells: |row| vec![row.name(), json!(row.count("/spec/mutations")), json!(param_kind(row)), row.age()],
    },
    policy_binding("ValidatingAdmissionPolicyBinding"),
    policy_binding("MutatingAdmissionPolicyBinding"),
    Entry {
        group: "flowcontrol.apiserver.k8s.io",
        kind: "FlowSchema",
        columns: &[
            text("Name"),
            text("PriorityLevel"),
            text("MatchingPrecedence"),
            text("DistinguisherMethod"),
            text("Age"),
            text("MissingPL"),
        ],
        cells: flow_schema,
    },
    Entry {
        group: "flowcontrol.apiserver.k8s.io",
        kind: "PriorityLevelConfiguration",
        columns: &[
            text("Name"),
            text("Type"),
            text("NominalConcurrencyShares"),
            text("Queues"),
            text("HandSize"),
            text("QueueLengthLimit"),
            text("Age"),
        ],
        cells: priority_level,
    },
];

/// Kinds that kube-apiserver prints with its default: name and the time of creation.
pub(super) const fn created_at(group: &'static str, kind: &'static str) -> Entry {
    Entry {
        group,
        kind,
        columns: const { &[text("Name"), ("Created At", "date", false)] },
        cells: |row| vec![row.name(), json!(row.text("/metadata/creationTimestamp"))],
    }
}

const BINDING: &[ColumnEntry] =
    &[text("Name"), text("Role"), text("Age"), wide("Users"), wide("Groups"), wide("ServiceAccounts")];

fn binding(row: &Row<'_>) -> Vec<Value> {
    let subjects = |kind: &str| {
        let of_kind = row.list("/subjects").iter().filter(|subject| text_at(subject, "/kind") == kind);
        let names: Vec<String> = of_kind
            .map(|subject| match kind {
                "ServiceAccount" => format!("{}/{}", text_at(subject, "/namespace"), text_at(subject, "/name")),
                _ => text_at(subject, "/name").to_owned(),
            })
            .collect();
        json!(names.join(", "))
    };
    vec![
        row.name(),
        json!(format!("{}/{}", row.text("/roleRef/kind"), row.text("/roleRef/name"))),
        row.age(),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

fn signing_request(row: &Row<'_>) -> Vec<Value> {
    let has = |kind: &str| row.list("/status/conditions").iter().any(|condition| text_at(condition, "/type") == kind);
    let mut status = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !row.text("/status/certificate").is_empty() {
        status.push_str(",Issued");
    }
    let duration = row.at("/spec/expirationSeconds").and_then(Value::as_i64).map_or("<none>".to_owned(), seconds);
    vec![
        row.name(),
        row.age(),
        json!(row.text_or("/spec/signerName", "<none>")),
        json!(row.text("/spec/username")),
        json!(duration),
        json!(status),
    ]
}

const fn webhooks(kind: &'static str) -> Entry {
    Entry {
        group: "admissionregistration.k8s.io",
        kind,
        columns: const { &[text("Name"), integer("Webhooks"), text("Age")] },
        cells: |row| vec![row.name(), json!(row.count("/webhooks")), row.age()],
    }
}

const fn policy_binding(kind: &'static str) -> Entry {
    Entry {
        group: "admissionregistration.k8s.io",
        kind,
        columns: const { &[text("Name"), text("PolicyName"), text("ParamRef"), text("Age")] },
        cells: |row| {
            let (namespace, name) = (row.text_or("/spec/paramRef/namespace", "*"), row.text("/spec/paramRef/name"));
            let reference = if name.is_empty() { "<unset>".to_owned() } else { format!("{namespace}/{name}") };
            vec![row.name(), json!(row.text("/spec/policyName")), json!(reference), row.age()]
        },
    }
}

fn param_kind(row: &Row<'_>) -> String {
    match row.at("/spec/paramKind") {
        None => "<unset>".to_owned(),
        Some(kind) => format!("{}/{}", text_at(kind, "/apiVersion"), text_at(kind, "/kind")),
    }
}

fn flow_schema(row: &Row<'_>) -> Vec<Value> {
    let conditions = row.list("/status/conditions").iter();
    let dangling = conditions
        .filter(|condition| text_at(condition, "/type") == "Dangling")
        .map(|condition| text_at(condition, "/status"));
    vec![
        row.name(),
        json!(row.text("/spec/priorityLevelConfiguration/name")),
        json!(row.int("/spec/matchingPrecedence")),
        json!(row.text_or("/spec/distinguisherMethod/type", "<none>")),
        row.age(),
        json!(dangling.into_iter().next().unwrap_or("?")),
    ]
}

fn priority_level(row: &Row<'_>) -> Vec<Value> {
    let number = |path: &str| row.at(&format!("/spec/limited/{path}")).cloned().unwrap_or_else(|| json!("<none>"));
    vec![
        row.name(),
        json!(row.text("/spec/type")),
        number("nominalConcurrencyShares"),
        number("limitResponse/queuing/queues"),
        number("limitResponse/queuing/handSize"),
        number("limitResponse/queuing/queueLengthLimit"),
        row.age(),
    ]
}
