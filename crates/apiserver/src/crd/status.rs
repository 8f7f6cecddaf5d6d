//! The status of a definition: which names it holds, the conditions that say so,
//! the versions that objects may be stored in. Kubernetes' controllers write it a
//! while later; here it is written with the definition, so that clients that
//! wait for it need not wait.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::check::approval;
use super::spec::{Names, Spec};

/// Names that others of the group hold.
#[derive(Default)]
pub struct Used {
    /// Plurals, singulars and short names.
    pub resources: HashSet<String>,
    /// Kinds and kinds of lists.
    pub kinds: HashSet<String>,
}

impl Used {
    /// Adds the names that somebody holds.
    pub fn add(&mut self, names: &Names) {
        self.resources.extend(names.resources().map(str::to_owned));
        self.kinds.extend(names.kinds().map(str::to_owned));
    }

    fn overlap(&self, names: &Names) -> bool {
        names.resources().any(|name| self.resources.contains(name))
            || names.kinds().any(|name| self.kinds.contains(name))
    }
}

/// A verdict on names: why not all are accepted, if so.
struct Verdict {
    accepted: Names,
    conflict: Option<(&'static str, String)>,
}

/// Whether the status says that the definition is served.
pub fn is_established(object: &Map<String, Value>) -> bool {
    condition(object, "Established").is_some_and(|condition| condition["status"] == "True")
}

fn conditions(object: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let conditions = object.get("status").and_then(|status| status.get("conditions"));
    conditions.and_then(Value::as_array).into_iter().flatten()
}

fn condition<'v>(object: &'v Map<String, Value>, kind: &str) -> Option<&'v Value> {
    conditions(object).find(|condition| condition["type"] == kind)
}

/// The status that a definition is stored with; `object` has its status of before.
pub fn of(object: &Map<String, Value>, used: &Used, now: &str) -> Value {
    let Ok(spec) = Spec::of(object) else { return json!({}) };
    // Names that another definition was given at the same instant were never this one's.
    let held = Names::accepted(object);
    let is_contested = used.overlap(&held);
    let held = if is_contested { Names::default() } else { held };
    let verdict = judge(&spec.names, &held, used);
    let mut list: Vec<Value> = conditions(object).cloned().collect();
    let mut set = |kind: &str, ok: bool, reason: &str, message: &str| {
        let state = if ok { "True" } else { "False" };
        let held = list.iter().position(|condition| condition["type"] == kind);
        let since = held.map(|at| &list[at]).filter(|condition| condition["status"] == state);
        let since = since.and_then(|condition| condition["lastTransitionTime"].as_str()).unwrap_or(now);
        let condition = json!({
            "type": kind, "status": state, "lastTransitionTime": since, "reason": reason, "message": message,
        });
        match held {
            Some(at) => list[at] = condition,
            None => list.push(condition),
        }
    };
    match &verdict.conflict {
        None => set("NamesAccepted", true, "NoConflicts", "no conflicts found"),
        Some((reason, message)) => set("NamesAccepted", false, reason, message),
    }
    // Once served, a definition is served for good, under the names that it held.
    if is_contested || !is_established(object) {
        match verdict.conflict {
            None => set("Established", true, "InitialNamesAccepted", "the initial names have been accepted"),
            Some(_) => set("Established", false, "NotAccepted", "not all names are accepted"),
        }
    }
    if let Some((ok, reason, message)) = approval::condition(&spec.group, object) {
        set("KubernetesAPIApprovalPolicyConformant", ok, reason, &message);
    }
    json!({
        "conditions": list,
        "acceptedNames": names_json(&verdict.accepted),
        "storedVersions": stored_versions(object, spec.storage_version()),
    })
}

/// The versions that objects may be stored in, with the one that they are stored in now.
pub(super) fn stored_versions(object: &Map<String, Value>, storage: Option<&str>) -> Vec<Value> {
    let held = object.get("status").and_then(|status| status.get("storedVersions")).and_then(Value::as_array);
    let mut versions = held.cloned().unwrap_or_default();
    if let Some(storage) = storage
        && !versions.iter().any(|version| version == storage)
    {
        versions.push(Value::from(storage));
    }
    versions
}

fn judge(wanted: &Names, held: &Names, used: &Used) -> Verdict {
    let mut accepted = held.clone();
    let mut conflict = None;
    let taken = |name: &str| format!("\"{name}\" is already in use");
    {
        let mut take = |wanted: &str, held: &mut String, used: &HashSet<String>, reason: &'static str| {
            if wanted != held && used.contains(wanted) {
                conflict = Some((reason, taken(wanted)));
            } else {
                wanted.clone_into(held);
            }
        };
        take(&wanted.plural, &mut accepted.plural, &used.resources, "PluralConflict");
        take(&wanted.singular, &mut accepted.singular, &used.resources, "SingularConflict");
    }
    let is_new = |name: &&String| !held.short_names.contains(name) && used.resources.contains(*name);
    let messages: Vec<String> = wanted.short_names.iter().filter(is_new).map(|name| taken(name)).collect();
    match messages.as_slice() {
        [] => accepted.short_names.clone_from(&wanted.short_names),
        [one] => conflict = Some(("ShortNamesConflict", one.clone())),
        many => conflict = Some(("ShortNamesConflict", format!("[{}]", many.join(", ")))),
    }
    for (wanted, held, reason) in [
        (&wanted.kind, &mut accepted.kind, "KindConflict"),
        (&wanted.list_kind, &mut accepted.list_kind, "ListKindConflict"),
    ] {
        if wanted != held && used.kinds.contains(wanted) {
            conflict = Some((reason, taken(wanted)));
        } else {
            held.clone_from(wanted);
        }
    }
    accepted.categories.clone_from(&wanted.categories);
    Verdict { accepted, conflict }
}

/// Names as JSON: plural and kind always, the rest if there are any.
fn names_json(names: &Names) -> Value {
    let mut map = Map::new();
    map.insert("plural".into(), json!(names.plural));
    map.insert("kind".into(), json!(names.kind));
    for (field, text) in [("singular", &names.singular), ("listKind", &names.list_kind)] {
        if !text.is_empty() {
            map.insert(field.into(), json!(text));
        }
    }
    for (field, list) in [("shortNames", &names.short_names), ("categories", &names.categories)] {
        if !list.is_empty() {
            map.insert(field.into(), json!(list));
        }
    }
    Value::Object(map)
}
