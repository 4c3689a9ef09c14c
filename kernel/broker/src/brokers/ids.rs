//! Ids that look random and come from a seed, so that a run can be repeated.

use uuid::Uuid;

/// A source of ids (SplitMix64, <https://doi.org/10.1145/2714064.2660195>).
#[derive(Debug, Clone)]
pub struct Ids {
    state: u64,
}

impl Ids {
    pub fn new(seed: u64) -> Ids {
        Ids { state: seed }
    }

    /// Returns where the ids go on: `Ids::new` with it gives the same ones.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// Returns an id for a topic or a member; never nil, which means "none" in the protocol.
    pub fn uuid(&mut self) -> Uuid {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// Returns an id for a cluster, 22 letters as Kafka writes them.
    pub fn cluster(&mut self) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut letters = String::new();
        for _ in 0..22 {
            letters.push(char::from(LETTERS[(self.next() >> 58) as usize]));
        }
        letters
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}
