//! When the packages of an invocation are in place. Looking at objects is one
//! half, judging them the other; the second is pure and holds every rule.

use std::collections::{BTreeMap, BTreeSet};

use packages::kinds::{CustomPackage, GitRepository, Localbuild, mark};
use packages::naming;
use serde_json::Value;

/// Every object that the judgement rests on.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The platform's Localbuild, if it is there yet.
    pub localbuild: Option<Localbuild>,
    /// Its CustomPackages.
    pub packages: Vec<CustomPackage>,
    /// Its GitRepositories.
    pub repositories: Vec<GitRepository>,
    /// Applications by `namespace/name`.
    pub applications: BTreeMap<String, Value>,
    /// Kinds (`group/Kind`) that a capability makes live.
    pub animated: BTreeSet<String>,
    /// Whether there is a node, without which nothing that is made of pods comes alive.
    pub has_node: bool,
}

/// What to wait for.
#[derive(Clone, Debug)]
pub struct Goal {
    /// The invocation.
    pub start_time: String,
    /// Whether Applications must be Healthy, too.
    pub healthy: bool,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not yet: who is waited for, and why.
    Waiting(Vec<Pending>),
    /// A package cannot be installed as it is.
    Refused(Vec<Refusal>),
    /// All is in place; what is worth saying beside that.
    Done(Vec<String>),
}

/// Someone who is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Name of the Application or package.
    pub name: String,
    /// Why.
    pub why: String,
}

/// A package that cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Code of a page in `docs/errors/`.
    pub code: String,
    /// Which package.
    pub name: String,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub hint: String,
}

/// How one Application stands.
enum State {
    Done(Option<String>),
    Waiting(String),
}

/// Judges what was seen.
pub fn judge(goal: &Goal, seen: &Seen) -> Verdict {
    let Some(localbuild) = &seen.localbuild else { return waiting("packages", "they are being looked for") };
    let asked = mark(&localbuild.metadata.annotations, naming::CLI_START_TIME);
    let observed = mark(&localbuild.metadata.annotations, naming::LAST_OBSERVED);
    if asked != goal.start_time || observed != goal.start_time {
        // Until then its status is that of an earlier invocation.
        let why =
            condition_message(&localbuild.status.conditions, "Ready", "False").filter(|_| asked == goal.start_time);
        return waiting("packages", why.unwrap_or("they are being looked for"));
    }
    let refusals: Vec<Refusal> = refused_packages(localbuild).chain(refused_applications(goal, seen)).collect();
    if !refusals.is_empty() {
        return Verdict::Refused(refusals);
    }
    let mut pending = Vec::new();
    let mut notes = Vec::new();
    for package in &seen.packages {
        match state(goal, seen, package) {
            State::Done(note) => notes.extend(note),
            State::Waiting(why) => pending.push(Pending { name: package.spec.argo_cd.name.clone(), why }),
        }
    }
    if pending.is_empty() { Verdict::Done(notes) } else { Verdict::Waiting(pending) }
}

fn waiting(name: &str, why: &str) -> Verdict {
    Verdict::Waiting(vec![Pending { name: name.to_owned(), why: why.to_owned() }])
}

/// Packages that could not be read. One that may yet answer has no code and is not refused.
fn refused_packages(localbuild: &Localbuild) -> impl Iterator<Item = Refusal> {
    localbuild.status.packages.iter().filter(|package| !package.code.is_empty()).map(|package| Refusal {
        code: package.code.clone(),
        name: package.source.clone(),
        why: package.error.clone(),
        hint: package.hint.clone(),
    })
}

/// Applications whose CustomPackage was given up, other than for want of their kind.
fn refused_applications(goal: &Goal, seen: &Seen) -> impl Iterator<Item = Refusal> {
    seen.packages.iter().filter(|package| is_observed(package, goal) && !package.status.synced).filter_map(|package| {
        if condition_reason(&package.status.conditions) == "KindNotServed" {
            return None;
        }
        let why = condition_message(&package.status.conditions, "Ready", "False").unwrap_or("it gives no reason");
        Some(Refusal {
            code: "bad-package".to_owned(),
            name: package.spec.argo_cd.name.clone(),
            why: why.to_owned(),
            hint: String::new(),
        })
    })
}

fn is_observed(package: &CustomPackage, goal: &Goal) -> bool {
    mark(&package.metadata.annotations, naming::LAST_OBSERVED) == goal.start_time
}

fn state(goal: &Goal, seen: &Seen, package: &CustomPackage) -> State {
    let wanted = &package.spec.argo_cd;
    if package.metadata.is_deleting() {
        return State::Waiting("it is being removed".to_owned());
    }
    let conditions = &package.status.conditions;
    if !is_observed(package, goal) {
        let why = condition_message(conditions, "Ready", "False").unwrap_or("its repositories are being filled");
        return State::Waiting(why.to_owned());
    }
    let is_application = wanted.kind == "Application";
    let has_controller = is_application || seen.animated.contains(&format!("argoproj.io/{}", wanted.kind));
    if !package.status.synced || !has_controller {
        let note = format!(
            "{} is installed but not acted on: {} needs a capability that this platform does not have",
            wanted.name, wanted.kind
        );
        return State::Done(Some(note));
    }
    if !is_application {
        return State::Done(None);
    }
    match seen.applications.get(&format!("{}/{}", wanted.namespace, wanted.name)) {
        Some(application) => application_state(goal, seen, application),
        None => State::Waiting("its Application is being written".to_owned()),
    }
}

fn application_state(goal: &Goal, seen: &Seen, application: &Value) -> State {
    let text = |pointer: &str| application.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let name = text("/metadata/name");
    let sync = text("/status/sync/status");
    let why = explain(application, "");
    if why.contains(render::NOT_SUPPORTED) {
        return State::Done(Some(format!("{name} is not deployed: {why}")));
    }
    if !is_newest(seen, application) {
        return State::Waiting(explain(application, "its newest commit is being compared"));
    }
    let automated = application.pointer("/spec/syncPolicy/automated").is_some_and(|automated| {
        !automated.is_null() && automated.get("enabled").and_then(Value::as_bool) != Some(false)
    });
    match sync {
        "Synced" => {}
        "OutOfSync" if !automated => {
            return State::Done(Some(format!(
                "{name} is OutOfSync; it has no automated sync, so that nothing is deployed until you sync it"
            )));
        }
        "OutOfSync" if awaits_pruning(application) => {
            return State::Done(Some(format!("{name} is OutOfSync: objects left its source, and its prune is off")));
        }
        "" => return State::Waiting(explain(application, "it is being compared")),
        other => return State::Waiting(explain(application, &format!("sync is {other}"))),
    }
    let health = text("/status/health/status");
    if !goal.healthy || matches!(health, "Healthy" | "Suspended") {
        return State::Done(None);
    }
    let lifeless = lifeless_kinds(seen, application);
    match lifeless {
        Some(kinds) if !kinds.is_empty() => State::Done(Some(lifeless_note(name, health, &kinds))),
        _ => State::Waiting(explain(
            application,
            &format!("health is {}", if health.is_empty() { "not known yet" } else { health }),
        )),
    }
}

/// Whether all that is out of sync are objects that left the source of an Application that
/// does not prune.
fn awaits_pruning(application: &Value) -> bool {
    let prunes = application.pointer("/spec/syncPolicy/automated/prune").and_then(Value::as_bool) == Some(true);
    let resources = application["status"]["resources"].as_array().into_iter().flatten();
    let mut out_of_sync = resources.filter(|resource| resource["status"] == "OutOfSync").peekable();
    !prunes && out_of_sync.peek().is_some() && out_of_sync.all(|resource| resource["requiresPruning"] == true)
}

/// Whether what the Application was compared with is what its repositories now hold.
fn is_newest(seen: &Seen, application: &Value) -> bool {
    let sync = &application["status"]["sync"];
    let spec = &application["spec"];
    let sources: Vec<(&Value, &Value)> = match spec["sources"].as_array() {
        Some(sources) => sources.iter().enumerate().map(|(at, source)| (source, &sync["revisions"][at])).collect(),
        None => vec![(&spec["source"], &sync["revision"])],
    };
    sources.into_iter().all(|(source, revision)| {
        let follows = matches!(source["targetRevision"].as_str().unwrap_or("HEAD"), "HEAD" | "" | naming::BRANCH);
        let url = source["repoURL"].as_str().unwrap_or_default();
        let repository = seen.repositories.iter().find(|held| held.status.external_git_repository_url == url);
        match repository {
            Some(repository) if follows => revision == &Value::from(repository.status.commit.hash.as_str()),
            _ => true,
        }
    })
}

/// The kinds of the objects that are not healthy, if none of them has anyone who makes it
/// live: then waiting is in vain. `None` if someone does.
fn lifeless_kinds(seen: &Seen, application: &Value) -> Option<BTreeSet<String>> {
    let mut kinds = BTreeSet::new();
    for resource in application["status"]["resources"].as_array().into_iter().flatten() {
        let health = resource["health"]["status"].as_str().unwrap_or("Healthy");
        if matches!(health, "Healthy" | "Suspended") {
            continue;
        }
        let kind = match resource["group"].as_str().unwrap_or_default() {
            "" => resource["kind"].as_str().unwrap_or_default().to_owned(),
            group => format!("{group}/{}", resource["kind"].as_str().unwrap_or_default()),
        };
        let is_animated = seen.animated.contains(&kind) && (seen.has_node || !MADE_OF_PODS.contains(&kind.as_str()));
        // What was not applied yet is Missing whoever may care for it later.
        if health == "Missing" || is_animated || kind == "argoproj.io/Application" {
            return None;
        }
        kinds.insert(kind);
    }
    Some(kinds)
}

/// Kinds that are alive when their pods are, which takes a node.
const MADE_OF_PODS: [&str; 9] = [
    "Pod",
    "PersistentVolumeClaim",
    "ReplicationController",
    "apps/Deployment",
    "apps/StatefulSet",
    "apps/DaemonSet",
    "apps/ReplicaSet",
    "batch/Job",
    "batch/CronJob",
];

/// Which capability is missing where nobody makes a kind live.
fn provider(kind: &str) -> &'static str {
    match kind {
        "Service" | "networking.k8s.io/Ingress" => "ingress",
        "autoscaling/HorizontalPodAutoscaler" => "workloads",
        _ if MADE_OF_PODS.contains(&kind) => "node",
        _ => "for its kind",
    }
}

fn lifeless_note(name: &str, health: &str, kinds: &BTreeSet<String>) -> String {
    let capabilities: BTreeSet<&str> = kinds.iter().map(|kind| provider(kind)).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let capabilities: Vec<&str> = capabilities.into_iter().collect();
    format!(
        "{name} is Synced but {health}: nothing here makes {} live (missing capability: {})",
        kinds.join(", "),
        capabilities.join(", ")
    )
}

/// What an Application says stands in its way, or else `otherwise`.
fn explain(application: &Value, otherwise: &str) -> String {
    let status = &application["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut errors = conditions.filter(|condition| condition["type"].as_str().unwrap_or_default().ends_with("Error"));
    if let Some(message) = errors.next().and_then(|condition| condition["message"].as_str()) {
        return message.to_owned();
    }
    let operation = &status["operationState"];
    match (operation["phase"].as_str(), operation["message"].as_str()) {
        (Some("Failed" | "Error" | "Running"), Some(message)) if !message.is_empty() => message.to_owned(),
        _ => otherwise.to_owned(),
    }
}

fn condition_message<'a>(conditions: &'a [Value], kind: &str, status: &str) -> Option<&'a str> {
    let held = conditions.iter().find(|condition| condition["type"] == *kind && condition["status"] == *status)?;
    held["message"].as_str()
}

fn condition_reason(conditions: &[Value]) -> &str {
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
    ready.and_then(|ready| ready["reason"].as_str()).unwrap_or_default()
}
