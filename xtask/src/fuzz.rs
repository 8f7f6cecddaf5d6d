//! `cargo xtask fuzz`: runs the fuzz targets of `machinery` for long, one after the other, in
//! a build that is optimised and checks arithmetic. It must never know what a target tests.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::{run, up};

const TESTS: [&str; 6] = ["test", "--package", "machinery", "--profile", "fuzz", "--lib"];

/// Runs the targets whose names contain the filter, each for so many minutes.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let (minutes, filter) = read(arguments)?;
    let listed = run::captured(run::cargo().args(TESTS).args(["--", "--list"]))?;
    let targets = targets(&listed, filter);
    if targets.is_empty() {
        bail!("no fuzz target is called `{filter}`");
    }
    // What a target was at is kept there: it survives a crash of the process.
    let notes = up::target_directory()?.join("fuzz-notes");
    fs::create_dir_all(&notes).with_context(|| format!("{} cannot be made", notes.display()))?;
    let mut failed = Vec::new();
    for target in &targets {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos();
        println!("{target}: {minutes} minutes from seed {seed}");
        let mut command = fuzzing(target);
        command.env("CORACLE_FUZZ_SECONDS", (minutes * 60).to_string());
        command.env("CORACLE_FUZZ_SEED", seed.to_string()).env("CORACLE_FUZZ_NOTES", &notes);
        if !command.status().context("cannot start cargo")?.success() {
            let case = fs::read_to_string(notes.join(target.replace("::", "-"))).unwrap_or_default();
            let shown = run::shown(&fuzzing(target));
            failed.push(format!("{target} fails; repeat with: CORACLE_FUZZ_CASE={case} {shown}"));
        }
    }
    failed.iter().for_each(|line| eprintln!("{line}"));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn fuzzing(target: &str) -> Command {
    let mut command = run::cargo();
    command.args(TESTS).args(["--", "--exact", target, "--nocapture"]);
    command
}

/// Minutes and a part of a name, each of which may be left out.
fn read(arguments: &[String]) -> Result<(u64, &str)> {
    let minutes = |text: &String| text.parse::<u64>().ok();
    match arguments {
        [] => Ok((1, "")),
        [one] => Ok(minutes(one).map_or((1, one.as_str()), |minutes| (minutes, ""))),
        [first, name] => Ok((minutes(first).context("the first argument is a number of minutes")?, name)),
        _ => bail!("`fuzz` takes minutes and a name"),
    }
}

/// The fuzz targets in a list of tests.
fn targets(listed: &str, filter: &str) -> Vec<String> {
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    names.filter(|name| name.starts_with("fuzz::") && name.contains(filter)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{read, targets};

    #[test]
    fn arguments_are_minutes_and_a_name() {
        let check = |arguments: &[&str], expect: Option<(u64, &str)>| {
            let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(read(&arguments).ok(), expect, "{arguments:?}");
        };
        check(&[], Some((1, "")));
        check(&["5"], Some((5, "")));
        check(&["yaml"], Some((1, "yaml")));
        check(&["5", "yaml"], Some((5, "yaml")));
        check(&["yaml", "5"], None);
        check(&["1", "a", "b"], None);
    }

    #[test]
    fn targets_are_found_among_tests() {
        let listed = "fuzz::readers::json: test\nfuzz::texts::words: test\nyaml::tests::fuzz: test\n\n3 tests\n";
        assert_eq!(targets(listed, ""), ["fuzz::readers::json", "fuzz::texts::words"]);
        assert_eq!(targets(listed, "words"), ["fuzz::texts::words"]);
    }
}
