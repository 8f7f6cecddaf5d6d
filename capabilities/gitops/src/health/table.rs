//! Kinds whose health is one condition or one phase, as rows of a table. A rule
//! that needs more than a row stands in a file of its own.

use serde_json::Value;

use super::read::{condition, flag, is_behind};
use super::{Health, State};
use crate::resource::text;

/// What conditions or a phase say: the first line that holds decides.
pub struct Row {
    group: &'static str,
    /// No entry for every kind of the group.
    kinds: &'static [&'static str],
    /// Whether `observedGeneration` behind `generation` means that it is on its way.
    generation: bool,
    /// Where a pause is stated; empty for nowhere.
    suspend: &'static str,
    lines: &'static [Line],
    /// What is said while no line holds; `{kind}` stands for the kind.
    waiting: &'static str,
}

enum Line {
    /// A condition with a status.
    Is(&'static str, &'static str, State),
    /// Text at a pointer.
    Text(&'static str, &'static [&'static str], State),
    /// A boolean at a pointer that is true.
    True(&'static str, State),
}

use Line::{Is, Text, True};
use State::{Degraded, Healthy, Progressing, Suspended};

const READY: &[Line] = &[Is("Ready", "True", Healthy), Is("Ready", "False", Degraded)];
const READY_PATIENT: &[Line] = &[Is("Ready", "True", Healthy)];

const fn ready(group: &'static str, kinds: &'static [&'static str]) -> Row {
    Row { group, kinds, generation: false, suspend: "", lines: READY, waiting: "" }
}

const fn lines(group: &'static str, kinds: &'static [&'static str], lines: &'static [Line]) -> Row {
    Row { group, kinds, generation: false, suspend: "", lines, waiting: "" }
}

const ROWS: &[Row] = &[
    Row {
        waiting: "Waiting for certificate",
        ..lines(
            "cert-manager.io",
            &["Certificate"],
            &[Is("Issuing", "True", Progressing), Is("Ready", "False", Degraded), Is("Ready", "True", Healthy)],
        )
    },
    Row { waiting: "Initializing issuer", ..ready("cert-manager.io", &["Issuer"]) },
    Row { waiting: "Initializing ClusterIssuer", ..ready("cert-manager.io", &["ClusterIssuer"]) },
    Row {
        waiting: "Waiting for {kind}",
        ..ready(
            "external-secrets.io",
            &["ExternalSecret", "ClusterExternalSecret", "SecretStore", "ClusterSecretStore", "PushSecret"],
        )
    },
    Row {
        waiting: "Waiting for Sealed Secret to be decrypted",
        ..lines("bitnami.com", &["SealedSecret"], &[Is("Synced", "True", Healthy), Is("Synced", "False", Degraded)])
    },
    Row { generation: true, ..ready("serving.knative.dev", &["Service"]) },
    ready("serving.kserve.io", &["InferenceService"]),
    Row {
        waiting: "Creating HorizontalPodAutoscaler Object",
        ..lines(
            "keda.sh",
            &["ScaledObject"],
            &[
                Is("Ready", "False", Degraded),
                Is("Fallback", "True", Degraded),
                Is("Paused", "True", Suspended),
                Is("Ready", "True", Healthy),
            ],
        )
    },
    Row { suspend: "/spec/paused", ..ready("cluster.x-k8s.io", &["Cluster", "Machine"]) },
    ready("postgresql.cnpg.io", &["Cluster"]),
    Row { generation: true, ..lines("kafka.strimzi.io", &[], READY) },
    lines(
        "elasticsearch.k8s.elastic.co",
        &["Elasticsearch"],
        &[
            Text("/status/health", &["red"], Degraded),
            Text("/status/phase", &["Invalid"], Degraded),
            Text("/status/phase", &["Ready"], Healthy),
        ],
    ),
    lines(
        "kibana.k8s.elastic.co",
        &["Kibana"],
        &[Text("/status/health", &["red"], Degraded), Text("/status/health", &["green"], Healthy)],
    ),
    lines(
        "rabbitmq.com",
        &["RabbitmqCluster"],
        &[Is("ReconcileSuccess", "False", Degraded), Is("AllReplicasReady", "True", Healthy)],
    ),
    lines(
        "monitoring.coreos.com",
        &["Prometheus", "Alertmanager"],
        &[Is("Available", "True", Healthy), Is("Available", "False", Degraded), Is("Available", "Degraded", Degraded)],
    ),
    lines("minio.min.io", &["Tenant"], &[Text("/status/currentState", &["Initialized"], Healthy)]),
    lines(
        "snapshot.storage.k8s.io",
        &["VolumeSnapshot", "VolumeSnapshotContent"],
        &[True("/status/readyToUse", Healthy)],
    ),
    ready("karpenter.sh", &["NodePool"]),
    lines("karpenter.sh", &["NodeClaim"], READY_PATIENT),
];

/// The row of a kind.
pub fn row(group: &str, kind: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.group == group && (row.kinds.is_empty() || row.kinds.contains(&kind)))
}

impl Row {
    /// What the row says of an object.
    pub fn assess(&self, object: &Value) -> Health {
        if !self.suspend.is_empty() && flag(object, self.suspend) {
            return Health::of(Suspended);
        }
        if self.generation && is_behind(object) {
            return Health::new(Progressing, "Waiting for the newest generation to be observed");
        }
        let told = || self.waiting.replace("{kind}", text(object, "/kind"));
        self.lines.iter().find_map(|line| line.holds(object)).unwrap_or_else(|| Health::new(Progressing, told()))
    }
}

impl Line {
    fn holds(&self, object: &Value) -> Option<Health> {
        match self {
            Is(kind, status, state) => condition(object, kind)
                .filter(|found| found.status() == *status)
                .map(|found| Health::new(*state, found.message())),
            Text(pointer, values, state) => {
                values.contains(&text(object, pointer)).then(|| Health::new(*state, text(object, "/status/message")))
            }
            True(pointer, state) => flag(object, pointer).then(|| Health::of(*state)),
        }
    }
}
