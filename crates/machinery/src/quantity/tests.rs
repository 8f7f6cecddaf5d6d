//! Tables of quantities: their canonical text, their order, their values.

use super::*;

#[test]
fn canonical_text() {
    for (text, expect) in [
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1000", "1k"),
        ("1234", "1234"),
        ("1e3", "1e3"),
        ("12e-3", "12e-3"),
        ("0", "0"),
        ("-5m", "-5m"),
        ("+1", "1"),
        (".5", "500m"),
        ("1.", "1"),
        ("0.0000000001", "1n"),
        ("100k", "100k"),
        ("1Ei", "1Ei"),
        ("9613Ei", "9223372036854775807"),
        ("81286.07049996228Mi", "85234622660568447714n"),
    ] {
        let quantity = Quantity::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(quantity.to_string(), expect, "{text}");
        assert_eq!(Quantity::parse(expect), Some(quantity), "{text}");
    }
    for text in ["", "x", "1x", "1.2.3", ".", "-", "1 ", "1KI", "1e", "1e99", "Gi"] {
        assert_eq!(Quantity::parse(text), None, "{text}");
    }
}

#[test]
fn order_and_values() {
    let parse = |text: &str| Quantity::parse(text).unwrap();
    for (left, right, expect) in [
        ("1", "1000m", Ordering::Equal),
        ("1Ki", "1024", Ordering::Equal),
        ("1Ki", "1k", Ordering::Greater),
        ("-1", "1m", Ordering::Less),
        ("-2", "-1", Ordering::Less),
        ("1E", "1n", Ordering::Greater),
        ("0", "0Gi", Ordering::Equal),
    ] {
        assert_eq!(parse(left).cmp(&parse(right)), expect, "{left} {right}");
    }
    assert_eq!((parse("1500m").value(), parse("1500m").milli_value()), (2, 1500));
    assert_eq!((parse("-1500m").value(), parse("1Gi").value()), (-1, 1 << 30));
    assert_eq!(parse("1Gi").checked_add(parse("512Mi")).unwrap().to_string(), "1536Mi");
    assert_eq!(parse("1").checked_sub(parse("250m")).unwrap().to_string(), "750m");
}
