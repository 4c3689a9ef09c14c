//! A run against its oracle: the same query over the whole log in plain Polars, without our operator.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::{Batches, Query, apply};
use crate::table::Table;
use crate::testing::compare::{is_close, texts};
use crate::window::{OutputMode, append, plain_aggregate, plain_windows};
use crate::{Result, replay};

/// What a run over micro-batches gave out beside what one run over the log gives.
///
/// Every difference is charged to late rows, to a window that is still open, or is a fault.
#[derive(Debug, Clone)]
pub struct Audit {
    rows: DataFrame,
    counts: BTreeMap<&'static str, usize>,
}

const EQUAL: &str = "equal";
const LATE: &str = "late rows";
const OPEN: &str = "open window";
const CUT: &str = "session was final";
const FAULT: &str = "fault";

impl Audit {
    /// Returns one row for each window that either side has: window_start, window_end, the keys,
    /// verdict (`equal`, `late rows`, `open window`, `session was final` where a later event would
    /// have joined a session that had been given out, `fault`), difference (the columns that differ).
    pub fn frame(&self) -> DataFrame {
        self.rows.clone()
    }

    /// Returns how many windows differ for no reason: none, unless this library has a fault.
    pub fn faults(&self) -> usize {
        self.count(FAULT)
    }

    /// Returns how many windows are equal.
    pub fn equal(&self) -> usize {
        self.count(EQUAL)
    }

    /// Returns how many windows have this verdict.
    pub fn count(&self, verdict: &str) -> usize {
        self.counts.get(verdict).copied().unwrap_or(0)
    }

    /// Shows the windows that differ as the value of a cell.
    pub fn evcxr_display(&self) {
        let differing = self
            .rows
            .clone()
            .lazy()
            .filter(col("verdict").neq(lit(EQUAL)))
            .collect();
        match differing {
            Ok(rows) => crate::display::result(Table::of(&rows).caption(self.summary()).bundle()),
            Err(error) => crate::display::result(crate::table::text(&error.to_string())),
        }
    }

    fn summary(&self) -> String {
        let counts: Vec<String> = self
            .counts
            .iter()
            .map(|(verdict, count)| format!("{count} {verdict}"))
            .collect();
        format!("{} windows: {}", self.rows.height(), counts.join(", "))
    }
}

impl std::fmt::Display for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.summary())
    }
}

impl Query {
    /// Runs the query over the whole log in plain Polars, without our window operator: what a
    /// stream would give if nothing were ever late. Columns as in [`Query::run_local`].
    ///
    /// # Errors
    /// When the log lacks a column of the query.
    pub fn oracle(&self, log: &DataFrame) -> Result<DataFrame> {
        let rows = apply(log.clone(), &self.steps, &self.watermark.0, "the log")?;
        self.running("the log").check(log)?;
        let rows = plain_windows(&rows, &self.watermark.0, &self.keys, self.spec)?;
        let bounds = [col("window_start"), col("window_end")];
        let by: Vec<Expr> = bounds
            .into_iter()
            .chain(self.keys.iter().map(|key| col(key.as_str())))
            .collect();
        let aggregates: Vec<Expr> = self.exprs.iter().map(plain_aggregate).collect();
        let order: Vec<PlSmallStr> = std::iter::once("window_start".into())
            .chain(self.keys.iter().map(|key| key.as_str().into()))
            .collect();
        let frame = rows.lazy().group_by(by).agg(aggregates);
        Ok(frame
            .sort(order, SortMultipleOptions::default())
            .collect()?)
    }

    /// Compares what `batches` gave out with the [`Query::oracle`] over the log of the same rows.
    ///
    /// Sketches (`approx_distinct`, `approx_quantile`) are not compared. Other numbers may differ in their last
    /// digits, since a sum depends on the order.
    ///
    /// # Errors
    /// When the log lacks a column of the query.
    pub fn audit(&self, log: &DataFrame, batches: &Batches) -> Result<Audit> {
        let oracle = self.oracle(log)?;
        let (mut given, mut batch_of) = (DataFrame::empty(), Vec::new());
        for (batch, run) in batches.iter().enumerate() {
            if self.mode == OutputMode::Complete {
                (given, batch_of) = (run.rows.clone(), Vec::new());
            } else {
                append(&mut given, &run.rows)?;
            }
            batch_of.resize(given.height(), batch);
        }
        let late = batches.late()?;
        let watermark = batches.iter().last().map_or(i64::MIN, |run| run.watermark);
        let auditor = Auditor {
            query: self,
            watermark,
            batch_of,
        };
        auditor.compare(&oracle, &given, &late)
    }
}

/// One window of a key: start, end, and the keys as text.
type Group = (i64, i64, Vec<String>);

struct Auditor<'a> {
    query: &'a Query,
    /// The watermark of the last batch.
    watermark: i64,
    /// The batch that gave each row out.
    batch_of: Vec<usize>,
}

impl Auditor<'_> {
    fn compare(&self, oracle: &DataFrame, given: &DataFrame, late: &DataFrame) -> Result<Audit> {
        let compared = self.compared();
        // Of a window that was given out several times, the last one counts.
        let (expected, got) = (
            self.groups(oracle, &compared)?,
            self.groups(given, &compared)?,
        );
        let emitted: Vec<Group> = self.listed(given)?;
        let emitted = emitted
            .into_iter()
            .zip(self.batch_of.iter().copied())
            .collect();
        let late: Vec<Group> = self.listed(late)?;
        let mut all: Vec<&Group> = expected.keys().chain(got.keys()).collect();
        all.sort();
        all.dedup();
        let (mut verdicts, mut differences) = (Vec::new(), Vec::new());
        for group in &all {
            let difference = match (expected.get(*group), got.get(*group)) {
                (Some(expected), Some(got)) => differing(&compared, expected, got),
                (Some(_), None) => "not given out".into(),
                _ => "given out, and not in the log's result".into(),
            };
            verdicts.push(match difference.is_empty() {
                true => EQUAL,
                false => self.charge(group, &late, &expected, &got, &emitted),
            });
            differences.push(difference);
        }
        let mut counts = BTreeMap::new();
        for verdict in &verdicts {
            *counts.entry(*verdict).or_insert(0) += 1;
        }
        let times = |name: &str, of: fn(&Group) -> i64| -> Column {
            let times = all.iter().map(|group| of(group)).collect();
            let times = Int64Chunked::from_vec(name.into(), times);
            let utc = Some(TimeZone::UTC);
            times
                .into_datetime(TimeUnit::Microseconds, utc)
                .into_series()
                .into()
        };
        let mut columns = vec![
            times("window_start", |group| group.0),
            times("window_end", |group| group.1),
        ];
        for (index, key) in self.query.keys.iter().enumerate() {
            let texts: Vec<&str> = all.iter().map(|group| group.2[index].as_str()).collect();
            columns.push(Column::new(key.as_str().into(), texts));
        }
        columns.push(Column::new("verdict".into(), verdicts));
        columns.push(Column::new("difference".into(), differences));
        Ok(Audit {
            rows: DataFrame::new(all.len(), columns)?,
            counts,
        })
    }

    /// Says what a difference is due to.
    fn charge(
        &self,
        group: &Group,
        late: &[Group],
        expected: &BTreeMap<Group, Vec<String>>,
        got: &BTreeMap<Group, Vec<String>>,
        emitted: &BTreeMap<Group, usize>,
    ) -> &'static str {
        let touches =
            |there: &&Group| there.2 == group.2 && there.0 <= group.1 && group.0 <= there.1;
        let is_session = self.query.spec.is_session();
        let missed = |there: &&Group| match is_session {
            true => touches(there),
            false => *there == group,
        };
        if late.iter().any(|there| missed(&there)) {
            return LATE;
        }
        if !got.contains_key(group)
            && group.1 > self.watermark
            && self.query.mode == OutputMode::Append
        {
            return OPEN;
        }
        // A session of the log that came in parts: one was final before the next event came, so they
        // were not given out together.
        let whole = expected.keys().find(touches);
        let is_part = |part: &&Group| {
            whole.is_some_and(|whole| part.2 == whole.2 && part.0 <= whole.1 && whole.0 <= part.1)
        };
        let parts: Vec<&Group> = got.keys().filter(is_part).collect();
        let batches: std::collections::BTreeSet<usize> = parts
            .iter()
            .filter_map(|part| emitted.get(*part).copied())
            .collect();
        let is_open = whole.is_some_and(|whole| parts.iter().all(|part| part.1 < whole.1));
        let is_cut = is_session && batches.len() == parts.len() && (parts.len() > 1 || is_open);
        match is_cut && self.query.mode == OutputMode::Append {
            true => CUT,
            false => FAULT,
        }
    }

    /// Returns the names of the columns that both sides compute exactly.
    fn compared(&self) -> Vec<String> {
        let exact = |expr: &&Expr| {
            let text = format!("{expr:?}");
            !["__approx", "__quantile"]
                .iter()
                .any(|mark| text.contains(mark))
        };
        let exprs = self.query.exprs.iter().filter(exact);
        exprs
            .map(|expr| crate::window::output_name(expr).to_string())
            .collect()
    }

    /// Returns the rows of a result by window and keys, with these columns as text.
    fn groups(
        &self,
        frame: &DataFrame,
        columns: &[String],
    ) -> Result<BTreeMap<Group, Vec<String>>> {
        let groups = self.listed(frame)?.into_iter();
        Ok(groups.zip(texts(frame, columns)?).collect())
    }

    /// Returns window and keys of every row.
    fn listed(&self, frame: &DataFrame) -> Result<Vec<Group>> {
        if frame.height() == 0 {
            return Ok(Vec::new());
        }
        let micros = |name| -> Result<Vec<i64>> {
            let times = replay::micros_of(frame, name, "the result")?;
            Ok(times.iter().map(Option::unwrap_or_default).collect())
        };
        let bounds = micros("window_start")?
            .into_iter()
            .zip(micros("window_end")?);
        let keys = texts(frame, &self.query.keys)?;
        Ok(bounds
            .zip(keys)
            .map(|((start, end), keys)| (start, end, keys))
            .collect())
    }
}

/// Names the columns in which two rows differ, with both values.
fn differing(columns: &[String], expected: &[String], got: &[String]) -> String {
    let pairs = columns.iter().zip(expected.iter().zip(got));
    let differing = pairs.filter(|(_, (expected, got))| !is_close(expected, got));
    let words: Vec<String> = differing
        .map(|(column, (expected, got))| format!("{column}: {got}, in the log {expected}"))
        .collect();
    words.join("; ")
}
