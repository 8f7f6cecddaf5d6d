//! What a platform is configured with. Written once at creation into its
//! directory and read at every start; never secrets.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Configuration of one platform, `platform.json` in its directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Format of this file.
    pub format: u32,
    /// Name of the platform.
    pub name: String,
    /// Base host of everything but the Kubernetes API.
    pub host: String,
    /// Host written in Ingress rules, where a proxy stands in front.
    pub ingress_host: String,
    /// `https` or `http`.
    pub protocol: String,
    /// Port of everything but the Kubernetes API.
    pub port: u16,
    /// Port of the Kubernetes API.
    pub api_port: u16,
    /// Address both listen on.
    pub bind: IpAddr,
    /// One host with paths instead of a host each.
    pub path_routing: bool,
    /// Passwords are `developer`.
    pub dev_password: bool,
    /// Admission plug-ins of the API that are off, by Kubernetes' names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disabled_admission: Vec<String>,
    /// What the `Platform` object of a new platform says of capabilities, as its
    /// `spec.capabilities`. From then on the object counts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub capabilities: Map<String, Value>,
}

impl Config {
    /// The format this build writes.
    pub const FORMAT: u32 = 1;

    /// The defaults of `coracle create`.
    pub fn new(name: &str) -> Self {
        Config {
            format: Self::FORMAT,
            name: name.to_owned(),
            host: "cnoe.localtest.me".to_owned(),
            ingress_host: "cnoe.localtest.me".to_owned(),
            protocol: "https".to_owned(),
            port: 8443,
            api_port: 6443,
            bind: IpAddr::from([127, 0, 0, 1]),
            path_routing: false,
            dev_password: false,
            disabled_admission: Vec::new(),
            capabilities: Map::new(),
        }
    }
}
