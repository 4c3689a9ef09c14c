//! Collects the values of one column until they become a Polars series.

use polars::prelude::*;

use super::cell::Cell;
use crate::time;

/// One growing column.
pub(crate) struct Column {
    pub name: PlSmallStr,
    /// The name as a JSON key, with its colon.
    pub quoted: Vec<u8>,
    /// What the column must become; unknown until a header or the first batch said so.
    dtype: Option<DataType>,
    /// Whether `dtype` was inferred, so that a later float may widen it.
    inferred: bool,
    values: Values,
}

enum Values {
    Nulls(usize),
    Bools(Vec<Option<bool>>),
    /// Integers, and dates and times in the unit of the dtype.
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
    Texts(StringChunkedBuilder),
    Bytes(BinaryChunkedBuilder),
}

impl Column {
    /// Starts a column that had no value in `rows` rows so far.
    pub fn new(name: PlSmallStr, dtype: Option<DataType>, rows: usize) -> Column {
        let mut quoted = serde_json::to_vec(name.as_str()).expect("text is always JSON");
        quoted.push(b':');
        Column {
            name,
            quoted,
            dtype,
            inferred: false,
            values: Values::Nulls(rows),
        }
    }

    /// Starts a column that an earlier one has settled.
    pub fn settled(name: PlSmallStr, dtype: Option<DataType>, inferred: bool) -> Column {
        Column {
            inferred,
            ..Column::new(name, dtype, 0)
        }
    }

    /// Returns the dtype, where it is known.
    pub fn dtype(&self) -> Option<&DataType> {
        self.dtype.as_ref()
    }

    /// Returns whether values said the dtype, and no header.
    pub fn is_inferred(&self) -> bool {
        self.inferred
    }

    /// Takes over the dtype that a header names; says why where it contradicts an earlier one.
    pub fn declare(&mut self, dtype: &DataType) -> Result<(), String> {
        match &self.dtype {
            Some(known) if known == dtype || *dtype == DataType::Null => Ok(()),
            Some(known) if *known != DataType::Null && !self.inferred => {
                let wider = widen(known, dtype);
                self.dtype = Some(wider.ok_or_else(|| {
                    format!(
                        "column `{}` is {dtype} here and was {known} before",
                        self.name
                    )
                })?);
                Ok(())
            }
            _ => {
                self.dtype = Some(dtype.clone());
                self.inferred = false;
                Ok(())
            }
        }
    }

    /// Fits a value to the column's dtype, or says why it does not fit; nothing where it fits as it is.
    pub fn fitted<'a>(&self, cell: &Cell<'a>) -> Result<Option<Cell<'a>>, String> {
        let Some(dtype) = &self.dtype else {
            return Ok(None);
        };
        let fitted = match (dtype, cell) {
            (_, Cell::Null)
            | (DataType::Null, _)
            | (DataType::Boolean, Cell::Bool(_))
            | (DataType::String, Cell::Text(_))
            | (DataType::Binary, Cell::Bytes(_)) => return Ok(None),
            (DataType::String, Cell::Bool(value)) => Some(Cell::Text(value.to_string().into())),
            (DataType::String, Cell::Int(value)) => Some(Cell::Text(value.to_string().into())),
            (DataType::String, Cell::Float(value)) => Some(Cell::Text(value.to_string().into())),
            (DataType::Float64 | DataType::Float32, Cell::Int(value)) => {
                Some(Cell::Float(*value as f64))
            }
            (DataType::Float64 | DataType::Float32, Cell::Float(_)) => return Ok(None),
            (DataType::Float64 | DataType::Float32, Cell::Text(text)) => {
                special_float(text).map(Cell::Float)
            }
            (DataType::Int64, Cell::Float(_)) if self.inferred => return Ok(None),
            (DataType::Datetime(unit, _), Cell::Text(text)) => time_in(text, *unit).map(Cell::Int),
            (DataType::Date, Cell::Text(text)) => {
                time::parse(text).map(|(at, _)| Cell::Int(at.div_euclid(time::DAY)))
            }
            (dtype, Cell::Int(_)) if dtype.is_integer() || dtype.is_temporal() => return Ok(None),
            _ => None,
        };
        let refused = || format!("column `{}` is {dtype}, found {cell}", self.name);
        fitted.map(Some).ok_or_else(refused)
    }

    /// Appends a value that [`Column::fit`] has seen.
    pub fn push(&mut self, cell: Cell<'_>) {
        match (&mut self.values, cell) {
            (Values::Nulls(rows), Cell::Null) => *rows += 1,
            (Values::Bools(values), Cell::Null) => values.push(None),
            (Values::Ints(values), Cell::Null) => values.push(None),
            (Values::Floats(values), Cell::Null) => values.push(None),
            (Values::Texts(values), Cell::Null) => values.append_null(),
            (Values::Bytes(values), Cell::Null) => values.append_null(),
            (Values::Bools(values), Cell::Bool(value)) => values.push(Some(value)),
            (Values::Ints(values), Cell::Int(value)) => values.push(Some(value)),
            (Values::Floats(values), Cell::Float(value)) => values.push(Some(value)),
            (Values::Floats(values), Cell::Int(value)) => values.push(Some(value as f64)),
            (Values::Texts(values), Cell::Text(value)) => values.append_value(value),
            (Values::Bytes(values), Cell::Bytes(value)) => values.append_value(value),
            (_, cell) => {
                self.change_storage(&cell);
                self.push(cell);
            }
        }
    }

    /// Returns the values as a series and starts anew; the dtype stays settled.
    pub fn take(&mut self) -> PolarsResult<Series> {
        let values = std::mem::replace(&mut self.values, Values::Nulls(0));
        let name = self.name.clone();
        let mut series = match values {
            Values::Nulls(rows) => Series::full_null(name, rows, &DataType::Null),
            Values::Bools(values) => Series::new(name, values),
            Values::Ints(values) => Series::new(name, values),
            Values::Floats(values) => Series::new(name, values),
            Values::Texts(values) => values.finish().into_series(),
            Values::Bytes(values) => values.finish().into_series(),
        };
        if self.dtype.is_none() {
            if let Some(times) = as_times(&series) {
                series = times;
            }
            if *series.dtype() != DataType::Null {
                self.dtype = Some(series.dtype().clone());
                self.inferred = true;
            }
        }
        if self.inferred && *series.dtype() == DataType::Float64 {
            self.dtype = Some(DataType::Float64);
        }
        let Some(dtype) = &self.dtype else {
            return Ok(series);
        };
        match dtype {
            dtype if series.dtype() == dtype => Ok(series),
            DataType::Null => Ok(series),
            // Dates and times are integers so far; a strict cast would refuse days as i64.
            DataType::Date => series.cast(&DataType::Int32)?.cast(dtype),
            _ => series.cast(dtype),
        }
    }

    fn change_storage(&mut self, cell: &Cell<'_>) {
        let values = std::mem::replace(&mut self.values, Values::Nulls(0));
        self.values = match (values, cell) {
            (Values::Nulls(rows), Cell::Bool(_)) => Values::Bools(vec![None; rows]),
            (Values::Nulls(rows), Cell::Int(_)) => Values::Ints(vec![None; rows]),
            (Values::Nulls(rows), Cell::Float(_)) => Values::Floats(vec![None; rows]),
            (Values::Nulls(rows), Cell::Bytes(_)) => {
                let mut values = BinaryChunkedBuilder::new(self.name.clone(), 1024);
                (0..rows).for_each(|_| values.append_null());
                Values::Bytes(values)
            }
            (Values::Ints(values), Cell::Float(_)) => Values::Floats(
                values
                    .into_iter()
                    .map(|value| value.map(|value| value as f64))
                    .collect(),
            ),
            (values, _) => Values::Texts(self.as_texts(values)),
        };
    }

    /// Turns what is there into text: the column mixes kinds, and text can hold them all.
    fn as_texts(&self, values: Values) -> StringChunkedBuilder {
        let mut texts = StringChunkedBuilder::new(self.name.clone(), 1024);
        match values {
            Values::Nulls(rows) => (0..rows).for_each(|_| texts.append_null()),
            Values::Bools(values) => values
                .iter()
                .for_each(|value| texts.append_option(value.map(|value| value.to_string()))),
            Values::Ints(values) => values
                .iter()
                .for_each(|value| texts.append_option(value.map(|value| value.to_string()))),
            Values::Floats(values) => values
                .iter()
                .for_each(|value| texts.append_option(value.map(|value| value.to_string()))),
            Values::Texts(values) => return values,
            Values::Bytes(values) => {
                let values = values.finish();
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                (values.iter()).for_each(|value| texts.append_option(value.map(text)));
            }
        }
        texts
    }

    /// Returns whether the column holds text where a number or truth value now arrives.
    pub fn is_text(&self) -> bool {
        matches!(self.values, Values::Texts(_))
    }

    /// Returns whether an untyped value must become text to stand in this column.
    pub fn needs_text(&self, cell: &Cell<'_>) -> bool {
        !matches!(
            (&self.values, cell),
            (_, Cell::Null | Cell::Text(_))
                | (Values::Nulls(_), _)
                | (Values::Bools(_), Cell::Bool(_))
                | (Values::Bytes(_), Cell::Bytes(_))
                | (
                    Values::Ints(_) | Values::Floats(_),
                    Cell::Int(_) | Cell::Float(_)
                )
        )
    }
}

/// Reads text as a time in `unit`.
fn time_in(text: &str, unit: TimeUnit) -> Option<i64> {
    let (micros, _) = time::parse(text)?;
    match unit {
        TimeUnit::Milliseconds => Some(micros.div_euclid(1000)),
        TimeUnit::Microseconds => Some(micros),
        TimeUnit::Nanoseconds => micros.checked_mul(1000),
    }
}

/// Returns a text column as times where every text in it is one, with date and clock.
pub(crate) fn as_times(series: &Series) -> Option<Series> {
    let texts = series.str().ok()?;
    let mut zoned = false;
    let mut times = Vec::with_capacity(texts.len());
    for text in texts.iter() {
        let Some(text) = text else {
            times.push(None);
            continue;
        };
        let (at, zone) = time::parse(text).filter(|_| text.len() > 10)?;
        zoned |= zone;
        times.push(Some(at));
    }
    times.iter().any(Option::is_some).then_some(())?;
    let zone = zoned.then_some(TimeZone::UTC);
    Series::new(series.name().clone(), times)
        .cast(&DataType::Datetime(TimeUnit::Microseconds, zone))
        .ok()
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn widen(a: &DataType, b: &DataType) -> Option<DataType> {
    let numeric = |dtype: &DataType| dtype.is_integer() || dtype.is_float();
    match (a, b) {
        (a, b) if !numeric(a) || !numeric(b) => None,
        (a, b) if a.is_float() || b.is_float() => Some(DataType::Float64),
        _ => Some(DataType::Int64),
    }
}
