"""Patches with everything that their formats know, drawn for an object: strategic merge with its
directives, JSON patches with paths that exist and such that do not, merge patches that cannot be.
"""

import copy

import values

# What identifies the items of the lists that merge, by the name of the field.
MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "imagePullSecrets": "name",
    "secrets": "name", "volumeMounts": "mountPath", "hostAliases": "ip", "conditions": "type", "addresses": "type",
    "topologySpreadConstraints": "topologyKey", "podIPs": "ip", "volumeClaimTemplates": "name",
}
SCALARS = {"finalizers", "podCIDRs"}
HIDDEN = {"uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink", "clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort"}


def merge_key(field, items):
    if field == "ports":
        return "containerPort" if any(isinstance(item, dict) and "containerPort" in item for item in items) else "port"
    return MERGE_KEYS.get(field)


def strategic(rng, drawn, live):
    """A patch like `drawn`, with directives for what `live` has."""
    patch = copy.deepcopy(drawn)
    patch["metadata"] = values.some(rng, {
        "labels": values.strings, "annotations": values.strings,
        "finalizers": lambda rng: rng.sample(["compare.example.com/f1", "compare.example.com/f2"], rng.randint(0, 2)),
    }, 0.4)
    if rng.random() < 0.3:
        patch = {key: value for key, value in patch.items() if rng.random() < 0.6}
    much = rng.choice([0.02, 0.05, 0.15])
    return decorated_map(rng, patch, live if isinstance(live, dict) else {}, much)


def decorated_map(rng, patch, live, much):
    out = {}
    for key, value in patch.items():
        there = live.get(key)
        if rng.random() < much:
            out[key] = None
        elif isinstance(value, dict):
            out[key] = decorated_map(rng, value, there if isinstance(there, dict) else {}, much)
        elif isinstance(value, list):
            decorate_list(rng, out, key, value, there if isinstance(there, list) else [], much)
        else:
            out[key] = value
    for key in live:
        if key not in out and key not in HIDDEN and rng.random() < much / 2:
            out[key] = None
    if rng.random() < much:
        out["$patch"] = rng.choice(["replace", "replace", "merge", "delete", "frob" if rng.random() < 0.2 else "merge"])
    if rng.random() < much:
        keys = sorted(key for key in set(out) | set(live) if not key.startswith("$"))
        kept = [key for key in keys if key in out or rng.random() < 0.5]
        if kept and rng.random() < 0.1:
            kept.pop()
        out["$retainKeys"] = kept
    return out


def decorate_list(rng, out, key, items, live, much):
    by = merge_key(key, items + live)
    if key in SCALARS or (items and isinstance(items[0], str)):
        gone = rng.sample(live, rng.randint(0, len(live))) if rng.random() < much * 3 else []
        out[key] = items
        if gone:
            out[f"$deleteFromPrimitiveList/{key}"] = gone
            if rng.random() < 0.5:
                out.pop(key)
        if key in SCALARS and rng.random() < much * 3:
            out[f"$setElementOrder/{key}"] = ordered(rng, [item for item in items + live if item not in gone])
        return
    made = [decorated_map(rng, item, found(live, item, by), much) if isinstance(item, dict) else item for item in items]
    if by:
        for item in live:
            if isinstance(item, dict) and by in item and rng.random() < much * 2:
                made.insert(rng.randint(0, len(made)), {by: item[by], "$patch": rng.choice(["delete", "delete", "merge", "replace"])})
        if rng.random() < much:
            made.insert(rng.randint(0, len(made)), {"$patch": "replace"})
        if rng.random() < much / 4:
            made.append(rng.choice([{"note": "x"}, "text", None, [1]]))
        if rng.random() < much * 4:
            stated = [{by: item[by]} for item in made + live if isinstance(item, dict) and item.get(by) is not None and item.get("$patch") != "delete"]
            out[f"$setElementOrder/{key}"] = ordered(rng, stated)
            if rng.random() < 0.15:
                return
    out[key] = made


def found(live, item, by):
    return next((held for held in live if isinstance(held, dict) and by and held.get(by) == item.get(by)), {})


def ordered(rng, items):
    """Each item once, mostly in the order of the patch, which is what is asked for."""
    once = [item for index, item in enumerate(items) if item not in items[:index]]
    if rng.random() < 0.3:
        rng.shuffle(once)
    return once if rng.random() < 0.8 else once[:-1]


def places(value, at=""):
    """Pointers to everything in an object that both sides have alike."""
    yield at
    if isinstance(value, dict):
        for key, below in value.items():
            if key not in HIDDEN:
                yield from places(below, at + "/" + key.replace("~", "~0").replace("/", "~1"))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from places(below, f"{at}/{index}")


def resolve(value, pointer):
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def pointer(rng, known):
    """A place in the object, or one that is not there."""
    chosen = rng.choice(known)
    chance = rng.random()
    if chance < 0.7:
        return chosen
    if chance < 0.95:
        return chosen + rng.choice(["/none", "/none/below", "/0", "/-", "/-1", "/9", "/01", "/a~1b", "/a~0b", "/1.5"])
    return rng.choice(["", "/", "none", "/metadata/annotations/x.example.com~1y", "/spec/", "/~2"])


def json_patch(rng, live):
    known = [place for place in places(live) if place.count("/") > 1 and not place.startswith("/metadata/n")]
    known += ["/metadata/labels", "/metadata/annotations/k1", "/metadata/labels/a~1b"]
    return [operation(rng, live, known) for _ in range(rng.randint(1, 3))]


def operation(rng, live, known):
    name = rng.choice(["add", "add", "remove", "replace", "test", "move", "copy"])
    path = pointer(rng, known)
    made = {"op": name, "path": path}
    if name in ("add", "replace", "test"):
        try:
            made["value"] = resolve(live, rng.choice([path, rng.choice(known)]))
        except (KeyError, IndexError, ValueError, TypeError):
            made["value"] = values.anything(rng)
        if isinstance(made["value"], dict) and (HIDDEN & set(made["value"])):
            made["value"] = "x"
    if name in ("move", "copy"):
        made["from"] = pointer(rng, known)
    if rng.random() < 0.03:
        made.pop(rng.choice(list(made)))
    if rng.random() < 0.02:
        made["op"] = rng.choice(["frob", "", "Add", 1])
    return made


def merge(rng, drawn):
    """A merge patch that takes away or does not fit."""
    chance = rng.random()
    if chance < 0.08:
        return rng.choice([[], "text", 1, [{}], {"spec": "text"}, {"metadata": []}, {"metadata": None}, {"spec": None}, {"kind": "Other"}, {"apiVersion": "v9"}, {"metadata": {"name": "other"}}, {"status": {"a": 1}}, {"unknown": 1}])
    patch = copy.deepcopy(drawn) | {"metadata": {"labels": values.strings(rng)}}
    return nulled(rng, patch, rng.choice([0, 0.05, 0.15]))


def nulled(rng, value, much):
    if isinstance(value, dict):
        return {key: None if rng.random() < much else nulled(rng, below, much) for key, below in value.items()}
    return value
