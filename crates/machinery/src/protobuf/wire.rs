//! The protobuf wire format: tags, numbers, lengths. It knows no field and no
//! type, and never reads past its slice.

use super::error::Error;

/// One field as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
    /// A group, which proto2 deprecated and Kubernetes never writes.
    Group,
}

impl<'a> Wire<'a> {
    pub(super) fn bytes(self, field: &str) -> Result<&'a [u8], Error> {
        match self {
            Wire::Bytes(bytes) => Ok(bytes),
            other => Err(other.mismatch(field)),
        }
    }

    pub(super) fn varint(self, field: &str) -> Result<u64, Error> {
        match self {
            Wire::Varint(number) => Ok(number),
            other => Err(other.mismatch(field)),
        }
    }

    pub(super) fn double(self, field: &str) -> Result<f64, Error> {
        match self {
            Wire::Fixed64(bits) => Ok(f64::from_bits(bits)),
            other => Err(other.mismatch(field)),
        }
    }

    fn mismatch(self, field: &str) -> Error {
        let wire = match self {
            Wire::Varint(_) => 0,
            Wire::Fixed64(_) => 1,
            Wire::Bytes(_) => 2,
            Wire::Group => 3,
            Wire::Fixed32 => 5,
        };
        Error::WireType { wire, field: field.to_owned() }
    }
}

/// Reads fields from front to back.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field with its number; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Wire<'a>)>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        let wire = match wire_type {
            3 => self.skip_group()?,
            4 => return Err(Error::Tag(u64::from(number) << 3 | 4)),
            other => self.scalar(other)?,
        };
        Ok(Some((number, wire)))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Error> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Error::Truncated)?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Error::Overflow)
    }

    pub(super) fn fixed64(&mut self) -> Result<Wire<'a>, Error> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(Wire::Fixed64(u64::from_le_bytes(*bytes)))
    }

    fn tag(&mut self) -> Result<(u32, u8), Error> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number != 0).ok_or(Error::Tag(tag))?;
        Ok((number, (tag & 7) as u8))
    }

    fn scalar(&mut self, wire_type: u8) -> Result<Wire<'a>, Error> {
        match wire_type {
            0 => self.varint().map(Wire::Varint),
            1 => self.fixed64(),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Error::Truncated)?;
                self.take(length).map(Wire::Bytes)
            }
            5 => self.take(4).map(|_| Wire::Fixed32),
            other => Err(Error::Tag(u64::from(other))),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Passes over a group and those inside it, counting instead of recursing.
    fn skip_group(&mut self) -> Result<Wire<'a>, Error> {
        let mut open = 1usize;
        while open > 0 {
            match self.tag()?.1 {
                3 => open += 1,
                4 => open -= 1,
                other => {
                    self.scalar(other)?;
                }
            }
        }
        Ok(Wire::Group)
    }
}
