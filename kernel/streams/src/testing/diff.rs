//! What two results differ in, side by side.

use polars::prelude::*;

use super::compare::{is_close, texts};
use crate::{Error, Result};

/// How many differing rows are shown.
const SHOWN: usize = 10;

/// Says how `got` differs from `expected` in the columns of `expected`; nothing where it does not.
/// The order of rows does not count.
pub(super) fn diff(expected: &DataFrame, got: &DataFrame) -> Result<Option<String>> {
    let names: Vec<String> = expected
        .get_column_names()
        .iter()
        .map(|name| name.to_string())
        .collect();
    if let Some(missing) = names
        .iter()
        .find(|name| got.width() > 0 && got.column(name).is_err())
    {
        return Err(Error::unknown_column(
            missing,
            "what the query gives out",
            got.schema(),
        ));
    }
    let (mut missing, mut extra) = (texts(expected, &names)?, texts(got, &names)?);
    let (expected_rows, got_rows) = (missing.len(), extra.len());
    missing.retain(
        |row| match extra.iter().position(|there| is_same(there, row)) {
            Some(found) => {
                extra.remove(found);
                false
            }
            None => true,
        },
    );
    if missing.is_empty() && extra.is_empty() {
        return Ok(None);
    }
    let mut lines = vec![format!(
        "{expected_rows} rows expected, {got_rows} given out; {}",
        names.join(" | ")
    )];
    // Rows that agree in their first cells are one row that differs.
    for row in missing.iter().take(SHOWN) {
        let near = extra
            .iter()
            .position(|there| alike(there, row) * 2 >= row.len().max(1));
        match near {
            Some(near) => lines.push(beside(row, &extra.remove(near))),
            None => lines.push(format!("- {}", row.join(" | "))),
        }
    }
    lines.extend(
        extra
            .iter()
            .take(SHOWN)
            .map(|row| format!("+ {}", row.join(" | "))),
    );
    let left_out = missing.len().saturating_sub(SHOWN) + extra.len().saturating_sub(SHOWN);
    if left_out > 0 {
        lines.push(format!("and {left_out} more rows that differ"));
    }
    Ok(Some(lines.join("\n")))
}

fn is_same(a: &[String], b: &[String]) -> bool {
    a.iter().zip(b).all(|(a, b)| is_close(a, b))
}

fn alike(a: &[String], b: &[String]) -> usize {
    a.iter().zip(b).filter(|(a, b)| is_close(a, b)).count()
}

/// Shows one row, with both values where they differ.
fn beside(expected: &[String], got: &[String]) -> String {
    let cell = |(expected, got): (&String, &String)| match is_close(expected, got) {
        true => expected.clone(),
        false => format!("[{expected} expected, got {got}]"),
    };
    let cells: Vec<String> = expected.iter().zip(got).map(cell).collect();
    format!("~ {}", cells.join(" | "))
}
