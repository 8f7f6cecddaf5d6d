//! Fetches the published modules of one Kubernetes release through the Go
//! client. It knows module names only; where they come from is the client's
//! configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

/// The modules that hold Go types; their versions are the release's with `v0`.
const STAGING: &[&str] = &["api", "apimachinery", "apiextensions-apiserver", "kube-aggregator"];

/// Unpacked modules.
pub struct Sources {
    /// Root of `k8s.io/kubernetes`.
    pub kubernetes: PathBuf,
    /// Roots of the modules with Go types, by their last name.
    pub staging: BTreeMap<String, PathBuf>,
}

/// Downloads every module, or finds it in the client's cache.
pub fn sources(release: &str) -> anyhow::Result<Sources> {
    let staging_version = release.replacen("v1.", "v0.", 1);
    let mut staging = BTreeMap::new();
    for name in STAGING {
        staging.insert((*name).to_owned(), module(&format!("k8s.io/{name}@{staging_version}"))?);
    }
    Ok(Sources { kubernetes: module(&format!("k8s.io/kubernetes@{release}"))?, staging })
}

fn module(name: &str) -> anyhow::Result<PathBuf> {
    let output = Command::new("go")
        .args(["mod", "download", "-json", name])
        // Outside any module, so that nothing of ours decides what is fetched.
        .current_dir(std::env::temp_dir())
        .output()
        .context("running `go`, which fetches Kubernetes' modules: install Go")?;
    let answer: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("fetching {name}"))?;
    match answer["Dir"].as_str() {
        Some(dir) if output.status.success() => Ok(Path::new(dir).to_owned()),
        _ => bail!("fetching {name}: {}", answer["Error"].as_str().unwrap_or("no directory")),
    }
}
