//! Readings of river gauges: what the producers of this lesson send.

use polars::prelude::{DataFrame, PolarsResult, df};

/// Returns readings of six river gauges, `each` of every one, in turn: gauge (str), seq (i64),
/// level_cm (f64).
///
/// # Errors
/// Never in practice; the signature is that of every call that makes a frame.
pub fn gauge_readings(each: usize) -> PolarsResult<DataFrame> {
    let rows: Vec<(usize, usize)> = (0..each)
        .flat_map(|seq| (1..=6).map(move |gauge| (gauge, seq)))
        .collect();
    // A slow wave, another for each gauge.
    let level = |(gauge, seq): &(usize, usize)| {
        let at = *seq as f64 / 5.0 + *gauge as f64;
        (120.0 + 10.0 * *gauge as f64 + 8.0 * at.sin()).round()
    };
    df!(
        "gauge" => rows.iter().map(|(gauge, _)| format!("G{gauge:02}")).collect::<Vec<_>>(),
        "seq" => rows.iter().map(|(_, seq)| *seq as i64).collect::<Vec<_>>(),
        "level_cm" => rows.iter().map(level).collect::<Vec<_>>(),
    )
}
