"""Workloads for the player: pods and what makes them.

Now and then a value is one that must be refused, so that refusals are compared as well.
"""

from values import distinct, mostly, often, pick, several, some, strings, word

LABELS = {"app": "x"}
ALWAYS = pick("Always")


def quantity(rng):
    return mostly(rng, pick("1", "1000m", "2", "0.5", 1, "64Mi"), "-1", "lots", "1.5.2")


def resources(rng):
    pair = lambda rng: some(rng, {"cpu": quantity, "memory": lambda rng: mostly(rng, pick("64Mi", "1Gi", "1e6"), "x")}, 0.6)
    return some(rng, {"limits": pair, "requests": pair}, 0.5)


def probe(rng):
    handler = rng.choice([
        {"httpGet": {"path": "/x", "port": rng.choice([80, "web"])}}, {"tcpSocket": {"port": 80}},
        {"exec": {"command": ["true"]}}, {"grpc": {"port": 81}},
    ])
    return mostly(rng, handler, {}, handler | {"tcpSocket": {"port": 1}}) | some(rng, {
        "periodSeconds": often(pick(1, 5), -1), "successThreshold": often(1, 2), "timeoutSeconds": pick(1, 2),
    }, 0.3)


def env(rng, name):
    source = rng.choice([
        {"fieldRef": {"fieldPath": "metadata.name"}}, {"configMapKeyRef": {"name": "c", "key": "k"}},
        {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}, {"resourceFieldRef": {"resource": "limits.cpu"}},
    ])
    return {"name": mostly(rng, name, "a=b", "")} | rng.choice([{"value": word(rng)}, {"valueFrom": source}, {}])


def container(rng, name):
    port = lambda rng, number: {"containerPort": mostly(rng, number, 0, 70000)} | some(rng, {
        "name": lambda rng: mostly(rng, f"p{number}", "UPPER"), "protocol": often(pick("TCP", "UDP"), "ICMP"),
    })
    mount = lambda rng, path: {"name": mostly(rng, "v1", "none"), "mountPath": path} | some(rng, {"readOnly": pick(True, False)})
    return {"name": name, "image": mostly(rng, pick("one:1", "two", "r.example.com:5000/x@sha256:abc"), "")} | some(rng, {
        "args": lambda rng: several(rng, word),
        "env": lambda rng: distinct(rng, ["E1", "E2", "E3"], env),
        "envFrom": lambda rng: several(rng, lambda rng: rng.choice([{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}, "prefix": "P_"}]), 2),
        "ports": lambda rng: distinct(rng, [80, 81, 82], port),
        "resources": resources,
        "volumeMounts": lambda rng: distinct(rng, ["/a", "/b"], mount),
        "livenessProbe": probe,
        "readinessProbe": probe,
        "imagePullPolicy": often(pick("Always", "IfNotPresent"), "Sometimes"),
        "securityContext": lambda rng: some(rng, {"runAsUser": often(pick(0, 1000), -5), "capabilities": lambda rng: {"add": ["NET_ADMIN"]}}),
        "lifecycle": lambda rng: {"preStop": {"exec": {"command": ["true"]}}},
    }, 0.25)


def volume(rng, name):
    source = rng.choice([
        {"emptyDir": {}}, {"configMap": {"name": "c"}}, {"secret": {"secretName": "s", "items": [{"key": "a", "path": "b"}]}},
        {"hostPath": {"path": "/x"}}, {"persistentVolumeClaim": {"claimName": "p"}}, {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}, {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
    ])
    return {"name": name} | mostly(rng, source, source | {"hostPath": {"path": "/y"}}, chance=0.04)


def pod_spec(rng, restart):
    affinity = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": mostly(rng, 1, 101), "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {"matchLabels": LABELS}}}]}}
    spread = lambda rng: {"maxSkew": mostly(rng, 1, 0), "topologyKey": rng.choice(["zone", "host"]), "whenUnsatisfiable": "DoNotSchedule"}
    return {
        "containers": [container(rng, name) for name in rng.sample(["c1", "c2", "c3"], rng.randint(1, 2))],
        "volumes": [volume(rng, name) for name in ["v1"] + rng.sample(["v2", "v3"], rng.randint(0, 1))],
    } | some(rng, {
        "initContainers": lambda rng: [container(rng, "i1")],
        "restartPolicy": often(restart, "Maybe"),
        "nodeSelector": strings,
        "tolerations": lambda rng: several(rng, lambda rng: mostly(rng, pick({"key": "a", "operator": "Exists"}, {"key": "b", "value": "c", "effect": "NoSchedule"}), {"operator": "Equal"}), 2),
        "hostAliases": lambda rng: distinct(rng, ["10.0.0.1", "10.0.0.2"], lambda rng, ip: {"ip": ip, "hostnames": several(rng, word)}),
        "imagePullSecrets": lambda rng: distinct(rng, ["s1", "s2"], lambda rng, name: {"name": name}),
        "terminationGracePeriodSeconds": often(pick(0, 30), -1),
        "securityContext": lambda rng: some(rng, {"fsGroup": pick(0, 1), "runAsNonRoot": pick(True, False), "supplementalGroups": lambda rng: [1, 2]}),
        "affinity": lambda rng: affinity,
        "topologySpreadConstraints": lambda rng: several(rng, spread, 2),
        "hostNetwork": pick(True, False),
        "serviceAccountName": often("default", "A_B"),
        "dnsPolicy": often(pick("ClusterFirst", "Default"), "Other"),
        "priorityClassName": often("", "none"),
    } | ({} if restart in (None, ALWAYS) else {"activeDeadlineSeconds": often(pick(1, 2), 0)}), 0.2)


def template(rng, restart):
    return {"metadata": {"labels": mostly(rng, LABELS, {"app": "y"}, chance=0.03) | some(rng, {"l": word})}, "spec": pod_spec(rng, restart)}


def pod(rng):
    return {"spec": pod_spec(rng, pick("Always", "Never", "OnFailure"))}


def pod_status(rng):
    condition = lambda rng, name: {"type": name, "status": rng.choice(["True", "False"])}
    return some(rng, {
        "phase": pick("Pending", "Running"), "podIPs": lambda rng: distinct(rng, ["10.1.0.1", "10.1.0.2"], lambda rng, ip: {"ip": ip}),
        "conditions": lambda rng: distinct(rng, ["Ready", "PodScheduled", "x"], condition), "message": word,
    }, 0.5)


def stateful_set(rng):
    claim = lambda rng, name: {"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": rng.choice(["1Gi", "2Gi"])}}}}
    return {"spec": {"selector": {"matchLabels": LABELS}, "serviceName": rng.choice(["s", "s", "t"]), "template": template(rng, ALWAYS)} | some(rng, {
        "replicas": often(pick(0, 1, 2), -1),
        "podManagementPolicy": often(pick("OrderedReady", "Parallel"), "Other"),
        "updateStrategy": lambda rng: mostly(rng, pick({"type": "OnDelete"}, {"rollingUpdate": {"partition": 1}}, {"type": "RollingUpdate"}), {"type": "OnDelete", "rollingUpdate": {}}, {"type": "x"}),
        "volumeClaimTemplates": lambda rng: distinct(rng, ["v3"], claim),
        "persistentVolumeClaimRetentionPolicy": lambda rng: mostly(rng, pick({"whenDeleted": "Delete"}, {"whenScaled": "Delete"}), {"whenDeleted": "x"}),
        "ordinals": lambda rng: {"start": mostly(rng, 1, -1)},
        "minReadySeconds": often(pick(0, 2), -1),
        "revisionHistoryLimit": pick(1, 2),
    }, 0.3)}


def stateful_set_status(rng):
    return some(rng, {"replicas": often(pick(0, 1), -1), "readyReplicas": pick(0, 1), "observedGeneration": pick(0, 1), "currentRevision": word}, 0.6)


def daemon_set(rng):
    return {"spec": {"selector": {"matchLabels": LABELS}, "template": template(rng, ALWAYS)} | some(rng, {
        "updateStrategy": lambda rng: mostly(rng, pick({"type": "OnDelete"}, {"rollingUpdate": {"maxUnavailable": "20%"}}, {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}), {"rollingUpdate": {"maxUnavailable": 0}}, {"type": "x"}),
        "minReadySeconds": often(pick(0, 2), -1), "revisionHistoryLimit": often(pick(1, 2), -1),
    }, 0.3)}


def daemon_set_status(rng):
    counts = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
    return {name: 0 for name in counts} | some(rng, {"numberReady": often(pick(0, 1), -1), "updatedNumberScheduled": pick(0, 1)}, 0.6)


def job_spec(rng):
    restart = rng.choice(["Never", "OnFailure"])
    made = template(rng, pick(restart))
    made["spec"]["restartPolicy"] = mostly(rng, restart, "Always")
    return {"template": {"metadata": {"labels": strings(rng)}, "spec": made["spec"]}} | some(rng, {
        "parallelism": often(pick(0, 1, 2), -1), "completions": often(pick(1, 2), -1), "backoffLimit": often(pick(0, 6), -1),
        "suspend": pick(True, False), "ttlSecondsAfterFinished": often(pick(0, 60), -1), "activeDeadlineSeconds": often(pick(5), -1),
        "completionMode": often(pick("NonIndexed", "Indexed"), "x"), "manualSelector": pick(False), "podReplacementPolicy": often(pick("Failed", "TerminatingOrFailed"), "x"),
        "podFailurePolicy": lambda rng: {"rules": [mostly(rng, {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}, {"action": "x"})]},
    }, 0.25)


def job(rng):
    return {"spec": job_spec(rng)}


def job_status(rng):
    return some(rng, {"active": pick(0, 1), "failed": pick(0, 1), "ready": pick(0, 1), "startTime": pick("2026-01-01T00:00:00Z"),
                      "conditions": lambda rng: distinct(rng, ["Suspended"], lambda rng, name: {"type": name, "status": "False"})}, 0.4)


def cron_job(rng):
    return {"spec": {"schedule": mostly(rng, pick("* * * * *", "0 3 * * 1", "@hourly", "*/5 0-6 1,15 JAN MON"), "61 * * * *", "x", "TZ=UTC * * * * *"),
                     "jobTemplate": {"spec": job_spec(rng)}} | some(rng, {
        "concurrencyPolicy": often(pick("Allow", "Forbid", "Replace"), "x"), "suspend": pick(True, False), "timeZone": often(pick("Etc/UTC", "Europe/Berlin"), "Nowhere", ""),
        "startingDeadlineSeconds": often(pick(0, 10), -1), "successfulJobsHistoryLimit": often(pick(0, 3), -1), "failedJobsHistoryLimit": pick(0, 1),
    }, 0.3)}


def cron_job_status(rng):
    return some(rng, {"lastScheduleTime": pick("2026-01-01T00:00:00Z"), "active": lambda rng: several(rng, lambda rng: {"name": word(rng), "kind": "Job"}, 2)}, 0.6)


KINDS = [
    {"name": "statefulset", "version": "apps/v1", "plural": "statefulsets", "kind": "StatefulSet", "body": stateful_set, "status": stateful_set_status, "scale": True},
    {"name": "daemonset", "version": "apps/v1", "plural": "daemonsets", "kind": "DaemonSet", "body": daemon_set, "status": daemon_set_status},
    {"name": "job", "version": "batch/v1", "plural": "jobs", "kind": "Job", "body": job, "status": job_status},
    {"name": "cronjob", "version": "batch/v1", "plural": "cronjobs", "kind": "CronJob", "body": cron_job, "status": cron_job_status},
    {"name": "pod", "version": "v1", "plural": "pods", "kind": "Pod", "body": pod, "status": pod_status},
]
