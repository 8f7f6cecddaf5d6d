//! Reading places of a JSON object, and the small judgements that many rules share. A
//! null counts as absent. It knows no kind.

use serde_json::{Map, Value};

use super::Object;
use super::findings::Findings;

/// What stands at a path of field names.
pub(super) fn at<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = object.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part)).filter(|value| !value.is_null())
}

/// The object at a path.
pub(super) fn object_at<'a>(object: &'a Object, path: &str) -> Option<&'a Object> {
    at(object, path)?.as_object()
}

/// The text at a path, empty if there is none.
pub(super) fn text<'a>(object: &'a Object, path: &str) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The number at a path, 0 if there is none.
pub(super) fn number(object: &Object, path: &str) -> i64 {
    at(object, path).and_then(Value::as_i64).unwrap_or_default()
}

/// The items of the list at a path.
pub(super) fn list<'a>(object: &'a Object, path: &str) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The objects of the list at a path, with their positions.
pub(super) fn objects<'a>(object: &'a Object, path: &str) -> impl Iterator<Item = (usize, &'a Object)> {
    list(object, path).iter().enumerate().filter_map(|(index, item)| Some((index, item.as_object()?)))
}

/// The entries of the map at a path.
pub(super) fn entries<'a>(object: &'a Object, path: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    object_at(object, path).map(Map::iter).into_iter().flatten()
}

/// Why a number is no port; `None` if it is one.
pub(super) fn port_problem(port: i64) -> Option<&'static str> {
    (!(1..=65535).contains(&port)).then_some("must be between 1 and 65535, inclusive")
}

/// What is wrong with the name of a port.
pub(super) fn port_name_problems(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 15 {
        problems.push("must be no more than 15 characters".to_owned());
    }
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') || name.is_empty() {
        problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        problems.push("must contain at least one letter (a-z)".to_owned());
    }
    if name.contains("--") {
        problems.push("must not contain consecutive hyphens".to_owned());
    }
    if name.starts_with('-') || name.ends_with('-') {
        problems.push("must not begin or end with a hyphen".to_owned());
    }
    problems
}

/// Checks a port that may be a number or the name of one.
pub(super) fn port_or_name(field: &str, port: Option<&Value>, found: &mut Findings) {
    match port {
        Some(Value::String(name)) => found.invalid_text(field, name, &port_name_problems(name)),
        Some(port) => {
            if let Some(why) = port.as_i64().and_then(port_problem) {
                found.invalid(field, port, why);
            }
        }
        None => {}
    }
}

/// Checks a count that may be a number or a percentage.
pub(super) fn count_or_percent(field: &str, count: Option<&Value>, found: &mut Findings) -> Option<i64> {
    const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
        '93%', regex used for validation is '[0-9]+%')";
    match count? {
        Value::String(text) => {
            let digits = text.strip_suffix('%').filter(|digits| !digits.is_empty());
            let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            if digits.is_none() {
                found.invalid(field, &Value::from(text.as_str()), PERCENT);
            }
            digits?.parse().ok()
        }
        count => {
            found.not_negative(field, Some(count));
            count.as_i64()
        }
    }
}

/// Whether text is the address of one host.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// Whether text is a range of addresses.
pub(super) fn is_range(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= most)
}

/// Why text is no address.
pub(super) const NO_ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
/// Why text is no range of addresses.
pub(super) const NO_RANGE: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
