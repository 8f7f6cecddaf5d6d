//! What a write says about fields that its kind does not know, and what came of it: the
//! strictness that was asked for, the findings of reading the body, and the warnings that
//! the answer carries. Plain values; the rules stand in `decode`.

use std::sync::Arc;

use bytes::Bytes;
use machinery::decode::Findings;
use parking_lot::Mutex;

/// What becomes of unknown and duplicate fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped.
    #[default]
    Ignore,
    /// They are dropped, and the answer says so.
    Warn,
    /// The request is refused.
    Strict,
}

impl FieldValidation {
    /// The value of the query parameter; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Warn" => Some(FieldValidation::Warn),
            "Strict" => Some(FieldValidation::Strict),
            "Ignore" => Some(FieldValidation::Ignore),
            _ => None,
        }
    }
}

/// What reading the body of a request found beside its value.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Keys stated twice.
    pub findings: Arc<Findings>,
    /// The body where it is JSON, from which findings take their order.
    pub text: Option<Bytes>,
}

/// So many warnings are held; more than an answer may carry.
const MOST_WARNINGS: usize = 256;

/// Warnings for the client, shared by everything that works on its request.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Adds a warning, once.
    pub fn add(&self, text: impl Into<String>) {
        let text = text.into();
        let mut held = self.0.lock();
        if held.len() < MOST_WARNINGS && !text.is_empty() && !held.contains(&text) {
            held.push(text);
        }
    }

    /// All of them, in the order they came.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}
