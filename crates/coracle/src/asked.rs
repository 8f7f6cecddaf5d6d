//! What the flags of `create` ask of a platform, and whether one that exists can
//! be that. Pure but for the host that is chosen for a new one.

use std::path::PathBuf;

use base::Diagnostic;
use serde_json::json;
use server::Config;

use crate::cli::Create;
use crate::{flags, host};

/// The flags that cannot change once a platform exists; `None` where none was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `--protocol`.
    pub protocol: Option<String>,
    /// `--host`.
    pub host: Option<String>,
    /// `--ingress-host-name`.
    pub ingress_host: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--api-port`.
    pub api_port: Option<u16>,
    /// `--use-path-routing`.
    pub path_routing: Option<bool>,
    /// `--dev-password`.
    pub dev_password: Option<bool>,
    /// `--simulated-nodes`.
    pub simulated_nodes: Option<u32>,
}

impl Asked {
    /// Reads and checks the flags.
    pub fn read(args: &Create) -> Result<Self, Diagnostic> {
        let port = |flag: &str, text: &Option<String>| text.as_deref().map(|text| flags::port(flag, text)).transpose();
        let host = |flag: &str, text: &Option<String>| text.as_deref().map(|text| flags::host(flag, text)).transpose();
        Ok(Asked {
            protocol: args.protocol.as_deref().map(flags::protocol).transpose()?,
            host: host("host", &args.host)?,
            ingress_host: host("ingress-host-name", &args.ingress_host_name)?,
            port: port("port", &args.port)?,
            api_port: port("api-port", &args.api_port)?,
            path_routing: args.use_path_routing.then_some(true),
            dev_password: args.dev_password.then_some(true),
            simulated_nodes: args.simulated_nodes.as_deref().map(flags::simulated_nodes).transpose()?,
        })
    }

    /// The configuration of a new platform, and what to say about it.
    pub async fn new_config(&self, name: &str) -> (Config, Option<String>) {
        let mut config = Config::new(name);
        let mut note = None;
        match &self.host {
            Some(host) => config.host = host.clone(),
            None => {
                let choice = host::choose().await;
                config.host = choice.host;
                config.path_routing = choice.path_routing;
                note = choice.note;
            }
        }
        config.ingress_host = config.host.clone();
        self.apply(&mut config);
        (config, note)
    }

    /// An existing platform's configuration, if what is asked for is what it has.
    pub fn check(&self, existing: &Config) -> Result<(), Diagnostic> {
        let mut given = existing.clone();
        self.apply(&mut given);
        if given == *existing {
            return Ok(());
        }
        let title = format!(
            "provided command flags and existing configurations are incompatible. please recreate the cluster. \
             existing: {}, given: {}",
            shown(existing),
            shown(&given)
        );
        Err(Diagnostic::new("incompatible-flags", title).hint(
            "leave the flags out to keep what there is, or add --recreate to delete the platform and make it anew",
        ))
    }

    fn apply(&self, config: &mut Config) {
        let set =
            |field: &mut String, value: &Option<String>| field.clone_from(value.as_ref().unwrap_or(&field.clone()));
        set(&mut config.protocol, &self.protocol);
        set(&mut config.host, &self.host);
        set(&mut config.ingress_host, &self.ingress_host);
        config.port = self.port.unwrap_or(config.port);
        config.api_port = self.api_port.unwrap_or(config.api_port);
        config.path_routing = self.path_routing.unwrap_or(config.path_routing);
        config.dev_password = self.dev_password.unwrap_or(config.dev_password);
        if let Some(count) = self.simulated_nodes {
            let workloads = json!({"settings": {"simulatedNodes": count}});
            config.capabilities.insert("workloads".into(), workloads);
        }
    }
}

fn shown(config: &Config) -> String {
    json!({
        "protocol": config.protocol,
        "host": config.host,
        "ingressHost": config.ingress_host,
        "port": config.port.to_string(),
        "apiPort": config.api_port.to_string(),
        "usePathRouting": config.path_routing,
        "staticPassword": config.dev_password,
        "simulatedNodes": config.capabilities.get("workloads").map_or(&json!(0), |it| &it["settings"]["simulatedNodes"]),
    })
    .to_string()
}

/// Checks flags that are there for compatibility; returns what to say about those given.
pub fn without_meaning(args: &Create) -> Result<Vec<String>, Diagnostic> {
    let mut notes = Vec::new();
    let mut note = |flag: &str, why: &str| notes.push(format!("{flag} has no effect here: {why}"));
    if args.build_name.is_some() {
        note("--build-name", "it is deprecated, use --name; its value was taken as the name");
    }
    if args.kube_version.is_some() {
        note("--kube-version", "the platform serves the Kubernetes 1.36 API itself");
    }
    if let Some(ports) = &args.extra_ports {
        flags::extra_ports(ports)?;
        note("--extra-ports", "there is no node container whose ports would have to be mapped");
    }
    if args.kind_config.is_some() {
        note("--kind-config", "no kind cluster is made");
    }
    if !args.registry_config.is_empty() {
        flags::registry_config(&args.registry_config, &crate::paths::variable)?;
        note("--registry-config", "nothing is pulled by a kubelet yet");
    }
    for custom in &args.package_custom_file {
        flags::package_custom_file(custom)?;
    }
    if !args.package_custom_file.is_empty() {
        note("--package-custom-file", "argocd, gitea and nginx are parts of this program, not packages");
    }
    if !args.named.ignored.is_empty() {
        notes.push(format!("ignored: {}", args.named.ignored.join(" ")));
    }
    Ok(notes)
}

/// The name that is meant: `--name`, or the deprecated `--build-name`.
pub fn name(args: &Create) -> Result<String, Diagnostic> {
    flags::name(args.build_name.as_ref().unwrap_or(&args.named.name))
}

/// The directory that is meant.
pub fn data_dir(args: &Create) -> Option<PathBuf> {
    args.named.data_dir.clone()
}
