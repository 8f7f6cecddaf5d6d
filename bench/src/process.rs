//! What a server costs, from the kernel's own books: processor time and resident
//! memory of its processes. It must never ask the server itself.

use std::time::Duration;

use anyhow::{Context, Result};

/// Clock ticks a second in `/proc/PID/stat`, the same on every Linux that runs this.
const TICKS: f64 = 100.0;
/// Looks at a server that should be at rest, this long apart.
const PAUSE: Duration = Duration::from_millis(500);
/// Looks after which a server that is still busy is measured all the same.
const LOOKS: usize = 60;
/// A server that uses less than this part of one core is at rest.
const REST: f64 = 0.07;

/// Seconds of processor time that a process has used, in user and kernel mode.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid}"))?;
    // The name stands in brackets and may hold spaces; fields are counted after it.
    let fields = stat.rsplit_once(')').context("no name in stat")?.1;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    let mut time = || -> Result<f64> { Ok(times.next().context("stat is too short")??) };
    Ok((time()? + time()?) / TICKS)
}

/// Resident memory in MB.
pub fn memory_mb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// Processor time of some processes from a moment on.
pub struct Meter {
    begin: Vec<(u32, f64)>,
}

impl Meter {
    /// Starts to count.
    pub fn start(pids: &[u32]) -> Result<Self> {
        let begin = pids.iter().map(|pid| Ok((*pid, cpu_seconds(*pid)?))).collect::<Result<_>>()?;
        Ok(Meter { begin })
    }

    /// Seconds since the start, of all of them.
    pub fn seconds(&self) -> Result<f64> {
        self.begin.iter().map(|(pid, begin)| Ok(cpu_seconds(*pid)? - begin)).sum()
    }
}

/// Waits until the processes have nothing left to do from what came before.
pub async fn settle(pids: &[u32]) -> Result<()> {
    for _ in 0..LOOKS {
        let meter = Meter::start(pids)?;
        tokio::time::sleep(PAUSE).await;
        if meter.seconds()? < REST * PAUSE.as_secs_f64() {
            return Ok(());
        }
    }
    Ok(())
}
