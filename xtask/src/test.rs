//! `cargo xtask test`: every check and every test, and one line that sums them
//! up. It must never hide a step's failure behind another's success.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::clients::{self, Clients};
use crate::{run, tidy};

/// Code that only its own command builds, and that every check covers.
const OPTIONAL: &str = "xtask/schemas";

/// What was asked for: nothing means everything.
#[derive(Default, Debug, PartialEq, Eq)]
struct Selection {
    packages: Vec<String>,
    filters: Vec<String>,
}

/// Passed and failed tests; a step that fails without tests counts as one.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// Runs what was asked for, to its end, and exits non-zero if anything failed.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let selection = select(arguments)?;
    let mut steps = Steps::default();
    if selection == Selection::default() {
        lints(&mut steps);
    }
    let mut clients = None;
    steps.step("clients: kubectl and Python", || {
        clients = Some(clients::ready()?);
        Ok(Tally::default())
    });
    if let Some(clients) = clients {
        steps.step("tests", || cargo_test(&selection, &clients));
    }
    Ok(steps.finish())
}

fn select(arguments: &[String]) -> Result<Selection> {
    let mut selection = Selection::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-p" | "--package" => {
                selection.packages.push(arguments.next().context("`-p` wants the name of a crate")?.clone());
            }
            option if option.starts_with('-') => anyhow::bail!("`test` does not know `{option}`"),
            filter => selection.filters.push(filter.to_owned()),
        }
    }
    Ok(selection)
}

/// What needs no client and no test binary, the quickest first.
fn lints(steps: &mut Steps) {
    steps.step("tidy: house rules", || {
        let findings = tidy::check(&run::root())?;
        findings.iter().for_each(|finding| println!("{finding}"));
        Ok(Tally { passed: 0, failed: findings.len() as u64 })
    });
    steps.step("rustfmt", || {
        component("fmt", "rustfmt")?;
        run::must_succeed(run::cargo().args(["fmt", "--all", "--", "--check"]))?;
        Ok(Tally::default())
    });
    steps.step("clippy", || {
        component("clippy", "clippy")?;
        let flags = ["clippy", "--workspace", "--all-targets", "--features", OPTIONAL, "--", "-D", "warnings"];
        run::must_succeed(run::cargo().args(flags))?;
        Ok(Tally::default())
    });
}

/// A minimal installation of Rust lacks both linters.
fn component(subcommand: &str, name: &str) -> Result<()> {
    if run::output_of(run::cargo().args([subcommand, "--version"])).is_some() {
        return Ok(());
    }
    let mut install = Command::new("rustup");
    install.args(["component", "add", name]).current_dir(run::root());
    run::must_succeed(&mut install).with_context(|| format!("{name} is missing from this installation of Rust"))
}

/// Runs cargo's tests, shows what they print as it comes, and adds them up.
fn cargo_test(selection: &Selection, clients: &Clients) -> Result<Tally> {
    let mut command = run::cargo();
    command.args(["test", "--no-fail-fast"]).envs(clients.environment()).stdout(Stdio::piped());
    if selection.packages.is_empty() {
        command.args(["--workspace", "--features", OPTIONAL]);
    }
    for package in &selection.packages {
        command.args(["--package", package]);
    }
    command.arg("--").args(&selection.filters);

    let mut child = command.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo's output is piped")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let mut out = std::io::stdout().lock();
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        if let Some(result) = result_line(&String::from_utf8_lossy(&line)) {
            tally.passed += result.passed;
            tally.failed += result.failed;
        }
    }
    let status = child.wait()?;
    // A crate that does not build, or a test binary that dies, prints no result.
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
    }
    Ok(tally)
}

/// Reads `test result: ok. 5 passed; 0 failed; …`.
fn result_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| {
        let part = counts.split(';').find_map(|part| part.trim().strip_suffix(word))?;
        part.trim().parse::<u64>().ok()
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

/// Runs steps one after the other, each under its own heading and with its time.
#[derive(Default)]
struct Steps {
    total: Tally,
    failed: Vec<&'static str>,
}

impl Steps {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<Tally>) {
        println!("\n=== {name}");
        let start = Instant::now();
        let tally = work().unwrap_or_else(|error| {
            println!("error: {error:#}");
            Tally { passed: 0, failed: 1 }
        });
        let seconds = start.elapsed().as_secs_f64();
        let outcome = if tally.failed == 0 { "ok" } else { "FAILED" };
        println!("=== {name}: {outcome} in {seconds:.1} s");
        self.total.passed += tally.passed;
        self.total.failed += tally.failed;
        if tally.failed > 0 {
            self.failed.push(name);
        }
    }

    fn finish(&self) -> ExitCode {
        println!();
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join(", "));
        }
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        if self.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::{Selection, Steps, Tally, result_line, select};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn result_lines_are_read_and_other_lines_are_not() {
        let ok = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s";
        assert_eq!(result_line(ok), Some(Tally { passed: 12, failed: 0 }));
        let failed = "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(result_line(failed), Some(Tally { passed: 4, failed: 2 }));
        assert_eq!(result_line("test tests::result ... ok"), None);
    }

    #[test]
    fn crates_and_filters_are_told_apart() {
        let selection = select(&words("-p store crash_ replay")).expect("the arguments are right");
        assert_eq!(selection, Selection { packages: words("store"), filters: words("crash_ replay") });
        assert!(select(&words("--release")).is_err());
    }

    #[test]
    fn a_step_that_fails_is_counted_and_the_next_one_still_runs() {
        let mut steps = Steps::default();
        steps.step("first", || bail!("no such program"));
        steps.step("second", || Ok(Tally { passed: 3, failed: 0 }));
        assert_eq!(steps.total, Tally { passed: 3, failed: 1 });
        assert_eq!(steps.failed, ["first"]);
    }
}
