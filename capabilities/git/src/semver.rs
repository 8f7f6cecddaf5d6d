//! Version ranges over tags, as far as GitOps uses them: comparisons, `~`, `^`,
//! wildcards, hyphen ranges, `,` and `||`. It knows nothing of git.

use std::cmp::Ordering;

/// A version: three numbers and what comes after `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre: Vec<String>,
}

impl Version {
    /// A version as tags write it: an optional `v`, one to three numbers, a pre-release, build data.
    pub fn parse(text: &str) -> Option<Self> {
        let partial = Partial::parse(text)?;
        partial.any_from.is_none_or(|from| from > 0).then_some(())?;
        (!text.contains(['*', 'x', 'X']) || !partial.pre.is_empty()).then_some(())?;
        Some(Version { numbers: partial.numbers, pre: partial.pre })
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => compare_pre(&self.pre, &other.pre),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare_pre(one: &[String], other: &[String]) -> Ordering {
    for (left, right) in one.iter().zip(other) {
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    one.len().cmp(&other.len())
}

/// A version of which trailing numbers may be left open.
struct Partial {
    numbers: [u64; 3],
    /// Index of the first number that is not stated, if any.
    any_from: Option<usize>,
    pre: Vec<String>,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (core, pre) = text.split_once('-').map_or((text, ""), |(core, pre)| (core, pre));
        let mut partial = Partial { numbers: [0; 3], any_from: None, pre: Vec::new() };
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        for (index, part) in parts.iter().enumerate() {
            match *part {
                "*" | "x" | "X" => partial.any_from = partial.any_from.or(Some(index)),
                number if partial.any_from.is_none() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    partial.numbers[index] = number.parse().ok()?;
                }
                _ => return None,
            }
        }
        if parts.len() < 3 {
            partial.any_from = partial.any_from.or(Some(parts.len()));
        }
        if !pre.is_empty() {
            partial.pre = pre.split('.').map(str::to_owned).collect();
        }
        Some(partial)
    }

    fn lowest(&self) -> Version {
        Version { numbers: self.numbers, pre: self.pre.clone() }
    }

    /// The first version after all that share the numbers before `index`.
    fn after(&self, index: usize) -> Option<Version> {
        let mut numbers = [0; 3];
        numbers[..index].copy_from_slice(&self.numbers[..index]);
        *numbers.get_mut(index.checked_sub(1)?)? += 1;
        Some(Version { numbers, pre: Vec::new() })
    }
}

/// Bounds of one comparison: from, inclusive, to before.
#[derive(Clone, Debug, Default)]
struct Span {
    from: Option<(Version, bool)>,
    to: Option<(Version, bool)>,
    not: Option<(Version, Option<Version>)>,
    allows_pre: bool,
}

impl Span {
    fn holds(&self, version: &Version) -> bool {
        let above =
            self.from.as_ref().is_none_or(|(from, inclusive)| version > from || (*inclusive && version == from));
        let below = self.to.as_ref().is_none_or(|(to, inclusive)| version < to || (*inclusive && version == to));
        let other = self.not.as_ref().is_none_or(|(from, to)| match to {
            Some(to) => version < from || version >= to,
            None => version != from,
        });
        above && below && other
    }
}

/// A range of versions: alternatives of conditions that all hold.
#[derive(Clone, Debug)]
pub struct Range(Vec<Vec<Span>>);

impl Range {
    /// A range, if `text` is one rather than a plain name or version.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let wild = text.split(['.', ' ', ',', '-']).any(|part| matches!(part, "*" | "x" | "X"));
        if !text.contains(['<', '>', '=', '~', '^', '|', ',']) && !text.contains(" - ") && !wild {
            return None;
        }
        let alternatives: Option<Vec<Vec<Span>>> = text.split("||").map(parse_all).collect();
        alternatives.map(Range)
    }

    /// Whether a version is in the range. Pre-releases only where an alternative names one.
    pub fn holds(&self, version: &Version) -> bool {
        let fits = |spans: &Vec<Span>| {
            let allowed = version.pre.is_empty() || spans.iter().any(|span| span.allows_pre);
            allowed && spans.iter().all(|span| span.holds(version))
        };
        self.0.iter().any(fits)
    }

    /// The tag with the highest version in the range.
    pub fn highest<'a>(&self, tags: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let versions = tags.filter_map(|tag| Some((Version::parse(tag)?, tag)));
        versions.filter(|(version, _)| self.holds(version)).max_by(|one, other| one.0.cmp(&other.0)).map(|(_, tag)| tag)
    }
}

fn parse_all(text: &str) -> Option<Vec<Span>> {
    let text = text.trim();
    if let Some((from, to)) = text.split_once(" - ") {
        return Some(vec![parse_one(&format!(">={}", from.trim()))?, parse_one(&format!("<={}", to.trim()))?]);
    }
    // Blanks after an operator belong to it; elsewhere they separate conditions, as commas do.
    let mut joined = String::new();
    for part in text.split([' ', ',']).filter(|part| !part.is_empty()) {
        joined.push_str(part);
        if part.ends_with(|character: char| character.is_ascii_alphanumeric() || character == '*') {
            joined.push(' ');
        }
    }
    joined.split_whitespace().map(parse_one).collect()
}

fn parse_one(text: &str) -> Option<Span> {
    let at = text.find(|character: char| !"<>=!~^".contains(character))?;
    let (operator, version) = text.split_at(at);
    let partial = Partial::parse(version)?;
    let low = partial.lowest();
    let open = partial.any_from;
    let until = |index: Option<usize>| index.and_then(|index| partial.after(index)).map(|version| (version, false));
    let allows_pre = !low.pre.is_empty();
    let from = Some((low.clone(), true));
    let span = match operator {
        "" | "=" | "==" => match open {
            Some(index) => Span { from, to: until(Some(index)), ..Span::default() },
            None => Span { from, to: Some((low, true)), ..Span::default() },
        },
        "!=" => Span { not: Some((low, open.and_then(|index| partial.after(index)))), ..Span::default() },
        ">" => match open.filter(|index| *index > 0) {
            Some(index) => Span { from: partial.after(index).map(|version| (version, true)), ..Span::default() },
            None => Span { from: Some((low, false)), ..Span::default() },
        },
        ">=" | "=>" => Span { from, ..Span::default() },
        "<" => Span { to: Some((low, false)), ..Span::default() },
        "<=" | "=<" => match open {
            Some(index) => Span { to: until(Some(index)), ..Span::default() },
            None => Span { to: Some((low, true)), ..Span::default() },
        },
        "~" | "~>" => Span { from, to: until(Some(open.unwrap_or(3).min(2))), ..Span::default() },
        "^" => {
            let leading = partial.numbers.iter().position(|number| *number > 0).unwrap_or(2);
            let fixed = (leading + 1).min(open.unwrap_or(3).max(1));
            Span { from, to: until(if open == Some(0) { None } else { Some(fixed) }), ..Span::default() }
        }
        _ => return None,
    };
    Some(Span { allows_pre, ..span })
}

#[cfg(test)]
mod tests;
