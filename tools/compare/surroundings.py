"""What stands around workloads: services, ingresses, claims, scalers, rights, secrets, nodes.

Addresses and node ports are stated, from a few, since two servers give out different ones.
"""

from values import distinct, mostly, often, pick, several, some, strings, word

# Addresses of services; all others were given out by a server.
ADDRESSES = ["10.96.200.1", "10.96.200.2"]
PORTS = [31001, 31002]


def service(rng):
    kind = rng.choice(["ClusterIP", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "None"])
    port = lambda rng, number: {"port": mostly(rng, number, 0), "name": mostly(rng, f"p{number}", "UPPER", "")} | some(rng, {
        "targetPort": often(pick(80, "web"), 0, "-"), "protocol": often(pick("TCP", "UDP"), "x"), "appProtocol": pick("http", "kubernetes.io/h2c"),
    } | ({"nodePort": lambda rng: PORTS[number % 2] if rng.random() < 0.95 else 80} if kind in ("NodePort", "LoadBalancer") else {}), 0.4)
    if kind in ("NodePort", "LoadBalancer"):
        ports = [port(rng, number) | {"nodePort": PORTS[number % 2]} for number in rng.sample([80, 81], rng.randint(1, 2))]
    else:
        ports = [port(rng, number) for number in rng.sample([80, 81, 82], rng.randint(1, 3))]
    spec = {"type": kind, "ports": ports, "clusterIP": rng.choice(ADDRESSES)}
    if kind == "None":
        spec = {"ports": ports, "clusterIP": "None"}
    if kind == "ExternalName":
        spec = {"type": kind, "externalName": mostly(rng, pick("x.example.com", "y.example.com"), "", "-")} | some(rng, {"ports": lambda rng: ports})
    return {"spec": spec | some(rng, {
        "selector": strings,
        "sessionAffinity": often(pick("None", "ClientIP"), "x"),
        "externalTrafficPolicy": lambda rng: mostly(rng, "Cluster", "Local", "x"),
        "internalTrafficPolicy": often(pick("Cluster", "Local"), "x"),
        "externalIPs": lambda rng: mostly(rng, ["192.0.2.1"], ["x"], ["127.0.0.1"]),
        "publishNotReadyAddresses": pick(True, False),
        "ipFamilyPolicy": often("SingleStack", "x"),
        "loadBalancerSourceRanges": lambda rng: mostly(rng, ["10.0.0.0/8"], ["x"]),
        "loadBalancerClass": lambda rng: mostly(rng, "example.com/a", "b"),
        "sessionAffinityConfig": lambda rng: {"clientIP": {"timeoutSeconds": mostly(rng, 100, 0)}},
    }, 0.15)}


def service_status(rng):
    return some(rng, {"loadBalancer": lambda rng: {"ingress": [mostly(rng, {"ip": "192.0.2.9"}, {"ip": "x"})]},
                      "conditions": lambda rng: distinct(rng, ["A", "B"], lambda rng, name: {"type": name, "status": "True", "reason": "R", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"})}, 0.6)


def ingress(rng):
    backend = lambda rng: mostly(rng, pick({"service": {"name": "s", "port": {"number": 80}}}, {"service": {"name": "s", "port": {"name": "web"}}},
                                           {"resource": {"apiGroup": "g.example.com", "kind": "K", "name": "n"}}), {"service": {"name": "s"}}, {})
    path = lambda rng: {"path": mostly(rng, pick("/", "/a"), "a", "/a//b"), "pathType": mostly(rng, pick("Prefix", "Exact"), "x"), "backend": backend(rng)}
    rule = lambda rng: some(rng, {"host": often(pick("a.example.com", "*.example.com"), "10.0.0.1", "a.*.com")}, 0.6) | {"http": {"paths": [path(rng) for _ in range(rng.randint(1, 2))]}}
    return {"spec": some(rng, {
        "rules": lambda rng: several(rng, rule, 2), "defaultBackend": backend, "ingressClassName": often(pick("nginx", "other"), "A"),
        "tls": lambda rng: several(rng, lambda rng: {"hosts": mostly(rng, ["a.example.com"], ["x_y"]), "secretName": "t"}, 2),
    }, 0.6)}


def network_policy(rng):
    block = {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}
    peer = lambda rng: mostly(rng, pick({"podSelector": {"matchLabels": strings(rng)}}, {"namespaceSelector": {}}, {"ipBlock": block}), {}, {"ipBlock": {"cidr": "x"}}, {"ipBlock": block, "podSelector": {}})
    port = lambda rng: mostly(rng, pick({"port": 80}, {"protocol": "UDP", "port": "dns"}, {"port": 80, "endPort": 90}), {"port": 80, "endPort": 70}, {"endPort": 90}, {"protocol": "x"})
    rule = lambda way: lambda rng: some(rng, {way: lambda rng: several(rng, peer, 2), "ports": lambda rng: several(rng, port, 2)}, 0.7)
    return {"spec": {"podSelector": rng.choice([{}, {"matchLabels": strings(rng)}, {"matchExpressions": [{"key": "a", "operator": mostly(rng, "Exists", "In")}]}])} | some(rng, {
        "ingress": lambda rng: several(rng, rule("from"), 2), "egress": lambda rng: several(rng, rule("to"), 2),
        "policyTypes": lambda rng: mostly(rng, pick(["Ingress"], ["Ingress", "Egress"], []), ["x"]),
    }, 0.5)}


def claim(rng):
    return {"spec": {"accessModes": mostly(rng, pick(["ReadWriteOnce"], ["ReadWriteOnce", "ReadOnlyMany"]), [], ["x"]),
                     "resources": {"requests": {"storage": mostly(rng, pick("1Gi", "2Gi"), "-1Gi", "0")}}} | some(rng, {
        "storageClassName": pick("fast", ""), "volumeMode": often(pick("Filesystem", "Block"), "x"), "volumeName": pick("v"),
        "selector": lambda rng: {"matchLabels": strings(rng)}, "dataSource": lambda rng: {"kind": "PersistentVolumeClaim", "name": "p"},
    }, 0.2)}


def claim_status(rng):
    return some(rng, {"phase": pick("Bound", "Pending"), "capacity": lambda rng: {"storage": "1Gi"}, "accessModes": lambda rng: ["ReadWriteOnce"]}, 0.6)


def scaler(rng):
    target = lambda rng: mostly(rng, pick({"type": "Utilization", "averageUtilization": 50}, {"type": "AverageValue", "averageValue": "100m"}), {"type": "Utilization"}, {"type": "x"}, {"type": "Utilization", "averageUtilization": 0})
    metric = lambda rng: mostly(rng, pick(
        {"type": "Resource", "resource": {"name": "cpu", "target": target(rng)}}, {"type": "Pods", "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "1"}}},
        {"type": "ContainerResource", "containerResource": {"name": "memory", "container": "c", "target": target(rng)}},
        {"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "s", "apiVersion": "v1"}, "metric": {"name": "m"}, "target": {"type": "Value", "value": "2k"}}},
    ), {"type": "Resource"}, {"type": "x"})
    policy = lambda rng: mostly(rng, pick({"type": "Pods", "value": 1, "periodSeconds": 15}, {"type": "Percent", "value": 10, "periodSeconds": 60}), {"type": "x", "value": 0, "periodSeconds": 0})
    rules = lambda rng: some(rng, {"stabilizationWindowSeconds": often(pick(0, 60), -1, 4000), "selectPolicy": often(pick("Max", "Disabled"), "x"), "policies": lambda rng: several(rng, policy, 2)}, 0.6)
    return {"spec": {"scaleTargetRef": mostly(rng, {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, {"kind": "", "name": "d"}, {"kind": "a/b", "name": ""}), "maxReplicas": mostly(rng, pick(2, 5), 0)} | some(rng, {
        "minReplicas": often(pick(1, 2), 0, 9), "metrics": lambda rng: several(rng, metric, 2), "behavior": lambda rng: some(rng, {"scaleUp": rules, "scaleDown": rules}, 0.6),
    }, 0.6)}


def scaler_status(rng):
    return {"desiredReplicas": mostly(rng, 1, -1), "currentReplicas": 1} | some(rng, {"conditions": lambda rng: distinct(rng, ["AbleToScale", "ScalingActive"], lambda rng, name: {"type": name, "status": "True"})})


def budget(rng):
    return {"spec": rng.choice([{"minAvailable": mostly(rng, pick(1, "50%"), -1, "x%", "150%")}, {"maxUnavailable": mostly(rng, pick(1, "10%"), -1)}, mostly(rng, {}, {"minAvailable": 1, "maxUnavailable": 1}, chance=0.3)]) | some(rng, {
        "selector": lambda rng: mostly(rng, {"matchLabels": strings(rng)}, {"matchExpressions": [{"key": "a", "operator": "x"}]}), "unhealthyPodEvictionPolicy": often(pick("AlwaysAllow", "IfHealthyBudget"), "x"),
    }, 0.6)}


def budget_status(rng):
    return {"disruptionsAllowed": mostly(rng, 0, -1), "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0, "observedGeneration": rng.choice([1, 2])}


def role(rng):
    rule = lambda rng: mostly(rng, pick({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"], "resourceNames": ["a"]}),
                              {"apiGroups": [""], "resources": ["pods"], "verbs": []}, {"verbs": ["get"]}, {"nonResourceURLs": ["/x"], "verbs": ["get"]})
    return {"rules": several(rng, rule, 2)}


def role_binding(rng):
    subject = lambda rng: mostly(rng, pick({"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "default"}, {"kind": "Group", "name": "g", "apiGroup": "rbac.authorization.k8s.io"}),
                                 {"kind": "ServiceAccount", "name": "A B"}, {"kind": "x", "name": "y"}, {"kind": "User", "name": ""}, {"kind": "User", "name": "u", "apiGroup": "x"})
    return {"roleRef": mostly(rng, pick({"kind": "Role", "name": "r"}, {"kind": "ClusterRole", "name": "view", "apiGroup": "rbac.authorization.k8s.io"}), {"kind": "x", "name": ""}, chance=0.1)} | some(rng, {"subjects": lambda rng: several(rng, subject, 2)}, 0.8)


def account(rng):
    return some(rng, {"secrets": lambda rng: distinct(rng, ["s1", "s2"], lambda rng, name: {"name": name}), "imagePullSecrets": lambda rng: distinct(rng, ["s1", "s2"], lambda rng, name: {"name": name}),
                      "automountServiceAccountToken": pick(True, False)}, 0.6)


def secret(rng):
    data = lambda rng: {name: rng.choice(["YQ==", "Yg=="]) for name in rng.sample(["k1", "k2", "k3"], rng.randint(0, 3))}
    return some(rng, {"data": lambda rng: mostly(rng, data, {"k1": "?"}, {"a/b": "YQ=="}), "stringData": strings, "immutable": pick(False)}, 0.6) | some(rng, {
        "type": lambda rng: rng.choice(["Opaque", "kubernetes.io/tls", "kubernetes.io/dockerconfigjson", "kubernetes.io/basic-auth", "x.example.com/y"]),
    }, 0.3)


def quota(rng):
    hard = lambda rng: mostly(rng, lambda rng: some(rng, {"pods": pick("1", 2), "requests.cpu": pick("1", "500m"), "count/deployments.apps": pick("3"), "services.nodeports": pick("1")}, 0.5), {"pods": "-1"}, {"pods": "1.5"}, {"what": "1"}, {"a_b/c/d": "1"})
    return {"spec": some(rng, {"hard": hard, "scopes": lambda rng: mostly(rng, pick(["BestEffort"], ["NotTerminating"]), ["x"], ["Terminating", "NotTerminating"]),
                               "scopeSelector": lambda rng: {"matchExpressions": [mostly(rng, {"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}, {"scopeName": "PriorityClass", "operator": "In"}, {"scopeName": "BestEffort", "operator": "In", "values": ["a"]})]}}, 0.5)}


def quota_status(rng):
    return some(rng, {"hard": lambda rng: {"pods": rng.choice(["1", "2"])}, "used": lambda rng: mostly(rng, {"pods": "0"}, {"pods": "-1"})}, 0.7)


def node(rng):
    taint = lambda rng: mostly(rng, pick({"key": "a", "effect": "NoSchedule"}, {"key": "b", "value": "c", "effect": "NoExecute"}), {"key": "a", "effect": "x"})
    return {"spec": some(rng, {"taints": lambda rng: several(rng, taint, 2), "unschedulable": pick(True, False), "providerID": pick("p"), "podCIDRs": lambda rng: mostly(rng, ["10.2.0.0/24"], ["x"]) }, 0.4)}


def node_status(rng):
    return some(rng, {"addresses": lambda rng: distinct(rng, ["InternalIP", "Hostname"], lambda rng, name: {"type": name, "address": word(rng)}),
                      "conditions": lambda rng: distinct(rng, ["Ready", "DiskPressure"], lambda rng, name: {"type": name, "status": "True"}),
                      "capacity": lambda rng: {"cpu": rng.choice(["1", "2"])}}, 0.6)


def of(name, version, plural, kind, body, status=None, **more):
    return {"name": name, "version": version, "plural": plural, "kind": kind, "body": body} | ({"status": status} if status else {}) | more


KINDS = [
    of("services", "v1", "services", "Service", service, service_status),
    of("ingress", "networking.k8s.io/v1", "ingresses", "Ingress", ingress),
    of("networkpolicy", "networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", network_policy),
    of("claim", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", claim, claim_status),
    of("scaler", "autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", scaler, scaler_status),
    of("budget", "policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", budget, budget_status),
    of("role", "rbac.authorization.k8s.io/v1", "roles", "Role", role),
    of("rolebinding", "rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", role_binding),
    of("account", "v1", "serviceaccounts", "ServiceAccount", account),
    of("secret", "v1", "secrets", "Secret", secret),
    of("quota", "v1", "resourcequotas", "ResourceQuota", quota, quota_status),
    of("node", "v1", "nodes", "Node", node, node_status, cluster=True),
]
