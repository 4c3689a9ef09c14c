//! The least and the greatest value. NaN is greater than any number, as in Spark.

use serde::{Deserialize, Serialize};

use super::{Rows, each_float, each_int, each_text, gathered};
use crate::Result;
use crate::window::typed::{Data, Typed};

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::window) enum Which {
    Least,
    Greatest,
}

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::window) struct Extreme {
    which: Which,
    values: Values,
}

/// The values so far; where a group has none, the worst there is (its count says so).
#[derive(Clone, Serialize, Deserialize)]
enum Values {
    Unknown(usize),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Text(Vec<Option<Box<str>>>),
}

impl Extreme {
    pub fn new(which: Which) -> Extreme {
        Extreme {
            which,
            values: Values::Unknown(0),
        }
    }

    /// Returns the values at these places, null where `is_null` says that there is none.
    pub fn data(&self, places: &[u32], is_null: impl Fn(u32) -> bool) -> Data {
        let places = places
            .iter()
            .map(|place| (!is_null(*place)).then_some(*place as usize));
        match &self.values {
            Values::Unknown(_) => Data::Nothing,
            Values::Int(values) => Data::Int(places.map(|place| Some(values[place?])).collect()),
            Values::Float(values) => {
                Data::Float(places.map(|place| Some(values[place?])).collect())
            }
            Values::Text(values) => {
                Data::Text(places.map(|place| values[place?].as_deref()).collect())
            }
        }
    }

    pub fn grow(&mut self) {
        let (int, float) = worst(self.which);
        match &mut self.values {
            Values::Unknown(length) => *length += 1,
            Values::Int(values) => values.push(int),
            Values::Float(values) => values.push(float),
            Values::Text(values) => values.push(None),
        }
    }

    pub fn reset(&mut self, place: usize) {
        let (int, float) = worst(self.which);
        match &mut self.values {
            Values::Unknown(_) => {}
            Values::Int(values) => values[place] = int,
            Values::Float(values) => values[place] = float,
            Values::Text(values) => values[place] = None,
        }
    }

    pub fn merge(&mut self, from: usize, to: usize) -> Result<()> {
        let which = self.which;
        match &mut self.values {
            Values::Unknown(_) => {}
            Values::Int(values) => better_int(which, values[from], &mut values[to]),
            Values::Float(values) => better_float(which, values[from], &mut values[to]),
            Values::Text(values) => {
                if let Some(text) = values[from].clone() {
                    better_text(which, &text, &mut values[to]);
                }
            }
        }
        Ok(())
    }

    pub fn take(&mut self, rows: &Rows<'_>, values: &Typed) -> Result<()> {
        self.widen(&values.data);
        let which = self.which;
        match (&mut self.values, &values.data) {
            (Values::Int(best), Data::Int(values)) => match which {
                Which::Least => each_int(rows.places, values, |place, value| {
                    best[place] = best[place].min(value);
                }),
                Which::Greatest => each_int(rows.places, values, |place, value| {
                    best[place] = best[place].max(value);
                }),
            },
            (Values::Float(best), Data::Float(values)) => match which {
                Which::Least => each_float(rows.places, values, |place, value| {
                    better_float(Which::Least, value, &mut best[place]);
                }),
                Which::Greatest => each_float(rows.places, values, |place, value| {
                    better_float(Which::Greatest, value, &mut best[place]);
                }),
            },
            (Values::Float(best), Data::Int(values)) => {
                each_int(rows.places, values, |place, value| {
                    better_float(which, value as f64, &mut best[place]);
                });
            }
            (Values::Text(best), Data::Text(values)) => {
                each_text(rows.places, values, |place, value| {
                    better_text(which, value, &mut best[place]);
                });
            }
            _ => {}
        }
        Ok(())
    }

    pub fn gather(&self, places: &[u32]) -> Extreme {
        let values = match &self.values {
            Values::Unknown(_) => Values::Unknown(places.len()),
            Values::Int(values) => Values::Int(gathered(values, places)),
            Values::Float(values) => Values::Float(gathered(values, places)),
            Values::Text(values) => Values::Text(gathered(values, places)),
        };
        Extreme {
            which: self.which,
            values,
        }
    }

    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::Unknown(_) => 0,
            Values::Int(values) => values.len() * 8,
            Values::Float(values) => values.len() * 8,
            Values::Text(values) => values
                .iter()
                .map(|text| 16 + text.as_ref().map_or(0, |text| text.len()))
                .sum(),
        }
    }

    fn widen(&mut self, data: &Data) {
        let (int, float) = worst(self.which);
        let values = std::mem::replace(&mut self.values, Values::Unknown(0));
        self.values = match (values, data) {
            (Values::Unknown(length), Data::Int(_)) => Values::Int(vec![int; length]),
            (Values::Unknown(length), Data::Float(_)) => Values::Float(vec![float; length]),
            (Values::Unknown(length), Data::Text(_)) => Values::Text(vec![None; length]),
            (Values::Int(values), Data::Float(_)) => Values::Float(
                values
                    .into_iter()
                    .map(|value| if value == int { float } else { value as f64 })
                    .collect(),
            ),
            (values, _) => values,
        };
    }
}

/// Returns what any value is at least as good as.
fn worst(which: Which) -> (i64, f64) {
    match which {
        Which::Least => (i64::MAX, f64::NAN),
        Which::Greatest => (i64::MIN, f64::NEG_INFINITY),
    }
}

fn better_int(which: Which, value: i64, best: &mut i64) {
    *best = match which {
        Which::Least => value.min(*best),
        Which::Greatest => value.max(*best),
    };
}

#[inline]
fn better_float(which: Which, value: f64, best: &mut f64) {
    let is_better = match which {
        Which::Least => value < *best || best.is_nan(),
        Which::Greatest => value > *best || value.is_nan(),
    };
    if is_better {
        *best = value;
    }
}

fn better_text(which: Which, value: &str, best: &mut Option<Box<str>>) {
    let is_better = match (which, best.as_deref()) {
        (_, None) => true,
        (Which::Least, Some(best)) => value < best,
        (Which::Greatest, Some(best)) => value > best,
    };
    if is_better {
        *best = Some(value.into());
    }
}
