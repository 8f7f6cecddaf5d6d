//! Conflicts: an applier states another value for a field that somebody else
//! owns. Told in Kubernetes' words, which clients show and scripts look for.

use std::fmt;

use super::managers::{Manager, Operation};

/// One field that somebody else owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The owner, as messages show it.
    pub manager: String,
    /// The field, as messages show it.
    pub field: String,
}

/// All conflicts of one apply, by owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

/// An owner as messages show it.
pub(super) fn owner_text(manager: &Manager) -> String {
    let mut text = format!("{:?}", manager.name);
    if !manager.subresource.is_empty() {
        text.push_str(&format!(" with subresource {:?}", manager.subresource));
    }
    if manager.operation == Operation::Update {
        text.push_str(&format!(" using {}", manager.api_version));
    }
    text
}

impl fmt::Display for Conflicts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.0.as_slice() {
            return write!(out, "Apply failed with 1 conflict: conflict with {}: {}", one.manager, one.field);
        }
        write!(out, "Apply failed with {} conflicts: ", self.0.len())?;
        let mut owner = None;
        for conflict in &self.0 {
            if owner != Some(&conflict.manager) {
                let line = if owner.is_some() { "\n" } else { "" };
                write!(out, "{line}conflicts with {}:", conflict.manager)?;
                owner = Some(&conflict.manager);
            }
            write!(out, "\n- {}", conflict.field)?;
        }
        Ok(())
    }
}
