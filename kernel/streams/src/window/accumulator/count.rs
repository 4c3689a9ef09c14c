//! How many values are not null.

use serde::{Deserialize, Serialize};

use super::{NOWHERE, Rows, gathered};
use crate::Result;
use crate::window::typed::{Data, Typed};

/// The count of a column; no more than the count of rows until the first null comes.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::window) struct Count {
    own: Option<Vec<i64>>,
}

impl Count {
    /// Returns the count at a place, where `rows` is how many rows there are.
    pub fn at(&self, place: u32, rows: &[i64]) -> i64 {
        match &self.own {
            None => rows[place as usize],
            Some(own) => own[place as usize],
        }
    }

    pub fn grow(&mut self) {
        if let Some(own) = &mut self.own {
            own.push(0);
        }
    }

    pub fn reset(&mut self, place: usize) {
        if let Some(own) = &mut self.own {
            own[place] = 0;
        }
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        if let Some(own) = &mut self.own {
            own[to] += own[from];
        }
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        if self.own.is_none() {
            if !values.has_nulls() {
                return Ok(());
            }
            // Up to here no value was null: the counts are those of the rows before this batch.
            let mut own = rows.counts.to_vec();
            for place in rows.places.iter().filter(|place| **place != NOWHERE) {
                own[*place as usize] -= 1;
            }
            self.own = Some(own);
        }
        let own = self.own.as_mut().expect("made above");
        let mut add = |row: usize| {
            if rows.places[row] != NOWHERE {
                own[rows.places[row] as usize] += 1;
            }
        };
        let mut add_valid = |valid: &mut dyn Iterator<Item = bool>| {
            for (row, valid) in valid.enumerate() {
                if valid {
                    add(row);
                }
            }
        };
        match &values.data {
            Data::Nothing => {}
            Data::Int(values) => add_valid(&mut values.iter().map(|value| value.is_some())),
            Data::Float(values) => add_valid(&mut values.iter().map(|value| value.is_some())),
            Data::Text(values) => add_valid(&mut values.iter().map(|value| value.is_some())),
        }
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> Count {
        let own = self.own.as_ref().map(|own| gathered(own, places));
        Count { own }
    }

    pub fn bytes(&self) -> usize {
        self.own.as_ref().map_or(0, |own| own.len() * 8)
    }
}
