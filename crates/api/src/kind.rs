//! What the API server needs to know of a kind to serve it: names, scope,
//! subresources, columns. Built-in kinds and CustomResourceDefinitions are both
//! turned into this; nothing else in the project distinguishes them.

use std::sync::Arc;

use crate::name::{Gvk, Gvr};

/// One served version of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindDescriptor {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// Lower-case plural, as in paths.
    pub plural: Arc<str>,
    /// Lower-case singular.
    pub singular: Arc<str>,
    /// Kind of a list, usually the kind with `List` appended.
    pub list_kind: Arc<str>,
    /// Abbreviations that kubectl accepts.
    pub short_names: Vec<Arc<str>>,
    /// Groups of kinds that kubectl accepts, for example `all`.
    pub categories: Vec<Arc<str>>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// What can be asked of objects beside the object itself.
    pub subresources: Subresources,
    /// Whether `metadata.generation` counts changes of everything but metadata and status.
    pub has_generation: bool,
    /// Verbs of the main resource, in the order discovery lists them.
    pub verbs: Verbs,
    /// Fields other than name and namespace that field selectors may name,
    /// as paths with a leading dot, for example `.spec.nodeName`.
    pub selectable_fields: Vec<Arc<str>>,
    /// Extra columns of a CustomResourceDefinition; built-in kinds have theirs in `machinery`.
    pub columns: Vec<PrinterColumn>,
    /// Name of the type in [`crate::schema::TypeTable`], for example `io.k8s.api.core.v1.Pod`;
    /// empty for CustomResourceDefinitions.
    pub type_name: Arc<str>,
    /// Group under which objects are stored, with the same plural. Differs from
    /// the kind's own only where two groups serve the same objects (`events`).
    pub storage_group: Arc<str>,
    /// Version in which objects are stored; others are converted from and to it.
    pub storage_version: Arc<str>,
}

impl KindDescriptor {
    /// The resource that serves this kind.
    pub fn gvr(&self) -> Gvr {
        Gvr { group: self.gvk.group.clone(), version: self.gvk.version.clone(), resource: self.plural.clone() }
    }

    /// The resource under which objects are stored.
    pub fn storage_gvr(&self) -> Gvr {
        Gvr { group: self.storage_group.clone(), version: self.storage_version.clone(), resource: self.plural.clone() }
    }
}

/// The subresources of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subresources {
    /// Whether `/status` exists and the main resource leaves `.status` alone.
    pub status: bool,
    /// Where `/scale` finds its numbers, if it exists.
    pub scale: Option<ScalePaths>,
}

/// JSON paths (dotted, with a leading dot) of the scale subresource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalePaths {
    /// Desired replicas, for example `.spec.replicas`.
    pub spec_replicas: Arc<str>,
    /// Observed replicas, for example `.status.replicas`.
    pub status_replicas: Arc<str>,
    /// Label selector, if the kind has one; text or a `LabelSelector` object.
    pub label_selector: Option<Arc<str>>,
}

/// Which verbs a resource serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbs {
    /// create, delete, deletecollection, get, list, patch, update, watch.
    All,
    /// All but deletecollection: namespaces.
    AllButDeleteCollection,
    /// create only: reviews that answer and are not stored.
    Create,
}

impl Verbs {
    /// The verbs as discovery lists them.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Verbs::All => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
            Verbs::AllButDeleteCollection => &["create", "delete", "get", "list", "patch", "update", "watch"],
            Verbs::Create => &["create"],
        }
    }
}

/// A printer column (`additionalPrinterColumns`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrinterColumn {
    /// Heading.
    pub name: String,
    /// OpenAPI type: integer, number, string, boolean, date.
    pub kind: String,
    /// OpenAPI format.
    pub format: String,
    /// What it means.
    pub description: String,
    /// 0 is always shown; higher only with `-o wide`.
    pub priority: i32,
    /// JSON path in kubectl's dialect.
    pub json_path: String,
}
