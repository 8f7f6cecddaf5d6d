//! The few numbers kept beside the log, by name. It must never change the
//! meaning of a name that was once written.

use std::collections::HashMap;

use crate::key::Topic;

/// The counter was at least here.
pub(crate) const REVISION: &str = "revision";
/// Revisions up to here may have been given to volatile writes; 0 when the log
/// was closed in order.
pub(crate) const CEILING: &str = "ceiling";
/// What volatile topics did up to here may have been lost in a crash.
pub(crate) const VOLATILE_FLOOR: &str = "volatile-floor";
const FLOOR: &str = "floor:";

/// The notes of a log, sorted.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub revision: u64,
    pub ceiling: u64,
    pub volatile_floor: u64,
    pub floors: HashMap<Topic, u64>,
}

impl Notes {
    /// Sorts what an engine kept. Unknown names are left alone.
    pub fn sorted(notes: Vec<(String, u64)>) -> Self {
        let mut sorted = Notes::default();
        for (name, value) in notes {
            match name.as_str() {
                REVISION => sorted.revision = value,
                CEILING => sorted.ceiling = value,
                VOLATILE_FLOOR => sorted.volatile_floor = value,
                other => {
                    if let Some((group, resource)) = other.strip_prefix(FLOOR).and_then(|rest| rest.rsplit_once('/')) {
                        sorted.floors.insert(Topic { group: group.into(), resource: resource.into() }, value);
                    }
                }
            }
        }
        sorted
    }
}

/// The name of a topic's floor.
pub(crate) fn floor_of(topic: &Topic) -> String {
    format!("{FLOOR}{}/{}", topic.group, topic.resource)
}
