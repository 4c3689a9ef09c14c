//! The bicycle ride with two faults planted in it: the noise is real, the truth is ours.

use headwater_streams::{Result, dataset};
use polars::prelude::*;

/// Midnight at the start of 2026 (UTC), in epoch microseconds: the ride has no date of its own.
const START_US: i64 = 1_767_225_600_000_000;
const SECOND: i64 = 1_000_000;
/// From and to in seconds after the start, and how many watts the meter shows too much.
const SPIKE: (i64, i64, i64) = (1_500, 1_540, 400);
const STEP: (i64, i64, i64) = (2_700, 3_300, 150);

/// The ride, as windows, with the truth about what was planted.
#[derive(Debug, Clone)]
pub struct PlantedRide {
    windows: DataFrame,
    truth: DataFrame,
}

impl PlantedRide {
    /// Plants a spike (40 s, 400 W) and a step (10 min, 150 W) into the power meter of the ride.
    ///
    /// # Errors
    /// When the data set `ride` is not there.
    pub fn open() -> Result<PlantedRide> {
        let ride = dataset("ride")?;
        let times = ride.column("t_s")?.i32()?.clone();
        let power = ride.column("power")?.i64()?.clone();
        let rows: Vec<(i64, i64)> = times
            .iter()
            .zip(power.iter())
            .filter_map(|(at, power)| Some((i64::from(at?), power?)))
            .collect();
        let planted = |at: i64| -> i64 {
            let within = [SPIKE, STEP]
                .into_iter()
                .filter(|(from, to, _)| (*from..*to).contains(&at));
            within.map(|(_, _, watts)| watts).sum()
        };
        let frame = df!(
            "event_time" => rows.iter().map(|(at, _)| START_US + at * SECOND).collect::<Vec<_>>(),
            "power_w" => rows.iter().map(|(at, power)| (power + planted(*at)) as f64).collect::<Vec<_>>(),
        )?;
        let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let start = (col("event_time") / lit(10 * SECOND) * lit(10 * SECOND)).cast(utc.clone());
        let windows = frame
            .lazy()
            .group_by([start.alias("window_start")])
            .agg([col("power_w").mean()])
            .sort(["window_start"], SortMultipleOptions::default())
            .with_columns([lit("ride").alias("service")])
            .collect()?;
        let truth = df!(
            "fault" => ["spike", "step"],
            "subject" => ["ride", "ride"],
            "start" => [SPIKE.0, STEP.0].map(|at| START_US + at * SECOND),
            "end" => [SPIKE.1, STEP.1].map(|at| START_US + at * SECOND),
        )?
        .lazy()
        .with_columns([col("start").cast(utc.clone()), col("end").cast(utc)])
        .collect()?;
        Ok(PlantedRide { windows, truth })
    }

    /// Returns windows of ten seconds: window_start (datetime in microseconds UTC), power_w (f64, the
    /// mean), service (str, `ride`).
    pub fn windows(&self) -> &DataFrame {
        &self.windows
    }

    /// Returns what was planted: fault and subject (str), start and end (datetime in microseconds UTC).
    pub fn truth(&self) -> &DataFrame {
        &self.truth
    }
}
