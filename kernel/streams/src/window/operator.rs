//! The window operator: batches in, finished or changed windows out.

use polars::prelude::*;

use super::assign::{START, assign};
use super::state::{State, split_ended};
use super::{Aggregates, Batch, OutputMode, WindowSpec};
use crate::{Error, Result, replay, time};

/// Groups the rows of batch after batch by window and keys.
#[derive(Clone)]
pub(crate) struct Windower {
    pub spec: WindowSpec,
    pub time: String,
    pub keys: Vec<String>,
    pub aggregates: Aggregates,
    pub mode: OutputMode,
    state: State,
    /// The columns of the last result, for a result without rows.
    empty: Option<DataFrame>,
}

/// What one batch brought about.
pub(crate) struct Emission {
    /// What the output mode gives out: window_start, window_end, keys, aggregates.
    pub rows: DataFrame,
    /// The windows that became final, whatever the mode.
    pub closed: DataFrame,
    /// The rows that came too late, with the window that each missed.
    pub late: DataFrame,
    /// Rows whose event time is null.
    pub without_time: usize,
    /// Groups that came too late; Spark's numRowsDroppedByWatermark.
    pub dropped_groups: usize,
    /// Groups that the batch changed.
    pub updated: usize,
    /// Groups that became final.
    pub removed: usize,
    /// Groups in the state afterwards.
    pub state_rows: usize,
}

impl Windower {
    pub fn new(
        spec: WindowSpec,
        time: &str,
        keys: Vec<String>,
        aggregates: Aggregates,
        mode: OutputMode,
    ) -> Windower {
        Windower {
            spec,
            time: time.into(),
            keys,
            aggregates,
            mode,
            state: State::default(),
            empty: None,
        }
    }

    /// Takes one micro-batch in and returns what it brought about.
    pub fn push(&mut self, batch: &Batch, place: &str) -> Result<Emission> {
        let mut emission = Emission::nothing(self.finish(None)?);
        let mut changed = None;
        if batch.rows.height() > 0 {
            self.check_columns(&batch.rows, place)?;
            let times = replay::micros_of(&batch.rows, &self.time, place)?;
            emission.without_time = times.null_count();
            let assigned = assign(&batch.rows, &times, self.spec)?;
            let (late, on_time) = match self.mode {
                OutputMode::Complete => (assigned.clear(), assigned),
                _ => split_ended(&assigned, batch.late_before, self.spec)?,
            };
            emission.dropped_groups = self.group(&late, &[])?.height();
            emission.late = self.with_bounds(late)?;
            let partial = self.group(&on_time, &self.aggregates.partial_exprs(&on_time)?)?;
            emission.updated = partial.height();
            changed = Some(
                self.state
                    .merge(partial, &self.group_keys(), &self.aggregates)?,
            );
        }
        if self.mode != OutputMode::Complete {
            let closed = self.state.evict(batch.watermark, self.spec)?;
            emission.removed = closed.as_ref().map_or(0, DataFrame::height);
            emission.closed = self.finish(closed)?;
        }
        emission.state_rows = self.state.height();
        emission.rows = match self.mode {
            OutputMode::Append => emission.closed.clone(),
            OutputMode::Update => self.finish(changed)?,
            OutputMode::Complete => self.open()?,
        };
        Ok(emission)
    }

    /// Returns the windows in the state with their results so far.
    pub fn open(&mut self) -> Result<DataFrame> {
        self.finish(self.state.groups().cloned())
    }

    /// Says which column of the query the rows lack.
    pub fn check_columns(&self, rows: &DataFrame, place: &str) -> Result<()> {
        let needed = std::iter::once(PlSmallStr::from(self.time.as_str()))
            .chain(self.keys.iter().map(|key| key.as_str().into()))
            .chain(self.aggregates.columns());
        for column in needed {
            if !rows.schema().contains(&column) {
                return Err(Error::unknown_column(&column, place, rows.schema()));
            }
        }
        Ok(())
    }

    fn group_keys(&self) -> Vec<Expr> {
        std::iter::once(START)
            .chain(self.keys.iter().map(String::as_str))
            .map(col)
            .collect()
    }

    fn group(&self, rows: &DataFrame, aggregates: &[Expr]) -> Result<DataFrame> {
        if aggregates.is_empty() && rows.height() == 0 {
            return Ok(rows.clone());
        }
        let aggregates = if aggregates.is_empty() {
            vec![len()]
        } else {
            aggregates.to_vec()
        };
        Ok(rows
            .clone()
            .lazy()
            .group_by(self.group_keys())
            .agg(aggregates)
            .collect()?)
    }

    /// Turns partial results into results, ordered by window and keys.
    fn finish(&mut self, groups: Option<DataFrame>) -> Result<DataFrame> {
        let Some(groups) = groups else {
            return Ok(self.empty.clone().unwrap_or_else(|| self.without_columns()));
        };
        let mut columns = bounds(self.spec);
        columns.extend(self.keys.iter().map(|key| col(key.as_str())));
        columns.extend(self.aggregates.output_exprs());
        let order: Vec<PlSmallStr> = std::iter::once("window_start")
            .chain(self.keys.iter().map(String::as_str))
            .map(PlSmallStr::from)
            .collect();
        let frame = groups
            .lazy()
            .select(columns)
            .collect()?
            .sort(order, SortMultipleOptions::default())?;
        self.empty = Some(frame.clear());
        Ok(frame)
    }

    /// Returns the result of a query that has not yet seen a row.
    fn without_columns(&self) -> DataFrame {
        let times = |name: &str| Column::new_empty(name.into(), &utc());
        let rest = self
            .keys
            .iter()
            .map(|key| PlSmallStr::from(key.as_str()))
            .chain(self.aggregates.names().iter().cloned());
        let rest = rest.map(|name| Column::new_empty(name, &DataType::Null));
        let columns = [times("window_start"), times("window_end")]
            .into_iter()
            .chain(rest)
            .collect();
        DataFrame::new(0, columns).expect("no column has a row and the names were checked")
    }

    /// Replaces the start of late rows by both bounds of the window they missed.
    fn with_bounds(&self, late: DataFrame) -> Result<DataFrame> {
        let mut columns = bounds(self.spec);
        columns.extend(
            late.schema()
                .iter_names()
                .filter(|name| *name != START)
                .map(|name| col(name.clone())),
        );
        Ok(late.lazy().select(columns).collect()?)
    }

    /// Says what the earliest open window is waiting for.
    pub fn waiting_for(&self, coming: i64, delay: i64) -> Option<String> {
        let groups = self.state.groups()?;
        let start = groups.column(START).ok()?.i64().ok()?.min()?;
        let end = start + self.spec.size;
        // The date stands there once, where all three times are of one day.
        let day = |at: i64| at.div_euclid(time::DAY);
        let other = |at: i64| {
            if day(at) == day(start) {
                time::show_clock(at)
            } else {
                time::show(at)
            }
        };
        (end > coming).then(|| {
            let (start, watermark, needed) = (time::show(start), other(coming), other(end + delay));
            format!("window {start} open, watermark {watermark}, needs an event from {needed} on")
        })
    }
}

impl Emission {
    fn nothing(empty: DataFrame) -> Emission {
        let late = DataFrame::empty();
        Emission {
            closed: empty.clone(),
            rows: empty,
            late,
            without_time: 0,
            dropped_groups: 0,
            updated: 0,
            removed: 0,
            state_rows: 0,
        }
    }
}

fn bounds(spec: WindowSpec) -> Vec<Expr> {
    vec![
        col(START).cast(utc()).alias("window_start"),
        (col(START) + lit(spec.size))
            .cast(utc())
            .alias("window_end"),
    ]
}

fn utc() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
}
