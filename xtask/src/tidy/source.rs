//! Splits a Rust file into code, comments and literals, and the code into
//! tokens, well enough to check rules on text. It must never need the file to
//! compile.

use std::ops::Range;

/// One word, number, literal or punctuation mark of the code.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    start: usize,
    end: usize,
    pub line: usize,
    /// For an opening bracket the token that closes it.
    pub partner: Option<usize>,
}

/// A Rust file, taken apart.
#[derive(Debug)]
pub struct Source {
    text: String,
    code: String,
    comments: String,
    pub tokens: Vec<Token>,
    /// Ranges of tokens that only tests compile.
    tests: Vec<Range<usize>>,
}

impl Source {
    pub fn new(text: &str) -> Source {
        let (code, comments) = split(text);
        let mut tokens = tokenize(&code);
        pair_brackets(&code, &mut tokens);
        let mut source = Source { text: text.to_owned(), code, comments, tokens, tests: Vec::new() };
        source.tests = source.find_tests();
        source
    }

    /// The token's text; a literal of any kind begins with a quote.
    pub fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &self.code[token.start..token.end])
    }

    /// Whether the words from `at` on are exactly these.
    pub fn follows(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.word(at + offset) == *word)
    }

    pub fn line(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(1, |token| token.line)
    }

    /// What stands between the quotes, when the token is a string.
    pub fn literal(&self, at: usize) -> Option<&str> {
        let token = self.tokens.get(at)?;
        if self.word(at).starts_with('"') {
            let inner = self.text[token.start..token.end].trim_start_matches(['r', 'b', 'c', '#']);
            return Some(inner.trim_end_matches('#').trim_matches('"'));
        }
        None
    }

    pub fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// Lines that belong to test items inside this file.
    pub fn test_lines(&self) -> usize {
        self.tests.iter().map(|range| self.line(range.end - 1) + 1 - self.line(range.start)).sum()
    }

    /// Comment lines with their numbers.
    pub fn comment_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.comments.lines().enumerate().map(|(index, line)| (index + 1, line.trim()))
    }

    /// Where items marked `#[test]`, `#[cfg(test)]` and the like begin and end.
    fn find_tests(&self) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let inner = self.follows(at, &["#", "!", "["]);
            let bracket = at + 1 + usize::from(inner);
            let closing = self.tokens.get(bracket).and_then(|token| token.partner);
            let (true, Some(closing)) = (self.word(at) == "#" && self.word(bracket) == "[", closing) else {
                at += 1;
                continue;
            };
            if !self.marks_test(bracket + 1..closing) {
                at = closing + 1;
                continue;
            }
            let end = if inner { self.tokens.len() } else { self.item_end(closing + 1) };
            found.push(at..end);
            at = end;
        }
        found
    }

    fn marks_test(&self, attribute: Range<usize>) -> bool {
        let words: Vec<&str> = attribute.map(|at| self.word(at)).collect();
        if words.first() == Some(&"cfg") {
            return words.contains(&"test") && !words.contains(&"not");
        }
        words.iter().take_while(|word| **word != "(").last() == Some(&"test")
    }

    /// One past the item that starts here, further attributes included.
    fn item_end(&self, mut at: usize) -> usize {
        while at < self.tokens.len() {
            match (self.word(at), self.tokens[at].partner) {
                (";", _) => return at + 1,
                ("{", Some(partner)) => return partner + 1,
                (_, Some(partner)) => at = partner + 1,
                _ => at += 1,
            }
        }
        self.tokens.len()
    }
}

enum Region {
    Code,
    Comment,
    Literal,
}

/// The text twice, with the same length and lines: once with comments and
/// literals blanked (literals keep a quote at either end), once with all but
/// comments blanked.
fn split(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let blank: Vec<u8> = bytes.iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }).collect();
    let (mut code, mut comments) = (blank.clone(), blank);
    let mut at = 0;
    while at < bytes.len() {
        let (end, region) = next_piece(bytes, at);
        match region {
            Region::Code => code[at..end].copy_from_slice(&bytes[at..end]),
            Region::Comment => comments[at..end].copy_from_slice(&bytes[at..end]),
            Region::Literal => {
                code[at] = b'"';
                code[end - 1] = b'"';
            }
        }
        at = end;
    }
    (String::from_utf8_lossy(&code).into_owned(), String::from_utf8_lossy(&comments).into_owned())
}

/// Where the piece that starts at `at` ends, and what it is.
fn next_piece(bytes: &[u8], at: usize) -> (usize, Region) {
    let rest = &bytes[at..];
    let after_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        return (at + length, Region::Comment);
    }
    if rest.starts_with(b"/*") {
        return (at + block_comment(rest), Region::Comment);
    }
    if rest[0] == b'"' {
        return (at + quoted(rest, 1), Region::Literal);
    }
    if !after_word {
        let prefix = rest.iter().take(2).take_while(|byte| matches!(byte, b'b' | b'c' | b'r')).count();
        let (is_raw, after) = (rest[..prefix].ends_with(b"r"), &rest[prefix..]);
        if is_raw && let Some(length) = raw_string(after) {
            return (at + prefix + length, Region::Literal);
        }
        if prefix == 1 && !is_raw && after.first() == Some(&b'"') {
            return (at + prefix + quoted(after, 1), Region::Literal);
        }
    }
    if rest[0] == b'\''
        && let Some(length) = character(rest)
    {
        return (at + length, Region::Literal);
    }
    (at + 1, Region::Code)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a literal up to its closing quote, which is that of its start.
fn quoted(rest: &[u8], mut at: usize) -> usize {
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == rest[0] => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `#"…"#` with any number of hashes, after its `r`.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let closing = [b"\"".as_slice(), &rest[..hashes]].concat();
    let from = hashes + 1;
    let length = rest[from..].windows(closing.len()).position(|window| window == closing);
    Some(length.map_or(rest.len(), |length| from + length + closing.len()))
}

/// A character literal; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, 1));
    }
    let width = match rest.get(1)? {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    };
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn tokenize(code: &str) -> Vec<Token> {
    let bytes = code.as_bytes();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            line += usize::from(byte == b'\n');
            at += 1;
            continue;
        }
        let rest = &bytes[at..];
        let length = if is_word(byte) {
            rest.iter().take_while(|byte| is_word(**byte)).count()
        } else if byte == b'"' {
            quoted(rest, 1)
        } else if rest.starts_with(b"::") || rest.starts_with(b"->") || rest.starts_with(b"=>") {
            2
        } else {
            1
        };
        tokens.push(Token { start: at, end: at + length, line, partner: None });
        line += rest[..length].iter().filter(|byte| **byte == b'\n').count();
        at += length;
    }
    tokens
}

fn pair_brackets(code: &str, tokens: &mut [Token]) {
    let mut open: Vec<(usize, u8)> = Vec::new();
    for at in 0..tokens.len() {
        let byte = code.as_bytes()[tokens[at].start];
        match byte {
            b'(' => open.push((at, b')')),
            b'[' => open.push((at, b']')),
            b'{' => open.push((at, b'}')),
            b')' | b']' | b'}' => {
                if let Some((start, wanted)) = open.pop()
                    && wanted == byte
                {
                    tokens[start].partner = Some(at);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn words(text: &str) -> String {
        let source = Source::new(text);
        (0..source.tokens.len()).map(|at| source.word(at)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        assert_eq!(words("a // fn b { \"\n/* x /* y */ } */ c"), "a c");
        assert_eq!(words("f(\"}\\\"{\", 1)"), "f ( \"    \" , 1 )");
        assert_eq!(
            words("r#\"a\"b{\"# + r\"x\" + br\"y\" + b\"z\" + b'q'"),
            "\"       \" + \"  \" + \"   \" + \"  \" + b \" \""
        );
        assert_eq!(words("'{' 'a x: &'static str '\\'' 'é'"), "\" \" ' a x : & ' static str \"  \" \"  \"");
        assert_eq!(words("r#fn for_r"), "r # fn for_r");
    }

    #[test]
    fn literals_give_what_they_hold() {
        let source = Source::new("f(\"port-in-use\", r#\"a \"b\"\"#)");
        assert_eq!(source.literal(2), Some("port-in-use"));
        assert_eq!(source.literal(0), None);
    }

    #[test]
    fn test_items_are_recognised() {
        let text = "fn a() {}\n#[tokio::test(flavor = \"x\")]\nasync fn b() { c }\n#[cfg(test)]\nmod tests { d }\nfn e() {}\n\
                    #[cfg(not(test))]\nfn f() {}";
        let source = Source::new(text);
        let inside: Vec<&str> =
            (0..source.tokens.len()).filter(|at| source.is_test(*at)).map(|at| source.word(at)).collect();
        assert!(inside.contains(&"c") && inside.contains(&"d"), "{inside:?}");
        assert!(!inside.contains(&"a") && !inside.contains(&"e") && !inside.contains(&"f"), "{inside:?}");
        assert_eq!(source.test_lines(), 4);
    }
}
