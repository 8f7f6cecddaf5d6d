//! The system's `git`, run in an environment of our own: no configuration, hooks,
//! prompts or credentials of the machine's user can reach it. It decides nothing
//! about repositories or URLs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base::Diagnostic;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// Settings of every call: nothing from disk runs, everything received is checked, and what
/// is acknowledged has been flushed.
const CONFIG: &[(&str, &str)] = &[
    ("safe.directory", "*"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsync", "all"),
    ("core.fsyncMethod", "batch"),
    ("core.logAllRefUpdates", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("transfer.fsckObjects", "true"),
    ("transfer.unpackLimit", "32"),
    ("transfer.advertiseSID", "false"),
    ("advice.detachedHead", "false"),
];

/// How long a process that was asked to end may take before it is killed.
const TERM_PATIENCE: Duration = Duration::from_secs(5);

/// Finds and starts `git`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {
    path: OsString,
    search: OsString,
    home: PathBuf,
}

impl Program {
    /// The system's `git`, with `home`, an empty directory, as its home.
    pub async fn find(home: PathBuf) -> Result<Self, Diagnostic> {
        let search = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let program = Program { path: "git".into(), search, home };
        let version = program.command(Path::new("/"), &[]).arg("version").output().await;
        let missing = |detail: String| {
            Diagnostic::new("no-git", "the git program cannot be run")
                .detail(detail)
                .hint("Install git 2.36 or newer, for example with `apt-get install git`.")
        };
        let version = version.map_err(|error| missing(error.to_string()))?;
        let text = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        match parse_version(&text) {
            Some(found) if found >= (2, 36) => Ok(program),
            _ => Err(missing(format!("found {text:?}"))),
        }
    }

    /// A call of git in `directory` with settings beyond the usual ones. Settings travel in the
    /// environment, so that secrets among them are not on a command line.
    pub fn command(&self, directory: &Path, config: &[(&str, &str)]) -> Command {
        let mut command = Command::new(&self.path);
        command
            .current_dir(directory)
            .env_clear()
            .envs(self.environment(config))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    /// The same for threads that may block.
    pub fn blocking_command(&self, directory: &Path, config: &[(&str, &str)]) -> std::process::Command {
        let mut command = std::process::Command::new(&self.path);
        command
            .current_dir(directory)
            .env_clear()
            .envs(self.environment(config))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn environment(&self, config: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        let home = self.home.as_os_str();
        let mut environment: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), self.search.clone()),
            ("HOME".into(), home.to_owned()),
            ("XDG_CONFIG_HOME".into(), home.to_owned()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("GIT_CONFIG_GLOBAL".into(), "/dev/null".into()),
            ("GIT_ATTR_NOSYSTEM".into(), "1".into()),
            ("GIT_TERMINAL_PROMPT".into(), "0".into()),
            ("GIT_ASKPASS".into(), "true".into()),
            ("LC_ALL".into(), "C".into()),
            ("TZ".into(), "UTC".into()),
        ];
        let all = CONFIG.iter().chain(config);
        let count = CONFIG.len() + config.len();
        environment.push(("GIT_CONFIG_COUNT".into(), count.to_string().into()));
        for (index, (key, value)) in all.enumerate() {
            environment.push((format!("GIT_CONFIG_KEY_{index}").into(), key.into()));
            environment.push((format!("GIT_CONFIG_VALUE_{index}").into(), value.into()));
        }
        environment
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("git version ")?.split(['.', ' ']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A running git and its helpers, which end with it: dropping this asks them to end in
/// order, so that they remove their lock files and quarantined objects.
pub struct Running {
    child: Child,
    group: Option<Pid>,
}

impl Running {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        let child = command.spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Running { child, group })
    }

    /// The process, to take its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for the end at most `patience`, then ends it; says whether it succeeded.
    pub async fn finish(mut self, patience: Duration) -> bool {
        if let Ok(status) = tokio::time::timeout(patience, self.child.wait()).await {
            self.group = None;
            return status.is_ok_and(|status| status.success());
        }
        self.signal(Signal::TERM);
        if tokio::time::timeout(TERM_PATIENCE, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
            let _ = self.child.wait().await;
        }
        self.group = None;
        false
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It may have ended by itself in the meantime: nothing is left to do then.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions() {
        assert_eq!(parse_version("git version 2.39.5"), Some((2, 39)));
        assert_eq!(parse_version("git version 2.50.1 (Apple Git-155)"), Some((2, 50)));
        assert_eq!(parse_version("git version 3.0"), Some((3, 0)));
        assert_eq!(parse_version("zsh: not found"), None);
    }
}
