//! Numbers of pods that may be stated as a share of those wanted
//! (`intstr.IntOrString`). Pure.

use serde::{Deserialize, Deserializer};

/// A number of pods, or a share of those that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    Count(i64),
    Percent(i64),
}

impl Amount {
    /// Of so many pods; a part of a pod counts as one.
    pub(crate) fn rounded_up(self, total: i64) -> i64 {
        match self {
            Amount::Count(count) => count,
            Amount::Percent(percent) => percent.saturating_mul(total).saturating_add(99).div_euclid(100),
        }
    }

    /// Of so many pods; a part of a pod does not count.
    pub(crate) fn rounded_down(self, total: i64) -> i64 {
        match self {
            Amount::Count(count) => count,
            Amount::Percent(percent) => percent.saturating_mul(total).div_euclid(100),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Count(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Count(count) => Ok(Amount::Count(count)),
            Wire::Text(text) => {
                let percent = text.strip_suffix('%').and_then(|number| number.parse().ok());
                percent
                    .map(Amount::Percent)
                    .ok_or_else(|| serde::de::Error::custom("neither a number nor a percentage"))
            }
        }
    }
}
