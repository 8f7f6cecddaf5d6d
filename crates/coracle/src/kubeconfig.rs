//! The user's kubeconfig: our context goes in and comes out again, everything
//! else stays. It must never touch an entry of another's.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::Diagnostic;
use serde_json::{Map, Value, json};

/// Sections of a kubeconfig that hold named entries.
const SECTIONS: [&str; 3] = ["clusters", "users", "contexts"];

/// Kubectl holds its lock for an instant; one that stays for a second was left behind.
const LOCK_ATTEMPTS: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// Name of a platform's context, cluster and user.
pub fn context_name(platform: &str) -> String {
    format!("coracle-{platform}")
}

/// The files that kubectl would read, in its order; the first is written to.
pub fn files(kubeconfig: Option<&str>, home: Option<&Path>) -> Vec<PathBuf> {
    let listed: Vec<PathBuf> =
        kubeconfig.unwrap_or_default().split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
    if listed.is_empty() { home.map(|home| home.join(".kube/config")).into_iter().collect() } else { listed }
}

/// Puts a platform's entries, as its own kubeconfig has them, into another and makes its
/// context the current one. Returns the context that was current.
pub fn merge(into: &mut Value, own: &Value, name: &str) -> String {
    ensure_shape(into);
    let first = |section: &str, field: &str| own[section][0][field].clone();
    let entries = [
        json!({"name": name, "cluster": first("clusters", "cluster")}),
        json!({"name": name, "user": first("users", "user")}),
        json!({"name": name, "context": {"cluster": name, "user": name}}),
    ];
    for (section, entry) in SECTIONS.iter().zip(entries) {
        let Some(list) = into[*section].as_array_mut() else { continue };
        match list.iter_mut().find(|held| held["name"] == *name) {
            Some(held) => *held = entry,
            None => list.push(entry),
        }
    }
    let before = into["current-context"].as_str().unwrap_or_default().to_owned();
    into["current-context"] = json!(name);
    before
}

/// Takes a platform's entries out. If its context is the current one, `previous` becomes
/// current if it is still there. Says whether anything changed.
pub fn remove(from: &mut Value, name: &str, previous: &str) -> bool {
    let before = from.clone();
    for section in SECTIONS {
        if let Some(list) = from.get_mut(section).and_then(Value::as_array_mut) {
            list.retain(|held| held["name"] != *name);
        }
    }
    if from["current-context"] == *name {
        let is_there =
            from["contexts"].as_array().is_some_and(|list| list.iter().any(|held| held["name"] == *previous));
        from["current-context"] = json!(if is_there { previous } else { "" });
    }
    *from != before
}

fn ensure_shape(config: &mut Value) {
    if !config.is_object() {
        *config = Value::Object(Map::new());
    }
    for (key, value) in [("apiVersion", json!("v1")), ("kind", json!("Config")), ("preferences", json!({}))] {
        if config[key].is_null() {
            config[key] = value;
        }
    }
    for section in SECTIONS {
        if !config[section].is_array() {
            config[section] = json!([]);
        }
    }
}

/// Merges a platform's kubeconfig into the user's. Returns the file and the context that was
/// current before.
pub fn install(files: &[PathBuf], own: &Path, name: &str) -> Result<(PathBuf, String), Diagnostic> {
    let file = target(files)?;
    let own = read(own)?;
    let mut before = String::new();
    edit(file, &mut |config| {
        before = merge(config, &own, name);
        true
    })?;
    Ok((file.clone(), before))
}

/// Checks that [`install`] has a file it can read; nothing is touched.
pub fn check(files: &[PathBuf]) -> Result<(), Diagnostic> {
    read(target(files)?).map(drop)
}

fn target(files: &[PathBuf]) -> Result<&PathBuf, Diagnostic> {
    files.first().ok_or_else(|| {
        Diagnostic::new("no-home", "neither $KUBECONFIG nor $HOME is set")
            .hint("set KUBECONFIG to the file the context is to go into")
    })
}

/// Takes a platform's entries out of every file that has them. A file that cannot be changed
/// does not keep the others from it; the first such is reported.
pub fn uninstall(files: &[PathBuf], name: &str, previous: &str) -> Result<(), Diagnostic> {
    let mut outcome = Ok(());
    for file in files {
        let removed = match holds(file, name) {
            Ok(true) => edit(file, &mut |config| remove(config, name, previous)),
            Ok(false) => Ok(()),
            Err(diagnostic) => Err(diagnostic),
        };
        outcome = outcome.and(removed.map_err(|diagnostic| {
            diagnostic.hint(format!("once the file can be changed, take what is named {name} out of it"))
        }));
    }
    outcome
}

/// Whether a file has entries of a platform. It is read without the lock, and a broken one that
/// does not even mention the name has none.
fn holds(path: &Path, name: &str) -> Result<bool, Diagnostic> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unusable(path, &error)),
    };
    if !String::from_utf8_lossy(&text).contains(name) {
        return Ok(false);
    }
    Ok(remove(&mut read(path)?, name, ""))
}

/// Reads a kubeconfig; an absent or empty one is empty.
pub fn read(path: &Path) -> Result<Value, Diagnostic> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Value::Null),
        Err(error) => return Err(unusable(path, &error)),
    };
    let value = machinery::yaml::value(&text).map_err(|error| unusable(path, &error))?;
    if value.is_null() || value.is_object() { Ok(value) } else { Err(unusable(path, &"it is not a mapping")) }
}

/// Changes a file in one step, under kubectl's lock; `change` says whether to write.
fn edit(path: &Path, change: &mut dyn FnMut(&mut Value) -> bool) -> Result<(), Diagnostic> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| unusable(path, &error))?;
    }
    // A link stays one: what it points to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let _lock = Lock::take(&path)?;
    let mut config = read(&path)?;
    if !change(&mut config) {
        return Ok(());
    }
    let text = machinery::yaml::to_string(&config);
    server::layout::write_private(&path, text.as_bytes()).map_err(|error| unusable(&path, &error))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::new("unusable-kubeconfig", format!("the kubeconfig {} cannot be used", path.display()))
        .detail(error)
        .hint("mend the file, or set KUBECONFIG to another")
}

/// The lock that kubectl takes: a file beside the kubeconfig.
struct Lock(PathBuf);

impl Lock {
    fn take(path: &Path) -> Result<Self, Diagnostic> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        for _ in 0..LOCK_ATTEMPTS {
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&lock) {
                Ok(_) => return Ok(Lock(lock)),
                // Nothing announces that such a lock is gone.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::thread::sleep(LOCK_PAUSE),
                Err(error) => return Err(unusable(path, &error)),
            }
        }
        Err(Diagnostic::new("unusable-kubeconfig", format!("the kubeconfig {} is locked", path.display()))
            .detail(format!("{} exists", lock.display()))
            .hint("if no kubectl is changing it, remove that file"))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A lock that cannot be removed is named by the next one who wants it.
        let _ = fs::remove_file(&self.0);
    }
}
