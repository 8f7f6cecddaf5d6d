//! The statuses that a simulated node reports of a pod, in the shape a kubelet
//! gives them. They are strategic merge patches: conditions of others stay. Pure.

use api::ObjectMeta;
use base::digest;
use serde_json::{Value, json};

use super::decide::Act;
use super::marks::Wishes;
use super::pod::{Container, Pod, RestartPolicy};

/// What a status is made of.
pub(super) struct Scene<'a> {
    pub(super) meta: &'a ObjectMeta,
    pub(super) pod: &'a Pod,
    pub(super) wishes: &'a Wishes,
    pub(super) pod_ip: &'a str,
    pub(super) node_ip: &'a str,
    /// RFC 3339.
    pub(super) now: &'a str,
}

impl Scene<'_> {
    /// The status after an act; `None` for a removal, which leaves none.
    pub(super) fn after(&self, act: &Act) -> Option<Value> {
        Some(match act {
            Act::Start { ready } => self.started(*ready),
            Act::FailPull => self.pull_failed(),
            Act::End { exit_code } => self.ended(*exit_code, "", "", ""),
            Act::Fail => {
                let failing = self.wishes.failing.as_ref()?;
                self.ended(failing.exit_code, &failing.reason, &failing.message, &failing.container)
            }
            Act::Crash { exit_code, backoff } => self.crashed(*exit_code, backoff.as_secs()),
            Act::Restart { exit_code, ready } => self.restarted(*exit_code, *ready),
            Act::Remove => return None,
        })
    }

    fn started(&self, ready: bool) -> Value {
        let mut status = self.addresses();
        let mut conditions = self.conditions(ready, "ContainersNotReady", &self.unready());
        conditions.push(self.condition("PodReadyToStartContainers", true, "", ""));
        conditions.push(self.condition("Initialized", true, "", ""));
        if self.pod.bound_at().is_none() {
            conditions.push(self.condition("PodScheduled", true, "", ""));
        }
        for gate in &self.pod.spec.readiness_gates {
            conditions.push(self.condition(&gate.condition_type, true, "", ""));
        }
        status["phase"] = "Running".into();
        status["conditions"] = conditions.into();
        status["containerStatuses"] = self.containers(|container| self.runs(container, ready, 0, &json!({})));
        if !self.pod.spec.init_containers.is_empty() {
            status["initContainerStatuses"] = self.init_containers();
        }
        status
    }

    fn pull_failed(&self) -> Value {
        let mut status = json!({ "phase": "Pending", "startTime": self.now, "hostIP": self.node_ip });
        let mut conditions = self.conditions(false, "ContainersNotReady", &self.unready());
        conditions.push(self.condition("PodReadyToStartContainers", true, "", ""));
        conditions.push(self.condition("Initialized", true, "", ""));
        status["conditions"] = conditions.into();
        status["hostIPs"] = json!([{ "ip": self.node_ip }]);
        status["containerStatuses"] = self.containers(|container| {
            let message = format!("Back-off pulling image \"{}\"", container.image);
            json!({
                "name": container.name, "image": container.image, "imageID": "", "ready": false, "started": false,
                "restartCount": 0, "lastState": {},
                "state": { "waiting": { "reason": "ImagePullBackOff", "message": message } },
            })
        });
        status
    }

    /// The end for good. A container of another name than `only` (if that is not empty) runs on.
    fn ended(&self, exit_code: i32, reason: &str, message: &str, only: &str) -> Value {
        let (phase, why) = if exit_code == 0 { ("Succeeded", "PodCompleted") } else { ("Failed", "PodFailed") };
        let mut conditions = self.conditions(false, why, "");
        conditions.push(self.condition("PodReadyToStartContainers", false, "", ""));
        let restarts = self.pod.restarts();
        let containers = self.containers(|container| {
            if !only.is_empty() && container.name != only {
                return self.runs(container, true, restarts, &json!({}));
            }
            let mut ended = self.terminated(container, exit_code, restarts);
            if !reason.is_empty() {
                ended["terminated"]["reason"] = reason.into();
                ended["terminated"]["message"] = message.into();
            }
            self.container(container, false, restarts, &ended, &json!({}))
        });
        json!({ "phase": phase, "conditions": conditions, "containerStatuses": containers })
    }

    fn crashed(&self, exit_code: i32, backoff_secs: u64) -> Value {
        let restarts = self.pod.restarts();
        let ObjectMeta { name, namespace, uid, .. } = self.meta;
        let containers = self.containers(|container| {
            let pod = format!("{name}_{namespace}({uid})");
            let message = format!(
                "back-off {} restarting failed container={} pod={pod}",
                go_duration(backoff_secs),
                container.name
            );
            let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": message } });
            self.container(container, false, restarts, &waiting, &self.terminated(container, exit_code, restarts))
        });
        let conditions = self.conditions(false, "ContainersNotReady", &self.unready());
        json!({ "conditions": conditions, "containerStatuses": containers })
    }

    fn restarted(&self, exit_code: Option<i32>, ready: bool) -> Value {
        let restarts = self.pod.restarts();
        let held = self.pod.status.container_statuses.first();
        let ended_at = held.and_then(|held| held.last_state.terminated.as_ref()).and_then(|ended| ended.finished_at);
        let containers = self.containers(|container| {
            let mut last = self.terminated(container, exit_code.or(self.exit_code()).unwrap_or(0), restarts);
            if let (None, Some(time)) = (exit_code, ended_at) {
                last["terminated"]["finishedAt"] = time.to_string().into();
                last["terminated"]["startedAt"] = time.to_string().into();
            }
            self.runs(container, ready, restarts + 1, &last)
        });
        let conditions = self.conditions(ready, "ContainersNotReady", &self.unready());
        json!({ "conditions": conditions, "containerStatuses": containers })
    }

    fn exit_code(&self) -> Option<i32> {
        self.wishes.end.map(|end| end.exit_code)
    }

    fn addresses(&self) -> Value {
        json!({
            "startTime": self.now, "observedGeneration": self.meta.generation,
            "hostIP": self.node_ip, "hostIPs": [{ "ip": self.node_ip }],
            "podIP": self.pod_ip, "podIPs": [{ "ip": self.pod_ip }],
        })
    }

    /// `Ready` and `ContainersReady`, which go together here.
    fn conditions(&self, ready: bool, reason: &str, message: &str) -> Vec<Value> {
        let (reason, message) = if ready { ("", "") } else { (reason, message) };
        ["Ready", "ContainersReady"].iter().map(|kind| self.condition(kind, ready, reason, message)).collect()
    }

    fn condition(&self, kind: &str, holds: bool, reason: &str, message: &str) -> Value {
        let status = if holds { "True" } else { "False" };
        let mut condition = json!({
            "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": self.now,
        });
        // A patch with null takes an earlier word away.
        condition["reason"] = if reason.is_empty() { Value::Null } else { reason.into() };
        condition["message"] = if message.is_empty() { Value::Null } else { message.into() };
        condition
    }

    fn unready(&self) -> String {
        let names: Vec<&str> = self.pod.spec.containers.iter().map(|container| container.name.as_str()).collect();
        format!("containers with unready status: [{}]", names.join(" "))
    }

    fn containers(&self, status: impl Fn(&Container) -> Value) -> Value {
        self.pod.spec.containers.iter().map(status).collect()
    }

    fn init_containers(&self) -> Value {
        let status = |container: &Container| {
            if container.restart_policy == Some(RestartPolicy::Always) {
                return self.runs(container, true, 0, &json!({}));
            }
            let mut ended = self.container(container, true, 0, &self.terminated(container, 0, 0), &json!({}));
            ended["started"] = false.into();
            ended
        };
        self.pod.spec.init_containers.iter().map(status).collect()
    }

    fn runs(&self, container: &Container, ready: bool, restarts: u32, last: &Value) -> Value {
        let state = json!({ "running": { "startedAt": self.now } });
        let mut status = self.container(container, ready, restarts, &state, last);
        status["started"] = true.into();
        status
    }

    fn container(&self, of: &Container, ready: bool, restarts: u32, state: &Value, last: &Value) -> Value {
        json!({
            "name": of.name, "image": of.image, "imageID": image_id(&of.image),
            "containerID": self.container_id(of, restarts),
            "ready": ready, "started": false, "restartCount": restarts, "state": state, "lastState": last,
        })
    }

    fn terminated(&self, of: &Container, exit_code: i32, restarts: u32) -> Value {
        let reason = if exit_code == 0 { "Completed" } else { "Error" };
        let held = self.pod.status.container_statuses.first();
        let running = held.and_then(|held| held.state.running.as_ref());
        let started = running.and_then(|running| running.started_at).map(|time| time.to_string());
        json!({ "terminated": {
            "containerID": self.container_id(of, restarts), "exitCode": exit_code, "reason": reason,
            "startedAt": started.as_deref().unwrap_or(self.now), "finishedAt": self.now,
        } })
    }

    fn container_id(&self, of: &Container, restarts: u32) -> String {
        let identity = format!("{}/{}/{restarts}", self.meta.uid, of.name);
        format!("simulated://{}", digest::sha256_hex(identity.as_bytes()))
    }
}

fn image_id(image: &str) -> String {
    let repository = image.split('@').next().unwrap_or(image);
    format!("{repository}@sha256:{}", digest::sha256_hex(image.as_bytes()))
}

/// Seconds as Go prints a duration.
fn go_duration(secs: u64) -> String {
    match (secs / 60, secs % 60) {
        (0, secs) => format!("{secs}s"),
        (minutes, secs) => format!("{minutes}m{secs}s"),
    }
}
