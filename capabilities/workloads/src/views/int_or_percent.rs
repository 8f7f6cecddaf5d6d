//! A number, or a share of another number, as Kubernetes' `IntOrString`.

use serde::Deserialize;

/// A count of replicas, or a percentage of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum IntOrPercent {
    Int(i64),
    Percent(Box<str>),
}

impl IntOrPercent {
    /// The count that this is of `whole`, a part of one counting as one.
    pub(crate) fn rounded_up(&self, whole: i64) -> i64 {
        self.hundredths(whole).div_euclid(100) + i64::from(self.hundredths(whole).rem_euclid(100) > 0)
    }

    /// The count that this is of `whole`, a part of one counting as none.
    pub(crate) fn rounded_down(&self, whole: i64) -> i64 {
        self.hundredths(whole).div_euclid(100)
    }

    /// The API server lets nothing pass that is neither; such a text counts as nothing.
    fn hundredths(&self, whole: i64) -> i64 {
        match self {
            IntOrPercent::Int(count) => count.saturating_mul(100),
            IntOrPercent::Percent(text) => {
                let percent: i64 = text.strip_suffix('%').and_then(|digits| digits.parse().ok()).unwrap_or(0);
                percent.saturating_mul(whole)
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
