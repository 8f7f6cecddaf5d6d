//! Tracking ids, as cases.

use api::{ClusterName, ObjectMeta};
use client::ObjectKey;

use super::{INSTALLATION_ID, Owner, TRACKING_ID, owner};
use crate::resource::Key;

fn meta(namespace: &str, name: &str, annotations: &[(&str, &str)]) -> ObjectMeta {
    ObjectMeta {
        name: name.into(),
        namespace: namespace.into(),
        annotations: annotations.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        ..ObjectMeta::default()
    }
}

#[test]
fn an_id_names_application_and_object() {
    let root = ClusterName::root();
    let dev = ClusterName::new("dev").expect("a name");
    let inside = Owner::of(&ObjectKey::new(&root, "argocd", "shop"), "argocd");
    let outside = Owner::of(&ObjectKey::new(&root, "team", "shop"), "argocd");
    let key = Key::new("apps", "Deployment", "web", "front");
    assert_eq!(inside.tracking_id(&key), "shop:apps/Deployment:web/front");
    assert_eq!(outside.tracking_id(&key), "team_shop:apps/Deployment:web/front");
    assert_eq!(inside.tracking_id(&Key::new("", "Namespace", "", "web")), "shop:/Namespace:/web");
    assert_eq!(outside.app("argocd"), ObjectKey::new(&root, "team", "shop"));
    assert_eq!(inside.app("argocd"), ObjectKey::new(&root, "argocd", "shop"));
    assert_eq!(inside.installation_id(&root), None);
    assert_eq!(inside.installation_id(&dev), Some("root"));
}

#[test]
fn only_the_named_object_is_managed() {
    let root = ClusterName::root();
    let dev = ClusterName::new("dev").expect("a name");
    let cases: &[(&str, &str, &str, Option<&str>)] = &[
        ("a:/ConfigMap:web/x", "web", "x", Some("a")),
        ("a:/ConfigMap:web/x", "web", "copy", None),
        ("a:/ConfigMap:web/x", "other", "x", None),
        ("a:/Secret:web/x", "web", "x", None),
        ("a:apps/ConfigMap:web/x", "web", "x", None),
        ("a:/ConfigMap:web/x", "", "x", Some("a")),
        (":/ConfigMap:web/x", "web", "x", None),
        ("nonsense", "web", "x", None),
        ("team_a:/ConfigMap:web/x", "web", "x", Some("team_a")),
    ];
    for (id, namespace, name, expect) in cases {
        let found = owner(&root, &meta(namespace, name, &[(TRACKING_ID, id)]), "", "ConfigMap");
        assert_eq!(found.as_ref().map(|owner| owner.instance.as_str()), *expect, "{id} on {namespace}/{name}");
    }
    let remote = meta("web", "x", &[(TRACKING_ID, "a:/ConfigMap:web/x"), (INSTALLATION_ID, "root")]);
    assert_eq!(owner(&dev, &remote, "", "ConfigMap").map(|owner| owner.cluster), Some(root.clone()));
    assert_eq!(owner(&root, &meta("web", "x", &[]), "", "ConfigMap"), None);
}
