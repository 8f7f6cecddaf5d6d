//! What every namespace holds.

use super::*;

#[tokio::test]
async fn every_namespace_of_every_cluster_is_furnished_and_stays_so() {
    let fake = FakeObjects::new();
    let team = ClusterName::new("team").unwrap();
    fake.put(&namespace("default"));
    fake.put_in(&team, &namespace("default"));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    let furnished = |fake: &FakeObjects, prefixes: &[&str]| {
        let accounts: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}/default")).collect();
        let root_cas: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}/kube-root-ca.crt")).collect();
        keys(fake, "serviceaccounts") == accounts && keys(fake, "configmaps") == root_cas
    };
    fake.until("both are furnished", |fake| furnished(fake, &["default", "team|default"])).await;
    fake.put(&namespace("later"));
    fake.until("a new one is", |fake| furnished(fake, &["default", "later", "team|default"])).await;
    assert_eq!(fake.find("configmaps", "later", "kube-root-ca.crt").unwrap()["data"], json!({ "ca.crt": CA_PEM }));

    delete(fake, &target("v1", "serviceaccounts", "later"), "default", Propagation::Background).await;
    delete(fake, &target("v1", "configmaps", "later"), "kube-root-ca.crt", Propagation::Background).await;
    fake.until("what was deleted is back", |fake| furnished(fake, &["default", "later", "team|default"])).await;
    let config_maps = target("v1", "configmaps", "later");
    merge(fake, &config_maps, "kube-root-ca.crt", json!({ "data": { "ca.crt": "theirs", "more": "x" } })).await;
    fake.until("what was changed is as before", |fake| {
        fake.find("configmaps", "later", "kube-root-ca.crt").unwrap()["data"] == json!({ "ca.crt": CA_PEM })
    })
    .await;
    platform.stop().await;
}

#[tokio::test]
async fn every_cluster_has_the_classes_of_the_system() {
    let fake = FakeObjects::new();
    let team = ClusterName::new("team").unwrap();
    fake.put(&namespace("kube-system"));
    fake.put_in(&team, &namespace("kube-system"));
    let platform = Platform::start(fake).await;
    let fake = &platform.fake;
    let all = [
        "system-cluster-critical",
        "system-node-critical",
        "team|system-cluster-critical",
        "team|system-node-critical",
    ];
    let is_there = |fake: &FakeObjects| keys(fake, "priorityclasses") == all;
    fake.until("they are there", is_there).await;
    delete(
        fake,
        &target("scheduling.k8s.io/v1", "priorityclasses", ""),
        "system-node-critical",
        Propagation::Background,
    )
    .await;
    fake.until("what was deleted is back", is_there).await;
    platform.stop().await;
}
