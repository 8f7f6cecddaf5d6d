//! What reads bytes: JSON, YAML, protobuf.

use serde_json::Value;

use super::shapes::{self, KEYS};
use super::{Source, run};
use crate::decode;
use crate::protobuf;

/// Text that is nearly JSON: tokens in any order, or JSON with bytes changed.
fn nearly_json(source: &mut Source<'_>) -> Vec<u8> {
    const TOKENS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "1",
        "-0",
        "1e5",
        "1.5",
        "true",
        "null",
        " ",
        "\n",
        "\"\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0000\"",
        "\u{feff}",
        "\"\\x\"",
        "tru",
        "\t",
        "1E400",
        "00",
        "\"a",
        "\\",
        "\"\\u00",
    ];
    if source.once_in(3) {
        return (0..source.below(60)).flat_map(|_| source.pick(TOKENS).bytes()).collect();
    }
    let mut text = shapes::any(source, 5).to_string().into_bytes();
    for _ in 0..source.below(4) {
        let at = source.below(text.len().max(1)).min(text.len().saturating_sub(1));
        match source.below(3) {
            0 => text[at] = source.byte(),
            1 => text.truncate(at),
            _ => text.insert(at, source.byte()),
        }
        if text.is_empty() {
            break;
        }
    }
    text
}

/// JSON whose objects state keys more than once, with how many times they do.
fn repeating(source: &mut Source<'_>, depth: usize, repeats: &mut usize) -> String {
    if depth == 0 || source.is_spent() {
        return shapes::number(source).to_string();
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut fields = Vec::new();
    for _ in 0..source.below(5) {
        let key = source.pick(&KEYS[..6]);
        *repeats += usize::from(seen.contains(&key));
        seen.push(key);
        fields.push(format!("\"{key}\":{}", repeating(source, depth - 1, repeats)));
    }
    format!("{{{}}}", fields.join(","))
}

#[test]
fn json() {
    run("fuzz::readers::json", |source| {
        let mut repeats = 0;
        let text = repeating(source, 4, &mut repeats);
        let read = decode::json(text.as_bytes()).expect("it is JSON");
        assert_eq!(read.value, serde_json::from_str::<Value>(&text).expect("it is JSON"), "{text}");
        assert_eq!(read.findings.duplicates.len(), repeats.min(decode::MOST_FINDINGS), "{text}");
        let bytes = if source.once_in(4) { source.rest().to_vec() } else { nearly_json(source) };
        let ours = decode::json(&bytes);
        if let Ok(theirs) = serde_json::from_slice::<Value>(&bytes) {
            let ours = ours.as_ref().expect("serde_json reads it");
            assert_eq!(ours.value, theirs, "{}", String::from_utf8_lossy(&bytes));
        }
        if let Ok(document) = ours {
            // What was read is read again the same from what it is written as.
            let again = decode::json(document.value.to_string().as_bytes()).expect("we wrote it");
            assert_eq!(again.value, document.value);
            assert!(again.findings.is_empty());
        }
    });
}

#[test]
fn yaml() {
    const TOKENS: &[&str] = &[
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "? ",
        "&x ",
        "*x",
        "<<: ",
        "|\n",
        ">-\n",
        "'",
        "\"",
        "#",
        "---\n",
        "...\n",
        "!!str ",
        "!!binary ",
        "!x ",
        "%YAML 1.1\n",
        "0o7",
        "010",
        "0x1F",
        ".inf",
        "~",
        "yes",
        "1_000",
        "2026-01-02",
        "\t",
        "\r\n",
        "\u{85}",
        "&y {a: *x}",
        "190:20:30",
        "=",
        "@",
        "`",
    ];
    run("fuzz::readers::yaml", |source| {
        let value = shapes::any(source, 4);
        let written = crate::yaml::to_string(&value);
        if let Ok(read) = crate::yaml::value(&written) {
            assert!(crate::fields::same(&read, &value) || holds_odd_text(&value), "{value}\n{written}\n{read}");
        }
        let text: String = match source.below(3) {
            0 => String::from_utf8_lossy(source.rest()).into_owned(),
            _ => (0..source.below(80)).map(|_| source.pick(TOKENS)).collect(),
        };
        let all = crate::yaml::values(&text);
        let first = decode::yaml(text.as_bytes());
        if let (Ok(all), Ok(first)) = (&all, &first)
            && let [one] = all.as_slice()
            && !first.value.is_null()
        {
            assert_eq!(one, &first.value, "{text:?}");
        }
        if let Err(error) = &all {
            assert!(error.snippet.len() < 4000);
        }
        let _ = crate::yaml::documents(&text);
    });
}

/// Text that YAML cannot carry unchanged.
fn holds_odd_text(value: &Value) -> bool {
    let odd = |text: &str| text.contains(['\u{0}', '\u{feff}', '\u{85}', '\u{2028}', '\u{fffd}', '\r', '\u{7f}']);
    match value {
        Value::String(text) => odd(text),
        Value::Array(items) => items.iter().any(holds_odd_text),
        Value::Object(map) => map.iter().any(|(key, value)| odd(key) || holds_odd_text(value)),
        _ => false,
    }
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A message of fields with likely tags, within each other.
fn message(source: &mut Source<'_>, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..source.below(6) {
        let tag = u64::try_from(source.below(24)).unwrap_or(0);
        let wire = source.pick(&[2u64, 2, 2, 0, 0, 1, 5, 3, 4, 7]);
        varint(&mut out, tag << 3 | wire);
        match wire {
            0 => varint(&mut out, source.word() >> source.below(64)),
            1 => out.extend(source.word().to_le_bytes()),
            2 => {
                let inner = match source.below(3) {
                    0 => shapes::text(source).into_bytes(),
                    _ if depth == 0 => Vec::new(),
                    _ => message(source, depth - 1),
                };
                let wrong = if source.once_in(20) { source.word() >> source.below(64) } else { 0 };
                varint(&mut out, (inner.len() as u64).wrapping_add(wrong));
                out.extend(inner);
            }
            _ => out.push(source.byte()),
        }
    }
    out
}

#[test]
fn protobuf() {
    run("fuzz::readers::protobuf", |source| {
        let kinds = api::builtin::kinds();
        let kind = kinds[source.below(kinds.len())].gvk.clone();
        let mut body = b"k8s\x00".to_vec();
        let (mut unknown, mut meta) = (Vec::new(), Vec::new());
        for (tag, text) in [(0x0a, kind.api_version()), (0x12, kind.kind.to_string())] {
            meta.push(tag);
            varint(&mut meta, text.len() as u64);
            meta.extend(text.bytes());
        }
        let raw = if source.once_in(5) { source.rest().to_vec() } else { message(source, 6) };
        for (tag, part) in [(0x0a, &meta), (0x12, &raw)] {
            unknown.push(tag);
            varint(&mut unknown, part.len() as u64);
            unknown.extend(part);
        }
        body.extend(unknown);
        for bytes in [body.as_slice(), raw.as_slice()] {
            let _ = protobuf::kind_of(bytes);
            if let Ok(value) = protobuf::decode(bytes, api::builtin::types(), &api::builtin::type_of) {
                // A body can say no more than so many times its own length.
                let written = value.to_string();
                assert!(written.len() < 4096 + bytes.len() * 64, "{} bytes became {written}", bytes.len());
                assert!(crate::typed::depth(&value) <= base::limits::NESTING);
            }
        }
    });
}
