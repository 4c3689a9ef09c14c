//! Choices made by bytes; when they are used up, every choice is the first one.

pub struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Choices<'a> {
    pub fn by(bytes: &'a [u8]) -> Choices<'a> {
        Choices {
            bytes: bytes.iter(),
        }
    }

    pub fn are_left(&self) -> bool {
        !self.bytes.as_slice().is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::from(u16::from_be_bytes([self.byte(), self.byte()])) % end.max(1)
    }

    pub fn one<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[usize::from(self.byte()) % of.len()]
    }

    /// True once in about `rarity` times.
    pub fn rarely(&mut self, rarity: u8) -> bool {
        self.byte() % rarity == rarity - 1
    }

    pub fn int64(&mut self) -> i64 {
        let bytes = std::array::from_fn(|_| self.byte());
        i64::from_be_bytes(bytes)
    }
}
