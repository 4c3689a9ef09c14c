//! Reads CSV (RFC 4180: quotes, doubled quotes, line breaks inside quotes).
//!
//! Polars has a faster reader, but it either stops at the first bad line or makes it null; a
//! lesson on bad input needs the line, and the rows around it.

use std::borrow::Cow;
use std::io::BufRead;
use std::path::Path;

use polars::prelude::{DataType, PlSmallStr, TimeUnit, TimeZone};

use super::{Loaded, finish, unreadable};
use crate::record::cell::Cell;
use crate::record::decode::Decoder;
use crate::{Error, Result, time};

/// How many rows decide what a column holds.
const SAMPLE: usize = 1000;

/// One row of text fields and the line it starts on.
struct Row {
    line: usize,
    fields: Vec<String>,
}

pub(super) fn read(path: &Path, from: impl BufRead) -> Result<Loaded> {
    let mut rows = Rows { from, line: 0 };
    let header = rows
        .next()
        .transpose()
        .map_err(|cause| unreadable(path, cause))?;
    let Some(header) =
        header.filter(|header| header.fields.iter().any(|field| !field.trim().is_empty()))
    else {
        return Err(
            Error::missing_data(format!("{} has no header line", path.display()))
                .have("line 1 is empty")
                .hint("a first line with the column names, separated by commas"),
        );
    };
    let names: Vec<PlSmallStr> = header
        .fields
        .iter()
        .map(|field| field.trim().trim_start_matches('\u{feff}').into())
        .collect();
    check_names(path, &names)?;
    let rows = rows
        .collect::<std::io::Result<Vec<Row>>>()
        .map_err(|cause| unreadable(path, cause))?;
    let dtypes: Vec<DataType> = (0..names.len())
        .map(|column| infer(&rows, column, names.len()))
        .collect();
    let mut decoder = Decoder::default();
    for (name, dtype) in names.iter().zip(&dtypes) {
        decoder
            .declare(name, dtype)
            .expect("a new column takes any dtype");
    }
    for row in &rows {
        let pushed =
            cells(row, &names, &dtypes).and_then(|cells| decoder.push_cells(&names, cells));
        if let Err(why) = pushed {
            let place = format!("{} line {}", path.display(), row.line);
            decoder.reject(place, why, row.fields.join(",").as_bytes());
        }
    }
    finish(decoder, path)
}

fn check_names(path: &Path, names: &[PlSmallStr]) -> Result<()> {
    for (index, name) in names.iter().enumerate() {
        let twice = names[..index].contains(name);
        if name.is_empty() || twice {
            let what = if twice {
                format!("column `{name}` stands there twice")
            } else {
                format!("column {} has no name", index + 1)
            };
            return Err(
                Error::new(format!("the header of {} cannot be used", path.display()))
                    .have(format!("line 1: {what}"))
                    .hint("a first line with one different name a column"),
            );
        }
    }
    Ok(())
}

/// Decides what a column holds from the first rows that have the right number of fields.
///
/// The most common kind wins, where nine in ten values are of it: one bad value must not turn a
/// column of numbers into text.
fn infer(rows: &[Row], column: usize, width: usize) -> DataType {
    let fields = rows
        .iter()
        .filter(|row| row.fields.len() == width)
        .map(|row| row.fields[column].trim());
    let sample: Vec<&str> = fields
        .filter(|field| !is_null(field))
        .take(SAMPLE)
        .collect();
    let most = |test: &dyn Fn(&str) -> bool| {
        !sample.is_empty()
            && sample.iter().filter(|field| test(field)).count() * 10 >= sample.len() * 9
    };
    let zoned = || {
        sample
            .iter()
            .any(|field| time::parse(field).is_some_and(|(_, zoned)| zoned))
    };
    if most(&|field| field.parse::<i64>().is_ok()) {
        DataType::Int64
    } else if most(&|field| field.parse::<f64>().is_ok()) {
        DataType::Float64
    } else if most(&|field| matches!(field, "true" | "false")) {
        DataType::Boolean
    } else if most(&|field| field.len() > 10 && time::parse(field).is_some()) {
        DataType::Datetime(TimeUnit::Microseconds, zoned().then_some(TimeZone::UTC))
    } else if most(&|field| time::parse(field).is_some()) {
        DataType::Date
    } else {
        DataType::String
    }
}

fn cells<'a>(
    row: &'a Row,
    names: &[PlSmallStr],
    dtypes: &[DataType],
) -> std::result::Result<Vec<Cell<'a>>, String> {
    if row.fields.len() != names.len() {
        return Err(format!(
            "{} fields, the header has {}",
            row.fields.len(),
            names.len()
        ));
    }
    let read = |((field, name), dtype): ((&'a String, &PlSmallStr), &DataType)| {
        cell(field, dtype).ok_or_else(|| format!("column `{name}` is {dtype}, found {field:?}"))
    };
    row.fields.iter().zip(names).zip(dtypes).map(read).collect()
}

fn cell<'a>(field: &'a str, dtype: &DataType) -> Option<Cell<'a>> {
    let trimmed = field.trim();
    if is_null(trimmed) {
        return Some(Cell::Null);
    }
    Some(match dtype {
        DataType::Int64 => Cell::Int(trimmed.parse().ok()?),
        DataType::Float64 => Cell::Float(trimmed.parse().ok()?),
        DataType::Boolean => Cell::Bool(trimmed.parse().ok()?),
        DataType::String => Cell::Text(Cow::Borrowed(field)),
        _ => time::parse(trimmed).map(|_| Cell::Text(Cow::Borrowed(trimmed)))?,
    })
}

fn is_null(field: &str) -> bool {
    matches!(field, "" | "NA" | "null")
}

/// Splits the file into rows.
struct Rows<R> {
    from: R,
    line: usize,
}

impl<R: BufRead> Rows<R> {
    fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut bytes = Vec::new();
        if self.from.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        Ok(Some(
            String::from_utf8_lossy(&bytes)
                .trim_end_matches(['\n', '\r'])
                .to_owned(),
        ))
    }

    fn row(&mut self) -> std::io::Result<Option<Row>> {
        loop {
            let Some(mut text) = self.line()? else {
                return Ok(None);
            };
            let line = self.line;
            if text.is_empty() && line > 1 {
                continue;
            }
            // An open quote goes on in the next line; a thousand lines are a forgotten quote.
            while text.matches('"').count() % 2 == 1 && self.line - line < 1000 {
                let Some(next) = self.line()? else { break };
                text.push('\n');
                text.push_str(&next);
            }
            return Ok(Some(Row {
                line,
                fields: split(&text),
            }));
        }
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = std::io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.row().transpose()
    }
}

fn split(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut().expect("there is always one field");
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => field.push(letter),
        }
    }
    fields
}
