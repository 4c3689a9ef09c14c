//! The order in which groups are given out: by window start, then by the keys.

use super::groups::Groups;
use super::keys::Keys;

/// Remembers the rank of every key, so that many groups are ordered by whole numbers.
#[derive(Clone, Default)]
pub(super) struct Order {
    /// The keys in order, and where in that order each is.
    sorted: Vec<u32>,
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
        self.sorted.clear();
        self.ranks.clear();
    }

    /// Puts the keys that have come since the last time between the others.
    fn rank(&mut self, keys: &Keys) {
        let mut new: Vec<u32> = (self.sorted.len() as u32..keys.len() as u32).collect();
        new.sort_unstable_by(|a, b| keys.order(*a, *b));
        let mut both = Vec::with_capacity(keys.len());
        let mut old = self.sorted.iter().copied().peekable();
        for key in new {
            while let Some(before) = old.next_if(|there| keys.order(*there, key).is_lt()) {
                both.push(before);
            }
            both.push(key);
        }
        both.extend(old);
        self.sorted = both;
        self.ranks.resize(self.sorted.len(), 0);
        for (rank, key) in (0..).zip(&self.sorted) {
            self.ranks[*key as usize] = rank;
        }
    }
}
