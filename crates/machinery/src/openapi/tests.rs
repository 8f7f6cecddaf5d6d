//! Documents must hold together for every version that is served, and state
//! what kubectl looks for. Expectations are kube-apiserver's own documents of
//! the same release.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::builtin;
use api::kind::{ScalePaths, Subresources};
use api::name::Gvk;

use super::*;

fn builtin_document(group: &str, version: &str) -> Value {
    let docs = builtin::docs();
    let resources: Vec<Resource<'_>> = builtin::kinds()
        .iter()
        .map(|kind| Resource { kind, schema: KindSchema::Builtin, subresources: builtin::subresources(&kind.gvr()) })
        .collect();
    let types = Types { table: builtin::types(), docs: &docs };
    serde_json::from_slice(&document(group, version, &resources, types, "v1.36.0")).unwrap()
}

fn thing() -> KindDescriptor {
    let deployment = builtin::kinds().iter().find(|kind| &*kind.gvk.kind == "Deployment").unwrap();
    KindDescriptor {
        gvk: Gvk::new("stable.x.io", "v1beta1", "Thing"),
        plural: "things".into(),
        list_kind: "ThingList".into(),
        type_name: "".into(),
        subresources: Subresources { status: true, scale: None },
        ..KindDescriptor::clone(deployment)
    }
}

fn custom_document(kind: &KindDescriptor, schema: &Value) -> Value {
    let docs = builtin::docs();
    let resource = Resource { kind, schema: KindSchema::Custom(schema), subresources: &[] };
    let types = Types { table: builtin::types(), docs: &docs };
    let bytes = document(&kind.gvk.group, &kind.gvk.version, &[resource], types, "v1.36.0");
    serde_json::from_slice(&bytes).unwrap()
}

/// Every reference resolves, every schema is reached, every operation is named once.
fn check_whole(document: &Value) {
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut referred = BTreeSet::new();
    collect_references(document, &mut referred);
    for target in &referred {
        assert!(schemas.contains_key(target), "{target} is referred to but missing");
    }
    for (name, schema) in schemas {
        // Lists of kinds that are only created are kinds, too, but nothing answers with them.
        let is_kind = schema.get("x-kubernetes-group-version-kind").is_some();
        assert!(is_kind || referred.contains(name), "{name} is not referred to");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters") {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{method} {path}: {id} is not unique");
            for name in path.split(['{', '}']).skip(1).step_by(2) {
                let is = |parameter: &Value| parameter["name"] == name && parameter["in"] == "path";
                assert!(item["parameters"].as_array().unwrap().iter().any(is), "{path} does not explain {name}");
            }
        }
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                found.insert(target.strip_prefix("#/components/schemas/").unwrap().to_owned());
            }
            fields.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

fn parameter_names(operation: &Value) -> Vec<&str> {
    operation["parameters"].as_array().unwrap().iter().map(|parameter| parameter["name"].as_str().unwrap()).collect()
}

#[test]
fn every_builtin_document_is_whole() {
    let versions: BTreeSet<(Arc<str>, Arc<str>)> =
        builtin::kinds().iter().map(|kind| (kind.gvk.group.clone(), kind.gvk.version.clone())).collect();
    assert_eq!(versions.len(), 22);
    for (group, version) in versions {
        let document = builtin_document(&group, &version);
        check_whole(&document);
        assert_eq!(document["openapi"], "3.0.0");
        assert_eq!(document["info"]["version"], "v1.36.0");
    }
}

#[test]
fn kubectl_finds_what_it_asks_for() {
    let document = builtin_document("apps", "v1");
    let object = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    let patch = &object["patch"];
    assert_eq!(parameter_names(patch), ["dryRun", "fieldManager", "fieldValidation", "force"]);
    let types: Vec<&str> = patch["requestBody"]["content"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        types,
        [
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ]
    );
    let gvk = json!({ "group": "apps", "kind": "Deployment", "version": "v1" });
    assert_eq!(patch["x-kubernetes-group-version-kind"], gvk);
    assert_eq!(patch["x-kubernetes-action"], "patch");
    assert_eq!(parameter_names(&object["put"]), ["dryRun", "fieldManager", "fieldValidation"]);
    let deployment = &document["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"];
    assert_eq!(deployment["x-kubernetes-group-version-kind"], json!([gvk]));
}

#[test]
fn paths_of_a_namespaced_kind() {
    let document = builtin_document("apps", "v1");
    let operations = |path: &str| -> Vec<(String, String)> {
        let item = document["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is missing"));
        let operations = item.iter().filter(|(method, _)| *method != "parameters");
        operations
            .map(|(method, operation)| (method.clone(), operation["operationId"].as_str().unwrap().into()))
            .collect()
    };
    let check = |path: &str, expect: &[(&str, &str)]| {
        let expect: Vec<(String, String)> =
            expect.iter().map(|(left, right)| ((*left).into(), (*right).into())).collect();
        assert_eq!(operations(path), expect, "{path}");
    };
    check("/apis/apps/v1/", &[("get", "getAppsV1APIResources")]);
    check("/apis/apps/v1/deployments", &[("get", "listAppsV1DeploymentForAllNamespaces")]);
    check(
        "/apis/apps/v1/namespaces/{namespace}/deployments",
        &[
            ("delete", "deleteAppsV1CollectionNamespacedDeployment"),
            ("get", "listAppsV1NamespacedDeployment"),
            ("post", "createAppsV1NamespacedDeployment"),
        ],
    );
    check(
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
        &[
            ("get", "readAppsV1NamespacedDeploymentScale"),
            ("patch", "patchAppsV1NamespacedDeploymentScale"),
            ("put", "replaceAppsV1NamespacedDeploymentScale"),
        ],
    );
    let scale = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["get"];
    assert_eq!(scale["x-kubernetes-group-version-kind"]["group"], "autoscaling");
    assert_eq!(
        scale["responses"]["200"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/io.k8s.api.autoscaling.v1.Scale"
    );
}

#[test]
fn paths_of_other_scopes_and_subresources() {
    let document = builtin_document("", "v1");
    let paths = document["paths"].as_object().unwrap();
    let operation_id = |path: &str, method: &str| paths[path][method]["operationId"].clone();
    assert_eq!(operation_id("/api/v1/namespaces/{name}", "get"), "readCoreV1Namespace");
    assert!(paths["/api/v1/namespaces"].get("delete").is_none(), "namespaces cannot be deleted all at once");
    assert!(!paths.contains_key("/api/v1/bindings"));
    let pod = "/api/v1/namespaces/{namespace}/pods/{name}";
    assert_eq!(operation_id(&format!("{pod}/eviction"), "post"), "createCoreV1NamespacedPodEviction");
    assert_eq!(operation_id(&format!("{pod}/exec"), "get"), "connectCoreV1GetNamespacedPodExec");
    assert_eq!(paths[&format!("{pod}/exec")]["post"]["x-kubernetes-action"], "connect");
    assert_eq!(operation_id(&format!("{pod}/log"), "get"), "readCoreV1NamespacedPodLog");
    assert!(paths[&format!("{pod}/log")]["get"]["responses"]["200"]["content"].get("*/*").is_some());
    let reviews = builtin_document("authorization.k8s.io", "v1");
    let path = &reviews["paths"]["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"];
    assert_eq!(path.as_object().unwrap().keys().collect::<Vec<_>>(), ["parameters", "post"]);
    assert_eq!(path["post"]["operationId"], "createAuthorizationV1SelfSubjectAccessReview");
    assert_eq!(path["post"]["tags"], json!(["authorization_v1"]));
}

#[test]
fn schemas_state_how_fields_merge() {
    let document = builtin_document("", "v1");
    let schemas = &document["components"]["schemas"];
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    let mut stated = containers.clone();
    stated.as_object_mut().unwrap().remove("description");
    assert_eq!(
        stated,
        json!({
            "type": "array",
            "items": { "allOf": [{ "$ref": "#/components/schemas/io.k8s.api.core.v1.Container" }], "default": {} },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "x-kubernetes-patch-merge-key": "name",
            "x-kubernetes-patch-strategy": "merge",
        })
    );
    let port = &schemas["io.k8s.api.core.v1.ContainerPort"];
    assert_eq!(port["required"], json!(["containerPort"]));
    assert_eq!(port["properties"]["protocol"]["default"], "TCP");
    assert_eq!(port["properties"]["protocol"]["enum"], json!(["SCTP", "TCP", "UDP"]));
    let limits = &schemas["io.k8s.api.core.v1.ResourceRequirements"]["properties"]["limits"];
    assert_eq!(
        limits["additionalProperties"],
        json!({ "$ref": "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity" })
    );
    assert_eq!(schemas["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"]["x-kubernetes-map-type"], "atomic");
    let data = &schemas["io.k8s.api.core.v1.Secret"]["properties"]["data"];
    assert_eq!(data["additionalProperties"], json!({ "type": "string", "format": "byte" }));
    // A reference beside a description needs allOf to be heeded.
    let spec = &schemas["io.k8s.api.core.v1.Pod"]["properties"]["spec"];
    assert_eq!(spec["allOf"], json!([{ "$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec" }]));
}

#[test]
fn custom_kinds_are_wrapped() {
    let kind = thing();
    let schema = json!({
        "type": "object",
        "description": "A thing.",
        "properties": { "spec": { "type": "object", "properties": { "size": { "type": "integer" }, "port": { "x-kubernetes-int-or-string": true } } }, "metadata": { "type": "object" } },
    });
    let document = custom_document(&kind, &schema);
    check_whole(&document);
    let thing = &document["components"]["schemas"]["io.x.stable.v1beta1.Thing"];
    assert_eq!(thing["description"], "A thing.");
    assert_eq!(thing["properties"]["spec"]["properties"]["size"]["type"], "integer");
    assert_eq!(
        thing["properties"]["metadata"]["allOf"],
        json!([{ "$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }])
    );
    let gvk = json!({ "group": "stable.x.io", "kind": "Thing", "version": "v1beta1" });
    assert_eq!(thing["x-kubernetes-group-version-kind"], json!([gvk]));
    let either = json!([{ "type": "integer" }, { "type": "string" }]);
    assert_eq!(thing["properties"]["spec"]["properties"]["port"]["anyOf"], either);
    let list = &document["components"]["schemas"]["io.x.stable.v1beta1.ThingList"];
    assert_eq!(list["properties"]["items"]["items"]["$ref"], "#/components/schemas/io.x.stable.v1beta1.Thing");
    let patch = &document["paths"]["/apis/stable.x.io/v1beta1/namespaces/{namespace}/things/{name}"]["patch"];
    assert_eq!(patch["operationId"], "patchStableXIoV1beta1NamespacedThing");
    let types = patch["requestBody"]["content"].as_object().unwrap();
    assert!(!types.contains_key("application/strategic-merge-patch+json"), "custom kinds have no merge keys");
    assert!(types.contains_key("application/apply-patch+yaml"));
}

#[test]
fn custom_kinds_without_a_schema_hold_anything() {
    let paths = ScalePaths { spec_replicas: ".a".into(), status_replicas: ".b".into(), label_selector: None };
    let scaled = Subresources { status: false, scale: Some(paths) };
    let kind = KindDescriptor { namespaced: false, subresources: scaled, ..thing() };
    let document = custom_document(&kind, &Value::Null);
    check_whole(&document);
    let thing = &document["components"]["schemas"]["io.x.stable.v1beta1.Thing"];
    assert_eq!(thing["x-kubernetes-preserve-unknown-fields"], true);
    assert_eq!(thing["type"], "object");
    assert!(document["paths"].get("/apis/stable.x.io/v1beta1/things/{name}/scale").is_some());
    assert!(document["paths"].get("/apis/stable.x.io/v1beta1/things/{name}/status").is_none());
}

#[test]
fn the_index_names_documents_with_their_hash() {
    assert_eq!(key("", "v1"), "api/v1");
    assert_eq!(key("apps", "v1"), "apis/apps/v1");
    let core = key("", "v1");
    assert_eq!(
        index("/clusters/team", [(core.as_str(), "ABC")]),
        json!({ "paths": { "api/v1": { "serverRelativeURL": "/clusters/team/openapi/v3/api/v1?hash=ABC" } } })
    );
}

#[test]
fn documents_are_deterministic() {
    let bytes = |_| builtin_document("policy", "v1").to_string();
    let [first, second] = [(); 2].map(bytes);
    assert_eq!(first, second);
}
