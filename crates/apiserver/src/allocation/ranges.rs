//! What there is to be given out: the addresses of services and the ports on nodes, with
//! the lower part of each kept for those who ask for a certain one. Pure arithmetic.

use std::net::Ipv4Addr;

/// The ranges.
#[derive(Clone, Debug)]
pub struct Ranges {
    base: u32,
    prefix: u32,
    ports: (u16, u16),
}

impl Default for Ranges {
    fn default() -> Self {
        Ranges { base: u32::from(Ipv4Addr::new(10, 96, 0, 0)), prefix: 16, ports: (30_000, 32_767) }
    }
}

impl Ranges {
    /// Other ranges than the default ones: addresses by their first and the length of their
    /// prefix, of 8 to 28 bits, and ports from the first to the last. `None` if they are
    /// too small, too large or upside down.
    pub fn new(first: Ipv4Addr, prefix: u8, ports: (u16, u16)) -> Option<Self> {
        if !(8..=28).contains(&prefix) || ports.0 == 0 || ports.0 >= ports.1 {
            return None;
        }
        let prefix = u32::from(prefix);
        let base = u32::from(first) & (u32::MAX << (32 - prefix));
        Some(Ranges { base, prefix, ports })
    }

    /// Whether a service may have this address: not the first and not the last of the range.
    pub(super) fn has_address(&self, address: Ipv4Addr) -> bool {
        let offset = u32::from(address).wrapping_sub(self.base);
        (1..=self.last_offset()).contains(&offset)
    }

    /// Addresses to try in turn; where the search starts depends on the seed.
    pub(super) fn addresses(&self, seed: u64) -> impl Iterator<Item = Ipv4Addr> {
        let base = self.base;
        search(1, self.last_offset(), seed).map(move |offset| Ipv4Addr::from(base + offset))
    }

    /// Whether a service may have this port on the nodes.
    pub(super) fn has_port(&self, port: u64) -> bool {
        (u64::from(self.ports.0)..=u64::from(self.ports.1)).contains(&port)
    }

    /// Ports to try in turn; where the search starts depends on the seed.
    pub(super) fn ports(&self, seed: u64) -> impl Iterator<Item = u64> {
        search(u32::from(self.ports.0), u32::from(self.ports.1), seed).map(u64::from)
    }

    /// The ports as a message shows them.
    pub(super) fn ports_text(&self) -> String {
        format!("{}-{}", self.ports.0, self.ports.1)
    }

    fn last_offset(&self) -> u32 {
        (1 << (32 - self.prefix)) - 2
    }
}

/// Every number from the first to the last: the upper part from somewhere on and round, then
/// the lower part, which is left to those who ask for a certain one while there are others.
fn search(first: u32, last: u32, seed: u64) -> impl Iterator<Item = u32> {
    let size = last - first + 1;
    let kept = (size / 16).clamp(16, 256).min(size / 2);
    let upper = size - kept;
    let start = u32::try_from(seed % u64::from(upper.max(1))).unwrap_or_default();
    let above = (0..upper).map(move |step| first + kept + (start + step) % upper);
    above.chain((0..kept).map(move |step| first + step))
}

/// A number that is the same for the same text, and another for most others.
pub(super) fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
