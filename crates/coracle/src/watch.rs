//! Looks at a platform's packages as they change, until they are in place. Every
//! look is caused by a change; nothing is polled.

use std::sync::Arc;

use api::{ClusterName, Gvr};
use base::Tasks;
use client::{Cache, Object, Objects, Target};
use futures::StreamExt;
use packages::{kinds, naming};

use crate::connection;
use crate::wait::{Goal, Seen, Verdict, judge};

/// The objects of one platform, live.
pub struct Watch {
    name: String,
    localbuilds: Cache,
    packages: Cache,
    repositories: Cache,
    applications: Cache,
    capabilities: Cache,
    nodes: Cache,
}

impl Watch {
    /// Begins to follow, on `tasks`.
    pub fn start(objects: &Arc<dyn Objects>, name: &str, tasks: &Tasks) -> Self {
        let follow = |target: Target| Cache::start(objects.clone(), target, tasks);
        let namespace = naming::namespace(name);
        let within = |gvr| Target::namespaced(&ClusterName::root(), &gvr, &namespace);
        Watch {
            name: name.to_owned(),
            localbuilds: follow(connection::everywhere(&kinds::localbuilds())),
            packages: follow(within(kinds::custom_packages())),
            repositories: follow(within(kinds::git_repositories())),
            applications: follow(connection::everywhere(&kinds::applications("Application"))),
            capabilities: follow(connection::everywhere(&connection::capabilities())),
            nodes: follow(connection::everywhere(&Gvr::new("", "v1", "nodes"))),
        }
    }

    /// Waits until the verdict is final; `tell` hears of every other on the way.
    pub async fn until_settled(&self, goal: &Goal, tell: &mut dyn FnMut(&Verdict)) -> Verdict {
        let caches = [
            &self.localbuilds,
            &self.packages,
            &self.repositories,
            &self.applications,
            &self.capabilities,
            &self.nodes,
        ];
        let mut changes = futures::stream::select_all(caches.map(Cache::subscribe));
        for cache in caches {
            cache.ready().await;
        }
        loop {
            let verdict = judge(goal, &self.look());
            if !matches!(verdict, Verdict::Waiting(_)) {
                return verdict;
            }
            tell(&verdict);
            changes.next().await;
        }
    }

    /// What is there now.
    pub fn look(&self) -> Seen {
        let capabilities = self.capabilities.list();
        Seen {
            localbuild: parsed(self.localbuilds.list())
                .find(|found: &kinds::Localbuild| found.metadata.name == self.name),
            packages: parsed(self.packages.list()).collect(),
            repositories: parsed(self.repositories.list()).collect(),
            applications: self
                .applications
                .list()
                .iter()
                .filter_map(|object| {
                    Some((format!("{}/{}", object.meta.namespace, object.meta.name), object.value().ok()?))
                })
                .collect(),
            animated: capabilities
                .iter()
                .filter_map(|object| object.value().ok())
                .flat_map(|value| value["status"]["animates"].as_array().cloned().unwrap_or_default())
                .filter_map(|kind| Some(kind.as_str()?.to_owned()))
                .collect(),
            has_node: !self.nodes.list().is_empty(),
        }
    }
}

/// Objects of our own kinds; one that cannot be read is not there.
fn parsed<T: serde::de::DeserializeOwned>(objects: Vec<Object>) -> impl Iterator<Item = T> {
    objects.into_iter().filter_map(|object| object.parse().ok())
}
