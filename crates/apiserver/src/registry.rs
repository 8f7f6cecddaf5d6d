//! Which kinds each logical cluster serves: the built-in ones, the platform's
//! own, and those its CustomResourceDefinitions add. Lookups are by map; a
//! cluster without definitions of its own costs nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{ClusterName, Gvk, Gvr, KindDescriptor};
use machinery::structural::Schema;
use parking_lot::RwLock;

use crate::crd::Definition;
use crate::crd::status::Used;
use crate::schemas::Schemas;

/// One served version of one kind.
#[derive(Clone)]
pub struct Kind {
    /// Names, scope, subresources.
    pub descriptor: Arc<KindDescriptor>,
    /// The definition it comes from; `None` for built-in kinds.
    pub definition: Option<Arc<Definition>>,
}

impl Kind {
    /// Whether a CustomResourceDefinition serves it.
    pub fn is_custom(&self) -> bool {
        self.definition.is_some()
    }

    /// The schema of its objects, if they are a definition's.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        self.definition.as_ref()?.structural(&self.descriptor.gvk.version)
    }

    /// The topic its objects are stored under, whichever version serves them.
    pub fn topic(&self) -> (Arc<str>, Arc<str>) {
        (self.descriptor.storage_group.clone(), self.descriptor.plural.clone())
    }
}

/// Kinds by what requests name them with.
#[derive(Clone, Default)]
struct KindSet {
    by_resource: HashMap<Gvr, Kind>,
    by_kind: HashMap<Gvk, Gvr>,
}

impl KindSet {
    fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut set = KindSet::default();
        for kind in kinds {
            let gvr = kind.descriptor.gvr();
            set.by_kind.insert(kind.descriptor.gvk.clone(), gvr.clone());
            set.by_resource.insert(gvr, kind);
        }
        set
    }
}

/// Definitions of one cluster by name, and the kinds they serve.
#[derive(Clone, Default)]
struct Custom {
    definitions: BTreeMap<String, Arc<Definition>>,
    /// The revision of the last change to each, so that an older one that comes later, since
    /// its task was resumed later, changes nothing.
    seen: BTreeMap<String, u64>,
    kinds: KindSet,
}

impl Custom {
    fn is_news(&mut self, name: &str, revision: u64) -> bool {
        let seen = self.seen.entry(name.to_owned()).or_default();
        let is_news = *seen < revision;
        *seen = revision.max(*seen);
        is_news
    }

    /// Takes names that are held twice from those made later, where the definition of that
    /// name holds them too; says whether there were any.
    fn settle(&mut self, name: &str) -> bool {
        let Some(definition) = self.definitions.get(name).cloned() else { return false };
        let order = |definition: &Definition| (definition.created.clone(), definition.name.clone());
        let mut losers = Vec::new();
        for other in self.definitions.values() {
            if other.name == definition.name || !other.overlaps(&definition) {
                continue;
            }
            let loser = if order(other) < order(&definition) { &definition } else { other };
            losers.push(loser.clone());
        }
        for loser in &losers {
            self.definitions.insert(loser.name.clone(), Arc::new(loser.demoted()));
        }
        !losers.is_empty()
    }

    fn rebuild(&mut self) {
        let kinds = self.definitions.values().filter(|definition| definition.established).flat_map(|definition| {
            definition
                .served()
                .map(|descriptor| Kind { descriptor: descriptor.clone(), definition: Some(definition.clone()) })
        });
        self.kinds = KindSet::of(kinds);
    }
}

/// The kinds of every cluster.
pub struct Registry {
    builtin: KindSet,
    custom: RwLock<HashMap<ClusterName, Arc<Custom>>>,
    generation: AtomicU64,
    schemas: Schemas,
}

impl Registry {
    /// A registry of the built-in kinds.
    pub fn new(builtin: &[Arc<KindDescriptor>]) -> Self {
        let kinds = builtin.iter().map(|descriptor| Kind { descriptor: descriptor.clone(), definition: None });
        // Clients keep documents beyond the life of a process, so that two must not count alike.
        let mut seed = [0u8; 8];
        base::Ids::system().fill(&mut seed);
        let generation = AtomicU64::new(u64::from_le_bytes(seed) >> 1);
        Registry { builtin: KindSet::of(kinds), custom: RwLock::default(), generation, schemas: Schemas::default() }
    }

    /// The compiled schemas of all definitions.
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// Changes with every change of what is served anywhere.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The kind that serves a resource in a cluster.
    pub fn resource(&self, cluster: &ClusterName, gvr: &Gvr) -> Option<Kind> {
        self.find(cluster, |set| set.by_resource.get(gvr).cloned())
    }

    /// The kind by its name in a cluster.
    pub fn kind(&self, cluster: &ClusterName, gvk: &Gvk) -> Option<Kind> {
        self.find(cluster, |set| set.by_resource.get(set.by_kind.get(gvk)?).cloned())
    }

    /// Built-in kinds come first: a definition cannot shadow them. Then the cluster's own
    /// definitions, then the platform's, which every cluster serves.
    fn find(&self, cluster: &ClusterName, look: impl Fn(&KindSet) -> Option<Kind>) -> Option<Kind> {
        if let Some(kind) = look(&self.builtin) {
            return Some(kind);
        }
        let custom = self.custom.read();
        if let Some(kind) = custom.get(cluster).and_then(|own| look(&own.kinds)) {
            return Some(kind);
        }
        if cluster.is_root() {
            return None;
        }
        let shared = custom.get(&ClusterName::root())?;
        look(&shared.kinds).filter(|kind| kind.definition.as_ref().is_some_and(|definition| definition.platform))
    }

    /// Every kind a cluster serves, ordered by group, version and plural.
    pub fn all(&self, cluster: &ClusterName) -> Vec<Kind> {
        let mut kinds: BTreeMap<Gvr, Kind> =
            self.builtin.by_resource.iter().map(|(gvr, kind)| (gvr.clone(), kind.clone())).collect();
        let custom = self.custom.read();
        if !cluster.is_root()
            && let Some(shared) = custom.get(&ClusterName::root())
        {
            let platform = |kind: &&Kind| kind.definition.as_ref().is_some_and(|definition| definition.platform);
            for kind in shared.kinds.by_resource.values().filter(platform) {
                kinds.entry(kind.descriptor.gvr()).or_insert_with(|| kind.clone());
            }
        }
        if let Some(own) = custom.get(cluster) {
            for (gvr, kind) in &own.kinds.by_resource {
                kinds.insert(gvr.clone(), kind.clone());
            }
        }
        kinds.into_values().collect()
    }

    /// Puts a definition into effect, in the state of `revision`. Two that were written at
    /// one instant may both have been given a name: the one made later loses it here. True
    /// if names are to be judged anew, because of that or because some became free.
    pub fn define(&self, cluster: &ClusterName, mut definition: Definition, revision: u64) -> bool {
        let mut names_moved = false;
        self.change(cluster, |custom| {
            if custom.is_news(&definition.name, revision) {
                let name = definition.name.clone();
                let accepted = definition.accepted.clone();
                let same = custom.definitions.get(&name).filter(|held| held.has_schemas_of(&definition));
                definition.since = same.map_or(revision, |held| held.since);
                let before = custom.definitions.insert(name.clone(), Arc::new(definition));
                let gave_up = before.is_some_and(|before| !before.accepted.is_within(&accepted));
                names_moved = custom.settle(&name) || gave_up;
            }
        });
        names_moved
    }

    /// Takes a definition that was removed at `revision` out of effect.
    pub fn undefine(&self, cluster: &ClusterName, name: &str, revision: u64) {
        self.change(cluster, |custom| {
            if custom.is_news(name, revision) {
                custom.definitions.remove(name);
            }
        });
    }

    /// Forgets a whole cluster.
    pub fn forget(&self, cluster: &ClusterName) {
        self.custom.write().remove(cluster);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Definitions that want names that they do not hold.
    pub fn waiting(&self, cluster: &ClusterName) -> Vec<String> {
        let clusters = self.custom.read();
        let definitions = clusters.get(cluster).into_iter().flat_map(|custom| custom.definitions.values());
        definitions.filter(|held| held.is_waiting()).map(|held| held.name.clone()).collect()
    }

    /// A definition in effect, by its name.
    pub fn definition(&self, cluster: &ClusterName, name: &str) -> Option<Arc<Definition>> {
        self.custom.read().get(cluster)?.definitions.get(name).cloned()
    }

    /// The names that others in the group of a definition hold.
    pub fn names_used(&self, cluster: &ClusterName, group: &str, except: &str) -> Used {
        let mut used = Used::default();
        for kind in self.builtin.by_resource.values().filter(|kind| &*kind.descriptor.gvk.group == group) {
            let descriptor = &kind.descriptor;
            used.resources.extend([descriptor.plural.to_string(), descriptor.singular.to_string()]);
            used.kinds.extend([descriptor.gvk.kind.to_string(), descriptor.list_kind.to_string()]);
        }
        let custom = self.custom.read();
        let others = custom.get(cluster).into_iter().flat_map(|custom| custom.definitions.values());
        for other in others.filter(|other| other.name != except && other.group == group) {
            used.add(&other.accepted);
        }
        used
    }

    fn change(&self, cluster: &ClusterName, edit: impl FnOnce(&mut Custom)) {
        let mut clusters = self.custom.write();
        let held = clusters.entry(cluster.clone()).or_default();
        let custom = Arc::make_mut(held);
        edit(custom);
        custom.rebuild();
        drop(clusters);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
