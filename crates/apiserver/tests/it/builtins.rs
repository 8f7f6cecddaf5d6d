//! Built-in kinds behave as in Kubernetes: what is filled, what is given out and to one
//! only, what is admitted, and what never changes; over HTTP and in process alike.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use api::{ClusterName, Gvr};
use client::{Target, WriteOptions};
use serde_json::{Value, json};
use testkit::Platform;

use super::wire::Wire;

const PODS: &str = "/api/v1/namespaces/default/pods";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const ADDRESSES: &str = "/apis/networking.k8s.io/v1/ipaddresses";

async fn start() -> Result<(Platform, Wire)> {
    let platform = Platform::start(Vec::new()).await?;
    let wire = Wire::to(&platform).await?;
    Ok((platform, wire))
}

fn service(name: &str, spec: Value) -> Value {
    let mut spec = spec;
    if spec.get("ports").is_none() {
        spec["ports"] = json!([{"port": 80}]);
    }
    json!({"metadata": {"name": name}, "spec": spec})
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
}

/// The first cause of a refusal, as `field: message`.
fn cause(status: &Value) -> String {
    let cause = &status["details"]["causes"][0];
    let line = cause["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
    format!("{}: {line}", cause["field"].as_str().unwrap_or_default())
}

fn address(service: &Value) -> Result<String> {
    Ok(service["spec"]["clusterIP"].as_str().context("no address")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_services_at_once_get_addresses_of_their_own() -> Result<()> {
    let (platform, wire) = start().await?;
    let target = Target::namespaced(&ClusterName::root(), &Gvr::new("", "v1", "services"), "default");
    let create = |index: usize| {
        let (objects, target) = (platform.objects.clone(), target.clone());
        let body = service(&format!("s{index}"), json!({"type": "NodePort"})).to_string();
        async move { objects.create(&target, body.into(), WriteOptions::default()).await }
    };
    let made = futures::future::try_join_all((0..64).map(create)).await?;
    let made: Vec<Value> = made.iter().map(|object| object.value()).collect::<Result<_, _>>()?;
    let addresses: BTreeSet<String> = made.iter().map(address).collect::<Result<_>>()?;
    let ports: BTreeSet<u64> =
        made.iter().filter_map(|object| object["spec"]["ports"][0]["nodePort"].as_u64()).collect();
    ensure!(addresses.len() == 64 && ports.len() == 64, "{} addresses, {} ports", addresses.len(), ports.len());
    ensure!(addresses.iter().all(|address| address.starts_with("10.96.")), "{addresses:?}");
    ensure!(ports.iter().all(|port| (30_000..=32_767).contains(port)), "{ports:?}");
    let (_, held) = wire.get(ADDRESSES).await?;
    let held: BTreeSet<String> = held["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| Some(item["metadata"]["name"].as_str()?.to_owned()))
        .collect();
    ensure!(held == addresses, "each address is an object: {held:?}");
    for index in 0..64 {
        ensure!(wire.delete(&format!("{SERVICES}/s{index}")).await?.0 == 200);
    }
    let (_, held) = wire.get(ADDRESSES).await?;
    ensure!(held["items"].as_array().is_some_and(Vec::is_empty), "all are released: {held}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_given_or_refused() -> Result<()> {
    let (platform, wire) = start().await?;
    let asked = wire.made(SERVICES, service("s1", json!({"clusterIP": "10.96.5.5"}))).await?;
    ensure!(asked["spec"]["clusterIPs"] == json!(["10.96.5.5"]), "{asked}");
    ensure!(asked["spec"]["ipFamilies"] == json!(["IPv4"]) && asked["spec"]["ipFamilyPolicy"] == "SingleStack");
    wire.made(SERVICES, service("s3", json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}))).await?;
    let node_port = |port: u64| json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]});
    let cases = [
        (
            json!({"clusterIP": "10.96.5.5"}),
            "spec.clusterIPs: Invalid value: [\"10.96.5.5\"]: failed to allocate IP 10.96.5.5: provided IP is already allocated",
        ),
        (
            json!({"clusterIP": "10.97.5.5"}),
            "spec.clusterIPs: Invalid value: [\"10.97.5.5\"]: failed to allocate IP 10.97.5.5: the provided network does not match the current range",
        ),
        (
            json!({"clusterIP": "10.96.0.0"}),
            "spec.clusterIPs: Invalid value: [\"10.96.0.0\"]: failed to allocate IP 10.96.0.0: the provided network does not match the current range",
        ),
        (node_port(30080), "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"),
        (
            node_port(80),
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
        ),
        (
            json!({"clusterIP": "fd00::1"}),
            "spec.clusterIPs[0]: Invalid value: [\"fd00::1\"]: IPv6 is not configured on this cluster",
        ),
        (
            json!({"ipFamilies": ["IPv6"]}),
            "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster",
        ),
        (
            json!({"ipFamilyPolicy": "RequireDualStack"}),
            "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services",
        ),
        (
            json!({"type": "NodePort", "ports": [{"name": "a", "port": 80, "nodePort": 30091}, {"name": "b", "port": 81, "nodePort": 30091}]}),
            "spec.ports[1].nodePort: Invalid value: 30091: provided port is already allocated",
        ),
    ];
    for (spec, expect) in cases {
        let (code, status) = wire.post(SERVICES, service("refused", spec.clone())).await?;
        ensure!(code == 422 && cause(&status) == expect, "{spec}: {code} {}", cause(&status));
    }
    let shared =
        json!({"type": "NodePort", "ports": [{"name": "a", "port": 53}, {"name": "b", "port": 53, "protocol": "UDP"}]});
    let shared = wire.made(SERVICES, service("shared", shared)).await?;
    ensure!(shared["spec"]["ports"][0]["nodePort"] == shared["spec"]["ports"][1]["nodePort"], "{shared}");
    let headless = wire.made(SERVICES, service("headless", json!({"clusterIP": "None"}))).await?;
    ensure!(headless["spec"]["ipFamilies"] == json!(["IPv4", "IPv6"]), "{headless}");
    let named = wire.made(SERVICES, service("named", json!({"type": "ExternalName", "externalName": "a.b"}))).await?;
    ensure!(named["spec"].get("clusterIP").is_none() && named["spec"].get("ipFamilies").is_none(), "{named}");
    ensure!(wire.delete(&format!("{SERVICES}/s1")).await?.0 == 200);
    wire.made(SERVICES, service("s2", json!({"clusterIP": "10.96.5.5"}))).await?;
    let (_, dry) = wire.post(&format!("{SERVICES}?dryRun=All"), service("dry", json!({}))).await?;
    let (_, held) = wire.get(&format!("{ADDRESSES}/{}", address(&dry)?)).await?;
    ensure!(held["code"] == 404, "a dry run takes nothing: {held}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_type_gives_and_takes() -> Result<()> {
    let (platform, wire) = start().await?;
    let path = format!("{SERVICES}/s");
    let made =
        wire.made(SERVICES, service("s", json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local"}))).await?;
    let (ip, port) = (address(&made)?, made["spec"]["ports"][0]["nodePort"].as_u64().context("no port")?);
    ensure!(made["spec"]["healthCheckNodePort"].as_u64().is_some_and(|health| health != port), "{made}");
    let (code, inner) = wire.merge(&path, json!({"spec": {"type": "ClusterIP"}})).await?;
    ensure!(code == 200 && inner["spec"]["clusterIP"] == *ip, "{inner}");
    for field in ["externalTrafficPolicy", "healthCheckNodePort", "allocateLoadBalancerNodePorts"] {
        ensure!(inner["spec"].get(field).is_none(), "{field}: {inner}");
    }
    ensure!(inner["spec"]["ports"][0].get("nodePort").is_none(), "{inner}");
    let taken = json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]});
    wire.made(SERVICES, service("other", taken)).await.context("the port is free again")?;
    let (code, status) = wire.merge(&path, json!({"spec": {"clusterIP": "10.96.9.9"}})).await?;
    ensure!(
        code == 422 && cause(&status) == "spec.clusterIPs[0]: Invalid value: [\"10.96.9.9\"]: may not change once set",
        "{status}"
    );
    let (code, kept) = wire.put(&path, service("s", json!({}))).await?;
    ensure!(code == 200 && kept["spec"]["clusterIP"] == *ip, "a PUT without the address keeps it: {kept}");
    let (code, named) = wire.merge(&path, json!({"spec": {"type": "ExternalName", "externalName": "a.b"}})).await?;
    ensure!(code == 200 && named["spec"].get("clusterIP").is_none(), "{named}");
    ensure!(wire.get(&format!("{ADDRESSES}/{ip}")).await?.0 == 404, "the address is released");
    let (code, back) = wire.merge(&path, json!({"spec": {"type": "ClusterIP", "externalName": null}})).await?;
    ensure!(code == 200 && address(&back)?.starts_with("10.96."), "{back}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_admitted_as_their_namespace_says() -> Result<()> {
    let platform = Platform::start_with(Vec::new(), |config| config.disabled_admission.clear()).await?;
    let wire = Wire::to(&platform).await?;
    // A namespace is born with its account, so that a pod that follows at once is not refused.
    wire.made("/api/v1/namespaces", json!({"metadata": {"name": "fresh"}})).await?;
    wire.made("/api/v1/namespaces/fresh/pods", pod("p")).await?;
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    wire.delete(&format!("{accounts}/default")).await?;
    let (code, status) = wire.post(PODS, pod("p")).await?;
    let expect = "pods \"p\" is forbidden: error looking up service account default/default: serviceaccount \"default\" not found";
    ensure!(code == 403 && status["message"] == expect, "{status}");
    let account = json!({"metadata": {"name": "default"}, "imagePullSecrets": [{"name": "reg"}]});
    wire.made(accounts, account).await?;
    let made = wire.made(PODS, pod("p")).await?;
    let spec = &made["spec"];
    ensure!(spec["serviceAccountName"] == "default" && spec["serviceAccount"] == "default", "{made}");
    ensure!(spec["imagePullSecrets"] == json!([{"name": "reg"}]), "{made}");
    let volume = spec["volumes"][0]["name"].as_str().context("no volume")?;
    ensure!(volume.starts_with("kube-api-access-") && volume.len() == 21, "{made}");
    let mount =
        json!([{"name": volume, "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]);
    ensure!(spec["containers"][0]["volumeMounts"] == mount, "{made}");
    ensure!(
        spec["volumes"][0]["projected"]["sources"][0]
            == json!({"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}})
    );
    ensure!(spec["priority"] == 0 && spec["preemptionPolicy"] == "PreemptLowerPriority", "{made}");
    ensure!(
        spec["tolerations"][0]["tolerationSeconds"] == 300
            && spec["tolerations"][1]["key"] == "node.kubernetes.io/unreachable"
    );
    let mut quiet = pod("quiet");
    quiet["spec"]["automountServiceAccountToken"] = json!(false);
    let quiet = wire.made(PODS, quiet).await?;
    ensure!(quiet["spec"].get("volumes").is_none(), "{quiet}");
    let stored = wire.get(&format!("{PODS}/p")).await?.1;
    ensure!(stored["spec"] == made["spec"], "what was answered is what is stored");
    let (code, relabelled) = wire.merge(&format!("{PODS}/p"), json!({"metadata": {"labels": {"a": "b"}}})).await?;
    ensure!(code == 200 && relabelled["metadata"]["generation"] == 1, "{relabelled}");
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn classes_are_looked_up() -> Result<()> {
    let (platform, wire) = start().await?;
    let classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let of_class = |name: &str, class: &str| {
        let mut object = pod(name);
        object["spec"]["priorityClassName"] = json!(class);
        object
    };
    let (code, status) = wire.post(PODS, of_class("p", "nope")).await?;
    ensure!(
        code == 403 && status["message"] == "pods \"p\" is forbidden: no PriorityClass with name nope was found",
        "{status}"
    );
    wire.made(
        classes,
        json!({"metadata": {"name": "g1"}, "value": 100, "globalDefault": true, "preemptionPolicy": "Never"}),
    )
    .await?;
    let (code, status) =
        wire.post(classes, json!({"metadata": {"name": "g2"}, "value": 50, "globalDefault": true})).await?;
    let expect = "priorityclasses.scheduling.k8s.io \"g2\" is forbidden: PriorityClass g1 is already marked as default. Only one default can exist";
    ensure!(code == 403 && status["message"] == expect, "{status}");
    let made = wire.made(PODS, pod("by-default")).await?;
    ensure!(made["spec"]["priorityClassName"] == "g1" && made["spec"]["priority"] == 100, "{made}");
    let mut stubborn = of_class("stubborn", "g1");
    stubborn["spec"]["priority"] = json!(7);
    let (code, status) = wire.post(PODS, stubborn).await?;
    let expect = "pods \"stubborn\" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 100 from the given PriorityClass name";
    ensure!(code == 403 && status["message"] == expect, "{status}");

    let default = |name: &str, rest: Value| {
        let mut object = json!({"metadata": {"name": name, "annotations": {
            "storageclass.kubernetes.io/is-default-class": "true", "ingressclass.kubernetes.io/is-default-class": "true",
        }}});
        object
            .as_object_mut()
            .into_iter()
            .for_each(|object| object.extend(rest.as_object().cloned().unwrap_or_default()));
        object
    };
    wire.made("/apis/storage.k8s.io/v1/storageclasses", default("fast", json!({"provisioner": "x/y"}))).await?;
    wire.made("/apis/networking.k8s.io/v1/ingressclasses", default("in", json!({"spec": {"controller": "x.y/z"}})))
        .await?;
    let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let claim = wire.made("/api/v1/namespaces/default/persistentvolumeclaims", claim).await?;
    ensure!(claim["spec"]["storageClassName"] == "fast" && claim["spec"]["volumeMode"] == "Filesystem", "{claim}");
    let ingress = json!({"metadata": {"name": "i"}, "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}});
    let ingress = wire.made("/apis/networking.k8s.io/v1/namespaces/default/ingresses", ingress).await?;
    ensure!(ingress["spec"]["ingressClassName"] == "in", "{ingress}");
    platform.stop().await;
    Ok(())
}

/// A group, version, plural and namespace.
type Place = (&'static str, &'static str, &'static str, &'static str);

/// Objects, changes of them, and how those are refused.
fn changes() -> Vec<(Place, Value, Value, &'static str)> {
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let selected = json!({"selector": {"matchLabels": {"a": "b"}}, "template": template});
    vec![
        (
            ("apps", "v1", "deployments", "default"),
            json!({"spec": selected}),
            json!({"spec": {"selector": {"matchLabels": {"a": "c"}}, "template": {"metadata": {"labels": {"a": "c"}}}}}),
            "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"c\"}}: field is immutable",
        ),
        (
            ("apps", "v1", "statefulsets", "default"),
            json!({"spec": selected}),
            json!({"spec": {"serviceName": "other"}}),
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
        (
            ("", "v1", "pods", "default"),
            pod("x"),
            json!({"spec": {"nodeName": "n"}}),
            "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        ),
        (
            ("", "v1", "configmaps", "default"),
            json!({"immutable": true, "data": {"a": "b"}}),
            json!({"data": {"a": "c"}}),
            "data: Forbidden: field is immutable when `immutable` is set",
        ),
        (
            ("", "v1", "secrets", "default"),
            json!({"type": "a/b"}),
            json!({"type": "c/d"}),
            "type: Invalid value: \"c/d\": field is immutable",
        ),
        (
            ("rbac.authorization.k8s.io", "v1", "rolebindings", "default"),
            json!({"roleRef": {"kind": "Role", "name": "r"}}),
            json!({"roleRef": {"name": "z"}}),
            "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"z\"}: cannot change roleRef",
        ),
        (
            ("scheduling.k8s.io", "v1", "priorityclasses", ""),
            json!({"value": 5}),
            json!({"value": 6}),
            "value: Forbidden: may not be changed in an update.",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_changes_is_refused_on_both_sides() -> Result<()> {
    let (platform, wire) = start().await?;
    for ((group, version, plural, namespace), object, change, expect) in changes() {
        let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        let path = if namespace.is_empty() {
            format!("{root}/{plural}")
        } else {
            format!("{root}/namespaces/{namespace}/{plural}")
        };
        let mut object = object;
        object["metadata"]["name"] = json!("never");
        wire.made(&path, object).await?;
        let (code, status) = wire.merge(&format!("{path}/never"), change.clone()).await?;
        ensure!(code == 422 && cause(&status) == expect, "{plural}: {code} {}", cause(&status));
        let gvr = Gvr::new(group, version, plural);
        let root = ClusterName::root();
        let target = if namespace.is_empty() {
            Target::cluster(&root, &gvr)
        } else {
            Target::namespaced(&root, &gvr, namespace)
        };
        let patch = client::Patch::Merge(change.to_string().into());
        let here = platform.objects.patch(&target, "never", None, patch, WriteOptions::default()).await;
        let status = here.err().context("in process it is refused too")?.to_json();
        ensure!(cause(&status) == expect, "{plural} in process: {}", cause(&status));
    }
    platform.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn generations_and_selectors_are_the_servers() -> Result<()> {
    let (platform, wire) = start().await?;
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}});
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    let job = wire.made(jobs, json!({"metadata": {"generateName": "j-"}, "spec": {"template": template}})).await?;
    let (name, uid) = (&job["metadata"]["name"], &job["metadata"]["uid"]);
    ensure!(job["spec"]["selector"] == json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}), "{job}");
    ensure!(job["spec"]["template"]["metadata"]["labels"]["job-name"] == *name, "{job}");
    let (code, status) =
        wire.post(jobs, json!({"metadata": {"name": "bad"}, "spec": {"template": {"spec": {}}}})).await?;
    ensure!(code == 422 && status["details"]["causes"].as_array().is_some_and(|causes| causes.len() == 2), "{status}");
    let path = format!("{jobs}/{}", name.as_str().context("no name")?);
    let (_, same) = wire.merge(&path, json!({"spec": {"backoffLimit": 6}})).await?;
    ensure!(same["metadata"]["resourceVersion"] == job["metadata"]["resourceVersion"], "a default stated is no change");
    let (_, changed) = wire.merge(&path, json!({"spec": {"backoffLimit": null}})).await?;
    ensure!(
        changed["metadata"]["resourceVersion"] == job["metadata"]["resourceVersion"],
        "nor is one taken away: {changed}"
    );
    let (_, changed) = wire.merge(&path, json!({"spec": {"backoffLimit": 3}})).await?;
    ensure!(changed["metadata"]["generation"] == 2, "{changed}");
    platform.stop().await;
    Ok(())
}
