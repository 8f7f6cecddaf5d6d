//! A number, or a share of another number, as Kubernetes' `IntOrString`. Pure.

use serde::{Deserialize, Deserializer};

/// A count of pods, or a percentage of those wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntOrPercent {
    Int(i64),
    Percent(i64),
}

impl IntOrPercent {
    /// The count that this is of `whole`, a part of one counting as one.
    pub(crate) fn rounded_up(self, whole: i64) -> i64 {
        match self {
            IntOrPercent::Int(count) => count,
            IntOrPercent::Percent(percent) => percent.saturating_mul(whole).saturating_add(99).div_euclid(100),
        }
    }

    /// The count that this is of `whole`, a part of one counting as none.
    pub(crate) fn rounded_down(self, whole: i64) -> i64 {
        match self {
            IntOrPercent::Int(count) => count,
            IntOrPercent::Percent(percent) => percent.saturating_mul(whole).div_euclid(100),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Int(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for IntOrPercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Int(count) => Ok(IntOrPercent::Int(count)),
            Wire::Text(text) => {
                let percent = text.strip_suffix('%').and_then(|number| number.parse().ok());
                let percent = percent.map(IntOrPercent::Percent);
                percent.ok_or_else(|| serde::de::Error::custom("neither a number nor a percentage"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IntOrPercent;

    #[test]
    fn percents_are_rounded_as_asked() {
        let check = |json: &str, whole: i64, down: i64, up: i64| {
            let read: IntOrPercent = serde_json::from_str(json).unwrap();
            assert_eq!((read.rounded_down(whole), read.rounded_up(whole)), (down, up), "{json} of {whole}");
        };
        check("3", 10, 3, 3);
        check("\"25%\"", 10, 2, 3);
        check("\"50%\"", 10, 5, 5);
        check("\"0%\"", 10, 0, 0);
        check("\"1%\"", 3, 0, 1);
        check("\"100%\"", 0, 0, 0);
    }
}
