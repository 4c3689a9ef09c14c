//! Takes the expressions of `.agg([..])` apart: what is kept per group, and arithmetic on it.
//!
//! `(col("late").sum() / len() * lit(100.0)).alias("late_percent")` keeps a sum and a count of rows;
//! the quotient is computed where a result is given out.

use polars::prelude::*;

use super::measure::{Columns, Kept, Kind, Measure, is_possible, no_such};
use crate::{Error, Result};

const POSSIBLE: &str = "len(), and count(), sum(), min(), max(), mean(), var(), std(), first(), last(), n_unique() of a column or of an expression over one row; collect_distinct, approx_distinct and approx_quantile of a column; arithmetic on these";

/// Marks of the helpers below inside an expression of Polars.
pub(super) const DISTINCT: &str = "__distinct";
pub(super) const APPROX: &str = "__approx";
pub(super) const QUANTILE: &str = "__quantile=";

/// Returns the distinct values of a column that are not null, as a sorted list.
///
/// The list holds every value: its size is the number of distinct values of a window and key.
pub fn collect_distinct(column: &str) -> Expr {
    col(column).alias(DISTINCT).implode(false).alias(column)
}

/// Returns about how many distinct values a column has (i64; nulls are not counted).
///
/// A HyperLogLog sketch of 4,096 registers: the standard error is 1.6 %, the size at most 4 KB a
/// window and key. `col("user").n_unique()` is exact and keeps every value.
pub fn approx_distinct(column: &str) -> Expr {
    col(column).alias(APPROX).n_unique().alias(column)
}

/// Returns the quantile `q` (0 to 1) of a column as f64; null where no value is.
///
/// A DDSketch: the answer is within 1 % of a value that is truly at that rank. NaN is left out.
pub fn approx_quantile(column: &str, q: f64) -> Expr {
    col(column)
        .alias(format!("{QUANTILE}{q}"))
        .median()
        .alias(column)
}

/// What a query computes for each window and key.
#[derive(Clone)]
pub(crate) struct Aggregates {
    pub(super) measures: Vec<Measure>,
    /// What is aggregated: columns, or expressions over one row.
    pub(super) inputs: Vec<Expr>,
    /// What comes out, written in terms of the measures.
    pub(super) outputs: Vec<Output>,
    names: Vec<PlSmallStr>,
}

/// One column of the result.
#[derive(Clone)]
pub(super) enum Output {
    /// A measure as it is.
    Plain(usize),
    /// Arithmetic on measures, each a column of the name that [`measure_name`] gives.
    Computed(Expr),
}

impl Aggregates {
    /// Takes the expressions of `.agg([..])` apart.
    ///
    /// # Errors
    /// When one of them is no aggregate, cannot be merged, or has a name that is taken.
    pub fn new(exprs: &[Expr], keys: &[String]) -> Result<Aggregates> {
        let mut aggregates = Aggregates {
            measures: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            names: Vec::new(),
        };
        if exprs.is_empty() {
            return Err(Error::new("nothing to compute")
                .have(".agg([])")
                .hint(".agg([len().alias(\"events\")])"));
        }
        for expr in exprs {
            let name = output_name(expr);
            let taken = ["window_start", "window_end"].contains(&name.as_str())
                || keys.iter().any(|key| *key == name);
            if taken || aggregates.names.contains(&name) {
                return Err(Error::new(format!(
                    "two columns of the result would be called `{name}`"
                ))
                .have(format!("{expr:?}"))
                .hint(format!(".alias(\"{name}_2\") behind one of them")));
            }
            let body = match expr {
                Expr::Alias(body, _) => body.as_ref().clone(),
                body => body.clone(),
            };
            let output = aggregates.rewrite(body, expr)?;
            let plain = (0..aggregates.measures.len())
                .find(|measure| output == col(measure_name(*measure)));
            aggregates.outputs.push(match plain {
                Some(measure) => Output::Plain(measure),
                None => Output::Computed(output.alias(name.clone())),
            });
            aggregates.names.push(name);
        }
        Ok(aggregates)
    }

    /// Returns the names of the result's columns behind the keys.
    pub fn names(&self) -> &[PlSmallStr] {
        &self.names
    }

    /// Returns the columns that the aggregates read.
    pub fn columns(&self) -> Vec<PlSmallStr> {
        let mut columns: Vec<PlSmallStr> = self
            .inputs
            .iter()
            .flat_map(|input| input.into_iter().filter_map(column_name))
            .collect();
        columns.sort();
        columns.dedup();
        columns
    }

    /// Returns the columns of an empty state, and where each measure is kept in them.
    pub(super) fn state(&self) -> (Columns, Vec<Kept>) {
        let mut columns = Columns::default();
        let kept: Vec<Kept> = self
            .measures
            .iter()
            .map(|measure| columns.add(measure))
            .collect();
        let with_sum = |(kept, measure)| columns.with_sum(kept, measure);
        let kept = kept.into_iter().zip(&self.measures).map(with_sum).collect();
        (columns, kept)
    }

    /// Returns the inputs as columns of a batch, in order.
    pub(super) fn input_columns(&self, rows: &DataFrame) -> Result<Vec<Column>> {
        let name = |input: usize| PlSmallStr::from(format!("__i{input}"));
        let computed: Vec<Expr> = self
            .inputs
            .iter()
            .enumerate()
            .filter(|(_, input)| !matches!(input, Expr::Column(_)))
            .map(|(index, input)| input.clone().alias(name(index)))
            .collect();
        let frame = match computed.is_empty() {
            true => rows.clone(),
            false => rows.clone().lazy().with_columns(computed).collect()?,
        };
        let column = |(index, input): (usize, &Expr)| match input {
            Expr::Column(column) => Ok(frame.column(column)?.clone()),
            _ => Ok(frame.column(&name(index))?.clone()),
        };
        self.inputs.iter().enumerate().map(column).collect()
    }

    /// Says which aggregate is impossible for the dtypes of these rows.
    pub fn check_types(&self, rows: &DataFrame) -> Result<()> {
        let dtypes: Vec<DataType> = self
            .input_columns(&rows.clear())?
            .iter()
            .map(|column| column.dtype().clone())
            .collect();
        self.check_dtypes(&dtypes)
    }

    pub(super) fn check_dtypes(&self, dtypes: &[DataType]) -> Result<()> {
        for measure in &self.measures {
            let Some(input) = measure.input else { continue };
            if !is_possible(measure.kind, &dtypes[input]) {
                return Err(no_such(measure.kind, &self.inputs[input], &dtypes[input]));
            }
        }
        Ok(())
    }

    fn rewrite(&mut self, body: Expr, whole: &Expr) -> Result<Expr> {
        match body {
            Expr::Len => Ok(self.measure(Kind::Rows, None)),
            Expr::Agg(aggregate) => self.rewrite_aggregate(aggregate, whole),
            Expr::Literal(_) => Ok(body),
            Expr::Alias(inner, _) => self.rewrite(Arc::unwrap_or_clone(inner), whole),
            Expr::BinaryExpr { left, op, right } => {
                let left = self.rewrite(Arc::unwrap_or_clone(left), whole)?;
                let right = self.rewrite(Arc::unwrap_or_clone(right), whole)?;
                Ok(Expr::BinaryExpr {
                    left: left.into(),
                    op,
                    right: right.into(),
                })
            }
            Expr::Cast {
                expr,
                dtype,
                options,
            } => {
                let expr = self.rewrite(Arc::unwrap_or_clone(expr), whole)?;
                Ok(Expr::Cast {
                    expr: expr.into(),
                    dtype,
                    options,
                })
            }
            Expr::Function { input, function } if is_row_function(&function.to_string()) => {
                let input = input
                    .into_iter()
                    .map(|input| self.rewrite(input, whole))
                    .collect::<Result<Vec<_>>>()?;
                Ok(Expr::Function { input, function })
            }
            Expr::Ternary {
                predicate,
                truthy,
                falsy,
            } => {
                let predicate = self.rewrite(Arc::unwrap_or_clone(predicate), whole)?;
                let truthy = self.rewrite(Arc::unwrap_or_clone(truthy), whole)?;
                let falsy = self.rewrite(Arc::unwrap_or_clone(falsy), whole)?;
                Ok(Expr::Ternary {
                    predicate: predicate.into(),
                    truthy: truthy.into(),
                    falsy: falsy.into(),
                })
            }
            Expr::Column(name) => Err(Error::new(format!(
                "`{name}` has many values in a window, and the result has room for one"
            ))
            .have(format!("{whole:?}"))
            .hint(format!("col(\"{name}\").mean(), or another of: {POSSIBLE}"))),
            _ => Err(impossible(whole)),
        }
    }

    fn rewrite_aggregate(&mut self, aggregate: AggExpr, whole: &Expr) -> Result<Expr> {
        let (kind, input) = match aggregate {
            AggExpr::Count {
                input,
                include_nulls: false,
            } => (Kind::Count, input),
            AggExpr::Count { input, .. } => return self.rows_of(&input, whole),
            AggExpr::Min { input, .. } => (Kind::Least, input),
            AggExpr::Max { input, .. } => (Kind::Greatest, input),
            AggExpr::Sum(input) => (Kind::Sum, input),
            AggExpr::Mean(input) => (Kind::Mean, input),
            AggExpr::Var(input, ddof) => (Kind::Variance(ddof), input),
            AggExpr::Std(input, ddof) => (Kind::Deviation(ddof), input),
            AggExpr::First(input) => (Kind::First(true), input),
            AggExpr::FirstNonNull(input) => (Kind::First(false), input),
            AggExpr::Last(input) => (Kind::Last(true), input),
            AggExpr::LastNonNull(input) => (Kind::Last(false), input),
            AggExpr::Median(input) => match marked(&input, QUANTILE) {
                Some((column, q)) => {
                    let q: f64 = q.parse().unwrap_or(f64::NAN);
                    if !(0.0..=1.0).contains(&q) {
                        return Err(Error::new("a quantile lies between 0 and 1")
                            .have(format!("{q}"))
                            .hint("approx_quantile(\"x\", 0.99)"));
                    }
                    (Kind::Quantile(q), column)
                }
                None => {
                    return Err(Error::new("an exact median needs every value of a window")
                        .have(format!("{whole:?}"))
                        .hint("approx_quantile(\"x\", 0.5), within 1 % of it"));
                }
            },
            AggExpr::NUnique(input) => match marked(&input, APPROX) {
                Some((column, _)) => (Kind::ApproxDistinct, column),
                None => (Kind::CountDistinct, input),
            },
            AggExpr::Implode { input, .. } => match marked(&input, DISTINCT) {
                Some((column, _)) => (Kind::Distinct, column),
                None => return Err(impossible(whole)),
            },
            _ => return Err(impossible(whole)),
        };
        let input = self.input(&input, kind, whole)?;
        Ok(self.measure(kind, Some(input)))
    }

    /// Counts rows, or those that a filter keeps.
    fn rows_of(&mut self, input: &Expr, whole: &Expr) -> Result<Expr> {
        let Expr::Filter { by, .. } = input else {
            return match is_row_expression(input) {
                true => Ok(self.measure(Kind::Rows, None)),
                false => Err(impossible(whole)),
            };
        };
        let kept = when(by.as_ref().clone())
            .then(lit(1i64))
            .otherwise(lit(NULL));
        let input = self.input(&kept, Kind::Count, whole)?;
        Ok(self.measure(Kind::Count, Some(input)))
    }

    /// Returns the number of an input; equal ones are computed once.
    ///
    /// A filter becomes a null, which every aggregate but first and last leaves out.
    fn input(&mut self, input: &Expr, kind: Kind, whole: &Expr) -> Result<usize> {
        let wanted = match input {
            Expr::Filter { input, by } if !matches!(kind, Kind::First(true) | Kind::Last(true)) => {
                when(by.as_ref().clone())
                    .then(input.as_ref().clone())
                    .otherwise(lit(NULL))
            }
            input => input.clone(),
        };
        if !is_row_expression(&wanted) {
            return Err(impossible(whole));
        }
        let found = self.inputs.iter().position(|input| *input == wanted);
        Ok(found.unwrap_or_else(|| {
            self.inputs.push(wanted);
            self.inputs.len() - 1
        }))
    }

    /// Returns the column of a measure; equal ones are kept once.
    fn measure(&mut self, kind: Kind, input: Option<usize>) -> Expr {
        let wanted = Measure { kind, input };
        let found = self.measures.iter().position(|measure| *measure == wanted);
        let index = found.unwrap_or_else(|| {
            self.measures.push(wanted);
            self.measures.len() - 1
        });
        col(measure_name(index))
    }
}

/// Returns the column below a mark of ours, and what stands behind the mark.
pub(super) fn marked(input: &Expr, mark: &str) -> Option<(Arc<Expr>, String)> {
    let Expr::Alias(column, name) = input else {
        return None;
    };
    let rest = name.strip_prefix(mark)?;
    Some((column.clone(), rest.to_owned()))
}

fn impossible(whole: &Expr) -> Error {
    Error::new("this aggregate cannot be continued from batch to batch")
        .have(format!("{whole:?}"))
        .hint(POSSIBLE)
}

/// Names the column of a measure inside arithmetic.
pub(super) fn measure_name(index: usize) -> PlSmallStr {
    format!("__m{index}").into()
}

fn column_name(expr: &Expr) -> Option<PlSmallStr> {
    match expr {
        Expr::Column(name) => Some(name.clone()),
        _ => None,
    }
}

/// Returns Polars' name for an expression: its alias, or its leftmost column.
pub(crate) fn output_name(expr: &Expr) -> PlSmallStr {
    match expr {
        Expr::Alias(_, name) => name.clone(),
        Expr::Len => "len".into(),
        Expr::BinaryExpr { left, .. } => output_name(left),
        Expr::Cast { expr, .. } => output_name(expr),
        Expr::Ternary { truthy, .. } => output_name(truthy),
        Expr::Function { input, .. } => input.first().map_or("value".into(), output_name),
        Expr::Filter { input, .. } => output_name(input),
        Expr::Agg(_) => expr
            .into_iter()
            .find_map(column_name)
            .unwrap_or("value".into()),
        Expr::Column(name) => name.clone(),
        _ => "literal".into(),
    }
}

/// Returns whether an expression looks at one row at a time.
fn is_row_expression(expr: &Expr) -> bool {
    expr.into_iter().all(|node| match node {
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::Alias(..)
        | Expr::BinaryExpr { .. }
        | Expr::Cast { .. } => true,
        Expr::Ternary { .. } => true,
        Expr::Function { function, .. } => is_row_function(&function.to_string()),
        _ => false,
    })
}

/// Returns whether a function of Polars, by its name, looks at one row at a time.
fn is_row_function(name: &str) -> bool {
    const NAMES: [&str; 24] = [
        "not",
        "is_null",
        "is_not_null",
        "is_nan",
        "is_not_nan",
        "is_finite",
        "is_infinite",
        "is_between",
        "is_close",
        "fill_null",
        "abs",
        "pow",
        "sqrt",
        "cbrt",
        "clip",
        "round",
        "floor",
        "ceil",
        "sign",
        "negate",
        "coalesce",
        "min_horizontal",
        "max_horizontal",
        "sum_horizontal",
    ];
    let name = name.strip_prefix('.').unwrap_or(name);
    let name = name.split('(').next().unwrap_or(name);
    NAMES.contains(&name)
        || name.starts_with("dt.")
        || (name.starts_with("str.") && !name.contains("join"))
}
