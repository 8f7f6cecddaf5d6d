//! Why an object does not fit its schema, as a place and a sentence.

use std::fmt;

/// One or more faults of an object against its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    faults: Vec<(String, String)>,
}

/// So many faults are told, and so many bytes of one step and one message.
const MOST_FAULTS: usize = 200;
const MOST_STEP_BYTES: usize = 1024;
const MOST_MESSAGE_BYTES: usize = 16 * 1024;

fn cut(mut text: String, most_bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(most_bytes));
    text
}

impl Error {
    /// A fault at the place where the walk stands.
    pub(super) fn here(message: impl Into<String>) -> Error {
        Error { faults: vec![(String::new(), cut(message.into(), MOST_MESSAGE_BYTES))] }
    }

    /// The same faults, seen from one step further up.
    pub(super) fn under(mut self, step: &dyn fmt::Display) -> Error {
        let step = cut(step.to_string(), MOST_STEP_BYTES);
        for (path, _) in &mut self.faults {
            path.insert_str(0, &step);
        }
        self
    }

    /// Both errors as one.
    pub(super) fn and(mut self, other: Error) -> Error {
        let room = MOST_FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(other.faults.into_iter().take(room));
        self
    }

    /// Whether no more faults would be told.
    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |(path, message): &(String, String)| {
            if path.is_empty() { message.clone() } else { format!("{path}: {message}") }
        };
        match self.faults.as_slice() {
            [fault] => out.write_str(&text(fault)),
            faults => {
                out.write_str("errors:")?;
                faults.iter().try_for_each(|fault| write!(out, "\n  {}", text(fault)))
            }
        }
    }
}

impl std::error::Error for Error {}
