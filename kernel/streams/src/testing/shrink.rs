//! Finds the smallest input that still fails.

use polars::prelude::*;

use super::times::timed;
use crate::Result;
use crate::query::{Batches, Query};
use crate::table::frame_text;

/// The smallest input that was found.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The micro-batches that are left.
    pub batches: Vec<DataFrame>,
    /// How many runs it took.
    pub runs: usize,
}

/// Leaves rows out of failing micro-batches for as long as `holds` still does not hold; nothing where
/// it holds for all of them.
///
/// Whole batches are left out first, then halves, quarters and so on of the rows, down to single ones
/// (the delta debugging of Zeller and Hildebrandt, 2002), so that no row of what comes back can be
/// spared.
///
/// # Errors
/// When the query cannot run over the frames at all.
pub fn shrink(
    query: &Query,
    batches: &[DataFrame],
    holds: impl Fn(&Batches) -> bool,
) -> Result<Option<Shrunk>> {
    let column = query.running("the frame").clock.column;
    let timed = batches.iter().map(|rows| timed(rows, &column));
    let batches = timed.collect::<Result<Vec<DataFrame>>>()?;
    let mut runs = 0;
    let mut fails = |batches: &[DataFrame]| -> Result<bool> {
        runs += 1;
        Ok(!holds(&query.run_batches(batches)?))
    };
    if !fails(&batches)? {
        return Ok(None);
    }
    let mut left = batches;
    let mut index = 0;
    // A property may look at the last batch: at least one is left.
    while index < left.len() && left.len() > 1 {
        let mut fewer = left.clone();
        fewer.remove(index);
        match fails(&fewer)? {
            true => left = fewer,
            false => index += 1,
        }
    }
    for index in 0..left.len() {
        let mut size = left[index].height().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            while from < left[index].height() {
                let mut fewer = left.clone();
                fewer[index] = without(&left[index], from, size)?;
                match fewer[index].height() > 0 && fails(&fewer)? {
                    true => left = fewer,
                    false => from += size,
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    Ok(Some(Shrunk {
        batches: left,
        runs,
    }))
}

/// Returns a frame without `size` of its rows.
fn without(frame: &DataFrame, from: usize, size: usize) -> Result<DataFrame> {
    let mut rest = frame.slice(0, from);
    rest.vstack_mut(&frame.slice((from + size) as i64, usize::MAX))?;
    Ok(rest)
}

impl Shrunk {
    /// Returns the batches as text.
    pub fn text(&self) -> String {
        let batch = |(number, rows): (usize, &DataFrame)| {
            format!("batch {number}\n{}", frame_text(rows, 20))
        };
        let batches: Vec<String> = self.batches.iter().enumerate().map(batch).collect();
        let rows: usize = self.batches.iter().map(DataFrame::height).sum();
        format!(
            "{rows} rows still fail, after {} runs\n{}",
            self.runs,
            batches.join("\n")
        )
    }

    /// Shows the batches as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.text()));
    }
}
