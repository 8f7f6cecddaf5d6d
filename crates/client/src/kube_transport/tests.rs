//! Tests of what goes over the wire to a real cluster and how answers are read.

use api::{ClusterName, Gvk, Gvr, Reason, Status};
use futures::StreamExt;
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

use super::KubeObjects;
use super::discovery::{aggregated, legacy, preferred, versions};
use super::request::{Address, Parameters};
use super::wire::{self, Lines};
use crate::{
    DeleteOptions, Event, ListOptions, Objects, Patch, Preconditions, Propagation, Target, WatchOptions, WriteOptions,
};

fn pods(cluster: &str) -> Target {
    Target::namespaced(&ClusterName::new(cluster).unwrap(), &Gvr::new("", "v1", "pods"), "ns")
}

fn address(target: &Target) -> Address {
    Address::of(&ClusterName::root(), target).unwrap()
}

#[track_caller]
fn check(request: &Request<Vec<u8>>, line: &str, content_type: &str) {
    assert_eq!(format!("{} {}", request.method(), request.uri()), line);
    let held = request.headers().get("content-type").map_or("", |held| held.to_str().unwrap());
    assert_eq!(held, content_type);
}

#[test]
fn paths_and_queries() {
    let none = Parameters::default();
    check(&address(&pods("root")).get(Some("a:b"), &none).unwrap(), "GET /api/v1/namespaces/ns/pods/a:b", "");
    let widgets = Target::cluster(&ClusterName::new("team").unwrap(), &Gvr::new("example.dev", "v1", "widgets"));
    let list = ListOptions {
        label_selector: "a in (b,c)".into(),
        limit: 5,
        continue_token: "x=".into(),
        ..Default::default()
    };
    check(
        &address(&widgets).get(None, &Parameters::list(&list)).unwrap(),
        "GET /clusters/team/apis/example.dev/v1/widgets?labelSelector=a%20in%20%28b%2Cc%29&limit=5&continue=x%3D",
        "",
    );
    let home = Address::of(&ClusterName::new("team").unwrap(), &widgets).unwrap();
    check(&home.get(None, &none).unwrap(), "GET /apis/example.dev/v1/widgets", "");
    let watch = WatchOptions { send_initial_events: true, ..WatchOptions::default() };
    check(
        &address(&pods("root")).get(None, &Parameters::watch(&watch)).unwrap(),
        "GET /api/v1/namespaces/ns/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=290\
         &sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
        "",
    );
    let everywhere = Target::everywhere(&Gvr::new("", "v1", "pods"));
    let read = Address::to_read(&ClusterName::root(), &everywhere).unwrap();
    check(&read.get(None, &Parameters::default()).unwrap(), "GET /api/v1/pods", "");
    assert_eq!(Address::of(&ClusterName::root(), &everywhere).err().unwrap().code, 400);
}

#[test]
fn writes() {
    let options = WriteOptions { dry_run: true, field_manager: "me".into(), force: true };
    let pods = address(&pods("root"));
    let body = || bytes::Bytes::from_static(b"{}");
    let patch = |patch: Patch| {
        let query = Parameters::patch(&options, &patch);
        pods.patch("p", Some("status"), &query, patch).unwrap()
    };
    let path = "/api/v1/namespaces/ns/pods/p/status?dryRun=All&fieldManager=me";
    check(&patch(Patch::Json(body())), &format!("PATCH {path}"), "application/json-patch+json");
    check(&patch(Patch::Merge(body())), &format!("PATCH {path}"), "application/merge-patch+json");
    check(&patch(Patch::Strategic(body())), &format!("PATCH {path}"), "application/strategic-merge-patch+json");
    check(&patch(Patch::Apply(body())), &format!("PATCH {path}&force=true"), "application/apply-patch+yaml");
    let none = Parameters::default();
    check(&pods.post(&none, body()).unwrap(), "POST /api/v1/namespaces/ns/pods", "application/json");
    let binding = pods.post_to("p", "binding", &none, body()).unwrap();
    check(&binding, "POST /api/v1/namespaces/ns/pods/p/binding", "application/json");
    check(
        &pods.put("p", Some("status"), &none, body()).unwrap(),
        "PUT /api/v1/namespaces/ns/pods/p/status",
        "application/json",
    );
    let options = DeleteOptions {
        preconditions: Preconditions { uid: Some("u".into()), resource_version: None },
        propagation: Some(Propagation::Orphan),
        grace_period_secs: Some(0),
        dry_run: true,
    };
    let request = pods.delete("p", &options).unwrap();
    check(&request, "DELETE /api/v1/namespaces/ns/pods/p", "application/json");
    let expect = json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": "u" },
        "propagationPolicy": "Orphan", "gracePeriodSeconds": 0, "dryRun": ["All"],
    });
    assert_eq!(serde_json::from_slice::<Value>(request.body()).unwrap(), expect);
}

#[test]
fn items_of_a_list_get_their_kind() {
    let body = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"c","remainingItemCount":3},
        "items":[{"metadata":{"name":"a"}},{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}]}"#;
    let list = wire::list(&ClusterName::root(), body.as_bytes()).unwrap();
    assert_eq!((list.resource_version.as_str(), list.continue_token.as_str(), list.remaining), ("7", "c", Some(3)));
    for (object, name) in list.items.iter().zip(["a", "b"]) {
        let expect = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name } });
        assert_eq!(object.value().unwrap(), expect);
    }
    let empty = r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":null}"#;
    assert!(wire::list(&ClusterName::root(), empty.as_bytes()).unwrap().items.is_empty());
}

#[test]
fn watch_lines() {
    let event = |kind: &str, object: Value| {
        wire::event(&ClusterName::root(), json!({ "type": kind, "object": object }).to_string().as_bytes())
    };
    let pod = || json!({ "kind": "Pod", "metadata": { "name": "a", "resourceVersion": "3" } });
    assert!(matches!(event("ADDED", pod()), Ok(Event::Added(object)) if object.meta.name == "a"));
    assert!(matches!(event("MODIFIED", pod()), Ok(Event::Modified(_))));
    assert!(matches!(event("DELETED", pod()), Ok(Event::Deleted(_))));
    let end = json!({ "metadata": { "resourceVersion": "9", "annotations": { "k8s.io/initial-events-end": "true" } } });
    assert!(
        matches!(event("BOOKMARK", end), Ok(Event::Bookmark { resource_version, initial_events_end: true }) if resource_version == "9")
    );
    assert!(matches!(event("BOOKMARK", pod()), Ok(Event::Bookmark { initial_events_end: false, .. })));
    let gone = json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old" });
    assert!(event("ERROR", gone).unwrap_err().is_expired());
    assert!(event("NEWS", pod()).is_err());
}

#[test]
fn lines_arrive_in_pieces() {
    let mut lines = Lines::default();
    let mut seen = Vec::new();
    for chunk in ["ab", "c\nd", "\n\n", "ef\ngh\ni"] {
        lines.push(chunk.as_bytes());
        while let Some(line) = lines.next().unwrap() {
            seen.push(String::from_utf8(line.to_vec()).unwrap());
        }
    }
    assert_eq!(seen, ["abc", "d", "ef", "gh"]);
}

#[test]
fn refusals_become_a_status() {
    let conflict = json!({ "kind": "Status", "reason": "Conflict", "message": "raced", "code": 409 }).to_string();
    assert!(wire::status(409, conflict.as_bytes()).is_conflict());
    let page = wire::status(503, b"<html>later</html>\n");
    assert_eq!(
        (page.code, page.reason, page.message.as_str()),
        (503, Reason::ServiceUnavailable, "<html>later</html>")
    );
    assert_eq!(wire::status(404, b"").message, "the server answered with code 404");
}

#[test]
fn what_still_exists_after_a_delete() {
    let still = |body: Value| wire::deleted(&ClusterName::root(), body.to_string().into()).unwrap().is_some();
    assert!(!still(json!({ "kind": "Status", "status": "Success" })));
    assert!(!still(json!({ "kind": "Pod", "metadata": { "name": "a" } })));
    let deleting = |extra: Value| {
        let mut object = json!({ "kind": "Namespace", "metadata": { "name": "a", "deletionTimestamp": "t" } });
        json_patch::merge(&mut object, &extra);
        object
    };
    assert!(!still(deleting(json!({}))));
    assert!(still(deleting(json!({ "metadata": { "finalizers": ["x"] } }))));
    assert!(still(deleting(json!({ "metadata": { "deletionGracePeriodSeconds": 30 } }))));
    assert!(still(deleting(json!({ "spec": { "finalizers": ["kubernetes"] } }))));
}

fn short(kinds: &[api::KindDescriptor]) -> Vec<String> {
    let describe = |kind: &api::KindDescriptor| {
        let marks = [
            (kind.namespaced, " namespaced"),
            (kind.subresources.status, " status"),
            (kind.subresources.scale.is_some(), " scale"),
        ];
        let marks: String = marks.into_iter().filter(|(holds, _)| *holds).map(|(_, mark)| mark).collect();
        format!("{} {:?}{marks}", kind.gvr(), kind.verbs)
    };
    kinds.iter().map(describe).collect()
}

#[test]
fn kinds_from_aggregated_discovery() {
    let resource = |name: &str, scope: &str, verbs: Value| {
        json!({ "resource": name, "responseKind": { "kind": "Some" }, "scope": scope, "verbs": verbs,
            "subresources": [{ "subresource": "status" }] })
    };
    let all = || json!(["list", "delete"]);
    let answer = json!({ "items": [{ "metadata": { "name": "example.dev" }, "versions": [
        { "version": "v2", "resources": [resource("widgets", "Namespaced", all())] },
        { "version": "v1", "resources": [resource("widgets", "Namespaced", all()), resource("reviews", "Cluster", json!(["create"]))] },
    ] }] });
    let kinds = aggregated(&answer);
    assert_eq!(kinds.len(), 3);
    let expect = ["example.dev/v2/widgets All namespaced status", "example.dev/v1/reviews Create status"];
    assert_eq!(short(&preferred(&kinds)), expect);
}

#[test]
fn kinds_from_legacy_discovery() {
    let groups = json!({ "kind": "APIGroupList", "groups": [{
        "versions": [{ "groupVersion": "apps/v1beta1" }, { "groupVersion": "apps/v1" }],
        "preferredVersion": { "groupVersion": "apps/v1" },
    }] });
    assert_eq!(versions(&groups), ["apps/v1", "apps/v1beta1"]);
    assert_eq!(versions(&json!({ "kind": "APIVersions", "versions": ["v1"] })), ["v1"]);
    let resources = json!({ "resources": [
        { "name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": ["list", "delete"], "shortNames": ["deploy"] },
        { "name": "deployments/scale", "kind": "Scale", "namespaced": true, "verbs": ["get"] },
    ] });
    let kinds = legacy("apps/v1", &resources);
    assert_eq!(short(&kinds), ["apps/v1/deployments All namespaced scale"]);
    assert_eq!(&*kinds[0].short_names[0], "deploy");
}

/// A transport to a server that answers from a table: method and path with query, code, body.
fn against(answers: &'static [(&str, u16, &str)]) -> KubeObjects {
    let service = tower::service_fn(move |request: Request<Body>| {
        let line = format!("{} {}", request.method(), request.uri());
        let found = answers.iter().find(|(held, ..)| *held == line);
        let (code, body) = found.map_or((404, "page not found"), |(_, code, body)| (*code, *body));
        let mut response = Response::new(Body::from(body.as_bytes().to_vec()));
        *response.status_mut() = http::StatusCode::from_u16(code).unwrap();
        if code == 429 {
            response.headers_mut().insert("retry-after", 7.into());
        }
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    KubeObjects::new(kube::Client::new(service, "default"), ClusterName::root())
}

#[tokio::test]
async fn calls_are_answered() {
    let objects = against(&[
        ("GET /api/v1/namespaces/ns/pods/p", 200, r#"{"kind":"Pod","metadata":{"name":"p"}}"#),
        ("GET /api/v1/namespaces/ns/pods/busy", 429, "slow down"),
        ("DELETE /api/v1/namespaces/ns/pods/p", 200, r#"{"kind":"Status","status":"Success"}"#),
    ]);
    assert_eq!(objects.get(&pods("root"), "p").await.unwrap().meta.name, "p");
    let busy = objects.get(&pods("root"), "busy").await.unwrap_err();
    assert_eq!((busy.reason, busy.retry_after_secs), (Reason::TooManyRequests, 7));
    assert!(objects.get(&pods("root"), "absent").await.unwrap_err().is_not_found());
    assert!(objects.delete(&pods("root"), "p", DeleteOptions::default()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_watch_ends_after_its_error() {
    const LINES: &str = concat!(
        r#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","resourceVersion":"3"}}}"#,
        "\n",
        r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#,
        "\n",
        r#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"never"}}}"#,
        "\n",
    );
    const LINE: &str =
        "GET /api/v1/namespaces/ns/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion=2";
    let objects = against(&[(LINE, 200, LINES)]);
    let options = WatchOptions { resource_version: "2".into(), ..WatchOptions::default() };
    let events: Vec<_> = objects.watch(&pods("root"), options).await.unwrap().collect().await;
    assert_eq!(events.len(), 2);
    assert!(matches!(&events[0], Ok(Event::Added(object)) if object.meta.name == "a"));
    assert!(events[1].as_ref().is_err_and(Status::is_expired));
}

#[tokio::test]
async fn kinds_of_a_server_without_aggregated_discovery() {
    let objects = against(&[
        ("GET /api", 200, r#"{"kind":"APIVersions","versions":["v1"]}"#),
        ("GET /apis", 200, r#"{"kind":"APIGroupList","groups":[{"preferredVersion":{"groupVersion":"down.dev/v1"}}]}"#),
        (
            "GET /api/v1",
            200,
            r#"{"resources":[{"name":"pods","kind":"Pod","namespaced":true,"verbs":["list","delete"]},
                {"name":"pods/status","kind":"Pod","namespaced":true,"verbs":["get"]}]}"#,
        ),
    ]);
    let root = ClusterName::root();
    assert_eq!(short(&objects.kinds(&root).await.unwrap()), ["v1/pods All namespaced status"]);
    assert!(objects.kind(&root, &Gvk::new("", "v1", "Pod")).await.unwrap().is_some());
    assert!(objects.kind(&root, &Gvk::new("down.dev", "v1", "Thing")).await.unwrap().is_none());
}
