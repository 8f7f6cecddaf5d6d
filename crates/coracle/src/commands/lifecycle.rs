//! `coracle start`, `stop` and `restart`. What a platform holds is not touched.

use base::{Clock, Diagnostic};
use server::{Config, Layout};

use crate::cli::Named;
use crate::ui::Stages;
use crate::{paths, ports, process, record};

/// Starts a platform that exists; one that runs is left alone.
pub async fn start(args: &Named, log_level: &str) -> Result<(), Diagnostic> {
    let (config, layout) = paths::existing(args)?;
    if process::is_serving(&layout).await {
        anstream::eprintln!("{} is running already", config.name);
        return Ok(());
    }
    let took = Clock::system().stopwatch();
    bring_up(&config, &layout, log_level).await?;
    record::install_context(&layout, &config.name)?;
    Stages::new(false).done(&format!("{} is running", config.name), took);
    Ok(())
}

/// Stops a platform; one that does not run is left alone.
pub async fn stop(args: &Named) -> Result<(), Diagnostic> {
    let (config, layout) = paths::existing(args)?;
    let ran = process::stop(&layout).await?;
    anstream::eprintln!(
        "{}",
        if ran { format!("stopped {}", config.name) } else { format!("{} was not running", config.name) }
    );
    Ok(())
}

/// Stops a platform if it runs, and starts it.
pub async fn restart(args: &Named, log_level: &str) -> Result<(), Diagnostic> {
    let (_, layout) = paths::existing(args)?;
    process::stop(&layout).await?;
    start(args, log_level).await
}

/// Checks the ports and starts the server.
pub async fn bring_up(config: &Config, layout: &Layout, log_level: &str) -> Result<(), Diagnostic> {
    check_ports(config)?;
    process::start(layout, log_level).await
}

/// Both ports must be free, and two.
fn check_ports(config: &Config) -> Result<(), Diagnostic> {
    check_ports_but(config, None)
}

/// As [`check_ports`], but a port of a platform that is to make way counts as free.
pub fn check_ports_but(config: &Config, leaving: Option<&Config>) -> Result<(), Diagnostic> {
    if config.port == config.api_port {
        return Err(crate::flags::bad("api-port", format!("{} is the port of everything else, too", config.port))
            .hint("name another port"));
    }
    for (port, flag) in [(config.api_port, "--api-port"), (config.port, "--port")] {
        let is_left = leaving.is_some_and(|leaving| [leaving.port, leaving.api_port].contains(&port));
        if !is_left {
            ports::check(config.bind, port, flag)?;
        }
    }
    Ok(())
}
