//! What an AppProject permits: sources, destinations and kinds, with Argo CD's
//! readings and sentences. Pure; it must never be asked after something was
//! written.

use api::{Gvk, KindDescriptor};
use render::glob::Glob;
use serde::Deserialize;

use crate::resource::Key;
use crate::types::{Condition, Destination, Source};

/// An AppProject as the engine reads it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Project {
    /// Metadata.
    pub metadata: api::ObjectMeta,
    /// What it permits.
    pub spec: Spec,
}

/// `spec` of an AppProject.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Repositories, patterns; `!` denies.
    pub source_repos: Vec<String>,
    /// Namespaces, beside the control namespace, whose Applications may use the project.
    pub source_namespaces: Vec<String>,
    /// Clusters and namespaces, patterns; `!` denies.
    pub destinations: Vec<Destination>,
    /// Cluster-scoped kinds that are permitted; none unless stated.
    pub cluster_resource_whitelist: Vec<GroupKind>,
    /// Cluster-scoped kinds that are not.
    pub cluster_resource_blacklist: Vec<GroupKind>,
    /// Namespaced kinds that are permitted; all unless stated.
    pub namespace_resource_whitelist: Option<Vec<GroupKind>>,
    /// Namespaced kinds that are not.
    pub namespace_resource_blacklist: Vec<GroupKind>,
}

/// A pattern of kinds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroupKind {
    /// Group, a pattern.
    pub group: String,
    /// Kind, a pattern.
    pub kind: String,
    /// Name, a pattern; empty for all.
    pub name: String,
}

impl Project {
    /// Why an object must not be applied at a destination, if so.
    pub fn refusal(&self, key: &Key, gvk: &Gvk, kind: &KindDescriptor, destination: &Destination) -> Option<String> {
        let project = &self.metadata.name;
        if !self.permits_kind(&key.group, &key.kind, &key.name, kind.namespaced) {
            return Some(format!("resource {}:{} is not permitted in project {project}.", key.group, key.kind));
        }
        if kind.namespaced && key.namespace.is_empty() {
            return Some(format!("Namespace for {} {gvk} is missing.", key.name));
        }
        let place = Destination { namespace: key.namespace.to_string(), ..destination.clone() };
        if kind.namespaced && !self.permits_destination(&place) {
            return Some(format!("namespace {} is not permitted in project '{project}'.", place.namespace));
        }
        None
    }

    /// Whether Applications of `namespace` may use the project.
    pub fn permits_namespace(&self, namespace: &str, control_namespace: &str) -> bool {
        namespace == control_namespace
            || self.spec.source_namespaces.iter().any(|pattern| matches(pattern, namespace, None))
    }

    /// Whether objects may come from `source`.
    pub fn permits_source(&self, source: &Source) -> bool {
        let url = normalise_url(&source.repo_url);
        permits(&self.spec.source_repos, |pattern| match pattern.strip_prefix('!') {
            Some(denied) => (Some(!matches(&normalise_url(denied), &url, Some('/'))), true),
            None => (Some(matches(&normalise_url(pattern), &url, Some('/'))), false),
        })
    }

    /// Whether objects may go to `destination`, with server and name as they were resolved.
    pub fn permits_destination(&self, destination: &Destination) -> bool {
        let mut permitted = false;
        for entry in &self.spec.destinations {
            let name = !destination.name.is_empty() && accepts(&entry.name, &destination.name);
            let server = !destination.server.is_empty() && accepts(&entry.server, &destination.server);
            let namespace = accepts(&entry.namespace, &destination.namespace);
            let denies_cluster = (!name && is_denial(&entry.name)) || (!server && is_denial(&entry.server));
            let denies_namespace = !namespace && is_denial(&entry.namespace);
            if (name || server) && namespace {
                permitted = true;
            } else if (denies_cluster && namespace) || (denies_namespace && (name || server)) {
                return false;
            }
        }
        permitted
    }

    /// Whether objects of this kind may be managed.
    pub fn permits_kind(&self, group: &str, kind: &str, name: &str, namespaced: bool) -> bool {
        let listed = |list: &[GroupKind]| list.iter().any(|entry| entry.covers(group, kind, name));
        if namespaced {
            let permitted = self.spec.namespace_resource_whitelist.as_deref().is_none_or(listed);
            permitted && !listed(&self.spec.namespace_resource_blacklist)
        } else {
            listed(&self.spec.cluster_resource_whitelist) && !listed(&self.spec.cluster_resource_blacklist)
        }
    }

    /// What is not permitted of an Application as a whole.
    pub fn conditions(&self, sources: &[Source], destination: &Destination) -> Vec<Condition> {
        let project = &self.metadata.name;
        let mut conditions = Vec::new();
        for source in sources.iter().filter(|source| !self.permits_source(source)) {
            conditions.push(Condition::new(
                "InvalidSpecError",
                format!("application repo {} is not permitted in project '{project}'", source.repo_url),
            ));
        }
        if !self.permits_destination(destination) {
            let Destination { server, name, namespace } = destination;
            let server = if server.is_empty() { name } else { server };
            conditions.push(Condition::new(
                "InvalidSpecError",
                format!(
                    "application destination server '{server}' and namespace '{namespace}' do not match any of the \
                     allowed destinations in project '{project}'"
                ),
            ));
        }
        conditions
    }
}

impl GroupKind {
    fn covers(&self, group: &str, kind: &str, name: &str) -> bool {
        matches(&self.group, group, None)
            && matches(&self.kind, kind, None)
            && (self.name.is_empty() || matches(&self.name, name, None))
    }
}

/// Any entry that accepts permits; a denial that does not accept ends it.
fn permits(entries: &[String], accepts: impl Fn(&str) -> (Option<bool>, bool)) -> bool {
    let mut permitted = false;
    for entry in entries {
        match accepts(entry) {
            (Some(true), _) => permitted = true,
            (_, true) => return false,
            _ => {}
        }
    }
    permitted
}

fn is_denial(pattern: &str) -> bool {
    pattern.starts_with('!')
}

/// A pattern, or with `!` everything but it.
fn accepts(pattern: &str, text: &str) -> bool {
    match pattern.strip_prefix('!') {
        Some(denied) => !matches(denied, text, None),
        None => matches(pattern, text, None),
    }
}

/// Whether a pattern matches. A pattern that is not valid matches nothing.
pub fn matches(pattern: &str, text: &str, separator: Option<char>) -> bool {
    if pattern == "*" || pattern == text {
        return true;
    }
    let glob = match separator {
        Some(separator) => Glob::separated(pattern, separator),
        None => Glob::new(pattern),
    };
    glob.is_ok_and(|glob| glob.matches(text))
}

/// Two spellings of a repository become one: case of the host, `.git`, a trailing slash, the
/// scp-like form.
pub fn normalise_url(url: &str) -> String {
    let url = url.trim();
    let url = match url.strip_prefix("git@").and_then(|rest| rest.split_once(':')) {
        Some((host, path)) if !url.contains("://") => format!("git@{host}/{path}"),
        _ => url.to_owned(),
    };
    let url = url.trim_end_matches('/');
    let url = url.strip_suffix(".git").unwrap_or(url);
    url.strip_prefix("ssh://").unwrap_or(url).to_lowercase()
}

#[cfg(test)]
mod tests;
