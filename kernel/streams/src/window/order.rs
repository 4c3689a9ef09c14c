//! The order in which groups are given out: by window start, then by the keys.

use super::groups::Groups;
use super::keys::Keys;

/// Remembers the rank of every key, so that many groups are ordered by whole numbers.
#[derive(Clone, Default)]
pub(super) struct Order {
    ranks: Vec<u32>,
}

impl Order {
    pub fn sort(&mut self, places: &mut [u32], groups: &Groups, keys: &Keys) {
        let key = |place: u32| groups.keys[place as usize];
        let start = |place: u32| groups.starts[place as usize];
        if self.ranks.len() != keys.len() {
            if places.len() * 4 < keys.len() {
                let order = |a: u32, b: u32| keys.order(key(a), key(b));
                places
                    .sort_unstable_by(|a, b| start(*a).cmp(&start(*b)).then_with(|| order(*a, *b)));
                return;
            }
            self.rank(keys);
        }
        places.sort_unstable_by_key(|place| (start(*place), self.ranks[key(*place) as usize]));
    }

    /// Forgets the ranks: the keys have new numbers.
    pub fn forget(&mut self) {
        self.ranks.clear();
    }

    fn rank(&mut self, keys: &Keys) {
        let mut sorted: Vec<u32> = (0..keys.len() as u32).collect();
        sorted.sort_unstable_by(|a, b| keys.order(*a, *b));
        self.ranks = vec![0; sorted.len()];
        for (rank, key) in (0..).zip(sorted) {
            self.ranks[key as usize] = rank;
        }
    }
}
