//! From client-side to server-side apply: what an object owes to earlier client-side
//! applies becomes owned by the Applications' manager, so that what is stated no more
//! goes with the next apply, as it would have gone before. Pure.

use machinery::ownership::{Manager, Managers, Operation};
use serde_json::Value;

use crate::normalise::{FIELD_MANAGER, LAST_APPLIED};
use crate::resource;

/// Managers that apply from the client side, kubectl's and Argo CD's own.
const CLIENT_SIDE: [&str; 2] = ["kubectl-client-side-apply", FIELD_MANAGER];

/// Whether an Application's manager owns anything of an object by having applied it.
pub fn is_owned(live: &Value) -> bool {
    managers(live).is_some_and(|managers| managers.iter().any(is_ours))
}

/// The object as it is after the migration, to be written over the one that was read; `None` if
/// there is nothing to migrate.
pub fn to_server_side(live: &Value) -> Option<Value> {
    // What Applications wrote without a record, such as in the place of another object, is theirs.
    let is_recorded = resource::annotation(live, LAST_APPLIED).is_some();
    let is_earlier = |manager: &Manager| is_client_side(manager) && (is_recorded || manager.name == FIELD_MANAGER);
    let managers = managers(live)?;
    let earlier: Vec<&Manager> = managers.iter().filter(|manager| is_earlier(manager)).collect();
    let newest = earlier.iter().max_by_key(|manager| manager.time.clone())?;
    let ours = Manager { name: FIELD_MANAGER.to_owned(), operation: Operation::Apply, ..(**newest).clone() };
    let fields = earlier.iter().fold(ours.fields.clone(), |fields, manager| fields.union(&manager.fields));
    let migrated = managers.clone().moved(&is_earlier, Manager { fields, ..ours });
    let mut object = live.clone();
    object["metadata"]["managedFields"] = migrated.write()?;
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    Some(object)
}

fn managers(live: &Value) -> Option<Managers> {
    Managers::read(live.pointer("/metadata/managedFields")).ok()
}

/// Whether these fields are owned for having been applied by Applications.
pub fn is_ours(manager: &Manager) -> bool {
    manager.name == FIELD_MANAGER && manager.operation == Operation::Apply && manager.subresource.is_empty()
}

fn is_client_side(manager: &Manager) -> bool {
    CLIENT_SIDE.contains(&manager.name.as_str())
        && manager.operation == Operation::Update
        && manager.subresource.is_empty()
}
