//! One aggregate of a query: which columns of the state it keeps, and what comes out of them.

use polars::prelude::*;

use super::accumulator::{
    Accumulator, Count, Distinct, Edge, Extreme, FloatSum, Moments, Quantiles, Side, Sketches, Sum,
    Which,
};
use super::scalar::Scalar;
use super::typed::{Data, Typed, column_of};
use crate::{Error, Result};

/// What is computed, of which input.
#[derive(Clone, PartialEq)]
pub(super) struct Measure {
    pub kind: Kind,
    /// Which of the inputs; nothing where rows are counted.
    pub input: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Rows,
    Count,
    Sum,
    Mean,
    Least,
    Greatest,
    /// With the degrees of freedom that are taken off the count.
    Variance(u8),
    Deviation(u8),
    /// Whether nulls count as values.
    First(bool),
    Last(bool),
    Distinct,
    CountDistinct,
    ApproxDistinct,
    Quantile(f64),
}

/// Where in the state a measure keeps what it needs.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    main: usize,
    count: usize,
    /// The column's own sum, where a mean may lean on it.
    sum: Option<usize>,
}

/// The columns of the state: each with the input that it takes in.
#[derive(Clone, Default)]
pub(super) struct Columns {
    pub accumulators: Vec<(Accumulator, usize)>,
    kinds: Vec<(&'static str, usize)>,
}

impl Kind {
    /// Returns whether the aggregate is one of numbers.
    pub fn needs_numbers(self) -> bool {
        use Kind::{Deviation, Mean, Quantile, Sum, Variance};
        matches!(self, Sum | Mean | Variance(_) | Deviation(_) | Quantile(_))
    }

    /// Returns what people call it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Sum => "sum",
            Kind::Mean => "mean",
            Kind::Variance(_) => "variance",
            Kind::Deviation(_) => "standard deviation",
            Kind::Quantile(_) => "quantile",
            Kind::Least => "least value",
            Kind::Greatest => "greatest value",
            Kind::First(_) => "first value",
            Kind::Last(_) => "last value",
            Kind::Distinct => "set of distinct values",
            Kind::CountDistinct | Kind::ApproxDistinct => "number of distinct values",
            Kind::Rows | Kind::Count => "count",
        }
    }
}

impl Columns {
    /// Adds what a measure needs, unless it is there.
    pub fn add(&mut self, measure: &Measure) -> Kept {
        let Some(input) = measure.input else {
            return Kept {
                main: 0,
                count: 0,
                sum: None,
            };
        };
        let mut add = |kind, accumulator: Accumulator| {
            let found = self.kinds.iter().position(|there| *there == (kind, input));
            found.unwrap_or_else(|| {
                self.kinds.push((kind, input));
                self.accumulators.push((accumulator, input));
                self.kinds.len() - 1
            })
        };
        let extreme = |which| Accumulator::Extreme(Extreme::new(which));
        let edge = |side, with_nulls| Accumulator::Edge(Edge::new(side, with_nulls));
        let count = match measure.kind {
            Kind::Count | Kind::Sum | Kind::Mean | Kind::Least | Kind::Greatest => {
                add("count", Accumulator::Count(Count::default()))
            }
            _ => 0,
        };
        let main = match measure.kind {
            Kind::Rows | Kind::Count => count,
            Kind::Sum => add("sum", Accumulator::Sum(Sum::Int(Vec::new()))),
            Kind::Mean => add("float sum", Accumulator::FloatSum(FloatSum::new())),
            Kind::Least => add("least", extreme(Which::Least)),
            Kind::Greatest => add("greatest", extreme(Which::Greatest)),
            Kind::Variance(_) | Kind::Deviation(_) => {
                add("moments", Accumulator::Moments(Moments::default()))
            }
            Kind::First(true) => add("first", edge(Side::First, true)),
            Kind::First(false) => add("first not null", edge(Side::First, false)),
            Kind::Last(true) => add("last", edge(Side::Last, true)),
            Kind::Last(false) => add("last not null", edge(Side::Last, false)),
            Kind::Distinct | Kind::CountDistinct => {
                add("distinct", Accumulator::Distinct(Distinct::default()))
            }
            Kind::ApproxDistinct => add("sketch", Accumulator::Sketches(Sketches::default())),
            Kind::Quantile(_) => add("quantiles", Accumulator::Quantiles(Quantiles::default())),
        };
        Kept {
            main,
            count,
            sum: None,
        }
    }

    /// Returns the place of the sum of the same input, for a mean.
    pub fn with_sum(&self, kept: Kept, measure: &Measure) -> Kept {
        let sum = self
            .kinds
            .iter()
            .position(|(kind, input)| *kind == "sum" && Some(*input) == measure.input);
        Kept { sum, ..kept }
    }

    /// Lets means lean on the sums of float columns that have just been seen for the first time.
    pub fn unify(&mut self, input: usize) {
        let place = |wanted: &str| {
            let at = |(kind, of): &(&str, usize)| *kind == wanted && *of == input;
            self.kinds.iter().position(at)
        };
        let (Some(sum), Some(mean)) = (place("sum"), place("float sum")) else {
            return;
        };
        if let Accumulator::Sum(sum) = &mut self.accumulators[sum].0 {
            sum.start_as_float();
        }
        if let Accumulator::FloatSum(mean) = &mut self.accumulators[mean].0 {
            mean.lean_on_sum();
        }
    }
}

impl Measure {
    /// Returns the result at these places as a column. `rows` are the counts of rows, `dtype` is
    /// that of the input.
    pub fn column(
        &self,
        name: &str,
        kept: Kept,
        columns: &Columns,
        rows: &[i64],
        places: &[u32],
        dtype: &DataType,
    ) -> Result<Column> {
        let each = places.iter().copied();
        let ints = |values: Int64Chunked| Ok(values.with_name(name.into()).into_series().into());
        let floats =
            |values: Float64Chunked| Ok(values.with_name(name.into()).into_series().into());
        if self.kind == Kind::Rows {
            return ints(each.map(|place| Some(rows[place as usize])).collect());
        }
        let count_at = |place| match &columns.accumulators[kept.count].0 {
            Accumulator::Count(count) => count.at(place, rows),
            _ => rows[place as usize],
        };
        match &columns.accumulators[kept.main].0 {
            Accumulator::Count(_) => ints(each.map(|place| Some(count_at(place))).collect()),
            Accumulator::Sum(Sum::Int(sums)) => {
                let sum = |place: u32| (count_at(place) > 0).then(|| sums[place as usize]);
                let sums: Int64Chunked = each.map(sum).collect();
                let dtype = match dtype.is_duration() {
                    true => dtype,
                    false => &DataType::Int64,
                };
                column_of(name, Data::Int(sums), places.len(), dtype)
            }
            Accumulator::Sum(Sum::Float(sums)) => floats(
                each.map(|place| (count_at(place) > 0).then(|| sums[place as usize]))
                    .collect(),
            ),
            Accumulator::FloatSum(sums) => {
                let own = kept.sum.map(|sum| &columns.accumulators[sum].0);
                let own = match own {
                    Some(Accumulator::Sum(sum)) => Some(sum),
                    _ => None,
                };
                let mean = |place| match count_at(place) {
                    0 => None,
                    count => Some(sums.at(place, own) / count as f64),
                };
                floats(each.map(mean).collect())
            }
            Accumulator::Extreme(extreme) => {
                let data = extreme.data(places, |place| count_at(place) == 0);
                column_of(name, data, places.len(), dtype)
            }
            Accumulator::Moments(moments) => match self.kind {
                Kind::Deviation(ddof) => {
                    let deviation = |place| moments.variance(place, ddof).map(f64::sqrt);
                    floats(each.map(deviation).collect())
                }
                Kind::Variance(ddof) => {
                    floats(each.map(|place| moments.variance(place, ddof)).collect())
                }
                _ => unreachable!("only variance and deviation keep moments"),
            },
            Accumulator::Edge(edge) => {
                let data = data_of(each.map(|place| edge.at(place)), dtype);
                column_of(name, data, places.len(), dtype)
            }
            Accumulator::Distinct(sets) if self.kind == Kind::CountDistinct => ints(
                each.map(|place| Some(sets.0[place as usize].len() as i64))
                    .collect(),
            ),
            Accumulator::Distinct(sets) => {
                let inner = match dtype {
                    DataType::Null => DataType::Null,
                    dtype => dtype.clone(),
                };
                if places.is_empty() {
                    return Ok(Column::new_empty(
                        name.into(),
                        &DataType::List(inner.into()),
                    ));
                }
                let list = |place: u32| {
                    let set = &sets.0[place as usize];
                    let data = data_of(set.iter().map(Some), &inner);
                    let column = column_of("", data, set.len(), &inner)?;
                    Ok(column.take_materialized_series())
                };
                let lists = each.map(list).collect::<Result<Vec<Series>>>()?;
                Ok(Series::new(name.into(), lists).into())
            }
            Accumulator::Sketches(sketches) => {
                ints(each.map(|place| Some(sketches.estimate(place))).collect())
            }
            Accumulator::Quantiles(sketches) => {
                let Kind::Quantile(q) = self.kind else {
                    unreachable!("only quantiles keep such sketches")
                };
                floats(each.map(|place| sketches.quantile(place, q)).collect())
            }
        }
    }
}

/// Puts single values into a column's physical form.
fn data_of<'a>(values: impl Iterator<Item = Option<&'a Scalar>>, dtype: &DataType) -> Data {
    let int = |value: &Scalar| match value {
        Scalar::Int(value) => Some(*value),
        _ => None,
    };
    let float = |value: &Scalar| match value {
        Scalar::Float(value) => Some(*value),
        Scalar::Int(value) => Some(*value as f64),
        Scalar::Text(_) => None,
    };
    fn text(value: &Scalar) -> Option<&str> {
        match value {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }
    match dtype {
        DataType::Null => Data::Nothing,
        DataType::String => Data::Text(values.map(|value| text(value?)).collect()),
        dtype if dtype.is_float() => Data::Float(values.map(|value| float(value?)).collect()),
        _ => Data::Int(values.map(|value| int(value?)).collect()),
    }
}

/// Says that there is no such aggregate of a column of this dtype.
pub(super) fn no_such(kind: Kind, input: &Expr, dtype: &DataType) -> Error {
    Error::new(format!("there is no {} of {input:?}", kind.word()))
        .have(format!("dtype {dtype}"))
        .hint("count(), min() or max(), or a column of numbers")
}

/// Returns whether a column of this dtype can be aggregated so.
pub(super) fn is_possible(kind: Kind, dtype: &DataType) -> bool {
    let number = dtype.is_integer() || dtype.is_float() || dtype.is_bool();
    match kind {
        Kind::Rows | Kind::Count => true,
        Kind::Sum => number || dtype.is_duration() || *dtype == DataType::Null,
        kind if kind.needs_numbers() => number || *dtype == DataType::Null,
        _ => Typed::is_possible(dtype),
    }
}
