//! What is kept per group for one aggregate: a column with one place per group.
//!
//! Each kind is a small file. All of them can take rows in, merge two places (a late event that
//! bridges two sessions, a state that joins another), be emptied for the next group, and be written
//! down for a checkpoint. Merging is associative and commutative, so it does not matter in which
//! order rows and batches arrive.

mod count;
mod edge;
mod extreme;
mod moments;
mod quantile;
mod set;
mod sum;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::typed::{Data, Typed};
use crate::Result;

pub(super) use count::Count;
pub(super) use edge::{Edge, Side};
pub(super) use extreme::{Extreme, Which};
pub(super) use moments::Moments;
pub(super) use quantile::Quantiles;
pub(super) use set::{Distinct, Sketches};
pub(super) use sum::{FloatSum, Sum};

/// Stands for "in no group" among the places of rows.
pub(super) const NOWHERE: u32 = u32::MAX;

/// One aggregate's column in the state.
#[derive(Clone, Serialize, Deserialize)]
pub(super) enum Accumulator {
    Count(Count),
    Sum(Sum),
    FloatSum(FloatSum),
    Extreme(Extreme),
    Moments(Moments),
    Edge(Edge),
    Distinct(Distinct),
    Sketches(Sketches),
    Quantiles(Quantiles),
}

/// The rows of a batch as an accumulator sees them.
pub(super) struct Rows<'a> {
    /// The place of each row's group, or [`NOWHERE`].
    pub places: &'a [u32],
    /// The event time of each row (epoch microseconds).
    pub times: &'a Int64Chunked,
    /// How many rows the operator had taken in before this batch.
    pub arrived: u64,
    /// How many rows each group has, this batch's included.
    pub counts: &'a [i64],
}

macro_rules! each {
    ($self:expr, $kind:ident => $body:expr) => {
        match $self {
            Accumulator::Count($kind) => $body,
            Accumulator::Sum($kind) => $body,
            Accumulator::FloatSum($kind) => $body,
            Accumulator::Extreme($kind) => $body,
            Accumulator::Moments($kind) => $body,
            Accumulator::Edge($kind) => $body,
            Accumulator::Distinct($kind) => $body,
            Accumulator::Sketches($kind) => $body,
            Accumulator::Quantiles($kind) => $body,
        }
    };
}

impl Accumulator {
    /// Adds a place for one more group.
    pub fn grow(&mut self) {
        each!(self, kind => kind.grow());
    }

    /// Empties a place.
    pub fn reset(&mut self, place: u32) {
        each!(self, kind => kind.reset(place as usize));
    }

    /// Adds what is at `from` to what is at `to`.
    pub fn merge(&mut self, from: u32, to: u32) -> Result<()> {
        each!(self, kind => kind.merge(from as usize, to as usize))
    }

    /// Takes the values of a batch in.
    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        each!(self, kind => kind.take(rows, values))
    }

    /// Returns the same with these places only, in this order.
    pub fn gather(&self, places: &[u32]) -> Accumulator {
        match self {
            Accumulator::Count(kind) => Accumulator::Count(kind.gather(places)),
            Accumulator::Sum(kind) => Accumulator::Sum(kind.gather(places)),
            Accumulator::FloatSum(kind) => Accumulator::FloatSum(kind.gather(places)),
            Accumulator::Extreme(kind) => Accumulator::Extreme(kind.gather(places)),
            Accumulator::Moments(kind) => Accumulator::Moments(kind.gather(places)),
            Accumulator::Edge(kind) => Accumulator::Edge(kind.gather(places)),
            Accumulator::Distinct(kind) => Accumulator::Distinct(kind.gather(places)),
            Accumulator::Sketches(kind) => Accumulator::Sketches(kind.gather(places)),
            Accumulator::Quantiles(kind) => Accumulator::Quantiles(kind.gather(places)),
        }
    }

    /// Returns about how many bytes it takes.
    pub fn bytes(&self) -> usize {
        each!(self, kind => kind.bytes())
    }
}

/// Calls `f` with the place and the value of every row that is in a group and not null.
fn each_value<T: Copy>(
    places: &[u32],
    values: &[T],
    is_valid: Option<impl Fn(usize) -> bool>,
    mut f: impl FnMut(usize, T),
) {
    match is_valid {
        None => {
            for (place, value) in places.iter().zip(values) {
                if *place != NOWHERE {
                    f(*place as usize, *value);
                }
            }
        }
        Some(is_valid) => {
            for (row, (place, value)) in places.iter().zip(values).enumerate() {
                if *place != NOWHERE && is_valid(row) {
                    f(*place as usize, *value);
                }
            }
        }
    }
}

fn each_int(places: &[u32], values: &Int64Chunked, f: impl FnMut(usize, i64)) {
    let array = values.downcast_as_array();
    let valid = array.validity().map(|valid| |row| valid.get_bit(row));
    each_value(places, array.values(), valid, f);
}

fn each_float(places: &[u32], values: &Float64Chunked, f: impl FnMut(usize, f64)) {
    let array = values.downcast_as_array();
    let valid = array.validity().map(|valid| |row| valid.get_bit(row));
    each_value(places, array.values(), valid, f);
}

fn each_text(places: &[u32], values: &StringChunked, mut f: impl FnMut(usize, &str)) {
    for (place, value) in places.iter().zip(values.iter()) {
        if let Some(value) = value.filter(|_| *place != NOWHERE) {
            f(*place as usize, value);
        }
    }
}

/// Calls `f` with every number of a column as an f64.
fn each_number(places: &[u32], values: &Typed, mut f: impl FnMut(usize, f64)) {
    match &values.data {
        Data::Int(values) => each_int(places, values, |place, value| f(place, value as f64)),
        Data::Float(values) => each_float(places, values, f),
        Data::Nothing | Data::Text(_) => {}
    }
}

fn gathered<T: Clone>(values: &[T], places: &[u32]) -> Vec<T> {
    places
        .iter()
        .map(|place| values[*place as usize].clone())
        .collect()
}
