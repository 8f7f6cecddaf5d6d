//! Every health rule, as cases: kind, state of the object, verdict.

use serde_json::{Value, json};

use super::{Health, Part, Rules, State, aggregate, assess};
use crate::resource::Key;

fn check(kind: &str, cases: &[(Value, &str)]) {
    for (fields, expect) in cases {
        let mut object = fields.clone();
        let (api_version, kind) = kind.rsplit_once('/').expect("apiVersion/Kind");
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(kind);
        if object["metadata"]["name"].is_null() {
            object["metadata"]["name"] = json!("x");
        }
        let found = assess(&object, Rules { applications: true });
        let told = match found {
            None => "none".to_owned(),
            Some(Health { state, message }) if message.is_empty() => state.to_string(),
            Some(Health { state, message }) => format!("{state}: {message}"),
        };
        // A case that states no message is about the state alone.
        let told = if expect.contains(':') { told } else { told.split(':').next().unwrap_or_default().to_owned() };
        assert_eq!(told, *expect, "{kind} {fields}");
    }
}

fn conditions(list: &[(&str, &str, &str)]) -> Value {
    let list: Vec<Value> = list
        .iter()
        .map(|(kind, status, reason)| json!({"type": kind, "status": status, "reason": reason, "message": "m"}))
        .collect();
    json!({"status": {"conditions": list}})
}

fn merged(mut base: Value, patch: &Value) -> Value {
    machinery::patch::merge(&mut base, patch);
    base
}

#[test]
fn deployments() {
    let at = |generation: i64, observed: i64, wanted: i64, updated: i64, replicas: i64, available: i64| {
        json!({"metadata": {"generation": generation}, "spec": {"replicas": wanted}, "status": {
            "observedGeneration": observed, "updatedReplicas": updated, "replicas": replicas, "availableReplicas": available,
        }})
    };
    let late = merged(at(1, 1, 1, 0, 1, 0), &conditions(&[("Progressing", "False", "ProgressDeadlineExceeded")]));
    check(
        "apps/v1/Deployment",
        &[
            (json!({"spec": {"paused": true}}), "Suspended: Deployment is paused"),
            (
                at(2, 1, 1, 1, 1, 1),
                "Progressing: Waiting for rollout to finish: observed deployment generation less than desired generation",
            ),
            (late, "Degraded: Deployment \"x\" exceeded its progress deadline"),
            (
                at(1, 1, 3, 1, 1, 1),
                "Progressing: Waiting for rollout to finish: 1 out of 3 new replicas have been updated...",
            ),
            (
                at(1, 1, 2, 2, 3, 2),
                "Progressing: Waiting for rollout to finish: 1 old replicas are pending termination...",
            ),
            (
                at(1, 1, 2, 2, 2, 1),
                "Progressing: Waiting for rollout to finish: 1 of 2 updated replicas are available...",
            ),
            (at(1, 1, 2, 2, 2, 2), "Healthy"),
            (json!({"metadata": {"generation": 1}}), "Progressing"),
        ],
    );
}

#[test]
fn stateful_sets() {
    let with = |strategy: Value, status: Value| json!({"metadata": {"generation": 1}, "spec": {"replicas": 3, "updateStrategy": strategy}, "status": status});
    let rolling = |partition: i64| json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
    let status = |ready: i64, updated: i64| json!({"observedGeneration": 1, "readyReplicas": ready, "updatedReplicas": updated, "currentReplicas": 3});
    let revisions = |current: &str| merged(status(3, 3), &json!({"updateRevision": "b", "currentRevision": current}));
    check(
        "apps/v1/StatefulSet",
        &[
            (with(rolling(0), json!({})), "Progressing: Waiting for statefulset spec update to be observed..."),
            (with(rolling(0), status(1, 3)), "Progressing: Waiting for 2 pods to be ready..."),
            (
                with(rolling(1), status(3, 1)),
                "Progressing: Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
            ),
            (
                with(json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}), status(3, 1)),
                "Healthy: partitioned roll out complete: 1 new pods have been updated...",
            ),
            (with(rolling(1), status(3, 2)), "Healthy: partitioned roll out complete: 2 new pods have been updated..."),
            (with(json!({"type": "OnDelete"}), status(3, 0)), "Healthy: statefulset has 3 ready pods"),
            (
                with(json!({}), revisions("a")),
                "Progressing: waiting for statefulset rolling update to complete 3 pods at revision b...",
            ),
            (with(json!({}), revisions("b")), "Healthy: statefulset rolling update complete 3 pods at revision b..."),
        ],
    );
}

#[test]
fn daemon_and_replica_sets() {
    let daemon = |strategy: &str, updated: i64, available: i64| {
        json!({"spec": {"updateStrategy": {"type": strategy}}, "status": {
            "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available,
        }})
    };
    check(
        "apps/v1/DaemonSet",
        &[
            (
                json!({"metadata": {"generation": 1}}),
                "Progressing: Waiting for rollout to finish: observed daemon set generation less than desired generation",
            ),
            (daemon("OnDelete", 0, 0), "Healthy: daemon set 0 out of 2 new pods have been updated"),
            (
                daemon("RollingUpdate", 1, 2),
                "Progressing: Waiting for daemon set \"x\" rollout to finish: 1 out of 2 new pods have been updated...",
            ),
            (
                daemon("RollingUpdate", 2, 1),
                "Progressing: Waiting for daemon set \"x\" rollout to finish: 1 of 2 updated pods are available...",
            ),
            (daemon("RollingUpdate", 2, 2), "Healthy"),
        ],
    );
    check(
        "apps/v1/ReplicaSet",
        &[
            (
                json!({"metadata": {"generation": 1}}),
                "Progressing: Waiting for rollout to finish: observed replica set generation less than desired generation",
            ),
            (conditions(&[("ReplicaFailure", "True", "")]), "Degraded: m"),
            (conditions(&[("ReplicaFailure", "False", "")]), "Progressing"),
            (
                json!({"spec": {"replicas": 2}, "status": {"availableReplicas": 1}}),
                "Progressing: Waiting for rollout to finish: 1 out of 2 new replicas are available...",
            ),
            (json!({"spec": {"replicas": 1}, "status": {"availableReplicas": 1}}), "Healthy"),
        ],
    );
}

#[test]
fn pods() {
    let pod = |policy: &str, status: Value| json!({"spec": {"restartPolicy": policy}, "status": status});
    let waiting = |reason: &str| json!({"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": reason, "message": "m"}}}]});
    let ignoring = |annotations: Value, status: Value| {
        let own = json!({"metadata": {"annotations": {"argocd.argoproj.io/ignore-restart-policy": "true"}}});
        let marked = merged(own, &json!({"metadata": {"annotations": annotations}}));
        merged(marked, &json!({"spec": {"restartPolicy": "Never"}, "status": status}))
    };
    let ended =
        |state: Value| json!({"phase": "Failed", "containerStatuses": [{"name": "c", "state": {"terminated": state}}]});
    let unready = json!({"phase": "Running", "containerStatuses": [{"lastState": {"terminated": {}}}]});
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    check(
        "v1/Pod",
        &[
            (pod("Always", waiting("ImagePullBackOff")), "Degraded: m"),
            (pod("Always", waiting("ErrImagePull")), "Degraded: m"),
            (pod("Always", waiting("CreateContainerConfigError")), "Degraded: m"),
            (pod("Always", waiting("ContainerCreating")), "Progressing"),
            (pod("Never", waiting("ImagePullBackOff")), "Progressing"),
            (pod("Never", json!({"phase": "Succeeded"})), "Healthy"),
            (pod("Never", json!({"phase": "Failed", "message": "evicted"})), "Degraded: evicted"),
            (pod("Never", ended(json!({"reason": "OOMKilled", "exitCode": 137}))), "Degraded: OOMKilled"),
            (pod("Never", ended(json!({"exitCode": 3}))), "Degraded: container \"c\" failed with exit code 3"),
            (pod("Never", ended(json!({"message": "told", "reason": "OOMKilled", "exitCode": 1}))), "Degraded: told"),
            (pod("Never", ended(json!({"exitCode": 0}))), "Degraded"),
            (ignoring(json!({}), waiting("CrashLoopBackOff")), "Degraded: m"),
            (ignoring(json!({"argocd.argoproj.io/hook": "Sync"}), waiting("CrashLoopBackOff")), "Progressing"),
            (pod("Always", ready.clone()), "Healthy"),
            (pod("Always", unready), "Degraded"),
            (pod("Always", json!({"phase": "Running"})), "Progressing"),
            (pod("OnFailure", ready), "Progressing"),
            (pod("Always", json!({})), "Unknown"),
            (json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}), "Healthy"),
        ],
    );
}

#[test]
fn jobs() {
    check(
        "batch/v1/Job",
        &[
            (json!({}), "Progressing"),
            (conditions(&[("Failed", "True", "")]), "Degraded: m"),
            (conditions(&[("Complete", "True", "")]), "Healthy: m"),
            (conditions(&[("Suspended", "True", "")]), "Suspended"),
            (conditions(&[("Suspended", "False", "")]), "Progressing"),
            (conditions(&[("Suspended", "False", ""), ("Complete", "True", "")]), "Healthy: m"),
            (conditions(&[("SuccessCriteriaMet", "True", "")]), "Progressing"),
            (conditions(&[("FailureTarget", "True", "")]), "Progressing"),
            (conditions(&[("Complete", "False", "")]), "Progressing"),
        ],
    );
    let status = |scheduled: &str, succeeded: &str, active: Value| json!({"status": {"lastScheduleTime": scheduled, "lastSuccessfulTime": succeeded, "active": active}});
    check(
        "batch/v1/CronJob",
        &[
            (json!({"spec": {"suspend": true}}), "Healthy: CronJob is Suspended"),
            (json!({}), "Progressing: Waiting for CronJob"),
            (json!({"status": {}}), "Healthy: CronJob has not been scheduled yet"),
            (
                status("2026-01-01T00:00:00Z", "", json!([])),
                "Healthy: The Cronjob never completed succesfully. It may not be healthy",
            ),
            (
                status("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z", json!([{}])),
                "Healthy: The job is running. Its last execution may not have been successful",
            ),
            (
                status("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z", json!([])),
                "Degraded: CronJob has not completed its last execution successfully",
            ),
            (
                status("2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z", json!([])),
                "Healthy: CronJob has completed its last execution successfully",
            ),
        ],
    );
}

#[test]
fn network_and_storage() {
    let address = json!({"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}});
    let balancer = json!({"spec": {"type": "LoadBalancer"}});
    check(
        "v1/Service",
        &[(json!({}), "Healthy"), (balancer.clone(), "Progressing"), (merged(balancer, &address), "Healthy")],
    );
    for kind in ["networking.k8s.io/v1/Ingress", "extensions/v1beta1/Ingress"] {
        check(kind, &[(json!({}), "Progressing"), (address.clone(), "Healthy")]);
    }
    let phase = |phase: &str| json!({"status": {"phase": phase}});
    check(
        "v1/PersistentVolumeClaim",
        &[
            (phase("Lost"), "Degraded"),
            (phase("Pending"), "Progressing"),
            (phase("Bound"), "Healthy"),
            (json!({}), "Unknown"),
        ],
    );
    check("v1/ConfigMap", &[(json!({}), "none")]);
}

#[test]
fn cluster_kinds() {
    check(
        "apiregistration.k8s.io/v1/APIService",
        &[
            (json!({}), "Progressing: Waiting to be processed"),
            (conditions(&[("Available", "True", "r")]), "Healthy: r: m"),
            (conditions(&[("Available", "False", "r")]), "Progressing: r: m"),
        ],
    );
    let annotated = json!({"metadata": {"annotations": {
        "autoscaling.alpha.kubernetes.io/conditions":
            r#"[{"type":"AbleToScale","status":"False","reason":"FailedGetScale","message":"m"}]"#,
    }}});
    check(
        "autoscaling/v1/HorizontalPodAutoscaler",
        &[(annotated, "Degraded: m"), (json!({}), "Progressing: Waiting to Autoscale")],
    );
    check(
        "autoscaling/v2/HorizontalPodAutoscaler",
        &[
            (json!({}), "Progressing: Waiting to Autoscale"),
            (conditions(&[("AbleToScale", "False", "FailedUpdateScale")]), "Degraded: m"),
            (conditions(&[("ScalingActive", "False", "InvalidSelector")]), "Degraded: m"),
            (
                conditions(&[("AbleToScale", "True", ""), ("ScalingActive", "False", "FailedGetObjectMetric")]),
                "Degraded: m",
            ),
            (conditions(&[("AbleToScale", "False", "FailedGetScale")]), "Degraded: m"),
            (conditions(&[("ScalingActive", "False", "ScalingDisabled")]), "Progressing"),
            (conditions(&[("AbleToScale", "True", "")]), "Healthy: m"),
            (conditions(&[("ScalingLimited", "True", "")]), "Healthy: m"),
        ],
    );
    check(
        "policy/v1/PodDisruptionBudget",
        &[
            (json!({}), "Progressing: Waiting for status"),
            (
                conditions(&[("DisruptionAllowed", "False", "SyncFailed")]),
                "Degraded: PodDisruptionBudget has SyncFailed",
            ),
            (
                conditions(&[("DisruptionAllowed", "False", "InsufficientPods")]),
                "Healthy: PodDisruptionBudget has InsufficientPods",
            ),
            (
                conditions(&[("DisruptionAllowed", "True", "SufficientPods")]),
                "Healthy: PodDisruptionBudget has SufficientPods",
            ),
        ],
    );
    check(
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
        &[
            (json!({}), "Progressing: Status conditions not found"),
            (conditions(&[("Terminating", "True", "")]), "Progressing: CRD is terminating: m"),
            (conditions(&[("NamesAccepted", "False", "")]), "Degraded: CRD names have not been accepted: m"),
            (
                conditions(&[("NonStructuralSchema", "True", ""), ("Established", "True", "")]),
                "Degraded: Schema violations found: m",
            ),
            (conditions(&[("Established", "False", "Installing")]), "Progressing: CRD is being installed"),
            (conditions(&[("Established", "False", "NotAccepted")]), "Degraded: CRD is not established"),
            (conditions(&[("NamesAccepted", "True", ""), ("Established", "True", "")]), "Healthy: CRD is healthy"),
        ],
    );
}

#[test]
fn argos_own_kinds() {
    let phase = |phase: &str| json!({"status": {"phase": phase}});
    check(
        "argoproj.io/v1alpha1/Workflow",
        &[
            (json!({}), "Progressing"),
            (phase("Running"), "Progressing"),
            (phase("Succeeded"), "Healthy"),
            (phase("Error"), "Degraded"),
            (phase("Failed"), "Degraded"),
        ],
    );
    check(
        "argoproj.io/v1alpha1/CronWorkflow",
        &[
            (json!({}), "Healthy: CronWorkflow is healthy."),
            (conditions(&[("SpecError", "True", "")]), "Degraded: m"),
            (conditions(&[("SubmissionError", "True", "")]), "Degraded: m"),
            (conditions(&[("Completed", "True", "")]), "Healthy: m"),
        ],
    );
    check(
        "argoproj.io/v1alpha1/ApplicationSet",
        &[
            (json!({}), "Progressing"),
            (conditions(&[("ErrorOccurred", "True", ""), ("ResourcesUpToDate", "True", "")]), "Degraded: m"),
            (conditions(&[("ResourcesUpToDate", "False", "")]), "Degraded: m"),
            (conditions(&[("RolloutProgressing", "True", ""), ("ResourcesUpToDate", "True", "")]), "Progressing: m"),
            (conditions(&[("ResourcesUpToDate", "True", "")]), "Healthy: m"),
        ],
    );
    let rollout = |status: Value| json!({"metadata": {"generation": 2}, "status": status});
    check(
        "argoproj.io/v1alpha1/Rollout",
        &[
            (rollout(json!({"observedGeneration": "1", "phase": "Healthy"})), "Progressing"),
            (rollout(json!({"observedGeneration": "2", "phase": "Healthy"})), "Healthy"),
            (rollout(json!({"observedGeneration": "2", "phase": "Paused"})), "Suspended"),
            (rollout(json!({"observedGeneration": "2", "phase": "Degraded", "message": "m"})), "Degraded: m"),
            (merged(rollout(json!({})), &conditions(&[("Progressing", "False", "RolloutAborted")])), "Degraded: m"),
            (rollout(json!({"pauseConditions": [{}]})), "Suspended"),
            (rollout(json!({"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1})), "Healthy"),
        ],
    );
    check(
        "argoproj.io/v1alpha1/Application",
        &[(json!({}), "Progressing"), (json!({"status": {"health": {"status": "Degraded"}}}), "Degraded")],
    );
    let child = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"});
    assert_eq!(assess(&child, Rules::default()), None, "without the setting a child has no health");
}

#[test]
fn kinds_of_the_table() {
    let ready: &[(Value, &str)] = &[
        (json!({}), "Progressing"),
        (conditions(&[("Ready", "False", "")]), "Degraded: m"),
        (conditions(&[("Ready", "True", "")]), "Healthy: m"),
    ];
    for kind in [
        "cert-manager.io/v1/Certificate",
        "cert-manager.io/v1/ClusterIssuer",
        "external-secrets.io/v1/ExternalSecret",
        "external-secrets.io/v1/ClusterSecretStore",
        "external-secrets.io/v1alpha1/PushSecret",
        "serving.knative.dev/v1/Service",
        "keda.sh/v1alpha1/ScaledObject",
        "cluster.x-k8s.io/v1beta1/Machine",
        "postgresql.cnpg.io/v1/Cluster",
        "kafka.strimzi.io/v1beta2/KafkaTopic",
        "karpenter.sh/v1/NodePool",
    ] {
        check(kind, ready);
    }
    check(
        "cert-manager.io/v1/Certificate",
        &[(conditions(&[("Issuing", "True", ""), ("Ready", "False", "")]), "Progressing: m")],
    );
    for (kind, expect) in [
        ("cert-manager.io/v1/Certificate", "Progressing: Waiting for certificate"),
        ("cert-manager.io/v1/Issuer", "Progressing: Initializing issuer"),
        ("cert-manager.io/v1/ClusterIssuer", "Progressing: Initializing ClusterIssuer"),
        ("external-secrets.io/v1/SecretStore", "Progressing: Waiting for SecretStore"),
        ("bitnami.com/v1alpha1/SealedSecret", "Progressing: Waiting for Sealed Secret to be decrypted"),
        ("keda.sh/v1alpha1/ScaledObject", "Progressing: Creating HorizontalPodAutoscaler Object"),
    ] {
        check(kind, &[(json!({}), expect)]);
    }
    check(
        "keda.sh/v1alpha1/ScaledObject",
        &[
            (conditions(&[("Ready", "True", ""), ("Paused", "True", "")]), "Suspended: m"),
            (conditions(&[("Ready", "True", ""), ("Fallback", "True", "")]), "Degraded: m"),
        ],
    );
    check("bitnami.com/v1alpha1/SealedSecret", &[(conditions(&[("Synced", "True", "")]), "Healthy: m")]);
    check("serving.knative.dev/v1/Service", &[(json!({"metadata": {"generation": 2}}), "Progressing")]);
    check("cluster.x-k8s.io/v1beta1/Cluster", &[(json!({"spec": {"paused": true}}), "Suspended")]);
    check("snapshot.storage.k8s.io/v1/VolumeSnapshot", &[(json!({"status": {"readyToUse": true}}), "Healthy")]);
    check("minio.min.io/v2/Tenant", &[(json!({"status": {"currentState": "Initialized"}}), "Healthy")]);
}

#[test]
fn flux() {
    let suspended = json!({"spec": {"suspend": true}});
    check(
        "kustomize.toolkit.fluxcd.io/v1/Kustomization",
        &[
            (suspended, "Suspended"),
            (json!({}), "Progressing"),
            (conditions(&[("Ready", "Unknown", ""), ("Reconciling", "True", "")]), "Progressing: m"),
            (conditions(&[("Ready", "True", "")]), "Healthy: m"),
            (conditions(&[("Ready", "False", "")]), "Degraded: m"),
        ],
    );
    check(
        "helm.toolkit.fluxcd.io/v2/HelmRelease",
        &[
            (conditions(&[("Ready", "True", ""), ("Released", "True", "")]), "Healthy: m"),
            (
                conditions(&[("Ready", "True", ""), ("Released", "True", ""), ("TestSuccess", "True", "")]),
                "Degraded: m",
            ),
        ],
    );
    check(
        "source.toolkit.fluxcd.io/v1/GitRepository",
        &[
            (conditions(&[("Ready", "True", ""), ("ArtifactInStorage", "True", "")]), "Healthy: m"),
            (conditions(&[("Ready", "True", "")]), "Degraded: m"),
        ],
    );
}

#[test]
fn crossplane() {
    check(
        "pkg.crossplane.io/v1/Provider",
        &[
            (json!({}), "Progressing"),
            (conditions(&[("Installed", "True", ""), ("Healthy", "True", "")]), "Healthy"),
            (conditions(&[("Installed", "True", ""), ("Healthy", "False", "")]), "Degraded: m"),
            (conditions(&[("Installed", "True", "")]), "Degraded"),
        ],
    );
    check("aws.upbound.io/v1beta1/ProviderConfig", &[(json!({}), "Healthy")]);
    check(
        "s3.aws.upbound.io/v1beta1/Bucket",
        &[
            (json!({}), "Progressing"),
            (conditions(&[("Synced", "False", "")]), "Degraded: m"),
            (conditions(&[("LastAsyncOperation", "False", ""), ("Ready", "True", "")]), "Degraded: m"),
            (conditions(&[("Synced", "True", ""), ("Ready", "True", "")]), "Healthy"),
            (conditions(&[("Synced", "True", ""), ("Ready", "False", "")]), "Progressing"),
        ],
    );
}

#[test]
fn gateways() {
    let parent = |observed: i64, list: &[(&str, &str)]| {
        let list: Vec<Value> = list
            .iter()
            .map(|(kind, status)| json!({"type": kind, "status": status, "message": "m", "observedGeneration": observed}))
            .collect();
        json!({"parentRef": {"name": "g"}, "conditions": list})
    };
    let route = |parents: Value| json!({"metadata": {"generation": 2}, "status": {"parents": parents}});
    for kind in ["gateway.networking.k8s.io/v1/HTTPRoute", "gateway.networking.k8s.io/v1/GRPCRoute"] {
        check(
            kind,
            &[
                (json!({}), "Progressing"),
                (route(json!([parent(1, &[("Accepted", "False")])])), "Progressing"),
                (route(json!([parent(2, &[("Accepted", "False")])])), "Degraded: Parent g: m"),
                (route(json!([parent(2, &[("ResolvedRefs", "False")])])), "Degraded: Parent g: m"),
                (route(json!([parent(2, &[("Programmed", "Unknown")])])), "Progressing: Parent g: m"),
                (route(json!([parent(2, &[("Accepted", "True")])])), "Healthy"),
            ],
        );
    }
    let listener = json!({"status": {
        "conditions": [{"type": "Accepted", "status": "True"}],
        "listeners": [{"name": "l", "conditions": [{"type": "ResolvedRefs", "status": "False", "message": "m"}]}],
    }});
    check(
        "gateway.networking.k8s.io/v1/Gateway",
        &[
            (json!({}), "Progressing"),
            (listener, "Degraded: Listener l: m"),
            (conditions(&[("Programmed", "False", "")]), "Progressing"),
            (conditions(&[("Accepted", "True", ""), ("Programmed", "True", "")]), "Healthy"),
        ],
    );
}

#[test]
fn what_is_deleted_is_on_its_way_out() {
    let leaving = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    check("v1/ConfigMap", &[(leaving.clone(), "Progressing: Pending deletion")]);
    let held = merged(leaving, &json!({"metadata": {"finalizers": ["argocd.argoproj.io/hook-finalizer"]}}));
    check("v1/ConfigMap", &[(held, "none")]);
}

#[test]
fn an_application_is_as_well_as_its_worst_object() {
    let key = |kind: &str, name: &str| Key::new("", kind, "n", name);
    type Case<'a> = (&'a [(&'a str, Option<State>, bool)], &'a str);
    let cases: &[Case<'_>] = &[
        (&[], "Healthy"),
        (&[("ConfigMap", None, false)], "Healthy"),
        (&[("Pod", Some(State::Healthy), false), ("Pod", Some(State::Suspended), false)], "Suspended: Caused by Pod/1"),
        (
            &[("Pod", Some(State::Progressing), false), ("Pod", Some(State::Degraded), false)],
            "Degraded: Caused by Pod/1",
        ),
        (&[("Pod", Some(State::Missing), false), ("Pod", Some(State::Healthy), false)], "Healthy"),
        (&[("Pod", Some(State::Missing), false), ("Pod", Some(State::Missing), false)], "Missing"),
        (&[("Pod", Some(State::Degraded), true), ("Pod", Some(State::Healthy), false)], "Healthy"),
        (&[("Pod", Some(State::Unknown), false)], "Unknown: Caused by Pod/0"),
    ];
    for (parts, expect) in cases {
        let keys: Vec<Key> = (0..parts.len()).map(|index| key(parts[index].0, &index.to_string())).collect();
        let healths: Vec<Option<Health>> = parts.iter().map(|(_, state, _)| state.map(Health::of)).collect();
        let counted: Vec<Part<'_>> = parts
            .iter()
            .enumerate()
            .map(|(index, (_, _, ignored))| Part {
                key: &keys[index],
                health: healths[index].as_ref(),
                ignored: *ignored,
            })
            .collect();
        let found = aggregate(&counted);
        let told = if found.message.is_empty() {
            found.state.to_string()
        } else {
            format!("{}: {}", found.state, found.message)
        };
        assert_eq!(told, *expect, "{parts:?}");
    }
    let child = Key::new("argoproj.io", "Application", "n", "child");
    let unknown = Health::of(State::Unknown);
    let part = Part { key: &child, health: Some(&unknown), ignored: false };
    assert_eq!(aggregate(&[part]).state, State::Healthy);
}
