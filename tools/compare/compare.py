"""Plays the same random requests against two API servers and compares what they answer.

One side is a Coracle platform, the other any kube-apiserver of the same version. Every
round draws a sequence of writes to one object (create, replace, patches of every kind,
server-side applies by several managers, writes to status and scale) from a seed, sends it
to both sides, and compares code, message, object and owners after each step. What must
differ (uids, revisions, times, addresses) is left out. The first step that differs is shown
with its seed and the sequence so far, so that it can be played again with --seed.

It must never be pointed at a cluster that holds anything: it creates and deletes a namespace
and definitions named compare-*.
"""

import argparse
import copy
import json
import random
import ssl
import sys
import urllib.error
import urllib.request

import kinds
import surroundings


class Side:
    """One API server."""

    def __init__(self, name, url, token):
        self.name, self.url, self.token = name, url, token
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.revision = ""
        self.status = None

    def learn(self, answer):
        """Keeps the revision of the object, which is this side's own."""
        if isinstance(answer, dict) and "Status" != answer.get("kind"):
            self.revision = answer.get("metadata", {}).get("resourceVersion", self.revision)
            self.status = answer.get("status")

    def own(self, body):
        """The body with this side's revision where it is asked for, and its status: without one
        kube-apiserver forgets who owns the status in other versions than the one that is written."""
        metadata = body.get("metadata") if isinstance(body, dict) else None
        if isinstance(metadata, dict) and metadata.get("resourceVersion") == kinds.REVISION:
            body = body | {"metadata": body["metadata"] | {"resourceVersion": self.revision}}
            if self.status is not None:
                body["status"] = self.status
        return body

    def send(self, method, path, body=None, kind="application/json"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", "Bearer " + self.token)
        request.add_header("Content-Type", kind)
        request.add_header("User-Agent", "compare/1")
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null"), answer.headers.get_all("Warning") or []
        except urllib.error.HTTPError as error:
            text = error.read()
            try:
                return error.code, json.loads(text), error.headers.get_all("Warning") or []
            except ValueError:
                return error.code, text.decode(errors="replace"), []


REFUSED_PATCH = "the server rejected our request due to an error in our request"
UNREAD_PATCH = "is invalid: patch: Invalid value: \"{"
VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "selfLink"}


def normalise(value, settings):
    """The answer without what two servers cannot agree on."""
    if not isinstance(value, dict):
        return value
    value = copy.deepcopy(value)
    if value.get("kind") == "Status":
        value.pop("metadata", None)
        details = value.get("details")
        if isinstance(details, dict):
            details.pop("uid", None)
            if "causes" in details:
                details["causes"].sort(key=lambda cause: json.dumps(cause, sort_keys=True))
        if value.get("message") == REFUSED_PATCH:
            # Here is said why, among the causes; there it is not.
            value.pop("details", None)
        if UNREAD_PATCH in value.get("message", ""):
            # The object is shown with its fields in another order.
            value["message"] = value["message"].rsplit("}\": ", 1)[-1]
            value.pop("details", None)
        if settings.messages is False:
            value.pop("message", None)
            value.pop("details", None)
        return value
    meta = value.get("metadata", {})
    for field in VOLATILE:
        meta.pop(field, None)
    for entry in meta.get("managedFields", []):
        entry.pop("time", None)
    if "managedFields" in meta:
        meta["managedFields"].sort(key=lambda entry: json.dumps(entry, sort_keys=True))
    if value.get("kind") == "Job":
        value.get("spec", {}).pop("selector", None)
        labels = value.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})
        for name in ("controller-uid", "batch.kubernetes.io/controller-uid"):
            labels.pop(name, None)
    if value.get("kind") == "Service":
        hide_given(value.get("spec") or {})
    for path in settings.ignore:
        drop(value, path.split("."))
    return value


def hide_given(spec):
    """What a server gave out on its own, which another gives out otherwise."""
    if spec.get("clusterIP", "None") not in surroundings.ADDRESSES + ["None", ""]:
        spec["clusterIP"], spec["clusterIPs"] = "<given>", ["<given>"]
    if "healthCheckNodePort" in spec:
        spec["healthCheckNodePort"] = "<given>"
    for port in spec.get("ports") or []:
        if port.get("nodePort", surroundings.PORTS[0]) not in surroundings.PORTS:
            port["nodePort"] = "<given>"


def drop(value, path):
    if not isinstance(value, dict) or path[0] not in value:
        return
    if len(path) == 1:
        del value[path[0]]
    else:
        drop(value[path[0]], path[1:])


def differences(path, a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(f"{path}.{key}", a.get(key, "<absent>"), b.get(key, "<absent>"))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (left, right) in enumerate(zip(a, b)):
            yield from differences(f"{path}[{index}]", left, right)
    elif a != b:
        yield f"{path}: {json.dumps(a)} != {json.dumps(b)}"


def play(sides, seed, settings):
    """One round; returns whether both sides agreed."""
    rng = random.Random(seed)
    kind = rng.choice([kind for kind in kinds.KINDS if settings.kind in ("", kind["name"])])
    name = f"x{seed}"
    history = []
    live = None
    clean(sides, kind, name)
    for _ in range(settings.steps):
        step = kinds.draw(rng, kind, name, live, settings.verb)
        history.append(step)
        answers = [side.send(step["method"], step["path"], side.own(step.get("body")), step["type"]) for side in sides]
        for side, answer in zip(sides, answers):
            side.learn(answer[1])
        codes = [answer[0] for answer in answers]
        objects = [normalise(answer[1], settings) for answer in answers]
        found = [] if codes[0] == codes[1] else [f"code: {codes[0]} != {codes[1]}"]
        found += list(differences("", objects[0], objects[1]))
        if settings.warnings:
            found += list(differences("warnings", sorted(answers[0][2]), sorted(answers[1][2])))
        if found:
            print(f"seed {seed}: {kind['name']} differs at step {len(history)}")
            for number, step in enumerate(history, 1):
                print(f"  {number}. {step['method']} {step['path']} {step['type']}\n     {json.dumps(step.get('body'))}")
            for line in found[:settings.shown]:
                print("   ", line)
            if settings.verbose:
                for side, answer in zip(sides, answers):
                    print(side.name, json.dumps(answer[1]))
            clean(sides, kind, name)
            return False
        main = kinds.path(kind, name)
        code, read, _ = sides[0].send("GET", main)
        live = read if code == 200 else None
    clean(sides, kind, name)
    return True


def clean(sides, kind, name):
    """Takes an object away, whatever holds it."""
    target = kinds.path(kind, name)
    for side in sides:
        side.send("PATCH", target, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
        side.send("DELETE", target + "?gracePeriodSeconds=0")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="URL and token of the one side, separated by a comma")
    parser.add_argument("--theirs", required=True, help="URL and token of the other side")
    parser.add_argument("--seed", type=int, default=None, help="play this round only")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--kind", default="")
    parser.add_argument("--verb", action="append", default=[], help="draw these verbs only")
    parser.add_argument("--ignore", action="append", default=[])
    parser.add_argument("--no-messages", dest="messages", action="store_false")
    parser.add_argument("--warnings", action="store_true")
    parser.add_argument("--shown", type=int, default=12)
    parser.add_argument("--verbose", action="store_true")
    settings = parser.parse_args()
    sides = [Side("ours", *settings.ours.split(",", 1)), Side("theirs", *settings.theirs.split(",", 1))]
    kinds.prepare(sides)
    seeds = [settings.seed] if settings.seed is not None else range(settings.first, settings.first + settings.rounds)
    failed = [seed for seed in seeds if not play(sides, seed, settings)]
    print(f"{len(list(seeds)) - len(failed)} rounds agree, {len(failed)} differ: {failed[:40]}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
