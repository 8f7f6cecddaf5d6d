//! What a capability is, as data: the same facts for `coracle get capabilities`,
//! the portal and the documentation.

use std::fmt;

/// The plane of the reference architecture that a capability belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// Portal, catalog, golden paths, packages.
    DeveloperControl,
    /// Git, registry, GitOps, workflows.
    IntegrationAndDelivery,
    /// What runs, and what it runs on.
    Resource,
    /// Metrics, logs, traces.
    MonitoringAndLogging,
    /// Identity, secrets, policy.
    Security,
}

impl fmt::Display for Plane {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Plane::DeveloperControl => "developer control",
            Plane::IntegrationAndDelivery => "integration & delivery",
            Plane::Resource => "resource",
            Plane::MonitoringAndLogging => "monitoring & logging",
            Plane::Security => "security",
        })
    }
}

/// Facts about a capability.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// Name, for example `gitops`.
    pub name: &'static str,
    /// Plane.
    pub plane: Plane,
    /// One line on what it does.
    pub summary: &'static str,
    /// What it speaks as or replaces, for example `Argo CD: Application, AppProject`.
    pub speaks: &'static str,
    /// Manifests of the CustomResourceDefinitions it owns, YAML, one or more documents each.
    pub kinds: &'static [&'static str],
    /// Names of capabilities whose contracts it needs.
    pub needs: &'static [&'static str],
    /// Kinds (`group/Kind`; the core group has no slash) whose objects it makes live, beyond
    /// those it owns: without such a provider an object of that kind can never turn Healthy.
    pub animates: &'static [&'static str],
    /// Providers it can be set to, the default first, for example `embedded`.
    pub providers: &'static [&'static str],
}
