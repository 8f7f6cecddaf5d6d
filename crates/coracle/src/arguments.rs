//! What `-p` names, checked whole before anything is made: directories and files
//! are read, addresses are asked whether they answer. It must never change
//! anything.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use base::Diagnostic;
use packages::discovery::{self, AppKey};
use packages::remote::{self, RemotePackage};
use tokio::process::Command;

/// One package of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Package {
    /// A directory, by its absolute path.
    Directory(PathBuf),
    /// A file, by its absolute path.
    File(PathBuf),
    /// A directory of a repository elsewhere.
    Remote { address: String, remote: RemotePackage },
}

impl Package {
    /// As it is written into the Localbuild.
    pub fn argument(&self) -> String {
        match self {
            Package::Directory(path) | Package::File(path) => path.display().to_string(),
            Package::Remote { address, .. } => address.clone(),
        }
    }

    /// The directory to follow for changes, if it is on this machine.
    pub fn local(&self) -> Option<&Path> {
        match self {
            Package::Directory(path) => Some(path),
            Package::File(path) => path.parent(),
            Package::Remote { .. } => None,
        }
    }
}

/// What an argument names: an address, a directory or a file, tried in that order.
pub fn classify(argument: &str) -> Result<Package, Diagnostic> {
    let address = remote::parse(argument);
    if let Ok(remote) = address {
        return Ok(Package::Remote { address: argument.to_owned(), remote });
    }
    let path = Path::new(argument);
    match std::fs::canonicalize(path) {
        Ok(path) if path.is_dir() => Ok(Package::Directory(path)),
        Ok(path) => Ok(Package::File(path)),
        Err(_) if remote::looks_remote(argument) => Err(address.err().unwrap_or_else(|| missing(argument))),
        Err(_) => Err(missing(argument)),
    }
}

fn missing(argument: &str) -> Diagnostic {
    Diagnostic::new("no-such-package", format!("{argument} does not exist"))
        .hint("name a directory, a file, or https://host/org/repo//path?ref=branch")
}

/// Classifies and checks every argument; empty ones and repetitions are left out.
pub async fn check(arguments: &[String]) -> Result<Vec<Package>, Diagnostic> {
    let mut packages: Vec<Package> = Vec::new();
    for argument in arguments.iter().map(|argument| argument.trim()).filter(|argument| !argument.is_empty()) {
        let package = classify(argument)?;
        packages.retain(|earlier| *earlier != package);
        packages.push(package);
    }
    for package in &packages {
        match package {
            Package::Directory(path) | Package::File(path) => {
                applications(path)?;
            }
            Package::Remote { remote, .. } => reach(remote).await?,
        }
    }
    Ok(packages)
}

/// The Applications of a package on this machine.
pub fn applications(path: &Path) -> Result<Vec<AppKey>, Diagnostic> {
    Ok(discovery::check_local(path)?.into_iter().map(|found| found.key).collect())
}

/// Asks a repository for its refs.
async fn reach(package: &RemotePackage) -> Result<(), Diagnostic> {
    let unreachable = |why: String| {
        Diagnostic::new("unreachable-package", format!("{package} cannot be reached"))
            .detail(why)
            .hint("check the address and the network; for a private repository write https://user:token@host/…")
    };
    if !package.repository.starts_with("https://") && !package.repository.starts_with("http://") {
        return Err(Diagnostic::new(
            "bad-package-url",
            format!("{package} is not an address that the platform can fetch"),
        )
        .hint("write https://host/org/repo//path, with user:token@ before the host if the repository is private"));
    }
    let mut git = Command::new("git");
    git.args(["ls-remote", "--quiet", "--", &remote::redact(&package.repository)]);
    // As the server will see it: without the user's own configuration and helpers.
    git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    if let Some(credentials) = remote::credentials(&package.repository) {
        // In the environment, which other users cannot read as they can a command line.
        git.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "http.extraHeader");
        git.env("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {}", base64(&credentials)));
    }
    git.stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(package.timeout, git.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            return Err(Diagnostic::new("no-git", "git cannot be run").detail(error).hint("install git 2.31 or later"));
        }
        Err(_) => return Err(unreachable(format!("no answer within {} seconds", package.timeout.as_secs()))),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.replace(&package.repository, &remote::redact(&package.repository));
        let line = said.lines().find(|line| line.starts_with("fatal:")).or(said.lines().next()).unwrap_or_default();
        return Err(unreachable(line.to_owned()));
    }
    let refs = String::from_utf8_lossy(&output.stdout);
    if is_plain_name(&package.revision) && !names_ref(&refs, &package.revision) {
        return Err(Diagnostic::new(
            "no-such-revision",
            format!("{package} has no branch or tag {}", package.revision),
        )
        .hint("check ?ref= of the address"));
    }
    Ok(())
}

/// A branch or tag that a list of refs would show; commits and version ranges it would not.
fn is_plain_name(revision: &str) -> bool {
    let is_commit = revision.len() >= 4 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    !revision.is_empty() && !is_commit && !revision.contains(['*', '^', '~', '<', '>', '=', ' '])
}

fn names_ref(refs: &str, revision: &str) -> bool {
    let names = [revision.to_owned(), format!("refs/heads/{revision}"), format!("refs/tags/{revision}")];
    refs.lines().filter_map(|line| line.split_once('\t')).any(|(_, name)| names.iter().any(|wanted| wanted == name))
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
