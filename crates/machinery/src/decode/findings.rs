//! What strict decoding finds beside errors: duplicate keys while text is read, unknown
//! fields once its type is known. It joins both in the order of the text, as Go's decoder
//! meets them, and bounds them: a hostile body must not make an answer larger than itself.

use std::collections::{HashMap, HashSet};

use api::schema::{Shape, TypeId, TypeTable};

/// So many are reported, as by Go's decoder.
pub const MOST_FINDINGS: usize = 100;
/// Bytes of all their paths together.
pub(super) const MOST_TEXT_BYTES: usize = 64 * 1024;

/// One step to a place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of an object.
    Key(String),
    /// A place in a list, counted from 0.
    Index(usize),
}

/// A duplicate key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it is.
    pub path: Vec<Step>,
    /// How many keys and items came before it.
    pub at: usize,
}

impl Finding {
    /// The path as Kubernetes writes it: `spec.containers[0].image`.
    pub fn path_text(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            push_step(&mut text, step);
        }
        text
    }
}

pub(super) fn push_step(text: &mut String, step: &Step) {
    match step {
        Step::Key(key) => {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(key);
        }
        Step::Index(index) => text.push_str(&format!("[{index}]")),
    }
}

/// The findings of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Duplicate keys of JSON.
    pub duplicates: Vec<Finding>,
    /// Duplicate keys of YAML, each as `line 4: key "foo" already set in map`.
    pub lines: Vec<String>,
}

impl Findings {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.duplicates.is_empty() && self.lines.is_empty()
    }

    /// The duplicates that Go's decoder sees when it reads into a type: not those below
    /// fields that it skips, and not those in values that it takes as they are.
    #[must_use]
    pub fn of_type(&self, table: &TypeTable, id: TypeId) -> Findings {
        let seen = |finding: &&Finding| is_seen(table, Shape::Object(id), &finding.path);
        Findings { duplicates: self.duplicates.iter().filter(seen).cloned().collect(), lines: self.lines.clone() }
    }

    /// Every finding in words. Unknown fields that `order` places stand where the text has
    /// them, the others behind the duplicates.
    pub fn words(&self, unknown: &[String], order: Option<&Order>) -> Vec<String> {
        let mut words = Vec::new();
        if !self.lines.is_empty() {
            words.push(format!("yaml: unmarshal errors:\n  {}", self.lines.join("\n  ")));
        }
        let mut placed: Vec<(usize, String)> = self
            .duplicates
            .iter()
            .map(|finding| (finding.at, format!("duplicate field {}", quoted(&finding.path_text()))))
            .collect();
        for path in unknown {
            let at = order.map_or(usize::MAX, |order| order.at(path));
            placed.push((at, format!("unknown field {}", quoted(path))));
        }
        placed.sort_by_key(|(at, _)| *at);
        let mut told: HashSet<String> = HashSet::new();
        for (_, word) in placed {
            if words.len() >= MOST_FINDINGS {
                break;
            }
            if told.insert(word.clone()) {
                words.push(word);
            }
        }
        words
    }
}

/// Text in quotes, as Go writes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Where in a document certain paths are.
#[derive(Clone, Debug, Default)]
pub struct Order(HashMap<u64, usize>);

impl Order {
    /// To be filled with the places of these paths.
    pub(super) fn of(paths: &[String]) -> Self {
        Order(paths.iter().map(|path| (hash(path), usize::MAX)).collect())
    }

    /// The place of a path; the last of all if it has none.
    pub(super) fn at(&self, path: &str) -> usize {
        self.0.get(&hash(path)).copied().unwrap_or(usize::MAX)
    }

    pub(super) fn note(&mut self, path: u64, at: usize) {
        if let Some(held) = self.0.get_mut(&path) {
            *held = at.min(*held);
        }
    }
}

/// FNV-1a: the hash of a path continues that of the path to its parent, so that walking a
/// document costs its length however deep it nests. A collision only misplaces a line.
pub(super) fn hash_on(start: u64, text: &str) -> u64 {
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

pub(super) const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(path: &str) -> u64 {
    hash_on(HASH_START, path)
}

fn is_seen(table: &TypeTable, root: Shape, path: &[Step]) -> bool {
    let mut shape = &root;
    for step in path {
        shape = match (shape, step) {
            (Shape::Object(id), Step::Key(key)) => match table.get(*id).field(key) {
                Some(field) => &field.shape,
                None => return false,
            },
            (Shape::Map(inner), Step::Key(_)) | (Shape::List(inner), Step::Index(_)) => inner,
            _ => return false,
        };
    }
    true
}
