//! The edges of reading JSON as Go reads it: bytes that are no UTF-8, escapes that are no
//! characters, and the words for a text that is no JSON. Linear in the text, whatever it
//! holds.

use std::borrow::Cow;

/// Why a text cannot be read, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(super) String);

/// The text with a replacement character for every byte that is none of UTF-8.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for _ in chunk.invalid() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(out)
}

/// The text with a replacement character in place of every escaped half of a surrogate
/// pair that stands alone; `None` if there is none.
pub(super) fn without_lone_surrogates(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        let start = at + found;
        at = start + 2;
        match half(bytes, start) {
            Some(Half::High) if matches!(half(bytes, start + 6), Some(Half::Low)) => at = start + 12,
            Some(_) => {
                out.push_str(&text[copied..start]);
                out.push_str("\\ufffd");
                at = start + 6;
                copied = at;
            }
            None => {}
        }
        if at >= bytes.len() {
            break;
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

enum Half {
    High,
    Low,
}

/// The half of a surrogate pair that is escaped at a place.
fn half(bytes: &[u8], at: usize) -> Option<Half> {
    let escape = bytes.get(at..at + 6)?;
    if escape[0] != b'\\' || escape[1] != b'u' || !escape[2].eq_ignore_ascii_case(&b'd') {
        return None;
    }
    if !escape[3..].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    match escape[3].to_ascii_lowercase() {
        b'8' | b'9' | b'a' | b'b' => Some(Half::High),
        b'c'..=b'f' => Some(Half::Low),
        _ => None,
    }
}

/// What Go says of a text that cannot be read.
pub(super) fn explain(text: &str, error: &serde_json::Error) -> Unreadable {
    let words = error.to_string();
    if error.is_eof() || text.trim().is_empty() {
        return Unreadable("unexpected end of JSON input".to_owned());
    }
    let place = match words.split(" at line").next().unwrap_or_default() {
        "trailing characters" => "after top-level value",
        "key must be a string" => "looking for beginning of object key string",
        "trailing comma" if found(text, error) == Some('}') => "looking for beginning of object key string",
        "expected `,` or `}`" => "after object key:value pair",
        "expected `,` or `]`" => "after array element",
        "expected `:`" => "after object key",
        "recursion limit exceeded" => "exceeded max depth",
        "number out of range" => {
            return Unreadable("json: cannot unmarshal number into Go value of type float64".into());
        }
        "invalid escape" => "in string escape code",
        "expected ident" => "in literal",
        "invalid number" => "in numeric literal",
        other if other.starts_with("control character") => "in string literal",
        _ => "looking for beginning of value",
    };
    match found(text, error) {
        Some(character) => Unreadable(format!("invalid character {} {place}", quoted(character))),
        None => Unreadable(format!("invalid character {place}")),
    }
}

fn quoted(character: char) -> String {
    match character {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        other if other.is_control() => format!("'\\x{:02x}'", u32::from(other)),
        other => format!("'{other}'"),
    }
}

/// The character that the error is about.
fn found(text: &str, error: &serde_json::Error) -> Option<char> {
    let line = text.split('\n').nth(error.line().checked_sub(1)?)?;
    // Columns count bytes, from 1.
    let rest = line.as_bytes().get(error.column().saturating_sub(1)..)?;
    let first = rest.utf8_chunks().next()?;
    first.valid().chars().next()
}
