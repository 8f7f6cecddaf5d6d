//! The ports of a service on the nodes: those it asks for, or ones that are free. Each is
//! held by a key of its number, which is no object of the API, as in Kubernetes.

use serde_json::{Value, json};
use store::Key;

use super::Giver;
use super::plan::{Plan, Refusal};
use super::ranges::seed;
use crate::strategy::{has_health_port, has_node_ports};
use crate::tree::{Tree, meta_text};

const GROUP: &str = "allocation.coracle.dev";
const PLURAL: &str = "nodeports";
const TAKEN: &str = "provided port is already allocated";
const HEALTH: &str = "spec.healthCheckNodePort";

/// Gives a service its ports, and releases those that it no longer has.
pub(super) fn plan(giver: &Giver<'_>, old: Option<&Tree>, new: &mut Tree, plan: &mut Plan) -> Result<(), Refusal> {
    let mut given = Given { giver, plan, before: old.map(held).unwrap_or_default(), mine: Vec::new() };
    if has_node_ports(new) {
        given.stated(new)?;
        given.missing(new)?;
    }
    if has_health_port(new) {
        given.health(new)?;
    }
    if let Some(old) = old {
        let kept = held(new);
        release(giver, old, &kept, plan);
    }
    Ok(())
}

/// Releases the ports of a service but those that it keeps.
pub(super) fn release(giver: &Giver<'_>, old: &Tree, kept: &[u64], plan: &mut Plan) {
    let mut done = Vec::new();
    for port in held(old).into_iter().filter(|port| !kept.contains(port)) {
        let key = key(giver, port);
        let entry = giver.view.entry(&key).filter(|entry| is_held_by(entry, old));
        if let Some(entry) = entry.filter(|_| !done.contains(&port)) {
            plan.release(key, entry.revision);
            done.push(port);
        }
    }
}

/// The ports that a service has.
fn held(service: &Tree) -> Vec<u64> {
    let mut held = Vec::new();
    if has_node_ports(service) {
        held.extend(ports(service).iter().map(node_port).filter(|port| *port != 0));
    }
    if has_health_port(service) {
        held.extend(health_port(service));
    }
    held
}

struct Given<'a> {
    giver: &'a Giver<'a>,
    plan: &'a mut Plan,
    /// What the service had.
    before: Vec<u64>,
    /// Protocols and numbers that are settled.
    mine: Vec<(String, u64)>,
}

impl Given<'_> {
    /// Takes the ports that are asked for. Two protocols may share one.
    fn stated(&mut self, service: &Tree) -> Result<(), Refusal> {
        for (index, port) in ports(service).iter().enumerate() {
            let (number, protocol) = (node_port(port), protocol(port));
            if number == 0 {
                continue;
            }
            let field = format!("spec.ports[{index}].nodePort");
            if !self.mine.iter().any(|(_, mine)| *mine == number) {
                self.claim(number, service, &field)?;
            } else if self.mine.contains(&(protocol.clone(), number)) {
                return Err(Refusal::invalid(&field, &json!(number), TAKEN));
            }
            self.mine.push((protocol, number));
        }
        Ok(())
    }

    /// Finds ports for those that ask for none. What is the same port in two protocols within
    /// is the same on the nodes.
    fn missing(&mut self, service: &mut Tree) -> Result<(), Refusal> {
        let is_off = |service: &Tree| {
            let spec = service.get("spec");
            spec.and_then(|spec| spec.get("type")).and_then(Value::as_str) == Some("LoadBalancer")
                && spec.and_then(|spec| spec.get("allocateLoadBalancerNodePorts")) == Some(&json!(false))
        };
        if is_off(service) {
            return Ok(());
        }
        for index in 0..ports(service).len() {
            let port = ports(service)[index].clone();
            if node_port(&port) != 0 {
                continue;
            }
            let (protocol, inner) = (protocol(&port), port.get("port").cloned());
            let twin = ports(service).iter().find(|other| other.get("port") == inner.as_ref() && node_port(other) != 0);
            let twin = twin.map(node_port).filter(|number| !self.mine.contains(&(protocol.clone(), *number)));
            let number = match twin {
                Some(number) => number,
                None => self.free(service)?,
            };
            self.mine.push((protocol, number));
            let list = service.get_mut("spec").and_then(|spec| spec.get_mut("ports")).and_then(Value::as_array_mut);
            if let Some(fields) = list.and_then(|list| list.get_mut(index)).and_then(Value::as_object_mut) {
                fields.insert("nodePort".into(), json!(number));
            }
        }
        Ok(())
    }

    fn health(&mut self, service: &mut Tree) -> Result<(), Refusal> {
        match health_port(service) {
            Some(number) => self.claim(number, service, HEALTH),
            None => {
                let number = self.free(service)?;
                if let Some(spec) = service.get_mut("spec").and_then(Value::as_object_mut) {
                    spec.insert("healthCheckNodePort".into(), json!(number));
                }
                Ok(())
            }
        }
    }

    fn claim(&mut self, number: u64, service: &Tree, field: &str) -> Result<(), Refusal> {
        let refuse = |why: &str| Refusal::invalid(field, &json!(number), why);
        if self.before.contains(&number) {
            return Ok(());
        }
        if !self.giver.ranges.has_port(number) {
            let range = self.giver.ranges.ports_text();
            let why = format!("provided port is not in the valid range. The range of valid ports is {range}");
            return Err(refuse(&why));
        }
        let key = key(self.giver, number);
        if self.giver.view.entry(&key).is_some() || self.plan.takes(&key) {
            return Err(refuse(TAKEN));
        }
        self.plan.take(key, holder(service));
        Ok(())
    }

    fn free(&mut self, service: &Tree) -> Result<u64, Refusal> {
        let is_free = |number: &u64| {
            let key = key(self.giver, *number);
            self.giver.view.entry(&key).is_none() && !self.plan.takes(&key)
        };
        let mut candidates = self.giver.ranges.ports(seed(meta_text(service, "uid")));
        let number = candidates.find(is_free).ok_or(Refusal::Full("nodePort"))?;
        self.plan.take(key(self.giver, number), holder(service));
        Ok(number)
    }
}

fn ports(service: &Tree) -> &[Value] {
    let list = service.get("spec").and_then(|spec| spec.get("ports")).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

fn node_port(port: &Value) -> u64 {
    port.get("nodePort").and_then(Value::as_u64).unwrap_or_default()
}

fn protocol(port: &Value) -> String {
    port.get("protocol").and_then(Value::as_str).unwrap_or("TCP").to_owned()
}

fn health_port(service: &Tree) -> Option<u64> {
    service.get("spec")?.get("healthCheckNodePort")?.as_u64().filter(|port| *port != 0)
}

fn key(giver: &Giver<'_>, number: u64) -> Key {
    giver.view.key(GROUP, PLURAL, "", &number.to_string())
}

fn holder(service: &Tree) -> store::Value {
    let body = json!({"namespace": meta_text(service, "namespace"), "name": meta_text(service, "name")});
    store::Value::new("{}", body.to_string())
}

fn is_held_by(entry: &store::Entry, service: &Tree) -> bool {
    let body: Value = serde_json::from_slice(&entry.value.body).unwrap_or_default();
    body["namespace"] == meta_text(service, "namespace") && body["name"] == meta_text(service, "name")
}
