//! What a write takes and releases beside its object, as steps of its transaction, and
//! why something could not be given.

use api::{Cause, Status};
use store::{Expect, Key, Transaction, Value};

/// The steps.
#[derive(Default)]
pub(crate) struct Plan {
    take: Vec<(Key, Value)>,
    release: Vec<(Key, u64)>,
}

impl Plan {
    /// Adds something to be taken, if it is still free then.
    pub fn take(&mut self, key: Key, value: Value) {
        self.take.push((key, value));
    }

    /// Adds something to be released, if it is still what it was at this revision.
    pub fn release(&mut self, key: Key, revision: u64) {
        self.release.push((key, revision));
    }

    /// Whether the plan takes this already.
    pub fn takes(&self, key: &Key) -> bool {
        self.take.iter().any(|(taken, _)| taken == key)
    }

    /// Adds the steps to a transaction, after those that are there.
    #[must_use]
    pub fn add_to(&self, transaction: Transaction) -> Transaction {
        let taken = self
            .take
            .iter()
            .fold(transaction, |transaction, (key, value)| transaction.put(key.clone(), value.clone(), Expect::Absent));
        let release = |transaction: Transaction, (key, revision): &(Key, u64)| {
            transaction.delete(key.clone(), Expect::Revision(*revision))
        };
        self.release.iter().fold(taken, release)
    }

    /// Whether a conflict at this key is one of the plan, and another plan may do.
    pub fn concerns(&self, key: &Key) -> bool {
        self.takes(key) || self.release.iter().any(|(released, _)| released == key)
    }
}

/// Why something could not be given.
pub(super) enum Refusal {
    /// What was asked for is wrong or taken.
    Invalid(Cause),
    /// There is nothing left.
    Full(&'static str),
}

impl Refusal {
    /// An invalid value at a field.
    pub fn invalid(field: &str, value: &serde_json::Value, why: &str) -> Self {
        Refusal::Invalid(Cause {
            reason: "FieldValueInvalid".into(),
            message: format!("Invalid value: {value}: {why}"),
            field: field.to_owned(),
        })
    }

    /// As an answer.
    pub fn into_status(self, invalid: impl Fn(Vec<Cause>) -> Status) -> Status {
        match self {
            Refusal::Invalid(cause) => invalid(vec![cause]),
            Refusal::Full(what) => Status::internal(format_args!("failed to allocate a {what}: range is full")),
        }
    }
}
