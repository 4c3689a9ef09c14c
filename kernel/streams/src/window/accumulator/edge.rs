//! The first and the last value of a group by event time; of equal times the one that arrived
//! first, or last.

use serde::{Deserialize, Serialize};

use super::{NOWHERE, Rows, gathered};
use crate::Result;
use crate::window::scalar::Scalar;
use crate::window::typed::Typed;

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::window) enum Side {
    First,
    Last,
}

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::window) struct Edge {
    side: Side,
    /// Whether nulls count as values.
    with_nulls: bool,
    values: Vec<Option<Entry>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    /// Event time, and number of arrival.
    at: (i64, u64),
    value: Option<Scalar>,
}

impl Edge {
    pub fn new(side: Side, with_nulls: bool) -> Edge {
        Edge {
            side,
            with_nulls,
            values: Vec::new(),
        }
    }

    /// Returns the value at a place.
    pub fn at(&self, place: u32) -> Option<&Scalar> {
        self.values[place as usize].as_ref()?.value.as_ref()
    }

    pub fn grow(&mut self) {
        self.values.push(None);
    }

    pub fn reset(&mut self, place: usize) {
        self.values[place] = None;
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        if let Some(entry) = self.values[from].clone()
            && self.is_better(entry.at, to)
        {
            self.values[to] = Some(entry);
        }
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        for (row, (place, time)) in rows.places.iter().zip(rows.times.iter()).enumerate() {
            let (Some(time), true) = (time, *place != NOWHERE) else {
                continue;
            };
            let at = (time, rows.arrived + row as u64);
            if !self.is_better(at, *place as usize) {
                continue;
            }
            let value = Scalar::of(values, row);
            if value.is_some() || self.with_nulls {
                self.values[*place as usize] = Some(Entry { at, value });
            }
        }
        Ok(())
    }

    fn is_better(&self, at: (i64, u64), place: usize) -> bool {
        self.values[place]
            .as_ref()
            .is_none_or(|there| match self.side {
                Side::First => at < there.at,
                Side::Last => at > there.at,
            })
    }

    pub fn gather(&self, places: &[u32]) -> Edge {
        Edge {
            values: gathered(&self.values, places),
            ..*self
        }
    }

    pub fn bytes(&self) -> usize {
        let entry = |entry: &Option<Entry>| {
            40 + entry
                .as_ref()
                .and_then(|entry| entry.value.as_ref())
                .map_or(0, Scalar::bytes)
        };
        self.values.iter().map(entry).sum()
    }
}
