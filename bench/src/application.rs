//! A definition with the shape of Argo CD's Application (148 KB of JSON and 1,180
//! fields, where the real one has 204 KB and 1,824), the source of manifests
//! repeated wherever a revision is recorded, in a group that no controller
//! follows. Nothing may depend on what a field is called.

use serde_json::{Value, json};

use crate::schema::{self, Draw, boolean, integer, list, object, text, texts};

/// Its group.
pub const GROUP: &str = "argo.bench.example.com";
/// Where its objects are.
pub const OBJECTS: &str = "/apis/argo.bench.example.com/v1alpha1/namespaces/default/applications";

/// The definition.
pub fn definition() -> Value {
    let draw = &mut Draw::new(1);
    let (spec, status) = (spec(draw), status(draw));
    schema::definition(GROUP, "Application", draw, spec, status)
}

fn spec(draw: &mut Draw) -> Value {
    let difference = vec![
        ("group", text()),
        ("jqPathExpressions", list(text())),
        ("jsonPointers", list(text())),
        ("kind", text()),
        ("managedFieldsManagers", list(text())),
        ("name", text()),
        ("namespace", text()),
    ];
    let differences = object(draw, &["kind"], difference);
    let information = object(draw, &["name", "value"], vec![("name", text()), ("value", text())]);
    let backoff = vec![("duration", text()), ("factor", integer()), ("maxDuration", text())];
    let backoff = object(draw, &[], backoff);
    let retry = object(draw, &[], vec![("backoff", backoff), ("limit", integer())]);
    let automated = vec![("allowEmpty", boolean()), ("prune", boolean()), ("selfHeal", boolean())];
    let automated = object(draw, &[], automated);
    let metadata = object(draw, &[], vec![("annotations", texts()), ("labels", texts())]);
    let policy = vec![
        ("automated", automated),
        ("managedNamespaceMetadata", metadata),
        ("retry", retry),
        ("syncOptions", list(text())),
    ];
    let fields = vec![
        ("destination", destination(draw)),
        ("ignoreDifferences", list(differences)),
        ("info", list(information)),
        ("project", text()),
        ("revisionHistoryLimit", integer()),
        ("source", source(draw)),
        ("sources", list(source(draw))),
        ("syncPolicy", object(draw, &[], policy)),
    ];
    object(draw, &["destination", "project"], fields)
}

fn destination(draw: &mut Draw) -> Value {
    object(draw, &[], vec![("name", text()), ("namespace", text()), ("server", text())])
}

/// Where manifests come from, and how they are rendered.
fn source(draw: &mut Draw) -> Value {
    let variable = || vec![("code", boolean()), ("name", text()), ("value", text())];
    let pair = object(draw, &["name", "value"], vec![("name", text()), ("value", text())]);
    let jsonnet = vec![
        ("extVars", list(object(draw, &["name", "value"], variable()))),
        ("libs", list(text())),
        ("tlas", list(object(draw, &["name", "value"], variable()))),
    ];
    let directory =
        vec![("exclude", text()), ("include", text()), ("jsonnet", object(draw, &[], jsonnet)), ("recurse", boolean())];
    let parameter = vec![("array", list(text())), ("map", texts()), ("name", text()), ("string", text())];
    let plugin = vec![("env", list(pair)), ("name", text()), ("parameters", list(object(draw, &[], parameter)))];
    let fields = vec![
        ("chart", text()),
        ("directory", object(draw, &[], directory)),
        ("helm", helm(draw)),
        ("kustomize", kustomize(draw)),
        ("name", text()),
        ("path", text()),
        ("plugin", object(draw, &[], plugin)),
        ("ref", text()),
        ("repoURL", text()),
        ("targetRevision", text()),
    ];
    object(draw, &["repoURL"], fields)
}

fn helm(draw: &mut Draw) -> Value {
    let file = object(draw, &[], vec![("name", text()), ("path", text())]);
    let parameter = object(draw, &[], vec![("forceString", boolean()), ("name", text()), ("value", text())]);
    let fields = vec![
        ("apiVersions", list(text())),
        ("fileParameters", list(file)),
        ("ignoreMissingValueFiles", boolean()),
        ("kubeVersion", text()),
        ("namespace", text()),
        ("parameters", list(parameter)),
        ("passCredentials", boolean()),
        ("releaseName", text()),
        ("skipCrds", boolean()),
        ("skipSchemaValidation", boolean()),
        ("skipTests", boolean()),
        ("valueFiles", list(text())),
        ("values", text()),
        ("valuesObject", json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})),
        ("version", text()),
    ];
    object(draw, &[], fields)
}

fn kustomize(draw: &mut Draw) -> Value {
    let target = vec![
        ("annotationSelector", text()),
        ("group", text()),
        ("kind", text()),
        ("labelSelector", text()),
        ("name", text()),
        ("namespace", text()),
        ("version", text()),
    ];
    let target = object(draw, &[], target);
    let options = json!({"type": "object", "additionalProperties": {"type": "boolean"}});
    let patch = vec![("options", options), ("patch", text()), ("path", text()), ("target", target)];
    let count = json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true});
    let replica = object(draw, &["count", "name"], vec![("count", count), ("name", text())]);
    let fields = vec![
        ("apiVersions", list(text())),
        ("commonAnnotations", texts()),
        ("commonAnnotationsEnvsubst", boolean()),
        ("commonLabels", texts()),
        ("components", list(text())),
        ("forceCommonAnnotations", boolean()),
        ("forceCommonLabels", boolean()),
        ("ignoreMissingComponents", boolean()),
        ("images", list(text())),
        ("kubeVersion", text()),
        ("labelIncludeTemplates", boolean()),
        ("labelWithoutSelector", boolean()),
        ("namePrefix", text()),
        ("nameSuffix", text()),
        ("namespace", text()),
        ("patches", list(object(draw, &[], patch))),
        ("replicas", list(replica)),
        ("version", text()),
    ];
    object(draw, &[], fields)
}

fn moment() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn health(draw: &mut Draw) -> Value {
    object(draw, &[], vec![("lastTransitionTime", moment()), ("message", text()), ("status", text())])
}

/// What was or is to be synced: the sources again, each time.
fn synced(draw: &mut Draw) -> Vec<(&'static str, Value)> {
    vec![("revision", text()), ("revisions", list(text())), ("source", source(draw)), ("sources", list(source(draw)))]
}

fn status(draw: &mut Draw) -> Value {
    let initiator = || object(&mut Draw::new(2), &[], vec![("automated", boolean()), ("username", text())]);
    let condition = vec![("lastTransitionTime", moment()), ("message", text()), ("type", text())];
    let condition = object(draw, &["message", "type"], condition);
    let mut history = synced(draw);
    history.extend([
        ("deployStartedAt", moment()),
        ("deployedAt", moment()),
        ("id", integer()),
        ("initiatedBy", initiator()),
    ]);
    let mut sync = synced(draw);
    sync.extend([("dryRun", boolean()), ("prune", boolean()), ("syncOptions", list(text()))]);
    let sync = object(draw, &[], sync);
    let operation = object(draw, &[], vec![("initiatedBy", initiator()), ("sync", sync)]);
    let mut result = synced(draw);
    result.push(("resources", list(resource(draw))));
    let state = vec![
        ("finishedAt", moment()),
        ("message", text()),
        ("operation", operation),
        ("phase", text()),
        ("retryCount", integer()),
        ("startedAt", moment()),
        ("syncResult", object(draw, &["revision"], result)),
    ];
    let mut compared = synced(draw);
    compared.push(("destination", destination(draw)));
    let compared = object(draw, &["destination"], compared);
    let sync = vec![("comparedTo", compared), ("revision", text()), ("revisions", list(text())), ("status", text())];
    let summary = object(draw, &[], vec![("externalURLs", list(text())), ("images", list(text()))]);
    let fields = vec![
        ("conditions", list(condition)),
        ("health", health(draw)),
        ("history", list(object(draw, &["deployedAt", "id"], history))),
        ("observedAt", moment()),
        ("operationState", object(draw, &["phase", "startedAt"], state)),
        ("reconciledAt", moment()),
        ("resources", list(resource(draw))),
        ("sourceHydrator", object(draw, &[], vec![("currentOperation", text()), ("lastSuccessfulOperation", text())])),
        ("sourceType", text()),
        ("sourceTypes", list(text())),
        ("summary", summary),
        ("sync", object(draw, &["status"], sync)),
    ];
    object(draw, &[], fields)
}

fn resource(draw: &mut Draw) -> Value {
    let fields = vec![
        ("group", text()),
        ("health", health(draw)),
        ("hook", boolean()),
        ("kind", text()),
        ("name", text()),
        ("namespace", text()),
        ("requiresPruning", boolean()),
        ("status", text()),
        ("syncWave", integer()),
        ("version", text()),
    ];
    object(draw, &[], fields)
}
