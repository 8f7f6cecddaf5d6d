//! What a value is filed under, and how a range of keys is named. Plain data:
//! nothing here may look at values or give a part of the key a meaning beyond
//! its place in the order.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The place of one value. `namespace` is empty for what belongs to a cluster
/// as a whole. Keys are ordered by their parts in the order of the fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Plural resource name.
    pub resource: Arc<str>,
    /// Logical cluster.
    pub cluster: Arc<str>,
    /// Namespace, or empty.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl Key {
    /// A key from its parts.
    pub fn new(
        group: impl Into<Arc<str>>,
        resource: impl Into<Arc<str>>,
        cluster: impl Into<Arc<str>>,
        namespace: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
    ) -> Self {
        Key {
            group: group.into(),
            resource: resource.into(),
            cluster: cluster.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The topic this key belongs to.
    pub fn topic(&self) -> Topic {
        Topic { group: self.group.clone(), resource: self.resource.clone() }
    }

    /// The parts in their order.
    pub(crate) fn parts(&self) -> [&Arc<str>; 5] {
        [&self.group, &self.resource, &self.cluster, &self.namespace, &self.name]
    }

    /// Bytes of text in the key.
    pub(crate) fn text_len(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        // Neighbours in a tree share most parts by pointer, which spares
        // comparing their text.
        let parts = self.parts().into_iter().zip(other.parts());
        for (mine, theirs) in parts {
            if !Arc::ptr_eq(mine, theirs) {
                match mine.as_ref().cmp(theirs.as_ref()) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                }
            }
        }
        Ordering::Equal
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { group, resource, cluster, namespace, name } = self;
        write!(out, "{cluster}:{resource}")?;
        if !group.is_empty() {
            write!(out, ".{group}")?;
        }
        if !namespace.is_empty() {
            write!(out, "/{namespace}")?;
        }
        write!(out, "/{name}")
    }
}

/// All keys of one group and resource: the unit of history and of wake-ups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Plural resource name.
    pub resource: Arc<str>,
}

/// A range of keys: one topic, in all clusters or one, in all namespaces or one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// API group; empty for the core group.
    pub group: Arc<str>,
    /// Plural resource name.
    pub resource: Arc<str>,
    /// Only this cluster.
    pub cluster: Option<Arc<str>>,
    /// Only this namespace (of that cluster, or of every cluster).
    pub namespace: Option<Arc<str>>,
}

impl Prefix {
    /// Every key of a topic, in all clusters.
    pub fn topic(group: impl Into<Arc<str>>, resource: impl Into<Arc<str>>) -> Self {
        Prefix { group: group.into(), resource: resource.into(), cluster: None, namespace: None }
    }

    /// Narrows to one cluster.
    #[must_use]
    pub fn in_cluster(mut self, cluster: impl Into<Arc<str>>) -> Self {
        self.cluster = Some(cluster.into());
        self
    }

    /// Narrows to one namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<Arc<str>>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Whether `key` lies in the range.
    pub fn matches(&self, key: &Key) -> bool {
        self.group == key.group
            && self.resource == key.resource
            && self.cluster.as_ref().is_none_or(|cluster| *cluster == key.cluster)
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
    }

    pub(crate) fn name_of_topic(&self) -> Topic {
        Topic { group: self.group.clone(), resource: self.resource.clone() }
    }

    /// The smallest key that can lie in the range.
    pub(crate) fn first(&self) -> Key {
        let namespace = self.cluster.as_ref().and(self.namespace.clone());
        Key {
            group: self.group.clone(),
            resource: self.resource.clone(),
            cluster: self.cluster.clone().unwrap_or_default(),
            namespace: namespace.unwrap_or_default(),
            name: Arc::default(),
        }
    }

    /// Whether `key`, which is not below [`Prefix::first`], lies beyond the
    /// last key of the range.
    pub(crate) fn is_past(&self, key: &Key) -> bool {
        let Some(cluster) = &self.cluster else { return false };
        key.cluster != *cluster || self.namespace.as_ref().is_some_and(|namespace| *namespace != key.namespace)
    }
}
