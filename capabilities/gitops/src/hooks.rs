//! Which objects are hooks, when they run, when they go, and what they are called in
//! one operation. Pure: annotations in, answers out; it must never run one.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::resource::{Key, annotation, text};

/// What holds a hook that is being deleted until the sync has seen how it ended.
pub const FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";

/// Characters of a commit in a generated name.
const REVISION_LENGTH: usize = 7;

/// A part of a sync; they come one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncPhase {
    /// Before anything is applied.
    PreSync,
    /// With the objects.
    #[default]
    Sync,
    /// When everything is applied and healthy.
    PostSync,
    /// Only when the sync failed.
    SyncFail,
}

impl SyncPhase {
    /// The phase as annotations and results name it.
    pub fn word(self) -> &'static str {
        match self {
            SyncPhase::PreSync => "PreSync",
            SyncPhase::Sync => "Sync",
            SyncPhase::PostSync => "PostSync",
            SyncPhase::SyncFail => "SyncFail",
        }
    }
}

/// When an Application that goes runs a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletePhase {
    /// Before its objects go.
    PreDelete,
    /// When they are gone.
    PostDelete,
}

impl DeletePhase {
    /// The phase as annotations name it.
    pub fn word(self) -> &'static str {
        match self {
            DeletePhase::PreDelete => "PreDelete",
            DeletePhase::PostDelete => "PostDelete",
        }
    }
}

/// When a hook runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points {
    /// Phases of a sync, in their order.
    pub phases: Vec<SyncPhase>,
    /// When its Application goes, before the objects.
    pub pre_delete: bool,
    /// When its Application goes, after the objects.
    pub post_delete: bool,
}

impl Points {
    /// Whether the hook runs when its Application goes, at this time.
    pub fn runs_at(&self, phase: DeletePhase) -> bool {
        match phase {
            DeletePhase::PreDelete => self.pre_delete,
            DeletePhase::PostDelete => self.post_delete,
        }
    }

    fn add(&mut self, word: &str) {
        match word {
            "PreSync" => self.phases.push(SyncPhase::PreSync),
            "Sync" => self.phases.push(SyncPhase::Sync),
            "PostSync" => self.phases.push(SyncPhase::PostSync),
            "SyncFail" => self.phases.push(SyncPhase::SyncFail),
            "PreDelete" => self.pre_delete = true,
            "PostDelete" => self.post_delete = true,
            _ => {}
        }
    }

    fn of<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut points = Points::default();
        words.for_each(|word| points.add(word));
        points.phases.sort();
        points.phases.dedup();
        points
    }
}

/// What an object is to a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// An object to be kept as it is wanted.
    Plain,
    /// An object that asks not to be applied.
    Skip,
    /// A hook of no known kind, for example a Helm test: as if it were not there.
    Ignored,
    /// A hook.
    Hook(Points),
}

/// Helm's hooks and what they are here.
const HELM: &[(&str, &str)] = &[
    ("pre-install", "PreSync"),
    ("pre-upgrade", "PreSync"),
    ("post-install", "PostSync"),
    ("post-upgrade", "PostSync"),
    ("pre-delete", "PreDelete"),
    ("post-delete", "PostDelete"),
];

/// The role that an object's annotations give it. Argo CD's own annotation makes Helm's void.
pub fn role(object: &Value) -> Role {
    if let Some(stated) = annotation(object, "argocd.argoproj.io/hook") {
        let points = Points::of(words(stated));
        return match points == Points::default() {
            false => Role::Hook(points),
            true if words(stated).any(|word| word == "Skip") => Role::Skip,
            true => Role::Ignored,
        };
    }
    let Some(stated) = annotation(object, "helm.sh/hook") else { return Role::Plain };
    if stated == "crd-install" {
        return Role::Plain;
    }
    let meant = |word: &str| HELM.iter().find(|(helm, _)| *helm == word).map_or("", |(_, point)| *point);
    let points = Points::of(words(stated).map(meant));
    if points == Points::default() { Role::Ignored } else { Role::Hook(points) }
}

/// Whether an object is a hook of any kind, and so no part of what is compared.
pub fn is_hook(object: &Value) -> bool {
    matches!(role(object), Role::Hook(_) | Role::Ignored)
}

/// When a hook is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Before one of its name is made.
    pub before_creation: bool,
    /// When the sync succeeded.
    pub succeeded: bool,
    /// When the sync failed.
    pub failed: bool,
}

/// The deletion policies of a hook, Argo CD's and Helm's together.
pub fn policies(object: &Value) -> Policies {
    let mut found = Policies::default();
    let argo = annotation(object, "argocd.argoproj.io/hook-delete-policy").unwrap_or_default();
    let helm = annotation(object, "helm.sh/hook-delete-policy").unwrap_or_default();
    for word in words(argo) {
        found.before_creation |= word == "BeforeHookCreation";
        found.succeeded |= word == "HookSucceeded";
        found.failed |= word == "HookFailed";
    }
    for word in words(helm) {
        found.before_creation |= word == "before-hook-creation";
        found.succeeded |= word == "hook-succeeded";
        found.failed |= word == "hook-failed";
    }
    if found == Policies::default() {
        found.before_creation = true;
    }
    found
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// A hook as its source states it.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The object, its namespace in it; of one with `generateName` the name is not known yet.
    pub object: Arc<Value>,
    /// When it runs.
    pub points: Points,
}

/// A hook as one operation runs it in one phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Which object.
    pub key: Key,
    /// Its phase.
    pub phase: SyncPhase,
    /// The object, named, but not yet marked as anybody's.
    pub object: Value,
}

/// What generated names are made of.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    /// The revision that is synced.
    pub revision: &'a str,
    /// When the operation began, in seconds since 1970.
    pub began: i64,
}

/// The hooks of one operation: each template once for each of its phases.
pub fn instances(templates: &[Template], naming: Naming<'_>) -> Vec<Instance> {
    let mut found = Vec::new();
    for template in templates {
        for phase in &template.points.phases {
            let mut object = named(&template.object, phase.word(), naming);
            hold(&mut object);
            found.push(Instance { key: Key::of(&object), phase: *phase, object });
        }
    }
    found
}

/// A hook with its name: `<generateName><commit>-<phase>-<time>` where none is stated, so that a new
/// process finds what an old one made.
pub fn named(template: &Value, phase: &str, naming: Naming<'_>) -> Value {
    let mut object = template.clone();
    if text(&object, "/metadata/name").is_empty() {
        let long = naming.revision.len() > REVISION_LENGTH;
        let revision = naming.revision.get(..REVISION_LENGTH).filter(|_| long).unwrap_or(naming.revision);
        let suffix = format!("{revision}-{phase}-{}", naming.began).to_lowercase();
        let name = format!("{}{suffix}", text(&object, "/metadata/generateName"));
        object["metadata"]["name"] = name.into();
    }
    object
}

/// Puts the finalizer on.
fn hold(object: &mut Value) {
    let finalizers = &mut object["metadata"]["finalizers"];
    match finalizers.as_array_mut() {
        Some(list) if list.iter().any(|held| held == FINALIZER) => {}
        Some(list) => list.push(FINALIZER.into()),
        None => *finalizers = json!([FINALIZER]),
    }
}

#[cfg(test)]
mod tests;
