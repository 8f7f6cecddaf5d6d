//! Messages that are something else in JSON: times, quantities, raw JSON. Each
//! is written as Go's `MarshalJSON` of the type writes it. Types of the table
//! are none of its business.

use api::schema::Shape;
use base::limits;
use jiff::Timestamp;
use serde_json::Value;

use super::error::Error;
use super::wire::Reader;

/// Decodes the message of a special shape.
pub(super) fn decode(shape: &Shape, bytes: &[u8], depth: usize) -> Result<Value, Error> {
    match shape {
        Shape::Quantity => quantity(bytes),
        Shape::IntOrString => int_or_string(bytes),
        Shape::Time => time(bytes),
        Shape::MicroTime => micro_time(bytes),
        Shape::Duration => duration(bytes),
        // RawExtension, JSON and FieldsV1 are the same message.
        _ => raw(bytes, depth),
    }
}

/// Checked UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::Utf8)
}

/// A number without a fraction is written without a point, as Go does.
pub(super) fn integral(number: f64) -> Result<Value, Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Value::from(number as i64));
    }
    serde_json::Number::from_f64(number).map(Value::Number).ok_or(Error::Range("float64"))
}

/// JSON inside the body, which counts towards the nesting of the whole.
pub(super) fn json_text(bytes: &[u8], depth: usize) -> Result<Value, Error> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| Error::Json(error.to_string()))?;
    if depth + levels(&value) > limits::NESTING { Err(Error::Nesting) } else { Ok(value) }
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn raw(bytes: &[u8], depth: usize) -> Result<Value, Error> {
    let mut json: &[u8] = &[];
    let mut reader = Reader::new(bytes);
    while let Some((tag, wire)) = reader.next()? {
        if tag == 1 {
            json = wire.bytes("raw")?;
        }
    }
    if json.is_empty() { Ok(Value::Null) } else { json_text(json, depth) }
}

fn quantity(bytes: &[u8]) -> Result<Value, Error> {
    let mut quantity = "";
    let mut reader = Reader::new(bytes);
    while let Some((tag, wire)) = reader.next()? {
        if tag == 1 {
            quantity = text(wire.bytes("string")?)?;
        }
    }
    Ok(Value::from(if quantity.is_empty() { "0" } else { quantity }))
}

fn int_or_string(bytes: &[u8]) -> Result<Value, Error> {
    let (mut kind, mut number, mut string) = (0, 0, "");
    let mut reader = Reader::new(bytes);
    while let Some((tag, wire)) = reader.next()? {
        match tag {
            1 => kind = wire.varint("type")?,
            2 => number = wire.varint("intVal")? as i32,
            3 => string = text(wire.bytes("strVal")?)?,
            _ => {}
        }
    }
    match kind {
        0 => Ok(Value::from(number)),
        1 => Ok(Value::from(string)),
        _ => Err(Error::Range("IntOrString")),
    }
}

fn time(bytes: &[u8]) -> Result<Value, Error> {
    Ok(timestamp(bytes, "Time")?.map_or(Value::Null, |(seconds, _)| Value::from(format!("{seconds}Z"))))
}

fn micro_time(bytes: &[u8]) -> Result<Value, Error> {
    let timestamp = timestamp(bytes, "MicroTime")?;
    Ok(timestamp.map_or(Value::Null, |(seconds, nanos)| Value::from(format!("{seconds}.{:06}Z", nanos / 1_000))))
}

/// RFC 3339 to the second, without zone, and nanoseconds. A message without
/// content is Go's zero time, which JSON writes as null.
fn timestamp(bytes: &[u8], name: &'static str) -> Result<Option<(String, i32)>, Error> {
    // RFC 3339 knows the years 0001 to 9999 only.
    const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
    if bytes.is_empty() {
        return Ok(None);
    }
    let (mut seconds, mut nanos) = (0i64, 0i32);
    let mut reader = Reader::new(bytes);
    while let Some((tag, wire)) = reader.next()? {
        match tag {
            1 => seconds = wire.varint("seconds")? as i64,
            2 => nanos = wire.varint("nanos")? as i32,
            _ => {}
        }
    }
    if !SECONDS.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return Err(Error::Range(name));
    }
    let time = Timestamp::from_second(seconds).map_err(|_| Error::Range(name))?;
    Ok(Some((time.strftime("%Y-%m-%dT%H:%M:%S").to_string(), nanos)))
}

fn duration(bytes: &[u8]) -> Result<Value, Error> {
    let mut nanos = 0i64;
    let mut reader = Reader::new(bytes);
    while let Some((tag, wire)) = reader.next()? {
        if tag == 1 {
            nanos = wire.varint("duration")? as i64;
        }
    }
    Ok(Value::from(go_duration(nanos)))
}

/// `time.Duration.String()` of Go.
fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let with_fraction = |unit: u64| {
        let fraction = format!("{:0width$}", nanos % unit, width = unit.ilog10() as usize);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { String::new() } else { format!(".{fraction}") }
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanos}ns"),
        1_000..1_000_000 => format!("{sign}{}{}µs", nanos / 1_000, with_fraction(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}{}ms", nanos / 1_000_000, with_fraction(1_000_000)),
        _ => {
            let seconds = nanos / 1_000_000_000;
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            let seconds = format!("{}{}s", seconds % 60, with_fraction(1_000_000_000));
            match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}
