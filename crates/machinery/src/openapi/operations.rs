//! One operation of a path: its parameters, body and answers. It does not know
//! which paths exist.

use serde_json::{Map, Value, json};

use super::json::{META_V1, reference};
use super::parameters;

/// What PATCH takes of every kind.
const PATCH_TYPES: &[&str] =
    &["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];
/// What it takes of kinds whose merge keys are known.
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// An operation of Kubernetes' verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    List,
    DeleteCollection,
    Create,
    Get,
    Update,
    Patch,
    Delete,
    /// A stream or proxy by the given HTTP method: what goes through it is no object.
    Connect(&'static str),
}

impl Action {
    /// The HTTP method.
    pub(super) fn method(self) -> &'static str {
        match self {
            Action::List | Action::Get => "get",
            Action::Create => "post",
            Action::Update => "put",
            Action::Patch => "patch",
            Action::Delete | Action::DeleteCollection => "delete",
            Action::Connect(method) => method,
        }
    }

    /// `x-kubernetes-action`.
    fn name(self) -> &'static str {
        match self {
            Action::List => "list",
            Action::DeleteCollection => "deletecollection",
            Action::Connect(_) => "connect",
            other => other.method(),
        }
    }

    /// How `operationId` begins.
    fn verb(self) -> &'static str {
        match self {
            Action::List => "list",
            Action::Create => "create",
            Action::Get => "read",
            Action::Update => "replace",
            Action::Patch => "patch",
            Action::Delete | Action::DeleteCollection => "delete",
            Action::Connect(_) => "connect",
        }
    }

    fn parameters(self) -> &'static [&'static str] {
        match self {
            Action::List => parameters::LIST,
            Action::DeleteCollection => parameters::DELETE_COLLECTION,
            Action::Create | Action::Update => parameters::WRITE,
            Action::Get | Action::Connect(_) => &[],
            Action::Patch => parameters::PATCH,
            Action::Delete => parameters::DELETE,
        }
    }

    fn codes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Action::List | Action::Get | Action::DeleteCollection | Action::Connect(_) => &[("200", "OK")],
            Action::Create => &[("200", "OK"), ("201", "Created"), ("202", "Accepted")],
            Action::Update | Action::Patch => &[("200", "OK"), ("201", "Created")],
            Action::Delete => &[("200", "OK"), ("202", "Accepted")],
        }
    }
}

/// What operations work on.
#[derive(Clone)]
pub(super) struct Subject<'a> {
    /// `x-kubernetes-group-version-kind` of what is sent and answered.
    pub gvk: Value,
    /// The type's name among the schemas; empty where answers are no objects.
    pub type_name: &'a str,
    /// The list type's name.
    pub list_type_name: &'a str,
    /// The middle of `operationId`, for example `NamespacedDeployment`.
    pub id: String,
    /// The beginning of `operationId` after the verb, for example `AppsV1`.
    pub id_prefix: String,
    /// The kind of the objects, for example `Deployment`.
    pub kind: &'a str,
    /// The subresource; empty for the objects themselves.
    pub part: &'a str,
    /// The tag of all operations of the document, for example `apps_v1`.
    pub tag: String,
    /// Whether strategic merge patches are understood.
    pub strategic: bool,
}

/// The operation as OpenAPI states it.
pub(super) fn operation(action: Action, subject: &Subject<'_>) -> Value {
    let mut operation = json!({
        "description": description(action, subject),
        "operationId": operation_id(action, subject),
        "responses": responses(action, subject),
        "tags": [subject.tag],
        "x-kubernetes-action": action.name(),
        "x-kubernetes-group-version-kind": subject.gvk,
    });
    if !action.parameters().is_empty() {
        operation["parameters"] = json!(parameters::query(action.parameters()));
    }
    if let Some(body) = request_body(action, subject) {
        operation["requestBody"] = body;
    }
    operation
}

fn operation_id(action: Action, subject: &Subject<'_>) -> String {
    let between = match action {
        Action::DeleteCollection => "Collection".to_owned(),
        Action::Connect(method) => capitalised(method),
        _ => String::new(),
    };
    format!("{}{}{between}{}", action.verb(), subject.id_prefix, subject.id)
}

fn description(action: Action, subject: &Subject<'_>) -> String {
    let kind = subject.kind;
    let part = if subject.part.is_empty() { String::new() } else { format!("{} of ", subject.part) };
    let article = if kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    match action {
        Action::List => format!("list or watch objects of kind {kind}"),
        Action::DeleteCollection => format!("delete collection of {kind}"),
        Action::Create => format!("create {part}{article} {kind}"),
        Action::Delete => format!("delete {part}{article} {kind}"),
        Action::Get => format!("read {part}the specified {kind}"),
        Action::Update => format!("replace {part}the specified {kind}"),
        Action::Patch => format!("partially update {part}the specified {kind}"),
        Action::Connect(method) => format!("connect {} requests to {part}{kind}", method.to_ascii_uppercase()),
    }
}

/// With an upper-case first letter.
pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|letter| format!("{}{}", letter.to_ascii_uppercase(), letters.as_str())).unwrap_or_default()
}

fn request_body(action: Action, subject: &Subject<'_>) -> Option<Value> {
    let with_schema = |schema: Value| json!({ "schema": schema });
    // Custom kinds are never sent as protobuf.
    let whole = |type_name: &str| -> Value {
        let media: &[&str] = if subject.strategic { &["*/*"] } else { &["application/json", "application/yaml"] };
        media.iter().map(|media| ((*media).to_owned(), with_schema(reference(type_name)))).collect::<Map<_, _>>().into()
    };
    match action {
        Action::List | Action::Get | Action::Connect(_) => None,
        Action::Create | Action::Update => Some(json!({ "content": whole(subject.type_name), "required": true })),
        Action::Delete | Action::DeleteCollection => {
            Some(json!({ "content": whole(&format!("{META_V1}.DeleteOptions")) }))
        }
        Action::Patch => {
            let strategic = subject.strategic.then_some(STRATEGIC);
            let patch = with_schema(reference(&format!("{META_V1}.Patch")));
            let types = PATCH_TYPES.iter().copied().chain(strategic);
            let content: Map<String, Value> = types.map(|kind| (kind.to_owned(), patch.clone())).collect();
            Some(json!({ "content": content, "required": true }))
        }
    }
}

fn responses(action: Action, subject: &Subject<'_>) -> Value {
    let status = format!("{META_V1}.Status");
    let (type_name, media_types): (&str, &[&str]) = match action {
        Action::List => {
            (subject.list_type_name, &["application/json", "application/json;stream=watch", "application/yaml"])
        }
        Action::Delete | Action::DeleteCollection => (&status, &["application/json", "application/yaml"]),
        _ => (subject.type_name, &["application/json", "application/yaml"]),
    };
    let mut responses = Map::new();
    for (code, description) in action.codes() {
        responses.insert((*code).to_owned(), response(type_name, media_types, description));
    }
    responses.insert("401".to_owned(), json!({ "description": "Unauthorized" }));
    Value::Object(responses)
}

/// An answer of one type in several encodings.
pub(super) fn response(type_name: &str, media_types: &[&str], description: &str) -> Value {
    if type_name.is_empty() {
        return json!({ "content": { "*/*": { "schema": { "type": "string" } } }, "description": description });
    }
    let schema = json!({ "schema": reference(type_name) });
    let content: Map<String, Value> = media_types.iter().map(|kind| ((*kind).to_owned(), schema.clone())).collect();
    json!({ "content": content, "description": description })
}
