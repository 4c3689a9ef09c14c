//! Quantiles by a sketch that merges: DDSketch (Masson, Rim, Lee, VLDB 2019).

use serde::{Deserialize, Serialize};
use sketches_ddsketch::{Config, DDSketch};

use super::{Rows, each_number, gathered};
use crate::window::typed::Typed;
use crate::{Error, Result};

/// How far from the true value a quantile may be, as a part of that value.
const RELATIVE_ERROR: f64 = 0.01;

/// At most this many buckets a sign: enough for values over seventeen orders of magnitude.
const BUCKETS: u32 = 2048;

/// Smaller values than this count as zero.
const LEAST: f64 = 1e-9;

#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::window) struct Quantiles(Vec<Option<Box<DDSketch>>>);

impl Quantiles {
    /// Returns the quantile `q` (0 to 1) of the values at a place.
    pub fn quantile(&self, place: u32, q: f64) -> Option<f64> {
        let sketch = self.0[place as usize].as_ref()?;
        sketch.quantile(q).ok().flatten()
    }

    pub fn grow(&mut self) {
        self.0.push(None);
    }

    pub fn reset(&mut self, place: usize) {
        self.0[place] = None;
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        let Some(ours) = self.0[from].clone() else {
            return Ok(());
        };
        match &mut self.0[to] {
            None => self.0[to] = Some(ours),
            Some(theirs) => theirs.merge(&ours).map_err(|cause| {
                Error::new("two sketches of quantiles do not merge").have(format!("{cause:?}"))
            })?,
        }
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        let sketches = &mut self.0;
        each_number(rows.places, values, |place, value| {
            if !value.is_nan() {
                sketches[place]
                    .get_or_insert_with(|| {
                        Box::new(DDSketch::new(Config::new(RELATIVE_ERROR, BUCKETS, LEAST)))
                    })
                    .add(value);
            }
        });
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> Quantiles {
        Quantiles(gathered(&self.0, places))
    }

    pub fn bytes(&self) -> usize {
        let sketch = |sketch: &Option<Box<DDSketch>>| {
            8 + sketch.as_ref().map_or(0, |sketch| 96 + sketch.length() * 8)
        };
        self.0.iter().map(sketch).sum()
    }
}
