//! Subresources that are posted to: they do something to an object, or for it, and store
//! nothing of what was sent. This file only knows which there are and what they are sent;
//! what each does stands in a file of its own.

use api::{Gvk, Status};
use serde_json::{Value, json};

use super::decode;
use super::server::{ApiServer, Subject, Write};
use crate::tree::{Tree, meta_text};

/// Something that can be done to an object by a POST to one of its subresources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// `pods/binding`: the pod is given a node.
    Bind,
    /// `pods/eviction`: the pod is deleted, if its budget allows it.
    Evict,
}

impl Act {
    /// What a POST to a subresource does, if it does anything.
    pub fn of(subject: &Subject, subresource: &str) -> Option<Act> {
        let kind = &subject.kind.descriptor;
        match (&*kind.gvk.group, &*kind.plural, subresource) {
            ("", "pods", "binding") => Some(Act::Bind),
            ("", "pods", "eviction") => Some(Act::Evict),
            _ => None,
        }
    }

    /// The kind of object that is sent.
    pub fn sent(self) -> Gvk {
        match self {
            Act::Bind => Gvk::new("", "v1", "Binding"),
            Act::Evict => Gvk::new("policy", "v1", "Eviction"),
        }
    }
}

impl ApiServer {
    /// Does what was posted to an object, and returns the answer as JSON.
    pub async fn act(
        &self,
        subject: &Subject,
        name: &str,
        act: Act,
        mut sent: Tree,
        write: &Write,
    ) -> Result<Value, Status> {
        decode::sent_as(&act.sent(), &mut sent, write)?;
        self.place(subject, &mut sent)?;
        if meta_text(&sent, "name") != name {
            let kind = act.sent().kind;
            return Err(Status::bad_request(format!("name in URL does not match name in {kind} object")));
        }
        match act {
            Act::Bind => self.bind(subject, name, sent, write).await.map(|()| success()),
            Act::Evict => self.evict(subject, name, &sent, write).await.map(|()| success()),
        }
    }
}

/// The `Status` of what was done and has nothing to show.
pub(super) fn success() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}
