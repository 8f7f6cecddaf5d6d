//! Rows of the cluster's own furniture: namespaces, nodes, events, quotas, registrations.

use serde_json::{Value, json};

use super::access::created_at;
use super::row::{Row, none_if_empty, quantity, text as text_at};
use super::{ColumnEntry, Entry, boolean, integer, text, wide};

pub(super) const KINDS: &[Entry] = &[
    created_at("apiextensions.k8s.io", "CustomResourceDefinition"),
    created_at("", "LimitRange"),
    Entry {
        group: "",
        kind: "Namespace",
        columns: &[text("Name"), text("Status"), text("Age")],
        cells: |row| vec![row.name(), json!(row.text("/status/phase")), row.age()],
    },
    Entry {
        group: "",
        kind: "ServiceAccount",
        columns: &[text("Name"), text("Age")],
        cells: |row| vec![row.name(), row.age()],
    },
    Entry {
        group: "",
        kind: "Node",
        columns: &[
            text("Name"),
            text("Status"),
            text("Roles"),
            text("Age"),
            text("Version"),
            wide("Internal-IP"),
            wide("External-IP"),
            wide("OS-Image"),
            wide("Kernel-Version"),
            wide("Container-Runtime"),
        ],
        cells: node,
    },
    Entry { group: "", kind: "Event", columns: EVENT, cells: |row| event_cells(row, &CORE_EVENT) },
    Entry { group: "events.k8s.io", kind: "Event", columns: EVENT, cells: |row| event_cells(row, &NEW_EVENT) },
    Entry {
        group: "",
        kind: "ComponentStatus",
        columns: &[text("Name"), text("Status"), text("Message"), text("Error")],
        cells: component_status,
    },
    Entry {
        group: "",
        kind: "ResourceQuota",
        columns: &[text("Name"), text("Request"), text("Limit"), text("Age")],
        cells: quota,
    },
    Entry {
        group: "coordination.k8s.io",
        kind: "Lease",
        columns: &[text("Name"), text("Holder"), text("Age")],
        cells: |row| vec![row.name(), json!(row.text("/spec/holderIdentity")), row.age()],
    },
    Entry {
        group: "scheduling.k8s.io",
        kind: "PriorityClass",
        columns: &[text("Name"), integer("Value"), boolean("Global-Default"), text("Age"), text("PreemptionPolicy")],
        cells: |row| {
            vec![
                row.name(),
                json!(row.int("/value")),
                json!(row.flag("/globalDefault")),
                row.age(),
                json!(row.text("/preemptionPolicy")),
            ]
        },
    },
    Entry {
        group: "node.k8s.io",
        kind: "RuntimeClass",
        columns: &[text("Name"), text("Handler"), text("Age")],
        cells: |row| vec![row.name(), json!(row.text("/handler")), row.age()],
    },
    Entry {
        group: "apiregistration.k8s.io",
        kind: "APIService",
        columns: &[text("Name"), text("Service"), text("Available"), text("Age")],
        cells: api_service,
    },
];

fn node(row: &Row<'_>) -> Vec<Value> {
    let ready = match row.condition("Ready") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    };
    let cordon = if row.flag("/spec/unschedulable") { ",SchedulingDisabled" } else { "" };
    let info = |field: &str| row.text_or(&format!("/status/nodeInfo/{field}"), "<unknown>");
    let architecture = row.text("/status/nodeInfo/architecture");
    let suffix = if architecture.is_empty() { String::new() } else { format!(" ({architecture})") };
    let address = |kind: &str| {
        let mut found = row.list("/status/addresses").iter().filter(|address| text_at(address, "/type") == kind);
        json!(found.next().map_or("<none>", |address| text_at(address, "/address")))
    };
    vec![
        row.name(),
        json!(format!("{ready}{cordon}")),
        json!(none_if_empty(&node_roles(row).join(","))),
        row.age(),
        json!(row.text("/status/nodeInfo/kubeletVersion")),
        address("InternalIP"),
        address("ExternalIP"),
        json!(info("osImage")),
        json!(format!("{}{suffix}", info("kernelVersion"))),
        json!(info("containerRuntimeVersion")),
    ]
}

fn node_roles(row: &Row<'_>) -> Vec<String> {
    let labels = row.at("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    let mut roles: Vec<String> = labels
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .map(str::to_owned)
        .collect();
    roles.sort();
    roles.dedup();
    roles
}

const EVENT: &[ColumnEntry] = &[
    text("Last Seen"),
    text("Type"),
    text("Reason"),
    text("Object"),
    wide("Subobject"),
    wide("Source"),
    text("Message"),
    wide("First Seen"),
    wide("Count"),
    wide("Name"),
];

/// Where the parts of an event stand: both groups serve the same events under other names.
struct EventFields {
    object: &'static str,
    message: &'static str,
    first: &'static str,
    last: &'static str,
    count: &'static str,
    source: &'static str,
    controller: &'static str,
}

const CORE_EVENT: EventFields = EventFields {
    object: "/involvedObject",
    message: "/message",
    first: "/firstTimestamp",
    last: "/lastTimestamp",
    count: "/count",
    source: "/source",
    controller: "/reportingComponent",
};

const NEW_EVENT: EventFields = EventFields {
    object: "/regarding",
    message: "/note",
    first: "/deprecatedFirstTimestamp",
    last: "/deprecatedLastTimestamp",
    count: "/deprecatedCount",
    source: "/deprecatedSource",
    controller: "/reportingController",
};

fn event_cells(row: &Row<'_>, fields: &EventFields) -> Vec<Value> {
    let first = row.since(row.text_or(fields.first, row.text("/eventTime")));
    let last =
        Some(row.text(fields.last)).filter(|time| !time.is_empty()).map_or(first.clone(), |time| row.since(time));
    let (last, count) = match row.at("/series") {
        Some(series) => (row.since(text_at(series, "/lastObservedTime")), row.int("/series/count")),
        None => (last, row.int(fields.count).max(1)),
    };
    let part = |name: &str| row.text(&format!("{}/{name}", fields.object));
    let kind = part("kind").to_lowercase();
    let target = if part("name").is_empty() { kind } else { format!("{kind}/{}", part("name")) };
    let component = row.text_or(&format!("{}/component", fields.source), row.text(fields.controller));
    let instance = row.text_or(&format!("{}/host", fields.source), row.text("/reportingInstance"));
    let source = if instance.is_empty() { component.to_owned() } else { format!("{component}, {instance}") };
    vec![
        json!(last),
        json!(row.text("/type")),
        json!(row.text("/reason")),
        json!(target),
        json!(part("fieldPath")),
        json!(source),
        json!(row.text(fields.message).trim()),
        json!(first),
        json!(count),
        row.name(),
    ]
}

fn component_status(row: &Row<'_>) -> Vec<Value> {
    let mut conditions = row.list("/conditions").iter();
    let healthy = conditions.find(|condition| text_at(condition, "/type") == "Healthy");
    let part = |name: &str| json!(healthy.map_or("", |condition| text_at(condition, name)));
    let status = match healthy.map(|condition| text_at(condition, "/status")) {
        None => "Unknown",
        Some("True") => "Healthy",
        Some(_) => "Unhealthy",
    };
    vec![row.name(), json!(status), part("/message"), part("/error")]
}

fn quota(row: &Row<'_>) -> Vec<Value> {
    let mut names: Vec<&String> =
        row.at("/status/hard").and_then(Value::as_object).into_iter().flat_map(|hard| hard.keys()).collect();
    names.sort();
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for name in names {
        let pointer = name.replace('~', "~0").replace('/', "~1");
        let used = quantity(row.object, &format!("/status/used/{pointer}"));
        let hard = quantity(row.object, &format!("/status/hard/{pointer}"));
        let column = if name.starts_with("limits.") { &mut limits } else { &mut requests };
        column.push(format!("{name}: {used}/{hard}"));
    }
    vec![row.name(), json!(requests.join(", ")), json!(limits.join(", ")), row.age()]
}

fn api_service(row: &Row<'_>) -> Vec<Value> {
    let service = match row.at("/spec/service") {
        None => "Local".to_owned(),
        Some(service) => format!("{}/{}", text_at(service, "/namespace"), text_at(service, "/name")),
    };
    let mut conditions = row.list("/status/conditions").iter();
    let available = conditions.find(|condition| text_at(condition, "/type") == "Available").map_or_else(
        || "Unknown".to_owned(),
        |condition| match (text_at(condition, "/status"), text_at(condition, "/reason")) {
            (status @ "True", _) | (status, "") => status.to_owned(),
            (status, reason) => format!("{status} ({reason})"),
        },
    );
    vec![row.name(), json!(service), json!(available), row.age()]
}
