//! What the fake does beyond storing objects.

use api::{ClusterName, Gvr};
use serde_json::json;

use super::{FakeObjects, Verb};
use crate::{Objects, Target, WriteOptions};

#[tokio::test]
async fn pods_are_bound_once_and_evicted() {
    let fake = FakeObjects::new();
    fake.put(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}}));
    let pods = Target::namespaced(&ClusterName::root(), &Gvr::new("", "v1", "pods"), "default");
    let post = async |subresource: &str, body: serde_json::Value| {
        fake.create_subresource(&pods, "p", subresource, body.to_string().into(), WriteOptions::default()).await
    };
    let bound = post("binding", json!({"target": {"name": "n"}})).await.unwrap();
    assert!(std::str::from_utf8(&bound).unwrap().contains(r#""status":"Success""#));
    assert_eq!(fake.find("pods", "default", "p").unwrap()["spec"]["nodeName"], "n");
    assert!(post("binding", json!({"target": {"name": "m"}})).await.unwrap_err().is_conflict());
    assert_eq!(post("nothing", json!({})).await.unwrap_err().code, 404);
    post("eviction", json!({})).await.unwrap();
    assert!(fake.find("pods", "default", "p").is_none());
    let last = fake.calls().pop().unwrap();
    assert_eq!((last.verb, &*last.name, &*last.subresource), (Verb::Create, "p", "eviction"));
}

#[tokio::test]
async fn raw_paths_answer_what_was_set() {
    let (fake, root) = (FakeObjects::new(), ClusterName::root());
    let path = "/apis/metrics.k8s.io/v1beta1/nodes";
    assert!(fake.get_raw(&root, path).await.unwrap_err().is_not_found());
    fake.answer_raw(path, &json!({"items": []}));
    assert_eq!(&*fake.get_raw(&root, path).await.unwrap(), br#"{"items":[]}"#);
    assert_eq!(fake.count(Verb::Get, path), 2);
}
