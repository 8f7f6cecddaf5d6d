//! Kubernetes quantities (`500m`, `1Gi`, `1e3`): exact comparison and the
//! canonical form that kubectl prints. Text that is no quantity is none; what
//! exceeds 128 bits is refused rather than rounded.

use std::cmp::Ordering;
use std::fmt;

#[cfg(test)]
mod tests;

/// A parsed quantity. Equality and order go by value: `1000m` equals `1`.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    mantissa: i128,
    exponent: i32,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

/// Digits after the point that Kubernetes keeps: nano.
const SMALLEST_EXPONENT: i32 = -9;

impl Quantity {
    /// A whole number.
    pub fn from_integer(value: i64) -> Self {
        Quantity { mantissa: value.into(), exponent: 0, format: Format::Decimal }
    }

    /// Reads a quantity; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = unsigned.find(|character: char| !character.is_ascii_digit() && character != '.');
        let (number, suffix) = unsigned.split_at(end.unwrap_or(unsigned.len()));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || number.len() > 40 {
            return None;
        }
        let mut mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let mut exponent = -i32::try_from(fraction.len()).ok()?;
        let (scale, format) = suffix_scale(suffix)?;
        match scale {
            Scale::Ten(power) => exponent += power,
            Scale::Two(power) => mantissa = mantissa.checked_mul(1_i128 << power)?,
        }
        // Binary sizes end at 2^63 - 1, as in Kubernetes.
        if format == Format::Binary && mantissa / power_of_ten(-exponent)? >= i128::from(i64::MAX) {
            (mantissa, exponent) = (i64::MAX.into(), 0);
        }
        if negative {
            mantissa = -mantissa;
        }
        Some(Quantity { mantissa, exponent, format }.rounded_to(SMALLEST_EXPONENT))
    }

    /// Reads a quantity from JSON: text or a number.
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(text) => Self::parse(text),
            serde_json::Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// The value in whole units, rounded up.
    pub fn value(&self) -> i64 {
        self.scaled(0)
    }

    /// The value in thousandths, rounded up.
    pub fn milli_value(&self) -> i64 {
        self.scaled(-3)
    }

    /// The sum; the format is that of the left side. `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let mantissa = self.at(exponent)?.checked_add(other.at(exponent)?)?;
        Some(Quantity { mantissa, exponent, format: self.format })
    }

    /// The difference; the format is that of the left side. `None` on overflow.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Quantity { mantissa: other.mantissa.checked_neg()?, ..other })
    }

    /// The same amount to the thousandth, rounded away from zero.
    #[must_use]
    pub fn rounded_up_to_milli(self) -> Self {
        self.rounded_to(-3)
    }

    fn scaled(&self, exponent: i32) -> i64 {
        let value = if self.exponent >= exponent {
            self.at(exponent).unwrap_or(if self.mantissa < 0 { i128::MIN } else { i128::MAX })
        } else {
            div_ceil(self.mantissa, power_of_ten(exponent - self.exponent).unwrap_or(i128::MAX))
        };
        i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
    }

    /// The mantissa for a smaller exponent.
    fn at(&self, exponent: i32) -> Option<i128> {
        if self.mantissa == 0 {
            return Some(0);
        }
        self.mantissa.checked_mul(power_of_ten(self.exponent - exponent)?)
    }

    fn rounded_to(self, smallest: i32) -> Self {
        if self.exponent >= smallest {
            return self;
        }
        let divisor = power_of_ten(smallest - self.exponent).unwrap_or(i128::MAX);
        // Away from zero: a request must never round to nothing.
        let up = div_ceil(self.mantissa.abs(), divisor);
        Quantity { mantissa: up * self.mantissa.signum(), exponent: smallest, ..self }
    }

    /// The power of ten of the text's suffix, for a whole number with one.
    pub(crate) fn decimal_exponent(&self) -> i32 {
        self.exponent
    }

    fn normalised(&self) -> (i128, i32) {
        let (mut mantissa, mut exponent) = (self.mantissa, self.exponent);
        if mantissa == 0 {
            return (0, 0);
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        (mantissa, exponent)
    }
}

enum Scale {
    Ten(i32),
    Two(u32),
}

fn suffix_scale(suffix: &str) -> Option<(Scale, Format)> {
    let decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    if let Some(index) = decimal.iter().position(|known| *known == suffix) {
        return Some((Scale::Ten(3 * i32::try_from(index).ok()? - 9), Format::Decimal));
    }
    if let Some(index) = binary.iter().position(|known| *known == suffix) {
        return Some((Scale::Two(10 * (u32::try_from(index).ok()? + 1)), Format::Binary));
    }
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    (-30..=30).contains(&power).then_some((Scale::Ten(power), Format::Exponent))
}

fn power_of_ten(power: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(power).ok()?)
}

fn div_ceil(value: i128, divisor: i128) -> i128 {
    value.div_euclid(divisor) + i128::from(value.rem_euclid(divisor) != 0)
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.normalised() == other.normalised()
    }
}

impl Eq for Quantity {}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((left, left_exponent), (right, right_exponent)) = (self.normalised(), other.normalised());
        if left.signum() != right.signum() || left == 0 {
            return left.signum().cmp(&right.signum());
        }
        let exponent = left_exponent.min(right_exponent);
        let at =
            |mantissa: i128, from: i32| power_of_ten(from - exponent).and_then(|power| mantissa.checked_mul(power));
        match (at(left, left_exponent), at(right, right_exponent)) {
            (Some(left), Some(right)) => left.cmp(&right),
            // Only the side with the larger exponent can overflow, so it is the larger in size.
            (None, _) => 0.cmp(&-left.signum()),
            (_, None) => 0.cmp(&right.signum()),
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mantissa, exponent) = self.normalised();
        if mantissa == 0 {
            return out.write_str("0");
        }
        // A fraction of a byte is shown in decimal, so that nothing is lost.
        if self.format == Format::Binary && exponent >= 0 {
            let mut value = Quantity { mantissa, exponent, ..*self }.at(0).unwrap_or(i128::MAX);
            if value.abs() >= 1024 {
                let mut suffix = 0;
                while value % 1024 == 0 && suffix < 6 {
                    value /= 1024;
                    suffix += 1;
                }
                return write!(out, "{value}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix]);
            }
        }
        // The largest suffix, a power of a thousand, that leaves a whole number.
        let group = exponent.div_euclid(3).min(6);
        let value = mantissa.saturating_mul(power_of_ten(exponent - group * 3).unwrap_or(1));
        if self.format == Format::Exponent {
            return if group == 0 { write!(out, "{value}") } else { write!(out, "{value}e{}", group * 3) };
        }
        let suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        let suffix = usize::try_from(group + 3).ok().and_then(|index| suffixes.get(index)).copied().unwrap_or_default();
        write!(out, "{value}{suffix}")
    }
}
