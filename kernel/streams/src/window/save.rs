//! The state of a window query as bytes, and back: what a checkpoint keeps.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::accumulator::Accumulator;
use super::groups::Groups;
use super::keys::Keys;
use super::operator::{Windower, Windows};
use super::typed::{Data, Typed, column_of};
use crate::record::read_dtype;
use crate::{Error, Result};

/// Grows when the form of the bytes changes.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    arrived: u64,
    starts: Vec<i64>,
    ends: Vec<i64>,
    rows: Vec<i64>,
    /// One entry per group and key column.
    keys: Vec<SavedColumn>,
    /// The dtype of each input as text.
    dtypes: Vec<String>,
    columns: Vec<Accumulator>,
}

/// A column of keys in its written form.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedColumn {
    dtype: String,
    values: PlainValues,
}

#[derive(Serialize, Deserialize)]
enum PlainValues {
    Nothing,
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Text(Vec<Option<String>>),
}

impl Windower {
    /// Returns the state as bytes. What the query is does not stand in them.
    ///
    /// # Errors
    /// When a key has a dtype that cannot be written down.
    pub fn save(&self) -> Result<Vec<u8>> {
        let (groups, places) = (&self.groups, self.groups.places());
        let at = |values: &[i64]| places.iter().map(|place| values[*place as usize]).collect();
        let keys: Vec<u32> = places
            .iter()
            .map(|place| groups.keys[*place as usize])
            .collect();
        let keys = self.numbers.columns(&self.keys, &keys)?;
        let columns = groups.columns.accumulators.iter();
        let saved = Saved {
            version: VERSION,
            arrived: self.arrived,
            starts: at(&groups.starts),
            ends: at(&groups.ends),
            rows: at(&groups.rows),
            keys: keys.iter().map(SavedColumn::of).collect::<Result<_>>()?,
            dtypes: groups
                .dtypes
                .iter()
                .map(write_dtype)
                .collect::<Result<_>>()?,
            columns: columns.map(|(column, _)| column.gather(&places)).collect(),
        };
        postcard::to_stdvec(&saved).map_err(|cause| broken(&cause.to_string()))
    }

    /// Takes the state over that [`Windower::save`] wrote for the same query.
    ///
    /// # Errors
    /// When the bytes are of another version or another query.
    pub fn load(&mut self, bytes: &[u8]) -> Result<()> {
        let saved: Saved =
            postcard::from_bytes(bytes).map_err(|cause| broken(&cause.to_string()))?;
        if saved.version != VERSION {
            return Err(broken(&format!("version {}, not {VERSION}", saved.version)));
        }
        let mut groups = Groups::new(&self.aggregates);
        let as_many = saved.columns.len() == groups.columns.accumulators.len()
            && saved.keys.len() == self.keys.len()
            && saved.dtypes.len() == groups.dtypes.len();
        if !as_many {
            return Err(broken("other keys or aggregates than the query has"));
        }
        let dtypes = saved.dtypes.iter().map(|text| dtype_of(text));
        groups.dtypes = dtypes.collect::<Result<_>>()?;
        self.groups = groups;
        self.arrived = saved.arrived;
        let keys: Vec<Column> = saved
            .keys
            .into_iter()
            .zip(&self.keys)
            .map(|(plain, name)| plain.column(name))
            .collect::<Result<_>>()?;
        let keys = self.number(&keys, saved.starts.len())?;
        let groups = &mut self.groups;
        for (index, key) in keys.iter().enumerate() {
            let place = groups.add(saved.starts[index], saved.ends[index], *key);
            groups.rows[place as usize] = saved.rows[index];
        }
        for ((column, _), saved) in groups.columns.accumulators.iter_mut().zip(saved.columns) {
            *column = saved;
        }
        self.index();
        Ok(())
    }

    /// Gives keys that have groups new numbers, and forgets the others.
    pub(super) fn renumber(&mut self) -> Result<()> {
        let places = self.groups.places();
        let numbers: Vec<u32> = places
            .iter()
            .map(|place| self.groups.keys[*place as usize])
            .collect();
        let columns = self.numbers.columns(&self.keys, &numbers)?;
        let keys = self.number(&columns, places.len())?;
        for (place, key) in places.iter().zip(keys) {
            self.groups.keys[*place as usize] = key;
        }
        self.index();
        Ok(())
    }

    /// Numbers the keys of all groups from nothing.
    fn number(&mut self, columns: &[Column], length: usize) -> Result<Vec<u32>> {
        let mut numbers = Keys::new(self.keys.len());
        let typed: Vec<Typed> = columns.iter().map(Typed::of).collect::<Result<_>>()?;
        let keys = numbers.numbers(&typed, length)?;
        self.numbers = numbers;
        self.order.forget();
        Ok(keys)
    }

    /// Finds out anew which group belongs to which window.
    fn index(&mut self) {
        self.windows = Windows::new(self.spec);
        let groups = &self.groups;
        for place in groups.places() {
            let (start, key) = (groups.starts[place as usize], groups.keys[place as usize]);
            match &mut self.windows {
                Windows::Fixed(panes) => panes.restore(start, key, place),
                Windows::Sessions(sessions) => sessions.restore(groups, key, place),
            }
        }
    }
}

impl SavedColumn {
    /// Returns the written form of a column.
    ///
    /// # Errors
    /// When its dtype has none.
    pub fn of(column: &Column) -> Result<SavedColumn> {
        let values = match Typed::of(column)?.data {
            Data::Nothing => PlainValues::Nothing,
            Data::Int(values) => PlainValues::Int(values.iter().collect()),
            Data::Float(values) => PlainValues::Float(values.iter().collect()),
            Data::Text(values) => {
                PlainValues::Text(values.iter().map(|text| text.map(String::from)).collect())
            }
        };
        Ok(SavedColumn {
            dtype: write_dtype(column.dtype())?,
            values,
        })
    }

    /// Returns the column again.
    pub fn column(self, name: &str) -> Result<Column> {
        let (data, length) = match self.values {
            PlainValues::Nothing => (Data::Nothing, 0),
            PlainValues::Int(values) => {
                let length = values.len();
                (Data::Int(values.into_iter().collect()), length)
            }
            PlainValues::Float(values) => {
                let length = values.len();
                (Data::Float(values.into_iter().collect()), length)
            }
            PlainValues::Text(values) => {
                let length = values.len();
                (Data::Text(values.into_iter().collect()), length)
            }
        };
        column_of(name, data, length, &dtype_of(&self.dtype)?)
    }
}

fn write_dtype(dtype: &DataType) -> Result<String> {
    let text = dtype.to_string();
    match read_dtype(&text).as_ref() == Some(dtype) {
        true => Ok(text),
        false => Err(Error::new("a column cannot be kept in a checkpoint")
            .have(format!("dtype {dtype}"))
            .hint("cast it before the window, for instance to DataType::String")),
    }
}

fn dtype_of(text: &str) -> Result<DataType> {
    read_dtype(text).ok_or_else(|| broken(&format!("an unknown dtype, {text}")))
}

fn broken(why: &str) -> Error {
    Error::new("the state in the checkpoint cannot be read")
        .have(why)
        .hint("the program that wrote it, or a new checkpoint folder")
}
