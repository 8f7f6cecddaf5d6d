//! Ports of the node that pods take for themselves.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Needs;

/// The address that stands for all of a node's.
const ANY: &str = "0.0.0.0";

/// A port of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Port {
    /// Zero if the container takes none of the node's.
    host_port: u16,
    #[serde(rename = "hostIP")]
    host_ip: Box<str>,
    protocol: Box<str>,
}

/// Ports of a node, by number and protocol, with the address they are taken on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostPorts(BTreeSet<(u16, Box<str>, Box<str>)>);

impl HostPorts {
    /// The ports that a pod takes: those of its containers, and of its sidecars.
    pub(crate) fn of(needs: &Needs) -> HostPorts {
        let sidecars = needs.init_containers.iter().filter(|container| container.is_sidecar());
        let ports = needs.containers.iter().chain(sidecars).flat_map(|container| &container.ports);
        let or = |text: &str, otherwise: &str| if text.is_empty() { otherwise.into() } else { text.into() };
        let taken = ports.filter(|port| port.host_port > 0);
        HostPorts(taken.map(|port| (port.host_port, or(&port.protocol, "TCP"), or(&port.host_ip, ANY))).collect())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pod that takes `others` cannot be beside the pods that take these. An address
    /// is in the way of itself and of all of them at once.
    pub(crate) fn conflict(&self, others: &HostPorts) -> bool {
        let is_taken = |(port, protocol, ip): &(u16, Box<str>, Box<str>)| {
            let same = self.0.range((*port, protocol.clone(), "".into())..);
            let mut same = same.take_while(|(held, held_protocol, _)| held == port && held_protocol == protocol);
            same.any(|(_, _, held)| held == ip || &**held == ANY || &**ip == ANY)
        };
        others.0.iter().any(is_taken)
    }

    /// Takes the ports of a pod that comes.
    pub(crate) fn add(&mut self, pod: &HostPorts) {
        self.0.extend(pod.0.iter().cloned());
    }

    /// Gives back the ports of a pod that goes.
    pub(crate) fn remove(&mut self, pod: &HostPorts) {
        for port in &pod.0 {
            self.0.remove(port);
        }
    }
}
