//! The binary: reads the command line, runs one command, and reports its failure
//! once. Exit codes: 0 done, 1 failed, 2 timed out.

mod cli;
mod flags;
mod paths;
mod host;
mod ports;
mod kubeconfig;
mod record;
mod stack;
mod arguments;
mod asked;
mod capabilities;
mod process;
mod connection;
mod localbuild;
mod wait;
mod watch;
mod banner;
mod output;
mod ui;
mod commands;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use base::Diagnostic;
use clap::{CommandFactory, Parser};
use serde_json::json;

use crate::cli::{Cli, Command};

/// Requests of one platform do not need more, and each costs memory.
const MOST_WORKERS: usize = 4;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that was asked for is no failure. Wrong usage is one; clap would exit with 2,
            // which stands for a timeout here.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    ui::choose_colour(cli.global.color);
    server::choose_crypto();
    let outcome = runtime().and_then(|runtime| {
        let outcome = runtime.block_on(run(&cli));
        // What still reads in the background must not hold up the end.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(diagnostic) => {
            report(&cli.command, &diagnostic);
            ExitCode::from(if diagnostic.code == "timed-out" { 2 } else { 1 })
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Diagnostic> {
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, MOST_WORKERS));
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().map_err(|error| {
        Diagnostic::new("no-threads", "no threads can be made").detail(error).hint("look at the limits of ulimit -u")
    })
}

async fn run(cli: &Cli) -> Result<(), Diagnostic> {
    let log_level = flags::log_level(&cli.global.log_level)?;
    match &cli.command {
        Command::Create(args) => commands::create::run(args, &cli.global).await,
        Command::Delete(args) => commands::delete::run(args).await,
        Command::Start(args) => commands::lifecycle::start(&args.named, log_level).await,
        Command::Stop(args) => commands::lifecycle::stop(args).await,
        Command::Restart(args) => commands::lifecycle::restart(&args.named, log_level).await,
        Command::Status(args) => commands::status::run(args).await,
        Command::Logs(args) => commands::logs::run(args).await,
        Command::Doctor(args) => commands::doctor::run(args).await,
        Command::Get(args) => commands::get::run(args).await,
        Command::Version(args) => commands::version::run(args),
        Command::Serve(args) => commands::serve::run(args, log_level).await,
        Command::Completion { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "coracle", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Prints a failure once, in the form that was asked for.
fn report(command: &Command, diagnostic: &Diagnostic) {
    let format = match command {
        Command::Create(args) => args.output.as_str(),
        Command::Get(args) => &args.output,
        Command::Status(args) => &args.output,
        Command::Version(args) => &args.output,
        _ => "",
    };
    if format == "json" {
        anstream::eprintln!("{}", output::json(&json!({"error": diagnostic})));
    } else {
        anstream::eprintln!("{}", ui::error_text(diagnostic));
    }
}
