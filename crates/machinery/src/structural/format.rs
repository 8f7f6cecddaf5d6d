//! The formats that Kubernetes enforces, by name, and which of them count for a
//! type. What a format means stands in the files below; no schema is known here.

mod names;
mod net;
mod numbers;
mod time;

/// A format that is enforced. Others are ignored, as Kubernetes ignores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Format {
    Int32,
    Int64,
    Float,
    Double,
    BsonObjectId,
    Uri,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Cidr,
    Mac,
    Uuid,
    Uuid3,
    Uuid4,
    Uuid5,
    Isbn,
    Isbn10,
    Isbn13,
    CreditCard,
    Ssn,
    HexColor,
    RgbColor,
    Byte,
    Password,
    Date,
    Duration,
    DateTime,
    Datetime,
    ShortName,
    LongName,
}

/// Formats of text by the names they go by.
const TEXT: [(&str, Format); 27] = [
    ("bsonobjectid", Format::BsonObjectId),
    ("uri", Format::Uri),
    ("email", Format::Email),
    ("hostname", Format::Hostname),
    ("ipv4", Format::Ipv4),
    ("ipv6", Format::Ipv6),
    ("cidr", Format::Cidr),
    ("mac", Format::Mac),
    ("uuid", Format::Uuid),
    ("uuid3", Format::Uuid3),
    ("uuid4", Format::Uuid4),
    ("uuid5", Format::Uuid5),
    ("isbn", Format::Isbn),
    ("isbn10", Format::Isbn10),
    ("isbn13", Format::Isbn13),
    ("creditcard", Format::CreditCard),
    ("ssn", Format::Ssn),
    ("hexcolor", Format::HexColor),
    ("rgbcolor", Format::RgbColor),
    ("byte", Format::Byte),
    ("password", Format::Password),
    ("date", Format::Date),
    ("duration", Format::Duration),
    ("date-time", Format::DateTime),
    ("datetime", Format::Datetime),
    ("k8s-short-name", Format::ShortName),
    ("k8s-long-name", Format::LongName),
];

impl Format {
    /// The format of this name, if it is enforced on values of a type; the empty type means
    /// text or whatever.
    pub(super) fn of(name: &str, kind: &str) -> Option<Self> {
        match (kind, name) {
            ("integer", "int32") => Some(Format::Int32),
            ("integer", "int64") => Some(Format::Int64),
            ("number", "float") => Some(Format::Float),
            ("number", "double") => Some(Format::Double),
            ("" | "string", _) => TEXT.iter().find(|(known, _)| *known == name).map(|(_, format)| *format),
            _ => None,
        }
    }

    /// The name, as causes show it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Int32 => "int32",
            Format::Int64 => "int64",
            Format::Float => "float",
            Format::Double => "double",
            other => TEXT.iter().find(|(_, format)| *format == other).map_or("", |(name, _)| name),
        }
    }

    /// Whether a text has this format. Formats of numbers hold for every text.
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Format::Int32 | Format::Int64 | Format::Float | Format::Double | Format::Password => true,
            Format::BsonObjectId => text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Format::Uri => net::is_uri(text),
            Format::Email => names::is_email(text),
            Format::Hostname => names::is_hostname(text),
            Format::Ipv4 => text.contains('.') && net::is_ip_sloppy(text),
            Format::Ipv6 => text.contains(':') && text.parse::<std::net::Ipv6Addr>().is_ok(),
            Format::Cidr => net::is_cidr(text),
            Format::Mac => net::is_mac(text),
            Format::Uuid => numbers::is_uuid(text, None),
            Format::Uuid3 => numbers::is_uuid(text, Some(b'3')),
            Format::Uuid4 => numbers::is_uuid(text, Some(b'4')),
            Format::Uuid5 => numbers::is_uuid(text, Some(b'5')),
            Format::Isbn => numbers::is_isbn10(text) || numbers::is_isbn13(text),
            Format::Isbn10 => numbers::is_isbn10(text),
            Format::Isbn13 => numbers::is_isbn13(text),
            Format::CreditCard => numbers::is_credit_card(text),
            Format::Ssn => numbers::is_ssn(text),
            Format::HexColor => numbers::is_hex_color(text),
            Format::RgbColor => numbers::is_rgb_color(text),
            Format::Byte => numbers::is_base64(text),
            Format::Date => time::is_date(text),
            Format::Duration => time::is_duration(text),
            Format::DateTime | Format::Datetime => time::is_date_time(text),
            Format::ShortName => text.len() <= 63 && crate::validate::dns_label(text).is_empty(),
            Format::LongName => text.len() <= 253 && crate::validate::dns_subdomain(text).is_empty(),
        }
    }
}
