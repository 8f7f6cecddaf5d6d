//! From the start of the process to every Application Healthy, and memory at rest.

use anyhow::Result;

use crate::figures::{self, Series};
use crate::platform;
use crate::programs::{Programs, rounds};

/// Measures and prints.
pub fn run(programs: &Programs) -> Result<()> {
    println!("\nbinary: {:.1} MB", std::fs::metadata(programs.coracle())?.len() as f64 / 1e6);
    let (mut whole, mut memory) = (Series::new("create to all Healthy", "s"), Series::new("memory at rest", "MB"));
    for _ in 0..rounds() {
        let directory = tempfile::tempdir_in(&programs.place)?;
        let platform = platform::create(&programs.coracle(), directory.path())?;
        whole.add(platform.took.as_secs_f64());
        memory.add(platform.settled_memory_mb()?);
    }
    figures::print(&[whole, memory]);
    Ok(())
}
