//! What a package holds: the Applications and ApplicationSets of its files, and
//! which package an Application comes from when several bring it. It reads
//! files and never writes; fetching remote packages is the caller's.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use base::Diagnostic;
use serde_json::Value;

use crate::manifest::{self, SourceFile};
use crate::rewrite;
use crate::settings::{MANIFEST_BYTES, MANIFEST_FILES};
use crate::{naming, remote, tree};

/// What an Application is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppKey {
    /// `Application` or `ApplicationSet`.
    pub kind: String,
    /// Its namespace, usually `argocd`.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for AppKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// An Application found in a package.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it is known by.
    pub key: AppKey,
    /// File it was found in: path on this machine, or in the repository.
    pub file: String,
    /// The manifest as it stands there.
    pub manifest: Value,
}

/// The namespace of an Application that names none.
pub const DEFAULT_NAMESPACE: &str = "argocd";

/// The manifest files of a package on this machine: the file itself, or every YAML
/// file directly in the directory, by name.
pub fn read_local(path: &Path) -> Result<Vec<SourceFile>, Diagnostic> {
    let facts = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => tree::unreadable(path, &error),
    })?;
    if facts.is_file() {
        return Ok(vec![read_file(path)?]);
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| tree::unreadable(path, &error))? {
        let entry = entry.map_err(|error| tree::unreadable(path, &error))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && is_yaml(&entry.file_name().to_string_lossy()) {
            paths.push(entry.path());
        }
    }
    if paths.len() > MANIFEST_FILES {
        return Err(Diagnostic::new("package-too-large", format!("{} is too large for a package", path.display()))
            .detail(format!("more than {MANIFEST_FILES} YAML files stand directly in it"))
            .hint("split the package"));
    }
    paths.sort();
    paths.iter().map(|path| read_file(path)).collect()
}

/// Whether a file of this name holds manifests.
pub fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// One manifest file of this machine.
pub fn read_file(path: &Path) -> Result<SourceFile, Diagnostic> {
    let facts = fs::metadata(path).map_err(|error| tree::unreadable(path, &error))?;
    if facts.len() > MANIFEST_BYTES {
        return Err(Diagnostic::new("package-too-large", format!("{} is too large for a manifest", path.display()))
            .detail(format!("it is larger than {} MiB", MANIFEST_BYTES >> 20))
            .hint("split the file"));
    }
    let text = fs::read_to_string(path).map_err(|error| tree::unreadable(path, &error))?;
    Ok(SourceFile { path: path.display().to_string(), text })
}

/// Every Application and ApplicationSet of the files, in their order. Objects of
/// other kinds are passed over, as CNOE's builder does.
pub fn applications(files: &[SourceFile]) -> Result<Vec<Found>, Diagnostic> {
    let mut found: Vec<Found> = Vec::new();
    for file in files {
        for manifest in manifest::documents(file)? {
            let Some(key) = app_key(file, &manifest)? else { continue };
            if let Some(earlier) = found.iter().find(|earlier| earlier.key == key) {
                return Err(bad(file, format!("{key} is defined twice"))
                    .detail(format!("first in {}", earlier.file))
                    .hint("remove one of the two"));
            }
            found.push(Found { key, file: file.path.clone(), manifest });
        }
    }
    Ok(found)
}

/// The key of a manifest; `None` for other kinds.
fn app_key(file: &SourceFile, manifest: &Value) -> Result<Option<AppKey>, Diagnostic> {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let kind = text("/kind");
    if !text("/apiVersion").starts_with("argoproj.io/") || !matches!(kind, "Application" | "ApplicationSet") {
        return Ok(None);
    }
    let name = text("/metadata/name");
    if !api::name::is_dns_subdomain(name) {
        return Err(bad(file, format!("an {kind} has no valid metadata.name"))
            .detail(format!("found {name:?}"))
            .hint("use lower-case letters, digits, '-' and '.'"));
    }
    if !manifest.get("spec").is_some_and(Value::is_object) {
        return Err(bad(file, format!("{kind} {name} has no spec")).hint("give it a source and a destination"));
    }
    let namespace = match text("/metadata/namespace") {
        "" => DEFAULT_NAMESPACE,
        named => named,
    };
    Ok(Some(AppKey { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() }))
}

fn bad(file: &SourceFile, what: impl fmt::Display) -> Diagnostic {
    Diagnostic::new("bad-package", format!("{}: {what}", file.path))
}

/// The directory that `cnoe://<relative>` means in the Application file `file`.
pub fn local_directory(file: &Path, relative: &str) -> Result<PathBuf, Diagnostic> {
    let base = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let wanted = base.join(relative.trim_start_matches('/'));
    match fs::canonicalize(&wanted) {
        Ok(directory) if directory.is_dir() => Ok(directory),
        _ => Err(Diagnostic::new(
            "no-such-directory",
            format!("{}{relative} in {} names no directory", rewrite::SCHEME, file.display()),
        )
        .detail(format!("{} does not exist or is not a directory", wanted.display()))
        .hint("the path is relative to the directory of the Application's file")),
    }
}

/// Checks a package on this machine whole, as far as it can be checked without a
/// platform: files, manifests, and the directories they name.
pub fn check_local(path: &Path) -> Result<Vec<Found>, Diagnostic> {
    let found = applications(&read_local(path)?)?;
    if found.is_empty() {
        return Err(empty(path));
    }
    for app in &found {
        let mut manifest = app.manifest.clone();
        rewrite::rewrite(&mut manifest, &mut |relative| {
            local_directory(Path::new(&app.file), relative).map(|_| String::new())
        })?;
    }
    Ok(found)
}

fn missing(path: &Path) -> Diagnostic {
    let shown = path.display().to_string();
    let diagnostic = Diagnostic::new("no-such-package", format!("{shown} does not exist"));
    if remote::looks_remote(&shown) {
        return diagnostic.hint("write the address of a repository as https://host/org/repo//path?ref=branch");
    }
    diagnostic.hint("name a directory, a file, or https://host/org/repo//path?ref=branch")
}

/// A directory without Applications is most often the parent of the one that was meant.
fn empty(path: &Path) -> Diagnostic {
    let mut below: Vec<String> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.is_dir()
                && read_local(path).and_then(|files| applications(&files)).is_ok_and(|found| !found.is_empty())
        })
        .map(|path| path.display().to_string())
        .collect();
    below.sort();
    let diagnostic = Diagnostic::new("empty-package", format!("{} holds no Application", path.display()));
    if below.is_empty() {
        return diagnostic.hint("put an Argo CD Application or ApplicationSet directly in it, in a .yaml file");
    }
    diagnostic.hint(format!("did you mean -p {}?", below.join(" -p ")))
}

/// An Application with the package that it is taken from.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Name of its CustomPackage.
    pub name: String,
    /// Position of the package; also its priority.
    pub priority: usize,
    /// The Application.
    pub found: Found,
}

/// Of every Application the one from the last package that brings it, with a name
/// for its CustomPackage. Ordered by that name.
pub fn choose(packages: Vec<(usize, Vec<Found>)>) -> Vec<Chosen> {
    let mut by_key: BTreeMap<AppKey, (usize, Found)> = BTreeMap::new();
    for (priority, found) in packages {
        for app in found {
            match by_key.get(&app.key) {
                Some((taken, _)) if *taken > priority => {}
                _ => {
                    by_key.insert(app.key.clone(), (priority, app));
                }
            }
        }
    }
    let mut chosen: BTreeMap<String, Chosen> = BTreeMap::new();
    for (key, (priority, found)) in by_key {
        let plain = naming::custom_package(&found.file, &key.name);
        let name = if chosen.contains_key(&plain) { naming::distinct(&plain, &key.to_string()) } else { plain };
        chosen.insert(name.clone(), Chosen { name, priority, found });
    }
    chosen.into_values().collect()
}
