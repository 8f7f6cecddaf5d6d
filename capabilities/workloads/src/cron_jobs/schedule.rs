//! Schedules in cron's notation: five fields, names, ranges and steps, or
//! `@hourly` and its like, or `@every 90m`. What falls into an hour that the
//! change to summer time leaves out is left out; what falls into one that comes
//! twice comes twice, as in Kubernetes. Pure; it must never ask for the time.

#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// Years in which a schedule must fall due once, or never does.
const YEARS: i16 = 5;
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// When something falls due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// At these times of the clock on the wall.
    At(Box<Fields>),
    /// At this distance.
    Every(SignedDuration),
}

/// The values of each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    minutes: Values,
    hours: Values,
    days: Values,
    months: Values,
    weekdays: Values,
}

/// Values of one field as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Values {
    bits: u64,
    /// Whether a star stands for them: then the other of day and weekday decides alone.
    is_any: bool,
}

struct Bounds {
    min: u8,
    max: u8,
    names: &'static [&'static str],
}

impl Schedule {
    /// Reads a schedule; the error is a sentence.
    pub(super) fn parse(text: &str) -> Result<Schedule, String> {
        if text.contains("TZ") {
            return Err("cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_owned());
        }
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        if let Some(distance) = text.strip_prefix("@every ") {
            return every(distance);
        }
        if text.starts_with('@') {
            return Err(format!("unrecognized descriptor: {text}"));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(format!("expected exactly 5 fields, found {}: [{text}]", fields.len()));
        };
        Ok(Schedule::At(Box::new(Fields {
            minutes: values(minutes, &Bounds { min: 0, max: 59, names: &[] })?,
            hours: values(hours, &Bounds { min: 0, max: 23, names: &[] })?,
            days: values(days, &Bounds { min: 1, max: 31, names: &[] })?,
            months: values(months, &Bounds { min: 1, max: 12, names: &MONTHS })?,
            weekdays: values(weekdays, &Bounds { min: 0, max: 6, names: &WEEKDAYS })?,
        })))
    }

    /// The first time after `time`, in whole seconds; `None` if there is none for years.
    pub(super) fn next(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Schedule::At(fields) => fields.next(time, zone),
            Schedule::Every(distance) => Timestamp::from_second(time.as_second()).ok()?.checked_add(*distance).ok(),
        }
    }
}

impl Fields {
    fn next(&self, time: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let minute = time.as_second().div_euclid(60) + 1;
        let mut at = Timestamp::from_second(minute * 60).ok()?.to_zoned(zone.clone());
        let last_year = at.year().saturating_add(YEARS);
        while at.year() <= last_year {
            at = if !self.months.has(at.month()) {
                at.date().last_of_month().tomorrow().ok()?.to_zoned(zone.clone()).ok()?
            } else if !self.has_day(&at) {
                at.date().tomorrow().ok()?.to_zoned(zone.clone()).ok()?
            } else if !self.hours.has(at.hour()) {
                later(&at, 60 - i64::from(at.minute()))?
            } else if !self.minutes.has(at.minute()) {
                later(&at, 1)?
            } else {
                return Some(at.timestamp());
            };
        }
        None
    }

    /// Where both days and weekdays are restricted, either will do.
    fn has_day(&self, at: &Zoned) -> bool {
        let day = self.days.has(at.day());
        let weekday = self.weekdays.has(at.weekday().to_sunday_zero_offset());
        if self.days.is_any || self.weekdays.is_any { day && weekday } else { day || weekday }
    }
}

/// Minutes that pass, whatever the clock on the wall does.
fn later(at: &Zoned, minutes: i64) -> Option<Zoned> {
    at.checked_add(SignedDuration::from_mins(minutes)).ok()
}

impl Values {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits & (1 << value) != 0)
    }
}

fn values(text: &str, bounds: &Bounds) -> Result<Values, String> {
    let mut values = Values::default();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let found = range(part, bounds)?;
        values.bits |= found.bits;
        values.is_any |= found.is_any;
    }
    Ok(values)
}

/// `*`, a number or a range, with or without a step.
fn range(text: &str, bounds: &Bounds) -> Result<Values, String> {
    let (ends, step) = text.split_once('/').map_or((text, None), |(ends, step)| (ends, Some(step)));
    let is_star = matches!(ends, "*" | "?");
    let (first, last) = match ends.split_once('-') {
        _ if is_star => (bounds.min, bounds.max),
        Some((first, last)) => (number(first, bounds)?, number(last, bounds)?),
        // A number with a step begins a range.
        None if step.is_some() => (number(ends, bounds)?, bounds.max),
        None => (number(ends, bounds)?, number(ends, bounds)?),
    };
    let step = step.map_or(Ok(1), integer)?;
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    if first < bounds.min {
        return Err(format!("beginning of range ({first}) below minimum ({}): {text}", bounds.min));
    }
    if last > bounds.max {
        return Err(format!("end of range ({last}) above maximum ({}): {text}", bounds.max));
    }
    if first > last {
        return Err(format!("beginning of range ({first}) beyond end of range ({last}): {text}"));
    }
    let bits = (first..=last).step_by(usize::from(step)).fold(0, |bits, value| bits | 1 << value);
    Ok(Values { bits, is_any: is_star && step == 1 })
}

fn number(text: &str, bounds: &Bounds) -> Result<u8, String> {
    let named = bounds.names.iter().position(|name| text.eq_ignore_ascii_case(name));
    match named.and_then(|position| u8::try_from(position).ok()) {
        Some(position) => Ok(position + bounds.min),
        None => integer(text),
    }
}

fn integer(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("failed to parse int from {text}"))
}

/// A distance as Go writes it, `1h30m`; one second at least.
fn every(text: &str) -> Result<Schedule, String> {
    let problem = || format!("failed to parse duration @every {text}");
    let mut rest = text;
    let mut secs = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|held: char| !held.is_ascii_digit() && held != '.').ok_or_else(problem)?;
        let count: f64 = rest[..digits].parse().map_err(|_| problem())?;
        rest = &rest[digits..];
        let length = rest.find(|held: char| held.is_ascii_digit() || held == '.').unwrap_or(rest.len());
        let unit = match &rest[..length] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(problem()),
        };
        secs += count * unit;
        rest = &rest[length..];
    }
    let distance = SignedDuration::try_from_secs_f64(secs).map_err(|_| problem())?;
    if text.is_empty() {
        Err(problem())
    } else {
        Ok(Schedule::Every(SignedDuration::from_secs(distance.as_secs().max(1))))
    }
}
