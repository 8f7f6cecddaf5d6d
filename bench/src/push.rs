//! How long a push takes to become an object in the cluster: a repository, an
//! Application that follows it, and a change pushed again and again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::figures::{self, Series};
use crate::platform::{self, Platform};
use crate::programs::Programs;

/// Pushes that are timed.
const PUSHES: usize = 100;

/// What was timed.
struct Times {
    /// `git push` alone.
    push: Series,
    /// From the start of `git push` to the object.
    applied: Series,
    /// The 99th percentile of the same.
    applied_p99: Series,
}

/// Measures and prints.
pub async fn run(programs: &Programs) -> Result<()> {
    let directory = tempfile::tempdir_in(&programs.place)?;
    let platform = platform::create(&programs.coracle(), directory.path())?;
    let times = times(&platform, PUSHES).await?;
    figures::print(&[times.push, times.applied, times.applied_p99]);
    Ok(())
}

/// Pushes `count` times.
async fn times(platform: &Platform, count: usize) -> Result<Times> {
    let secrets = platform.command("get").args(["secrets", "-p", "gitea", "-o", "json"]).output()?;
    let secrets: Value = serde_json::from_slice(&secrets.stdout).context("get secrets")?;
    let (user, password) = (text(&secrets[0]["username"])?, text(&secrets[0]["password"])?);
    let base = base_url(platform)?;
    let ca = platform.data.join("pki/ca.crt");
    let work = platform.data.with_file_name("work");
    make_repository(&base, &ca, &user, &password, &work)?;
    kubectl_apply(platform, &application(&format!("{base}/{user}/bench.git")))?;

    let mut watch = tokio::process::Command::new(kubectl());
    watch.args(["get", "configmap", "-n", "bench", "-w", "-o", "jsonpath={.metadata.name} {.data.n}{\"\\n\"}"]);
    let mut child = watch.env("KUBECONFIG", platform.kubeconfig()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("standard output")?).lines();
    let mut times = Times {
        push: Series::new("git push", "ms"),
        applied: Series::new("git push to object applied", "ms"),
        applied_p99: Series::new("git push to object applied, p99", "ms"),
    };
    for number in 1..=count {
        write(&work, number)?;
        git(&work, &ca, &["commit", "-qam", "next"])?;
        let begin = Instant::now();
        git(&work, &ca, &["push", "-q", "origin", "main"])?;
        times.push.add(begin.elapsed().as_secs_f64() * 1e3);
        let wanted = format!("bench {number}");
        while lines.next_line().await?.context("the watch ended")? != wanted {}
        times.applied.add(begin.elapsed().as_secs_f64() * 1e3);
    }
    times.applied_p99.add(times.applied.quantile(0.99));
    Ok(times)
}

fn make_repository(base: &str, ca: &Path, user: &str, password: &str, work: &Path) -> Result<()> {
    std::fs::create_dir_all(work)?;
    let body = r#"{"name":"bench","default_branch":"main"}"#;
    let status = Command::new("curl")
        .args(["-sf", "--cacert"])
        .arg(ca)
        .args(["-u", &format!("{user}:{password}"), "-H", "Content-Type: application/json", "-d", body])
        .arg(format!("{base}/api/v1/user/repos"))
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("the repository could not be made: {status}");
    }
    let url = format!("{base}/{user}/bench.git").replacen("https://", &format!("https://{user}:{password}@"), 1);
    git(work, ca, &["init", "-q", "-b", "main"])?;
    git(work, ca, &["remote", "add", "origin", &url])?;
    write(work, 0)?;
    git(work, ca, &["add", "."])?;
    git(work, ca, &["commit", "-qm", "first"])?;
    git(work, ca, &["push", "-q", "origin", "main"])
}

fn write(work: &Path, number: usize) -> Result<()> {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bench"}, "data": {"n": number.to_string()}});
    Ok(std::fs::write(work.join("object.json"), object.to_string())?)
}

fn git(work: &Path, ca: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new("git")
        .current_dir(work)
        .env("GIT_SSL_CAINFO", ca)
        .args(["-c", "user.name=bench", "-c", "user.email=bench@example.com"])
        .args(arguments)
        .status()?;
    if !status.success() {
        bail!("git {} failed", arguments.join(" "));
    }
    Ok(())
}

fn application(url: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "bench", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "targetRevision": "HEAD", "path": "."},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "bench"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]},
        },
    })
}

fn kubectl_apply(platform: &Platform, object: &Value) -> Result<()> {
    let file = platform.data.with_file_name("application.json");
    std::fs::write(&file, object.to_string())?;
    let status = Command::new(kubectl())
        .env("KUBECONFIG", platform.kubeconfig())
        .args(["apply", "-f"])
        .arg(&file)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("kubectl apply failed");
    }
    Ok(())
}

fn kubectl() -> PathBuf {
    std::env::var_os("CORACLE_TEST_KUBECTL").map_or_else(|| PathBuf::from("kubectl"), PathBuf::from)
}

/// Where the git server is, from the Platform object.
fn base_url(platform: &Platform) -> Result<String> {
    let config = std::fs::read(platform.data.join("platform.json"))?;
    let config: Value = serde_json::from_slice(&config)?;
    let (protocol, host, port) = (text(&config["protocol"])?, text(&config["host"])?, config["port"].clone());
    Ok(match config["pathRouting"].as_bool() {
        Some(true) => format!("{protocol}://{host}:{port}/gitea"),
        _ => format!("{protocol}://gitea.{host}:{port}"),
    })
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("text was expected")
}
