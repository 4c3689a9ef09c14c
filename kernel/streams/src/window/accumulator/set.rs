//! Distinct values: all of them, or how many there are about.

use std::collections::BTreeSet;

use datasketches::hll::{HllSketch, HllType, HllUnion};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{NOWHERE, Rows, gathered};
use crate::window::scalar::Scalar;
use crate::window::typed::Typed;
use crate::{Error, Result};

/// The distinct values of each group, nulls left out.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::window) struct Distinct(pub Vec<BTreeSet<Scalar>>);

/// A HyperLogLog sketch of each group: 4,096 registers, so a standard error of 1.6 %.
#[derive(Clone, Default)]
pub(in crate::window) struct Sketches(Vec<Option<HllSketch>>);

/// The logarithm of the number of registers.
const REGISTERS: u8 = 12;

impl Distinct {
    pub fn grow(&mut self) {
        self.0.push(BTreeSet::new());
    }

    pub fn reset(&mut self, place: usize) {
        self.0[place].clear();
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        let values = self.0[from].clone();
        self.0[to].extend(values);
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        for (row, place) in rows.places.iter().enumerate() {
            if *place != NOWHERE
                && let Some(value) = Scalar::of(values, row)
            {
                self.0[*place as usize].insert(value);
            }
        }
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> Distinct {
        Distinct(gathered(&self.0, places))
    }

    pub fn bytes(&self) -> usize {
        let set = |set: &BTreeSet<Scalar>| 24 + set.iter().map(Scalar::bytes).sum::<usize>();
        self.0.iter().map(set).sum()
    }
}

impl Sketches {
    /// Returns about how many distinct values were seen at a place.
    pub fn estimate(&self, place: u32) -> i64 {
        let sketch = self.0[place as usize].as_ref();
        sketch.map_or(0, |sketch| sketch.estimate().round() as i64)
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
        let Some(theirs) = &self.0[to] else {
            self.0[to] = Some(ours);
            return Ok(());
        };
        let mut union = HllUnion::new(REGISTERS).map_err(refused)?;
        union.update(&ours);
        union.update(theirs);
        self.0[to] = Some(union.to_sketch(HllType::Hll8));
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        for (row, place) in rows.places.iter().enumerate() {
            if *place == NOWHERE {
                continue;
            }
            let Some(value) = Scalar::of(values, row) else {
                continue;
            };
            let sketch = &mut self.0[*place as usize];
            if sketch.is_none() {
                *sketch = Some(HllSketch::new(REGISTERS, HllType::Hll8).map_err(refused)?);
            }
            if let Some(sketch) = sketch {
                sketch.update(value);
            }
        }
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> Sketches {
        Sketches(gathered(&self.0, places))
    }

    pub fn bytes(&self) -> usize {
        let sketch =
            |sketch: &Option<HllSketch>| sketch.as_ref().map_or(8, HllSketch::estimated_size);
        self.0.iter().map(sketch).sum()
    }
}

impl Serialize for Sketches {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self
            .0
            .iter()
            .map(|sketch| sketch.as_ref().map(HllSketch::serialize));
        bytes
            .collect::<Vec<Option<Vec<u8>>>>()
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sketches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sketches, D::Error> {
        let sketch = |bytes: Option<Vec<u8>>| bytes.map(|bytes| HllSketch::deserialize(&bytes));
        let bytes = Vec::<Option<Vec<u8>>>::deserialize(deserializer)?;
        let sketches = bytes.into_iter().map(|bytes| sketch(bytes).transpose());
        let sketches = sketches.collect::<Result<_, _>>();
        sketches.map(Sketches).map_err(serde::de::Error::custom)
    }
}

fn refused(cause: datasketches::error::Error) -> Error {
    Error::new("the sketch of distinct values cannot go on").have(cause.to_string())
}
