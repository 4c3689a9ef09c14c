//! Expressions of a query as plain values: to be written down, compared, and put into Spark's words.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::aggregate::{
    APPROX, DISTINCT, QUANTILE, approx_distinct, approx_quantile, collect_distinct, marked,
};
use crate::record::read_dtype;
use crate::{Error, Result};

/// An expression over the columns of a row, or an aggregate of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// The value of a column.
    Column(String),
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// `left op right`, with one of `+ - * / // % == != < <= > >= and or`.
    Binary {
        /// The operator.
        op: String,
        /// What stands before it.
        left: Box<Expression>,
        /// What stands behind it.
        right: Box<Expression>,
    },
    /// A value with another dtype, by the dtype's name (`f64`, `str`, `datetime[us, UTC]`).
    Cast {
        /// The value.
        of: Box<Expression>,
        /// The dtype.
        to: String,
    },
    /// `then` where `condition` holds, `otherwise` elsewhere.
    When {
        /// What is asked.
        condition: Box<Expression>,
        /// The value where it holds.
        then: Box<Expression>,
        /// The value where it does not hold or is null.
        otherwise: Box<Expression>,
    },
    /// A function over one row: `not`, `is_null`, `is_not_null`, `is_nan`, `is_not_nan`, `fill_null`.
    Function {
        /// Its name.
        name: String,
        /// Its arguments.
        of: Vec<Expression>,
    },
    /// An aggregate over the rows of a group: `len`, `count`, `sum`, `min`, `max`, `mean`, `var`,
    /// `std`, `first`, `last`, `collect_distinct`, `n_unique`, `approx_distinct`, `approx_quantile`.
    Aggregate {
        /// Its name.
        name: String,
        /// What is aggregated; nothing for `len`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Box<Expression>>,
        /// The degrees of freedom of `var` and `std`, the quantile of `approx_quantile`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        argument: Option<f64>,
    },
    /// What has no plain form, in the words of Polars. It can be compared, but not read back.
    Polars(String),
}

impl Expression {
    /// Returns the plain form of an expression of Polars.
    pub fn of(expr: &Expr) -> Expression {
        Expression::plain(expr).unwrap_or_else(|| Expression::Polars(format!("{expr:?}")))
    }

    /// Returns the expression of Polars.
    ///
    /// # Errors
    /// For names that there are not, and for [`Expression::Polars`].
    pub fn expr(&self) -> Result<Expr> {
        let boxed = |expression: &Expression| Ok::<_, Error>(Arc::new(expression.expr()?));
        Ok(match self {
            Expression::Column(name) => col(name.as_str()),
            Expression::Null => lit(NULL),
            Expression::Bool(value) => lit(*value),
            Expression::Int(value) => lit(*value),
            Expression::Float(value) => lit(*value),
            Expression::Text(text) => lit(text.as_str()),
            Expression::Binary { op, left, right } => Expr::BinaryExpr {
                left: boxed(left)?,
                op: operator(op)?,
                right: boxed(right)?,
            },
            Expression::Cast { of, to } => {
                let dtype = read_dtype(to).ok_or_else(|| unknown("dtype", to, "f64, i64, str"))?;
                of.expr()?.cast(dtype)
            }
            Expression::When {
                condition,
                then,
                otherwise,
            } => when(condition.expr()?)
                .then(then.expr()?)
                .otherwise(otherwise.expr()?),
            Expression::Function { name, of } => function(name, of)?,
            Expression::Aggregate { name, of, argument } => {
                aggregate(name, of.as_deref(), *argument)?
            }
            Expression::Polars(text) => {
                return Err(Error::new("this expression has no plain form to be read from")
                    .have(text.clone())
                    .hint("add it as a column with .with_columns([..]) in the program that runs the query"));
            }
        })
    }

    fn plain(expr: &Expr) -> Option<Expression> {
        let boxed = |expr: &Expr| Some(Box::new(Expression::plain(expr)?));
        Some(match expr {
            Expr::Alias(inner, _) => Expression::plain(inner)?,
            Expr::Column(name) => Expression::Column(name.to_string()),
            Expr::Literal(literal) => literal_of(literal)?,
            Expr::Len => Expression::aggregate("len", None, None),
            Expr::BinaryExpr { left, op, right } => Expression::Binary {
                op: OPERATORS.iter().find(|(_, there)| there == op)?.0.into(),
                left: boxed(left)?,
                right: boxed(right)?,
            },
            Expr::Cast { expr, dtype, .. } => {
                let DataTypeExpr::Literal(dtype) = dtype else {
                    return None;
                };
                let to = dtype.to_string();
                read_dtype(&to)?;
                Expression::Cast {
                    of: boxed(expr)?,
                    to,
                }
            }
            Expr::Ternary {
                predicate,
                truthy,
                falsy,
            } => Expression::When {
                condition: boxed(predicate)?,
                then: boxed(truthy)?,
                otherwise: boxed(falsy)?,
            },
            Expr::Function { input, function } => {
                let name = function.to_string();
                let name = name.trim_start_matches('.').trim_end_matches("()");
                let of = input
                    .iter()
                    .map(Expression::plain)
                    .collect::<Option<Vec<_>>>()?;
                let of: Vec<Expression> = of;
                let plain = Expression::Function {
                    name: name.into(),
                    of,
                };
                // Only what can be read back is plain.
                (plain.expr().ok()? == *expr).then_some(plain)?
            }
            Expr::Filter { input, by } => Expression::When {
                condition: boxed(by)?,
                then: boxed(input)?,
                otherwise: Expression::Null.into(),
            },
            Expr::Agg(aggregate) => Expression::plain_aggregate(aggregate)?,
            _ => return None,
        })
    }

    fn plain_aggregate(aggregate: &AggExpr) -> Option<Expression> {
        let (name, input, argument) = match aggregate {
            AggExpr::Count {
                input,
                include_nulls: false,
            } => ("count", input, None),
            AggExpr::Count { input, .. } => match input.as_ref() {
                Expr::Filter { by, .. } => {
                    let kept = when(by.as_ref().clone()).then(lit(1)).otherwise(lit(NULL));
                    let of = Expression::plain(&kept)?;
                    return Some(Expression::aggregate("count", Some(of), None));
                }
                _ => return Some(Expression::aggregate("len", None, None)),
            },
            AggExpr::Min { input, .. } => ("min", input, None),
            AggExpr::Max { input, .. } => ("max", input, None),
            AggExpr::Sum(input) => ("sum", input, None),
            AggExpr::Mean(input) => ("mean", input, None),
            AggExpr::Var(input, ddof) => ("var", input, Some(f64::from(*ddof))),
            AggExpr::Std(input, ddof) => ("std", input, Some(f64::from(*ddof))),
            AggExpr::First(input) => ("first", input, None),
            AggExpr::Last(input) => ("last", input, None),
            AggExpr::Median(input) => match marked(input, QUANTILE) {
                Some((column, q)) => {
                    let of = Expression::plain(&column)?;
                    return Some(Expression::aggregate(
                        "approx_quantile",
                        Some(of),
                        q.parse().ok(),
                    ));
                }
                None => return None,
            },
            AggExpr::NUnique(input) => match marked(input, APPROX) {
                Some((column, _)) => {
                    let of = Expression::plain(&column)?;
                    return Some(Expression::aggregate("approx_distinct", Some(of), None));
                }
                None => ("n_unique", input, None),
            },
            AggExpr::Implode { input, .. } => {
                let (column, _) = marked(input, DISTINCT)?;
                let of = Expression::plain(&column)?;
                return Some(Expression::aggregate("collect_distinct", Some(of), None));
            }
            _ => return None,
        };
        let of = Expression::plain(input)?;
        Some(Expression::aggregate(name, Some(of), argument))
    }

    fn aggregate(name: &str, of: Option<Expression>, argument: Option<f64>) -> Expression {
        Expression::Aggregate {
            name: name.into(),
            of: of.map(Box::new),
            argument,
        }
    }
}

const OPERATORS: [(&str, Operator); 14] = [
    ("+", Operator::Plus),
    ("-", Operator::Minus),
    ("*", Operator::Multiply),
    ("/", Operator::RustDivide),
    ("//", Operator::FloorDivide),
    ("%", Operator::Modulus),
    ("==", Operator::Eq),
    ("!=", Operator::NotEq),
    ("<", Operator::Lt),
    ("<=", Operator::LtEq),
    (">", Operator::Gt),
    (">=", Operator::GtEq),
    ("and", Operator::And),
    ("or", Operator::Or),
];

fn operator(op: &str) -> Result<Operator> {
    let found = OPERATORS.iter().find(|(name, _)| *name == op);
    found
        .map(|(_, operator)| *operator)
        .ok_or_else(|| unknown("operator", op, "+ - * / // % == != < <= > >= and or"))
}

fn function(name: &str, of: &[Expression]) -> Result<Expr> {
    let arguments = of
        .iter()
        .map(Expression::expr)
        .collect::<Result<Vec<Expr>>>()?;
    let possible = "not, is_null, is_not_null, is_nan, is_not_nan, fill_null";
    Ok(match (name, &arguments[..]) {
        ("not", [a]) => a.clone().not(),
        ("is_null", [a]) => a.clone().is_null(),
        ("is_not_null", [a]) => a.clone().is_not_null(),
        ("is_nan", [a]) => a.clone().is_nan(),
        ("is_not_nan", [a]) => a.clone().is_not_nan(),
        ("fill_null", [a, b]) => a.clone().fill_null(b.clone()),
        _ => return Err(unknown("function", name, possible)),
    })
}

fn aggregate(name: &str, of: Option<&Expression>, argument: Option<f64>) -> Result<Expr> {
    let possible = "len, count, sum, min, max, mean, var, std, first, last, collect_distinct, n_unique, approx_distinct, approx_quantile";
    let Some(of) = of else {
        return match name {
            "len" => Ok(len()),
            _ => Err(Error::new(format!(
                "the aggregate `{name}` needs something to aggregate"
            ))
            .hint("\"of\": {\"column\": \"x\"}")),
        };
    };
    let inner = of.expr()?;
    let ddof = argument.map_or(1, |ddof| ddof as u8);
    let mark = |helper: fn(&str) -> Expr| in_place(helper("__x"), &inner);
    Ok(match name {
        "count" => inner.count(),
        "sum" => inner.sum(),
        "min" => inner.min(),
        "max" => inner.max(),
        "mean" => inner.mean(),
        "var" => inner.var(ddof),
        "std" => inner.std(ddof),
        "first" => inner.first(),
        "last" => inner.last(),
        "n_unique" => inner.n_unique(),
        "collect_distinct" => mark(collect_distinct),
        "approx_distinct" => mark(approx_distinct),
        "approx_quantile" => in_place(approx_quantile("__x", argument.unwrap_or(0.5)), &inner),
        _ => return Err(unknown("aggregate", name, possible)),
    })
}

/// Puts an expression in the place of the column of a helper.
fn in_place(expr: Expr, by: &Expr) -> Expr {
    expr.map_expr(|expr| match &expr {
        Expr::Column(column) if column == "__x" => by.clone(),
        _ => expr,
    })
}

fn literal_of(literal: &LiteralValue) -> Option<Expression> {
    // A literal with a dtype that was asked for would lose it.
    let is_plain = match literal {
        LiteralValue::Dyn(_) => true,
        LiteralValue::Scalar(scalar) => matches!(
            scalar.dtype(),
            DataType::Null | DataType::Boolean | DataType::String
        ),
        _ => false,
    };
    if !is_plain {
        return None;
    }
    Some(match literal.to_any_value()? {
        AnyValue::Null => Expression::Null,
        AnyValue::Boolean(value) => Expression::Bool(value),
        AnyValue::Int32(value) => Expression::Int(value.into()),
        AnyValue::Int64(value) => Expression::Int(value),
        AnyValue::Float64(value) if value.is_finite() => Expression::Float(value),
        AnyValue::String(text) => Expression::Text(text.into()),
        AnyValue::StringOwned(text) => Expression::Text(text.to_string()),
        _ => return None,
    })
}

fn unknown(what: &str, name: &str, possible: &str) -> Error {
    Error::new(format!("there is no {what} `{name}`")).hint(format!("one of: {possible}"))
}
