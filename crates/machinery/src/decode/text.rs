//! Text to a tree: JSON and YAML with their duplicate keys noted, of which the last counts,
//! as in Go. Nesting is bounded by the readers; invalid UTF-8 and lone surrogates in JSON
//! become replacement characters, as in Go. It knows no type.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::findings::{Finding, Findings, HASH_START, MOST_FINDINGS, MOST_TEXT_BYTES, Order, Step, hash_on};
use super::syntax::{self, Unreadable};

/// A text that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// What it says; `Null` for an empty YAML text.
    pub value: Value,
    /// The keys it states twice.
    pub findings: Findings,
}

/// Reads one JSON document.
pub fn json(bytes: &[u8]) -> Result<Document, Unreadable> {
    let text = syntax::utf8(bytes);
    match read(&text) {
        Ok(document) => Ok(document),
        Err(error) => match syntax::without_lone_surrogates(&text) {
            Some(mended) => read(&mended).map_err(|error| syntax::explain(&mended, &error)),
            None => Err(syntax::explain(&text, &error)),
        },
    }
}

fn read(text: &str) -> Result<Document, serde_json::Error> {
    let notes = RefCell::new(Notes::default());
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Node { notes: &notes, path: HASH_START }.deserialize(&mut reader)?;
    reader.end()?;
    let notes = notes.into_inner();
    Ok(Document { value, findings: Findings { duplicates: notes.found, lines: Vec::new() } })
}

/// Reads the first document of a YAML text, as Go does.
pub fn yaml(bytes: &[u8]) -> Result<Document, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable("yaml: invalid leading UTF-8 octet".to_owned()))?;
    // JSON is read much faster as such, but knows no lines.
    if text.trim_start().starts_with('{')
        && let Ok(document) = json(bytes)
        && document.findings.is_empty()
    {
        return Ok(document);
    }
    let (value, lines) = crate::yaml::first(text).map_err(|error| Unreadable(in_go_words(&error)))?;
    Ok(Document { value, findings: Findings { duplicates: Vec::new(), lines } })
}

fn in_go_words(error: &crate::yaml::Error) -> String {
    let message = &error.message;
    if message.contains("alias") || message.contains("anchor") || message.contains("budget") {
        return "yaml: document contains excessive aliasing".to_owned();
    }
    if error.line > 0 { format!("yaml: line {}: {message}", error.line) } else { format!("yaml: {message}") }
}

/// Where in a JSON text these paths are. Costs a reading of the text.
pub fn order(bytes: &[u8], paths: &[String]) -> Order {
    let notes = RefCell::new(Notes { order: Some(Order::of(paths)), ..Notes::default() });
    let text = syntax::utf8(bytes);
    let mut reader = serde_json::Deserializer::from_str(&text);
    // A text that cannot be read has no order, and was refused before.
    let _ = Node { notes: &notes, path: HASH_START }.deserialize(&mut reader);
    notes.into_inner().order.unwrap_or_default()
}

/// What is noted while a text is read.
#[derive(Default)]
struct Notes {
    /// Keys and items read.
    places: usize,
    /// The path to where the reader is.
    path: Vec<Step>,
    found: Vec<Finding>,
    found_bytes: usize,
    order: Option<Order>,
}

impl Notes {
    fn duplicate(&mut self, key: &str, at: usize) {
        let steps = self.path.iter().map(|step| match step {
            Step::Key(key) => key.len() + 1,
            Step::Index(_) => 8,
        });
        let bytes: usize = key.len() + steps.sum::<usize>();
        let fits = self.found_bytes + bytes <= MOST_TEXT_BYTES;
        // The first is always told, however long, or strict decoding would accept it.
        if self.found.len() >= MOST_FINDINGS || !(fits || self.found.is_empty()) {
            return;
        }
        self.found_bytes += bytes;
        let mut path = self.path.clone();
        path.push(Step::Key(key.to_owned()));
        if !fits {
            path.iter_mut().for_each(shorten);
        }
        self.found.push(Finding { path, at });
    }
}

/// Cuts a key that is longer than that of any field.
fn shorten(step: &mut Step) {
    if let Step::Key(key) = step {
        key.truncate(key.floor_char_boundary(MOST_TEXT_BYTES / base::limits::NESTING));
    }
}

#[derive(Clone, Copy)]
struct Node<'n> {
    notes: &'n RefCell<Notes>,
    /// The hash of the path, kept only while an order is wanted.
    path: u64,
}

impl Node<'_> {
    /// Counts an item of a list. Notes it where an order is wanted, and gives the hash of its path.
    fn item(&self, index: usize, orders: bool) -> u64 {
        let mut notes = self.notes.borrow_mut();
        notes.places += 1;
        if !orders {
            return 0;
        }
        let (path, at) = (hash_on(self.path, &format!("[{index}]")), notes.places);
        if let Some(order) = notes.order.as_mut() {
            order.note(path, at);
        }
        path
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        let orders = self.notes.borrow().order.is_some();
        self.notes.borrow_mut().path.push(Step::Index(0));
        loop {
            let path = self.item(items.len(), orders);
            match access.next_element_seed(Node { path, ..self })? {
                Some(item) => items.push(item),
                None => break,
            }
            if let Some(Step::Index(index)) = self.notes.borrow_mut().path.last_mut() {
                *index = items.len();
            }
        }
        self.notes.borrow_mut().path.pop();
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let path = {
                let mut notes = self.notes.borrow_mut();
                notes.places += 1;
                let at = notes.places;
                if fields.contains_key(&key) {
                    notes.duplicate(&key, at);
                }
                let mut path = 0;
                if let Some(order) = notes.order.as_mut() {
                    let parent = if self.path == HASH_START { self.path } else { hash_on(self.path, ".") };
                    path = hash_on(parent, &key);
                    order.note(path, at);
                }
                notes.path.push(Step::Key(key));
                path
            };
            let value = access.next_value_seed(Node { path, ..self })?;
            if let Some(Step::Key(key)) = self.notes.borrow_mut().path.pop() {
                fields.insert(key, value);
            }
        }
        Ok(Value::Object(fields))
    }
}
