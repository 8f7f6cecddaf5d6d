//! Classes of characters: `[a-z]`, `\d`, `\p{Greek}`, `[[:alpha:]]`. Everything
//! in them is written out so that the engine's own notation for sets, which Go
//! has not, cannot come about.

use super::{CLASS_SIZE, error, push_literal, read_part};

/// A class in brackets: what follows it, its text for the engine, its size.
pub(super) fn translate(start: &str) -> Result<(&str, String, u64), String> {
    let mut rest = &start[1..];
    let mut out = String::from("[");
    let mut size = 1;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
        // What is not in a class may be anything that Unicode has.
        size = 20;
    }
    let mut is_first = true;
    while is_first || !rest.starts_with(']') {
        is_first = false;
        if let Some((after, text)) = posix(rest)? {
            out.push_str(&text);
            rest = after;
            continue;
        }
        if let Some((after, text, added)) = escaped(rest)? {
            out.push_str(&text);
            size += added;
            rest = after;
            continue;
        }
        let range = rest;
        let (low, after) = character(rest, start)?;
        rest = after;
        push_literal(&mut out, low);
        if rest.len() >= 2 && rest.starts_with('-') && !rest[1..].starts_with(']') {
            let (high, after) = character(&rest[1..], start)?;
            rest = after;
            if high < low {
                return Err(error("invalid character class range", read_part(range, rest)));
            }
            out.push('-');
            push_literal(&mut out, high);
        }
    }
    out.push(']');
    Ok((&rest[1..], out, size))
}

fn character<'a>(text: &'a str, class: &str) -> Result<(char, &'a str), String> {
    match text.chars().next() {
        None => Err(error("missing closing ]", class)),
        Some('\\') => escaped_character(text),
        Some(character) => Ok((character, &text[character.len_utf8()..])),
    }
}

fn posix(text: &str) -> Result<Option<(&str, String)>, String> {
    const NAMES: [&str; 14] = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
        "word", "xdigit",
    ];
    let Some(inner) = text.strip_prefix("[:") else { return Ok(None) };
    let Some((name, rest)) = inner.split_once(":]") else { return Ok(None) };
    if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(error("invalid character class range", read_part(text, rest)));
    }
    Ok(Some((rest, format!("[:{name}:]"))))
}

/// `\d` and its like or `\p{…}` at the start of the text, as parts of a class.
pub(super) fn escaped(text: &str) -> Result<Option<(&str, String, u64)>, String> {
    let Some(after) = text.strip_prefix('\\') else { return Ok(None) };
    let Some(kind) = after.chars().next() else { return Ok(None) };
    let ascii = match kind {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\f\r ]",
        'S' => r"[^\t\n\f\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'p' | 'P' => return unicode(text, &after[1..], kind == 'P').map(Some),
        _ => return Ok(None),
    };
    Ok(Some((&after[1..], ascii.to_owned(), if kind.is_ascii_uppercase() { 20 } else { 1 })))
}

fn unicode<'a>(start: &'a str, after: &'a str, is_negative: bool) -> Result<(&'a str, String, u64), String> {
    const WHAT: &str = "invalid character class range";
    let (name, rest) = match after.strip_prefix('{') {
        Some(inner) => inner.split_once('}').ok_or_else(|| error(WHAT, start))?,
        None => {
            let len = after.chars().next().map_or(0, char::len_utf8);
            after.split_at(len)
        }
    };
    let (name, is_inverted) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
    let stated = read_part(start, rest);
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if !is_plain {
        return Err(error(WHAT, stated));
    }
    let letter = if is_negative == is_inverted { 'p' } else { 'P' };
    let text = if name == "Any" {
        (if letter == 'p' { r"\x{0}-\x{10FFFF}" } else { r"[^\x{0}-\x{10FFFF}]" }).to_owned()
    } else {
        format!("\\{letter}{{{name}}}")
    };
    // Only the engine knows which classes there are.
    if regex::Regex::new(&format!("[{text}]")).is_err() {
        return Err(error(WHAT, stated));
    }
    Ok((rest, text, CLASS_SIZE))
}

/// The character that an escape sequence stands for, and what follows.
pub(super) fn escaped_character(text: &str) -> Result<(char, &str), String> {
    let after = &text[1..];
    let Some(first) = after.chars().next() else {
        return Err(error("trailing backslash at end of expression", ""));
    };
    let rest = &after[first.len_utf8()..];
    let plain = match first {
        'a' => Some('\u{7}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => Some(other),
        _ => None,
    };
    if let Some(character) = plain {
        return Ok((character, rest));
    }
    let is_octal = |text: &str| text.starts_with(|digit: char| ('0'..='7').contains(&digit));
    match first {
        'x' => hexadecimal(text, rest),
        '0' => Ok(octal(after)),
        '1'..='7' if is_octal(rest) => Ok(octal(after)),
        _ => Err(error("invalid escape sequence", read_part(text, rest))),
    }
}

/// Up to three digits.
fn octal(text: &str) -> (char, &str) {
    let digits = text.bytes().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
    let value = u32::from_str_radix(&text[..digits], 8).unwrap_or(0);
    (char::from_u32(value).unwrap_or('\u{fffd}'), &text[digits..])
}

fn hexadecimal<'a>(start: &'a str, text: &'a str) -> Result<(char, &'a str), String> {
    let refused = |rest: &str| error("invalid escape sequence", read_part(start, rest));
    let (digits, rest) = match text.strip_prefix('{') {
        Some(inner) => inner.split_once('}').ok_or_else(|| refused(""))?,
        None => {
            let mut ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
            let end = ends.nth(1).ok_or_else(|| refused(""))?;
            text.split_at(end)
        }
    };
    let is_plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let value = is_plain.then(|| {
        u32::from_str_radix(digits.trim_start_matches('0'), 16)
            .or_else(|error| if digits.bytes().all(|digit| digit == b'0') { Ok(0) } else { Err(error) })
    });
    match value {
        Some(Ok(value)) if value <= 0x10_ffff => Ok((char::from_u32(value).unwrap_or('\u{fffd}'), rest)),
        _ => Err(refused(rest)),
    }
}
