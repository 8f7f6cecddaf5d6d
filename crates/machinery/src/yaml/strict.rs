//! The first document of a text with the keys that it states twice, as kube-apiserver reads
//! request bodies: the last value of a key counts, and each repetition is told by its line.
//! The bounds are those of all YAML.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::{Error, MOST_REPLAYED, explain, on_a_fitting_stack, options, plain_error, without_trailing_tabs};

/// So many repetitions are told.
const MOST_REPETITIONS: usize = 100;
/// Events that the aliases of any text may unfold to, and for each byte of it.
const REPLAYED_ANYWAY: usize = 10_000;
const REPLAYED_PER_BYTE: usize = 8;
/// Of a key, so many bytes are told.
const MOST_KEY_BYTES: usize = 256;

/// The first document, null if there is none, and its repeated keys, each as
/// `line 4: key "foo" already set in map`.
pub fn first(text: &str) -> Result<(Value, Vec<String>), Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let failed = match read(text) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    match without_trailing_tabs(text) {
        Cow::Owned(cleaned) => read(&cleaned).map_err(|_| failed),
        Cow::Borrowed(_) => Err(failed),
    }
}

fn read(text: &str) -> Result<(Value, Vec<String>), Error> {
    let noted = on_a_fitting_stack(text, || {
        // A body of a request is small: what its aliases unfold to must be in proportion.
        let most_replayed = (REPLAYED_ANYWAY + REPLAYED_PER_BYTE * text.len()).min(MOST_REPLAYED);
        let options = options(DuplicateKeyPolicy::LastWins, most_replayed);
        let mut all: Vec<Noted> =
            serde_saphyr::from_multiple_with_options(text, options).map_err(|error| explain(text, &error))?;
        Ok(if all.is_empty() { Noted::default() } else { all.swap_remove(0) })
    })?;
    if crate::typed::depth(&noted.value) > base::limits::NESTING {
        return Err(plain_error(format!("nests deeper than {} levels", base::limits::NESTING)));
    }
    let mut repeated = noted.repeated;
    repeated.sort();
    let lines =
        repeated.into_iter().map(|(line, key)| format!("line {line}: key {} already set in map", Value::from(key)));
    Ok((noted.value, lines.collect()))
}

/// A value with the repetitions within it.
#[derive(Default)]
struct Noted {
    value: Value,
    repeated: Vec<(u64, String)>,
}

impl Noted {
    fn of(value: impl Into<Value>) -> Self {
        Noted { value: value.into(), repeated: Vec::new() }
    }
}

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Noted;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any YAML that JSON can say")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Noted, E> {
        Ok(Noted::of(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Noted, E> {
        Ok(Noted::of(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Noted, E> {
        Ok(Noted::of(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Noted, E> {
        Ok(Noted::of(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Noted, E> {
        Ok(Noted::of(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Noted, E> {
        Ok(Noted::of(value))
    }

    fn visit_unit<E>(self) -> Result<Noted, E> {
        Ok(Noted::default())
    }

    fn visit_none<E>(self) -> Result<Noted, E> {
        Ok(Noted::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Noted, D::Error> {
        Noted::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Noted, A::Error> {
        let (mut items, mut repeated) = (Vec::new(), Vec::new());
        while let Some(item) = access.next_element::<Noted>()? {
            items.push(item.value);
            join(&mut repeated, item.repeated);
        }
        Ok(Noted { value: Value::Array(items), repeated })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Noted, A::Error> {
        let (mut fields, mut repeated) = (Map::new(), Vec::new());
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let line = key.referenced.line();
            if fields.contains_key(&key.value) {
                let mut told = key.value.clone();
                told.truncate(told.floor_char_boundary(MOST_KEY_BYTES));
                join(&mut repeated, vec![(line, told)]);
            }
            let item = access.next_value::<Noted>()?;
            join(&mut repeated, item.repeated);
            fields.insert(key.value, item.value);
        }
        Ok(Noted { value: Value::Object(fields), repeated })
    }
}

fn join(all: &mut Vec<(u64, String)>, more: Vec<(u64, String)>) {
    let room = MOST_REPETITIONS.saturating_sub(all.len());
    all.extend(more.into_iter().take(room));
}
