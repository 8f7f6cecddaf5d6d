//! What a killed server or git may have left behind: found and cleared when the
//! platform starts, while nobody else works in its directory. It removes lock
//! files, quarantined objects and temporary files, never anything reachable.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Depth of directories below `refs` that is looked into.
const REF_DEPTH: usize = 32;

/// The directories of all repositories: `<owner>/<name>.git`.
pub fn repositories(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for owner in fs::read_dir(root)? {
        let owner = owner?;
        if !owner.file_type()?.is_dir() {
            continue;
        }
        for repository in fs::read_dir(owner.path())? {
            let path = repository?.path();
            if path.is_dir() && path.extension().is_some_and(|extension| extension == "git") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Clears one repository.
pub fn clear(repository: &Path) {
    clear_locks(repository, 0);
    clear_locks(&repository.join("refs"), REF_DEPTH);
    for directory in [repository.join("objects"), repository.join("objects/pack")] {
        for path in entries(&directory) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("tmp_") || name.starts_with("incoming-") {
                remove(&path);
            }
        }
    }
}

fn clear_locks(directory: &Path, depth: usize) {
    for path in entries(directory) {
        if path.is_dir() {
            if depth > 0 {
                clear_locks(&path, depth - 1);
            }
        } else if is_lock(&path) {
            remove(&path);
        }
    }
}

/// No ref can be called so: git refuses names that end in `.lock` or begin with a dot.
fn is_lock(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.ends_with(".lock") || (name.starts_with('.') && name.ends_with(".tmp"))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).map(|found| found.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Ok(()) => tracing::info!(path = %path.display(), "cleared what an interrupted push left"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "cannot clear what an interrupted push left"),
    }
}
