//! `coracle serve`: the server process itself. It tells whoever started it, in one
//! line on standard output, whether it serves; from then on it only logs.

use std::io::Write;

use base::Diagnostic;
use server::{Layout, Server};
use tracing_subscriber::EnvFilter;

use crate::capabilities;
use crate::cli::Serve;
use crate::process::Handshake;

/// Serves a platform until it is told to stop.
pub async fn run(args: &Serve, log_level: &str) -> Result<(), Diagnostic> {
    // A terminal's signals are not meant for a server in the background. This fails for
    // one that leads its session already, which is as good.
    let _ = rustix::process::setsid();
    log_to_stderr(log_level);
    match start(args).await {
        Ok(running) => {
            say(&Handshake::Ready { api_url: running.endpoints.api_url.clone() });
            tracing::info!(api = %running.endpoints.api_url, "serving");
            running.wait_for_signal_and_stop().await;
            tracing::info!("stopped");
            Ok(())
        }
        Err(diagnostic) => {
            say(&Handshake::Failed(diagnostic.clone()));
            Err(diagnostic)
        }
    }
}

async fn start(args: &Serve) -> Result<server::Running, Diagnostic> {
    let layout = Layout::new(&args.data_dir);
    let Some(config) = layout.load()? else { return Err(crate::paths::missing("at all", &layout)) };
    Server::start(layout, config, capabilities::all()).await
}

/// Writes the line and lets the pipe go, so that its reader sees an end.
fn say(handshake: &Handshake) {
    let line = serde_json::to_string(handshake).expect("a handshake is plain data");
    let mut out = std::io::stdout();
    // Whoever started us may be gone; that is not our failure.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    if let Ok(null) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
    }
}

fn log_to_stderr(level: &str) {
    let filter = EnvFilter::try_from_env("CORACLE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // On a full disk the log cannot be written either, and to complain of that on the
        // same stream would panic whoever had something to say.
        .log_internal_errors(false)
        .init();
}
