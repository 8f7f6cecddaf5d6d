//! The one shape of an error that a person reads: what happened, where, and
//! what to do next. Each code has a page in `docs/errors/`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An error for a user. `Display` prints the title and the detail; whoever
/// reports it prints the hint.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, for example `port-in-use`; names a page in `docs/errors/`.
    pub code: String,
    /// One sentence: what happened, and where.
    pub title: String,
    /// What lay beneath it, if anything is worth saying.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

impl Diagnostic {
    /// A diagnostic with a code and its sentence.
    pub fn new(code: &str, title: impl Into<String>) -> Self {
        Diagnostic { code: code.to_owned(), title: title.into(), detail: String::new(), hint: String::new() }
    }

    /// Adds what lay beneath.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = detail.to_string();
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.title)?;
        if !self.detail.is_empty() {
            write!(out, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
