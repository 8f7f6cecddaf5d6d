//! Times as Go's `time.Parse` reads them and `metav1` writes them: RFC 3339 in UTC, to the
//! second or to the microsecond. It reads no clock.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROS: &str = "2006-01-02T15:04:05.000000Z07:00";

/// `metav1.Time`, as it is written again.
pub(super) fn time(text: &str) -> Result<String, String> {
    let time = parse(text, SECONDS, false)?;
    Ok(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// `metav1.MicroTime`, as it is written again.
pub(super) fn micro_time(text: &str) -> Result<String, String> {
    let time = parse(text, MICROS, true)?;
    Ok(format!("{}.{:06}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), time.subsec_nanosecond().unsigned_abs() / 1000))
}

struct Reader<'a> {
    whole: &'a str,
    layout: &'static str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn refuse(&self, element: &str) -> String {
        format!("parsing time {:?} as {:?}: cannot parse {:?} as {element:?}", self.whole, self.layout, self.rest)
    }

    fn number(&mut self, digits: usize, element: &str) -> Result<i64, String> {
        let head = self.rest.get(..digits).filter(|head| head.bytes().all(|byte| byte.is_ascii_digit()));
        let number = head.and_then(|head| head.parse().ok()).ok_or_else(|| self.refuse(element))?;
        self.rest = &self.rest[digits..];
        Ok(number)
    }

    fn literal(&mut self, literal: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(literal).ok_or_else(|| self.refuse(literal))?;
        Ok(())
    }

    /// Digits behind the point, as nanoseconds.
    fn fraction(&mut self) -> i64 {
        let Some(digits) = self.rest.strip_prefix(['.', ',']) else { return 0 };
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return 0;
        }
        let mut nanos = 0;
        for place in 0..9 {
            let digit = digits.as_bytes()[..count].get(place).map_or(0, |digit| i64::from(digit - b'0'));
            nanos = nanos * 10 + digit;
        }
        self.rest = &digits[count..];
        nanos
    }

    /// `Z` or an offset, in seconds.
    fn zone(&mut self) -> Result<i64, String> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let bytes = self.rest.as_bytes();
        let digit = |at: usize| bytes.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
        let parts = (bytes.first(), digit(1), digit(2), bytes.get(3), digit(4), digit(5));
        let (Some(sign @ (b'+' | b'-')), Some(a), Some(b), Some(b':'), Some(c), Some(d)) = parts else {
            return Err(self.refuse("Z07:00"));
        };
        let (hours, minutes) = (a * 10 + b, c * 10 + d);
        if hours > 24 || minutes >= 60 {
            return Err(self.refuse("Z07:00"));
        }
        self.rest = &self.rest[6..];
        let seconds = hours * 3600 + minutes * 60;
        Ok(if *sign == b'-' { -seconds } else { seconds })
    }
}

fn parse(text: &str, layout: &'static str, needs_micros: bool) -> Result<Timestamp, String> {
    let mut reader = Reader { whole: text, layout, rest: text };
    let out_of_range = |what: &str| format!("parsing time {text:?}: {what} out of range");
    let year = reader.number(4, "2006")?;
    reader.literal("-")?;
    let month = reader.number(2, "01")?;
    if !(1..=12).contains(&month) {
        return Err(out_of_range("month"));
    }
    reader.literal("-")?;
    let day = reader.number(2, "02")?;
    reader.literal("T")?;
    let hour = reader.number(2, "15")?;
    reader.literal(":")?;
    let minute = reader.number(2, "04")?;
    reader.literal(":")?;
    let second = reader.number(2, "05")?;
    for (what, value, end) in [("hour", hour, 24), ("minute", minute, 60), ("second", second, 60)] {
        if value >= end {
            return Err(out_of_range(what));
        }
    }
    let has_micros = reader.rest.len() >= 7
        && reader.rest.starts_with('.')
        && reader.rest.bytes().skip(1).take(6).all(|byte| byte.is_ascii_digit());
    if needs_micros && !has_micros {
        return Err(reader.refuse(".000000"));
    }
    if needs_micros && reader.rest.as_bytes().get(7).is_some_and(u8::is_ascii_digit) {
        reader.rest = &reader.rest[7..];
        return Err(reader.refuse("Z07:00"));
    }
    let nanos = reader.fraction();
    let offset = reader.zone()?;
    if !reader.rest.is_empty() {
        return Err(format!("parsing time {text:?}: extra text: {:?}", reader.rest));
    }
    let narrow = |value: i64| i8::try_from(value).unwrap_or_default();
    let date = i16::try_from(year).ok().and_then(|year| Date::new(year, narrow(month), narrow(day)).ok());
    let date = date.ok_or_else(|| out_of_range("day"))?;
    let civil = date.at(narrow(hour), narrow(minute), narrow(second), i32::try_from(nanos).unwrap_or_default());
    let utc = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| out_of_range("year"))?.timestamp();
    utc.checked_sub(SignedDuration::from_secs(offset)).map_err(|_| out_of_range("year"))
}
