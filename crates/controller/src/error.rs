//! What a reconcile can fail with: the API's `Status`, or any other error as
//! its text. The runtime only asks whether it was a lost race.

use std::any::Any;
use std::fmt;

use api::Status;

/// Why a reconcile failed. Made from any error by `?`; a [`Status`] stays one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The API refused.
    Status(Status),
    /// Anything else, its causes included.
    Other(String),
}

impl Error {
    /// An error that is only a sentence.
    pub fn msg(sentence: impl fmt::Display) -> Self {
        Error::Other(sentence.to_string())
    }

    /// The API's answer, if that is what it is.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Error::Status(status) => Some(status),
            Error::Other(_) => None,
        }
    }

    /// Whether a write raced another: trying again from the newest state is all there is to do.
    pub fn is_conflict(&self) -> bool {
        self.status().is_some_and(Status::is_conflict)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Status(status) => status.fmt(out),
            Error::Other(sentence) => out.write_str(sentence),
        }
    }
}

/// `Error` is no `std::error::Error` itself, so that this can be for all that are.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        if let Some(status) = (&error as &dyn Any).downcast_ref::<Status>() {
            return Error::Status(status.clone());
        }
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Error::Other(text)
    }
}
