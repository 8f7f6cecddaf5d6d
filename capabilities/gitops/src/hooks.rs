//! Which objects are hooks of a sync and not part of what is compared. It must
//! never run one: that comes with the workloads capability.

use serde_json::Value;

use crate::resource::annotation;

/// What a rendered object is to a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// An object to be kept as it is wanted.
    Plain,
    /// An object that asks to be left out.
    Skip,
    /// An object that is run at these points of a sync.
    Hook(String),
}

/// Helm's hooks and what they are here; others are left out, as Argo CD does.
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
        let points: Vec<&str> = stated.split(',').map(str::trim).filter(|point| !point.is_empty()).collect();
        return match points.as_slice() {
            [] => Role::Plain,
            points if points.contains(&"Skip") => Role::Skip,
            points => Role::Hook(points.join(",")),
        };
    }
    let Some(stated) = annotation(object, "helm.sh/hook") else { return Role::Plain };
    let stated: Vec<&str> = stated.split(',').map(str::trim).collect();
    if stated.contains(&"crd-install") {
        return Role::Plain;
    }
    let mut points: Vec<&str> =
        HELM.iter().filter(|(helm, _)| stated.contains(helm)).map(|(_, point)| *point).collect();
    points.dedup();
    if points.is_empty() { Role::Skip } else { Role::Hook(points.join(",")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Role, role};

    #[test]
    fn annotations_decide() {
        let hook = |text: &str| Role::Hook(text.into());
        for (annotations, expect) in [
            (json!({}), Role::Plain),
            (json!({"argocd.argoproj.io/hook": "PreSync"}), hook("PreSync")),
            (json!({"argocd.argoproj.io/hook": "PreSync, Sync"}), hook("PreSync,Sync")),
            (json!({"argocd.argoproj.io/hook": "Skip"}), Role::Skip),
            (json!({"helm.sh/hook": "pre-install,pre-upgrade"}), hook("PreSync")),
            (json!({"helm.sh/hook": "crd-install"}), Role::Plain),
            (json!({"helm.sh/hook": "test"}), Role::Skip),
            (json!({"helm.sh/hook": "test", "argocd.argoproj.io/hook": "Sync"}), hook("Sync")),
        ] {
            assert_eq!(role(&json!({"metadata": {"annotations": annotations}})), expect, "{annotations}");
        }
    }
}
