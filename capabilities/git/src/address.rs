//! The addresses of the embedded server: builds them, and recognises them in
//! whatever form somebody wrote them. It does not know which repositories exist.

use capability::Endpoints;
use contracts::git::RepositoryId;
use url::Url;

use crate::names;

/// First host label and path prefix of the route.
pub const SUBDOMAIN: &str = "gitea";
/// Path prefix of the route.
pub const PREFIX: &str = "/gitea";

/// In-cluster names under which CNOE's stacks reach Gitea.
const SERVICE_HOSTS: &[&str] = &[
    "gitea-http.gitea",
    "gitea-http.gitea.svc",
    "gitea-http.gitea.svc.cluster.local",
    "my-gitea-http.gitea",
    "my-gitea-http.gitea.svc",
    "my-gitea-http.gitea.svc.cluster.local",
];

/// Where the embedded server is reached.
#[derive(Clone, Debug)]
pub struct Address {
    base: String,
    host: String,
    port: u16,
}

impl Address {
    /// The address on a platform.
    pub fn new(endpoints: &Endpoints) -> Self {
        Address {
            base: endpoints.url(SUBDOMAIN, PREFIX),
            host: endpoints.host.to_ascii_lowercase(),
            port: endpoints.port,
        }
    }

    /// External base URL, without a trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Path of the base URL: empty, or the prefix.
    pub fn base_path(&self) -> &str {
        let after_scheme = self.base.split_once("://").map_or("", |(_, rest)| rest);
        after_scheme.find('/').map_or("", |at| &after_scheme[at..])
    }

    /// Page of a repository.
    pub fn page(&self, id: &RepositoryId) -> String {
        format!("{}/{}/{}", self.base, id.owner, id.name)
    }

    /// URL to clone from.
    pub fn clone_url(&self, id: &RepositoryId) -> String {
        format!("{}.git", self.page(id))
    }

    /// REST URL of a repository.
    pub fn api(&self, id: &RepositoryId) -> String {
        format!("{}/api/v1/repos/{}/{}", self.base, id.owner, id.name)
    }

    /// The repository that `url` addresses if it is one of ours, in any of the forms people
    /// write: host or path routing, `http` or `https`, with or without `.git`, a trailing
    /// slash, a default port, credentials, the in-cluster service.
    pub fn recognise(&self, url: &str) -> Option<RepositoryId> {
        let url = Url::parse(url.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        let path = url.path().trim_matches('/');
        let path = if SERVICE_HOSTS.contains(&host.as_str()) {
            path
        } else if !self.is_our_port(&url) {
            return None;
        } else if host == format!("{SUBDOMAIN}.{}", self.host) {
            path
        } else if host == self.host || matches!(host.as_str(), "localhost" | "127.0.0.1") {
            path.strip_prefix("gitea/")?
        } else {
            return None;
        };
        let (owner, name) = path.split_once('/')?;
        names::parse_repository(owner, name).ok()
    }

    fn is_our_port(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let default = url.port().is_none() && matches!(self.port, 80 | 443);
        port == Some(self.port) || default
    }
}

#[cfg(test)]
mod tests;
