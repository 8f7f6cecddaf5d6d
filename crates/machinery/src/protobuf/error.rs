//! Why a protobuf body is refused, in sentences that name what was wrong with
//! it. What status that makes is for the server to say.

use api::name::Gvk;

/// First bytes of every body.
pub(super) const MAGIC: &[u8] = b"k8s\0";

/// Why a body is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The body does not begin as Kubernetes' protobuf bodies do.
    #[error("provided data does not appear to be a protobuf message, expected prefix {MAGIC:?}")]
    Magic,
    /// A length or number runs past the end.
    #[error("unexpected end of protobuf data")]
    Truncated,
    /// A number of more than 64 bits.
    #[error("protobuf number overflows")]
    Overflow,
    /// A field number of zero, or an unknown wire type.
    #[error("illegal protobuf tag {0}")]
    Tag(u64),
    /// A field in another encoding than its type has.
    #[error("wrong protobuf wire type {wire} for field {field}")]
    WireType {
        /// The wire type found.
        wire: u8,
        /// JSON name of the field.
        field: String,
    },
    /// Text that is not UTF-8.
    #[error("protobuf text is not UTF-8")]
    Utf8,
    /// Raw JSON inside the body that is not JSON.
    #[error("raw JSON in protobuf data cannot be read: {0}")]
    Json(String),
    /// A time, number or union outside of what JSON can say.
    #[error("protobuf value out of range for {0}")]
    Range(&'static str),
    /// More than [`base::limits::NESTING`] levels.
    #[error("protobuf data is nested too deeply")]
    Nesting,
    /// The body is larger than a request may be, or unfolds into too much.
    #[error("protobuf data is too large")]
    TooLarge,
    /// The body is of no type in the table.
    #[error("no kind \"{}\" is registered for version \"{}\"", .0.kind, .0.api_version())]
    UnknownKind(Gvk),
    /// The body wraps something in another encoding.
    #[error("unsupported content inside protobuf envelope: {0}")]
    Content(String),
}
