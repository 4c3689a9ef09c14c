//! Two streams joined: rows of equal keys whose event times lie close enough together.
//!
//! The rules are those of Spark's stream-stream join: each side has a watermark, the earlier of the two
//! is in force for both, a row is kept for as long as the other side may still bring a match, and an
//! outer join gives a row out alone once that time is over.

mod batches;
mod run;
mod side;

use std::time::Duration;

use polars::prelude::*;

use crate::query::Stream;
use crate::topic::Position;
use crate::{Error, Result, time};
pub use batches::{JoinBatch, JoinBatches};
pub use run::JoinRun;

/// Two streams and how they are joined; made by [`Stream::join_within`](crate::Stream::join_within).
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let cluster = Cluster::embedded()?;
/// let orders = cluster.topic("doc-orders", partitions(1))?;
/// let payments = cluster.topic("doc-payments", partitions(1))?;
/// let paid = orders.stream().watermark("ordered_at", minutes(5))
///     .join_within(&payments.stream().watermark("paid_at", minutes(5)), ["order_id"], minutes(30))?
///     .left();
///
/// let test = JoinRun::new(&paid);
/// test.push_left(&df!("order_id" => [1i64, 2], "ordered_at" => ["2013-02-08 10:00:00"; 2])?)?;
/// test.push_right(&df!("order_id" => [2i64], "paid_at" => ["2013-02-08 10:07:00"])?)?;
/// test.expect(&df!("order_id" => [2i64], "paid_at" => ["2013-02-08 10:07:00"])?)?;
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct StreamJoin {
    left: Input,
    right: Input,
    on: Vec<String>,
    within_us: i64,
    kind: JoinKind,
}

/// One of the two streams.
#[derive(Clone)]
struct Input {
    stream: Stream,
    time: String,
    delay: i64,
}

/// Which rows a join gives out when they find no match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// None.
    Inner,
    /// Those of the left side.
    Left,
    /// Those of both sides.
    Full,
}

impl StreamJoin {
    pub(crate) fn new(
        left: Stream,
        right: Stream,
        on: Vec<String>,
        within: Duration,
    ) -> Result<StreamJoin> {
        if on.is_empty() {
            return Err(Error::new(
                "a join needs a key: every row of one side would match every row of the other",
            )
            .have("no key")
            .hint(".join_within(&payments, [\"order_id\"], minutes(30))"));
        }
        Ok(StreamJoin {
            left: Input::new(left, "left")?,
            right: Input::new(right, "right")?,
            on,
            within_us: time::micros(within),
            kind: JoinKind::Inner,
        })
    }

    /// Gives out rows of the left side that found no match too, with nulls for the right side, as
    /// soon as none can come any more.
    pub fn left(mut self) -> StreamJoin {
        self.kind = JoinKind::Left;
        self
    }

    /// Gives out rows of both sides that found no match too.
    pub fn full(mut self) -> StreamJoin {
        self.kind = JoinKind::Full;
        self
    }

    /// Joins two frames as a whole: the watermarks are ignored, every row is kept.
    ///
    /// Columns: those of the left side, then those of the right side but the keys; a column of the
    /// right side whose name is taken is called `.._right`.
    ///
    /// # Errors
    /// When a frame lacks a column of the join.
    pub fn run_local(&self, left: &DataFrame, right: &DataFrame) -> Result<DataFrame> {
        let run = JoinRun::new(self);
        run.whole(left, right)
    }

    /// Runs over pairs of micro-batches, the left side's and the right side's, and over one more
    /// without rows if the last one moved the watermark. A frame without columns is a side with no rows.
    ///
    /// # Errors
    /// When a frame with rows lacks a column of the join.
    pub fn run_batches(&self, batches: &[(DataFrame, DataFrame)]) -> Result<JoinBatches> {
        let run = JoinRun::new(self);
        let mut done = Vec::new();
        for (left, right) in batches {
            done.push(run.push(left, right)?);
        }
        if run.owes_a_batch() {
            done.push(run.push(&DataFrame::empty(), &DataFrame::empty())?);
        }
        Ok(JoinBatches::new(done))
    }

    /// Joins what both topics hold now, in one micro-batch and the one without rows behind it.
    ///
    /// # Errors
    /// When a topic cannot be read, or its records lack a column of the join.
    pub fn run_available(&self) -> Result<JoinBatches> {
        let read = |input: &Input| input.stream.topic().read(Position::Earliest);
        self.run_batches(&[(read(&self.left)?, read(&self.right)?)])
    }

    /// Returns the join in one line.
    pub fn describe(&self) -> String {
        let side = |input: &Input| {
            let delay = time::show_span(input.delay);
            format!(
                "topic {} (`{}`, watermark {delay} behind)",
                input.stream.topic().name(),
                input.time
            )
        };
        format!(
            "{:?} join of {} and {} on {}, at most {} apart",
            self.kind,
            side(&self.left),
            side(&self.right),
            self.on.join(", "),
            time::show_span(self.within_us)
        )
    }

    /// Shows the join as the value of a cell.
    pub fn evcxr_display(&self) {
        let hint = "run it: .run_available()?, .run_batches(&[(left, right)])?, .run_local(&left, &right)?";
        crate::display::result(crate::table::text(&format!("{}\n{hint}", self.describe())));
    }
}

impl std::fmt::Debug for StreamJoin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Input {
    fn new(stream: Stream, side: &str) -> Result<Input> {
        let Some((time, Some(delay))) = stream.clock() else {
            return Err(Error::new(format!(
                "the {side} side of a join needs a watermark: without one its rows are kept for ever"
            ))
            .have(format!("topic {}, no watermark", stream.topic().name()))
            .hint(".watermark(\"event_time\", minutes(10)) on both streams"));
        };
        if stream.keeps_state() {
            return Err(
                Error::new(format!("the {side} side of a join cannot tell duplicates"))
                    .have(format!("topic {}, drop_duplicates", stream.topic().name()))
                    .hint(
                        "drop_duplicates in a query of its own, .to(&topic), and join that topic",
                    ),
            );
        }
        Ok(Input {
            time,
            delay,
            stream,
        })
    }
}
