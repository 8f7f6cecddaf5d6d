//! Durations as Go writes them (`1h2m`, `1.5s`, `300ms`), which is how stages
//! and annotations state them. Pure.

use std::time::Duration;

/// Longest that anything is simulated to take; longer ones are cut.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

/// Reads a duration; `None` if it is none, or negative.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut secs = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        secs += number.parse::<f64>().ok()? * unit;
        rest = after;
    }
    Some(Duration::from_secs_f64(secs.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let cases: &[(&str, Option<u64>)] = &[
            ("0", Some(0)),
            ("0s", Some(0)),
            ("1s", Some(1_000)),
            ("1.5s", Some(1_500)),
            ("300ms", Some(300)),
            ("1h2m3s", Some(3_723_000)),
            ("+5m", Some(300_000)),
            ("99999h99999h", Some(366 * 24 * 3_600_000)),
            ("", None),
            ("5", None),
            ("-1s", None),
            ("1d", None),
            ("1..5s", None),
            ("s", None),
        ];
        for (text, expect) in cases {
            assert_eq!(parse(text), expect.map(Duration::from_millis), "{text:?}");
        }
    }
}
