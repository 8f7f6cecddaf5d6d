//! Patterns against texts, as cases.

use super::Glob;

#[test]
fn patterns_match_as_argo_cd_reads_them() {
    let cases: &[(&str, Option<char>, &str, bool)] = &[
        ("*", None, "a/b/c", true),
        ("*", Some('/'), "a/b", false),
        ("*", Some('/'), "a", true),
        ("**", Some('/'), "a/b", true),
        ("*.yaml", None, "dir/x.yaml", true),
        ("*.yaml", None, "dir/x.yml", false),
        ("{*.yml,staging/*}", None, "staging/a/b.yaml", true),
        ("{*.yml,staging/*}", None, "prod/b.yaml", false),
        ("{config.json,env-usw2/*}", None, "config.json", true),
        ("**/{api,map}.yaml", None, "x/api.yaml", true),
        ("{a{b,c},d}", None, "ac", true),
        ("{a{b,c},d}", None, "a", false),
        ("{a,}b", None, "b", true),
        ("a?c", None, "abc", true),
        ("a?c", Some('/'), "a/c", false),
        ("[a-c]x", None, "bx", true),
        ("[!a-c]x", None, "bx", false),
        ("[!a-c]x", None, "dx", true),
        ("[a-]", None, "-", true),
        ("\\*", None, "*", true),
        ("\\*", None, "a", false),
        ("https://github.com/*", Some('/'), "https://github.com/a", true),
        ("https://github.com/*", Some('/'), "https://github.com/a/b", false),
        ("", None, "", true),
        ("", None, "a", false),
        ("}", None, "}", true),
        ("*a*b*", None, "xxaxxbxx", true),
    ];
    for (pattern, separator, text, expect) in cases {
        let glob = Glob::compile(pattern, *separator).expect("the pattern is valid");
        assert_eq!(glob.matches(text), *expect, "{pattern} against {text}");
    }
}

#[test]
fn broken_patterns_are_refused() {
    for pattern in ["{a", "[a", "[]", "a\\", "{{{{{{{{{a}}}}}}}}}"] {
        assert!(Glob::new(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_hostile_pattern_ends_soon() {
    let glob = Glob::new(&"*a".repeat(200)).expect("the pattern is valid");
    assert!(!glob.matches(&"a".repeat(150)));
}
