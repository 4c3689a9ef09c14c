//! Turns records into a frame, and counts those which are not rows.

use std::borrow::Cow;
use std::sync::Arc;

use polars::prelude::{DataFrame, NamedFrom, PlSmallStr, Series};
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::column::Column;
use super::scan::{Key, Scan};
use crate::format::{Format, Parse, Refused, Shape};
use crate::{Error, Result};

/// How many rejected records are kept with their reason; all of them are counted.
const KEPT: usize = 1000;

/// So many bytes of each are kept.
pub(crate) const SHOWN: usize = 4096;

/// A record that is no row, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// Topic, partition and offset, or file and line.
    pub place: String,
    pub why: String,
    /// The record itself, or its beginning; empty where it is a file.
    pub bytes: Vec<u8>,
}

/// A column whose dtype is settled: what a fresh [`Decoder`] must know to go on as an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub name: String,
    /// As text, nothing where the column had no value yet.
    pub dtype: Option<String>,
    /// Whether values said so and no header, so that a later float may widen it.
    pub inferred: bool,
}

/// Collects records; its columns and their dtypes stay the same from one frame to the next.
/// The default one reads JSON.
#[derive(Default)]
pub(crate) struct Decoder {
    /// Reads records that are not JSON.
    parser: Option<Box<dyn Parse>>,
    /// The columns of the last record that it has read.
    shape: Option<Arc<Shape>>,
    /// Why records cannot be read although they may be right; whoever takes rows gets it.
    fault: Option<Error>,
    columns: Vec<Column>,
    rows: usize,
    header: Vec<u8>,
    rejected: Vec<Rejected>,
    rejected_count: u64,
    /// Why the last rejected record was.
    why: String,
    /// Room for the cells of a row, empty between rows.
    spare: Vec<(usize, Cell<'static>)>,
}

impl Decoder {
    /// Reads records of this format.
    pub fn of(format: &Format) -> Decoder {
        Decoder {
            parser: format.parser(),
            ..Decoder::default()
        }
    }

    /// Goes on where another decoder of this format has stopped.
    pub fn settled(format: &Format, columns: &[Settled]) -> Decoder {
        let column = |settled: &Settled| {
            let dtype = settled.dtype.as_deref().and_then(super::read_dtype);
            Column::settled(settled.name.as_str().into(), dtype, settled.inferred)
        };
        Decoder {
            columns: columns.iter().map(column).collect(),
            ..Decoder::of(format)
        }
    }

    /// Returns what another decoder needs to go on.
    pub fn settle(&self) -> Vec<Settled> {
        let settled = |column: &Column| Settled {
            name: column.name.to_string(),
            dtype: column.dtype().map(ToString::to_string),
            inferred: column.is_inferred(),
        };
        self.columns.iter().map(settled).collect()
    }

    /// Takes one record in; `place` names it, should it be rejected. Returns why it was.
    pub fn push(
        &mut self,
        payload: &[u8],
        header: Option<&[u8]>,
        place: impl FnOnce() -> String,
    ) -> Option<&str> {
        let why = self.try_push(payload, header).err()?;
        self.why.clone_from(&why);
        self.reject(place(), why, payload);
        Some(&self.why)
    }

    /// Takes in one row whose cells stand in the order of `names`.
    pub fn push_cells(&mut self, names: &[PlSmallStr], cells: Vec<Cell<'_>>) -> Result<(), String> {
        let cells = names
            .iter()
            .zip(cells)
            .map(|(name, cell)| (self.index(name, 0), cell))
            .collect();
        self.push_row(cells)
    }

    /// Says beforehand what a column holds.
    pub fn declare(&mut self, name: &str, dtype: &polars::prelude::DataType) -> Result<(), String> {
        let index = self.index(name, 0);
        self.columns[index].declare(dtype)
    }

    /// Counts something that is no row.
    pub fn reject(&mut self, place: String, why: String, bytes: &[u8]) {
        self.rejected_count += 1;
        if self.rejected.len() < KEPT {
            let bytes = bytes[..bytes.len().min(SHOWN)].to_vec();
            self.rejected.push(Rejected { place, why, bytes });
        }
    }

    /// Returns how many rows wait to be taken.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns how many records were rejected so far.
    pub fn rejected_count(&self) -> u64 {
        self.rejected_count
    }

    /// Returns the rejected records with their reasons, the first thousand of them.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Returns the rows so far as a frame and starts the next one.
    ///
    /// # Errors
    /// When the schema registry has not answered about a record.
    pub fn take(&mut self) -> Result<DataFrame> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let rows = std::mem::take(&mut self.rows);
        let series = self
            .columns
            .iter_mut()
            .map(|column| column.take().map(Into::into));
        Ok(DataFrame::new(
            rows,
            series.collect::<Result<Vec<_>, _>>()?,
        )?)
    }

    fn try_push(&mut self, payload: &[u8], header: Option<&[u8]>) -> Result<(), String> {
        if self.parser.is_some() {
            return self.push_parsed(payload);
        }
        if let Some(header) = header
            && header != self.header
        {
            for (name, dtype) in super::read_schema(header) {
                let index = self.index(&name, self.columns.len());
                self.columns[index].declare(&dtype)?;
            }
            self.header = header.to_vec();
        }
        let mut row = reused(std::mem::take(&mut self.spare));
        let read = self.read(payload, &mut row);
        let pushed = read.and_then(|()| self.push_cells_of(&mut row));
        row.clear();
        self.spare = reused(row);
        pushed
    }

    /// Takes in a record that is not JSON.
    fn push_parsed(&mut self, payload: &[u8]) -> Result<(), String> {
        let Some(parser) = self.parser.as_mut().filter(|_| self.fault.is_none()) else {
            return Ok(());
        };
        let parsed = match parser.parse(payload) {
            Ok(parsed) => parsed,
            Err(Refused::Record(why)) => return Err(why),
            Err(Refused::Fault(error)) => {
                self.fault = Some(error);
                return Ok(());
            }
        };
        let shape = &parsed.shape;
        if (self.shape.as_ref()).is_none_or(|known| !Arc::ptr_eq(known, shape)) {
            for (name, dtype) in &shape.columns {
                self.declare(name, dtype)?;
            }
            self.shape = Some(shape.clone());
        }
        let mut row = reused(std::mem::take(&mut self.spare));
        for (guess, (cell, (name, _))) in parsed.cells.into_iter().zip(&shape.columns).enumerate() {
            row.push((self.index(name, guess), cell));
        }
        let pushed = self.push_cells_of(&mut row);
        row.clear();
        self.spare = reused(row);
        pushed
    }

    /// Reads an object as cells with their columns.
    fn read<'a>(
        &mut self,
        payload: &'a [u8],
        row: &mut Vec<(usize, Cell<'a>)>,
    ) -> Result<(), String> {
        let mut scan = Scan::object(payload)?;
        loop {
            let guess = row.len();
            let expected = self
                .columns
                .get(guess)
                .map(|column| column.quoted.as_slice());
            let index = match scan.key(expected)? {
                None => return Ok(()),
                Some(Key::Expected) => guess,
                Some(Key::Other(name)) => self.index(&name, guess),
            };
            row.push((index, scan.value()?));
        }
    }

    /// Checks every cell before any is stored, so that a rejected row leaves nothing behind.
    fn push_cells_of(&mut self, row: &mut Vec<(usize, Cell<'_>)>) -> Result<(), String> {
        let in_order = row.len() == self.columns.len()
            && (0..).zip(&*row).all(|(at, (index, _))| at == *index);
        if !in_order {
            return self.push_row(std::mem::take(row));
        }
        for ((_, cell), column) in row.iter_mut().zip(&self.columns) {
            if let Some(fitted) = column.fitted(cell)? {
                *cell = fitted;
            }
        }
        for ((_, cell), column) in row.drain(..).zip(&mut self.columns) {
            column.push(textual(column, cell));
        }
        self.rows += 1;
        Ok(())
    }

    fn push_row(&mut self, row: Vec<(usize, Cell<'_>)>) -> Result<(), String> {
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.columns.len());
        cells.resize(self.columns.len(), Cell::Null);
        for (index, cell) in row {
            cells[index] = self.columns[index].fitted(&cell)?.unwrap_or(cell);
        }
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(textual(column, cell));
        }
        self.rows += 1;
        Ok(())
    }

    /// Finds a column, most likely the one at `guess`; makes it where it is new.
    fn index(&mut self, name: &str, guess: usize) -> usize {
        if self
            .columns
            .get(guess)
            .is_some_and(|column| column.name == name)
        {
            return guess;
        }
        if let Some(index) = self.columns.iter().position(|column| column.name == name) {
            return index;
        }
        self.columns
            .push(Column::new(PlSmallStr::from(name), None, self.rows));
        self.columns.len() - 1
    }
}

/// Returns the same room for cells of another lifetime: nothing is in it.
fn reused<'a>(mut row: Vec<(usize, Cell<'_>)>) -> Vec<(usize, Cell<'a>)> {
    row.clear();
    row.into_iter()
        .map(|_| unreachable!("it is empty"))
        .collect()
}

/// Returns the rejected records as a frame: record (topic's partition and offset, or file and line),
/// reason, bytes (str: the record's first 4,096 bytes, with `\u{fffd}` for what is not UTF-8).
pub(crate) fn rejected_frame(rejected: &[Rejected]) -> Result<DataFrame> {
    let column = |name: &str, pick: fn(&Rejected) -> &str| {
        Series::new(name.into(), rejected.iter().map(pick).collect::<Vec<_>>()).into()
    };
    let bytes = rejected
        .iter()
        .map(|rejected| String::from_utf8_lossy(&rejected.bytes).into_owned());
    let columns = vec![
        column("record", |rejected| &rejected.place),
        column("reason", |rejected| &rejected.why),
        Series::new("bytes".into(), bytes.collect::<Vec<_>>()).into(),
    ];
    Ok(DataFrame::new(rejected.len(), columns)?)
}

/// An untyped column that mixes kinds becomes text; this makes the new value text too.
#[inline]
fn textual<'a>(column: &Column, cell: Cell<'a>) -> Cell<'a> {
    match column.is_text() || column.needs_text(&cell) {
        true => as_text(cell),
        false => cell,
    }
}

#[cold]
fn as_text(cell: Cell<'_>) -> Cell<'_> {
    match cell {
        Cell::Bool(value) => Cell::Text(Cow::Owned(value.to_string())),
        Cell::Int(value) => Cell::Text(Cow::Owned(value.to_string())),
        Cell::Float(value) => Cell::Text(Cow::Owned(value.to_string())),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the frame of some records, and how many were rejected.
    fn decoded(records: &[&str]) -> (DataFrame, u64) {
        let mut decoder = Decoder::default();
        for record in records {
            decoder.push(record.as_bytes(), None, || "here".into());
        }
        (decoder.take().unwrap(), decoder.rejected_count())
    }

    #[test]
    fn keys_in_another_order_with_white_space_or_escaped_are_the_same_columns() {
        let (plain, _) = decoded(&[r#"{"a":1,"b":"x"}"#, r#"{"a":2,"b":"y"}"#]);
        let (odd, rejected) = decoded(&[
            r#"{"a":1,"b":"x"}"#,
            " { \"b\" : \"y\" ,\n\"\\u0061\" : 2 } ",
        ]);
        assert!(odd.equals(&plain) && rejected == 0);
    }

    #[test]
    fn what_is_no_object_says_where() {
        for (record, why) in [
            ("", "expected `{` at byte 0"),
            ("[1]", "expected `{` at byte 0"),
            ("{\"a\":1", "expected `}` at byte 6"),
            ("{\"a\":1,}", "expected text in quotes at byte 7"),
            ("{\"a\":1 \"b\":2}", "expected `}` at byte 7"),
            ("{\"a\":1}{", "something follows the object at byte 7"),
            ("{\"a\":01}", "expected a number at byte 5"),
            ("{\"a\":1.}", "expected a number at byte 5"),
            (
                "{\"a\":\"x\ny\"}",
                "text without its closing quote at byte 5",
            ),
            (
                "{\"a\":\"x\\\"}",
                "text without its closing quote at byte 5",
            ),
            ("{\"a\":nul}", "expected `null` at byte 5"),
            ("{,\"a\":1}", "expected text in quotes at byte 1"),
        ] {
            let mut decoder = Decoder::default();
            decoder.push(record.as_bytes(), None, || "here".into());
            assert!(
                decoder.rejected()[0].why.contains(why),
                "{record:?}: {}",
                decoder.rejected()[0].why
            );
        }
        let mut decoder = Decoder::default();
        decoder.push(b"{\"a\":\"\xff\"}", None, || "here".into());
        assert!(
            decoder.rejected()[0].why.contains("not UTF-8 at byte 6"),
            "{}",
            decoder.rejected()[0].why
        );
    }

    proptest! {
        /// Whatever the bytes, a record is a row or rejected, and nothing is half stored.
        #[test]
        fn any_bytes_are_a_row_or_rejected(
            records in proptest::collection::vec(prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..30),
                "\\{\"[ab]\": ?(-?[0-9]{1,20}(\\.[0-9]{1,9})?(e[0-9])?|\"[a-z\\\\\"]{0,4}\"|null|true|\\[1\\])(,\"[abc]\":[0-9])?\\}?"
                    .prop_map(String::into_bytes),
            ], 0..20)
        ) {
            let mut decoder = Decoder::default();
            for record in &records {
                decoder.push(record, None, || "here".into());
            }
            let rows = decoder.rows();
            prop_assert_eq!(rows as u64 + decoder.rejected_count(), records.len() as u64);
            prop_assert_eq!(decoder.take().unwrap().height(), rows);
        }

        /// What serde_json reads as an object of plain values is read as the same values.
        #[test]
        fn objects_are_those_of_serde_json(whole in any::<i64>(), float in -1e12f64..1e12, text in "\\PC{0,12}", truth in any::<bool>()) {
            let object = serde_json::json!({"f": float, "n": null, "s": text, "t": truth, "w": whole});
            let (frame, rejected) = decoded(&[&object.to_string()]);
            prop_assert_eq!(rejected, 0);
            prop_assert_eq!(frame.column("w").unwrap().i64().unwrap().get(0), Some(whole));
            prop_assert_eq!(frame.column("f").unwrap().f64().unwrap().get(0), Some(float));
            prop_assert_eq!(frame.column("t").unwrap().bool().unwrap().get(0), Some(truth));
            if let Ok(texts) = frame.column("s").unwrap().str() {
                prop_assert_eq!(texts.get(0), Some(text.as_str()));
            }
        }
    }
}
