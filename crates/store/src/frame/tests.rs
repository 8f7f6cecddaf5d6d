//! Frames there and back, and every way of being wrong.

use super::*;
use crate::entry::Entry;
use std::sync::Arc;

struct Reverse;

impl Sealer for Reverse {
    fn current_key_id(&self) -> u32 {
        9
    }

    fn seal(&self, _: u32, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(plain.iter().rev().copied().chain(crc32fast::hash(aad).to_le_bytes()).collect())
    }

    fn open(&self, key_id: u32, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (sealed, bound) = sealed.split_at(sealed.len() - 4);
        match bound == crc32fast::hash(aad).to_le_bytes() && key_id == 9 {
            true => Ok(sealed.iter().rev().copied().collect()),
            false => Err(SealError::Refused("bound to something else".to_owned())),
        }
    }
}

fn entry(name: &str, meta: &'static str, body: &'static str) -> Entry {
    let key = Arc::new(Key::new("apps", "deployments", "root", "ünï", name));
    Entry::new(Record { key, revision: 1 << 40, created: 17, value: Value::new(meta, body) })
}

fn read(bytes: &[u8], sealer: Option<&dyn Sealer>) -> Result<Frame, FrameError> {
    decode(&Bytes::copy_from_slice(bytes), sealer, &mut Interner::new())
}

#[test]
fn there_and_back() {
    for sealer in [None, Some(&Reverse as &dyn Sealer)] {
        for (meta, body) in [("meta", "body"), ("", ""), ("meta", ""), ("", "body")] {
            for kind in [Kind::Put, Kind::Delete, Kind::DeleteUnchanged] {
                let entry = entry("name", meta, body);
                let bytes = encode(kind, -5, &entry, sealer).unwrap();
                let frame = read(&bytes, sealer).unwrap();
                let value = if kind == Kind::DeleteUnchanged { Value::default() } else { entry.value.clone() };
                let key = (*entry.key).clone();
                let expected = Frame { kind, revision: 1 << 40, created: 17, at_ms: -5, key, value };
                assert_eq!(frame, expected);
            }
        }
    }
}

#[test]
fn any_changed_or_missing_byte_is_noticed() {
    let bytes = encode(Kind::Put, 5, &entry("name", "meta", "body"), None).unwrap();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(read(&damaged, None).is_err(), "bit {bit} of byte {place}");
        }
        assert!(read(&bytes[..place], None).is_err(), "cut at {place}");
    }
}

#[test]
fn contradictions_with_a_good_checksum_are_noticed() {
    let bytes = encode(Kind::Put, 5, &entry("name", "meta", "body"), None).unwrap();
    // Each length, made larger than what there is.
    for place in [1, 30, 32, 34, 36, 38, 41, 42, 44, 47] {
        let mut damaged = bytes.clone();
        damaged[place] = 200;
        let end = damaged.len() - CHECKSUM;
        let checksum = crc32fast::hash(&damaged[..end]);
        damaged[end..].copy_from_slice(&checksum.to_le_bytes());
        assert!(matches!(read(&damaged, None), Err(FrameError::Malformed)), "byte {place}");
    }
}

#[test]
fn a_sealed_value_belongs_to_its_key_and_revision() {
    let mine = entry("mine", "meta", "body");
    let bytes = encode(Kind::Put, 5, &mine, Some(&Reverse)).unwrap();
    assert!(matches!(read(&bytes, None), Err(FrameError::Seal(SealError::NoSealer))));
    // The sealed part moved into another record, with everything else in order.
    let others = [entry("your", "meta", "body"), {
        let value = mine.value.clone();
        Entry::new(Record { key: mine.key.clone(), revision: 5, created: 17, value })
    }];
    for other in others {
        let mut forged = encode(Kind::Put, 5, &other, Some(&Reverse)).unwrap();
        let start = HEADER + other.key.text_len();
        let end = forged.len() - CHECKSUM;
        forged[start..end].copy_from_slice(&bytes[start..end]);
        let checksum = crc32fast::hash(&forged[..end]);
        forged[end..].copy_from_slice(&checksum.to_le_bytes());
        assert!(matches!(read(&forged, Some(&Reverse)), Err(FrameError::Seal(SealError::Refused(_)))));
    }
}
