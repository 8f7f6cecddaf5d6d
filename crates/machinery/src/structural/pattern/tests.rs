//! Patterns against Go's engine: what matches, what is refused in which words,
//! and that hostile ones end.

use super::{check, compiled};

#[test]
fn patterns_match_as_go_matches_them() {
    let cases: [(&str, &str, bool); 24] = [
        ("^[a-z]+$", "abc", true),
        ("b", "abc", true),
        (r"^\d+$", "٣", false),
        (r"^\w+$", "é", false),
        (r"^\<a\>$", "<a>", true),
        (r"^a{,5}$", "a{,5}", true),
        (r"^a{2}$", "aa", true),
        (r"^[[a]$", "[", true),
        (r"^[a&&b]+$", "&", true),
        (r"^[^a]$", "\n", true),
        (r"^\Qa.b\E$", "a.b", true),
        (r"^\Qa.b\E$", "axb", false),
        (r"^\x41\x{42}\101$", "ABA", true),
        (r"(?i)^abc$", "ABC", true),
        (r"^(?P<x>a)(?<y>b)$", "ab", true),
        (r"^[]a]+$", "]a", true),
        (r"^[a-]+$", "a-", true),
        (r"^\p{Lu}\P{Lu}\p{^Lu}\pL$", "Aaab", true),
        (r"^[\d\-_.]+$", "1-_.", true),
        (r"\bfoo\b", "a foo b", true),
        (r"a\Bb", "ab", true),
        (r"^[[:alpha:]]+$", "ab", true),
        ("^a|b$", "xb", true),
        (r"^.$", "\n", false),
    ];
    for (pattern, text, expect) in cases {
        let pattern_read = compiled(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(pattern_read.is_match(text), expect, "{pattern} on {text:?}");
    }
}

#[test]
fn patterns_are_refused_in_gos_words() {
    let cases = [
        ("(", "missing closing ): `(`"),
        ("a)", "unexpected ): `a)`"),
        ("[a", "missing closing ]: `[a`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("(?!a)", "invalid or unsupported Perl syntax: `(?!`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?<a", "invalid named capture: `(?<a`"),
        ("(?<=a)b", "invalid named capture: `(?<=a)b`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("(a{100}){100}", "invalid repeat count: `{100}`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"\p{Nonsense}", r"invalid character class range: `\p{Nonsense}`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        ("[[:nonsense:]]", "invalid character class range: `[:nonsense:]`"),
    ];
    for (pattern, expect) in cases {
        assert_eq!(check(pattern), Err(format!("error parsing regexp: {expect}")), "{pattern}");
    }
}

#[test]
fn hostile_patterns_are_bounded() {
    for pattern in ["(".repeat(5000), "((a{10}){10}){10}".repeat(500), "a?".repeat(60_000), r"\p{L}{1000}".to_owned()] {
        assert!(compiled(&pattern).is_err());
    }
    let slow = compiled("^(a?){500}(a+)+$").expect("a slow pattern for others");
    assert!(!slow.is_match(&format!("{}b", "a".repeat(10_000))));
}
