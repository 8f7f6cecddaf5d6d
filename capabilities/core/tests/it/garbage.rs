//! Owners and their dependents.

use super::*;

fn owner(kind: &str, name: &str) -> Value {
    let api_version = match kind {
        "ReplicaSet" | "Deployment" => "apps/v1",
        "Widget" => "example.dev/v1",
        _ => "v1",
    };
    let reference = json!({ "apiVersion": api_version, "kind": kind, "name": name, "uid": format!("{kind}-{name}") });
    let mut reference = reference;
    reference["blockOwnerDeletion"] = true.into();
    reference
}

/// An object in the namespace `ns` whose uid is its kind and name.
fn object(kind: &str, name: &str, owners: &[Value]) -> Value {
    let mut object = json!({ "apiVersion": owner(kind, name)["apiVersion"], "kind": kind });
    object["metadata"] =
        json!({ "namespace": "ns", "name": name, "uid": format!("{kind}-{name}"), "ownerReferences": owners });
    object
}

fn replica_sets() -> Target {
    target("apps/v1", "replicasets", "ns")
}

fn owners(fake: &FakeObjects, plural: &str, name: &str) -> Vec<String> {
    let object = fake.find(plural, "ns", name).unwrap_or_default();
    let references = object["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
    references.iter().map(|reference| reference["uid"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A ReplicaSet `web` with two pods.
async fn with_replica_set() -> Platform {
    let fake = FakeObjects::new();
    fake.put(&object("ReplicaSet", "web", &[]));
    fake.put(&object("Pod", "a", &[owner("ReplicaSet", "web")]));
    fake.put(&object("Pod", "b", &[owner("ReplicaSet", "web")]));
    fake.put(&object("Pod", "free", &[]));
    let platform = Platform::start(fake).await;
    collector_works(&platform.fake).await;
    platform
}

#[tokio::test]
async fn background_deletion_takes_the_dependents_of_dependents() {
    let fake = FakeObjects::new();
    fake.put(&object("Deployment", "web", &[]));
    fake.put(&object("ReplicaSet", "web", &[owner("Deployment", "web")]));
    fake.put(&object("Pod", "a", &[owner("ReplicaSet", "web")]));
    fake.put(&object("Pod", "free", &[]));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    collector_works(fake).await;
    assert_eq!(keys(fake, "pods"), ["ns/a", "ns/free"]);
    delete(fake, &target("apps/v1", "deployments", "ns"), "web", Propagation::Background).await;
    fake.until("the pod is gone", |fake| keys(fake, "pods") == ["ns/free"]).await;
    assert!(keys(fake, "replicasets").is_empty());
    platform.stop().await;
}

#[tokio::test]
async fn foreground_deletion_takes_the_dependents_first() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    merge(fake, &target("v1", "pods", "ns"), "a", json!({ "metadata": { "finalizers": ["test/hold"] } })).await;
    delete(fake, &replica_sets(), "web", Propagation::Foreground).await;
    fake.until("one pod is gone", |fake| keys(fake, "pods") == ["ns/a", "ns/free"]).await;
    collector_works(fake).await;
    assert_eq!(keys(fake, "replicasets"), ["ns/web"], "it waits for the pod that is held");
    merge(fake, &target("v1", "pods", "ns"), "a", json!({ "metadata": { "finalizers": null } })).await;
    fake.until("it is gone", |fake| keys(fake, "replicasets").is_empty()).await;
    assert_eq!(keys(fake, "pods"), ["ns/free"]);
    platform.stop().await;
}

#[tokio::test]
async fn foreground_deletion_goes_down_the_whole_chain() {
    let fake = FakeObjects::new();
    fake.put(&object("Deployment", "web", &[]));
    fake.put(&object("ReplicaSet", "web", &[owner("Deployment", "web")]));
    fake.put(&object("Pod", "a", &[owner("ReplicaSet", "web")]));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    collector_works(fake).await;
    delete(fake, &target("apps/v1", "deployments", "ns"), "web", Propagation::Foreground).await;
    fake.until("all is gone", |fake| keys(fake, "deployments").is_empty()).await;
    assert!(keys(fake, "replicasets").is_empty() && keys(fake, "pods").is_empty());
    platform.stop().await;
}

#[tokio::test]
async fn a_circle_of_owners_does_not_wait_for_itself() {
    let fake = FakeObjects::new();
    fake.put(&object("ConfigMap", "a", &[owner("ConfigMap", "b")]));
    fake.put(&object("ConfigMap", "b", &[owner("ConfigMap", "a")]));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    collector_works(fake).await;
    delete(fake, &target("v1", "configmaps", "ns"), "a", Propagation::Foreground).await;
    fake.until("both are gone", |fake| keys(fake, "configmaps").is_empty()).await;
    platform.stop().await;
}

#[tokio::test]
async fn orphans_stay_without_their_owner() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    delete(fake, &replica_sets(), "web", Propagation::Orphan).await;
    fake.until("the owner is gone", |fake| keys(fake, "replicasets").is_empty()).await;
    collector_works(fake).await;
    assert_eq!(keys(fake, "pods"), ["ns/a", "ns/b", "ns/free"]);
    assert!(owners(fake, "pods", "a").is_empty() && owners(fake, "pods", "b").is_empty());
    platform.stop().await;
}

#[tokio::test]
async fn an_owner_that_never_was_counts_as_gone() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    fake.put(&object("Pod", "nobody", &[owner("ReplicaSet", "nobody")]));
    let mut other_uid = owner("ReplicaSet", "web");
    other_uid["uid"] = "an-earlier-web".into();
    fake.put(&object("Pod", "earlier", &[other_uid]));
    let mut elsewhere = object("Pod", "elsewhere", &[owner("ReplicaSet", "web")]);
    elsewhere["metadata"]["namespace"] = "other".into();
    fake.put(&elsewhere);
    fake.until("they are gone", |fake| keys(fake, "pods") == ["ns/a", "ns/b", "ns/free"]).await;
    platform.stop().await;
}

#[tokio::test]
async fn one_owner_left_is_enough() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    fake.put(&object("ReplicaSet", "next", &[]));
    fake.put(&object("Pod", "shared", &[owner("ReplicaSet", "web"), owner("ReplicaSet", "next")]));
    delete(fake, &replica_sets(), "web", Propagation::Background).await;
    fake.until("the lost owner is dropped", |fake| owners(fake, "pods", "shared") == ["ReplicaSet-next"]).await;
    fake.until("the others are gone", |fake| keys(fake, "pods") == ["ns/free", "ns/shared"]).await;
    platform.stop().await;
}

#[tokio::test]
async fn a_cluster_scoped_object_may_name_a_namespaced_owner_in_vain() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    let metadata = json!({ "name": "reader", "ownerReferences": [owner("ReplicaSet", "nobody")] });
    fake.put(&json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata }));
    let metadata = json!({ "name": "real", "ownerReferences": [owner("Namespace", "nobody")] });
    fake.put(&json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata }));
    fake.until("the other one is collected", |fake| keys(fake, "clusterroles") == ["reader"]).await;
    platform.stop().await;
}

fn widgets() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "widgets.example.dev" },
        "spec": {
            "group": "example.dev", "scope": "Namespaced", "names": { "kind": "Widget", "plural": "widgets" },
            "versions": [{ "name": "v1", "served": true, "storage": true }],
        },
    })
}

#[tokio::test]
async fn kinds_that_come_later_are_followed_too() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    // The owner's kind is not served yet: the pod must not be touched.
    fake.put(&object("Pod", "early", &[owner("Widget", "w")]));
    collector_works(fake).await;
    assert!(keys(fake, "pods").contains(&"ns/early".to_owned()));
    fake.put(&widgets());
    fake.until("it is found that the widget never was", |fake| !keys(fake, "pods").contains(&"ns/early".to_owned()))
        .await;

    fake.put(&object("Widget", "w", &[]));
    fake.put(&object("Widget", "child", &[owner("Widget", "w")]));
    fake.put(&object("Pod", "late", &[owner("Widget", "w")]));
    collector_works(fake).await;
    delete(fake, &target("example.dev/v1", "widgets", "ns"), "w", Propagation::Background).await;
    fake.until("its dependents are gone", |fake| {
        keys(fake, "widgets").is_empty() && !keys(fake, "pods").contains(&"ns/late".to_owned())
    })
    .await;
    platform.stop().await;
}

#[tokio::test]
async fn what_ended_while_nobody_watched_is_noticed() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    fake.end_watches();
    delete(fake, &replica_sets(), "web", Propagation::Background).await;
    fake.expire_watches();
    fake.until("the pods are gone", |fake| keys(fake, "pods") == ["ns/free"]).await;
    platform.stop().await;
}

#[tokio::test]
async fn clusters_are_kept_apart() {
    let platform = with_replica_set().await;
    let fake = &platform.fake;
    let team = ClusterName::new("team").unwrap();
    // The same names and uids, as in a copy of the cluster.
    fake.put_in(&team, &object("ReplicaSet", "web", &[]));
    fake.put_in(&team, &object("Pod", "a", &[owner("ReplicaSet", "web")]));
    delete(fake, &replica_sets(), "web", Propagation::Background).await;
    fake.until("one cluster's pods are gone", |fake| keys(fake, "pods") == ["ns/free", "team|ns/a"]).await;
    collector_works(fake).await;
    assert_eq!(keys(fake, "pods"), ["ns/free", "team|ns/a"]);
    platform.stop().await;
}
