//! Who may do what. Until access control comes, the group `system:masters` may
//! do everything and nobody else anything.

use api::{Gvr, Status};
use contracts::auth::Identity;

/// Lets a caller do `verb` on a resource, or says why not.
pub fn authorize(who: &Identity, verb: &str, gvr: &Gvr, namespace: Option<&str>, name: &str) -> Result<(), Status> {
    if who.is_master() {
        return Ok(());
    }
    let place = match namespace {
        Some(namespace) => format!("in the namespace \"{namespace}\""),
        None => "at the cluster scope".to_owned(),
    };
    let why = format!(
        "User \"{}\" cannot {verb} resource \"{}\" in API group \"{}\" {place}",
        who.user, gvr.resource, gvr.group
    );
    Err(Status::forbidden(gvr, name, &why))
}
