//! Sessions: windows as long as the events of a key keep coming.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::{HashMap, HashSet};
use polars::prelude::*;

use super::accumulator::NOWHERE;
use super::groups::Groups;
use super::panes::Assigned;
use crate::Result;

type Map<V> = HashMap<u32, V, foldhash::fast::FixedState>;

/// The open sessions of every key, ordered by their start; no two of a key touch.
#[derive(Clone)]
pub(super) struct Sessions {
    gap: i64,
    by_key: Map<Vec<u32>>,
    /// One entry per session, in the order in which they may end: the end when it was entered, its
    /// place, and which life of that place. A session that has grown since is entered again.
    ends: BinaryHeap<Reverse<(i64, u32, u32)>>,
}

/// What a batch did to the sessions, counted as Spark's state store counts.
pub(super) struct Written {
    /// Sessions of the keys in the batch, after it.
    pub updated: usize,
    /// Sessions that are no longer there under their old start: joined, or begun earlier.
    pub replaced: usize,
}

impl Sessions {
    pub fn new(gap: i64) -> Sessions {
        Sessions {
            gap,
            by_key: Map::default(),
            ends: BinaryHeap::new(),
        }
    }

    /// Puts every row into the session of its key that it falls into, joins or begins.
    pub fn assign(
        &mut self,
        groups: &mut Groups,
        times: &Int64Chunked,
        keys: &[u32],
        late_before: i64,
    ) -> Result<(Assigned, Written)> {
        let mut places = Vec::with_capacity(keys.len());
        let mut late = Vec::new();
        // The starts that the sessions of this batch's keys had before it.
        let mut before: Map<Vec<i64>> = Map::default();
        let mut joined = Vec::new();
        for (row, (time, key)) in times.iter().zip(keys).enumerate() {
            let Some(time) = time else {
                places.push(NOWHERE);
                continue;
            };
            if time + self.gap <= late_before {
                late.push((row as u32, time));
                places.push(NOWHERE);
                continue;
            }
            let sessions = self.by_key.entry(*key).or_default();
            before.entry(*key).or_insert_with(|| {
                let starts = sessions.iter().map(|place| groups.starts[*place as usize]);
                starts.collect()
            });
            let count = sessions.len();
            let place = join(groups, sessions, &mut joined, (time, time + self.gap, *key))?;
            if sessions.len() > count {
                let life = groups.lives[place as usize];
                self.ends.push(Reverse((time + self.gap, place, life)));
            }
            groups.touch(place);
            places.push(place);
        }
        // Rows of sessions that were joined later in the batch belong to what they were joined to.
        let moved: Map<u32> = joined.iter().copied().collect();
        let last = |mut place: u32| {
            while let Some(next) = moved.get(&place) {
                place = *next;
            }
            place
        };
        if !moved.is_empty() {
            for place in places.iter_mut().filter(|place| **place != NOWHERE) {
                *place = last(*place);
            }
            groups.touched.retain(|place| !moved.contains_key(place));
            moved.keys().for_each(|place| groups.remove(*place));
        }
        let mut written = Written {
            updated: 0,
            replaced: 0,
        };
        for (key, starts) in &before {
            let sessions = &self.by_key[key];
            written.updated += sessions.len();
            let now: HashSet<i64> = sessions
                .iter()
                .map(|place| groups.starts[*place as usize])
                .collect();
            written.replaced += starts.iter().filter(|start| !now.contains(*start)).count();
        }
        Ok((Assigned { places, late }, written))
    }

    /// Removes the sessions that have ended by `watermark`; returns their places.
    pub fn evict(&mut self, groups: &mut Groups, watermark: i64) -> Vec<u32> {
        let mut places = Vec::new();
        while let Some(Reverse((end, place, life))) = self.ends.peek().copied() {
            if end > watermark {
                break;
            }
            self.ends.pop();
            let at = place as usize;
            if groups.lives[at] != life {
                continue;
            }
            if groups.ends[at] > watermark {
                self.ends.push(Reverse((groups.ends[at], place, life)));
                continue;
            }
            let key = groups.keys[at];
            if let Some(sessions) = self.by_key.get_mut(&key) {
                sessions.retain(|there| *there != place);
                if sessions.is_empty() {
                    self.by_key.remove(&key);
                }
            }
            groups.remove(place);
            places.push(place);
        }
        places
    }

    /// Returns the open session that ends first.
    pub fn earliest(&self, groups: &Groups) -> Option<(i64, i64)> {
        let places = self.by_key.values().flatten();
        places
            .map(|place| (groups.ends[*place as usize], groups.starts[*place as usize]))
            .min()
            .map(|(end, start)| (start, end))
    }

    /// Puts a session that was read from a checkpoint back.
    pub fn restore(&mut self, groups: &Groups, key: u32, place: u32) {
        let at = place as usize;
        let sessions = self.by_key.entry(key).or_default();
        let behind =
            sessions.partition_point(|there| groups.starts[*there as usize] < groups.starts[at]);
        sessions.insert(behind, place);
        self.ends
            .push(Reverse((groups.ends[at], place, groups.lives[at])));
    }
}

/// Returns the session of a key for an event that covers `[start, end)`. Every session that it
/// touches becomes one with it; `joined` gets those that are no more, and what they became.
fn join(
    groups: &mut Groups,
    sessions: &mut Vec<u32>,
    joined: &mut Vec<(u32, u32)>,
    (start, end, key): (i64, i64, u32),
) -> Result<u32> {
    // Events mostly come in order, so the last session is the first to look at.
    let first = sessions
        .iter()
        .rposition(|place| groups.ends[*place as usize] < start)
        .map_or(0, |before| before + 1);
    let touching = sessions[first..]
        .iter()
        .take_while(|place| groups.starts[**place as usize] <= end)
        .count();
    if touching == 0 {
        let place = groups.add(start, end, key);
        sessions.insert(first, place);
        return Ok(place);
    }
    let kept = sessions[first];
    for place in sessions.drain(first + 1..first + touching) {
        groups.merge(place, kept)?;
        let at = kept as usize;
        groups.ends[at] = groups.ends[at].max(groups.ends[place as usize]);
        joined.push((place, kept));
    }
    let at = kept as usize;
    groups.starts[at] = groups.starts[at].min(start);
    groups.ends[at] = groups.ends[at].max(end);
    Ok(kept)
}
