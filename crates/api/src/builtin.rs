//! The built-in kinds of Kubernetes 1.36 and their types, read once from the
//! compressed data that `cargo xtask schemas` generates. The data is part of
//! the program, so a fault in it is a fault of the build and stops the program;
//! nothing here may depend on what is installed or stored.

pub mod data;
mod extra;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::kind::{KindDescriptor, Subresources, Verbs};
use crate::name::{Gvk, Gvr};
use crate::schema::{Type, TypeId, TypeTable};
use data::{DocsData, KindData};

/// The version of Kubernetes whose API this server speaks.
pub const VERSION: Version = Version { major: "1", minor: "36", git_version: "v1.36.0+coracle" };

static BYTES: &[u8] = include_bytes!("../schemas/kubernetes-1.36.json.gz");

static LOADED: LazyLock<Loaded> = LazyLock::new(load);

/// What `/version` reports of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major version.
    pub major: &'static str,
    /// Minor version.
    pub minor: &'static str,
    /// Full version with our suffix.
    pub git_version: &'static str,
}

/// A subresource of a built-in kind, as discovery lists it. Whether a request
/// to it can be answered is up to the server and its capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subresource {
    /// Last part of the path, for example `eviction`.
    pub name: Arc<str>,
    /// The kind that is sent and answered.
    pub gvk: Gvk,
    /// Verbs as discovery lists them.
    pub verbs: Vec<Arc<str>>,
}

struct Loaded {
    release: String,
    types: TypeTable,
    by_gvk: HashMap<Gvk, TypeId>,
    kinds: Vec<Arc<KindDescriptor>>,
    subresources: HashMap<Gvr, Vec<Subresource>>,
    docs_offset: usize,
}

/// The kinds that kube-apiserver serves unless told otherwise, in the order
/// discovery lists them.
pub fn kinds() -> &'static [Arc<KindDescriptor>] {
    &LOADED.kinds
}

/// The types of the built-in kinds and everything they consist of.
pub fn types() -> &'static TypeTable {
    &LOADED.types
}

/// The type of a body that names itself with `apiVersion` and `kind`:
/// built-in kinds, their lists, the kinds of subresources (`Scale`,
/// `Eviction`, `TokenRequest`) and what clients send along with a verb
/// (`DeleteOptions`, which carries the group of the resource it is sent to).
pub fn type_of(gvk: &Gvk) -> Option<TypeId> {
    let everywhere = || match &*gvk.kind {
        "DeleteOptions" | "WatchEvent" => LOADED.types.id(&format!("{META_V1}.{}", gvk.kind)),
        _ => None,
    };
    LOADED.by_gvk.get(gvk).copied().or_else(everywhere)
}

/// Every subresource of a built-in resource, `status` and `scale` included.
pub fn subresources(gvr: &Gvr) -> &'static [Subresource] {
    LOADED.subresources.get(gvr).map(Vec::as_slice).unwrap_or_default()
}

/// Where field selectors read `path` (one of a kind's `selectable_fields`): the
/// paths to try in turn, and the text that selects objects which have none.
pub fn selectable_source<'a>(gvk: &Gvk, path: &'a str) -> (Vec<&'a str>, &'static str) {
    let paths = extra::read_from(&gvk.group, &gvk.kind, path).map_or_else(|| vec![path], <[&str]>::to_vec);
    (paths, extra::when_absent(path))
}

/// The Kubernetes release the schemas were taken from, for example `v1.36.0`.
pub fn release() -> &'static str {
    &LOADED.release
}

/// Documentation, inflated for the caller and dropped with the answer: a
/// megabyte that only a freshly built OpenAPI document needs.
pub fn docs() -> Docs {
    let data = data::decode_docs(&BYTES[LOADED.docs_offset..]).expect("the embedded documentation is readable");
    Docs { data }
}

/// Documentation of types and fields.
#[derive(Debug, Default)]
pub struct Docs {
    data: DocsData,
}

impl Docs {
    /// Documentation of a type; empty if it has none.
    pub fn of_type(&self, id: TypeId) -> &str {
        self.text(id, 0)
    }

    /// Documentation of a field by its position in the type.
    pub fn of_field(&self, id: TypeId, position: usize) -> &str {
        self.text(id, position + 1)
    }

    fn text(&self, id: TypeId, position: usize) -> &str {
        let index = self.data.types.get(id.index()).and_then(|of_type| of_type.get(position));
        index.and_then(|index| self.data.texts.get(*index as usize)).map(|text| &**text).unwrap_or_default()
    }
}

const META_V1: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

fn load() -> Loaded {
    let (tables, docs_offset) = data::decode_tables(BYTES).expect("the embedded schema data is readable");
    let types: Result<Vec<Type>, _> = tables.types.into_iter().map(data::TypeData::into_type).collect();
    let types = TypeTable::new(types.expect("the embedded schema data names known shapes only"));
    let mut by_gvk = HashMap::new();
    for (index, kind) in (0..).zip(types.types()) {
        if let Some(gvk) = &kind.gvk {
            by_gvk.insert(gvk.clone(), TypeId(index));
        }
    }
    let subresources = tables.kinds.iter().map(subresources_of).collect();
    let served = tables.kinds.iter().filter(|kind| extra::is_served(&kind.group, &kind.kind));
    let kinds = served.map(|kind| Arc::new(descriptor(kind))).collect();
    Loaded { release: tables.release, types, by_gvk, kinds, subresources, docs_offset }
}

fn subresources_of(kind: &KindData) -> (Gvr, Vec<Subresource>) {
    let all = kind.subresources.iter().map(|sub| Subresource {
        name: (&*sub.name).into(),
        gvk: Gvk::new(&sub.group, &sub.version, &sub.kind),
        verbs: sub.verbs.iter().map(|verb| (&**verb).into()).collect(),
    });
    (Gvr::new(&kind.group, &kind.version, &kind.plural), all.collect())
}

fn descriptor(kind: &KindData) -> KindDescriptor {
    let gvk = Gvk::new(&kind.group, &kind.version, &kind.kind);
    let (storage_group, storage_version) = extra::stored_as(&kind.group, &kind.version, &kind.kind)
        .map(|(group, version)| (group.into(), version.into()))
        .unwrap_or_else(|| (gvk.group.clone(), gvk.version.clone()));
    let has = |name: &str| kind.subresources.iter().any(|sub| &*sub.name == name);
    let texts = |texts: &[Box<str>]| texts.iter().map(|text| (&**text).into()).collect();
    KindDescriptor {
        plural: (&*kind.plural).into(),
        singular: (&*kind.singular).into(),
        list_kind: format!("{}List", kind.kind).into(),
        short_names: texts(&kind.short),
        categories: texts(&kind.categories),
        namespaced: kind.namespaced,
        subresources: Subresources { status: has("status"), scale: has("scale").then(extra::scale_paths) },
        has_generation: extra::has_generation(&kind.group, &kind.kind),
        verbs: verbs(&kind.verbs),
        selectable_fields: extra::selectable_fields(&kind.group, &kind.kind)
            .iter()
            .map(|path| (*path).into())
            .collect(),
        columns: Vec::new(),
        type_name: (&*kind.type_name).into(),
        storage_group,
        storage_version,
        gvk,
    }
}

fn verbs(names: &[Box<str>]) -> Verbs {
    let has = |verb: &str| names.iter().any(|name| &**name == verb);
    match (has("list"), has("deletecollection")) {
        (false, _) => Verbs::Create,
        (true, false) => Verbs::AllButDeleteCollection,
        (true, true) => Verbs::All,
    }
}
