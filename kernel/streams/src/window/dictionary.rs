//! The distinct values of one key column, each with a number.

use std::cmp::Ordering;

use hashbrown::{HashMap, HashTable};
use polars::prelude::*;

use super::typed::{Data, Typed, column_of, common_dtype};
use crate::Result;

type Map<K> = HashMap<K, u32, foldhash::fast::FixedState>;

/// Gives every distinct value a number, in the order of their first appearance; null has one too.
#[derive(Clone)]
pub(super) struct Dictionary {
    pub dtype: DataType,
    null: Option<u32>,
    values: Values,
}

/// The value at a number; a placeholder where the number is that of null.
#[derive(Clone)]
enum Values {
    /// Nothing but null so far.
    Unknown(u32),
    Int(Vec<i64>, Map<i64>),
    /// Floats by their bits: -0.0 is 0.0 and every NaN is one key, as in Spark.
    Float(Vec<f64>, Map<u64>),
    Text(Texts),
}

/// Texts of up to twelve bytes are found by the word that Arrow keeps them in.
#[derive(Clone, Default)]
struct Texts {
    values: Vec<Box<str>>,
    short: Map<u128>,
    long: HashTable<u32>,
}

impl Dictionary {
    pub fn new() -> Dictionary {
        Dictionary {
            dtype: DataType::Null,
            null: None,
            values: Values::Unknown(0),
        }
    }

    pub fn len(&self) -> usize {
        match &self.values {
            Values::Unknown(length) => *length as usize,
            Values::Int(values, _) => values.len(),
            Values::Float(values, _) => values.len(),
            Values::Text(texts) => texts.values.len(),
        }
    }

    /// Returns the number of every value of a column; new values get the next ones.
    pub fn numbers(&mut self, column: &Typed) -> Result<Vec<u32>> {
        let dtype = common_dtype(&self.dtype, &column.dtype)?;
        self.widen(&dtype);
        self.dtype = dtype;
        Ok(match (&column.data, &mut self.values) {
            (Data::Nothing, _) => {
                unreachable!("a column without a dtype is looked at by its length")
            }
            (Data::Int(ints), Values::Int(values, map)) => {
                let mut numbers = Vec::with_capacity(ints.len());
                for value in ints.iter() {
                    numbers.push(match value {
                        Some(value) => *map.entry(value).or_insert_with(|| push(values, value)),
                        None => *self.null.get_or_insert_with(|| push(values, 0)),
                    });
                }
                numbers
            }
            // Whole numbers after floats: the dictionary stays one of floats.
            (Data::Int(ints), Values::Float(values, map)) => {
                let floats = ints.iter().map(|value| value.map(|value| value as f64));
                number_floats(floats, values, map, &mut self.null)
            }
            (Data::Float(floats), Values::Float(values, map)) => {
                number_floats(floats.iter(), values, map, &mut self.null)
            }
            (Data::Text(column), Values::Text(texts)) => {
                let array = column.downcast_as_array();
                let mut numbers = Vec::with_capacity(column.len());
                if column.null_count() == 0 {
                    for (row, view) in array.views().iter().enumerate() {
                        numbers.push(match view.is_inline() {
                            true => texts.short(view.as_u128(), || array.value(row)),
                            false => texts.long(array.value(row)),
                        });
                    }
                } else {
                    for (row, value) in array.iter().enumerate() {
                        numbers.push(match value {
                            None => *self
                                .null
                                .get_or_insert_with(|| push(&mut texts.values, "".into())),
                            Some(_) if array.views()[row].is_inline() => {
                                texts.short(array.views()[row].as_u128(), || array.value(row))
                            }
                            Some(value) => texts.long(value),
                        });
                    }
                }
                numbers
            }
            _ => unreachable!("the dictionary was widened to the column's dtype"),
        })
    }

    /// Returns the number of null, `length` times.
    pub fn nulls(&mut self, length: usize) -> Vec<u32> {
        let next = self.len() as u32;
        if self.null.is_none() {
            self.null = Some(next);
            match &mut self.values {
                Values::Unknown(length) => *length += 1,
                Values::Int(values, _) => values.push(0),
                Values::Float(values, _) => values.push(0.0),
                Values::Text(texts) => texts.values.push("".into()),
            }
        }
        vec![self.null.unwrap_or(next); length]
    }

    /// Returns the values of these numbers as a column.
    pub fn column(&self, name: &str, numbers: &[u32]) -> Result<Column> {
        let known = |number: &u32| Some(*number) != self.null;
        let data = match &self.values {
            Values::Unknown(_) => Data::Nothing,
            Values::Int(values, _) => Data::Int(
                numbers
                    .iter()
                    .map(|number| known(number).then(|| values[*number as usize]))
                    .collect(),
            ),
            Values::Float(values, _) => Data::Float(
                numbers
                    .iter()
                    .map(|number| known(number).then(|| values[*number as usize]))
                    .collect(),
            ),
            Values::Text(texts) => Data::Text(
                numbers
                    .iter()
                    .map(|number| known(number).then(|| &*texts.values[*number as usize]))
                    .collect(),
            ),
        };
        column_of(name, data, numbers.len(), &self.dtype)
    }

    /// Orders two numbers by their values, null first and NaN last.
    pub fn order(&self, a: u32, b: u32) -> Ordering {
        let is_null = |number: u32| Some(number) == self.null;
        if a == b || is_null(a) || is_null(b) {
            return is_null(b).cmp(&is_null(a)).then(Ordering::Equal);
        }
        let (a, b) = (a as usize, b as usize);
        match &self.values {
            Values::Unknown(_) => Ordering::Equal,
            Values::Int(values, _) => values[a].cmp(&values[b]),
            Values::Float(values, _) => values[a].total_cmp(&values[b]),
            Values::Text(texts) => texts.values[a].cmp(&texts.values[b]),
        }
    }

    /// Returns about how many bytes it takes.
    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::Unknown(_) => 0,
            Values::Int(values, _) => values.len() * 24,
            Values::Float(values, _) => values.len() * 24,
            Values::Text(texts) => texts.values.iter().map(|text| text.len() + 40).sum(),
        }
    }

    fn widen(&mut self, dtype: &DataType) {
        let values = std::mem::replace(&mut self.values, Values::Unknown(0));
        self.values = match values {
            Values::Unknown(length) => match dtype {
                DataType::Null => Values::Unknown(length),
                DataType::String => Values::Text(Texts {
                    values: vec!["".into(); length as usize],
                    ..Texts::default()
                }),
                dtype if dtype.is_float() => {
                    Values::Float(vec![0.0; length as usize], Map::default())
                }
                _ => Values::Int(vec![0; length as usize], Map::default()),
            },
            Values::Int(ints, _) if dtype.is_float() => {
                let floats: Vec<f64> = ints.iter().map(|value| *value as f64).collect();
                let mut map = Map::default();
                for (number, value) in (0..).zip(&floats) {
                    if Some(number) != self.null {
                        map.insert(bits(*value), number);
                    }
                }
                Values::Float(floats, map)
            }
            values => values,
        };
    }
}

impl Texts {
    fn short<'a>(&mut self, word: u128, text: impl FnOnce() -> &'a str) -> u32 {
        *self
            .short
            .entry(word)
            .or_insert_with(|| push(&mut self.values, text().into()))
    }

    fn long(&mut self, text: &str) -> u32 {
        let hash = |text: &str| {
            use std::hash::BuildHasher;
            foldhash::fast::FixedState::default().hash_one(text)
        };
        let Texts { values, long, .. } = self;
        let found = long.find(hash(text), |number| &*values[*number as usize] == text);
        if let Some(number) = found {
            return *number;
        }
        let number = push(values, text.into());
        long.insert_unique(hash(text), number, |number| hash(&values[*number as usize]));
        number
    }
}

fn number_floats(
    floats: impl Iterator<Item = Option<f64>>,
    values: &mut Vec<f64>,
    map: &mut Map<u64>,
    null: &mut Option<u32>,
) -> Vec<u32> {
    let number = |value| match value {
        Some(value) => *map
            .entry(bits(value))
            .or_insert_with(|| push(values, f64::from_bits(bits(value)))),
        None => *null.get_or_insert_with(|| push(values, 0.0)),
    };
    floats.map(number).collect()
}

fn bits(value: f64) -> u64 {
    match value {
        value if value.is_nan() => f64::NAN.to_bits(),
        0.0 => 0,
        value => value.to_bits(),
    }
}

fn push<T>(values: &mut Vec<T>, value: T) -> u32 {
    values.push(value);
    u32::try_from(values.len() - 1).expect("fewer than four thousand million keys are in the state")
}
