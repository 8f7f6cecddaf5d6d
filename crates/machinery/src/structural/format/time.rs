//! Dates, times of day and durations, as Kubernetes' format library reads them.
//! Text in, yes or no out.

/// `2006-01-02`.
pub(super) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = |at: usize, byte: &u8| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    if bytes.len() != 10 || !bytes.iter().enumerate().all(|(at, byte)| shape(at, byte)) {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<i16>().ok());
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else { return false };
    let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return false };
    jiff::civil::Date::new(year, month, day).is_ok()
}

/// `2006-01-02T15:04:05Z`, with a fraction and an offset if need be.
pub(super) fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && is_time(time)
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let pair = |at: usize, limit: u8| {
        let digits = bytes.get(at..at + 2).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        digits.is_some_and(|digits| (digits[0] - b'0') * 10 + (digits[1] - b'0') <= limit)
    };
    if !(pair(0, 23) && pair(3, 59) && pair(6, 59) && bytes.get(2) == Some(&b':') && bytes.get(5) == Some(&b':')) {
        return false;
    }
    let Some(rest) = text.get(8..) else { return false };
    is_zone(rest) || fraction_end(rest).is_some_and(is_zone)
}

/// What follows a fraction. Its point may be any character but a line break, an oddity of
/// the pattern that Kubernetes uses.
fn fraction_end(text: &str) -> Option<&str> {
    let mut characters = text.chars();
    characters.next().filter(|point| *point != '\n')?;
    let digits = characters.as_str();
    let rest = digits.trim_start_matches(|character: char| character.is_ascii_digit());
    (rest.len() < digits.len()).then_some(rest)
}

fn is_zone(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        b"z" => true,
        [b'+' | b'-', a, b, b':', c, d] => [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// A duration in Go's syntax, or one such as `2 days`.
pub(super) fn is_duration(text: &str) -> bool {
    is_go_duration(text) || is_worded_duration(text)
}

fn is_go_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let number_len = rest.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (number, after) = rest.split_at(number_len.unwrap_or(rest.len()));
        let has_digit = number.bytes().any(|byte| byte.is_ascii_digit());
        if !has_digit || number.matches('.').count() > 1 {
            return false;
        }
        let unit_len = after.find(|character: char| character.is_ascii_digit() || character == '.');
        let (unit, left) = after.split_at(unit_len.unwrap_or(after.len()));
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return false,
        };
        total += number.parse::<f64>().unwrap_or(f64::MAX) * seconds;
        rest = left;
    }
    // Go counts nanoseconds in 63 bits.
    total <= 9_223_372_036.854_775
}

/// Whether any number in the text is followed by a unit, and no number is too large.
fn is_worded_duration(text: &str) -> bool {
    const EXACT: [&str; 20] = [
        "ns", "nano", "us", "µs", "micro", "ms", "milli", "s", "sec", "m", "min", "h", "hr", "hour", "d", "day", "w",
        "wk", "week", "",
    ];
    const PREFIXES: [&str; 8] = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
    let mut found = false;
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let from = &rest[start..];
        let digits = from.find(|character: char| !character.is_ascii_digit()).unwrap_or(from.len());
        let (number, after) = from.split_at(digits);
        let unit_at = after.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let is_unit = |character: char| character.is_ascii_alphabetic() || character == 'µ';
        let end = unit_at.find(|character| !is_unit(character)).unwrap_or(unit_at.len());
        let unit = unit_at[..end].to_lowercase();
        rest = &unit_at[end..];
        if unit.is_empty() {
            continue;
        }
        if number.parse::<i64>().is_err() {
            return false;
        }
        found |= EXACT.contains(&unit.as_str()) || PREFIXES.iter().any(|prefix| unit.starts_with(prefix));
    }
    found
}
