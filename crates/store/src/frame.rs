//! The bytes of one change in the log: versioned, checksummed, sealed where
//! asked. It must never accept a frame that differs in one bit from what was
//! written.
//!
//! Little-endian throughout:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | format version |
//! | 1 | kind: 1 put, 2 delete, 3 delete with the previous value |
//! | 4 | encryption key, 0 for plain |
//! | 8 | revision |
//! | 8 | revision at which the key came into being |
//! | 8 | milliseconds since 1970 |
//! | 5 × 2 | lengths of group, resource, cluster, namespace, name |
//! | 4 + 4 | lengths of the two segments |
//! | … | the key's parts, the metadata segment, the body segment |
//! | 4 | CRC-32 of everything before |
//!
//! A sealed frame has an empty metadata segment; its body opens to four bytes
//! of length, the metadata and the body. What it is bound to is everything
//! before the segments' lengths, and the key.

use bytes::{BufMut, Bytes};

use crate::entry::{Record, Value};
use crate::intern::Interner;
use crate::key::Key;
use crate::seal::{SealError, Sealer};

const VERSION: u8 = 1;
const LENGTHS_AT: usize = 40;
const HEADER: usize = 48;
const CHECKSUM: usize = 4;

/// What a frame says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Put,
    Delete,
    /// A deletion whose value is that of the version before, not repeated.
    DeleteUnchanged,
}

/// A frame as read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub kind: Kind,
    pub revision: u64,
    pub created: u64,
    pub at_ms: i64,
    pub key: Key,
    pub value: Value,
}

/// Why bytes are not a frame.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the frame is cut short")]
    Short,
    #[error("the frame has format {0}, which this version does not read")]
    Version(u8),
    #[error("the checksum does not match")]
    Checksum,
    #[error("the frame's fields contradict each other")]
    Malformed,
    #[error("{0}")]
    Seal(#[from] SealError),
}

/// The frame of `record`. With a sealer, its value is sealed.
pub(crate) fn encode(
    kind: Kind,
    at_ms: i64,
    record: &Record,
    sealer: Option<&dyn Sealer>,
) -> Result<Vec<u8>, SealError> {
    // A frame without a value has nothing to hide.
    let sealer = sealer.filter(|_| kind != Kind::DeleteUnchanged);
    let value = if kind == Kind::DeleteUnchanged { &Value::default() } else { &record.value };
    let key_id = sealer.map_or(0, Sealer::current_key_id);
    let mut out = Vec::with_capacity(HEADER + record.key.text_len() + value.len() + 64);
    out.put_u8(VERSION);
    out.put_u8(kind as u8 + 1);
    out.put_u32_le(key_id);
    out.put_u64_le(record.revision);
    out.put_u64_le(record.created);
    out.put_i64_le(at_ms);
    for part in record.key.parts() {
        out.put_u16_le(u16::try_from(part.len()).expect("key parts are checked to be short before they are queued"));
    }
    match sealer {
        None => {
            put_lengths(&mut out, value.meta.len(), value.body.len());
            put_key(&mut out, &record.key);
            out.put_slice(&value.meta);
            out.put_slice(&value.body);
        }
        Some(sealer) => {
            let mut bound = out.clone();
            put_key(&mut bound, &record.key);
            let sealed = sealer.seal(key_id, &bound, &joined(value))?;
            put_lengths(&mut out, 0, sealed.len());
            put_key(&mut out, &record.key);
            out.put_slice(&sealed);
        }
    }
    let checksum = crc32fast::hash(&out);
    out.put_u32_le(checksum);
    Ok(out)
}

/// The inverse of [`encode`]. The value shares the memory of `bytes`.
pub(crate) fn decode(bytes: &Bytes, sealer: Option<&dyn Sealer>, interner: &mut Interner) -> Result<Frame, FrameError> {
    let version = *bytes.first().ok_or(FrameError::Short)?;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let end = bytes.len().checked_sub(CHECKSUM).filter(|end| *end >= HEADER).ok_or(FrameError::Short)?;
    if crc32fast::hash(&bytes[..end]) != u32_at(bytes, end) {
        return Err(FrameError::Checksum);
    }
    let kind = match bytes[1] {
        1 => Kind::Put,
        2 => Kind::Delete,
        3 => Kind::DeleteUnchanged,
        _ => return Err(FrameError::Malformed),
    };
    let (key, key_end) = read_key(bytes, end, interner)?;
    let meta_end = key_end + u32_at(bytes, LENGTHS_AT) as usize;
    if meta_end + u32_at(bytes, LENGTHS_AT + 4) as usize != end {
        return Err(FrameError::Malformed);
    }
    let key_id = u32_at(bytes, 2);
    let value = if key_id == 0 {
        Value { meta: bytes.slice(key_end..meta_end), body: bytes.slice(meta_end..end) }
    } else {
        let mut bound = bytes[..LENGTHS_AT].to_vec();
        bound.put_slice(&bytes[HEADER..key_end]);
        let sealer = sealer.ok_or(SealError::NoSealer)?;
        split(Bytes::from(sealer.open(key_id, &bound, &bytes[meta_end..end])?))?
    };
    let at_ms = u64_at(bytes, 22).cast_signed();
    Ok(Frame { kind, revision: u64_at(bytes, 6), created: u64_at(bytes, 14), at_ms, key, value })
}

fn put_lengths(out: &mut Vec<u8>, meta: usize, body: usize) {
    for length in [meta, body] {
        out.put_u32_le(u32::try_from(length).expect("values are checked to be small before they are queued"));
    }
}

fn put_key(out: &mut Vec<u8>, key: &Key) {
    for part in key.parts() {
        out.put_slice(part.as_bytes());
    }
}

fn read_key(bytes: &Bytes, end: usize, interner: &mut Interner) -> Result<(Key, usize), FrameError> {
    let mut at = HEADER;
    let mut parts = [""; 5];
    for (index, part) in parts.iter_mut().enumerate() {
        let place = 30 + index * 2;
        let next = at + usize::from(u16::from_le_bytes([bytes[place], bytes[place + 1]]));
        let text = bytes.get(at..next.min(end)).ok_or(FrameError::Malformed)?;
        *part = std::str::from_utf8(text).map_err(|_| FrameError::Malformed)?;
        at = next;
    }
    let [group, resource, cluster, namespace, name] = parts;
    let key = Key {
        group: interner.text(group),
        resource: interner.text(resource),
        cluster: interner.text(cluster),
        namespace: interner.text(namespace),
        name: name.into(),
    };
    Ok((key, at))
}

/// Both segments as one, for sealing.
fn joined(value: &Value) -> Vec<u8> {
    let mut plain = Vec::with_capacity(4 + value.len());
    plain.put_u32_le(u32::try_from(value.meta.len()).expect("values are checked to be small before they are queued"));
    plain.put_slice(&value.meta);
    plain.put_slice(&value.body);
    plain
}

fn split(plain: Bytes) -> Result<Value, FrameError> {
    if plain.len() < 4 {
        return Err(FrameError::Malformed);
    }
    let meta_end = 4 + u32_at(&plain, 0) as usize;
    if meta_end > plain.len() {
        return Err(FrameError::Malformed);
    }
    Ok(Value { meta: plain.slice(4..meta_end), body: plain.slice(meta_end..) })
}

fn u32_at(bytes: &Bytes, at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &Bytes, at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests;
