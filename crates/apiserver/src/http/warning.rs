//! Warnings as headers, in the form and within the bounds of kube-apiserver: RFC 7234's
//! `299 - "text"`, shortened together once they are too long for a client to hold.

use http::{HeaderMap, HeaderValue, header};

/// Characters of all warnings before each is shortened, and at which they end.
const MOST_CHARACTERS: usize = 4 * 1024;
/// Characters of one warning when they are shortened.
const SHORTENED: usize = 256;

/// Warnings of one answer: some HTTP libraries refuse answers of more than a hundred headers.
const MOST_WARNINGS: usize = 64;

/// Adds a header for each warning.
pub fn add(headers: &mut HeaderMap, warnings: &[String]) {
    let total: usize = warnings.iter().map(|text| text.chars().count()).sum();
    let most = if total > MOST_CHARACTERS { SHORTENED } else { MOST_CHARACTERS };
    let mut written = 0;
    for text in warnings.iter().take(MOST_WARNINGS) {
        if written >= MOST_CHARACTERS {
            return;
        }
        let text: String = text.chars().take(most).collect();
        written += text.chars().count();
        if let Ok(value) = HeaderValue::from_bytes(quoted(&text).as_bytes()) {
            headers.append(header::WARNING, value);
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("299 - \"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            other if other.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
