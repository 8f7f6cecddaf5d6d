//! CustomResourceDefinitions: reading one, what it serves, and the conditions
//! and accepted names that its status carries. Schemas are kept, not enforced,
//! in this file; it never touches the store.

use std::sync::Arc;

use api::kind::{PrinterColumn, ScalePaths, Subresources, Verbs};
use api::{Cause, Gvk, KindDescriptor, Status};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The resource that holds definitions.
pub const GROUP: &str = "apiextensions.k8s.io";
/// Its plural.
pub const PLURAL: &str = "customresourcedefinitions";
/// Held by every definition until no instance is left.
pub const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";
/// Marks a definition that every logical cluster serves.
pub const PLATFORM_LABEL: &str = api::platform::PLATFORM_KIND_LABEL;

/// A definition in effect.
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
    singular: String,
    short_names: Vec<String>,
    versions: Vec<Version>,
}

struct Version {
    descriptor: Arc<KindDescriptor>,
    served: bool,
    schema: Option<Arc<Value>>,
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

    /// The OpenAPI schema of a version, if it states one.
    pub fn schema(&self, version: &str) -> Option<Arc<Value>> {
        self.versions.iter().find(|held| &*held.descriptor.gvk.version == version)?.schema.clone()
    }

    /// A name that both claim.
    pub fn shares_name_with(&self, other: &Definition) -> Option<String> {
        let resource_names = |definition: &Definition| {
            let mut names = vec![definition.plural.clone(), definition.singular.clone()];
            names.extend(definition.short_names.iter().cloned());
            names
        };
        if self.kind == other.kind {
            return Some(self.kind.clone());
        }
        let mine = resource_names(self);
        resource_names(other).into_iter().find(|name| mine.contains(name))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    group: String,
    #[serde(default)]
    names: Names,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    versions: Vec<VersionSpec>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Names {
    plural: String,
    singular: String,
    kind: String,
    list_kind: String,
    short_names: Vec<String>,
    categories: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionSpec {
    #[serde(default)]
    name: String,
    #[serde(default)]
    served: bool,
    #[serde(default)]
    storage: bool,
    #[serde(default)]
    schema: Option<Value>,
    #[serde(default)]
    subresources: Option<Value>,
    #[serde(default)]
    additional_printer_columns: Vec<ColumnSpec>,
    #[serde(default)]
    selectable_fields: Vec<SelectableField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ColumnSpec {
    name: String,
    r#type: String,
    format: String,
    description: String,
    priority: i32,
    json_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SelectableField {
    json_path: String,
}

/// Fills what a definition may leave out, as Kubernetes defaults it.
pub fn default_spec(object: &mut Map<String, Value>) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    if let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) {
        let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        names.entry("singular").or_insert_with(|| json!(kind.to_lowercase()));
        names.entry("listKind").or_insert_with(|| json!(format!("{kind}List")));
    }
    spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
}

/// Reads and checks a definition.
pub fn read(object: &Map<String, Value>, name: &str, labels: &Value) -> Result<Definition, Status> {
    let spec: Spec =
        serde_json::from_value(object.get("spec").cloned().unwrap_or_else(|| json!({}))).map_err(|error| {
            Status::bad_request(format!(
                "CustomResourceDefinition in version \"v1\" cannot be handled as a CustomResourceDefinition: {error}"
            ))
        })?;
    check(&spec, name)?;
    let namespaced = spec.scope == "Namespaced";
    let versions = spec.versions.iter().map(|version| read_version(&spec, version, namespaced)).collect();
    Ok(Definition {
        name: name.to_owned(),
        group: spec.group.clone(),
        plural: spec.names.plural.clone(),
        kind: spec.names.kind.clone(),
        established: true,
        platform: labels.get(PLATFORM_LABEL).and_then(Value::as_str) == Some("true"),
        singular: spec.names.singular.clone(),
        short_names: spec.names.short_names.clone(),
        versions,
    })
}

fn check(spec: &Spec, name: &str) -> Result<(), Status> {
    let mut causes = Vec::new();
    let mut refuse = |field: &str, reason: &str, message: String| {
        causes.push(Cause { reason: reason.into(), message, field: field.into() });
    };
    let required = [
        ("spec.group", &spec.group),
        ("spec.names.plural", &spec.names.plural),
        ("spec.names.kind", &spec.names.kind),
        ("spec.scope", &spec.scope),
    ];
    for (field, _) in required.iter().filter(|(_, text)| text.is_empty()) {
        refuse(field, "FieldValueRequired", "Required value".into());
    }
    let expected = format!("{}.{}", spec.names.plural, spec.group);
    if name != expected {
        refuse(
            "metadata.name",
            "FieldValueInvalid",
            format!("Invalid value: \"{name}\": must be spec.names.plural+\".\"+spec.group"),
        );
    }
    if !spec.scope.is_empty() && spec.scope != "Namespaced" && spec.scope != "Cluster" {
        refuse(
            "spec.scope",
            "FieldValueNotSupported",
            format!("Unsupported value: \"{}\": supported values: \"Cluster\", \"Namespaced\"", spec.scope),
        );
    }
    if spec.versions.iter().filter(|version| version.storage).count() != 1 {
        refuse(
            "spec.versions",
            "FieldValueInvalid",
            "Invalid value: must have exactly one version marked as storage version".into(),
        );
    }
    for (index, version) in spec.versions.iter().enumerate() {
        if !api::name::is_dns_label(&version.name) {
            let message = format!("Invalid value: \"{}\": a DNS-1035 label is required", version.name);
            refuse(&format!("spec.versions[{index}].name"), "FieldValueInvalid", message);
        }
    }
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid(GROUP, "CustomResourceDefinition", name, causes)) }
}

fn read_version(spec: &Spec, version: &VersionSpec, namespaced: bool) -> Version {
    let subresources = version.subresources.as_ref();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(Arc::from);
    let scale = subresources.and_then(|held| held.get("scale")).map(|scale| ScalePaths {
        spec_replicas: text(scale, "specReplicasPath").unwrap_or_else(|| ".spec.replicas".into()),
        status_replicas: text(scale, "statusReplicasPath").unwrap_or_else(|| ".status.replicas".into()),
        label_selector: text(scale, "labelSelectorPath"),
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
    let names = &spec.names;
    let descriptor = KindDescriptor {
        gvk: Gvk::new(&spec.group, &version.name, &names.kind),
        plural: names.plural.as_str().into(),
        singular: if names.singular.is_empty() {
            names.kind.to_lowercase().into()
        } else {
            names.singular.as_str().into()
        },
        list_kind: if names.list_kind.is_empty() {
            format!("{}List", names.kind).into()
        } else {
            names.list_kind.as_str().into()
        },
        short_names: shared(&names.short_names),
        categories: shared(&names.categories),
        namespaced,
        subresources: Subresources { status: subresources.is_some_and(|held| held.get("status").is_some()), scale },
        has_generation: true,
        verbs: Verbs::All,
        selectable_fields: version.selectable_fields.iter().map(|field| Arc::from(field.json_path.as_str())).collect(),
        columns: columns.collect(),
        type_name: "".into(),
        storage_group: spec.group.as_str().into(),
        storage_version: storage_version(spec).into(),
    };
    let schema = version.schema.as_ref().and_then(|schema| schema.get("openAPIV3Schema")).cloned().map(Arc::new);
    Version { descriptor: Arc::new(descriptor), served: version.served, schema }
}

fn storage_version(spec: &Spec) -> &str {
    spec.versions.iter().find(|version| version.storage).map_or("", |version| version.name.as_str())
}

/// The status a definition is stored with, so that clients that wait for it need not wait.
/// `taken` names what another definition holds already.
pub fn status(object: &Map<String, Value>, taken: Option<&str>, now: &str) -> Value {
    let spec = object.get("spec").cloned().unwrap_or_default();
    let condition = |kind: &str, ok: bool, reason: &str, message: &str| {
        let previous = previous_condition(object, kind);
        let state = if ok { "True" } else { "False" };
        let since = previous.filter(|(held, _)| held == state).map_or_else(|| now.to_owned(), |(_, since)| since);
        json!({"type": kind, "status": state, "lastTransitionTime": since, "reason": reason, "message": message})
    };
    let conditions = match taken {
        None => json!([
            condition("NamesAccepted", true, "NoConflicts", "no conflicts found"),
            condition("Established", true, "InitialNamesAccepted", "the initial names have been accepted"),
        ]),
        Some(name) => json!([
            condition("NamesAccepted", false, "NameConflict", &format!("\"{name}\" is already in use")),
            condition("Established", false, "NotAccepted", "not all names are accepted"),
        ]),
    };
    let stored: Vec<&Value> = spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == json!(true))
        .map(|version| &version["name"])
        .collect();
    let mut versions: Vec<Value> =
        object.get("status").and_then(|status| status["storedVersions"].as_array()).cloned().unwrap_or_default();
    for version in stored {
        if !versions.contains(version) {
            versions.push(version.clone());
        }
    }
    let accepted = if taken.is_none() { spec["names"].clone() } else { json!({"plural": "", "kind": ""}) };
    json!({"conditions": conditions, "acceptedNames": accepted, "storedVersions": versions})
}

fn previous_condition(object: &Map<String, Value>, kind: &str) -> Option<(String, String)> {
    let conditions = object.get("status")?.get("conditions")?.as_array()?;
    let held = conditions.iter().find(|condition| condition["type"] == kind)?;
    Some((held["status"].as_str()?.to_owned(), held["lastTransitionTime"].as_str()?.to_owned()))
}
