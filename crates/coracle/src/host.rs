//! Which host name a new platform gets. It asks the resolver and nothing else.

use std::time::Duration;

/// The host of CNOE's builder; its public DNS entry points to loopback.
pub const DEFAULT: &str = "cnoe.localtest.me";
/// How long the resolver may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A host and how its parts are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The host.
    pub host: String,
    /// Whether parts have paths instead of sub-domains.
    pub path_routing: bool,
    /// What to tell the user, if it is not the usual.
    pub note: Option<String>,
}

/// The usual host if it works here, or else `localhost` with paths.
pub async fn choose() -> Choice {
    match why_not(DEFAULT).await {
        None => Choice { host: DEFAULT.to_owned(), path_routing: false, note: None },
        Some(why) => Choice {
            host: "localhost".to_owned(),
            path_routing: true,
            note: Some(format!("{why}: using https://localhost with a path for each part instead of sub-domains")),
        },
    }
}

/// Why sub-domains of a host cannot be used on this machine; `None` if they can.
pub async fn why_not(host: &str) -> Option<String> {
    let name = format!("argocd.{host}");
    match tokio::time::timeout(PATIENCE, tokio::net::lookup_host((name.as_str(), 443))).await {
        Ok(Ok(addresses)) => {
            let elsewhere = addresses.into_iter().find(|address| !address.ip().is_loopback());
            elsewhere.map(|address| format!("{name} resolves to {}, not to this machine", address.ip()))
        }
        Ok(Err(_)) => Some(format!("{name} does not resolve here")),
        Err(_) => Some(format!("the resolver does not answer for {name}")),
    }
}
