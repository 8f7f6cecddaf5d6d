//! Rows of the kinds that run Pods, and of what scales and budgets them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::row::{Row, int, quantity, text as text_at, with_more};
use super::{Entry, boolean, integer, text, wide};
use crate::human;

const TEMPLATE: &str = "/spec/template/spec/containers";

pub(super) const KINDS: &[Entry] = &[
    Entry {
        group: "apps",
        kind: "Deployment",
        columns: &[
            text("Name"),
            text("Ready"),
            text("Up-to-date"),
            text("Available"),
            text("Age"),
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
        cells: deployment,
    },
    Entry {
        group: "apps",
        kind: "ReplicaSet",
        columns: REPLICAS,
        cells: |row| replicas(row, row.selector("/spec/selector")),
    },
    Entry {
        group: "",
        kind: "ReplicationController",
        columns: REPLICAS,
        cells: |row| replicas(row, row.labels("/spec/selector")),
    },
    Entry {
        group: "apps",
        kind: "StatefulSet",
        columns: &[text("Name"), text("Ready"), text("Age"), wide("Containers"), wide("Images")],
        cells: |row| {
            let ready = format!("{}/{}", row.int("/status/readyReplicas"), row.int("/spec/replicas"));
            let [names, images] = row.containers(TEMPLATE);
            vec![row.name(), json!(ready), row.age(), names, images]
        },
    },
    Entry {
        group: "apps",
        kind: "DaemonSet",
        columns: &[
            text("Name"),
            integer("Desired"),
            integer("Current"),
            integer("Ready"),
            integer("Up-to-date"),
            integer("Available"),
            text("Node Selector"),
            text("Age"),
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
        cells: daemon_set,
    },
    Entry {
        group: "batch",
        kind: "Job",
        columns: &[
            text("Name"),
            text("Status"),
            text("Completions"),
            text("Duration"),
            text("Age"),
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
        cells: job,
    },
    Entry {
        group: "batch",
        kind: "CronJob",
        columns: &[
            text("Name"),
            text("Schedule"),
            text("Timezone"),
            boolean("Suspend"),
            integer("Active"),
            text("Last Schedule"),
            text("Age"),
            wide("Containers"),
            wide("Images"),
            wide("Selector"),
        ],
        cells: cron_job,
    },
    Entry {
        group: "apps",
        kind: "ControllerRevision",
        columns: &[text("Name"), text("Controller"), text("Revision"), text("Age")],
        cells: controller_revision,
    },
    Entry {
        group: "",
        kind: "PodTemplate",
        columns: &[text("Name"), text("Containers"), text("Images"), text("Pod Labels")],
        cells: |row| {
            let [names, images] = row.containers("/template/spec/containers");
            vec![row.name(), names, images, row.labels("/template/metadata/labels")]
        },
    },
    Entry {
        group: "policy",
        kind: "PodDisruptionBudget",
        columns: &[
            text("Name"),
            text("Min Available"),
            text("Max Unavailable"),
            integer("Allowed Disruptions"),
            text("Age"),
        ],
        cells: |row| {
            let bound = |pointer| row.at(pointer).map_or_else(|| "N/A".to_owned(), crate::jsonpath::text);
            vec![
                row.name(),
                json!(bound("/spec/minAvailable")),
                json!(bound("/spec/maxUnavailable")),
                json!(row.int("/status/disruptionsAllowed")),
                row.age(),
            ]
        },
    },
    Entry {
        group: "autoscaling",
        kind: "HorizontalPodAutoscaler",
        columns: &[
            text("Name"),
            text("Reference"),
            text("Targets"),
            text("MinPods"),
            text("MaxPods"),
            text("Replicas"),
            text("Age"),
        ],
        cells: autoscaler,
    },
    Entry {
        group: "autoscaling",
        kind: "Scale",
        columns: &[text("Name"), integer("Desired"), integer("Available"), text("Age")],
        cells: |row| vec![row.name(), json!(row.int("/spec/replicas")), json!(row.int("/status/replicas")), row.age()],
    },
];

const REPLICAS: &[super::ColumnEntry] = &[
    text("Name"),
    integer("Desired"),
    integer("Current"),
    integer("Ready"),
    text("Age"),
    wide("Containers"),
    wide("Images"),
    wide("Selector"),
];

fn deployment(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = row.containers(TEMPLATE);
    vec![
        row.name(),
        json!(format!("{}/{}", row.int("/status/readyReplicas"), row.int("/spec/replicas"))),
        json!(row.int("/status/updatedReplicas")),
        json!(row.int("/status/availableReplicas")),
        row.age(),
        names,
        images,
        row.selector("/spec/selector"),
    ]
}

fn replicas(row: &Row<'_>, selector: Value) -> Vec<Value> {
    let [names, images] = row.containers(TEMPLATE);
    vec![
        row.name(),
        json!(row.int("/spec/replicas")),
        json!(row.int("/status/replicas")),
        json!(row.int("/status/readyReplicas")),
        row.age(),
        names,
        images,
        selector,
    ]
}

fn daemon_set(row: &Row<'_>) -> Vec<Value> {
    let [names, images] = row.containers(TEMPLATE);
    vec![
        row.name(),
        json!(row.int("/status/desiredNumberScheduled")),
        json!(row.int("/status/currentNumberScheduled")),
        json!(row.int("/status/numberReady")),
        json!(row.int("/status/updatedNumberScheduled")),
        json!(row.int("/status/numberAvailable")),
        row.labels("/spec/template/spec/nodeSelector"),
        row.age(),
        names,
        images,
        row.selector("/spec/selector"),
    ]
}

fn job(row: &Row<'_>) -> Vec<Value> {
    let succeeded = row.int("/status/succeeded");
    let completions = match (row.at("/spec/completions"), row.int("/spec/parallelism")) {
        (Some(wanted), _) => format!("{succeeded}/{wanted}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    };
    let start = human::parse_time(row.text("/status/startTime"));
    let end = human::parse_time(row.text("/status/completionTime")).unwrap_or(row.now);
    let duration = start.map(|start| human::duration(end.duration_since(start))).unwrap_or_default();
    let [names, images] = row.containers(TEMPLATE);
    vec![
        row.name(),
        json!(job_status(row)),
        json!(completions),
        json!(duration),
        row.age(),
        names,
        images,
        row.selector("/spec/selector"),
    ]
}

fn job_status(row: &Row<'_>) -> &'static str {
    let is = |condition| row.condition(condition) == Some(true);
    if is("Complete") {
        return "Complete";
    }
    if is("Failed") {
        return "Failed";
    }
    if row.is_deleting() {
        return "Terminating";
    }
    ["Suspended", "FailureTarget", "SuccessCriteriaMet"]
        .into_iter()
        .find(|condition| is(condition))
        .unwrap_or("Running")
}

fn cron_job(row: &Row<'_>) -> Vec<Value> {
    let template = "/spec/jobTemplate/spec/template/spec/containers";
    let [names, images] = row.containers(template);
    let suspend = match row.at("/spec/suspend").and_then(Value::as_bool) {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = row.at("/status/lastScheduleTime").and_then(Value::as_str);
    vec![
        row.name(),
        json!(row.text("/spec/schedule")),
        json!(row.at("/spec/timeZone").and_then(Value::as_str).unwrap_or("<none>")),
        json!(suspend),
        json!(row.count("/status/active")),
        json!(last.map_or_else(|| "<none>".to_owned(), |last| row.since(last))),
        row.age(),
        names,
        images,
        row.selector("/spec/jobTemplate/spec/selector"),
    ]
}

fn controller_revision(row: &Row<'_>) -> Vec<Value> {
    let owners = row.list("/metadata/ownerReferences").iter();
    let mut owners = owners.filter(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    let controller = owners.next().map_or_else(
        || "<none>".to_owned(),
        |owner| {
            let (group, _) = api::name::split_api_version(text_at(owner, "/apiVersion"));
            let kind = text_at(owner, "/kind").to_lowercase();
            let name = text_at(owner, "/name");
            if group.is_empty() { format!("{kind}/{name}") } else { format!("{kind}.{group}/{name}") }
        },
    );
    vec![row.name(), json!(controller), json!(row.int("/revision")), row.age()]
}

fn autoscaler(row: &Row<'_>) -> Vec<Value> {
    let statuses = row.list("/status/currentMetrics");
    let specs = row.list("/spec/metrics");
    let targets: Vec<String> = specs
        .iter()
        .enumerate()
        .map(|(index, spec)| metric(spec, statuses.get(index).unwrap_or(&Value::Null)))
        .collect();
    let targets = if targets.is_empty() { "<none>".to_owned() } else { with_more(&targets, 2, ", ") };
    let minimum = row.at("/spec/minReplicas").map_or_else(|| "<unset>".to_owned(), Value::to_string);
    vec![
        row.name(),
        json!(format!("{}/{}", row.text("/spec/scaleTargetRef/kind"), row.text("/spec/scaleTargetRef/name"))),
        json!(targets),
        json!(minimum),
        json!(row.int("/spec/maxReplicas")),
        json!(row.int("/status/currentReplicas")),
        row.age(),
    ]
}

/// `current/target` of one metric.
fn metric(spec: &Value, status: &Value) -> String {
    let (field, is_resource) = match text_at(spec, "/type") {
        "External" => ("external", false),
        "Pods" => ("pods", false),
        "Object" => ("object", false),
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        _ => return "<unknown type>".to_owned(),
    };
    let target = |name: &str| format!("/{field}/target/{name}");
    let current = |name: &str| format!("/{field}/current/{name}");
    let has = |value: &Value, pointer: &str| value.pointer(pointer).is_some_and(|value| !value.is_null());
    let shown = |name: &str| {
        if has(status, &current(name)) { quantity(status, &current(name)) } else { "<unknown>".to_owned() }
    };
    let by_average = has(spec, &target("averageValue"));
    if is_resource {
        let name = text_at(spec, &format!("/{field}/name"));
        if by_average {
            return format!("{name}: {}/{}", shown("averageValue"), quantity(spec, &target("averageValue")));
        }
        let percent = |value: &Value, pointer: String, default: &str| {
            if has(value, &pointer) { format!("{}%", int(value, &pointer)) } else { default.to_owned() }
        };
        let now = percent(status, current("averageUtilization"), "<unknown>");
        return format!("{name}: {now}/{}", percent(spec, target("averageUtilization"), "<auto>"));
    }
    if by_average {
        let suffix = if field == "pods" { "" } else { " (avg)" };
        return format!("{}/{}{suffix}", shown("averageValue"), quantity(spec, &target("averageValue")));
    }
    format!("{}/{}", shown("value"), quantity(spec, &target("value")))
}

/// How long a request of so many seconds is, for kinds elsewhere.
pub(super) fn seconds(count: i64) -> String {
    human::duration(SignedDuration::from_secs(count))
}
