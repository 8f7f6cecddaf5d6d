//! The one place where Kubernetes YAML is read and written: as `kubectl` and
//! Helm read it (YAML 1.1 words, octal numbers, duplicate keys refused) and so
//! that Go programs read back what we write. Input is from outside: its size,
//! nesting and aliases are bounded. Nothing here knows a kind but `List`.

mod emit;
mod order;
mod strict;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

pub use emit::to_string;
pub use strict::first;

/// Why a text was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct Error {
    /// Line, counted from 1; 0 if it is not known.
    pub line: u64,
    /// Column, counted from 1; 0 if it is not known.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// The line with a caret below the column and the two lines above it.
    pub snippet: String,
}

/// Every object in a text of several documents: empty documents are dropped and lists expanded.
pub fn documents(text: &str) -> Result<Vec<Value>, Error> {
    Ok(values(text)?.into_iter().flat_map(expand).collect())
}

/// Every document in a text as it stands; empty ones are dropped.
pub fn values(text: &str) -> Result<Vec<Value>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(values) = json(text) {
        return Ok(values);
    }
    let first = match read(text) {
        Ok(values) => return Ok(values),
        Err(error) => error,
    };
    // Go's reader accepts tabs at the end of a line, and manifests in the field have them.
    match without_trailing_tabs(text) {
        Cow::Owned(cleaned) => read(&cleaned).map_err(|_| first),
        Cow::Borrowed(_) => Err(first),
    }
}

/// The only document of a text; null if it is empty.
pub fn value(text: &str) -> Result<Value, Error> {
    let mut values = values(text)?;
    match values.len() {
        0 => Ok(Value::Null),
        1 => Ok(values.swap_remove(0)),
        count => Err(plain_error(format!("expected one document, found {count}"))),
    }
}

/// The items of a list, or the object itself. Items of a typed list get the kind that the list implies.
pub fn expand(object: Value) -> Vec<Value> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some(item_kind) = kind.strip_suffix("List").map(str::to_owned) else { return vec![object] };
    let api_version = object.get("apiVersion").cloned();
    let mut object = object;
    let Some(items) = object.get_mut("items").filter(|items| items.is_array()) else { return vec![object] };
    let Value::Array(items) = items.take() else { return Vec::new() };
    let complete = |mut item: Value| {
        if let (Value::Object(fields), false, Some(api_version)) = (&mut item, item_kind.is_empty(), &api_version) {
            fields.entry("apiVersion").or_insert_with(|| api_version.clone());
            fields.entry("kind").or_insert_with(|| item_kind.clone().into());
        }
        item
    };
    items.into_iter().map(complete).flat_map(expand).collect()
}

/// JSON is read as JSON: it may be indented with tabs, which YAML forbids. `None` if it is not JSON.
fn json(text: &str) -> Option<Vec<Value>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    values.ok().map(|values| values.into_iter().filter(|value| !value.is_null()).collect())
}

/// The reader recurses with large frames, so text that may nest deeply is read on a stack of its own.
fn read(text: &str) -> Result<Vec<Value>, Error> {
    on_a_fitting_stack(text, || read_here(text))
}

fn on_a_fitting_stack<T: Send>(text: &str, read: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    if !may_nest_deeply(text) {
        return read();
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(DEEP_STACK_BYTES).spawn_scoped(scope, read).map_or_else(
            |error| Err(plain_error(format!("no thread to read YAML on: {error}"))),
            |reader| reader.join().unwrap_or_else(|_| Err(plain_error("the YAML reader failed".to_owned()))),
        )
    })
}

/// Enough for [`ALIAS_NESTING`] aliases, each of the deepest value that is accepted.
const DEEP_STACK_BYTES: usize = 64 * 1024 * 1024;
/// Aliases within the values of aliases.
const ALIAS_NESTING: usize = 8;

/// An overestimate: indentation of any line and opening brackets anywhere.
fn may_nest_deeply(text: &str) -> bool {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-', '?']).len();
    text.contains('*') && text.contains('&')
        || text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).nth(40).is_some()
        || text.lines().any(|line| indent(line) > 60)
}

fn read_here(text: &str) -> Result<Vec<Value>, Error> {
    let options = options(serde_saphyr::options::DuplicateKeyPolicy::Error, MOST_REPLAYED);
    let mut values: Vec<Value> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| explain(text, &error))?;
    values.retain(|value| !value.is_null());
    // Aliases can nest values deeper than the text nests.
    if values.iter().any(|value| crate::typed::depth(value) > base::limits::NESTING) {
        return Err(plain_error(format!("nests deeper than {} levels", base::limits::NESTING)));
    }
    Ok(values)
}

fn plain_error(message: String) -> Error {
    Error { line: 0, column: 0, message, snippet: String::new() }
}

/// Events that aliases may unfold to.
const MOST_REPLAYED: usize = 500_000;

/// Bounds for the largest rendered application; an alias bomb meets them long before memory does.
fn options(duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy, most_replayed: usize) -> serde_saphyr::Options {
    let bytes = 4 * base::limits::MANIFEST_BYTES;
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: base::limits::NESTING,
            max_documents: 100_000,
            max_events: 4_000_000,
            max_nodes: 2_000_000,
            max_total_scalar_bytes: bytes,
            max_total_comment_bytes: bytes,
            max_aliases: 10_000,
            max_anchors: 10_000,
            max_recorded_anchor_events: 500_000,
            max_recorded_anchor_bytes: base::limits::MANIFEST_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: most_replayed,
            max_replay_stack_depth: ALIAS_NESTING,
        },
        emit_comments: false,
        duplicate_keys: duplicate_keys,
        legacy_octal_numbers: true,
        ignore_binary_tag_for_string: true,
        with_snippet: false,
    }
}

fn explain(text: &str, error: &serde_saphyr::Error) -> Error {
    let (line, column) = error.location().map_or((0, 0), |location| (location.line(), location.column()));
    let message = error.without_snippet().to_string();
    let message = match message.find(" at line ").or_else(|| message.find('\n')) {
        Some(end) if line > 0 => message[..end].to_owned(),
        _ => message,
    };
    Error { line, column, message, snippet: snippet(text, line, column) }
}

fn snippet(text: &str, line: u64, column: u64) -> String {
    let Ok(line) = usize::try_from(line) else { return String::new() };
    if line == 0 {
        return String::new();
    }
    let mut out = String::new();
    for (index, content) in text.lines().enumerate().take(line).skip(line.saturating_sub(3)) {
        // A minified document would make the snippet as long as itself.
        let shown: String = content.chars().take(160).collect();
        out.push_str(&format!("{:>5} | {shown}\n", index + 1));
    }
    let column = usize::try_from(column).unwrap_or(1).clamp(1, 160);
    out.push_str(&format!("      | {:>column$}", "^"));
    out
}

/// The text without tabs at the ends of its lines, except in block scalars, where they are content.
fn without_trailing_tabs(text: &str) -> Cow<'_, str> {
    if !text.contains("\t\n") && !text.contains("\t\r") && !text.ends_with('\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut block_indent: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let indent = content.len() - content.trim_start_matches(' ').len();
        if block_indent.is_some_and(|parent| content.trim().is_empty() || indent > parent) {
            out.push_str(line);
            continue;
        }
        let kept = content.trim_end_matches([' ', '\t']);
        block_indent = opens_block_scalar(kept).then_some(indent);
        out.push_str(kept);
        out.push_str(&line[content.len()..]);
    }
    Cow::Owned(out)
}

/// Whether the line ends in `|` or `>` with their indicators.
fn opens_block_scalar(line: &str) -> bool {
    let header =
        line.trim_end_matches(|character: char| character.is_ascii_digit() || character == '-' || character == '+');
    let Some(before) = header.strip_suffix(['|', '>']) else { return false };
    before.ends_with(": ") || before.ends_with("- ") || before.trim().is_empty()
}
