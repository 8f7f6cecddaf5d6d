//! Ids and numbers with a shape: UUID, ISBN, card and security numbers, colours,
//! base64. Text in, yes or no out.

/// A UUID; its dashes may be left out. The version, if asked for, stands at its place.
pub(super) fn is_uuid(text: &str, version: Option<u8>) -> bool {
    let mut rest = text.as_bytes();
    let mut digits = Vec::with_capacity(32);
    for (group, len) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if group > 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        let Some((head, tail)) = rest.split_at_checked(len) else { return false };
        digits.extend_from_slice(head);
        rest = tail;
    }
    if !rest.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let has_variant = matches!(digits[16].to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b');
    match version {
        None => true,
        Some(b'3') => digits[12] == b'3',
        Some(version) => digits[12] == version && has_variant,
    }
}

fn without_spaces_and_dashes(text: &str) -> Vec<u8> {
    text.bytes().filter(|byte| !b" \t\n\r\x0c-".contains(byte)).collect()
}

pub(super) fn is_isbn10(text: &str) -> bool {
    let digits = without_spaces_and_dashes(text);
    let is_legal = |(at, byte): (usize, &u8)| byte.is_ascii_digit() || (at == 9 && *byte == b'X');
    if digits.len() != 10 || !digits.iter().enumerate().all(is_legal) {
        return false;
    }
    let value = |byte: u8| if byte == b'X' { 10 } else { u32::from(byte - b'0') };
    let sum: u32 = (1..).zip(&digits).map(|(weight, byte)| weight * value(*byte)).sum();
    sum.is_multiple_of(11)
}

pub(super) fn is_isbn13(text: &str) -> bool {
    let digits = without_spaces_and_dashes(text);
    if digits.len() != 13 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let weighted = |(at, byte): (usize, &u8)| u32::from(byte - b'0') * if at % 2 == 0 { 1 } else { 3 };
    let sum: u32 = digits[..12].iter().enumerate().map(weighted).sum();
    u32::from(digits[12] - b'0') == (10 - sum % 10) % 10
}

pub(super) fn is_credit_card(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0').collect();
    let starts = |prefix: &[u8]| digits.starts_with(prefix);
    let second = digits.get(1).copied().unwrap_or_default();
    let third = digits.get(2).copied().unwrap_or_default();
    let is_known = match digits.len() {
        13 => starts(&[4]),
        14 => (starts(&[3, 0]) && third <= 5) || starts(&[3, 6]) || starts(&[3, 8]),
        15 => starts(&[3, 4]) || starts(&[3, 7]) || starts(&[2, 1, 3, 1]) || starts(&[1, 8, 0, 0]),
        16 => {
            starts(&[4])
                || (starts(&[5]) && (1..=5).contains(&second))
                || starts(&[6, 0, 1, 1])
                || starts(&[6, 5])
                || starts(&[3, 5])
        }
        _ => false,
    };
    let doubled = |digit: u8| if digit >= 5 { digit * 2 - 9 } else { digit * 2 };
    let weighted = |(at, digit): (usize, &u8)| u32::from(if at % 2 == 1 { doubled(*digit) } else { *digit });
    let sum: u32 = digits.iter().rev().enumerate().map(weighted).sum();
    is_known && sum.is_multiple_of(10)
}

/// A social security number, with both separators.
pub(super) fn is_ssn(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = |(at, byte): (usize, &u8)| match at {
        3 | 6 => b"- ".contains(byte),
        _ => byte.is_ascii_digit(),
    };
    bytes.len() == 11 && bytes.iter().enumerate().all(shape)
}

pub(super) fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    [3, 6].contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn is_rgb_color(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) else { return false };
    let is_part = |part: &str| {
        let number = part.trim_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let is_plain = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        is_plain && (number == "0" || !number.starts_with('0')) && number.parse::<u16>().is_ok_and(|part| part <= 255)
    };
    inner.split(',').count() == 3 && inner.split(',').all(is_part)
}

/// Padded base64 of at least one byte.
pub(super) fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes.len().is_multiple_of(4) {
        return false;
    }
    let unpadded = text.trim_end_matches('=').as_bytes();
    let is_legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    bytes.len() - unpadded.len() <= 2 && unpadded.iter().all(is_legal)
}
