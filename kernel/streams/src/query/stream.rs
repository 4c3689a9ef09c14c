//! Builds a query step by step.

use std::sync::Arc;
use std::time::Duration;

use polars::prelude::{DataFrame, Expr};

use super::{Query, Step, apply};
use crate::join::StreamJoin;
use crate::ktable::KTable;
use crate::operator::DedupSpec;
use crate::pattern::Pattern;
use crate::process::{Happening, Keyed, Process};
use crate::topic::{Position, Topic};
use crate::window::{Aggregates, OutputMode, WindowSpec};
use crate::{Error, Result, time};

/// A topic as an unbounded stream of rows, on its way to a query.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let trips = Cluster::embedded()?.topic("doc-trips", partitions(1))?;
/// let query = trips.stream().watermark("pickup_at", minutes(10)).group_by(["zone"])
///     .window(Tumbling::of(minutes(30)))
///     .agg([len().alias("trips"), col("fare_usd").mean().alias("mean_fare_usd")])?;
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Stream {
    topic: Topic,
    steps: Vec<Step>,
    watermark: Option<(String, Option<i64>)>,
    keys: Vec<String>,
    window: Option<WindowSpec>,
}

impl Stream {
    pub(crate) fn new(topic: Topic) -> Stream {
        Stream {
            topic,
            steps: Vec::new(),
            watermark: None,
            keys: Vec::new(),
            window: None,
        }
    }

    /// Keeps the rows for which `predicate` is true.
    pub fn filter(mut self, predicate: Expr) -> Stream {
        self.steps.push(Step::Filter(predicate));
        self
    }

    /// Adds columns, or replaces those of the same name.
    pub fn with_columns<I: IntoIterator<Item = Expr>>(mut self, columns: I) -> Stream {
        self.steps.push(Step::With(columns.into_iter().collect()));
        self
    }

    /// Names the column with the event time, and how late an event may be before the watermark
    /// passes it.
    pub fn watermark(self, column: &str, delay: Duration) -> Stream {
        self.clocked(column, Some(time::micros(delay)))
    }

    /// Names the column with the event time, without a watermark: no event is ever late, no window
    /// final, and the state grows for ever. For [`OutputMode::Update`] and
    /// [`OutputMode::Complete`] only.
    pub fn event_time(self, column: &str) -> Stream {
        self.clocked(column, None)
    }

    /// Leaves out rows that agree in these columns with an earlier one.
    ///
    /// Behind [`Stream::watermark`], and with the event time among the columns, a key is forgotten when
    /// the watermark has passed its time, and rows that are older than the watermark are late. Otherwise every key
    /// is remembered for ever: see [`Query::state_at_most`], or [`Stream::drop_duplicates_within`].
    pub fn drop_duplicates<S: Into<String>, I: IntoIterator<Item = S>>(
        mut self,
        columns: I,
    ) -> Stream {
        let columns = columns.into_iter().map(Into::into).collect();
        self.steps.push(Step::Dedup(DedupSpec {
            columns,
            within: false,
        }));
        self
    }

    /// Leaves out rows that agree in these columns with an earlier one, and forgets a key when the
    /// watermark has passed its first event by as much as it is behind: duplicates that come within the
    /// watermark's delay are found, and the state stays small. Stands behind [`Stream::watermark`].
    pub fn drop_duplicates_within<S: Into<String>, I: IntoIterator<Item = S>>(
        mut self,
        columns: I,
    ) -> Stream {
        let columns = columns.into_iter().map(Into::into).collect();
        self.steps.push(Step::Dedup(DedupSpec {
            columns,
            within: true,
        }));
        self
    }

    /// Looks for one event and then another of the same key: see [`Pattern`].
    pub fn pattern<S: Into<String>, I: IntoIterator<Item = S>>(&self, keys: I) -> Pattern {
        Pattern::new(self.clone(), keys.into_iter().map(Into::into).collect())
    }

    /// Calls a function of yours for every row of a key, in the order of event time, with a state and
    /// timers: see [`Process`].
    pub fn process(
        &self,
        key: &str,
        function: impl Fn(&mut Keyed, &Happening) + Send + Sync + 'static,
    ) -> Process {
        Process::new(self.clone(), key, Arc::new(function))
    }

    /// Puts the columns of a table beside every row, by the table's keys: null where the table has no row
    /// of the key. Of a versioned table it is the row that held at the event's time (an as-of join),
    /// otherwise the one that holds when the row passes. A column whose name is taken is called `.._right`.
    pub fn left_join(mut self, table: &KTable) -> Stream {
        self.steps.push(Step::LookUp(table.clone()));
        self
    }

    /// Joins rows of this stream with those of another that have the same key and whose event times
    /// lie at most `within` apart. An inner join; [`StreamJoin::left`] and [`StreamJoin::full`] make it an
    /// outer one. Keys that are null match nothing.
    ///
    /// # Errors
    /// When a side has no watermark, or no key is named.
    pub fn join_within<S: Into<String>, I: IntoIterator<Item = S>>(
        &self,
        other: &Stream,
        on: I,
        within: Duration,
    ) -> Result<StreamJoin> {
        let on = on.into_iter().map(Into::into).collect();
        StreamJoin::new(self.clone(), other.clone(), on, within)
    }

    /// Groups by these columns beside the window. Default: by the window alone.
    pub fn group_by<S: Into<String>, I: IntoIterator<Item = S>>(mut self, keys: I) -> Stream {
        self.keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Puts rows into windows by their event time.
    pub fn window<W: Into<WindowSpec>>(mut self, window: W) -> Stream {
        self.window = Some(window.into());
        self
    }

    /// Computes these aggregates for each window and key: `len()`; `count`, `sum`, `min`, `max`,
    /// `mean`, `var`, `std`, `first`, `last`, `n_unique`, `median` of a column or of an expression
    /// over one row; [`collect_distinct`](crate::collect_distinct),
    /// [`approx_distinct`](crate::approx_distinct) and [`approx_quantile`](crate::approx_quantile) of a column;
    /// and arithmetic on them.
    ///
    /// A sum is i64 (one that does not fit is an error) or f64, a count i64, a mean, variance,
    /// deviation and quantile f64. Nulls are left out; of no value every aggregate is null and
    /// every count 0. `first` and `last` go by event time, then by arrival, and take nulls as
    /// values. NaN is greater than any number.
    ///
    /// # Errors
    /// When event time or window is missing, or an aggregate cannot be continued from batch to
    /// batch.
    pub fn agg<I: IntoIterator<Item = Expr>>(self, aggregates: I) -> Result<Query> {
        let aggregates: Vec<Expr> = aggregates.into_iter().collect();
        self.query(&aggregates)
    }

    /// Shows the stream as the value of a cell.
    pub fn evcxr_display(&self) {
        let hint = "next: .watermark(\"event_time\", minutes(10)).window(Tumbling::of(minutes(30))).agg([len()])?";
        crate::display::result(crate::table::text(&format!(
            "stream of topic {}\n{hint}",
            self.topic.name()
        )));
    }

    pub(crate) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Returns the column of the event time, and the delay of the watermark.
    pub(crate) fn clock(&self) -> Option<(String, Option<i64>)> {
        self.watermark.clone()
    }

    /// Returns whether a step keeps something from batch to batch.
    pub(crate) fn keeps_state(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Dedup(_)))
    }

    /// Returns rows after the filters and columns of this stream.
    pub(crate) fn prepared(&self, rows: DataFrame, place: &str) -> Result<DataFrame> {
        let at = self.watermark.as_ref().map_or("", |(at, _)| at.as_str());
        apply(rows, &self.steps, at, place)
    }

    fn clocked(mut self, column: &str, delay: Option<i64>) -> Stream {
        self.watermark = Some((column.into(), delay));
        self.steps.retain(|step| !matches!(step, Step::Watermark));
        self.steps.push(Step::Watermark);
        self
    }

    fn query(self, aggregates: &[Expr]) -> Result<Query> {
        let watermark = self.watermark.ok_or_else(|| {
            Error::new("a window needs to know the event time")
                .have("no watermark")
                .hint(".watermark(\"event_time\", minutes(10)) before .window(..)")
        })?;
        let spec = self.window.ok_or_else(|| {
            Error::new("an aggregate over a stream needs a window: without one it is never final")
                .have("no window")
                .hint(".window(Tumbling::of(minutes(30))) before .agg(..)")
        })?;
        spec.check()?;
        check_duplicates(&self.steps, watermark.1)?;
        if let Some(key) = self
            .keys
            .iter()
            .find(|key| key.starts_with("window_") || key.starts_with("__"))
        {
            return Err(Error::new(format!(
                "`{key}` cannot be a key: the result has its own column of that name"
            ))
            .hint(format!(
                ".with_columns([col(\"{key}\").alias(\"group\")]) and group by that"
            )));
        }
        let exprs = Arc::new(aggregates.to_vec());
        let aggregates = Aggregates::new(aggregates, &self.keys)?;
        Ok(Query {
            topic: self.topic,
            from: Position::Earliest,
            steps: Arc::new(self.steps),
            watermark,
            spec,
            keys: self.keys,
            aggregates,
            exprs,
            mode: OutputMode::Append,
            state_limit: None,
            letters: None,
        })
    }
}

/// Says where duplicates are to be told by a watermark that is not there, or by no column.
fn check_duplicates(steps: &[Step], delay: Option<i64>) -> Result<()> {
    let mut is_clocked = false;
    for step in steps {
        match step {
            Step::Watermark => is_clocked = delay.is_some(),
            Step::Dedup(spec) if spec.columns.is_empty() => {
                return Err(Error::new("duplicates of nothing cannot be told")
                    .have("no columns")
                    .hint(".drop_duplicates([\"event_id\"])"));
            }
            Step::Dedup(spec) if spec.within && !is_clocked => {
                return Err(Error::new("duplicates within the watermark need one before them")
                    .have(spec.words())
                    .hint(".watermark(\"event_time\", minutes(10)) before .drop_duplicates_within([..])"));
            }
            _ => {}
        }
    }
    Ok(())
}
