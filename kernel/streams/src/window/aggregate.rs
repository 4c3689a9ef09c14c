//! Takes aggregates apart into partial ones that can be merged from batch to batch.
//!
//! `col("x").mean()` becomes a sum and a count per batch; the state adds them up, and the
//! result is their quotient. Anything that is built from such aggregates by arithmetic works too:
//! `(col("late").sum() / len() * lit(100.0)).alias("late_percent")`.

use polars::prelude::*;

use crate::{Error, Result};

const POSSIBLE: &str = "len(), and count(), sum(), min(), max(), mean() of a column or of an expression over one row; arithmetic on these";

/// What a query computes for each window and key.
#[derive(Clone)]
pub(crate) struct Aggregates {
    partials: Vec<Partial>,
    /// What comes out, written in terms of the partials.
    outputs: Vec<Expr>,
    names: Vec<PlSmallStr>,
}

/// One number (or text) kept per window and key.
#[derive(Clone, PartialEq)]
struct Partial {
    kind: Kind,
    /// What is aggregated; nothing where rows are counted.
    input: Option<Expr>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rows,
    Values,
    /// Values and nulls of an expression.
    All,
    Sum,
    /// A sum as f64, for a mean.
    FloatSum,
    Min,
    Max,
}

impl Aggregates {
    /// Takes the expressions of `.agg([..])` apart.
    ///
    /// # Errors
    /// When one of them is no aggregate, cannot be merged, or has a name that is taken.
    pub fn new(exprs: &[Expr], keys: &[String]) -> Result<Aggregates> {
        let mut aggregates = Aggregates {
            partials: Vec::new(),
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
            aggregates.outputs.push(output.alias(name.clone()));
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
        let inputs = self
            .partials
            .iter()
            .filter_map(|partial| partial.input.as_ref());
        let mut columns: Vec<PlSmallStr> = inputs
            .flat_map(|input| input.into_iter().filter_map(column_name))
            .collect();
        columns.sort();
        columns.dedup();
        columns
    }

    /// Returns what a batch computes per group, given the dtypes of its rows.
    pub fn partial_exprs(&self, rows: &DataFrame) -> Result<Vec<Expr>> {
        let mut exprs = Vec::new();
        for (index, partial) in self.partials.iter().enumerate() {
            exprs.push(partial.expr(rows)?.alias(partial_name(index)));
        }
        Ok(exprs)
    }

    /// Returns how two partial results become one.
    pub fn merge_exprs(&self) -> Vec<Expr> {
        let merge = |(index, partial): (usize, &Partial)| match partial.kind {
            Kind::Min => col(partial_name(index)).min(),
            Kind::Max => col(partial_name(index)).max(),
            _ => col(partial_name(index)).sum(),
        };
        self.partials.iter().enumerate().map(merge).collect()
    }

    /// Returns how the partial results become the result.
    pub fn output_exprs(&self) -> Vec<Expr> {
        self.outputs.clone()
    }

    fn rewrite(&mut self, body: Expr, whole: &Expr) -> Result<Expr> {
        match body {
            Expr::Len => Ok(self.partial(Kind::Rows, None)),
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
        let mut partial = |kind, input: Arc<Expr>| {
            let input = Arc::unwrap_or_clone(input);
            if !is_row_expression(&input) {
                return Err(impossible(whole));
            }
            Ok(self.partial(kind, Some(input)))
        };
        match aggregate {
            AggExpr::Count {
                input,
                include_nulls,
            } => partial(
                if include_nulls {
                    Kind::All
                } else {
                    Kind::Values
                },
                input,
            ),
            AggExpr::Min { input, .. } => partial(Kind::Min, input),
            AggExpr::Max { input, .. } => partial(Kind::Max, input),
            // Spark's rule, not Polars': the sum of no value is null.
            AggExpr::Sum(input) => {
                let count = partial(Kind::Values, input.clone())?;
                Ok(when(count.gt(lit(0)))
                    .then(partial(Kind::Sum, input)?)
                    .otherwise(lit(NULL)))
            }
            AggExpr::Mean(input) => {
                let count = partial(Kind::Values, input.clone())?;
                let sum = partial(Kind::FloatSum, input)?;
                Ok(when(count.clone().gt(lit(0)))
                    .then(sum / count.cast(DataType::Float64))
                    .otherwise(lit(NULL)))
            }
            _ => Err(impossible(whole)),
        }
    }

    /// Returns the column of a partial result; equal ones are computed once.
    fn partial(&mut self, kind: Kind, input: Option<Expr>) -> Expr {
        let wanted = Partial { kind, input };
        let index = self
            .partials
            .iter()
            .position(|partial| *partial == wanted)
            .unwrap_or_else(|| {
                self.partials.push(wanted);
                self.partials.len() - 1
            });
        col(partial_name(index))
    }
}

impl Partial {
    fn expr(&self, rows: &DataFrame) -> Result<Expr> {
        let Some(input) = self.input.clone() else {
            return Ok(len().cast(DataType::Int64));
        };
        Ok(match self.kind {
            Kind::Rows => len().cast(DataType::Int64),
            Kind::Values => input.count().cast(DataType::Int64),
            Kind::All => input.len().cast(DataType::Int64),
            Kind::Min => input.min(),
            Kind::Max => input.max(),
            Kind::FloatSum => {
                number(&input, rows, "mean")?;
                input.cast(DataType::Float64).sum()
            }
            Kind::Sum => match number(&input, rows, "sum")? {
                dtype if dtype.is_float() => input.cast(DataType::Float64).sum(),
                dtype if dtype.is_duration() => input.sum(),
                _ => input.cast(DataType::Int64).sum(),
            },
        })
    }
}

/// Returns the dtype of an expression that must be a number (or a duration).
fn number(input: &Expr, rows: &DataFrame, what: &str) -> Result<DataType> {
    let schema = rows
        .clone()
        .lazy()
        .select([input.clone().alias("value")])
        .collect_schema()?;
    let dtype = schema.get("value").cloned().unwrap_or(DataType::Null);
    let is_sum = what == "sum";
    if dtype.is_integer()
        || dtype.is_float()
        || dtype.is_bool()
        || dtype == DataType::Null
        || (is_sum && dtype.is_duration())
    {
        return Ok(dtype);
    }
    Err(Error::new(format!("there is no {what} of {input:?}"))
        .have(format!("dtype {dtype}"))
        .hint("count(), min() or max(), or a column of numbers"))
}

/// Returns the dtype that holds the values of both; null stands for a column without a value so far.
pub(super) fn common_dtype(a: &DataType, b: &DataType) -> Result<DataType> {
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Ok(other.clone()),
        (a, b) if a.is_integer() && b.is_integer() => Ok(DataType::Int64),
        (a, b) if (a.is_integer() || a.is_float()) && (b.is_integer() || b.is_float()) => {
            Ok(DataType::Float64)
        }
        _ => Err(
            Error::new("a column changed its dtype from one batch to the next")
                .have(format!("{a}, then {b}"))
                .hint("cast it with .with_columns([..]) before the window"),
        ),
    }
}

fn impossible(whole: &Expr) -> Error {
    Error::new("this aggregate cannot be continued from batch to batch")
        .have(format!("{whole:?}"))
        .hint(POSSIBLE)
}

fn partial_name(index: usize) -> PlSmallStr {
    format!("__p{index}").into()
}

fn column_name(expr: &Expr) -> Option<PlSmallStr> {
    match expr {
        Expr::Column(name) => Some(name.clone()),
        _ => None,
    }
}

/// Returns Polars' name for an expression: its alias, or its leftmost column.
fn output_name(expr: &Expr) -> PlSmallStr {
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

/// Returns whether an expression looks at one row at a time (a filter is fine: it drops rows).
fn is_row_expression(expr: &Expr) -> bool {
    expr.into_iter().all(|node| match node {
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::Alias(..)
        | Expr::BinaryExpr { .. }
        | Expr::Cast { .. } => true,
        Expr::Ternary { .. } | Expr::Filter { .. } => true,
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
