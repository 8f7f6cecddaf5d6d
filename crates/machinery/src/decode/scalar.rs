//! Single values as Go's types read and write them: quantities, bytes, integers. What a
//! refusal says of the place stands with the caller.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Number, Value};

use crate::quantity::Quantity;

const FORMAT: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// A quantity as Go writes it again: in its canonical form, but what looks canonical at
/// the first glance is left as it was written.
pub(super) fn quantity(value: &Value) -> Result<String, &'static str> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(FORMAT),
    };
    let parts = Parts::of(&text).ok_or(FORMAT)?;
    // Zero of whatever it is that has no digits.
    let Some(unit) = Quantity::parse(&format!("1{}", parts.suffix)) else { return Err(SUFFIX) };
    if parts.whole.is_empty() && parts.fraction.is_empty() {
        return Ok("0".to_owned());
    }
    if parts.looks_canonical(unit) {
        return Ok(text);
    }
    Quantity::parse(&text).map(|quantity| quantity.to_string()).ok_or(NUMBER)
}

const SUFFIX: &str = "unable to parse quantity's suffix";
const NUMBER: &str = "unable to parse numeric part of quantity";

/// The parts of a quantity's text.
struct Parts<'a> {
    /// Digits before the point, without leading zeros.
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, rest) = unsigned.split_at(digits(unsigned));
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("", rest),
        };
        let exponent = suffix.trim_start_matches(|character: char| "eEinumkKMGTP".contains(character));
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let is_whole = exponent.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then_some(Parts { whole: whole.trim_start_matches('0'), fraction, suffix })
    }

    /// Whether Go keeps the text: a number of few digits that needs no shorter suffix.
    fn looks_canonical(&self, unit: Quantity) -> bool {
        let (places, digits) = (self.fraction.len(), self.whole.len() + self.fraction.len());
        if self.suffix.ends_with('i') {
            let value: Option<u64> = self.whole.parse().ok();
            return places == 0 && digits <= 5 && value.is_some_and(|value| value & 7 != 0);
        }
        let scale = unit.decimal_exponent() - i32::try_from(places).unwrap_or(i32::MAX);
        let ends_in_thousands = if places >= 3 {
            self.fraction.ends_with("000")
        } else {
            format!("{}{}", self.whole, self.fraction).ends_with("000")
        };
        !self.whole.is_empty() && digits <= 18 && scale >= -9 && scale % 3 == 0 && !ends_in_thousands
    }
}

/// Bytes in base64, written again as Go writes them.
pub(super) fn bytes(text: &str) -> Result<String, String> {
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    // Go skips line ends wherever they stand.
    let joined: String;
    let plain = if text.contains(['\r', '\n']) {
        joined = text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
        &joined
    } else {
        text
    };
    match engine.decode(plain) {
        Ok(decoded) => Ok(base64::engine::general_purpose::STANDARD.encode(decoded)),
        Err(error) => Err(format!("illegal base64 data at input byte {}", fault(plain, &error))),
    }
}

fn fault(text: &str, error: &base64::DecodeError) -> usize {
    match error {
        base64::DecodeError::InvalidByte(at, _) => *at,
        base64::DecodeError::InvalidLastSymbol(at, _) => *at,
        _ if text.ends_with('=') => text.len(),
        // Go names the place of the group that is not whole.
        base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => text.len() / 4 * 4,
    }
}

/// A number that is an integer although it was written with a point or an exponent.
pub(super) fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = number.as_f64().filter(|_| number.is_f64())?;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}
