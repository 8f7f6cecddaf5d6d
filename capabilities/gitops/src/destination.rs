//! Which cluster an Application's destination means. Pure; clusters of other
//! platforms come with the cluster Secrets of a later issue.

use api::ClusterName;

use crate::types::Destination;

/// The URL by which a cluster means itself.
pub const IN_CLUSTER_URL: &str = "https://kubernetes.default.svc";
/// The name by which a cluster means itself.
pub const IN_CLUSTER_NAME: &str = "in-cluster";

/// A destination that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The cluster.
    pub cluster: ClusterName,
    /// The destination with both its server and its name, as projects are asked about it.
    pub destination: Destination,
}

/// Understands a destination. `holder` is the cluster that holds the Application, `api_url` the
/// platform's own API. The error is Argo CD's sentence.
pub fn resolve(app: &str, wanted: &Destination, holder: &ClusterName, api_url: &str) -> Result<Resolved, String> {
    let Destination { server, name, namespace } = wanted;
    let with = |cluster: ClusterName, server: &str, name: &str| Resolved {
        cluster,
        destination: Destination { server: server.into(), name: name.into(), namespace: namespace.clone() },
    };
    let invalid = |why: String| Err(format!("application destination spec for {app} is invalid: {why}"));
    match (server.as_str(), name.as_str()) {
        ("", "") => Err("Destination server missing from app spec".into()),
        ("", name) if name == IN_CLUSTER_NAME => Ok(with(holder.clone(), IN_CLUSTER_URL, IN_CLUSTER_NAME)),
        ("", name) => {
            invalid(format!("unable to find destination server: there are no clusters with this name: {name}"))
        }
        (server, "") => match cluster_of(server, holder, api_url) {
            Some(cluster) if cluster == *holder => Ok(with(cluster, server, IN_CLUSTER_NAME)),
            Some(cluster) => {
                let name = cluster.to_string();
                Ok(with(cluster, server, &name))
            }
            None => {
                invalid(format!("unable to find destination server: there are no clusters with this URL: {server}"))
            }
        },
        (server, name) => {
            invalid(format!("application destination can't have both name and server defined: {name} {server}"))
        }
    }
}

fn cluster_of(server: &str, holder: &ClusterName, api_url: &str) -> Option<ClusterName> {
    let server = server.trim_end_matches('/');
    if server == IN_CLUSTER_URL {
        return Some(holder.clone());
    }
    match server.strip_prefix(api_url.trim_end_matches('/'))? {
        "" => Some(ClusterName::root()),
        rest => ClusterName::new(rest.strip_prefix("/clusters/")?),
    }
}

#[cfg(test)]
mod tests;
