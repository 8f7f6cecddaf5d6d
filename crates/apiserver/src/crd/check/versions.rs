//! The versions of a definition: their names, schemas, columns, subresources and
//! selectable fields, and that exactly one is stored. Kinds' names are not
//! looked at here.

use std::sync::Arc;

use api::Cause;
use machinery::jsonpath::JsonPath;
use machinery::structural::{self, Schema};
use machinery::validate;
use serde_json::{Map, Value, json};

use super::super::spec::{ColumnSpec, ScaleSpec, Spec, VersionSpec};
use super::{invalid, label_problem, schema_of};

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
/// Most selectable fields of a version.
const SELECTABLE: usize = 8;
/// The keywords that the root of a schema may have beside a status subresource, as
/// Kubernetes lists them and as they are written.
const ROOT_KEYWORDS: &str = "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";
const NOT_AT_ROOT: [&str; 22] = [
    "id",
    "$schema",
    "$ref",
    "default",
    "enum",
    "maxProperties",
    "minProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "nullable",
    "additionalProperties",
    "patternProperties",
    "dependencies",
    "additionalItems",
    "definitions",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

/// Finds a schema that was checked before.
type Known<'a> = &'a dyn Fn(&Value) -> Option<Arc<Schema>>;

/// Checks all versions.
pub(super) fn check(object: &Map<String, Value>, spec: &Spec, known: Known<'_>, causes: &mut Vec<Cause>) {
    let shared = Shared::of(object, spec);
    for (index, version) in spec.versions.iter().enumerate() {
        let at = format!("spec.versions[{index}]");
        name(&version.name, index, &at, causes);
        deprecation(version, &at, causes);
        let schema = schema_of(object, index);
        if schema.is_none() {
            causes.push(validate::required(&format!("{at}.schema.openAPIV3Schema"), ""));
        }
        let is_first = index == 0;
        let mut compiled = None;
        if let Some(schema) = schema.filter(|_| is_first || !shared.schema) {
            let place = if shared.schema { "spec.validation".to_owned() } else { format!("{at}.schema") };
            let has_status = |version: &VersionSpec| version.subresources.status.is_some();
            let is_status_apart =
                if shared.schema { spec.versions.iter().any(has_status) } else { has_status(version) };
            if is_status_apart {
                root_keywords(schema, &place, causes);
            }
            compiled = compile(schema, &format!("{place}.openAPIV3Schema"), known, causes);
        }
        let place = |is_shared: bool| if is_shared { "spec".to_owned() } else { at.clone() };
        if (is_first || !shared.subresources)
            && let Some(scale) = &version.subresources.scale
        {
            check_scale(scale, &format!("{}.subresources.scale", place(shared.subresources)), causes);
        }
        if is_first || !shared.columns {
            for (number, column) in version.additional_printer_columns.iter().enumerate() {
                let at = format!("{}.additionalPrinterColumns[{number}]", place(shared.columns));
                check_column(column, &at, causes);
            }
        }
        if (is_first || !shared.selectable) && !version.selectable_fields.is_empty() {
            let at = format!("{}.selectableFields", place(shared.selectable));
            let stated = schema.filter(|_| shared.selectable || !shared.schema);
            selectable(version, stated, compiled, known, &at, causes);
        }
    }
    together(spec, causes);
}

/// Which fields all versions have alike.
struct Shared {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Shared {
    fn of(object: &Map<String, Value>, spec: &Spec) -> Self {
        let versions = object.get("spec").and_then(|spec| spec.get("versions")).and_then(Value::as_array);
        let versions = versions.map(Vec::as_slice).unwrap_or_default();
        let schemas = || versions.iter().map(|version| version.get("schema"));
        let same = |test: &dyn Fn(&VersionSpec, &VersionSpec) -> bool| {
            spec.versions.windows(2).all(|pair| test(&pair[0], &pair[1]))
        };
        Shared {
            schema: schemas().zip(schemas().skip(1)).all(|(one, next)| one == next),
            subresources: same(&|one, next| one.subresources == next.subresources),
            columns: same(&|one, next| one.additional_printer_columns == next.additional_printer_columns),
            selectable: same(&|one, next| one.selectable_fields == next.selectable_fields),
        }
    }
}

fn name(name: &str, index: usize, at: &str, causes: &mut Vec<Cause>) {
    let Some(problem) = label_problem(name) else { return };
    causes.push(validate::invalid(&format!("{at}.name"), name, &problem));
    // Of old a definition had one version, which Kubernetes still looks at.
    if index == 0 && !name.is_empty() {
        causes.push(validate::invalid("spec.version", name, &problem));
    }
}

fn deprecation(version: &VersionSpec, at: &str, causes: &mut Vec<Cause>) {
    let Some(warning) = &version.deprecation_warning else { return };
    let mut refuse = |why: &str| causes.push(validate::invalid(&format!("{at}.deprecationWarning"), warning, why));
    if !version.deprecated {
        return refuse("can only be set for deprecated versions");
    }
    if warning.len() > 256 {
        refuse("must be <= 256 characters long");
    }
    if warning.is_empty() {
        refuse("must not be an empty string");
    }
    if let Some((index, _)) = warning.char_indices().find(|(_, character)| character.is_control()) {
        refuse(&format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {index}"
        ));
    }
}

/// Beside a status subresource the status is validated by its property alone, so that
/// nothing that concerns it may stand around it.
fn root_keywords(schema: &Value, place: &str, causes: &mut Vec<Cause>) {
    let Some(json) = schema.as_object() else { return };
    let kind = json.get("type").and_then(Value::as_str).unwrap_or_default();
    if !kind.is_empty() && kind != "object" {
        let why =
            "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        causes.push(validate::invalid(&format!("{place}.openAPIV3Schema.type"), kind, why));
        return;
    }
    let is_stated = |key: &&&str| match json.get(**key) {
        None | Some(Value::Null | Value::Bool(false)) => **key == "additionalProperties" && json.contains_key(**key),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    };
    if NOT_AT_ROOT.iter().any(|key| is_stated(&key)) {
        let why = format!(
            "only {ROOT_KEYWORDS} fields are allowed at the root of the schema if the status subresource is enabled"
        );
        causes.push(invalid(&format!("{place}.openAPIV3Schema"), schema, &why));
    }
}

fn compile(schema: &Value, at: &str, known: Known<'_>, causes: &mut Vec<Cause>) -> Option<Arc<Schema>> {
    if let Some(known) = known(schema) {
        return Some(known);
    }
    match Schema::compile(schema, at) {
        Ok(compiled) => Some(Arc::new(compiled)),
        Err(found) => {
            causes.extend(found);
            None
        }
    }
}

fn check_scale(scale: &ScaleSpec, at: &str, causes: &mut Vec<Cause>) {
    for (name, path, parent) in [
        ("specReplicasPath", &scale.spec_replicas_path, "spec"),
        ("statusReplicasPath", &scale.status_replicas_path, "status"),
    ] {
        let field = format!("{at}.{name}");
        if path.is_empty() {
            causes.push(validate::required(&field, ""));
        } else if !path.starts_with('.') {
            causes.push(validate::invalid(&field, path, "must be a simple json path starting with ."));
        } else if !path.starts_with(&format!(".{parent}.")) {
            causes.push(validate::invalid(&field, path, &format!("should be a json path under .{parent}")));
        }
    }
    let Some(path) = scale.label_selector_path.as_ref().filter(|path| !path.is_empty()) else { return };
    let field = format!("{at}.labelSelectorPath");
    if !path.starts_with('.') {
        causes.push(validate::invalid(&field, path, "must be a simple json path starting with ."));
    } else if !path.starts_with(".spec.") && !path.starts_with(".status.") {
        causes.push(validate::invalid(&field, path, "should be a json path under either .spec or .status"));
    }
}

fn check_column(column: &ColumnSpec, at: &str, causes: &mut Vec<Cause>) {
    let field = |name: &str| format!("{at}.{name}");
    if column.name.is_empty() {
        causes.push(validate::required(&field("name"), ""));
    }
    let kinds = format!("must be one of {}", COLUMN_TYPES.join(","));
    if column.r#type.is_empty() {
        causes.push(validate::required(&field("type"), &kinds));
    } else if !COLUMN_TYPES.contains(&column.r#type.as_str()) {
        causes.push(validate::invalid(&field("type"), &column.r#type, &kinds));
    }
    if !column.format.is_empty() && !COLUMN_FORMATS.contains(&column.format.as_str()) {
        let formats = format!("must be one of {}", COLUMN_FORMATS.join(","));
        causes.push(validate::invalid(&field("format"), &column.format, &formats));
    }
    let path = column.json_path.as_str();
    if path.is_empty() {
        causes.push(validate::required(&field("JSONPath"), ""));
    } else if !path.starts_with('.') {
        causes.push(validate::invalid(&field("JSONPath"), path, "must be a simple json path starting with ."));
    } else if let Err(error) = JsonPath::parse(path)
        && path != "."
    {
        // Kubernetes accepts the definition and then fails every request for its objects.
        causes.push(validate::invalid(&field("JSONPath"), path, &format!("must be a valid json path: {error}")));
    }
}

fn selectable(
    version: &VersionSpec,
    schema: Option<&Value>,
    compiled: Option<Arc<Schema>>,
    known: Known<'_>,
    at: &str,
    causes: &mut Vec<Cause>,
) {
    let Some(schema) = schema else {
        let why = "may only be set when `version.schema.openAPIV3Schema` is not included";
        causes.push(validate::invalid(at, "", why));
        return;
    };
    // Of an invalid schema the fields are looked up all the same.
    let compiled = compiled.or_else(|| known(schema)).unwrap_or_else(|| Arc::new(Schema::compile_stored(schema)));
    let mut seen: Vec<Vec<String>> = Vec::new();
    for (index, selectable) in version.selectable_fields.iter().enumerate() {
        let field = format!("{at}[{index}].jsonPath");
        let path = selectable.json_path.as_str();
        if path.is_empty() {
            causes.push(validate::required(&field, ""));
            continue;
        }
        match structural::selectable_field(compiled.root(), path) {
            Err(problems) => causes.extend(problems.iter().map(|why| validate::invalid(&field, path, why))),
            Ok(steps) if seen.contains(&steps) => causes.push(Cause {
                reason: "FieldValueDuplicate".into(),
                message: format!("Duplicate value: {}", validate::quote(path)),
                field,
            }),
            Ok(steps) => seen.push(steps),
        }
    }
    if seen.len() > SELECTABLE {
        let message = format!("Too many: {}: must have at most {SELECTABLE} items", seen.len());
        causes.push(Cause { reason: "FieldValueTooMany".into(), message, field: at.into() });
    }
}

fn together(spec: &Spec, causes: &mut Vec<Cause>) {
    let shown = || {
        let one =
            |version: &VersionSpec| json!({"name": version.name, "served": version.served, "storage": version.storage});
        Value::Array(spec.versions.iter().map(one).collect())
    };
    let mut names: Vec<&str> = spec.versions.iter().map(|version| version.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        causes.push(invalid("spec.versions", &shown(), "must contain unique version names"));
    }
    if spec.versions.iter().filter(|version| version.storage).count() != 1 {
        let why = "must have exactly one version marked as storage version";
        causes.push(invalid("spec.versions", &shown(), why));
    }
}
