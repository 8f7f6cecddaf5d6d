//! Decisions drawn from bytes. When the bytes end, every decision is the smallest, so that
//! shorter bytes make smaller inputs and a failure can be made smaller by cutting bytes.
//! It never reads a clock or a random source.

/// What a target makes its input from.
pub(super) struct Source<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Source<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Source { bytes, at: 0 }
    }

    pub fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// Whether nothing is left to decide with.
    pub fn is_spent(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        let wide = usize::from(self.byte());
        if count > 256 { (wide << 8 | usize::from(self.byte())) % count } else { wide % count.max(1) }
    }

    /// True once in `of` times; never when the bytes are spent.
    pub fn once_in(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn word(&mut self) -> u64 {
        (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte()))
    }

    /// What is left, as it is.
    pub fn rest(&mut self) -> &'b [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest
    }
}

/// Numbers that look random, always the same from one seed.
pub(super) struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Numbers(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Bytes of any length up to 4 KiB, short ones as likely as long ones.
    pub fn bytes(&mut self) -> Vec<u8> {
        let most = 8usize << (self.next() % 10);
        let length = usize::try_from(self.next()).unwrap_or(0) % most + 1;
        // Bytes of few values make lists and nesting that bytes of all values rarely make.
        let mask = if self.next().is_multiple_of(4) { 0x0f } else { 0xff };
        let words = std::iter::repeat_with(|| self.next()).flat_map(u64::to_le_bytes);
        words.take(length).map(|byte| byte & mask).collect()
    }
}
