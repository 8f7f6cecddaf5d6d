//! What a sync has done so far, task by task, as the Application's status keeps it:
//! the only memory of a sync. It must never look at objects.

use super::decide::Stage;
use crate::task::Task;
use crate::types::ResourceResult;

/// Results so far, in the order in which they came.
pub struct Results {
    list: Vec<ResourceResult>,
    has_news: bool,
}

impl Results {
    /// Goes on from what is stored.
    pub fn new(before: &[ResourceResult]) -> Self {
        Results { list: before.to_vec(), has_news: false }
    }

    /// The results.
    pub fn into_list(self) -> Vec<ResourceResult> {
        self.list
    }

    /// Whether a hook was found to have ended: that must be stored before anything is done to the
    /// hook, which might not be there to tell it a second time.
    pub fn has_news(&self) -> bool {
        self.has_news
    }

    /// The result of a task.
    pub fn get(&self, task: &Task) -> Option<&ResourceResult> {
        self.find(task).map(|index| &self.list[index])
    }

    /// How far a task is.
    pub fn stage(&self, task: &Task) -> Stage {
        Stage::of(self.get(task))
    }

    /// What was said of a task that could not be applied.
    pub fn refusal(&self, task: &Task) -> Option<&str> {
        self.get(task).filter(|result| result.status == "SyncFailed").map(|result| result.message.as_str())
    }

    /// Says what was done.
    pub fn set(&mut self, task: &Task, status: &str, message: &str, stage: Stage) {
        let index = self.entry(task);
        let result = &mut self.list[index];
        result.status = status.into();
        result.message = message.into();
        result.hook_phase = stage.word().into();
    }

    /// Says that a hook is about to be made; what is found under its name from then on is its.
    pub fn intend(&mut self, task: &Task) {
        self.entry(task);
    }

    /// Says how far a task is now.
    pub fn judge(&mut self, task: &Task, stage: Stage, message: &str) {
        let has_ended = stage.is_completed() && !self.stage(task).is_completed();
        self.has_news |= has_ended && task.is_hook();
        let index = self.entry(task);
        let result = &mut self.list[index];
        result.hook_phase = stage.word().into();
        if !message.is_empty() {
            result.message = message.into();
        }
    }

    fn entry(&mut self, task: &Task) -> usize {
        self.find(task).unwrap_or_else(|| {
            self.list.push(ResourceResult {
                group: task.key.group.to_string(),
                version: task.gvk.version.to_string(),
                kind: task.key.kind.to_string(),
                namespace: task.key.namespace.to_string(),
                name: task.key.name.to_string(),
                sync_phase: task.phase.word().into(),
                hook_type: if task.is_hook() { task.phase.word().into() } else { String::new() },
                ..ResourceResult::default()
            });
            self.list.len() - 1
        })
    }

    fn find(&self, task: &Task) -> Option<usize> {
        self.list.iter().position(|result| {
            result.name == *task.key.name
                && result.namespace == *task.key.namespace
                && result.kind == *task.key.kind
                && result.group == *task.key.group
                && result.sync_phase == task.phase.word()
                && result.hook_type.is_empty() != task.is_hook()
        })
    }
}
