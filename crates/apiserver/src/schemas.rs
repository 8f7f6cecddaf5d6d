//! Compiled schemas, shared by content: the same schema in a thousand logical
//! clusters and in every version that repeats it stands in memory once. It holds
//! no schema itself: one that no definition uses is gone.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::{Arc, Weak};

use machinery::structural::Schema;
use parking_lot::Mutex;
use serde_json::Value;

/// Schemas in use, by a hash of their text.
#[derive(Default)]
pub struct Schemas {
    /// Two hashes make one that nobody can aim at: they are keyed by chance.
    keys: [RandomState; 2],
    held: Mutex<HashMap<u128, Weak<Schema>>>,
}

/// Entries below which nothing is tidied up.
const FEW: usize = 64;

impl Schemas {
    /// The compiled schema, if some definition uses the same one; it was checked then.
    pub fn find(&self, schema: &Value) -> Option<Arc<Schema>> {
        self.held.lock().get(&self.key(schema))?.upgrade()
    }

    /// The compiled schema of a definition that was checked when it was stored.
    pub fn of_stored(&self, schema: &Value) -> Arc<Schema> {
        let key = self.key(schema);
        if let Some(held) = self.held.lock().get(&key).and_then(Weak::upgrade) {
            return held;
        }
        let compiled = Arc::new(Schema::compile_stored(schema));
        let mut held = self.held.lock();
        if held.len() >= FEW && held.len() == held.capacity() {
            held.retain(|_, schema| schema.strong_count() > 0);
        }
        held.insert(key, Arc::downgrade(&compiled));
        compiled
    }

    fn key(&self, schema: &Value) -> u128 {
        let mut writer = HashWriter(self.keys.each_ref().map(BuildHasher::build_hasher));
        // Neither a value nor a hash can fail to be written; keys of maps come in order.
        let _ = serde_json::to_writer(&mut writer, schema);
        let [high, low] = writer.0.map(|hasher| u128::from(hasher.finish()));
        high << 64 | low
    }
}

struct HashWriter<H>([H; 2]);

impl<H: Hasher> io::Write for HashWriter<H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.iter_mut().for_each(|hasher| hasher.write(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
