//! What a person sees while a command works, and how errors look. It writes to
//! standard error only; results belong to standard output.

use std::io::IsTerminal;
use std::time::Duration;

use anstream::ColorChoice;
use base::clock::Stopwatch;
use base::{Clock, Diagnostic};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Colour;

const BOLD_RED: &str = "\u{1b}[1;31m";
const BOLD_YELLOW: &str = "\u{1b}[1;33m";
const GREEN: &str = "\u{1b}[32m";
const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

/// Settles once for the process whether output is coloured: the flag, then `NO_COLOR`
/// and whether anyone is looking.
pub fn choose_colour(colour: Colour) {
    match colour {
        Colour::Auto => {}
        Colour::Always => ColorChoice::Always.write_global(),
        Colour::Never => ColorChoice::Never.write_global(),
    }
}

/// The stages of one command.
pub struct Stages {
    spinner: ProgressBar,
    quiet: bool,
    /// Since a waiting line was last written.
    silent: Stopwatch,
}

/// Without a terminal, what is waited for is said no more often than this.
const SILENCE: Duration = Duration::from_secs(2);

impl Stages {
    /// Stages on standard error; a spinner where that is a terminal.
    pub fn new(quiet: bool) -> Self {
        let spinner =
            if !quiet && std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            spinner.set_style(style);
        }
        Stages { spinner, quiet, silent: Clock::system().stopwatch() }
    }

    /// Says what is being done.
    pub fn doing(&mut self, what: &str) {
        self.spinner.enable_steady_tick(Duration::from_millis(80));
        self.spinner.set_message(what.to_owned());
    }

    /// Says that something is done.
    pub fn done(&self, what: &str, took: Stopwatch) {
        if !self.quiet {
            let secs = took.elapsed().as_secs_f64();
            self.line(&format!("{GREEN}✓{RESET} {what} ({secs:.2} s)"));
        }
    }

    /// Says what is waited for.
    pub fn waiting(&mut self, what: String) {
        if !self.spinner.is_hidden() {
            self.spinner.set_message(what);
        } else if !self.quiet && self.silent.elapsed() > SILENCE {
            self.line(&format!("  waiting for {what}"));
            self.silent = Clock::system().stopwatch();
        }
    }

    /// Says something worth knowing.
    pub fn note(&self, what: &str) {
        if !self.quiet {
            self.line(&format!("{BOLD_YELLOW}note:{RESET} {what}"));
        }
    }

    /// Takes the spinner away.
    pub fn finish(&self) {
        self.spinner.finish_and_clear();
    }

    fn line(&self, text: &str) {
        self.spinner.suspend(|| anstream::eprintln!("{text}"));
    }
}

/// An error as a person reads it.
pub fn error_text(diagnostic: &Diagnostic) -> String {
    let mut text = format!("{BOLD_RED}error[{}]{RESET}: {BOLD}{}{RESET}", diagnostic.code, diagnostic.title);
    for line in diagnostic.detail.lines() {
        text.push_str(&format!("\n  {line}"));
    }
    if !diagnostic.hint.is_empty() {
        text.push_str(&format!("\n{GREEN}help:{RESET} {}", diagnostic.hint));
    }
    text
}
