//! Queries under test: no broker, no threads, no waiting.
//!
//! The counterpart of Kafka's TopologyTestDriver: rows go in micro-batch by micro-batch, and what the
//! query gives out can be looked at after each.

pub(crate) mod compare;
mod diff;
mod expected;
mod shrink;
mod times;

use std::sync::{Mutex, MutexGuard};

use polars::prelude::*;

use crate::query::{Query, Running};
use crate::table::Table;
use crate::window::{append, why_late};
use crate::{Result, time};
pub(crate) use expected::Expected;
pub use shrink::{Shrunk, shrink};
pub(crate) use times::timed;

const PLACE: &str = "the frame";

/// A query that takes in what you push and nothing else.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let trips = Cluster::embedded()?.topic("doc-testrun", partitions(1))?;
/// let query = trips.stream().watermark("at", minutes(5))
///     .window(Tumbling::of(minutes(10))).agg([len().alias("trips")])?;
///
/// let test = TestRun::new(&query)?;
/// test.push(&df!("at" => ["2013-02-08 10:01:00", "2013-02-08 10:16:00"])?)?;
/// test.expect(&DataFrame::empty())?;                        // nothing is final yet
/// test.push(&df!("at" => ["2013-02-08 10:17:00"])?)?;
/// test.expect(&df!("window_start" => ["2013-02-08 10:00:00"], "trips" => [1i64])?)?;
/// # Ok::<(), headwater_streams::Error>(())
/// ```
pub struct TestRun {
    /// Locked for one call.
    state: Mutex<State>,
}

struct State {
    query: Query,
    running: Running,
    emitted: Expected,
    late: DataFrame,
    batches: usize,
}

impl TestRun {
    /// Starts a query with nothing in its state.
    ///
    /// # Errors
    /// When the query cannot run as a stream.
    pub fn new(query: &Query) -> Result<TestRun> {
        query.check_streaming()?;
        let state = State {
            query: query.clone(),
            running: query.running(PLACE),
            emitted: Expected::default(),
            late: DataFrame::empty(),
            batches: 0,
        };
        Ok(TestRun {
            state: Mutex::new(state),
        })
    }

    /// Takes in one micro-batch and returns what it gave out. Event times may be given as text. A frame without rows is a batch too:
    /// it lets out what the last one has closed.
    ///
    /// # Errors
    /// When the rows lack a column of the query.
    pub fn push(&self, rows: &DataFrame) -> Result<DataFrame> {
        let mut state = self.lock();
        let rows = timed(rows, &state.running.clock.column)?;
        let emission = state.running.push(rows)?;
        state.batches += 1;
        state.emitted.add(&emission.rows)?;
        append(&mut state.late, &emission.late)?;
        Ok(emission.rows)
    }

    /// Runs the batch without rows that a drained source is followed by; returns what it gave out.
    ///
    /// # Errors
    /// Those of [`TestRun::push`].
    pub fn drain(&self) -> Result<DataFrame> {
        let owes = self.lock().running.owes_a_batch();
        match owes {
            true => self.push(&DataFrame::empty()),
            false => Ok(DataFrame::empty()),
        }
    }

    /// Writes the state down and goes on with what was read back, as a job does after a restart.
    ///
    /// # Errors
    /// When the state has no written form.
    pub fn restart(&self) -> Result<()> {
        let mut state = self.lock();
        let mut next = state.query.running(PLACE);
        next.clock = state.running.clock.clone();
        next.load(&state.running.save()?)?;
        state.running = next;
        Ok(())
    }

    /// Compares the rows given out since the last `expect` with these, in the columns of `rows` and
    /// whatever their order. Times may be given as text.
    ///
    /// # Errors
    /// When they differ: the error shows the rows side by side (`-` missing, `+` too many, `~` with
    /// other values).
    pub fn expect(&self, rows: &DataFrame) -> Result<()> {
        self.lock().emitted.expect(rows)
    }

    /// Returns everything that was given out so far.
    pub fn emitted(&self) -> DataFrame {
        self.lock().emitted.all()
    }

    /// Returns the open windows with their values so far.
    ///
    /// # Errors
    /// When a value has no dtype of Polars.
    pub fn state(&self) -> Result<DataFrame> {
        let mut state = self.lock();
        state.running.windower.open()
    }

    /// Returns the rows that came too late, with the window that each missed.
    pub fn late(&self) -> DataFrame {
        self.lock().late.clone()
    }

    /// Says why row `row` of [`TestRun::late`] was not counted.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn why_late(&self, row: usize) -> Result<String> {
        let state = self.lock();
        let clock = &state.running.clock;
        why_late(&state.late, row, &clock.column, clock.delay())
    }

    /// Says which window waits for which event, or why none is open.
    pub fn why_silent(&self) -> String {
        self.lock().running.why_silent()
    }

    /// Returns the watermark that the next batch will see, for instance `2013-02-08 10:11:00`.
    pub fn watermark(&self) -> String {
        time::show(self.lock().running.clock.coming())
    }

    /// Shows what was given out as the value of a cell.
    pub fn evcxr_display(&self) {
        let state = self.lock();
        let emitted = state.emitted.all();
        let caption = format!(
            "after {} batches: {} rows given out, {} late, watermark {}",
            state.batches,
            emitted.height(),
            state.late.height(),
            time::show(state.running.clock.coming())
        );
        crate::display::result(Table::of(&emitted).caption(caption).bundle());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl std::fmt::Debug for TestRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        write!(
            f,
            "a test of {}, after {} batches",
            state.query.describe(),
            state.batches
        )
    }
}
