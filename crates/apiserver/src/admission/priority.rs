//! Priority: the class that a pod names, or the default one, says how important it is,
//! and nobody else does. Of the classes only one is the default.

use api::Status;
use serde_json::{Value, json};

use super::{Attributes, pods};
use crate::tree::{Tree, meta_text};

const GROUP: &str = "scheduling.k8s.io";
const PLURAL: &str = "priorityclasses";
const PREEMPTS: &str = "PreemptLowerPriority";

pub(super) fn create(attributes: &Attributes<'_>, object: &mut Tree) -> Result<(), Status> {
    only_default(attributes, object)?;
    let Some(spec) = pods::spec(attributes, object) else { return Ok(()) };
    let class = match pods::text(spec, "priorityClassName") {
        "" => default_class(attributes)?,
        name => match attributes.view.get(GROUP, PLURAL, "", name) {
            Some(class) => Some(class),
            None => {
                let why = format!("no PriorityClass with name {name} was found");
                return Err(attributes.forbidden(object, &why));
            }
        },
    };
    let number = |class: &Tree| class.get("value").and_then(Value::as_i64).unwrap_or_default();
    let priority = class.as_ref().map_or(0, number);
    let policy = class.as_ref().and_then(|class| class.get("preemptionPolicy")?.as_str()).unwrap_or(PREEMPTS);
    let refusal = contradiction(spec, priority, policy);
    if let Some(class) = &class {
        spec.insert("priorityClassName".into(), json!(meta_text(class, "name")));
    }
    spec.insert("priority".into(), json!(priority));
    spec.insert("preemptionPolicy".into(), json!(policy));
    refusal.map_or(Ok(()), |why| Err(attributes.forbidden(object, &why)))
}

pub(super) fn update(attributes: &Attributes<'_>, old: &Tree, object: &mut Tree) -> Result<(), Status> {
    only_default(attributes, object)?;
    let Some(spec) = pods::spec(attributes, object) else { return Ok(()) };
    for field in ["priority", "preemptionPolicy"] {
        let held = old.get("spec").and_then(|spec| spec.get(field));
        if let Some(held) = held.filter(|_| spec.get(field).is_none_or(Value::is_null)) {
            spec.insert(field.into(), held.clone());
        }
    }
    Ok(())
}

/// What a pod says of its importance must be what its class says.
fn contradiction(spec: &serde_json::Map<String, Value>, priority: i64, policy: &str) -> Option<String> {
    let stated = spec.get("priority").and_then(Value::as_i64);
    if let Some(stated) = stated.filter(|stated| *stated != priority) {
        return Some(format!(
            "the integer value of priority ({stated}) must not be provided in pod spec; priority admission controller \
             computed {priority} from the given PriorityClass name"
        ));
    }
    let stated = pods::text(spec, "preemptionPolicy");
    (!stated.is_empty() && stated != policy).then(|| {
        format!(
            "the string value of PreemptionPolicy ({stated}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        )
    })
}

/// Of several defaults, which there should not be, the least important one.
fn default_class(attributes: &Attributes<'_>) -> Result<Option<Tree>, Status> {
    let classes = attributes.view.list(GROUP, PLURAL)?;
    let value = |class: &Tree| class.get("value").and_then(Value::as_i64).unwrap_or_default();
    Ok(classes.into_iter().filter(is_default).min_by_key(value))
}

fn is_default(class: &Tree) -> bool {
    class.get("globalDefault") == Some(&json!(true))
}

fn only_default(attributes: &Attributes<'_>, object: &Tree) -> Result<(), Status> {
    if !attributes.is(GROUP, PLURAL) || !is_default(object) {
        return Ok(());
    }
    let name = meta_text(object, "name");
    let classes = attributes.view.list(GROUP, PLURAL)?;
    match classes.iter().find(|class| is_default(class) && meta_text(class, "name") != name) {
        None => Ok(()),
        Some(other) => {
            let why = format!(
                "PriorityClass {} is already marked as default. Only one default can exist",
                meta_text(other, "name")
            );
            Err(attributes.forbidden(object, &why))
        }
    }
}
