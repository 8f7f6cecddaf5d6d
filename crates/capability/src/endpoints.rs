//! The addresses of one platform, and the one place that builds URLs from them.

/// How the platform is reached from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Name of the platform, `localdev` by default.
    pub name: String,
    /// `https` or `http`.
    pub protocol: String,
    /// Base host, for example `cnoe.localtest.me`.
    pub host: String,
    /// Port of everything but the Kubernetes API.
    pub port: u16,
    /// One host with paths instead of a host each.
    pub path_routing: bool,
    /// URL of the Kubernetes API.
    pub api_url: String,
    /// Certificate of the local authority that signs every listener, PEM.
    pub ca_pem: String,
}

impl Endpoints {
    /// The base URL of a route, without a trailing slash.
    pub fn url(&self, subdomain: &str, prefix: &str) -> String {
        let Endpoints { protocol, host, port, .. } = self;
        if self.path_routing {
            format!("{protocol}://{host}:{port}{prefix}")
        } else {
            format!("{protocol}://{subdomain}.{host}:{port}")
        }
    }
}
