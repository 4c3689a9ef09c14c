//! Sums: of whole numbers as i64 (one that does not fit is an error), of others as f64.

use serde::{Deserialize, Serialize};

use super::{Rows, each_float, each_int, each_number, gathered};
use crate::window::typed::{Data, Typed};
use crate::{Error, Result};

/// The sum of a column in its own kind of number.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::window) enum Sum {
    Int(Vec<i64>),
    Float(Vec<f64>),
}

/// The sum of a column as f64, for a mean; nothing where the column's own sum is the same.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::window) struct FloatSum(Option<Vec<f64>>);

impl Sum {
    /// Makes an empty sum one of floats.
    pub fn start_as_float(&mut self) {
        if let Sum::Int(sums) = self {
            *self = Sum::Float(vec![0.0; sums.len()]);
        }
    }

    pub fn grow(&mut self) {
        match self {
            Sum::Int(sums) => sums.push(0),
            Sum::Float(sums) => sums.push(0.0),
        }
    }

    pub fn reset(&mut self, place: usize) {
        match self {
            Sum::Int(sums) => sums[place] = 0,
            Sum::Float(sums) => sums[place] = 0.0,
        }
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        match self {
            Sum::Int(sums) => {
                sums[to] = sums[to].checked_add(sums[from]).ok_or_else(overflow)?;
            }
            Sum::Float(sums) => sums[to] += sums[from],
        }
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        if let (Sum::Int(sums), Data::Float(_)) = (&*self, &values.data) {
            *self = Sum::Float(sums.iter().map(|sum| *sum as f64).collect());
        }
        match (self, &values.data) {
            (Sum::Int(sums), Data::Int(values)) => {
                let mut too_large = false;
                each_int(rows.places, values, |place, value| {
                    let (sum, over) = sums[place].overflowing_add(value);
                    sums[place] = sum;
                    too_large |= over;
                });
                if too_large {
                    return Err(overflow());
                }
            }
            (Sum::Float(sums), Data::Float(values)) => {
                each_float(rows.places, values, |place, value| sums[place] += value);
            }
            (Sum::Float(sums), _) => {
                each_number(rows.places, values, |place, value| sums[place] += value);
            }
            _ => {}
        }
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> Sum {
        match self {
            Sum::Int(sums) => Sum::Int(gathered(sums, places)),
            Sum::Float(sums) => Sum::Float(gathered(sums, places)),
        }
    }

    pub fn bytes(&self) -> usize {
        match self {
            Sum::Int(sums) => sums.len() * 8,
            Sum::Float(sums) => sums.len() * 8,
        }
    }
}

impl FloatSum {
    pub fn new() -> FloatSum {
        FloatSum(Some(Vec::new()))
    }

    /// Keeps nothing from now on: the column's own sum is one of floats.
    pub fn lean_on_sum(&mut self) {
        self.0 = None;
    }

    /// Returns the sum at a place, where `sum` is the column's own sum.
    pub fn at(&self, place: u32, sum: Option<&Sum>) -> f64 {
        match (&self.0, sum) {
            (Some(sums), _) => sums[place as usize],
            (None, Some(Sum::Float(sums))) => sums[place as usize],
            (None, _) => unreachable!("without sums of its own it leans on a sum of floats"),
        }
    }

    pub fn grow(&mut self) {
        if let Some(sums) = &mut self.0 {
            sums.push(0.0);
        }
    }

    pub fn reset(&mut self, place: usize) {
        if let Some(sums) = &mut self.0 {
            sums[place] = 0.0;
        }
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        if let Some(sums) = &mut self.0 {
            sums[to] += sums[from];
        }
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        if let Some(sums) = &mut self.0 {
            each_number(rows.places, values, |place, value| sums[place] += value);
        }
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> FloatSum {
        FloatSum(self.0.as_ref().map(|sums| gathered(sums, places)))
    }

    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |sums| sums.len() * 8)
    }
}

/// Says that a sum of whole numbers does not fit; Spark raises an error here too (ANSI mode).
fn overflow() -> Error {
    Error::new("a sum of whole numbers is too large")
        .have(format!("more than {} or less than {}", i64::MAX, i64::MIN))
        .hint("col(\"x\").cast(DataType::Float64).sum()")
}
