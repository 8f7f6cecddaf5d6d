//! Patterns: Go's regular expressions, run by a linear-time engine. A schema
//! keeps only a pattern's text; compiled ones stand in one bounded cache for the
//! whole process, so that a thousand definitions with the same few patterns cost
//! a few. It knows no schema.

mod translate;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex::{Regex, RegexBuilder};

/// Most bytes of one compiled pattern.
const COMPILED_BYTES: usize = 4 << 20;
/// Most bytes that matching may spend on a pattern beyond it.
const SCRATCH_BYTES: usize = 256 << 10;
/// Most patterns that are kept, and most instructions of them together.
const KEPT: usize = 256;
const KEPT_SIZE: u64 = 200_000;

/// A pattern ready to match.
pub(super) struct Pattern {
    regex: Regex,
    /// About how many instructions it has.
    pub size: u64,
}

impl Pattern {
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

#[derive(Default)]
struct Cache {
    held: HashMap<Box<str>, Result<Arc<Pattern>, String>>,
    size: u64,
}

/// What is wrong with a pattern, in the words of Go's parser.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    translate::translate(pattern).map(drop)
}

/// A pattern by its text.
pub(super) fn compiled(pattern: &str) -> Result<Arc<Pattern>, String> {
    static CACHE: OnceLock<Mutex<Cache>> = OnceLock::new();
    let cache = CACHE.get_or_init(Mutex::default);
    // What a panic elsewhere left of a cache is still a cache.
    let lock = || cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(held) = lock().held.get(pattern) {
        return held.clone();
    }
    let made = compile(pattern).map(Arc::new);
    let size = made.as_ref().map_or(1, |made| made.size);
    let mut cache = lock();
    if cache.held.len() >= KEPT || cache.size + size > KEPT_SIZE {
        *cache = Cache::default();
    }
    cache.size += size;
    cache.held.insert(pattern.into(), made.clone());
    made
}

fn compile(pattern: &str) -> Result<Pattern, String> {
    let translated = translate::translate(pattern)?;
    let regex = RegexBuilder::new(&translated.text)
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(SCRATCH_BYTES)
        .build()
        .map_err(|_| translate::TOO_LARGE.to_owned())?;
    Ok(Pattern { regex, size: translated.size })
}

#[cfg(test)]
mod tests;
