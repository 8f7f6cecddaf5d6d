//! `cargo xtask bench`: builds what is measured and its peers' clients, and runs
//! the measurements. It must never say whether a figure is good.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{clients, run, toolchain, up};

/// Builds and measures; arguments go to the bench program after its own.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    toolchain::require(&[toolchain::GIT, toolchain::C_COMPILER])?;
    let clients = clients::ready()?;
    run::must_succeed(run::cargo().args(["build", "--release", "--package", "coracle", "--package", "bench"]))?;
    let release = up::target_directory()?.join("release");
    let etcdput = release.join("etcdput");
    let mut build = toolchain::go("1.26.0")?;
    build.current_dir(run::root().join("bench/etcdput")).args(["build", "-trimpath", "-o"]).arg(&etcdput).arg(".");
    run::must_succeed(&mut build)?;
    let mut bench = Command::new(release.join("bench"));
    bench.arg(release.join("coracle")).arg(etcdput).args(arguments);
    for (name, path) in clients.environment() {
        bench.env(name, path);
    }
    run::must_succeed(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
