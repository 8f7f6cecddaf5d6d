//! A directory on this machine as the files of a commit. It reads and never
//! writes; it does not follow links, so that nothing outside the directory is read.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base::Diagnostic;
use bytes::Bytes;
use contracts::git::{File, Mode};

use crate::settings::{TREE_BYTES, TREE_DEPTH, TREE_FILE_BYTES, TREE_FILES};

/// Every regular file below `directory`, by its path with `/` between names.
/// `.git`, links and special files are left out.
pub fn read(directory: &Path) -> Result<BTreeMap<String, File>, Diagnostic> {
    let mut reading = Reading { files: BTreeMap::new(), bytes: 0, root: directory };
    reading.directory(directory, "", 0)?;
    Ok(reading.files)
}

struct Reading<'a> {
    files: BTreeMap<String, File>,
    bytes: u64,
    root: &'a Path,
}

impl Reading<'_> {
    fn directory(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), Diagnostic> {
        if depth > TREE_DEPTH {
            return Err(self.too_large(format!("directories nest deeper than {TREE_DEPTH}")));
        }
        let entries = fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(directory, &error))?;
            let path = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(Diagnostic::new(
                    "bad-file-name",
                    format!("{} has a name that is not UTF-8", path.display()),
                )
                .hint("rename the file"));
            };
            if name == ".git" {
                continue;
            }
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            let relative = format!("{prefix}{name}");
            if kind.is_dir() {
                self.directory(&path, &format!("{relative}/"), depth + 1)?;
            } else if kind.is_file() {
                self.file(&path, relative)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, relative: String) -> Result<(), Diagnostic> {
        let facts = match fs::metadata(path) {
            Ok(facts) => facts,
            // Editors replace files; one that went meanwhile is simply not there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(path, &error)),
        };
        if facts.len() > TREE_FILE_BYTES {
            return Err(self.too_large(format!("{relative} is larger than {} MiB", TREE_FILE_BYTES >> 20)));
        }
        self.bytes += facts.len();
        if self.bytes > TREE_BYTES {
            return Err(self.too_large(format!("its files are larger than {} MiB together", TREE_BYTES >> 20)));
        }
        if self.files.len() >= TREE_FILES {
            return Err(self.too_large(format!("it has more than {TREE_FILES} files")));
        }
        let content = fs::read(path).map_err(|error| unreadable(path, &error))?;
        let mode = if facts.permissions().mode() & 0o111 == 0 { Mode::File } else { Mode::Executable };
        self.files.insert(relative, File { mode, content: Bytes::from(content) });
        Ok(())
    }

    fn too_large(&self, why: String) -> Diagnostic {
        Diagnostic::new("package-too-large", format!("{} is too large for a package", self.root.display()))
            .detail(why)
            .hint("let cnoe:// name a directory that holds only what is to be deployed")
    }
}

/// A file or directory that cannot be read.
pub fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new("unreadable-package", format!("{} cannot be read", path.display()))
        .detail(error)
        .hint("check that it exists and that you may read it")
}
