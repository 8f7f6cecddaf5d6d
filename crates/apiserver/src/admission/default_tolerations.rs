//! DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or not
//! to be reached, unless it says how long.

use api::Status;
use serde_json::{Value, json};

use super::{Attributes, pods};
use crate::tree::Tree;

const SECONDS: i64 = 300;
const TAINTS: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

pub(super) fn create(attributes: &Attributes<'_>, object: &mut Tree) -> Result<(), Status> {
    let Some(tolerations) = pods::spec(attributes, object).and_then(|spec| pods::list(spec, "tolerations")) else {
        return Ok(());
    };
    let text =
        |toleration: &Value, field: &str| toleration.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    for taint in TAINTS {
        let is_tolerated = tolerations.iter().any(|toleration| {
            let (key, effect) = (text(toleration, "key"), text(toleration, "effect"));
            (key == taint || key.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if !is_tolerated {
            tolerations.push(json!({
                "key": taint,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": SECONDS,
            }));
        }
    }
    Ok(())
}

pub(super) fn update(attributes: &Attributes<'_>, _old: &Tree, object: &mut Tree) -> Result<(), Status> {
    create(attributes, object)
}
