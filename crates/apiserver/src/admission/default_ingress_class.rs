//! DefaultIngressClass: an ingress that names no class gets the default one.

use api::Status;
use serde_json::{Value, json};

use super::{Attributes, newest};
use crate::tree::Tree;

const ANNOTATION: &str = "ingressclass.kubernetes.io/is-default-class";
const OLDER_NAME: &str = "kubernetes.io/ingress.class";

pub(super) fn create(attributes: &Attributes<'_>, object: &mut Tree) -> Result<(), Status> {
    if !attributes.is("networking.k8s.io", "ingresses") || names_class(object) {
        return Ok(());
    }
    let classes = attributes.view.list("networking.k8s.io", "ingressclasses")?;
    let default = newest::default_of(&classes, &[ANNOTATION]);
    let spec = object.entry("spec").or_insert_with(|| json!({})).as_object_mut();
    if let (Some(default), Some(spec)) = (default, spec) {
        spec.insert("ingressClassName".into(), json!(default));
    }
    Ok(())
}

fn names_class(ingress: &Tree) -> bool {
    let annotations = ingress.get("metadata").and_then(|meta| meta.get("annotations"));
    let stated = ingress.get("spec").and_then(|spec| spec.get("ingressClassName"));
    annotations.and_then(|annotations| annotations.get(OLDER_NAME)).is_some()
        || stated.is_some_and(|class| *class != Value::Null)
}
