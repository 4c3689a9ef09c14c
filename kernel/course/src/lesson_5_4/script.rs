//! The eighteen readings of demo D2: four micro-batches that show every rule of the watermark.

use polars::prelude::*;

/// 2025-11-03 12:00:00 UTC, in seconds since 1970: a multiple of every window in the lesson.
pub(crate) const NOON: i64 = 1_762_171_200;

/// Seconds after noon, and the level in centimetres, of each reading, batch for batch.
const READINGS: [&[(i64, f64)]; 4] = [
    &[(1, 210.0), (4, 212.0), (8, 215.0), (12, 216.0)],
    &[
        (13, 219.0),
        (6, 213.0),
        (19, 222.0),
        (22, 226.0),
        (15, 220.0),
    ],
    &[
        (17, 221.0),
        (24, 229.0),
        (9, 214.0),
        (26, 231.0),
        (21, 225.0),
    ],
    &[(3, 211.0), (11, 217.0), (33, 240.0), (35, 243.0)],
];

/// Returns the script: four frames, one a micro-batch, 18 readings together.
///
/// Columns: event_time and arrival_time (datetimes in microseconds, UTC), gauge (str), level_cm (f64). Batch
/// `k` arrives between ten times `k + 1` and ten times `k + 2` seconds after noon.
///
/// # Errors
/// Never in practice; the signature is that of every call that makes a frame.
pub fn gauge_script() -> PolarsResult<Vec<DataFrame>> {
    (1..)
        .zip(READINGS)
        .map(|(tens, batch)| frame(tens, batch))
        .collect()
}

fn frame(tens: i64, batch: &[(i64, f64)]) -> PolarsResult<DataFrame> {
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let at: Vec<i64> = batch
        .iter()
        .map(|(second, _)| (NOON + second) * 1_000_000)
        .collect();
    let level: Vec<f64> = batch.iter().map(|(_, level)| *level).collect();
    let arrival: Vec<i64> = (0..batch.len() as i64)
        .map(|row| (NOON + 10 * tens + 2 + row) * 1_000_000)
        .collect();
    let mut frame = df!(
        "event_time" => at,
        "arrival_time" => arrival,
        "gauge" => vec!["G03"; batch.len()],
        "level_cm" => level,
    )?;
    for name in ["event_time", "arrival_time"] {
        let times = frame.column(name)?.cast(&utc)?;
        frame.with_column(times)?;
    }
    Ok(frame)
}

/// Returns the column `event_time` of each frame in whole seconds since 1970, rounded down; rows
/// without a time are left out.
///
/// # Errors
/// When a frame has no such column, or its dtype is no time.
pub fn event_seconds(frames: &[DataFrame], column: &str) -> PolarsResult<Vec<Vec<i64>>> {
    let micros = DataType::Datetime(TimeUnit::Microseconds, None);
    frames
        .iter()
        .map(|frame| {
            if frame.height() == 0 {
                return Ok(vec![]);
            }
            let times = frame
                .column(column)?
                .cast(&micros)?
                .cast(&DataType::Int64)?;
            let times = times.i64()?.iter().flatten();
            Ok(times.map(|at| at.div_euclid(1_000_000)).collect())
        })
        .collect()
}
