//! Tumbling and hopping windows: which groups belong to which window start.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use polars::prelude::*;

use super::accumulator::NOWHERE;
use super::groups::Groups;

/// The open windows by their start; each knows its groups.
#[derive(Clone)]
pub(super) struct Panes {
    size: i64,
    slide: i64,
    offset: i64,
    panes: Vec<Pane>,
    free: Vec<u32>,
    by_start: BTreeMap<i64, u32>,
    /// The windows that rows fell into lately, by the last digits of their number.
    recent: [Option<(i64, u32)>; RECENT],
}

const RECENT: usize = 32;

#[derive(Clone, Default)]
struct Pane {
    groups: Vec<u32>,
    index: Index,
}

/// Finds a window's group of a key.
#[derive(Clone)]
enum Index {
    Sparse(HashMap<u32, u32, foldhash::fast::FixedState>),
    /// By the number of the key: where at least an eighth of all keys are in the window.
    Dense(Vec<u32>),
}

impl Default for Index {
    fn default() -> Index {
        Index::Sparse(HashMap::default())
    }
}

/// Where the rows of a batch belong, of one window each.
pub(super) struct Assigned {
    /// The place of every row's group, or [`NOWHERE`].
    pub places: Vec<u32>,
    /// The rows whose window had ended, with its start.
    pub late: Vec<(u32, i64)>,
}

impl Panes {
    pub fn new(size: i64, slide: i64, offset: i64) -> Panes {
        Panes {
            size,
            slide,
            offset,
            panes: Vec::new(),
            free: Vec::new(),
            by_start: BTreeMap::new(),
            recent: [None; RECENT],
        }
    }

    /// Returns how many windows an event may fall into. A size that is no multiple of the slide
    /// gives some events one more than others.
    pub fn hops(&self) -> i64 {
        self.size.div_euclid(self.slide) + i64::from(self.size % self.slide != 0)
    }

    /// Puts every row into the window that started `hop` slides before the latest it falls into.
    pub fn assign(
        &mut self,
        groups: &mut Groups,
        times: &Int64Chunked,
        keys: &[u32],
        hop: i64,
        late_before: i64,
    ) -> Assigned {
        let mut places = Vec::with_capacity(keys.len());
        let mut late = Vec::new();
        // The latest start, and the times for which it is that.
        let (mut number, mut from) = (0, i64::MAX);
        for (row, (time, key)) in times.iter().zip(keys).enumerate() {
            let Some(time) = time else {
                places.push(NOWHERE);
                continue;
            };
            if time < from || time - from >= self.slide {
                number = (time - self.offset).div_euclid(self.slide);
                from = number * self.slide + self.offset;
            }
            let start = from - hop * self.slide;
            if start <= time - self.size {
                places.push(NOWHERE);
                continue;
            }
            if start + self.size <= late_before {
                late.push((row as u32, start));
                places.push(NOWHERE);
                continue;
            }
            let pane = self.pane(start, number - hop);
            let place = match self.panes[pane as usize].index.get(*key) {
                Some(place) => place,
                None => {
                    let place = groups.add(start, start + self.size, *key);
                    self.panes[pane as usize].insert(*key, place);
                    place
                }
            };
            groups.touch(place);
            places.push(place);
        }
        Assigned { places, late }
    }

    /// Lets windows with many of the keys be indexed by them.
    pub fn settle(&mut self, groups: &Groups, keys: usize) {
        for pane in self.by_start.values() {
            self.panes[*pane as usize].settle(groups, keys);
        }
    }

    /// Removes the windows that have ended by `watermark`; returns the places of their groups.
    pub fn evict(&mut self, groups: &mut Groups, watermark: i64) -> Vec<u32> {
        let mut places = Vec::new();
        while let Some(entry) = self.by_start.first_entry() {
            if *entry.key() + self.size > watermark {
                break;
            }
            let pane = entry.remove();
            let removed = std::mem::take(&mut self.panes[pane as usize]);
            removed
                .groups
                .iter()
                .for_each(|place| groups.remove(*place));
            places.extend(removed.groups);
            self.free.push(pane);
            self.recent = [None; RECENT];
        }
        places
    }

    /// Returns the earliest open window.
    pub fn earliest(&self) -> Option<(i64, i64)> {
        let start = *self.by_start.first_key_value()?.0;
        Some((start, start + self.size))
    }

    /// Puts a group that was read from a checkpoint into its window.
    pub fn restore(&mut self, start: i64, key: u32, place: u32) {
        let number = (start - self.offset).div_euclid(self.slide);
        let pane = self.pane(start, number);
        self.panes[pane as usize].insert(key, place);
    }

    #[inline]
    fn pane(&mut self, start: i64, number: i64) -> u32 {
        let recent = number.rem_euclid(RECENT as i64) as usize;
        if let Some((there, pane)) = self.recent[recent]
            && there == start
        {
            return pane;
        }
        let pane = *self.by_start.entry(start).or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.panes.push(Pane::default());
                self.panes.len() as u32 - 1
            })
        });
        self.recent[recent] = Some((start, pane));
        pane
    }
}

impl Pane {
    fn insert(&mut self, key: u32, place: u32) {
        self.groups.push(place);
        match &mut self.index {
            Index::Sparse(map) => drop(map.insert(key, place)),
            Index::Dense(places) if (key as usize) < places.len() => places[key as usize] = place,
            // Keys that came up after the window was indexed by them.
            Index::Dense(places) => {
                let dense = places.iter().enumerate();
                let there = dense.filter(|(_, place)| **place != NOWHERE);
                let mut map: HashMap<u32, u32, _> =
                    there.map(|(key, place)| (key as u32, *place)).collect();
                map.insert(key, place);
                self.index = Index::Sparse(map);
            }
        }
    }

    fn settle(&mut self, groups: &Groups, keys: usize) {
        if matches!(self.index, Index::Dense(_)) || self.groups.len() * 8 < keys {
            return;
        }
        let mut places = vec![NOWHERE; keys];
        for place in &self.groups {
            places[groups.keys[*place as usize] as usize] = *place;
        }
        self.index = Index::Dense(places);
    }
}

impl Index {
    #[inline]
    fn get(&self, key: u32) -> Option<u32> {
        match self {
            Index::Dense(places) => {
                let place = *places.get(key as usize)?;
                (place != NOWHERE).then_some(place)
            }
            Index::Sparse(map) => map.get(&key).copied(),
        }
    }
}
