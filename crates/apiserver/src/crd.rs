//! CustomResourceDefinitions: what one in effect serves. How definitions are
//! checked and what their status says stands in the files below. Schemas are
//! kept compiled; their JSON is read anew from the stored record when somebody
//! asks for it. It never touches the store.

pub mod check;
mod deprecation;
mod spec;
pub mod status;

use std::sync::Arc;

use api::kind::{PrinterColumn, ScalePaths, Subresources, Verbs};
use api::{Gvk, KindDescriptor, Status};
use bytes::Bytes;
use machinery::structural::Schema;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use spec::{Spec, VersionSpec};

pub use spec::Names;

/// The resource that holds definitions.
pub const GROUP: &str = "apiextensions.k8s.io";
/// Its plural.
pub const PLURAL: &str = "customresourcedefinitions";
/// Held by every definition until no instance is left.
pub const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";
/// Marks a definition that every logical cluster serves.
pub const PLATFORM_LABEL: &str = api::platform::PLATFORM_KIND_LABEL;

/// A definition in effect.
#[derive(Clone)]
pub struct Definition {
    /// `plural.group`.
    pub name: String,
    /// Group.
    pub group: String,
    /// Lower-case plural.
    pub plural: String,
    /// Kind.
    pub kind: String,
    /// Whether it serves requests (its names are its own).
    pub established: bool,
    /// Whether every cluster serves it.
    pub platform: bool,
    /// The names that it holds, against all others of its group.
    pub accepted: Names,
    /// The names that it wants.
    pub wanted: Names,
    /// When it was made: of two that hold the same name the earlier keeps it.
    pub created: String,
    /// The revision since which its schemas are as they are: objects stored before it may lack
    /// what they state.
    pub since: u64,
    versions: Vec<Version>,
    /// The stored record's body, whose bytes are the store's.
    body: Bytes,
}

#[derive(Clone)]
struct Version {
    descriptor: Arc<KindDescriptor>,
    served: bool,
    schema: Option<Arc<Schema>>,
    /// Says which schema it is, for documents that are made of it.
    fingerprint: u64,
    deprecation: Option<Arc<str>>,
}

impl Definition {
    /// Descriptors of the versions that are served.
    pub fn served(&self) -> impl Iterator<Item = &Arc<KindDescriptor>> {
        self.versions.iter().filter(|version| version.served).map(|version| &version.descriptor)
    }

    /// The version that objects are stored in, served or not.
    pub fn stored(&self) -> Option<&Arc<KindDescriptor>> {
        let mut versions = self.versions.iter().map(|version| &version.descriptor);
        versions.find(|descriptor| descriptor.gvk.version == descriptor.storage_version)
    }

    fn version(&self, version: &str) -> Option<&Version> {
        self.versions.iter().find(|held| &*held.descriptor.gvk.version == version)
    }

    /// The OpenAPI schema of a version as JSON, with its descriptions, if it states one.
    /// It is read from the record each time and not kept.
    pub fn schema(&self, version: &str) -> Option<Arc<Value>> {
        let stored: Stored<'_> = serde_json::from_slice(&self.body).ok()?;
        let held = stored.spec.versions.into_iter().find(|held| held.name == version)?;
        serde_json::from_str(held.schema?.open_api_v3_schema?.get()).ok().map(Arc::new)
    }

    /// Changes when the schema of a version does, descriptions included; 0 without one.
    /// The same for the same schema in every process.
    pub fn schema_fingerprint(&self, version: &str) -> u64 {
        self.version(version).map_or(0, |version| version.fingerprint)
    }

    /// Whether every version has the schema that it has in `other`.
    pub fn has_schemas_of(&self, other: &Definition) -> bool {
        let told = |definition: &Definition| {
            let versions = definition.versions.iter();
            versions.map(|version| (version.descriptor.gvk.version.clone(), version.fingerprint)).collect::<Vec<_>>()
        };
        told(self) == told(other)
    }

    /// The compiled schema of a version.
    pub fn structural(&self, version: &str) -> Option<&Arc<Schema>> {
        self.version(version)?.schema.as_ref()
    }

    /// What clients of a version are warned of.
    pub fn deprecation(&self, version: &str) -> Option<&str> {
        self.version(version)?.deprecation.as_deref()
    }

    /// Whether it wants names that it does not hold.
    pub fn is_waiting(&self) -> bool {
        !self.established || self.accepted != self.wanted
    }

    /// Whether both hold a name that only one may hold.
    pub fn overlaps(&self, other: &Definition) -> bool {
        self.group == other.group && self.accepted.overlaps(&other.accepted)
    }

    /// The definition without the names that it held.
    pub fn demoted(&self) -> Definition {
        Definition { established: false, accepted: Names::default(), ..self.clone() }
    }
}

/// Where a stored definition has its schemas.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    spec: StoredSpec<'a>,
}

#[derive(Deserialize)]
struct StoredSpec<'a> {
    #[serde(borrow)]
    versions: Vec<StoredVersion<'a>>,
}

#[derive(Deserialize)]
struct StoredVersion<'a> {
    name: String,
    #[serde(borrow, default)]
    schema: Option<StoredSchema<'a>>,
}

#[derive(Deserialize)]
struct StoredSchema<'a> {
    #[serde(borrow, default, rename = "openAPIV3Schema")]
    open_api_v3_schema: Option<&'a RawValue>,
}

/// Fills what a definition may leave out, as Kubernetes defaults it.
pub fn default_spec(object: &mut Map<String, Value>) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (field, name) in [("singular", kind.to_lowercase()), ("listKind", format!("{kind}List"))] {
            let held = names.entry(field).or_insert(Value::Null);
            if (held.is_null() || *held == "") && !kind.is_empty() {
                *held = Value::String(name);
            }
            if held.is_null() {
                names.remove(field);
            }
        }
    }
    spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
}

/// Reads a definition that was checked when it was stored. `body` is its record's, and
/// `compiled` gives the compiled form of a schema.
pub fn read(
    object: &Map<String, Value>,
    name: &str,
    body: Bytes,
    compiled: &dyn Fn(&Value) -> Arc<Schema>,
) -> Result<Definition, Status> {
    let spec = Spec::of(object)?;
    let meta = |field: &str| object.get("metadata").and_then(|meta| meta.get(field));
    let label = meta("labels").and_then(|labels| labels.get(PLATFORM_LABEL)).and_then(Value::as_str);
    let accepted = Names::accepted(object);
    let established = status::is_established(object);
    // What is served under a name is served under the names that were accepted.
    let served_names = if established && !accepted.plural.is_empty() { &accepted } else { &spec.names };
    let versions = spec.versions.iter().enumerate().map(|(index, version)| {
        let schema = check::schema_of(object, index);
        Version {
            descriptor: Arc::new(descriptor(&spec, version, served_names)),
            served: version.served,
            schema: schema.map(compiled),
            fingerprint: schema.map_or(0, fingerprint),
            deprecation: deprecation::warning(&spec, version),
        }
    });
    Ok(Definition {
        name: name.to_owned(),
        group: spec.group.clone(),
        plural: spec.names.plural.clone(),
        kind: spec.names.kind.clone(),
        established,
        platform: label == Some("true"),
        created: meta("creationTimestamp").and_then(Value::as_str).unwrap_or_default().to_owned(),
        since: 0,
        versions: versions.collect(),
        accepted: accepted.clone(),
        wanted: spec.names.clone(),
        body,
    })
}

/// FNV-1a of the schema's text: nobody gains from two schemas that look alike to a cache.
fn fingerprint(schema: &Value) -> u64 {
    struct Fnv(u64);
    impl std::io::Write for Fnv {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            self.0 = bytes.iter().fold(self.0, step);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    // A value can always be written.
    let _ = serde_json::to_writer(&mut hash, schema);
    hash.0
}

fn descriptor(spec: &Spec, version: &VersionSpec, names: &Names) -> KindDescriptor {
    let scale = version.subresources.scale.as_ref().map(|scale| ScalePaths {
        spec_replicas: scale.spec_replicas_path.as_str().into(),
        status_replicas: scale.status_replicas_path.as_str().into(),
        label_selector: scale.label_selector_path.as_deref().filter(|path| !path.is_empty()).map(Arc::from),
    });
    let shared = |names: &[String]| names.iter().map(|name| Arc::from(name.as_str())).collect();
    let columns = version.additional_printer_columns.iter().map(|column| PrinterColumn {
        name: column.name.clone(),
        kind: column.r#type.clone(),
        format: column.format.clone(),
        description: column.description.clone(),
        priority: column.priority,
        json_path: column.json_path.clone(),
    });
    let or = |name: &str, other: String| if name.is_empty() { Arc::from(other) } else { Arc::from(name) };
    KindDescriptor {
        gvk: Gvk::new(&spec.group, &version.name, &spec.names.kind),
        plural: spec.names.plural.as_str().into(),
        singular: or(&names.singular, spec.names.kind.to_lowercase()),
        list_kind: or(&names.list_kind, format!("{}List", spec.names.kind)),
        short_names: shared(&names.short_names),
        categories: shared(&names.categories),
        namespaced: spec.scope == "Namespaced",
        subresources: Subresources { status: version.subresources.status.is_some(), scale },
        has_generation: true,
        verbs: Verbs::All,
        selectable_fields: version.selectable_fields.iter().map(|field| Arc::from(field.json_path.as_str())).collect(),
        columns: columns.collect(),
        type_name: "".into(),
        storage_group: spec.group.as_str().into(),
        storage_version: spec.storage_version().unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests;
