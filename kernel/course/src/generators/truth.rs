//! What was put into generated data on purpose.

use polars::prelude::*;

/// Midnight at the start of 2026 (UTC), in epoch milliseconds: generated event time starts here.
pub(super) const EPOCH_MS: i64 = 1_767_225_600_000;

/// The faults of a data set, in the making.
#[derive(Default)]
pub(super) struct Truth {
    faults: Vec<Fault>,
}

/// One fault. Times are milliseconds since [`EPOCH_MS`].
pub(super) struct Fault {
    pub kind: &'static str,
    /// Whom or what it concerns: a service, a gauge, an event.
    pub subject: String,
    pub start: i64,
    pub end: i64,
    /// How many rows it concerns.
    pub rows: i64,
    /// How strong it is; what it measures is in the documentation of the data set.
    pub size: f64,
}

impl Truth {
    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Returns the faults in the order of their starts.
    pub fn frame(mut self) -> PolarsResult<DataFrame> {
        self.faults
            .sort_by(|a, b| (a.start, a.kind, &a.subject).cmp(&(b.start, b.kind, &b.subject)));
        let all = &self.faults;
        df!(
            "fault" => all.iter().map(|fault| fault.kind).collect::<Vec<_>>(),
            "subject" => all.iter().map(|fault| fault.subject.as_str()).collect::<Vec<_>>(),
            "start" => all.iter().map(|fault| fault.start).collect::<Vec<_>>(),
            "end" => all.iter().map(|fault| fault.end).collect::<Vec<_>>(),
            "rows" => all.iter().map(|fault| fault.rows).collect::<Vec<_>>(),
            "size" => all.iter().map(|fault| fault.size).collect::<Vec<_>>(),
        )
        .and_then(|frame| with_times(frame, &["start", "end"]))
    }
}

/// Turns columns of milliseconds since [`EPOCH_MS`] into times (datetime in microseconds, UTC).
pub(super) fn with_times(mut frame: DataFrame, columns: &[&str]) -> PolarsResult<DataFrame> {
    for name in columns {
        let micros = frame
            .column(name)?
            .i64()?
            .apply_values(|time| (EPOCH_MS + time) * 1000);
        let times = micros.into_series().cast(&DataType::Datetime(
            TimeUnit::Microseconds,
            Some(TimeZone::UTC),
        ))?;
        frame.with_column(times.into_column())?;
    }
    Ok(frame)
}
