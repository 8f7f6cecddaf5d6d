//! Times as people read them, in kubectl's words, and the times of the API.
//! The present is always a parameter.

use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
mod tests;

/// A span of time with two or three significant figures, as `kubectl get` shows ages.
pub fn duration(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    // Clocks of two machines may differ a little.
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    if seconds < 120 {
        return format!("{}s", seconds.max(0));
    }
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    if minutes < 10 {
        return two(minutes, "m", seconds % 60, "s");
    }
    if minutes < 180 {
        return format!("{minutes}m");
    }
    if hours < 8 {
        return two(hours, "h", minutes % 60, "m");
    }
    if hours < 48 {
        return format!("{hours}h");
    }
    if hours < 24 * 8 {
        return two(hours / 24, "d", hours % 24, "h");
    }
    let days = hours / 24;
    if days < 365 * 2 {
        return format!("{days}d");
    }
    if days < 365 * 8 {
        return two(days / 365, "y", days % 365, "d");
    }
    format!("{}y", days / 365)
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 { format!("{large}{large_unit}") } else { format!("{large}{large_unit}{small}{small_unit}") }
}

/// How long ago an RFC 3339 time was: `<unknown>` if there is none, `<invalid>` if it is not one.
pub fn age(time: Option<&str>, now: Timestamp) -> String {
    match time {
        None | Some("") => "<unknown>".to_owned(),
        Some(text) => {
            parse_time(text).map_or_else(|| "<invalid>".to_owned(), |time| duration(now.duration_since(time)))
        }
    }
}

/// An RFC 3339 time.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    // The reader is more lenient than RFC 3339: it would take a date without a `T`.
    if !text.as_bytes().get(10).is_some_and(|separator| matches!(separator, b'T' | b't')) {
        return None;
    }
    text.parse().ok()
}

/// A time as `metav1.Time` stands in JSON: UTC, whole seconds.
pub fn format_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time as `metav1.MicroTime` stands in JSON: UTC, six digits of a second.
pub fn format_micro_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}
