//! The parts of an object that are written each by itself: the object, its status, a
//! namespace's finalizers, the replicas. It says what they are called, and nothing of what a
//! write to them does.

use api::Status;

use super::server::Subject;

/// Which part of an object a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything but the status, for kinds whose status is a subresource.
    Main,
    /// The status alone.
    Status,
    /// A namespace's `spec.finalizers`.
    Finalize,
    /// The replicas, through the `scale` subresource.
    Scale,
    /// A pod's `spec.ephemeralContainers`.
    EphemeralContainers,
    /// The resources of a pod's containers.
    Resize,
}

impl Part {
    /// The part that a subresource path names.
    pub fn of(subject: &Subject, subresource: Option<&str>) -> Result<Part, Status> {
        let kind = &subject.kind.descriptor;
        match subresource {
            None => Ok(Part::Main),
            Some("status") if kind.subresources.status => Ok(Part::Status),
            Some("ephemeralcontainers") if is_pods(kind) => Ok(Part::EphemeralContainers),
            Some("resize") if is_pods(kind) => Ok(Part::Resize),
            Some("finalize") if kind.gvk.group.is_empty() && &*kind.plural == "namespaces" => Ok(Part::Finalize),
            Some(_) => Err(Status::no_such_resource()),
        }
    }

    /// Whether the part is of what is wanted, whose changes a generation counts.
    pub fn is_wanted(self) -> bool {
        self.is_object() || self.is_of_pods()
    }

    /// Whether only pods have the part.
    pub fn is_of_pods(self) -> bool {
        matches!(self, Part::EphemeralContainers | Part::Resize)
    }

    /// Whether a write to the part is one to the object itself, and not to what is told of it.
    pub fn is_object(self) -> bool {
        matches!(self, Part::Main | Part::Scale)
    }

    /// The subresource that the part is; empty for the object itself.
    pub fn subresource(self) -> &'static str {
        match self {
            Part::Main => "",
            Part::Status => "status",
            Part::Finalize => "finalize",
            Part::Scale => "scale",
            Part::EphemeralContainers => "ephemeralcontainers",
            Part::Resize => "resize",
        }
    }
}

fn is_pods(kind: &api::KindDescriptor) -> bool {
    kind.gvk.group.is_empty() && &*kind.plural == "pods"
}
