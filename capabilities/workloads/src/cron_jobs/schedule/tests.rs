//! When schedules fall due, across the changes of summer time as well.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::Schedule;

/// The next times of a schedule after a time, as the clock on the wall shows them.
fn times(schedule: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(schedule).unwrap();
    let zone = TimeZone::get(zone).unwrap();
    let mut at: Timestamp = after.parse().unwrap();
    let mut times = Vec::new();
    for _ in 0..count {
        at = schedule.next(at, &zone).unwrap();
        times.push(at.to_zoned(zone.clone()).strftime("%m-%d %H:%M%:z").to_string());
    }
    times
}

#[test]
fn a_schedule_falls_due_when_every_field_agrees() {
    // A Thursday.
    let check = |schedule: &str, expect: [&str; 2]| {
        let found = times(schedule, "UTC", "2026-01-01T00:00:00Z", 2);
        assert_eq!(found, expect.map(|time| format!("{time}+00:00")), "{schedule}");
    };
    check("* * * * *", ["01-01 00:01", "01-01 00:02"]);
    check("*/5 * * * *", ["01-01 00:05", "01-01 00:10"]);
    check("3/20 * * * *", ["01-01 00:03", "01-01 00:23"]);
    check("10-30/10 * * * *", ["01-01 00:10", "01-01 00:20"]);
    check("58,59 * * * *", ["01-01 00:58", "01-01 00:59"]);
    check("0 0 * * *", ["01-02 00:00", "01-03 00:00"]);
    check("30 9-17 * * mon-FRI", ["01-01 09:30", "01-01 10:30"]);
    check("0 12 * * sat", ["01-03 12:00", "01-10 12:00"]);
    check("0 0 1 JUN,dec ?", ["06-01 00:00", "12-01 00:00"]);
    check("0 0 31 * *", ["01-31 00:00", "03-31 00:00"]);
    // Either a day or a weekday will do where both are stated, both must where one is a star.
    check("0 0 13 * fri", ["01-02 00:00", "01-09 00:00"]);
    check("0 0 13 * *", ["01-13 00:00", "02-13 00:00"]);
    // A star with a step is no star.
    check("0 0 */16 * sun", ["01-04 00:00", "01-11 00:00"]);
    check("@hourly", ["01-01 01:00", "01-01 02:00"]);
    check("@daily", ["01-02 00:00", "01-03 00:00"]);
    check("@midnight", ["01-02 00:00", "01-03 00:00"]);
    check("@weekly", ["01-04 00:00", "01-11 00:00"]);
    check("@monthly", ["02-01 00:00", "03-01 00:00"]);
    check("@every 90m", ["01-01 01:30", "01-01 03:00"]);
    check("@every 1h0.5m30s", ["01-01 01:01", "01-01 02:02"]);
    assert_eq!(
        times("@yearly", "UTC", "2026-01-01T00:00:00Z", 1),
        times("@annually", "UTC", "2026-01-01T00:00:00Z", 1)
    );
    assert_eq!(times("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 1), ["02-29 00:00+00:00"]);
}

#[test]
fn a_schedule_follows_the_clock_on_the_wall() {
    let berlin = |schedule: &str, after: &str, count: usize| times(schedule, "Europe/Berlin", after, count);
    assert_eq!(
        berlin("0 9 * * *", "2026-03-27T12:00:00Z", 3),
        ["03-28 09:00+01:00", "03-29 09:00+02:00", "03-30 09:00+02:00"]
    );
    // From two to three there is no hour on this day.
    assert_eq!(berlin("30 2 * * *", "2026-03-28T12:00:00Z", 1), ["03-30 02:30+02:00"]);
    assert_eq!(berlin("30 * * * *", "2026-03-29T00:00:00Z", 2), ["03-29 01:30+01:00", "03-29 03:30+02:00"]);
    // And on this day there are two.
    let twice = ["10-25 02:30+02:00", "10-25 02:30+01:00", "10-26 02:30+01:00"];
    assert_eq!(berlin("30 2 * * *", "2026-10-24T12:00:00Z", 3), twice);
    // Where summer begins at midnight, the day begins at one.
    let cairo = times("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", 1);
    assert_eq!(cairo, ["04-25 00:00+03:00"]);
    let cairo = times("0 1 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", 1);
    assert_eq!(cairo, ["04-24 01:00+03:00"]);
    assert_eq!(times("0 0 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", 1), ["01-02 00:00+05:30"]);
    assert_eq!(times("0 7 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", 1), ["01-01 07:00+05:30"]);
    assert_eq!(times("15 7 * * *", "Australia/Lord_Howe", "2026-04-04T20:00:00Z", 1), ["04-05 07:15+10:30"]);
}

#[test]
fn what_is_no_schedule_is_refused() {
    let check = |text: &str, expect: &str| {
        assert_eq!(Schedule::parse(text).unwrap_err(), expect, "{text}");
    };
    check("* * * *", "expected exactly 5 fields, found 4: [* * * *]");
    check("60 * * * *", "end of range (60) above maximum (59): 60");
    check("* * 0 * *", "beginning of range (0) below minimum (1): 0");
    check("* * * * 7", "end of range (7) above maximum (6): 7");
    check("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3");
    check("*/0 * * * *", "step of range should be a positive number: */0");
    check("x * * * *", "failed to parse int from x");
    check("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    check("@often", "unrecognized descriptor: @often");
    check("@every ", "failed to parse duration @every ");
    check("@every 5", "failed to parse duration @every 5");
    check("@every 5y", "failed to parse duration @every 5y");
    // It is read, and never falls due.
    let never = Schedule::parse("0 0 31 2 *").unwrap();
    assert_eq!(never.next(Timestamp::UNIX_EPOCH, &TimeZone::UTC), None);
    assert_eq!(Schedule::parse("@every 10ms").unwrap(), Schedule::parse("@every 1s").unwrap());
}

proptest! {
    /// Against a search minute by minute.
    #[test]
    fn no_time_is_left_out(
        minute in 0..60i8, hour in 0..24i8, day in 1..29i8, weekday in 0..7i8, which in 0..6usize,
        start in 1_700_000_000i64..1_800_000_000, zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("America/New_York")],
    ) {
        let text = match which {
            0 => format!("{minute} {hour} * * *"),
            1 => format!("{minute} * * * *"),
            2 => format!("* {hour} * * *"),
            3 => format!("{minute} {hour} {day} * *"),
            4 => format!("{minute} {hour} * * {weekday}"),
            _ => format!("{minute} {hour} {day} * {weekday}"),
        };
        let zone = TimeZone::get(zone).unwrap();
        let after = Timestamp::from_second(start).unwrap();
        let found = Schedule::parse(&text).unwrap().next(after, &zone).unwrap();
        let is_due = |at: Timestamp| {
            let at = at.to_zoned(zone.clone());
            let (on_day, on_weekday) = (at.day() == day, at.weekday().to_sunday_zero_offset() == weekday);
            (which == 2 || at.minute() == minute) && (which == 1 || at.hour() == hour) && match which {
                3 => on_day,
                4 => on_weekday,
                5 => on_day || on_weekday,
                _ => true,
            }
        };
        let mut at = Timestamp::from_second((start.div_euclid(60) + 1) * 60).unwrap();
        while !is_due(at) {
            at += jiff::SignedDuration::from_mins(1);
        }
        prop_assert_eq!(found, at, "{} after {} in {:?}", text, after, zone);
    }
}
