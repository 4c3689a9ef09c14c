//! A query that runs on a thread of its own and redraws its chart in place.

mod pipe;
mod run;

use std::time::{Duration, Instant};

use polars::prelude::DataFrame;

use crate::chart::{Chart, Picture};
use crate::query::Query;
use crate::replay::ReplayRun;
use crate::worker::{Worker, wait_while};
use crate::{Error, Result, name};
pub(crate) use run::Shared;

/// A query with the chart that will follow it; nothing runs before [`LiveChart::start`].
#[derive(Clone)]
pub struct LiveChart {
    query: Query,
    chart: Chart,
    mirror: Option<Query>,
}

/// A running query with its chart; it stops when this drops.
///
/// The chart changes in place at most four times a second. Windows that are still open are
/// hatched or hollow; the last frame also carries a PNG.
pub struct Live {
    shared: std::sync::Arc<Shared>,
    worker: Worker,
}

impl LiveChart {
    pub(crate) fn new(query: Query, chart: Chart) -> LiveChart {
        LiveChart {
            query,
            chart,
            mirror: None,
        }
    }

    /// Draws column `y` of another query on the same topic downward, for instance the same count
    /// by another clock.
    pub fn mirror(mut self, query: &Query, y: &str) -> LiveChart {
        self.mirror = Some(query.clone());
        self.chart = self.chart.mirror(y);
        self
    }

    /// Starts the query on a thread of its own and shows its chart in the cell.
    ///
    /// # Errors
    /// When the chart names a column that the query does not have, or the topic's records lack a
    /// column of the query.
    pub fn start(&self) -> Result<Live> {
        self.check()?;
        let (shared, worker) = run::start(&self.query, self.mirror.as_ref(), &self.chart)?;
        Ok(Live { shared, worker })
    }

    /// Shows the chart as the value of a cell: it does not run yet.
    pub fn evcxr_display(&self) {
        let text = format!(
            "a live chart of {}\n.start()? starts it",
            self.query.describe()
        );
        crate::display::result(crate::table::text(&text));
    }

    fn check(&self) -> Result<()> {
        if let Some(mirror) = &self.mirror
            && mirror.topic.name() != self.query.topic.name()
        {
            return Err(
                Error::new("the two queries of a mirrored chart read different topics")
                    .have(format!(
                        "`{}` and `{}`",
                        self.query.topic.name(),
                        mirror.topic.name()
                    ))
                    .hint("two queries on one topic, each with a chart of its own for two topics"),
            );
        }
        let upward = self.chart.columns();
        upward
            .into_iter()
            .try_for_each(|column| check_column(column, &self.query))?;
        let mirror = self.mirror.as_ref().unwrap_or(&self.query);
        self.chart
            .mirror
            .iter()
            .try_for_each(|column| check_column(column, mirror))
    }
}

impl Live {
    /// Stops the query, draws the last frame and waits for it; a second call does nothing.
    ///
    /// # Errors
    /// When the query had failed before.
    pub fn stop(&self) -> Result<()> {
        self.shared.ask_to_stop();
        self.worker.join();
        self.shared.outcome()
    }

    /// Waits until every replay that this process sends to the topic has ended and the query has
    /// taken in what they sent. The query goes on running.
    ///
    /// # Errors
    /// When the query fails, or on interrupt (the query stops then).
    pub fn wait(&self) -> Result<()> {
        self.wait_while(|| self.shared.is_fed())?;
        self.until_caught_up()
    }

    /// Waits until `replay` has ended and the query has taken in what it sent.
    ///
    /// # Errors
    /// When the replay or the query fails, or on interrupt (both stop then).
    pub fn wait_for(&self, replay: &ReplayRun) -> Result<()> {
        self.wait_while(|| !replay.has_ended())?;
        replay.wait()?;
        self.until_caught_up()
    }

    /// Waits until the query has taken in every record that is in the topic now, and what became
    /// final by them has come out.
    ///
    /// # Errors
    /// When the query fails, or on interrupt (the query stops then).
    pub fn until_caught_up(&self) -> Result<()> {
        let seen = self.shared.looks();
        self.wait_while(|| !self.shared.has_caught_up(seen))
    }

    /// Waits for so long, or until the query has ended.
    ///
    /// # Errors
    /// When the query fails, or on interrupt (the query stops then).
    pub fn wait_at_most(&self, span: Duration) -> Result<()> {
        let limit = Instant::now() + span;
        self.wait_while(|| Instant::now() < limit)
    }

    /// Returns the results so far, by the query's output mode: window_start, window_end, the
    /// keys, the aggregates. In append mode these are the windows that are final.
    ///
    /// # Errors
    /// When the query has failed.
    pub fn frame(&self) -> Result<DataFrame> {
        self.shared.outcome()?;
        self.shared.frame()
    }

    /// Returns the windows that are still open, with their values so far.
    ///
    /// # Errors
    /// When the query has failed.
    pub fn open_windows(&self) -> Result<DataFrame> {
        self.shared.outcome()?;
        Ok(self.shared.open())
    }

    /// Returns the rows that came too late (the first 10,000; the picture counts all): window_start,
    /// window_end (the window that the row missed), late_by (a duration: for how long the window had
    /// been final), then the columns of the row.
    ///
    /// # Errors
    /// When the query has failed.
    pub fn late(&self) -> Result<DataFrame> {
        self.shared.outcome()?;
        Ok(self.shared.late())
    }

    /// Returns the records that were no rows: record, reason, bytes (the first 1,000).
    ///
    /// # Errors
    /// When the query has failed.
    pub fn rejected(&self) -> Result<DataFrame> {
        self.shared.outcome()?;
        self.shared.rejected()
    }

    /// Says why there is nothing to show: which window waits for which event.
    pub fn why_silent(&self) -> String {
        self.shared.why_silent()
    }

    /// Says why row `row` of [`Live::late`] was not counted, and which watermark would have counted
    /// it.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn why_late(&self, row: usize) -> Result<String> {
        self.shared.why_late(row)
    }

    /// Returns the picture as it stands now, for instance to save it.
    pub fn picture(&self) -> Picture {
        self.shared.picture()
    }

    /// Returns whether the query still runs.
    pub fn is_running(&self) -> bool {
        !self.shared.has_ended()
    }

    /// Shows the present picture as the value of a cell; the one that changes stays where it
    /// started.
    pub fn evcxr_display(&self) {
        crate::display::result(self.shared.last_frame());
    }

    fn wait_while(&self, mut waiting: impl FnMut() -> bool) -> Result<()> {
        wait_while(
            || !self.shared.has_ended() && waiting(),
            || self.shared.ask_to_stop(),
            || self.shared.wait_a_little(),
        )?;
        self.shared.outcome()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.ask_to_stop();
        self.worker.join();
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shared.why_silent())
    }
}

fn check_column(column: &str, query: &Query) -> Result<()> {
    let columns = query.columns();
    if columns.iter().any(|known| known == column) {
        return Ok(());
    }
    let hint = name::nearest(column, columns.iter().map(String::as_str)).unwrap_or("window_start");
    Err(Error::new(format!(
        "the chart asks for a column `{column}` that the query does not have"
    ))
    .have(columns.join(", "))
    .hint(format!("\"{hint}\"")))
}
