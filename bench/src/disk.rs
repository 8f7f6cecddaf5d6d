//! What the disk itself can do: appends that are synced one by one.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Synced appends of `size` bytes a second.
pub fn syncs_per_second(directory: &Path, size: usize, length: Duration) -> Result<f64> {
    let mut file = File::create(directory.join("raw"))?;
    let block = vec![7u8; size];
    let begin = Instant::now();
    let mut count = 0u32;
    while begin.elapsed() < length {
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}
