//! Files that survive a loss of power once a call has returned. It knows nothing
//! of git.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Flushes that are asked for at the same time: the disk answers many as fast as one.
const AT_ONCE: usize = 16;

/// Puts `bytes` in the place of `path` in one step, flushed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let parent = path.parent().ok_or_else(|| io::Error::other("a file has a directory"))?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let temporary = parent.join(format!(".{name}.tmp"));
    write_new(&temporary, bytes)?;
    fs::rename(&temporary, path)?;
    sync_directory(parent)
}

/// Writes and flushes a file; the name is flushed with its directory.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Flushes the names in a directory.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Flushes all of these, files or directories, in hardly more time than one takes.
pub fn sync_all(files: &[File]) -> io::Result<()> {
    for group in files.chunks(AT_ONCE) {
        if let [file] = group {
            file.sync_all()?;
            continue;
        }
        std::thread::scope(|scope| {
            let flushes: Vec<_> = group.iter().map(|file| scope.spawn(|| file.sync_all())).collect();
            flushes.into_iter().try_for_each(|flush| {
                flush.join().unwrap_or_else(|_| Err(io::Error::other("flushing a file panicked")))
            })
        })?;
    }
    Ok(())
}

/// Flushes the names in all of these directories.
pub fn sync_directories<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> io::Result<()> {
    let opened: io::Result<Vec<File>> = paths.into_iter().map(File::open).collect();
    sync_all(&opened?)
}
