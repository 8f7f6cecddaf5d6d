//! Request bodies, decompressed as they arrive and counted. It holds no more
//! than one piece of the body at a time.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

/// Compressed bytes that are decompressed at once: bounds what one piece can grow to.
const PIECE_BYTES: usize = 4096;

/// Decompresses a body piece by piece.
pub struct Decoder {
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    left_bytes: u64,
}

/// Why a body is not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is larger than allowed.
    TooLarge,
    /// It is not what its header says.
    Malformed,
}

impl Decoder {
    /// A decoder for a `Content-Encoding`, for at most `limit_bytes` of content; `None` for an
    /// encoding that is not known.
    pub fn new(encoding: &str, limit_bytes: u64) -> Option<Self> {
        let gzip = match encoding {
            "" | "identity" => None,
            "gzip" | "x-gzip" => Some(MultiGzDecoder::new(Vec::new())),
            _ => return None,
        };
        Some(Decoder { gzip, left_bytes: limit_bytes })
    }

    /// Passes the content of one piece on to `take`.
    pub fn decode(&mut self, piece: Bytes) -> Result<Vec<Bytes>, Refused> {
        let Some(gzip) = &mut self.gzip else {
            self.left_bytes = self.left_bytes.checked_sub(piece.len() as u64).ok_or(Refused::TooLarge)?;
            return Ok(vec![piece]);
        };
        let mut decoded = Vec::new();
        for part in piece.chunks(PIECE_BYTES) {
            write_all(gzip, part).map_err(|_| Refused::Malformed)?;
            let content = std::mem::take(gzip.get_mut());
            self.left_bytes = self.left_bytes.checked_sub(content.len() as u64).ok_or(Refused::TooLarge)?;
            if !content.is_empty() {
                decoded.push(Bytes::from(content));
            }
        }
        Ok(decoded)
    }

    /// What is left once the body has ended.
    pub fn finish(&mut self) -> Result<Bytes, Refused> {
        let Some(gzip) = &mut self.gzip else { return Ok(Bytes::new()) };
        gzip.try_finish().map_err(|_| Refused::Malformed)?;
        let content = std::mem::take(gzip.get_mut());
        self.left_bytes = self.left_bytes.checked_sub(content.len() as u64).ok_or(Refused::TooLarge)?;
        Ok(Bytes::from(content))
    }
}

fn write_all(gzip: &mut MultiGzDecoder<Vec<u8>>, part: &[u8]) -> io::Result<()> {
    gzip.write_all(part)?;
    gzip.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compressed(content: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(content).unwrap();
        gzip.finish().unwrap()
    }

    fn decoded(encoding: &str, body: &[u8], piece: usize, limit_bytes: u64) -> Result<Vec<u8>, Refused> {
        let mut decoder = Decoder::new(encoding, limit_bytes).unwrap();
        let mut content = Vec::new();
        for piece in body.chunks(piece) {
            decoder.decode(Bytes::copy_from_slice(piece))?.iter().for_each(|part| content.extend_from_slice(part));
        }
        content.extend_from_slice(&decoder.finish()?);
        Ok(content)
    }

    #[test]
    fn pieces_of_any_size_come_out_whole() {
        let content: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        for piece in [1, 7, 4096, 1 << 20] {
            assert_eq!(decoded("gzip", &compressed(&content), piece, 1 << 20).as_ref(), Ok(&content), "{piece}");
        }
        assert_eq!(decoded("", &content, 1000, 1 << 20).as_ref(), Ok(&content));
        assert!(Decoder::new("br", 1).is_none());
    }

    #[test]
    fn what_is_too_much_or_broken_is_refused() {
        let bomb = compressed(&vec![0; 4 << 20]);
        assert!(bomb.len() < 64 * 1024);
        assert_eq!(decoded("gzip", &bomb, 1 << 20, 1 << 20), Err(Refused::TooLarge));
        assert_eq!(decoded("", &[0; 100], 10, 99), Err(Refused::TooLarge));
        assert_eq!(decoded("gzip", b"not gzip", 100, 100), Err(Refused::Malformed));
        assert_eq!(decoded("gzip", &bomb[..bomb.len() / 2], 4096, 8 << 20), Err(Refused::Malformed));
    }
}
