//! Stop 3, fetch: the commit that a source means now, and its files. Commits of the
//! embedded server are asked for each time, which costs nothing; others are
//! remembered until it is time to look again. It must never read what the files say.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::Clock;
use contracts::git::{self, Mode, RepositoryId, Sources};
use jiff::Timestamp;
use parking_lot::Mutex;
use render::{Kind, Request};
use serde_json::Value;

use crate::types::Source;

/// Rendered trees that are kept.
const KEPT: usize = 256;

/// How much of what is remembered counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refresh {
    /// Everything that is not too old.
    None,
    /// Branches are asked for again.
    Normal,
    /// Nothing: trees are rendered again too.
    Hard,
}

/// A source at one commit.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Commit.
    pub revision: String,
    /// What was rendered; `None` for a source that others only refer to.
    pub rendered: Option<Arc<Rendered>>,
}

/// A rendered tree.
#[derive(Debug)]
pub struct Rendered {
    /// Kind of the source.
    pub kind: Kind,
    /// Its objects.
    pub objects: Vec<Value>,
}

/// Commits by repository and revision, with the time when they were asked for.
type Commits = HashMap<(String, String), (String, Timestamp)>;
/// Rendered trees by tree id and request, with the number of their last use.
type Trees = HashMap<(String, Request), (Arc<Rendered>, u64)>;

/// Fetches and renders sources.
pub struct Fetcher {
    sources: Arc<dyn Sources>,
    clock: Clock,
    max_age: Duration,
    commits: Mutex<Commits>,
    rendered: Mutex<(Trees, u64)>,
}

impl Fetcher {
    /// A fetcher that looks at external repositories again after `max_age`.
    pub fn new(sources: Arc<dyn Sources>, clock: Clock, max_age: Duration) -> Self {
        Fetcher { sources, clock, max_age, commits: Mutex::default(), rendered: Mutex::default() }
    }

    /// The embedded repository of a source, whose pushes are heard.
    pub fn repository(&self, source: &Source) -> Option<RepositoryId> {
        self.sources.embedded(&source.repo_url)
    }

    /// Resolves, reads and renders a source. The error is one sentence.
    #[tracing::instrument(level = "debug", name = "fetch", skip_all, fields(path = %source.path))]
    pub async fn fetch(&self, source: &Source, revision: &str, refresh: Refresh) -> Result<Fetched, String> {
        let revision = self.resolve(&source.repo_url, revision, refresh).await.map_err(|error| error.to_string())?;
        if source.is_reference_only() {
            return Ok(Fetched { revision, rendered: None });
        }
        let request = request(source);
        let path = clean_path(&source.path)?;
        let read = self.sources.read_tree(&source.repo_url, &revision, &path).await;
        let tree = read.map_err(|error| match error {
            git::Error::NoPath { .. } => format!("{}: app path does not exist", source.path),
            error => error.to_string(),
        })?;
        let key = (tree.id.clone(), request.clone());
        if refresh < Refresh::Hard
            && let Some(rendered) = self.remembered(&key)
        {
            return Ok(Fetched { revision, rendered: Some(rendered) });
        }
        let (kind, objects) = render::render(&request, &into_source(tree)).map_err(|error| error.to_string())?;
        let rendered = Arc::new(Rendered { kind, objects });
        self.remember(key, rendered.clone());
        Ok(Fetched { revision, rendered: Some(rendered) })
    }

    async fn resolve(&self, url: &str, revision: &str, refresh: Refresh) -> Result<String, git::Error> {
        if self.sources.embedded(url).is_some() {
            return self.sources.resolve(url, revision).await;
        }
        let key = (url.to_owned(), revision.to_owned());
        let now = self.clock.now();
        let held = self.commits.lock().get(&key).cloned();
        if let Some((commit, at)) = held.filter(|_| refresh == Refresh::None) {
            let age_secs = now.as_second().saturating_sub(at.as_second());
            if u64::try_from(age_secs).is_ok_and(|age_secs| age_secs < self.max_age.as_secs()) {
                return Ok(commit);
            }
        }
        let commit = self.sources.resolve(url, revision).await?;
        self.commits.lock().insert(key, (commit.clone(), now));
        Ok(commit)
    }

    fn remembered(&self, key: &(String, Request)) -> Option<Arc<Rendered>> {
        let mut held = self.rendered.lock();
        held.1 += 1;
        let now = held.1;
        let (rendered, used) = held.0.get_mut(key)?;
        *used = now;
        Some(rendered.clone())
    }

    fn remember(&self, key: (String, Request), rendered: Arc<Rendered>) {
        // Without an id there is nothing to know the tree by.
        if key.0.is_empty() {
            return;
        }
        let mut held = self.rendered.lock();
        held.1 += 1;
        let now = held.1;
        held.0.insert(key, (rendered, now));
        if held.0.len() > KEPT
            && let Some(oldest) = held.0.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
        {
            held.0.remove(&oldest);
        }
    }
}

/// What a source asks of the renderer.
fn request(source: &Source) -> Request {
    let kind = match source {
        Source { plugin: Some(_), .. } => Some(Kind::Plugin),
        Source { helm: Some(_), .. } => Some(Kind::Helm),
        Source { kustomize: Some(_), .. } => Some(Kind::Kustomize),
        Source { directory: Some(_), .. } => Some(Kind::Directory),
        _ => None,
    };
    let directory = source.directory.clone().unwrap_or_default();
    Request {
        kind,
        directory: render::directory::Options {
            recurse: directory.recurse,
            include: directory.include,
            exclude: directory.exclude,
        },
    }
}

/// A path inside the repository, without `.` and empty names; one that leaves it is refused.
pub fn clean_path(path: &str) -> Result<String, String> {
    let mut names = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                if names.pop().is_none() {
                    return Err(format!("{path}: app path is outside of the repository"));
                }
            }
            name => names.push(name),
        }
    }
    if path.starts_with('/') {
        return Err(format!("{path}: app path is absolute"));
    }
    Ok(names.join("/"))
}

fn into_source(tree: git::Tree) -> render::Source {
    let entry = |file: git::File| match file.mode {
        Mode::Link => render::Entry::Link(String::from_utf8_lossy(&file.content).into_owned()),
        Mode::File | Mode::Executable => render::Entry::File(file.content),
    };
    render::Source { files: tree.files.into_iter().map(|(path, file)| (path, entry(file))).collect() }
}

/// What is wrong with the sources themselves, in Argo CD's words.
pub fn spec_error(sources: &[Source]) -> Option<String> {
    if sources.is_empty() {
        return Some("spec.source.repoURL and either spec.source.path or spec.source.chart are required".into());
    }
    for source in sources {
        let Source { repo_url, path, chart, reference, .. } = source;
        if repo_url.is_empty() || (path.is_empty() && chart.is_empty() && reference.is_empty()) {
            return Some("spec.source.repoURL and either spec.source.path or spec.source.chart are required".into());
        }
        if !path.is_empty() && !chart.is_empty() {
            return Some("spec.source.path and spec.source.chart cannot both be set".into());
        }
        if !chart.is_empty() {
            return Some(format!("chart {chart} of {repo_url}: Helm repositories {}", render::NOT_SUPPORTED));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::clean_path;

    #[test]
    fn paths_stay_inside() {
        for (path, expect) in [
            (".", Some("")),
            ("", Some("")),
            ("./apps//web/", Some("apps/web")),
            ("a/../b", Some("b")),
            ("../x", None),
            ("a/../../x", None),
            ("/etc", None),
        ] {
            assert_eq!(clean_path(path).ok().as_deref(), expect, "{path}");
        }
    }
}
