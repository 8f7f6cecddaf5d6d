"""The kinds that rounds are played with, and how their requests are drawn.

Every kind says how a random object of it looks. Objects are drawn from few names and few
values, so that requests meet each other: the same field by several managers, items that come
and go, values that change back.
"""

import time

import patches
import surroundings
import workloads
from values import anything, distinct, several, some, strings, word

NAMESPACE = "compare-ns"

# Stands for the revision that each side has.
REVISION = "@revision"

# Writes to scale are off: kube-apiserver 1.36 forgets who updated the replicas at each of them,
# since it reads its own record of such an owner as another one's.
SCALES = False

WIDGET_SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "number": {"type": "integer"},
                "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "numbers": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
                "atomicList": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}},
                "keyed": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string"},
                            "value": {"type": "string"},
                            "inner": {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}},
                        },
                        "required": ["name"],
                    },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                },
                "ports": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "port": {"type": "integer"},
                            "protocol": {"type": "string", "default": "TCP"},
                            "note": {"type": "string"},
                        },
                        "required": ["port"],
                    },
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port", "protocol"],
                },
                "granular": {"type": "object", "additionalProperties": {"type": "string"}},
                "atomicMap": {"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic"},
                "atomicStruct": {
                    "type": "object",
                    "properties": {"p": {"type": "string"}, "q": {"type": "string"}},
                    "x-kubernetes-map-type": "atomic",
                },
                "struct": {
                    "type": "object",
                    "properties": {"p": {"type": "string"}, "q": {"type": "string"}, "deep": {"type": "object", "properties": {"r": {"type": "string"}}}},
                },
                "any": {"x-kubernetes-preserve-unknown-fields": True},
                "open": {"type": "object", "properties": {"known": {"type": "string"}}, "x-kubernetes-preserve-unknown-fields": True},
                "intOrString": {"x-kubernetes-int-or-string": True},
                "nullable": {"type": "string", "nullable": True},
                "defaulted": {"type": "string", "default": "d"},
                "replicas": {"type": "integer"},
            },
        },
        "status": {
            "type": "object",
            "properties": {
                "state": {"type": "string"},
                "replicas": {"type": "integer"},
                "conditions": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"type": {"type": "string"}, "status": {"type": "string"}}, "required": ["type"]},
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["type"],
                },
            },
        },
    },
}

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.compare.example.com"},
    "spec": {
        "group": "compare.example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": version,
                "served": True,
                "storage": version == "v1",
                "schema": {"openAPIV3Schema": WIDGET_SCHEMA},
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                },
            }
            for version in ("v1", "v1beta1")
        ],
    },
}


def item(rng, name):
    inner = lambda rng: some(rng, {"x": lambda rng: rng.randint(0, 2), "y": lambda rng: rng.randint(0, 2)}, 0.6)
    return {"name": name} | some(rng, {"value": word, "inner": inner}, 0.5)


def port(rng, number):
    return {"port": number} | some(rng, {"protocol": lambda rng: rng.choice(["TCP", "UDP"]), "note": word}, 0.5)


def widget_spec(rng):
    pq = {"p": word, "q": word}
    return some(rng, {
        "text": word,
        "number": lambda rng: rng.randint(0, 2),
        "set": lambda rng: rng.sample(["s1", "s2", "s3"], rng.randint(0, 3)),
        "numbers": lambda rng: rng.sample([1, 2, 3], rng.randint(0, 3)),
        "atomicList": lambda rng: several(rng, lambda rng: some(rng, {"a": word, "b": word})),
        "keyed": lambda rng: distinct(rng, ["i1", "i2", "i3", "i4"], item, 4),
        "ports": lambda rng: distinct(rng, [1, 2, 3], port),
        "granular": strings,
        "atomicMap": strings,
        "atomicStruct": lambda rng: some(rng, pq, 0.6),
        "struct": lambda rng: some(rng, pq | {"deep": lambda rng: some(rng, {"r": word}, 0.7)}, 0.6),
        "any": anything,
        "open": lambda rng: some(rng, {"known": word, "free": anything, "more": anything}, 0.5),
        "intOrString": lambda rng: rng.choice([1, "1", "50%"]),
        "nullable": lambda rng: rng.choice(["a", None]),
        "replicas": lambda rng: rng.randint(0, 3),
    })


def widget(rng):
    return {"spec": widget_spec(rng)} if rng.random() < 0.95 else {}


def widget_status(rng):
    condition = lambda rng, name: {"type": name} | some(rng, {"status": word}, 0.7)
    return some(rng, {
        "state": word,
        "replicas": lambda rng: rng.randint(0, 3),
        "conditions": lambda rng: distinct(rng, ["Ready", "Good"], condition),
    }, 0.7)


def config_map(rng):
    return some(rng, {"data": strings, "immutable": lambda rng: False}, 0.8)


def container(rng, name):
    return {"name": name, "image": rng.choice(["one:1", "two:2"])} | some(rng, {
        "args": lambda rng: several(rng, word),
        "env": lambda rng: distinct(rng, ["E1", "E2", "E3"], lambda rng, name: {"name": name, "value": word(rng)}),
        "ports": lambda rng: distinct(rng, [80, 81], lambda rng, number: {"containerPort": number} | some(rng, {"name": lambda rng: f"p{number}"})),
        "resources": lambda rng: {"limits": some(rng, {"cpu": lambda rng: rng.choice(["1", "1000m", "2"]), "memory": lambda rng: "64Mi"}, 0.7)},
    })


def deployment(rng):
    names = rng.sample(["c1", "c2", "c3"], rng.randint(1, 2))
    spec = {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"} | some(rng, {"l": word})},
            "spec": {"containers": [container(rng, name) for name in names]} | some(rng, {
                "volumes": lambda rng: distinct(rng, ["v1", "v2"], lambda rng, name: {"name": name, "emptyDir": {}}),
                "nodeSelector": strings,
                "tolerations": lambda rng: several(rng, lambda rng: {"key": word(rng), "operator": "Exists"}, 2),
                "hostAliases": lambda rng: distinct(rng, ["10.0.0.1", "10.0.0.2"], lambda rng, ip: {"ip": ip, "hostnames": several(rng, word)}),
            }),
        },
    }
    return {"spec": spec | some(rng, {
        "replicas": lambda rng: rng.randint(0, 3),
        "minReadySeconds": lambda rng: rng.randint(0, 2),
        "paused": lambda rng: rng.random() < 0.5,
        "strategy": lambda rng: rng.choice([{"type": "Recreate"}, {"rollingUpdate": {"maxSurge": 1}}, {}]),
    })}


def deployment_status(rng):
    condition = lambda rng, name: {"type": name, "status": rng.choice(["True", "False"])}
    return some(rng, {
        "replicas": lambda rng: 0,
        "observedGeneration": lambda rng: rng.randint(0, 2),
        "conditions": lambda rng: distinct(rng, ["Available", "Progressing"], condition),
    }, 0.7)


def service(rng):
    entry = lambda rng, number: {"port": number, "name": f"p{number}"} | some(rng, {"targetPort": lambda rng: rng.choice([80, "web"])})
    ports = [entry(rng, number) for number in rng.sample([80, 81, 82], rng.randint(1, 3))]
    return {"spec": {"ports": ports, "clusterIP": "None"} | some(rng, {"selector": strings})}


KINDS = [
    {"name": "widget", "version": "compare.example.com/v1", "versions": ["compare.example.com/v1", "compare.example.com/v1beta1"],
     "plural": "widgets", "kind": "Widget", "body": widget, "status": widget_status, "scale": True},
    {"name": "configmap", "version": "v1", "plural": "configmaps", "kind": "ConfigMap", "body": config_map},
    {"name": "deployment", "version": "apps/v1", "plural": "deployments", "kind": "Deployment", "body": deployment, "status": deployment_status, "scale": True},
    {"name": "service", "version": "v1", "plural": "services", "kind": "Service", "body": service},
] + workloads.KINDS + surroundings.KINDS


def path(kind, name="", version=None):
    version = version or kind["version"]
    root = "/api/" if "/" not in version else "/apis/"
    tail = "/" + name if name else ""
    place = "" if kind.get("cluster") else f"/namespaces/{NAMESPACE}"
    return f"{root}{version}{place}/{kind['plural']}{tail}"


def metadata(rng, kind, name):
    place = {} if kind.get("cluster") else {"namespace": NAMESPACE}
    return {"name": name} | place | some(rng, {
        "labels": strings,
        "annotations": strings,
        "finalizers": lambda rng: rng.sample(["compare.example.com/f1", "compare.example.com/f2"], rng.randint(0, 1)) if rng.random() < 0.2 else [],
    }, 0.4)


def draw(rng, kind, name, live, only=()):
    """One request; with `only` an object that is there gets no other verbs."""
    version = rng.choice(kind.get("versions", [kind["version"]]))
    full = lambda body: {"apiVersion": version, "kind": kind["kind"], "metadata": metadata(rng, kind, name)} | body
    manager = rng.choice(["one", "two", "kubectl"])
    verbs = ["apply"] * 6 + ["merge", "put", "json", "strategic"]
    if kind.get("status"):
        verbs += ["status-apply", "status-merge"]
    if SCALES and kind.get("scale"):
        verbs += ["scale-apply", "scale-merge"]
    verbs = [verb for verb in verbs if verb in only] or verbs
    verb = rng.choice(verbs) if live else rng.choice(["apply", "apply", "create"])
    target = path(kind, name, version)
    query = f"?fieldManager={manager}"
    force = "&force=true" if rng.random() < 0.4 else ""
    apply, merge, plain = "application/apply-patch+yaml", "application/merge-patch+json", "application/json"
    if verb == "create":
        return {"method": "POST", "path": path(kind, "", version) + query, "type": plain, "body": full(kind["body"](rng))}
    if verb == "put":
        body = full(kind["body"](rng))
        if rng.random() < 0.5:
            body = {key: value for key, value in live.items() if key != "status"} | {"apiVersion": version} | kind["body"](rng)
            body["metadata"].pop("managedFields", None)
            body["metadata"].pop("uid", None)
        body["metadata"].pop("resourceVersion", None)
        if rng.random() < 0.8:
            body["metadata"]["resourceVersion"] = REVISION
        return {"method": "PUT", "path": target + query, "type": plain, "body": body}
    if verb == "apply":
        return {"method": "PATCH", "path": target + query + force, "type": apply, "body": full(kind["body"](rng))}
    if verb == "merge":
        return {"method": "PATCH", "path": target + query, "type": merge, "body": patches.merge(rng, kind["body"](rng))}
    if verb == "strategic":
        part = "/status" if kind.get("status") and rng.random() < 0.2 else ""
        drawn = {"status": kind["status"](rng)} if part else kind["body"](rng)
        return {"method": "PATCH", "path": target + part + query, "type": "application/strategic-merge-patch+json",
                "body": patches.strategic(rng, drawn, live)}
    if verb == "json":
        return {"method": "PATCH", "path": target + query, "type": "application/json-patch+json", "body": patches.json_patch(rng, live)}
    if verb == "status-apply":
        body = full({"status": kind["status"](rng)} | (kind["body"](rng) if rng.random() < 0.2 else {}))
        return {"method": "PATCH", "path": target + "/status" + query + force, "type": apply, "body": body}
    if verb == "status-merge":
        return {"method": "PATCH", "path": target + "/status" + query, "type": merge, "body": {"status": kind["status"](rng)}}
    scale = {"spec": {"replicas": rng.randint(0, 3)}} if rng.random() < 0.9 else {}
    if verb == "scale-apply":
        body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name, "namespace": NAMESPACE}} | scale
        return {"method": "PATCH", "path": target + "/scale" + query + force, "type": apply, "body": body}
    return {"method": "PATCH", "path": target + "/scale" + query, "type": merge, "body": scale}


def prepare(sides):
    """The namespace and the definitions, on both sides."""
    for side in sides:
        side.send("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        side.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
        for _ in range(100):
            if side.send("GET", path(KINDS[0]))[0] == 200:
                break
            time.sleep(0.1)
