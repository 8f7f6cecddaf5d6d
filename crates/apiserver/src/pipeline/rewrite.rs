//! Changes that the server itself makes to a stored object: whatever the change says is
//! stored, again if another write comes between. Nobody is admitted or comes to own fields
//! here; what clients write goes through `update`.

use api::Status;

use super::server::{ApiServer, Subject};
use crate::allocation::Plan;
use crate::custom;
use crate::record::{Record, split};
use crate::tree::Tree;

/// How often a change is made anew when others come between. Of many that change one object
/// at once, one succeeds each time.
const ATTEMPTS: usize = 200;

impl ApiServer {
    /// Changes an object as stored, and returns it. What `change` refuses is refused.
    pub(super) async fn rewrite(
        &self,
        subject: &Subject,
        name: &str,
        dry_run: bool,
        change: impl Fn(&mut Tree) -> Result<(), Status>,
    ) -> Result<Record, Status> {
        let kind = &subject.kind.descriptor;
        for _ in 0..ATTEMPTS {
            let entry = self.find(subject, name)?;
            let stored = custom::record(&subject.kind, &entry);
            let mut object = stored.value(kind)?;
            change(&mut object)?;
            let segments = split(kind, object)?;
            if segments.meta == stored.meta && segments.body == stored.body {
                return Ok(stored);
            }
            let value = segments.bounded()?;
            if dry_run {
                return Ok(Record { meta: value.meta, body: value.body, revision: entry.revision });
            }
            match self.commit_over(subject, &entry, value, false, &Plan::default()).await {
                Ok(Some(record)) => return Ok(record),
                Ok(None) => {}
                Err(status) if status.is_conflict() => {}
                Err(status) => return Err(status),
            }
        }
        Err(Status::stale(&subject.gvr(), name))
    }
}
