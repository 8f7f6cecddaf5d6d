//! Why an object is no object of its type, in Go's words. Go's decoder goes on after a value
//! of another type and reports the first, unless a value's own reader (a time, a quantity)
//! refuses: that ends it. So all faults are kept, few of them, until it is known which
//! comes first in the text.

use std::fmt;

use super::findings::Order;

/// So many faults are kept.
const MOST_FAULTS: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where it is.
    pub path: String,
    pub text: String,
    /// What Kubernetes' converter from trees says instead, where it differs.
    pub converter: Option<String>,
    /// Whether Go's decoder reads no further.
    pub ends: bool,
}

impl Fault {
    pub fn new(text: impl Into<String>) -> Self {
        Fault { path: String::new(), text: text.into(), converter: None, ends: false }
    }

    pub fn ending(text: impl Into<String>) -> Self {
        Fault { ends: true, ..Fault::new(text) }
    }
}

/// Why an object is no object of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    first: Fault,
    faults: Vec<Fault>,
}

impl Error {
    /// The error that these faults are; `None` if there are none.
    pub(super) fn of(faults: Vec<Fault>) -> Option<Self> {
        let first = faults.iter().find(|fault| fault.ends).or(faults.first())?.clone();
        Some(Error { first, faults })
    }

    pub(super) fn keep(faults: &mut Vec<Fault>, fault: Fault) {
        if faults.len() < MOST_FAULTS {
            faults.push(fault);
        }
    }

    /// Where the faults are, for [`super::order`].
    pub fn paths(&self) -> Vec<String> {
        self.faults.iter().map(|fault| fault.path.clone()).collect()
    }

    /// The error as it is in a text with this order.
    #[must_use]
    pub fn in_order(mut self, order: &Order) -> Self {
        let earliest = self.faults.iter().min_by_key(|fault| (!fault.ends, order.at(&fault.path)));
        if let Some(fault) = earliest {
            self.first = fault.clone();
        }
        self
    }

    /// The words for a tree that was never text, as after a strategic merge.
    pub fn of_tree(&self) -> &str {
        self.first.converter.as_deref().unwrap_or(&self.first.text)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.first.text)
    }
}

impl std::error::Error for Error {}
