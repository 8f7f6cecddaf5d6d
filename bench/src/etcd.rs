//! etcd as Debian ships it (package `etcd-server`), with its defaults, driven
//! over gRPC by its own Go client.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::figures::Load;

const CLIENT: &str = "127.0.0.1:23790";
const PEER: &str = "http://127.0.0.1:23800";

/// An etcd that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Puts to a fresh etcd below `directory`.
pub fn puts(etcdput: &Path, directory: &Path, clients: usize, length: Duration, size: usize) -> Result<Load> {
    let url = format!("http://{CLIENT}");
    let child = Command::new("etcd")
        .args(["--data-dir"])
        .arg(directory.join("etcd"))
        .args(["--listen-client-urls", &url, "--advertise-client-urls", &url, "--listen-peer-urls", PEER])
        .args(["--initial-advertise-peer-urls", PEER, "--initial-cluster", &format!("default={PEER}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("etcd is needed: apt install etcd-server")?;
    let _running = Running(child);
    let begin = Instant::now();
    while TcpStream::connect(CLIENT).is_err() {
        if begin.elapsed() > Duration::from_secs(20) {
            bail!("etcd did not start");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = Command::new(etcdput)
        .args(["-endpoint", CLIENT, "-clients", &clients.to_string(), "-size", &size.to_string()])
        .args(["-seconds", &length.as_secs_f64().to_string()])
        .output()?;
    let figures: Value =
        serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let number = |name: &str| figures[name].as_f64().unwrap_or(f64::NAN);
    Ok(Load { per_second: number("per_second"), p99_ms: number("p99_ms") })
}
