//! `cargo xtask up`: from a fresh clone to a running platform. It must never do
//! what `coracle create` can do itself.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::{run, toolchain};

/// The package that makes up the default platform, from the repository's root.
const SHIPPED_STACK: &str = "stacks/basic";

struct Options {
    dev: bool,
    create: Vec<String>,
}

/// Builds the binary and creates the default platform with it.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let options = parse(arguments)?;
    toolchain::require(&[toolchain::GIT, toolchain::C_COMPILER])?;

    let mut build = run::cargo();
    build.args(["build", "--package", "coracle"]);
    if !options.dev {
        build.arg("--release");
    }
    eprintln!("building coracle; the first build takes some minutes, later ones seconds");
    run::must_succeed(&mut build)?;

    let binary = target_directory()?.join(if options.dev { "debug" } else { "release" }).join("coracle");
    // In the user's own directory, so that relative paths of theirs hold.
    let mut create = Command::new(&binary);
    create.arg("create").arg("--package").arg(run::root().join(SHIPPED_STACK)).args(&options.create);
    let status = create.status().with_context(|| format!("cannot start {}", binary.display()))?;
    if status.success() {
        println!("coracle itself is {}", binary.display());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options { dev: false, create: Vec::new() };
    for (at, argument) in arguments.iter().enumerate() {
        match argument.as_str() {
            "--dev" => options.dev = true,
            "--" => {
                options.create = arguments[at + 1..].to_vec();
                break;
            }
            other => bail!("`up` does not know `{other}`; arguments of `coracle create` follow after `--`"),
        }
    }
    Ok(options)
}

/// Where cargo puts what it builds.
pub fn target_directory() -> Result<PathBuf> {
    let metadata = run::captured(run::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    Ok(metadata["target_directory"].as_str().context("cargo metadata names no target directory")?.into())
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_follows_the_dashes_belongs_to_create() {
        let options = parse(&words("--dev -- --name lab -p ./mine --dev")).expect("the arguments are right");
        assert!(options.dev);
        assert_eq!(options.create, words("--name lab -p ./mine --dev"));
    }

    #[test]
    fn an_unknown_argument_names_the_remedy() {
        let error = parse(&words("--name lab")).err().expect("it is unknown").to_string();
        assert_eq!(error, "`up` does not know `--name`; arguments of `coracle create` follow after `--`");
    }
}
