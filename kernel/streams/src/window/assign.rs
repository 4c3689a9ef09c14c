//! Puts rows into windows.

use polars::prelude::*;

use super::WindowSpec;
use crate::Result;

/// Names the column that holds a row's window start, in epoch microseconds.
pub(super) const START: &str = "__start";

/// Returns every row once for every window it falls into, with the window's start in [`START`].
/// Rows whose time is null fall into none.
pub(super) fn assign(
    rows: &DataFrame,
    times: &Int64Chunked,
    spec: WindowSpec,
) -> Result<DataFrame> {
    let mut assigned: Option<DataFrame> = None;
    // A size that is no multiple of the slide gives some events one window more than others.
    let most = spec.size.div_euclid(spec.slide) + i64::from(spec.size % spec.slide != 0);
    for hop in 0..most {
        let starts = times.apply_values(|time| {
            time - (time - spec.offset).rem_euclid(spec.slide) - hop * spec.slide
        });
        let inside = |(start, time): (Option<i64>, Option<i64>)| {
            start
                .zip(time)
                .is_some_and(|(start, time)| start > time - spec.size)
        };
        let mask: BooleanChunked = starts.iter().zip(times.iter()).map(inside).collect();
        let mut part = rows.clone();
        part.with_column(starts.with_name(START.into()).into_series().into())?;
        if !mask.all() {
            part = part.filter(&mask)?;
        }
        match &mut assigned {
            None => assigned = Some(part),
            Some(assigned) => drop(assigned.vstack_mut(&part)?),
        }
    }
    Ok(assigned.expect("an event is tried for at least one window"))
}
