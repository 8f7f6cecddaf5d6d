//! The shape of a definition's spec, without its schemas, which are read where
//! they stand. Whether what it says is allowed is not judged here.

use api::Status;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub group: String,
    pub names: Names,
    pub scope: String,
    pub versions: Vec<VersionSpec>,
    pub conversion: Option<Conversion>,
    pub preserve_unknown_fields: Option<bool>,
}

/// The names of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Names {
    /// Lower-case plural.
    pub plural: String,
    /// Lower-case singular.
    pub singular: String,
    /// Kind in CamelCase.
    pub kind: String,
    /// Kind of a list.
    pub list_kind: String,
    /// Abbreviations.
    pub short_names: Vec<String>,
    /// Groups of kinds it belongs to; these are shared.
    pub categories: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct VersionSpec {
    pub name: String,
    pub served: bool,
    pub storage: bool,
    pub deprecated: bool,
    pub deprecation_warning: Option<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub subresources: SubresourcesSpec,
    #[serde(deserialize_with = "null_as_default")]
    pub additional_printer_columns: Vec<ColumnSpec>,
    #[serde(deserialize_with = "null_as_default")]
    pub selectable_fields: Vec<SelectableField>,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SubresourcesSpec {
    pub status: Option<Value>,
    pub scale: Option<ScaleSpec>,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ScaleSpec {
    pub spec_replicas_path: String,
    pub status_replicas_path: String,
    pub label_selector_path: Option<String>,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ColumnSpec {
    pub name: String,
    pub r#type: String,
    pub format: String,
    pub description: String,
    pub priority: i32,
    pub json_path: String,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SelectableField {
    pub json_path: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Conversion {
    pub strategy: String,
    pub webhook: Option<Webhook>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Webhook {
    pub client_config: Option<ClientConfig>,
    #[serde(deserialize_with = "null_as_default")]
    pub conversion_review_versions: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ClientConfig {
    pub url: Option<String>,
    pub service: Option<ServiceReference>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ServiceReference {
    pub name: String,
    pub namespace: String,
    pub path: Option<String>,
    pub port: Option<i64>,
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Spec {
    /// The spec of a definition.
    pub(super) fn of(object: &Map<String, Value>) -> Result<Spec, Status> {
        let Some(spec) = object.get("spec").filter(|spec| !spec.is_null()) else { return Ok(Spec::default()) };
        Spec::deserialize(spec).map_err(|error| {
            Status::bad_request(format!(
                "CustomResourceDefinition in version \"v1\" cannot be handled as a CustomResourceDefinition: {error}"
            ))
        })
    }

    /// The version that objects are stored in.
    pub(super) fn storage_version(&self) -> Option<&str> {
        self.versions.iter().find(|version| version.storage).map(|version| version.name.as_str())
    }
}

impl Names {
    /// The names that a definition holds, as its status says.
    pub(super) fn accepted(object: &Map<String, Value>) -> Names {
        let names = object.get("status").and_then(|status| status.get("acceptedNames"));
        names.and_then(|names| Names::deserialize(names).ok()).unwrap_or_default()
    }

    /// The names that stand in paths or for them on command lines.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        let names = [&self.plural, &self.singular].into_iter().chain(&self.short_names);
        names.map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The names that stand in objects.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        [&self.kind, &self.list_kind].into_iter().map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Whether the other has all of these names that only one may have.
    pub fn is_within(&self, other: &Names) -> bool {
        self.resources().all(|name| other.resources().any(|held| held == name))
            && self.kinds().all(|name| other.kinds().any(|held| held == name))
    }

    /// Whether both have a name that only one may have.
    pub fn overlaps(&self, other: &Names) -> bool {
        self.resources().any(|name| other.resources().any(|held| held == name))
            || self.kinds().any(|name| other.kinds().any(|held| held == name))
    }
}
