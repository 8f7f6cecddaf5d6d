//! kubectl as a person runs it, against one platform.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::{Platform, tools};

/// kubectl with one kubeconfig and a cache of its own.
pub struct Kubectl {
    binary: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Output {
    /// Whether it exited with 0.
    pub ok: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Kubectl {
    /// kubectl as the administrator of a platform.
    pub fn new(platform: &Platform) -> Result<Self> {
        let home = platform.layout().root().join("kubectl-home");
        std::fs::create_dir_all(&home)?;
        Ok(Kubectl { binary: tools::kubectl()?, kubeconfig: platform.kubeconfig(), home })
    }

    /// The command with these arguments, not yet run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig).env("HOME", &self.home).kill_on_drop(true);
        command
    }

    /// Runs with nothing on standard input.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.run_with(arguments, "").await
    }

    /// Runs with text on standard input.
    pub async fn run_with(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).await?;
        }
        let output = child.wait_with_output().await?;
        Ok(Output {
            ok: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs, and returns standard output; fails with what kubectl said if it fails.
    pub async fn ok(&self, arguments: &[&str]) -> Result<String> {
        self.ok_with(arguments, "").await
    }

    /// As [`Kubectl::ok`], with text on standard input.
    pub async fn ok_with(&self, arguments: &[&str], input: &str) -> Result<String> {
        let output = self.run_with(arguments, input).await?;
        if !output.ok {
            bail!("kubectl {} failed: {}{}", arguments.join(" "), output.stdout, output.stderr);
        }
        Ok(output.stdout)
    }

    /// Runs, and returns standard error; fails if kubectl does not.
    pub async fn fails(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments).await?;
        if output.ok {
            bail!("kubectl {} was to fail, but printed: {}", arguments.join(" "), output.stdout);
        }
        Ok(output.stderr)
    }
}
