//! From the syntax of Go's regular expressions to that of the engine: both
//! descend from RE2 but differ in what they escape, in classes, and in what they
//! refuse. What is wrong is said in Go's words. The text is read once.

mod class;
mod group;

/// Said of an expression whose compiled form would be too large.
pub(super) const TOO_LARGE: &str = "error parsing regexp: expression too large";
/// Most instructions of an expression.
const SIZE: u64 = 100_000;
/// Most groups within each other.
const DEPTH: usize = 100;
/// Most repetitions of anything, as Go counts them.
const REPEATS: u64 = 1000;
/// About how many instructions a class of Unicode takes.
const CLASS_SIZE: u64 = 300;

/// An expression in the engine's syntax.
pub(super) struct Translated {
    pub text: String,
    /// About how many instructions it compiles to.
    pub size: u64,
}

/// How large something is, and how often its innermost part is repeated.
#[derive(Clone, Copy, Default)]
struct Weight {
    size: u64,
    repeats: u64,
}

impl Weight {
    fn add(&mut self, other: Weight) {
        self.size = self.size.saturating_add(other.size);
        self.repeats = self.repeats.max(other.repeats);
    }
}

struct Translator<'a> {
    source: &'a str,
    rest: &'a str,
    out: String,
    /// Weights of the groups that are open.
    open: Vec<Weight>,
    current: Weight,
    /// The last thing that can be repeated.
    last: Option<Weight>,
    /// The source from the repetition that was read just now.
    repeated: Option<&'a str>,
}

fn error(what: &str, at: &str) -> String {
    format!("error parsing regexp: {what}: `{at}`")
}

/// What of `before` was read when `after` is left.
fn read_part<'a>(before: &'a str, after: &str) -> &'a str {
    &before[..before.len() - after.len()]
}

/// Translates an expression, or says what is wrong with it.
pub(super) fn translate(source: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        source,
        rest: source,
        out: String::with_capacity(source.len() + 16),
        open: Vec::new(),
        current: Weight::default(),
        last: None,
        repeated: None,
    };
    while let Some(character) = translator.rest.chars().next() {
        translator.step(character)?;
    }
    if !translator.open.is_empty() {
        return Err(error("missing closing )", source));
    }
    if translator.current.size > SIZE {
        return Err(TOO_LARGE.to_owned());
    }
    Ok(Translated { text: translator.out, size: translator.current.size.max(1) })
}

impl<'a> Translator<'a> {
    fn step(&mut self, character: char) -> Result<(), String> {
        let before = self.rest;
        let mut repeated = None;
        match character {
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '|' => {
                self.skip(character);
                self.out.push('|');
                self.last = None;
            }
            '^' | '$' | '.' => {
                self.skip(character);
                self.out.push(character);
                self.atom(1);
            }
            '[' => {
                let (rest, text, size) = class::translate(self.rest)?;
                self.rest = rest;
                self.out.push_str(&text);
                self.atom(size);
            }
            '*' | '+' | '?' => {
                self.skip(character);
                self.repeat(before, &character.to_string(), 1, 2)?;
                repeated = Some(before);
            }
            '{' => match counts(self.rest) {
                None => self.literal(character),
                Some((min, max, rest)) => {
                    let stated = read_part(before, rest);
                    if min > REPEATS || max.is_some_and(|max| max > REPEATS || min > max) {
                        return Err(error("invalid repeat count", stated));
                    }
                    self.rest = rest;
                    self.repeat(before, stated, max.unwrap_or(min), max.unwrap_or(min).max(1))?;
                    repeated = Some(before);
                }
            },
            '\\' => self.escape()?,
            other => self.literal(other),
        }
        self.repeated = repeated;
        Ok(())
    }

    fn skip(&mut self, character: char) {
        self.rest = &self.rest[character.len_utf8()..];
    }

    fn literal(&mut self, character: char) {
        self.skip(character);
        push_literal(&mut self.out, character);
        self.atom(1);
    }

    /// Notes something that can be repeated.
    fn atom(&mut self, size: u64) {
        let weight = Weight { size, repeats: 1 };
        self.current.add(weight);
        self.last = Some(weight);
    }

    fn repeat(&mut self, before: &'a str, operator: &str, count: u64, copies: u64) -> Result<(), String> {
        self.out.push_str(operator);
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            self.out.push('?');
        }
        if let Some(earlier) = self.repeated {
            return Err(error("invalid nested repetition operator", read_part(earlier, self.rest)));
        }
        let Some(last) = self.last else {
            return Err(error("missing argument to repetition operator", read_part(before, self.rest)));
        };
        let repeats = last.repeats.saturating_mul(count.max(1));
        if count >= 2 && repeats > REPEATS {
            return Err(error("invalid repeat count", read_part(before, self.rest)));
        }
        let added = last.size.saturating_mul(copies.saturating_sub(1));
        let weight = Weight { size: last.size.saturating_add(added), repeats };
        self.current.add(Weight { size: added, repeats });
        self.last = Some(weight);
        if self.current.size > SIZE {
            return Err(TOO_LARGE.to_owned());
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let second = self.rest[1..].chars().next();
        let assertion = match second {
            Some('A') => Some(r"\A"),
            Some('z') => Some(r"\z"),
            Some('b') => Some(r"(?-u:\b)"),
            Some('B') => Some(r"(?-u:\B)"),
            _ => None,
        };
        if let Some(text) = assertion {
            self.rest = &self.rest[2..];
            self.out.push_str(text);
            self.atom(1);
            return Ok(());
        }
        match second {
            Some('C') => return Err(error("invalid escape sequence", &self.rest[..2])),
            Some('Q') => {
                let quoted = &self.rest[2..];
                let (text, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
                for character in text.chars() {
                    push_literal(&mut self.out, character);
                    self.atom(1);
                }
                self.rest = rest;
                return Ok(());
            }
            _ => {}
        }
        if let Some((rest, text, size)) = class::escaped(self.rest)? {
            self.rest = rest;
            self.out.push_str(&format!("[{text}]"));
            self.atom(size);
            return Ok(());
        }
        let (character, rest) = class::escaped_character(self.rest)?;
        self.rest = rest;
        push_literal(&mut self.out, character);
        self.atom(1);
        Ok(())
    }
}

/// A character that stands for itself, in and out of classes.
fn push_literal(out: &mut String, character: char) {
    if character.is_ascii_alphanumeric() || !character.is_ascii() || character == '_' {
        out.push(character);
    } else {
        out.push_str(&format!("\\x{:02X}", u32::from(character)));
    }
}

/// The counts of `{2}`, `{2,}` or `{2,3}` and what follows; `None` if it is none of these.
fn counts(text: &str) -> Option<(u64, Option<u64>, &str)> {
    let (inner, rest) = text[1..].split_once('}')?;
    let number = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let has_zero_before = text.len() > 1 && text.starts_with('0');
        (is_plain && !has_zero_before).then(|| text.parse().unwrap_or(u64::MAX))
    };
    match inner.split_once(',') {
        None => number(inner).map(|count| (count, Some(count), rest)),
        Some((min, "")) => number(min).map(|min| (min, None, rest)),
        Some((min, max)) => Some((number(min)?, Some(number(max)?), rest)),
    }
}
