//! A platform made by the binary under test, in a directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Ports that nothing else uses, one platform at a time.
pub const API_PORT: u16 = 26443;
const WEB_PORT: u16 = 28443;

/// A platform that is deleted with this value.
pub struct Platform {
    binary: PathBuf,
    home: PathBuf,
    /// Its directory.
    pub data: PathBuf,
    /// How long `create` took, as a whole process.
    pub took: Duration,
}

/// The directory of a platform's certificates and keys.
pub struct Pki(pub PathBuf);

impl Pki {
    /// One of its files.
    pub fn read(&self, name: &str) -> Result<String> {
        let path = self.0.join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

/// Runs `coracle create` with the shipped stack.
pub fn create(binary: &Path, directory: &Path) -> Result<Platform> {
    let (home, data) = (directory.join("home"), directory.join("data"));
    std::fs::create_dir_all(&home)?;
    let mut platform = Platform { binary: binary.to_owned(), home, data, took: Duration::ZERO };
    let begin = Instant::now();
    let output = platform
        .command("create")
        .args(["--port", &WEB_PORT.to_string(), "--api-port", &API_PORT.to_string()])
        .output()?;
    platform.took = begin.elapsed();
    if !output.status.success() {
        bail!("create failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(platform)
}

impl Platform {
    /// A command of coracle about this platform.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg(verb).args(["--name", "bench", "--data-dir"]).arg(&self.data);
        command.env("HOME", &self.home).env("KUBECONFIG", self.kubeconfig()).stdin(Stdio::null());
        command
    }

    /// The kubeconfig that `create` wrote.
    pub fn kubeconfig(&self) -> PathBuf {
        self.home.join("kubeconfig")
    }

    /// The platform's certificates and keys.
    pub fn pki(&self) -> Pki {
        Pki(self.data.join("pki"))
    }

    /// Resident memory of the server once it has been left alone for a while, in MB.
    pub fn settled_memory_mb(&self) -> Result<f64> {
        std::thread::sleep(Duration::from_secs(5));
        let pid = std::fs::read_to_string(self.data.join("server.pid"))?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // The directory goes anyway; a server left behind would show at the next round.
        let _ = self.command("delete").output();
    }
}
