//! The row of a Pod: what kubectl calls its status is computed from phases,
//! container states and conditions exactly as kube-apiserver does it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::row::{Row, int, list, none_if_empty, text as text_at};
use super::{Entry, text, wide};
use crate::human;

pub(super) const KINDS: &[Entry] = &[Entry {
    group: "",
    kind: "Pod",
    columns: &[
        text("Name"),
        text("Ready"),
        text("Status"),
        text("Restarts"),
        text("Age"),
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ],
    cells,
}];

fn cells(row: &Row<'_>) -> Vec<Value> {
    let summary = Summary::of(row);
    let restarts = match summary.last_restart {
        Some(last) if summary.restarts > 0 => {
            format!("{} ({} ago)", summary.restarts, human::duration(row.now.duration_since(last)))
        }
        _ => summary.restarts.to_string(),
    };
    vec![
        row.name(),
        json!(format!("{}/{}", summary.ready, summary.total)),
        json!(summary.status),
        json!(restarts),
        row.age(),
        json!(none_if_empty(row.list("/status/podIPs").first().map_or("", |ip| text_at(ip, "/ip")))),
        json!(row.text_or("/spec/nodeName", "<none>")),
        json!(row.text_or("/status/nominatedNodeName", "<none>")),
        json!(readiness_gates(row)),
    ]
}

struct Summary {
    ready: usize,
    total: usize,
    restarts: i64,
    last_restart: Option<Timestamp>,
    status: String,
}

impl Summary {
    fn of(row: &Row<'_>) -> Self {
        let sidecars: Vec<&str> = row
            .list("/spec/initContainers")
            .iter()
            .filter(|container| text_at(container, "/restartPolicy") == "Always")
            .map(|container| text_at(container, "/name"))
            .collect();
        let mut summary = Summary {
            ready: 0,
            total: row.list("/spec/containers").len() + sidecars.len(),
            restarts: 0,
            last_restart: None,
            status: base_status(row),
        };
        let initializing = summary.add_init_containers(row, &sidecars);
        if !initializing || row.condition("Initialized") == Some(true) {
            summary.add_containers(row, &sidecars);
        }
        let phase = row.text("/status/phase");
        if row.is_deleting() && row.text("/status/reason") == "NodeLost" {
            summary.status = "Unknown".to_owned();
        } else if row.is_deleting() && !matches!(phase, "Succeeded" | "Failed") {
            summary.status = "Terminating".to_owned();
        }
        summary
    }

    fn add_restarts(&mut self, container: &Value) {
        self.restarts += int(container, "/restartCount");
        let finished = human::parse_time(text_at(container, "/lastState/terminated/finishedAt"));
        self.last_restart = self.last_restart.max(finished);
    }

    /// Whether an init container is still at work, or has failed.
    fn add_init_containers(&mut self, row: &Row<'_>, sidecars: &[&str]) -> bool {
        for (index, container) in row.list("/status/initContainerStatuses").iter().enumerate() {
            self.add_restarts(container);
            let terminated = container.pointer("/state/terminated").filter(|state| !state.is_null());
            if terminated.is_some_and(|state| int(state, "/exitCode") == 0) {
                continue;
            }
            let is_sidecar = sidecars.contains(&text_at(container, "/name"));
            if is_sidecar && container.get("started") == Some(&Value::Bool(true)) {
                self.ready += usize::from(container.get("ready") == Some(&Value::Bool(true)));
                continue;
            }
            let waiting = text_at(container, "/state/waiting/reason");
            self.status = match terminated {
                Some(state) => format!("Init:{}", termination(state)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{index}/{}", row.list("/spec/initContainers").len()),
            };
            return true;
        }
        false
    }

    fn add_containers(&mut self, row: &Row<'_>, sidecars: &[&str]) {
        // From here on the restarts of ordinary init containers no longer count.
        (self.restarts, self.last_restart) = (0, None);
        let init = row.list("/status/initContainerStatuses").iter();
        init.filter(|container| sidecars.contains(&text_at(container, "/name")))
            .for_each(|container| self.add_restarts(container));
        let (mut has_running, mut error) = (false, None);
        for container in row.list("/status/containerStatuses").iter().rev() {
            self.add_restarts(container);
            let waiting = text_at(container, "/state/waiting/reason");
            let state = |name: &str| container.pointer(name).filter(|state| !state.is_null());
            if !waiting.is_empty() {
                self.status = waiting.to_owned();
            } else if let Some(terminated) = state("/state/terminated") {
                self.status = termination(terminated);
                if int(terminated, "/exitCode") != 0 {
                    error = Some(self.status.clone());
                }
            } else if container.get("ready") == Some(&Value::Bool(true)) && state("/state/running").is_some() {
                has_running = true;
                self.ready += 1;
            }
        }
        if self.status != "Completed" {
            return;
        }
        // One container has ended, but the Pod has not while another runs.
        if has_running && has_ready_condition(row) {
            self.status = "Running".to_owned();
        } else if let Some(error) = error {
            self.status = error;
        } else if has_running {
            self.status = "NotReady".to_owned();
        }
    }
}

fn base_status(row: &Row<'_>) -> String {
    let gated = list(row.object, "/status/conditions").iter().any(|condition| {
        text_at(condition, "/type") == "PodScheduled" && text_at(condition, "/reason") == "SchedulingGated"
    });
    if gated { "SchedulingGated" } else { row.text_or("/status/reason", row.text("/status/phase")) }.to_owned()
}

fn termination(state: &Value) -> String {
    let (reason, signal) = (text_at(state, "/reason"), int(state, "/signal"));
    match (reason, signal) {
        ("", 0) => format!("ExitCode:{}", int(state, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn has_ready_condition(row: &Row<'_>) -> bool {
    row.condition("Ready") == Some(true)
}

fn readiness_gates(row: &Row<'_>) -> String {
    let gates = row.list("/spec/readinessGates");
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates.iter().filter(|gate| row.condition(text_at(gate, "/conditionType")) == Some(true)).count();
    format!("{open}/{}", gates.len())
}
