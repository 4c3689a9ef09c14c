//! The rows that came too late: kept with the window that each missed, and why.

use polars::prelude::*;

use crate::{Error, Result, replay, time};

/// The columns that stand before those of a late row.
const OURS: [&str; 3] = ["window_start", "window_end", "late_by"];

/// Returns late rows behind the window that each missed, and by how long.
///
/// Columns: window_start, window_end (datetime in microseconds, UTC), late_by (duration in
/// microseconds: how far the watermark had passed the window's end), then those of the row; one of
/// them that has the name of one of ours is called `.._of_row`.
pub(super) fn late_rows(
    rows: &DataFrame,
    late: &[(u32, i64)],
    span: i64,
    late_before: i64,
) -> Result<DataFrame> {
    let index = late.iter().map(|(row, _)| *row as IdxSize).collect();
    let bounds = late.iter().map(|(_, start)| Some((*start, start + span)));
    let late_by = late.iter().map(|(_, start)| late_before - (start + span));
    with_lateness(rows, index, bounds.collect(), late_by.collect())
}

/// Returns events that came after the watermark had passed them, in the form of [`late_rows`]: they
/// missed no window (window_start and window_end are null), they were late themselves.
pub(crate) fn late_events(
    rows: &DataFrame,
    late: &[IdxSize],
    times: &Int64Chunked,
    late_before: i64,
) -> Result<DataFrame> {
    let time = |row: &IdxSize| times.get(*row as usize).unwrap_or(late_before);
    let late_by = late.iter().map(|row| late_before - time(row)).collect();
    with_lateness(rows, late.to_vec(), vec![None; late.len()], late_by)
}

fn with_lateness(
    rows: &DataFrame,
    index: Vec<IdxSize>,
    bounds: Vec<Option<(i64, i64)>>,
    late_by: Vec<i64>,
) -> Result<DataFrame> {
    let missed = rows.take(&IdxCa::from_vec("row".into(), index))?;
    let times = |name: &str, pick: fn((i64, i64)) -> i64| -> Column {
        let times: Int64Chunked = bounds.iter().map(|bounds| bounds.map(pick)).collect();
        let times = times.with_name(name.into());
        times
            .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
            .into_series()
            .into()
    };
    let late_by = Int64Chunked::from_vec("late_by".into(), late_by);
    let mut columns = vec![
        times("window_start", |bounds| bounds.0),
        times("window_end", |bounds| bounds.1),
        late_by
            .into_duration(TimeUnit::Microseconds)
            .into_series()
            .into(),
    ];
    for column in missed.columns() {
        let mut column = column.clone();
        if OURS.contains(&column.name().as_str()) {
            column.rename(format!("{}_of_row", column.name()).into());
        }
        columns.push(column);
    }
    Ok(DataFrame::new(bounds.len(), columns)?)
}

/// Says why a row of a frame of late rows was not counted, and which watermark would have done.
pub(crate) fn why_late(
    late: &DataFrame,
    row: usize,
    at: &str,
    delay: Option<i64>,
) -> Result<String> {
    if row >= late.height() {
        let hint = match late.height() {
            0 => ".late()? shows that no row was late".into(),
            rows => format!("a row from 0 to {}", rows - 1),
        };
        return Err(Error::new(format!("there is no late row {row}"))
            .have(format!("{} late rows", late.height()))
            .hint(hint));
    }
    let place = "the late rows";
    let at = match OURS.contains(&at) {
        true => format!("{at}_of_row"),
        false => at.to_owned(),
    };
    let micros = |column: &str| -> Result<Option<i64>> {
        Ok(replay::micros_of(late, column, place)?.get(row))
    };
    let event = micros(&at)?.unwrap_or_default();
    let late_by = late
        .column("late_by")?
        .duration()?
        .physical()
        .get(row)
        .unwrap_or_default();
    let needed = delay.unwrap_or_default().saturating_add(late_by);
    let (Some(start), Some(end)) = (micros("window_start")?, micros("window_end")?) else {
        return Ok(format!(
            "the event of {} came when the watermark stood at {}, and what has been there before is \
             forgotten by then. A watermark more than {} behind would have let it pass",
            time::show(event),
            time::show(event + late_by),
            time::show_span(needed),
        ));
    };
    Ok(format!(
        "the event of {} belongs to the window from {} to {}; the watermark stood at {} when it \
         came, so that window had been final for {}. A watermark more than {} behind would have \
         counted it",
        time::show(event),
        time::show(start),
        time::show(end),
        time::show(end + late_by),
        time::show_span(late_by),
        time::show_span(needed),
    ))
}
