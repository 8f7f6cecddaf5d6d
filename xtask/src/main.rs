//! `cargo xtask`: builds, runs, tests and checks this repository. Users build it
//! first, so it must never wait for the platform's own crates: `schemas`, which
//! shares a format with one, is behind a feature.

// Timings here are for the person who waits; no test depends on them.
#![expect(clippy::disallowed_methods, reason = "xtask stands outside the platform and its clock")]

mod bench;
mod clients;
mod fuzz;
mod run;
#[cfg(feature = "schemas")]
mod schemas;
mod test;
mod tidy;
mod toolchain;
mod up;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  up [--dev] [-- <arguments of coracle create>]
                 build coracle, create the default platform with the shipped stack
  test [-p <crate>] [<filter>...]
                 run every check and test, installing what they need;
                 with a crate or a filter, only the matching tests
  tools          build the pinned clients the tests use, and print where they are
  bench [<directory> [start|writes|pushes|apply|definitions|applications|openapi|workloads]...]
                 measure a release build beside etcd (package etcd-server) and a
                 kube-apiserver built here, in a directory on the disk that is to be
                 measured; without names, everything
  schemas [--check]
                 rewrite the built-in kinds' data in crates/api/schemas from Kubernetes' modules
  fuzz [<minutes>] [<name>]
                 run the fuzz targets, or those whose names contain a word, so long each
  tidy [--fix]   check the house rules without building; --fix rewrites docs/errors/README.md
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let outcome = match command.as_str() {
        "up" => up::run(&rest),
        "test" => test::run(&rest),
        "tools" => clients::run(),
        "bench" => bench::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "tidy" => tidy::run(&rest),
        "schemas" => schemas(&rest),
        "" | "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => {
            eprintln!("error: there is no command `{other}`\n\n{HELP}");
            Ok(ExitCode::from(2))
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(feature = "schemas")]
fn schemas(arguments: &[String]) -> anyhow::Result<ExitCode> {
    schemas::run(arguments)?;
    Ok(ExitCode::SUCCESS)
}

/// Starts the xtask that has this command: it needs more than the others do.
#[cfg(not(feature = "schemas"))]
fn schemas(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut command = run::cargo();
    command.args(["run", "--package", "xtask", "--features", "schemas", "--", "schemas"]).args(arguments);
    run::must_succeed(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
