//! Demo D8: readings of river gauges, of which one sends half.

use headwater_streams::Result;
use polars::prelude::{DataFrame, df};

use crate::event_time;
use crate::random::Random;

/// The gauge that sends half of all readings, and how many others there are.
const HOT: &str = "G07";
const OTHERS: i64 = 23;
/// So long are the readings, from 2026-01-01 00:00 UTC on.
const SPAN_US: i64 = 600_000_000;
const FROM_US: i64 = 1_767_225_600_000_000;

/// Returns readings of 24 gauges over ten minutes, every second one of gauge `G07`: seq (i64), gauge
/// (str), event_time (datetime, UTC), level_mm (i64).
///
/// # Errors
/// Never in practice; the signature is that of every call that makes a frame.
pub fn hot_readings(count: usize) -> Result<DataFrame> {
    let mut random = Random::seeded(56);
    let numbers: Vec<i64> = (0..count as i64).collect();
    let gauge = |seq: &i64| match seq % 2 {
        0 => HOT.to_owned(),
        _ => {
            let other = seq / 2 % OTHERS + 1;
            format!("G{:02}", if other < 7 { other } else { other + 1 })
        }
    };
    // Mostly calm, at times a surge: the middle value is far from the mean.
    let levels: Vec<i64> = numbers
        .iter()
        .map(|_| match random.between(0, 10) {
            0..7 => random.between(1_200, 1_260),
            _ => random.between(1_260, 2_400),
        })
        .collect();
    let at = |seq: &i64| FROM_US + seq * SPAN_US / (count.max(1) as i64);
    let frame = df!(
        "seq" => numbers.clone(),
        "gauge" => numbers.iter().map(gauge).collect::<Vec<_>>(),
        "event_time" => numbers.iter().map(at).collect::<Vec<_>>(),
        "level_mm" => levels,
    )?;
    Ok(event_time::in_utc(frame, "event_time")?)
}
