//! The command line as data: every command and flag, those of CNOE's builder with
//! its names, shorts and defaults first. What a value means is checked in `flags`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Manage reference IDPs
#[derive(Debug, Parser)]
#[command(name = "coracle", disable_version_flag = true, arg_required_else_help = true, args_override_self = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Debug, Clone)]
pub struct Global {
    /// Set the log verbosity: debug, info, warn or error
    #[arg(short, long, global = true, default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
    /// Colour the output: auto, always or never; --color alone means always
    #[arg(
        long,
        global = true,
        default_value = "auto",
        default_missing_value = "always",
        num_args = 0..=1,
        require_equals = true,
        hide_possible_values = true,
        value_name = "WHEN"
    )]
    pub color: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    #[value(alias = "true")]
    Always,
    #[value(alias = "false")]
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// (Re)Create an IDP, or update its packages
    Create(Box<Create>),
    /// Delete an IDP and everything it left on this machine
    Delete(Named),
    /// Start an IDP that was stopped
    Start(Start),
    /// Stop an IDP; it keeps everything
    Stop(Named),
    /// Stop an IDP and start it again
    Restart(Start),
    /// Show how an IDP is
    Status(Status),
    /// Show what the server of an IDP logged
    Logs(Logs),
    /// Check whether this machine can run an IDP
    Doctor(Doctor),
    /// Get information from an IDP
    Get(Get),
    /// Print the version
    Version(Version),
    /// Generate the autocompletion script for a shell
    Completion {
        /// bash, zsh, fish or powershell
        #[arg(hide_possible_values = true, value_name = "SHELL")]
        shell: Shell,
    },
    /// Serve an IDP in the foreground
    #[command(hide = true)]
    Serve(Serve),
}

/// Which platform is meant.
#[derive(Args, Debug, Clone)]
pub struct Named {
    /// Name of the IDP
    #[arg(long, default_value = "localdev")]
    pub name: String,
    /// Directory of the IDP [default: $XDG_DATA_HOME/coracle/<name>]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Words that CNOE's scripts pass and its builder ignores
    #[arg(hide = true)]
    pub ignored: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Create {
    #[command(flatten)]
    pub named: Named,
    /// Delete the IDP first if it exists
    #[arg(long)]
    pub recreate: bool,
    /// Deprecated: use --name
    #[arg(long, hide = true)]
    pub build_name: Option<String>,
    /// Set the passwords of Argo CD's admin and the git server's giteaAdmin to "developer"
    #[arg(long)]
    pub dev_password: bool,
    /// Accepted for compatibility; this platform brings its own Kubernetes API
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// Accepted for compatibility: hostPort:containerPort,… of kind's nodes
    #[arg(long, value_name = "PORTS")]
    pub extra_ports: Option<String>,
    /// Accepted for compatibility: a configuration of kind
    #[arg(long, value_name = "FILE")]
    pub kind_config: Option<String>,
    /// Accepted for compatibility: candidates for a file with credentials of registries
    #[arg(
        long,
        value_name = "FILES",
        num_args = 0..=1,
        require_equals = true,
        value_delimiter = ',',
        default_missing_value = "$XDG_RUNTIME_DIR/containers/auth.json,$HOME/.docker/config.json"
    )]
    pub registry_config: Vec<String>,
    /// Host name of the IDP [default: cnoe.localtest.me where it resolves, else localhost]
    #[arg(long)]
    pub host: Option<String>,
    /// Host name in Ingress rules, where a proxy stands in front [default: the host]
    #[arg(long)]
    pub ingress_host_name: Option<String>,
    /// Protocol of the IDP: https or http [default: https]
    #[arg(long)]
    pub protocol: Option<String>,
    /// Port of everything but the Kubernetes API [default: 8443]
    #[arg(long)]
    pub port: Option<String>,
    /// Port of the Kubernetes API [default: 6443]
    #[arg(long)]
    pub api_port: Option<String>,
    /// Serve everything on one host, by path, instead of on sub-domains
    #[arg(long)]
    pub use_path_routing: bool,
    /// Nodes that simulate pods, so that workloads come alive although nothing runs [default: 0]
    #[arg(long, value_name = "N")]
    pub simulated_nodes: Option<String>,
    /// Directory, file or https://host/org/repo//path?ref=… of a package; repeatable
    #[arg(short, long, value_name = "PACKAGE", value_delimiter = ',')]
    pub package: Vec<String>,
    /// Accepted for compatibility: argocd|gitea|nginx:<file>, a change to a core package
    #[arg(short = 'c', long, value_name = "NAME:FILE", value_delimiter = ',')]
    pub package_custom_file: Vec<String>,
    /// Stay in the foreground and follow changes of local packages
    #[arg(
        short,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "false",
        hide_default_value = true,
        hide_possible_values = true,
        value_name = "BOOL"
    )]
    pub no_exit: bool,
    /// How long to wait for the packages, for example 90s or 5m
    #[arg(long, default_value = "5m", value_name = "DURATION")]
    pub timeout: String,
    /// Return as soon as the packages are installed, without waiting for them to be Healthy
    #[arg(long)]
    pub no_wait: bool,
    /// Form of an error: table or json
    #[arg(short, long, default_value = "table", value_name = "FORMAT")]
    pub output: String,
}

#[derive(Args, Debug)]
pub struct Start {
    #[command(flatten)]
    pub named: Named,
}

#[derive(Args, Debug)]
pub struct Status {
    #[command(flatten)]
    pub named: Named,
    /// table, json or yaml
    #[arg(short, long, default_value = "table", value_name = "FORMAT")]
    pub output: String,
}

#[derive(Args, Debug)]
pub struct Logs {
    #[command(flatten)]
    pub named: Named,
    /// Go on with what is logged from now on
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last lines
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<usize>,
}

#[derive(Args, Debug)]
pub struct Doctor {
    #[command(flatten)]
    pub named: Named,
    /// Port to check for everything but the Kubernetes API [default: 8443]
    #[arg(long)]
    pub port: Option<u16>,
    /// Port to check for the Kubernetes API [default: 6443]
    #[arg(long)]
    pub api_port: Option<u16>,
}

#[derive(Args, Debug)]
pub struct Get {
    /// Names of packages
    #[arg(short, long, global = true, value_delimiter = ',', value_name = "NAMES")]
    pub packages: Vec<String>,
    /// table, json or yaml
    #[arg(short, long, global = true, default_value = "table", value_name = "FORMAT")]
    pub output: String,
    /// Kubeconfig to reach the IDP with [default: the IDP's own]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Name of the IDP
    #[arg(long, global = true, default_value = "localdev")]
    pub name: String,
    /// Directory of the IDP [default: $XDG_DATA_HOME/coracle/<name>]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub what: Option<What>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum What {
    /// Retrieve secrets of the IDP
    Secrets,
    /// List the IDPs of this machine
    Clusters,
    /// List the packages of the IDP
    Packages,
    /// List what the IDP can do, and whether it works
    Capabilities,
}

#[derive(Args, Debug)]
pub struct Version {
    /// wide, json or yaml; empty for one line
    #[arg(short, long, default_value = "", hide_default_value = true, value_name = "FORMAT")]
    pub output: String,
}

#[derive(Args, Debug)]
pub struct Serve {
    /// Directory of the IDP
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
}
