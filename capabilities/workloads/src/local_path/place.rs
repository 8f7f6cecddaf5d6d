//! The one directory below which volumes lie, and the guard that nothing else
//! is ever removed. Directories are made by the node that mounts them first.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// Where all volumes lie.
#[derive(Clone, Debug)]
pub(super) struct Root(PathBuf);

impl Root {
    pub(super) fn below(directory: &Path) -> Root {
        Root(directory.join("local-path"))
    }

    /// Where the volume of this name lies, for the claim of these names.
    pub(super) fn of(&self, volume: &str, namespace: &str, claim: &str) -> String {
        self.0.join(format!("{volume}_{namespace}_{claim}")).to_string_lossy().into_owned()
    }

    /// Removes the directory of a volume with all it holds; that it is not there is success.
    pub(super) async fn remove(&self, path: &str, volume: &str) -> Result<(), String> {
        let path = self.checked(path, volume)?;
        // What a link points at is not ours: it goes as a link.
        match tokio::fs::remove_dir_all(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("failed to delete volume {volume:?}: {error}"))
            }
            _ => Ok(()),
        }
    }

    /// The path, if it is one that a volume of this name was given: directly below the root, and
    /// begun by the volume's own name, so that no volume can name the directory of another.
    pub(super) fn checked(&self, path: &str, volume: &str) -> Result<PathBuf, String> {
        let given = Path::new(path);
        let is_plain = given.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        let name = given.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_its_own = name.strip_prefix(volume).is_some_and(|rest| rest.starts_with('_'));
        if is_plain && is_its_own && !volume.is_empty() && given.parent() == Some(&self.0) {
            return Ok(self.0.join(name));
        }
        Err(format!("failed to delete volume {volume:?}: {path:?} is not a directory that was made for it"))
    }
}
