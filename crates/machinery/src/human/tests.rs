//! The boundaries at which kubectl changes units.

use super::*;

#[test]
fn durations() {
    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    for (seconds, expect) in [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (5, "5s"),
        (119, "119s"),
        (120, "2m"),
        (192, "3m12s"),
        (600, "10m"),
        (179 * 60 + 59, "179m"),
        (3 * HOUR, "3h"),
        (4 * HOUR + 300, "4h5m"),
        (8 * HOUR + 300, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + 3 * HOUR, "2d3h"),
        (8 * DAY + 3 * HOUR, "8d"),
        (45 * DAY, "45d"),
        (729 * DAY, "729d"),
        (730 * DAY, "2y"),
        (760 * DAY, "2y30d"),
        (8 * 365 * DAY + DAY, "8y"),
    ] {
        assert_eq!(duration(SignedDuration::from_secs(seconds)), expect, "{seconds}");
    }
}

#[test]
fn ages_and_times() {
    let now = parse_time("2026-01-02T00:00:00Z").unwrap();
    assert_eq!(age(Some("2026-01-01T23:59:00Z"), now), "60s");
    assert_eq!(age(Some("2026-01-02T01:00:00+02:00"), now), "60m");
    assert_eq!(age(None, now), "<unknown>");
    assert_eq!(age(Some("yesterday"), now), "<invalid>");
    assert_eq!(parse_time("2026-01-02"), None);
    assert_eq!(format_time(now), "2026-01-02T00:00:00Z");
    assert_eq!(format_micro_time(parse_time("2026-01-02T00:00:00.5Z").unwrap()), "2026-01-02T00:00:00.500000Z");
}
