//! One `create` of a platform at a time: whoever has the turn alone makes the
//! platform or clears it up. It must never touch what is in the platform.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base::Diagnostic;
use rustix::fs::{FlockOperation, flock};
use server::Layout;

use crate::ui::Stages;

/// Held while it lives. Only its holder removes the file.
pub struct Turn {
    /// The lock is the open file's, and goes with it.
    _file: File,
    place: Place,
}

/// Where the lock is.
#[derive(Default)]
struct Place {
    /// The lock's own file, beside the platform's directory.
    path: Option<PathBuf>,
    /// The directory above was made for that file.
    made_parent: bool,
}

/// Waits for the turn. Nobody else can be kept out of where nothing can be opened.
pub async fn take(layout: &Layout, stages: &Stages) -> Result<Option<Turn>, Diagnostic> {
    let failed = |error: &dyn std::fmt::Display| {
        Diagnostic::new("unusable-directory", format!("{} cannot be locked", layout.root().display()))
            .detail(error)
            .hint("name a directory of another file system with --data-dir")
    };
    let mut told = false;
    loop {
        let (file, place) = match open(layout.root()) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(None),
            // Another one took the directory above away that very instant.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(&error)),
        };
        let file = if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            file
        } else {
            if !told {
                stages.note("waiting for another create of this platform to end");
                told = true;
            }
            let waiting =
                tokio::task::spawn_blocking(move || flock(&file, FlockOperation::LockExclusive).map(|()| file));
            waiting.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?
        };
        // Who had it before may have removed the file, which then locks nobody out.
        if place.path.as_deref().is_none_or(|path| is_at(&file, path)) {
            return Ok(Some(Turn { _file: file, place }));
        }
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Opens the file that is locked. Where none can be made, the platform's directory itself
/// is locked; where that is not there either, making it will fail and say why.
fn open(root: &Path) -> Result<Option<(File, Place)>, Error> {
    let directory = || File::open(root).ok().map(|file| (file, Place::default()));
    let (Some(parent), Some(name)) = (root.parent(), root.file_name()) else { return Ok(directory()) };
    let made_parent = !parent.exists();
    if made_parent && DirBuilder::new().recursive(true).mode(0o700).create(parent).is_err() {
        return Ok(directory());
    }
    let mut own = OsString::from(".");
    own.push(name);
    own.push(".create");
    let path = parent.join(own);
    match OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path) {
        Ok(file) => Ok(Some((file, Place { path: Some(path), made_parent }))),
        Err(error) if error.kind() == ErrorKind::NotFound && !parent.exists() => Err(error),
        Err(_) => Ok(directory()),
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(path) = &self.place.path else { return };
        // An empty file that stays does no harm.
        let _ = fs::remove_file(path);
        if let Some(parent) = path.parent().filter(|_| self.place.made_parent) {
            // It stays if anything is in it by now.
            let _ = fs::remove_dir(parent);
        }
    }
}
