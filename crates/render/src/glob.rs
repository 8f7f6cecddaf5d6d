//! Shell patterns as Argo CD reads them: `*` (no separator), `**` (anything), `?`,
//! `[a-z]`, `[!a-z]`, `{one,two}` and `\` before a character that means itself. One
//! implementation for file filters and for projects. Matching takes time
//! polynomial in both lengths, whatever the pattern.

use std::collections::BTreeSet;

use crate::Error;

/// Characters of a pattern that is accepted.
const PATTERN_CHARS: usize = 1024;
/// Nesting of alternatives that is accepted.
const NESTING: usize = 8;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
    separator: Option<char>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    One,
    Star,
    Anything,
    Class { negated: bool, ranges: Vec<(char, char)> },
    Either(Vec<Vec<Token>>),
}

impl Glob {
    /// A pattern in which `*` and `?` match everything.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        Self::compile(pattern, None)
    }

    /// A pattern in which `*` and `?` stop at `separator`.
    pub fn separated(pattern: &str, separator: char) -> Result<Self, Error> {
        Self::compile(pattern, Some(separator))
    }

    fn compile(pattern: &str, separator: Option<char>) -> Result<Self, Error> {
        let refuse = |why| Error::Pattern { pattern: pattern.to_owned(), why };
        let characters: Vec<char> = pattern.chars().collect();
        if characters.len() > PATTERN_CHARS {
            return Err(refuse("it is too long"));
        }
        let mut parser = Parser { characters, at: 0 };
        let tokens = parser.sequence(0).map_err(refuse)?;
        Ok(Glob { tokens, separator })
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let end = self.run(&self.tokens, &text, BTreeSet::from([0]));
        end.contains(&text.len())
    }

    /// The positions that `tokens` can lead to from the positions `from`.
    fn run(&self, tokens: &[Token], text: &[char], from: BTreeSet<usize>) -> BTreeSet<usize> {
        tokens.iter().fold(from, |from, token| if from.is_empty() { from } else { self.step(token, text, &from) })
    }

    fn step(&self, token: &Token, text: &[char], from: &BTreeSet<usize>) -> BTreeSet<usize> {
        let inside = |character: char| Some(character) != self.separator;
        let single = |accepts: &dyn Fn(char) -> bool| -> BTreeSet<usize> {
            from.iter().filter(|&&at| text.get(at).is_some_and(|&next| accepts(next))).map(|at| at + 1).collect()
        };
        match token {
            Token::Literal(wanted) => single(&|next| next == *wanted),
            Token::One => single(&inside),
            Token::Class { negated, ranges } => {
                single(&|next| ranges.iter().any(|(low, high)| (*low..=*high).contains(&next)) != *negated)
            }
            Token::Star => spread(text, from, &inside),
            Token::Anything => spread(text, from, &|_| true),
            Token::Either(branches) => {
                branches.iter().flat_map(|branch| self.run(branch, text, from.clone())).collect()
            }
        }
    }
}

/// Every position reached from `from` over characters that are accepted.
fn spread(text: &[char], from: &BTreeSet<usize>, accepts: &dyn Fn(char) -> bool) -> BTreeSet<usize> {
    let mut reached = from.clone();
    for (at, character) in text.iter().enumerate() {
        if reached.contains(&at) && accepts(*character) {
            reached.insert(at + 1);
        }
    }
    reached
}

struct Parser {
    characters: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    /// Tokens up to the end, or inside braces up to `,` or `}`.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Token>, &'static str> {
        let mut tokens = Vec::new();
        while let Some(next) = self.peek() {
            if depth > 0 && (next == ',' || next == '}') {
                return Ok(tokens);
            }
            self.at += 1;
            tokens.push(match next {
                '*' if self.peek() == Some('*') => {
                    self.at += 1;
                    Token::Anything
                }
                '*' => Token::Star,
                '?' => Token::One,
                '[' => self.class()?,
                '{' => self.either(depth + 1)?,
                '\\' => Token::Literal(self.next().ok_or("it ends with a backslash")?),
                other => Token::Literal(other),
            });
        }
        if depth > 0 { Err("a brace is not closed") } else { Ok(tokens) }
    }

    fn either(&mut self, depth: usize) -> Result<Token, &'static str> {
        if depth > NESTING {
            return Err("its braces are nested too deeply");
        }
        let mut branches = vec![self.sequence(depth)?];
        while self.next() == Some(',') {
            branches.push(self.sequence(depth)?);
        }
        Ok(Token::Either(branches))
    }

    fn class(&mut self) -> Result<Token, &'static str> {
        let open = "a bracket is not closed";
        let negated = self.peek() == Some('!');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let low = match self.next().ok_or(open)? {
                ']' if ranges.is_empty() => return Err("a bracket holds nothing"),
                ']' => return Ok(Token::Class { negated, ranges }),
                '\\' => self.next().ok_or(open)?,
                other => other,
            };
            let is_range = self.peek() == Some('-') && self.characters.get(self.at + 1).is_some_and(|c| *c != ']');
            let high = if is_range {
                self.at += 1;
                self.next().ok_or(open)?
            } else {
                low
            };
            ranges.push((low, high));
        }
    }
}

#[cfg(test)]
mod tests;
