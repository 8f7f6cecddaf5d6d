//! Encryption at rest as the store sees it: two functions and a key's number.
//! No cipher and no key may live here; the server brings them.

/// Encrypts and decrypts values on their way to and from the log.
pub trait Sealer: Send + Sync {
    /// Number of the key that new values are sealed with. Never 0, which marks
    /// a plain value.
    fn current_key_id(&self) -> u32;

    /// Seals `plain`, bound to `aad`: opening with other `aad` must fail. The
    /// store binds each record to its key and revision.
    fn seal(&self, key_id: u32, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError>;

    /// The inverse of [`Sealer::seal`].
    fn open(&self, key_id: u32, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// Why a value could not be sealed or opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SealError {
    /// The sealer does not know this key.
    #[error("encryption key {0} is not known")]
    UnknownKey(u32),
    /// Values of this topic must be sealed, but the store was opened without a sealer.
    #[error("the value must be sealed, but no encryption key is configured")]
    NoSealer,
    /// The sealed bytes do not belong to this key and record, or were changed.
    #[error("the sealed value does not open: {0}")]
    Refused(String),
}
