//! A column of a batch in one of three plain forms, whatever its dtype.

use polars::prelude::*;

use crate::{Error, Result};

/// What an operator needs of a column: its values in one piece, and its dtype for the way out.
#[derive(Clone)]
pub(crate) struct Typed {
    pub dtype: DataType,
    pub data: Data,
}

#[derive(Clone)]
pub(crate) enum Data {
    /// Every value is null, and no dtype is known yet.
    Nothing,
    Int(Int64Chunked),
    Float(Float64Chunked),
    Text(StringChunked),
}

impl Typed {
    /// Takes a column apart. Whole numbers, truth values and times become i64.
    ///
    /// # Errors
    /// When the dtype has no such form (a list, say), or a number does not fit into an i64.
    pub fn of(column: &Column) -> Result<Typed> {
        let dtype = column.dtype().clone();
        let series = column.as_materialized_series();
        let data = match &dtype {
            DataType::Null => Data::Nothing,
            DataType::String => Data::Text(series.str()?.rechunk().into_owned()),
            DataType::Int64 => Data::Int(series.i64()?.rechunk().into_owned()),
            DataType::Float64 => Data::Float(series.f64()?.rechunk().into_owned()),
            dtype if dtype.is_float() => Data::Float(
                series
                    .cast(&DataType::Float64)?
                    .f64()?
                    .rechunk()
                    .into_owned(),
            ),
            dtype if dtype.is_integer() || dtype.is_bool() || dtype.is_temporal() => {
                let physical = series.to_physical_repr();
                let ints = physical.strict_cast(&DataType::Int64).map_err(|cause| {
                    Error::new(format!("a value of `{}` is too large", column.name()))
                        .have(format!("dtype {dtype}, and a value above {}", i64::MAX))
                        .hint(format!(
                            "col(\"{}\").cast(DataType::Float64)",
                            column.name()
                        ))
                        .caused_by(cause)
                })?;
                Data::Int(ints.i64()?.rechunk().into_owned())
            }
            _ => return Err(no_form(column.name(), &dtype)),
        };
        Ok(Typed { dtype, data })
    }

    /// Returns whether values of a dtype can be kept between batches.
    pub fn is_possible(dtype: &DataType) -> bool {
        matches!(dtype, DataType::Null | DataType::String)
            || dtype.is_float()
            || dtype.is_integer()
            || dtype.is_bool()
            || dtype.is_temporal()
    }

    pub fn has_nulls(&self) -> bool {
        match &self.data {
            Data::Nothing => true,
            Data::Int(values) => values.null_count() > 0,
            Data::Float(values) => values.null_count() > 0,
            Data::Text(values) => values.null_count() > 0,
        }
    }
}

/// Says that values of a dtype cannot be kept.
pub(super) fn no_form(name: &str, dtype: &DataType) -> Error {
    Error::new(format!("`{name}` cannot be kept from batch to batch"))
        .have(format!("dtype {dtype}"))
        .hint(format!("col(\"{name}\").cast(DataType::String)"))
}

/// Returns the dtype that holds the values of both; null stands for a column without a value so far.
pub(super) fn common_dtype(a: &DataType, b: &DataType) -> Result<DataType> {
    match (a, b) {
        (a, b) if a == b => Ok(a.clone()),
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

/// Turns physical values back into a column of a dtype.
pub(super) fn column_of(name: &str, data: Data, length: usize, dtype: &DataType) -> Result<Column> {
    let name = PlSmallStr::from(name);
    let series = match data {
        Data::Nothing => return Ok(Column::full_null(name, length, dtype)),
        Data::Int(values) => values.with_name(name).into_series(),
        Data::Float(values) => values.with_name(name).into_series(),
        Data::Text(values) => values.with_name(name).into_series(),
    };
    let series = match dtype {
        dtype if series.dtype() == dtype => series,
        // Dates count in i32.
        DataType::Date => series.cast(&DataType::Int32)?.cast(dtype)?,
        dtype => series.cast(dtype)?,
    };
    Ok(series.into())
}

/// Gives both frames the same columns and dtypes: a column that was all null so far takes the other's
/// dtype, one that a frame does not have is null in it.
pub(crate) fn aligned(mut a: DataFrame, mut b: DataFrame) -> Result<(DataFrame, DataFrame)> {
    complete(&mut a, &b)?;
    complete(&mut b, &a)?;
    let names: Vec<PlSmallStr> = a.get_column_names_owned();
    for name in &names {
        let (left, right) = (
            a.column(name)?.dtype().clone(),
            b.column(name)?.dtype().clone(),
        );
        if left != right {
            let both = common_dtype(&left, &right)?;
            let (left, right) = (a.column(name)?.cast(&both)?, b.column(name)?.cast(&both)?);
            a.with_column(left)?;
            b.with_column(right)?;
        }
    }
    let b = b.select(names)?;
    Ok((a, b))
}

/// Adds the columns that only `other` has, null in every row.
fn complete(frame: &mut DataFrame, other: &DataFrame) -> Result<()> {
    for column in other.columns() {
        if frame.column(column.name()).is_err() {
            let nulls = Column::full_null(column.name().clone(), frame.height(), column.dtype());
            frame.with_column(nulls)?;
        }
    }
    Ok(())
}

/// Puts the rows of `more` behind those of `frame`. A frame without rows has no dtypes worth
/// keeping: a column that was all null takes those of the other.
pub(crate) fn append(frame: &mut DataFrame, more: &DataFrame) -> Result<()> {
    if frame.height() == 0 {
        *frame = more.clone();
    } else if more.height() > 0 {
        let (mut both, more) = aligned(std::mem::take(frame), more.clone())?;
        both.vstack_mut(&more)?;
        *frame = both;
    }
    Ok(())
}
