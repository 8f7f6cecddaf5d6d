//! Who is asking. Verifying a bearer token and the identity that results; the
//! server offers an implementation, capabilities with listeners of their own
//! kind (git over HTTP, later the registry) use it.

use futures::future::BoxFuture;

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User name.
    pub user: String,
    /// Groups the user is in.
    pub groups: Vec<String>,
}

impl Identity {
    /// The group that may do everything.
    pub const MASTERS: &'static str = "system:masters";

    /// A caller who did not say who they are.
    pub fn anonymous() -> Self {
        Identity { user: "system:anonymous".into(), groups: vec!["system:unauthenticated".into()] }
    }

    /// A part of the platform itself.
    pub fn component(name: &str) -> Self {
        Identity { user: format!("system:coracle:{name}"), groups: vec![Self::MASTERS.into()] }
    }

    /// Whether the caller may do everything.
    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == Self::MASTERS)
    }
}

/// Turns a bearer token into an identity.
pub trait TokenVerifier: Send + Sync {
    /// The identity behind `token`, or `None` if the token is not known or no longer valid.
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Option<Identity>>;
}
