//! The paths of a document: collections, objects and subresources of every
//! resource. What an operation consists of stands in `operations`.

use api::kind::{KindDescriptor, Verbs};
use api::name::Gvk;
use serde_json::{Map, Value, json};

use super::json::{META_V1, entry, gvk, key};
use super::operations::{Action, Subject, capitalised, operation, response};
use super::resource::{KindSchema, Resource, Types};
use super::schemas::by_gvk;
use super::{custom, parameters};

/// Writes `"/path":{…}` for every path.
pub(super) fn write(out: &mut String, group: &str, version: &str, resources: &[Resource<'_>], types: Types<'_>) {
    let root = format!("/{}", key(group, version));
    entry(out, &format!("{root}/"), &discovery(group, version));
    for resource in resources {
        for (path, item) in of_resource(&root, resource, types) {
            entry(out, &path, &item);
        }
    }
}

/// The list of resources of a group and version.
fn discovery(group: &str, version: &str) -> Value {
    let answer = response(&format!("{META_V1}.APIResourceList"), &["application/json", "application/yaml"], "OK");
    json!({
        "get": {
            "description": "get available resources",
            "operationId": format!("get{}APIResources", id_prefix(group, version)),
            "responses": { "200": answer, "401": { "description": "Unauthorized" } },
            "tags": [tag(group, version)],
        }
    })
}

fn of_resource(root: &str, resource: &Resource<'_>, types: Types<'_>) -> Vec<(String, Value)> {
    let kind = resource.kind;
    let (type_name, list_type_name) = type_names(resource, types);
    let scope = if kind.namespaced { "Namespaced" } else { "" };
    let subject = Subject {
        gvk: gvk(&kind.gvk.group, &kind.gvk.version, &kind.gvk.kind),
        type_name: &type_name,
        list_type_name: &list_type_name,
        id: format!("{scope}{}", kind.gvk.kind),
        id_prefix: id_prefix(&kind.gvk.group, &kind.gvk.version),
        kind: &kind.gvk.kind,
        part: "",
        tag: tag(&kind.gvk.group, &kind.gvk.version),
        strategic: matches!(resource.schema, KindSchema::Builtin),
    };
    let namespace = if kind.namespaced { "/namespaces/{namespace}" } else { "" };
    let collection = format!("{root}{namespace}/{}", kind.plural);
    let object = format!("{collection}/{{name}}");
    let (of_collection, of_object): (&[Action], &[Action]) = match kind.verbs {
        Verbs::Create => (&[Action::Create], &[]),
        Verbs::AllButDeleteCollection => (&[Action::List, Action::Create], OBJECT),
        Verbs::All => (&[Action::List, Action::Create, Action::DeleteCollection], OBJECT),
    };
    let mut paths = vec![(collection, item(kind, None, of_collection, &subject))];
    if kind.namespaced && kind.verbs != Verbs::Create {
        let everywhere = Subject { id: format!("{}ForAllNamespaces", kind.gvk.kind), ..subject.clone() };
        let mut list = item(kind, None, &[Action::List], &everywhere);
        // What all operations of a path take stands at the path, and here there is but one.
        let shared: Vec<&str> = parameters::LIST.iter().copied().chain(["pretty"]).collect();
        list["parameters"] = Value::from(parameters::query(&shared));
        if let Some(get) = list["get"].as_object_mut() {
            get.remove("parameters");
        }
        paths.push((format!("{root}/{}", kind.plural), list));
    }
    if !of_object.is_empty() {
        paths.push((object.clone(), item(kind, Some(&kind.gvk.kind), of_object, &subject)));
    }
    paths.extend(subresources(&object, resource, &subject, types));
    paths
}

/// Operations on one object.
const OBJECT: &[Action] = &[Action::Get, Action::Update, Action::Patch, Action::Delete];
/// Operations on `status` and `scale`.
const PART: &[Action] = &[Action::Get, Action::Update, Action::Patch];

fn subresources(
    object: &str,
    resource: &Resource<'_>,
    subject: &Subject<'_>,
    types: Types<'_>,
) -> Vec<(String, Value)> {
    let kind = resource.kind;
    let mut paths = Vec::new();
    let mut add = |name: &str, of: &Gvk, type_name: &str, actions: &[Action]| {
        let part = Subject {
            gvk: gvk(&of.group, &of.version, &of.kind),
            type_name,
            id: format!("{}{}", subject.id, capitalised(name)),
            part: name,
            ..subject.clone()
        };
        paths.push((format!("{object}/{name}"), item(kind, Some(&of.kind), actions, &part)));
    };
    if kind.subresources.status {
        add("status", &kind.gvk, subject.type_name, PART);
    }
    if kind.subresources.scale.is_some() {
        let scale = Gvk::new("autoscaling", "v1", "Scale");
        // Of custom kinds even the scale bears the kind's own name.
        let named = if subject.strategic { &scale } else { &kind.gvk };
        add("scale", named, &type_name_of(&scale, types), PART);
    }
    for sub in resource.subresources.iter().filter(|sub| !matches!(&*sub.name, "status" | "scale")) {
        // What can only be read and has no kind of its own is text (`log`);
        // what has a kind without a type is a stream (`exec`).
        let is_text = sub.gvk == kind.gvk && sub.verbs.iter().all(|verb| &**verb == "get");
        let type_name = if is_text { String::new() } else { type_name_of(&sub.gvk, types) };
        let is_stream = !is_text && type_name.is_empty();
        let actions: Vec<Action> = sub.verbs.iter().filter_map(|verb| action_of(verb, is_stream)).collect();
        add(&sub.name, &sub.gvk, &type_name, &actions);
    }
    paths
}

fn action_of(verb: &str, is_stream: bool) -> Option<Action> {
    let action = match verb {
        "get" => Action::Get,
        "create" => Action::Create,
        "update" => Action::Update,
        "patch" => Action::Patch,
        "delete" => Action::Delete,
        _ => return None,
    };
    Some(if is_stream { Action::Connect(action.method()) } else { action })
}

/// A path with its operations; `named` is the kind whose name is part of it.
fn item(kind: &KindDescriptor, named: Option<&str>, actions: &[Action], subject: &Subject<'_>) -> Value {
    let mut item: Map<String, Value> =
        actions.iter().map(|action| (action.method().to_owned(), operation(*action, subject))).collect();
    let mut shared = Vec::new();
    if let Some(named) = named {
        shared.push(parameters::path("name", &format!("name of the {named}")));
    }
    if kind.namespaced {
        shared.push(parameters::path("namespace", "object name and auth scope, such as for teams and projects"));
    }
    shared.extend(parameters::query(&["pretty"]));
    item.insert("parameters".to_owned(), Value::from(shared));
    Value::Object(item)
}

fn type_names(resource: &Resource<'_>, types: Types<'_>) -> (String, String) {
    let kind = resource.kind;
    match resource.schema {
        KindSchema::Custom(_) => (custom::type_name(kind), custom::list_type_name(kind)),
        KindSchema::Builtin => {
            let list = Gvk { kind: kind.list_kind.clone(), ..kind.gvk.clone() };
            (kind.type_name.to_string(), type_name_of(&list, types))
        }
    }
}

/// The name of a kind's type; empty for kinds that are no objects, such as the
/// options of `exec`.
fn type_name_of(of: &Gvk, types: Types<'_>) -> String {
    let id = by_gvk(&of.group, &of.version, &of.kind, types);
    id.map(|id| types.table.get(id).name.to_string()).unwrap_or_default()
}

/// `networking.k8s.io/v1` is `NetworkingV1`, the core group `CoreV1`.
fn id_prefix(group: &str, version: &str) -> String {
    let group = if group.is_empty() { "core" } else { group.trim_end_matches(".k8s.io") };
    let parts = group.split(['.', '-']).chain([version]);
    parts.map(capitalised).collect()
}

/// `networking.k8s.io/v1` is `networking_v1`.
fn tag(group: &str, version: &str) -> String {
    let prefix = id_prefix(group, "");
    let mut letters = prefix.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    format!("{}{}_{version}", first.unwrap_or_default(), letters.as_str())
}
