//! Options of writes that come with the query and the headers: dry run, the
//! name of the field manager, force. Checked in Kubernetes' words.

use api::{Cause, Status};
use http::{HeaderMap, header};

use super::query::Query;
use crate::pipeline::Write;

/// Bytes that the name of a field manager may have.
const MOST_MANAGER_BYTES: usize = 128;

/// What kind of write the options are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH, but no apply.
    Patch,
    /// Server-side apply.
    Apply,
}

impl Verb {
    fn options(self) -> &'static str {
        match self {
            Verb::Create => "CreateOptions",
            Verb::Update => "UpdateOptions",
            Verb::Patch | Verb::Apply => "PatchOptions",
        }
    }
}

/// The options of a write.
pub fn options(verb: Verb, query: &Query, headers: &HeaderMap) -> Result<Write, Status> {
    let stated = query.text("fieldManager");
    let force = query.flag("force");
    let mut causes = Vec::new();
    let mut refuse = |field: &str, reason: &str, message: &str| {
        causes.push(Cause { reason: reason.into(), message: message.into(), field: field.into() });
    };
    if verb == Verb::Patch && force {
        refuse("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch");
    }
    if verb == Verb::Apply && stated.is_empty() {
        refuse("fieldManager", "FieldValueRequired", "Required value: is required for apply patch");
    }
    if stated.len() > MOST_MANAGER_BYTES {
        let message = format!("Too long: may not be more than {MOST_MANAGER_BYTES} bytes");
        refuse("fieldManager", "FieldValueTooLong", &message);
    }
    if let Some((position, character)) = stated.chars().enumerate().find(|(_, character)| !is_printable(*character)) {
        let shown = quoted(stated);
        let code = u32::from(character);
        let message = format!("Invalid value: {shown}: invalid character U+{code:04X} (at position {position})");
        refuse("fieldManager", "FieldValueInvalid", &message);
    }
    if !causes.is_empty() {
        return Err(Status::invalid("meta.k8s.io", verb.options(), "", causes));
    }
    let manager = if stated.is_empty() { agent(headers) } else { stated.to_owned() };
    Ok(Write { manager, force, ..query.write(verb.options())? })
}

/// The name that a client gives itself: what stands before the first slash of `User-Agent`.
fn agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = text.split('/').next().unwrap_or_default();
    let mut kept = String::new();
    for character in name.chars().filter(|character| is_printable(*character)) {
        if kept.len() + character.len_utf8() > MOST_MANAGER_BYTES {
            break;
        }
        kept.push(character);
    }
    kept
}

fn is_printable(character: char) -> bool {
    !character.is_control() && (character == ' ' || !character.is_whitespace())
}

/// A text as Go quotes it.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|character| match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\t' => "\\t".to_owned(),
            '\r' => "\\r".to_owned(),
            control if u32::from(control) < 0x80 && control.is_control() => format!("\\x{:02x}", u32::from(control)),
            other => other.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}
