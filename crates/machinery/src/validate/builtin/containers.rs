//! What containers must state: names, images, ports, environment, mounts, probes. The
//! volumes that they mount are given; their resources are judged elsewhere.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::findings::Findings;
use super::places::{at, number, object_at, objects, port_name_problems, port_or_name, port_problem, text};
use super::{Object, resources};
use crate::validate::dns_label;

/// Checks the containers of a pod's spec.
pub(super) fn check(spec: &Object, field: &str, volumes: &BTreeSet<&str>, found: &mut Findings) {
    let on_host = at(spec, "hostNetwork") == Some(&json!(true));
    let mut names = BTreeSet::new();
    let mut host_ports = BTreeSet::new();
    if objects(spec, "containers").next().is_none() {
        found.required(&format!("{field}.containers"), "");
    }
    for list in ["containers", "initContainers"] {
        for (index, container) in objects(spec, list) {
            let place = Place { field: format!("{field}.{list}[{index}]"), volumes, on_host };
            place.container(container, found);
            let name = text(container, "name");
            if !name.is_empty() && !names.insert(name) {
                found.duplicate(&place.sub("name"), &json!(name));
            }
            if list == "containers" {
                place.host_ports(container, &mut host_ports, found);
            } else {
                place.starting(container, found);
            }
        }
    }
}

struct Place<'a> {
    field: String,
    volumes: &'a BTreeSet<&'a str>,
    on_host: bool,
}

impl Place<'_> {
    fn sub(&self, name: &str) -> String {
        format!("{}.{name}", self.field)
    }

    fn container(&self, container: &Object, found: &mut Findings) {
        match text(container, "name") {
            "" => found.required(&self.sub("name"), ""),
            name => found.invalid_text(&self.sub("name"), name, &dns_label(name)),
        }
        let image = text(container, "image");
        if image.is_empty() {
            found.required(&self.sub("image"), "");
        } else if image.trim() != image {
            found.invalid(&self.sub("image"), &json!(image), "must not have leading or trailing whitespace");
        }
        let policies = ["Always", "IfNotPresent", "Never"];
        found.one_of(&self.sub("imagePullPolicy"), at(container, "imagePullPolicy"), &policies);
        let sources = ["File", "FallbackToLogsOnError"];
        found.one_of(&self.sub("terminationMessagePolicy"), at(container, "terminationMessagePolicy"), &sources);
        self.ports(container, found);
        self.environment(container, found);
        self.mounts(container, found);
        for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if let Some(probe) = object_at(container, name) {
                self.probe(probe, name, found);
            }
        }
        if let Some(amounts) = object_at(container, "resources") {
            resources::check(amounts, &self.sub("resources"), found);
        }
    }

    fn ports(&self, container: &Object, found: &mut Findings) {
        let mut names = BTreeSet::new();
        for (index, port) in objects(container, "ports") {
            let sub = |name: &str| self.sub(&format!("ports[{index}].{name}"));
            let name = text(port, "name");
            if !name.is_empty() {
                let problems = port_name_problems(name);
                found.invalid_text(&sub("name"), name, &problems);
                if problems.is_empty() && !names.insert(name) {
                    found.duplicate(&sub("name"), &json!(name));
                }
            }
            let inner = number(port, "containerPort");
            match port_problem(inner) {
                Some(_) if inner == 0 => found.required(&sub("containerPort"), ""),
                Some(why) => found.invalid(&sub("containerPort"), &json!(inner), why),
                None => {}
            }
            let outer = number(port, "hostPort");
            if outer != 0
                && let Some(why) = port_problem(outer)
            {
                found.invalid(&sub("hostPort"), &json!(outer), why);
            }
            if self.on_host && outer != inner {
                let why = "must match `containerPort` when `hostNetwork` is true";
                found.invalid(&sub("hostPort"), &json!(outer), why);
            }
            found.one_of(&sub("protocol"), at(port, "protocol"), &["SCTP", "TCP", "UDP"]);
        }
    }

    fn host_ports(&self, container: &Object, taken: &mut BTreeSet<String>, found: &mut Findings) {
        for (index, port) in objects(container, "ports") {
            let number = number(port, "hostPort");
            let key = format!("{}/{}/{number}", text(port, "protocol"), text(port, "hostIP"));
            if number != 0 && !taken.insert(key.clone()) {
                found.duplicate(&self.sub(&format!("ports[{index}].hostPort")), &json!(key));
            }
        }
    }

    fn environment(&self, container: &Object, found: &mut Findings) {
        for (index, variable) in objects(container, "env") {
            let sub = |name: &str| self.sub(&format!("env[{index}].{name}"));
            let name = text(variable, "name");
            let is_word = name.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'=');
            if name.is_empty() {
                found.required(&sub("name"), "");
            } else if !is_word {
                let why = "a valid environment variable name must consist only of printable ASCII characters other \
                    than '='";
                found.invalid(&sub("name"), &json!(name), why);
            }
            if let Some(source) = object_at(variable, "valueFrom") {
                let has_value = !text(variable, "value").is_empty();
                self.source(source, &sub("valueFrom"), has_value, found);
            }
        }
    }

    fn source(&self, source: &Object, field: &str, has_value: bool, found: &mut Findings) {
        let stated = source.values().filter(|value| !value.is_null()).count();
        if stated == 0 {
            let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or \
                `fileKeyRef`";
            found.invalid(field, &json!(""), why);
        } else if has_value {
            found.invalid(field, &json!(""), "may not be specified when `value` is not empty");
        } else if stated > 1 {
            found.invalid(field, &json!(""), "may not have more than one field specified at a time");
        }
        for name in ["configMapKeyRef", "secretKeyRef"] {
            if let Some(reference) = object_at(source, name) {
                for part in ["name", "key"] {
                    if text(reference, part).is_empty() {
                        found.required(&format!("{field}.{name}.{part}"), "");
                    }
                }
            }
        }
    }

    fn mounts(&self, container: &Object, found: &mut Findings) {
        let mut paths = BTreeSet::new();
        for (index, mount) in objects(container, "volumeMounts") {
            let sub = |name: &str| self.sub(&format!("volumeMounts[{index}].{name}"));
            let (name, path) = (text(mount, "name"), text(mount, "mountPath"));
            if name.is_empty() {
                found.required(&sub("name"), "");
            }
            if path.is_empty() {
                found.required(&sub("mountPath"), "");
            }
            if !self.volumes.contains(name) {
                found.not_found(&sub("name"), name);
            }
            if !paths.insert(path) {
                found.invalid(&sub("mountPath"), &json!(path), "must be unique");
            }
        }
    }

    fn probe(&self, probe: &Object, name: &str, found: &mut Findings) {
        let field = self.sub(name);
        let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
        let mut stated = handlers.iter().filter(|handler| at(probe, handler).is_some());
        if stated.next().is_none() {
            found.required(&field, "must specify a handler type");
        }
        for extra in stated {
            found.forbidden(&format!("{field}.{extra}"), "may not specify more than 1 handler type");
        }
        for number in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            found.not_negative(&format!("{field}.{number}"), at(probe, number));
        }
        let successes = number(probe, "successThreshold");
        if name != "readinessProbe" && successes > 1 {
            found.invalid(&format!("{field}.successThreshold"), &json!(successes), "must be 1");
        }
        for handler in ["httpGet", "tcpSocket"] {
            port_or_name(&format!("{field}.{handler}.port"), at(probe, &format!("{handler}.port")), found);
        }
        found.one_of(&format!("{field}.httpGet.scheme"), at(probe, "httpGet.scheme"), &["HTTP", "HTTPS"]);
    }

    /// A container that ends before the others start is not probed.
    fn starting(&self, container: &Object, found: &mut Findings) {
        if at(container, "restartPolicy") == Some(&Value::from("Always")) {
            return;
        }
        for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if at(container, name).is_some() {
                let why = "may not be set for init containers without restartPolicy=Always";
                found.forbidden(&self.sub(name), why);
            }
        }
    }
}
