//! Where things are in a platform's directory, and who holds it. Nothing else
//! in the project builds these paths.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base::Diagnostic;

use crate::Config;

/// How often a lock is tried for before it counts as taken, some 10 ms apart.
const LOCK_TRIES: usize = 30;

/// The directory of one platform, mode 0700.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// A layout below `root`; nothing is touched.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Layout { root: root.into() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The configuration; its presence makes the directory a platform's.
    pub fn config(&self) -> PathBuf {
        self.root.join("platform.json")
    }

    /// The log of objects.
    pub fn store(&self) -> PathBuf {
        self.root.join("store.db")
    }

    /// Certificates and keys.
    pub fn pki(&self) -> PathBuf {
        self.root.join("pki")
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.root.join("kubeconfig")
    }

    /// What the server process says.
    pub fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }

    /// Process id of the server that holds the lock.
    pub fn pid(&self) -> PathBuf {
        self.root.join("server.pid")
    }

    /// A capability's own directory.
    pub fn capability(&self, name: &str) -> PathBuf {
        self.root.join("capabilities").join(name)
    }

    /// Makes the directory with its configuration, unless it is a platform's already.
    /// A directory with anything else in it is refused untouched.
    pub fn create(&self, config: &Config) -> Result<(), Diagnostic> {
        if self.root.exists() && !self.config().exists() {
            let empty = fs::read_dir(&self.root).map_err(|error| self.unusable(&error))?.next().is_none();
            if !empty {
                return Err(Diagnostic::new(
                    "foreign-directory",
                    format!("{} holds files that are not a platform's", self.root.display()),
                )
                .hint("name another directory with --data-dir, or empty this one"));
            }
        }
        for directory in [self.root.clone(), self.pki(), self.root.join("capabilities")] {
            make_private(&directory).map_err(|error| self.unusable(&error))?;
        }
        self.save(config)
    }

    /// Writes the configuration in one step.
    pub fn save(&self, config: &Config) -> Result<(), Diagnostic> {
        let text = serde_json::to_vec_pretty(config).expect("a configuration is plain data");
        write_private(&self.config(), &text).map_err(|error| self.unusable(&error))
    }

    /// Reads the configuration; `None` if no platform is here.
    pub fn load(&self) -> Result<Option<Config>, Diagnostic> {
        let text = match fs::read(self.config()) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(&error)),
        };
        let config: Config = serde_json::from_slice(&text).map_err(|error| {
            Diagnostic::new("broken-config", format!("{} cannot be read", self.config().display()))
                .detail(error)
                .hint("restore the file from a backup, or delete the platform and create it again")
        })?;
        if config.format > Config::FORMAT {
            return Err(Diagnostic::new(
                "newer-format",
                format!("{} was written by a newer coracle (format {})", self.root.display(), config.format),
            )
            .hint("use that version, or a later one"));
        }
        Ok(Some(config))
    }

    /// Takes the lock and writes the process id. Held until the returned guard is dropped.
    pub fn lock(&self) -> Result<Lock, Diagnostic> {
        let path = self.root.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| self.unusable(&error))?;
        if !lock_soon(&file) {
            return Err(Diagnostic::new(
                "already-running",
                format!("another process serves the platform in {}", self.root.display()),
            )
            .hint("stop it with `coracle stop`, or use `coracle status`"));
        }
        write_private(&self.pid(), std::process::id().to_string().as_bytes()).map_err(|error| self.unusable(&error))?;
        Ok(Lock { _file: file, pid: self.pid() })
    }

    /// The server's process id, if a live process holds the lock.
    pub fn running(&self) -> Option<u32> {
        let file = OpenOptions::new().write(true).open(self.root.join("lock")).ok()?;
        // Shared, so that two who look do not take each other for the server.
        if rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockShared).is_ok() {
            return None;
        }
        fs::read_to_string(self.pid()).ok()?.trim().parse().ok()
    }

    fn unusable(&self, error: &std::io::Error) -> Diagnostic {
        let diagnostic = match error.kind() {
            std::io::ErrorKind::StorageFull => {
                return Diagnostic::new("disk-full", format!("no space is left for {}", self.root.display()))
                    .hint("free some space, or name another directory with --data-dir");
            }
            _ => Diagnostic::new("unusable-directory", format!("{} cannot be used", self.root.display())),
        };
        diagnostic.detail(error).hint("check its owner and permissions, or name another with --data-dir")
    }
}

/// The lock on a platform's directory.
pub struct Lock {
    _file: File,
    pid: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A stale file does no harm: its process no longer holds the lock.
        let _ = fs::remove_file(&self.pid);
    }
}

/// Makes a directory that only its owner enters.
pub fn make_private(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Takes a lock that somebody who only looks may hold for an instant.
fn lock_soon(file: &File) -> bool {
    (0..LOCK_TRIES).any(|attempt| {
        if attempt > 0 {
            // There is no event for a lock that is given back, short of waiting for it without end.
            std::thread::sleep(Duration::from_millis(10));
        }
        rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
    })
}

/// Replaces a file in one durable step; only its owner reads it. No other file is touched,
/// whatever lies beside it.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let temporary = parent.join(format!(".{name}.{}.{number}.tmp", std::process::id()));
    let written = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    if let Err(error) = written {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            // What was begun is of no use to anybody.
            let _ = fs::remove_file(&temporary);
        }
        return Err(error);
    }
    File::open(parent)?.sync_all()
}
