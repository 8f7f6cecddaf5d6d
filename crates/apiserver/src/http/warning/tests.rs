//! How warnings look on the wire, and how much of them gets there.

use http::{HeaderMap, header};

use super::{MOST_CHARACTERS, MOST_WARNINGS, SHORTENED, add};

fn written(warnings: &[String]) -> Vec<String> {
    let mut headers = HeaderMap::new();
    add(&mut headers, warnings);
    let all = headers.get_all(header::WARNING).iter();
    all.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

#[test]
fn texts_are_quoted() {
    let check = |text: &str, expect: &str| assert_eq!(written(&[text.to_owned()]), [expect]);
    check("unknown field \"spec.foo\"", r#"299 - "unknown field \"spec.foo\"""#);
    check("a\\b", r#"299 - "a\\b""#);
    check("two\nlines\u{7f}", "299 - \"two lines \"");
    check("äöü", "299 - \"äöü\"");
}

#[test]
fn too_many_are_shortened_and_end() {
    let long = |length: usize| "x".repeat(length);
    assert_eq!(written(&[long(3000)])[0].len(), 3000 + 8);
    let many: Vec<String> = (0..1000).map(|_| long(1000)).collect();
    let all = written(&many);
    assert_eq!(all.len(), MOST_CHARACTERS / SHORTENED);
    assert!(all.iter().all(|text| text.len() == SHORTENED + 8));
    assert!(written(&[]).is_empty());
}

#[test]
fn an_answer_has_no_more_headers_than_libraries_take() {
    let many: Vec<String> = (0..100).map(|at| format!("line {at}")).collect();
    assert_eq!(written(&many).len(), MOST_WARNINGS);
}
