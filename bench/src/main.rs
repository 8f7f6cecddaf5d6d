//! Measures a release build of coracle, with its peers run in turn on the same
//! disk, and prints the tables of `bench/README.md`. It judges nothing, and no
//! test depends on it.

#![expect(clippy::disallowed_methods, reason = "it measures time; that is what it is for")]

mod programs;
mod process;
mod server;
mod figures;
mod https;
mod platform;
mod etcd;
mod kubeapiserver;
mod disk;
mod schema;
mod synthetic;
mod application;
mod objects;
mod install;
mod start;
mod writes;
mod push;
mod apply;
mod definitions;
mod applications;
mod openapi;
mod workloads;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use programs::Programs;

const BENCHES: [&str; 8] =
    ["start", "writes", "pushes", "apply", "definitions", "applications", "openapi", "workloads"];

const USAGE: &str =
    "usage: bench <folder of the programs> [directory [start|writes|pushes|apply|definitions|applications|openapi|workloads]…]
       bench load <platform's directory> writes <clients> <seconds>
       bench load <platform's directory> apply <application|deployment> <create|change|nothing> <clients> <seconds>
       bench load <platform's directory> definitions <different|same|real>
       bench load <platform's directory> applications <count>
       bench load <platform's directory> workloads";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    // The provider is chosen once for the whole process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = arguments.next().context(USAGE)?;
    if folder == "load" {
        return load(&arguments.collect::<Vec<_>>()).await;
    }
    let place = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let programs = Programs { folder: folder.into(), place };
    let named: Vec<String> = arguments.collect();
    if let Some(other) = named.iter().find(|name| !BENCHES.contains(&name.as_str())) {
        bail!("there is no bench {other}\n{USAGE}");
    }
    for name in BENCHES.iter().filter(|name| named.is_empty() || named.iter().any(|other| other == *name)) {
        match *name {
            "start" => start::run(&programs)?,
            "writes" => writes::run(&programs).await?,
            "pushes" => push::run(&programs).await?,
            "apply" => apply::run(&programs).await?,
            "definitions" => definitions::run(&programs).await?,
            "applications" => applications::run(&programs).await?,
            "openapi" => openapi::run(&programs).await?,
            _ => workloads::run(&programs).await?,
        }
    }
    Ok(())
}

/// One load against a platform that runs already, to look at it with a profiler.
async fn load(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let seconds = |text: &str| -> Result<Duration> { Ok(Duration::from_secs(text.parse()?)) };
    let server = platform::server(Path::new(words.first().context(USAGE)?))?;
    match words.get(1..).unwrap_or_default() {
        ["writes", clients, length] => {
            let load = writes::creates(&server, clients.parse()?, seconds(length)?).await?;
            println!("{:.0} creates/s, p99 {:.2} ms", load.per_second, load.p99_ms);
            Ok(())
        }
        ["apply", kind, does, clients, length] => {
            apply::alone(&server, kind, does, clients.parse()?, seconds(length)?).await
        }
        ["definitions", set] => definitions::alone(&server, set).await,
        ["applications", count] => applications::alone(&server, count.parse()?).await,
        ["workloads"] => workloads::alone(&server).await,
        _ => bail!(USAGE),
    }
}
