//! `coracle doctor`: whether this machine can run a platform, each answer with a
//! remedy. It looks and changes nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use base::{Clock, Diagnostic};
use server::Config;
use tokio::process::Command;

use crate::cli::Doctor;
use crate::{host, output, paths, ports};

/// The oldest git that receives pushes into quarantine and speaks protocol 2 by default.
const OLDEST_GIT: (u32, u32) = (2, 31);
/// Free space below which a platform soon fails.
const LEAST_FREE_BYTES: u64 = 1 << 30;
/// Watches that following a package of usual size takes.
const LEAST_WATCHES: u64 = 8_192;
/// Open files that a platform under load takes.
const LEAST_FILES: u64 = 1_024;
/// 2024-01-01: a clock before that makes every certificate invalid.
const EARLIEST_SECOND: i64 = 1_704_067_200;

/// One answer.
struct Check {
    what: &'static str,
    outcome: Outcome,
}

enum Outcome {
    Good(String),
    /// Works, but not as well as it could.
    Fair(String, String),
    Bad(String, String),
}

/// Checks everything and says so.
pub async fn run(args: &Doctor) -> Result<(), Diagnostic> {
    let (name, layout) = paths::named(&args.named)?;
    let running = layout.running().is_some();
    let config = layout.load()?.unwrap_or_else(|| Config::new(&name));
    let checks = vec![
        Check { what: "git", outcome: git().await },
        Check {
            what: "port of the Kubernetes API",
            outcome: port(args.api_port.unwrap_or(config.api_port), "--api-port", running),
        },
        Check { what: "port of everything else", outcome: port(args.port.unwrap_or(config.port), "--port", running) },
        Check { what: "directory", outcome: directory(layout.root()) },
        Check { what: "disk space", outcome: disk(layout.root()) },
        Check { what: "open files", outcome: open_files() },
        Check { what: "inotify watches", outcome: inotify() },
        Check { what: "host name", outcome: host_name().await },
        Check { what: "clock", outcome: clock(&Clock::system()) },
    ];
    let mut failed = Vec::new();
    for check in &checks {
        let (sign, found, remedy) = match &check.outcome {
            Outcome::Good(found) => ("✓", found, None),
            Outcome::Fair(found, remedy) => ("✓", found, Some(remedy)),
            Outcome::Bad(found, remedy) => {
                failed.push(check.what);
                ("✗", found, Some(remedy))
            }
        };
        output::print(&format!("{sign} {}: {found}", check.what));
        if let Some(remedy) = remedy {
            output::print(&format!("    {remedy}"));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::new("unfit-machine", format!("this machine cannot run a platform as it is: {}", failed.join(", ")))
        .hint("follow the remedies above"))
}

async fn git() -> Outcome {
    let remedy = format!("install git {}.{} or later", OLDEST_GIT.0, OLDEST_GIT.1);
    let Ok(said) = Command::new("git").arg("--version").output().await else {
        return Outcome::Bad("not found".to_owned(), remedy);
    };
    let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    match git_version(&said) {
        Some(version) if version >= OLDEST_GIT => Outcome::Good(said),
        Some(_) => Outcome::Bad(format!("{said} is too old"), remedy),
        None => Outcome::Bad(format!("it says {said:?}"), remedy),
    }
}

/// Major and minor number from what `git --version` says.
pub fn git_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("git version ")?.split(['.', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn port(port: u16, flag: &str, running: bool) -> Outcome {
    match ports::check(std::net::Ipv4Addr::LOCALHOST.into(), port, flag) {
        Ok(()) => Outcome::Good(format!("{port} is free")),
        Err(_) if running => Outcome::Good(format!("{port} is held by the platform itself")),
        Err(diagnostic) => Outcome::Bad(diagnostic.title, diagnostic.hint),
    }
}

/// The nearest directory above that exists.
fn existing(path: &Path) -> &Path {
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"))
}

fn directory(root: &Path) -> Outcome {
    let nearest = existing(root);
    let remedy = "name another directory with --data-dir".to_owned();
    let Ok(facts) = fs::metadata(nearest) else {
        return Outcome::Bad(format!("{} cannot be read", nearest.display()), remedy);
    };
    if rustix::fs::access(nearest, rustix::fs::Access::WRITE_OK).is_err() {
        return Outcome::Bad(format!("{} cannot be written", nearest.display()), remedy);
    }
    if nearest == root && facts.mode() & 0o077 != 0 {
        return Outcome::Fair(format!("{} is open to others", root.display()), format!("chmod 700 {}", root.display()));
    }
    Outcome::Good(format!("{} can be written", root.display()))
}

fn disk(root: &Path) -> Outcome {
    let Ok(facts) = rustix::fs::statvfs(existing(root)) else {
        return Outcome::Fair("cannot be told".to_owned(), "make sure there is 1 GiB".to_owned());
    };
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    let found = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
    if free < LEAST_FREE_BYTES {
        return Outcome::Bad(found, "free some space, or name another directory with --data-dir".to_owned());
    }
    Outcome::Good(found)
}

fn open_files() -> Outcome {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    match limit.current {
        Some(files) if files < LEAST_FILES => {
            Outcome::Bad(format!("at most {files}"), format!("raise the limit: ulimit -n {LEAST_FILES}"))
        }
        Some(files) => Outcome::Good(format!("at most {files}")),
        None => Outcome::Good("no limit".to_owned()),
    }
}

fn inotify() -> Outcome {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_user_watches")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    match limit {
        Some(watches) if watches < LEAST_WATCHES => Outcome::Fair(
            format!("at most {watches}"),
            "create --no-exit may not follow large packages: sudo sysctl fs.inotify.max_user_watches=65536".to_owned(),
        ),
        Some(watches) => Outcome::Good(format!("at most {watches}")),
        None => Outcome::Good("not limited here".to_owned()),
    }
}

async fn host_name() -> Outcome {
    match host::why_not(host::DEFAULT).await {
        None => Outcome::Good(format!("*.{} points to this machine", host::DEFAULT)),
        Some(why) => Outcome::Fair(
            why,
            "platforms use https://localhost with a path for each part instead; nothing needs to be done".to_owned(),
        ),
    }
}

fn clock(clock: &Clock) -> Outcome {
    let now = clock.now();
    if now.as_second() < EARLIEST_SECOND {
        return Outcome::Bad(format!("it says {now}"), "set the clock: certificates would not be valid".to_owned());
    }
    Outcome::Good(clock.now_rfc3339())
}
