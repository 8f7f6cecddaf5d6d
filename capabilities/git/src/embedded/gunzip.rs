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
