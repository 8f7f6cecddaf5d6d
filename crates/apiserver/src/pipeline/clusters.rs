//! Logical clusters: isolated sets of objects in one store. A `LogicalCluster`
//! object of the root cluster makes one, with its first namespaces, in one
//! transaction; its deletion takes everything in it along.

use api::{ClusterName, Gvr, Status};
use serde_json::{Value, json};
use store::{Expect, Key, Prefix, Transaction};

use super::server::{ApiServer, Subject, store_error};
use crate::record::split;
use crate::tree::Tree;
use crate::{admission, strategy};

/// Group of the kind that makes clusters.
pub(super) const GROUP: &str = "coracle.dev";
/// Its plural.
pub(super) const PLURAL: &str = "logicalclusters";
/// Namespaces that a cluster is born with.
const FIRST_NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
/// Objects removed in one transaction when a cluster goes.
const REMOVAL_SLICE: usize = 256;

/// All namespaces of all clusters.
fn namespaces() -> Prefix {
    Prefix::topic("", "namespaces")
}

impl ApiServer {
    /// Refuses a cluster that does not exist.
    pub(super) fn require_cluster(&self, cluster: &ClusterName) -> Result<(), Status> {
        match self.cluster_key(cluster) {
            Some(key) if self.store().get(&key).is_none() => {
                Err(Status::not_found(&Gvr::new(GROUP, "v1alpha1", PLURAL), cluster.as_str()))
            }
            _ => Ok(()),
        }
    }

    /// Where the object that a cluster hangs on is stored; the root cluster hangs on none.
    pub(super) fn cluster_key(&self, cluster: &ClusterName) -> Option<Key> {
        (!cluster.is_root()).then(|| Key::new(GROUP, PLURAL, ClusterName::ROOT, "", cluster.as_str()))
    }

    /// Refuses a name that no path could lead to; does nothing to other kinds.
    pub(super) fn check_cluster_name(&self, subject: &Subject, name: &str) -> Result<(), Status> {
        let kind = &subject.kind.descriptor;
        if &*kind.gvk.group != GROUP || &*kind.plural != PLURAL {
            return Ok(());
        }
        if ClusterName::new(name).is_some_and(|cluster| !cluster.is_root()) && subject.cluster.is_root() {
            return Ok(());
        }
        let cause = api::Cause {
            reason: "FieldValueInvalid".into(),
            message: format!(
                "Invalid value: \"{name}\": a logical cluster's name is a DNS label other than \"root\", in the root cluster"
            ),
            field: "metadata.name".into(),
        };
        Err(Status::invalid(GROUP, &kind.gvk.kind, name, vec![cause]))
    }

    /// Makes the root cluster's first namespaces unless they are there.
    pub(super) async fn bootstrap_root(&self) -> Result<(), Status> {
        let root = ClusterName::root();
        let mut transaction = Transaction::new();
        let accounts = FIRST_NAMESPACES.iter().filter_map(|namespace| self.first_account(&root, namespace));
        for (key, value) in self.first_namespaces(&root)?.into_iter().chain(accounts) {
            if self.store().get(&key).is_none() {
                transaction = transaction.put(key, value, Expect::Absent);
            }
        }
        if transaction.ops.is_empty() {
            return Ok(());
        }
        self.store().commit(transaction).await.map(|_| ()).map_err(|error| store_error(&error))
    }

    /// Adds what must come into being together with an object.
    pub(super) fn with_companions(&self, subject: &Subject, name: &str, mut transaction: Transaction) -> Transaction {
        let kind = &subject.kind.descriptor;
        if kind.gvk.group.is_empty() && &*kind.plural == "namespaces" {
            if let Some((key, value)) = self.first_account(&subject.cluster, name) {
                transaction = transaction.put(key, value, Expect::Absent);
            }
            return transaction;
        }
        if &*kind.gvk.group != GROUP || &*kind.plural != PLURAL {
            return transaction;
        }
        let Some(cluster) = ClusterName::new(name) else { return transaction };
        let namespaces = self.first_namespaces(&cluster).unwrap_or_default();
        let accounts = FIRST_NAMESPACES.iter().filter_map(|namespace| self.first_account(&cluster, namespace));
        namespaces
            .into_iter()
            .chain(accounts)
            .fold(transaction, |transaction, (key, value)| transaction.put(key, value, Expect::Absent))
    }

    /// Removes everything that a cluster held.
    pub(super) async fn remove_cluster(&self, name: &str) -> Result<(), Status> {
        let Some(cluster) = ClusterName::new(name) else { return Ok(()) };
        let namespaces = namespaces();
        // All topics, not all kinds: a kind that is no longer served has objects too.
        for (topic, _) in self.store().topics() {
            let prefix = Prefix::topic(topic.group, topic.resource).in_cluster(cluster.as_str());
            if prefix.group != namespaces.group || prefix.resource != namespaces.resource {
                self.remove_all(&prefix, Some(REMOVAL_SLICE)).await?;
            }
        }
        self.registry().forget(&cluster);
        // The namespaces last, and of them those that every cluster is born with: while one
        // stands, the cluster cannot be made anew, and what an end of the process left is found
        // by them.
        let namespaces = namespaces.in_cluster(cluster.as_str());
        self.remove_later_namespaces(&namespaces).await?;
        self.remove_all(&namespaces, None).await
    }

    async fn remove_later_namespaces(&self, namespaces: &Prefix) -> Result<(), Status> {
        loop {
            let options = store::ListOptions::default();
            let page = self.store().list(namespaces, &options).map_err(|error| store_error(&error))?;
            let later = page.entries.iter().filter(|entry| !FIRST_NAMESPACES.contains(&&*entry.key.name));
            let transaction = later.take(REMOVAL_SLICE).fold(Transaction::new(), |transaction, entry| {
                transaction.delete((*entry.key).clone(), Expect::Revision(entry.revision))
            });
            if transaction.ops.is_empty() {
                return Ok(());
            }
            match self.store().commit(transaction).await {
                // Something was written meanwhile: list again.
                Ok(_) | Err(store::Error::Conflict { .. }) => {}
                Err(error) => return Err(store_error(&error)),
            }
        }
    }

    /// Removes what the ended process left of clusters that were being removed.
    pub(super) async fn remove_leftovers(&self) -> Result<(), Status> {
        let options = store::ListOptions::default();
        let page = self.store().list(&namespaces(), &options).map_err(|error| store_error(&error))?;
        let mut clusters: Vec<ClusterName> =
            page.entries.iter().filter_map(|entry| ClusterName::new(&entry.key.cluster)).collect();
        clusters.dedup();
        for cluster in clusters {
            if self.require_cluster(&cluster).is_err() {
                self.remove_cluster(cluster.as_str()).await?;
            }
        }
        Ok(())
    }

    async fn remove_all(&self, prefix: &Prefix, limit: Option<usize>) -> Result<(), Status> {
        loop {
            let options = store::ListOptions { limit, ..Default::default() };
            let page = self.store().list(prefix, &options).map_err(|error| store_error(&error))?;
            if page.entries.is_empty() {
                return Ok(());
            }
            let remove = |transaction: Transaction, entry: &store::Entry| {
                transaction.delete((*entry.key).clone(), Expect::Revision(entry.revision))
            };
            match self.store().commit(page.entries.iter().fold(Transaction::new(), remove)).await {
                // Something was written meanwhile: list again.
                Ok(_) | Err(store::Error::Conflict { .. }) => {}
                Err(error) => return Err(store_error(&error)),
            }
        }
    }

    /// The account that pods of a new namespace have unless they name another. It comes into
    /// being with the namespace, so that a pod that follows at once is not refused for the lack
    /// of it; whoever removes it later, `core` brings it back.
    fn first_account(&self, cluster: &ClusterName, namespace: &str) -> Option<(Key, store::Value)> {
        if self.settings().disabled_admission.iter().any(|plugin| plugin == admission::SERVICE_ACCOUNT) {
            return None;
        }
        let key = Key::new("", "serviceaccounts", cluster.as_str(), namespace, "default");
        if self.store().get(&key).is_some() {
            return None;
        }
        let gvr = Gvr::new("", "v1", "serviceaccounts");
        let kind = self.registry().resource(cluster, &gvr)?;
        let mut object = Tree::new();
        let meta = json!({
            "name": "default",
            "namespace": namespace,
            "uid": self.ids().uid(),
            "creationTimestamp": self.clock().now_rfc3339(),
        });
        object.insert("metadata".into(), meta);
        let segments = split(&kind.descriptor, object).ok()?;
        Some((key, store::Value::new(segments.meta, segments.body)))
    }

    fn first_namespaces(&self, cluster: &ClusterName) -> Result<Vec<(Key, store::Value)>, Status> {
        let gvr = Gvr::new("", "v1", "namespaces");
        let kind = self.registry().resource(cluster, &gvr).ok_or_else(Status::no_such_resource)?;
        FIRST_NAMESPACES
            .iter()
            .map(|name| {
                let mut object = json!({"metadata": {
                    "name": name,
                    "uid": self.ids().uid(),
                    "creationTimestamp": self.clock().now_rfc3339(),
                }});
                let Value::Object(tree) = &mut object else { return Err(Status::internal("a namespace is an object")) };
                strategy::prepare_create(&kind.descriptor, tree);
                let segments = split(&kind.descriptor, std::mem::take(tree))?;
                let key = Key::new("", "namespaces", cluster.as_str(), "", *name);
                Ok((key, store::Value::new(segments.meta, segments.body)))
            })
            .collect()
    }
}
