//! `cargo xtask bench`: builds what is measured and its peers' clients, and runs
//! the measurements. It must never say whether a figure is good.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{clients, run, toolchain, up};

/// Builds and measures; arguments go to the bench program after its own.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    toolchain::require(&[toolchain::GIT, toolchain::C_COMPILER])?;
    let clients = clients::ready()?;
    run::must_succeed(run::cargo().args(["build", "--release", "--package", "coracle", "--package", "bench"]))?;
    let release = up::target_directory()?.join("release");
    let named = arguments.get(1..).unwrap_or_default();
    for peer in PEERS.iter().filter(|peer| peer.is_needed(named)) {
        peer.build(&release)?;
    }
    let mut bench = Command::new(release.join("bench"));
    bench.arg(&release).args(arguments);
    for (name, path) in clients.environment() {
        bench.env(name, path);
    }
    run::must_succeed(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}

/// A Go program below `bench/`, and the benches that need it.
struct Peer {
    name: &'static str,
    benches: &'static [&'static str],
}

const PEERS: &[Peer] = &[
    Peer { name: "etcdput", benches: &["writes"] },
    // The first build takes some minutes.
    Peer { name: "kubeapiserver", benches: &["apply", "definitions", "applications", "openapi"] },
];

impl Peer {
    /// No names stand for all benches.
    fn is_needed(&self, named: &[String]) -> bool {
        named.is_empty() || named.iter().any(|name| self.benches.contains(&name.as_str()))
    }

    fn build(&self, release: &Path) -> Result<()> {
        let mut build = toolchain::go("1.26.0")?;
        build.current_dir(run::root().join("bench").join(self.name)).env("CGO_ENABLED", "0");
        build.args(["build", "-trimpath", "-o"]).arg(release.join(self.name)).arg(".");
        run::must_succeed(&mut build)
    }
}
