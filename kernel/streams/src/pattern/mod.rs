//! One event and then another: A, then B within a span of event time, without C between.

mod run;

use std::time::Duration;

use polars::prelude::*;

use crate::query::Stream;
use crate::{Error, Result, time};
pub use run::PatternRun;

/// What to look for; made by [`Stream::pattern`](crate::Stream::pattern).
///
/// Events of a key are looked at in the order of their event times. Every A that is followed by a B
/// within the span is a match, with the first B that does; a C takes back every A before it. An event that
/// is several of them is first a B, then a C, then an A.
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let clicks = Cluster::embedded()?.topic("doc-clicks", partitions(1))?.stream().watermark("at", seconds(5));
/// let abandoned = clicks.pattern(["user"])
///     .first(col("kind").eq(lit("search")))
///     .then(col("kind").eq(lit("leave")))
///     .without(col("kind").eq(lit("buy")))
///     .within(minutes(10));
/// let clicks = df!(
///     "user" => ["u1", "u2", "u2", "u1", "u2"], "kind" => ["search", "search", "buy", "leave", "leave"],
///     "at" => ["2013-02-08 10:00:00", "2013-02-08 10:01:00", "2013-02-08 10:02:00", "2013-02-08 10:03:00", "2013-02-08 10:04:00"],
/// )?;
/// let matches = abandoned.run_local(&clicks)?;
/// assert_eq!(matches.column("user")?.str()?.get(0), Some("u1"));
/// assert_eq!(matches.height(), 1);
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Pattern {
    stream: Stream,
    keys: Vec<String>,
    first: Option<Expr>,
    then: Option<Expr>,
    without: Option<Expr>,
    within_us: Option<i64>,
    missing: bool,
}

impl Pattern {
    pub(crate) fn new(stream: Stream, keys: Vec<String>) -> Pattern {
        Pattern {
            stream,
            keys,
            first: None,
            then: None,
            without: None,
            within_us: None,
            missing: false,
        }
    }

    /// Says which event begins a match.
    pub fn first(mut self, event: Expr) -> Pattern {
        self.first = Some(event);
        self
    }

    /// Says which event completes it.
    pub fn then(mut self, event: Expr) -> Pattern {
        self.then = Some(event);
        self
    }

    /// Says which event, between the two, takes the first one back. Default: none does.
    pub fn without(mut self, event: Expr) -> Pattern {
        self.without = Some(event);
        self
    }

    /// Sets how far apart the two events may lie.
    pub fn within(mut self, span: Duration) -> Pattern {
        self.within_us = Some(time::micros(span));
        self
    }

    /// Gives out first events that nothing has followed in time too, with `then_at` null: a payment
    /// that never came.
    pub fn or_missing(mut self) -> Pattern {
        self.missing = true;
        self
    }

    /// Looks through a frame as a whole.
    ///
    /// Columns: the keys, first_at and then_at (datetime in microseconds, UTC), took (duration in
    /// microseconds); in the order in which the matches were complete.
    ///
    /// # Errors
    /// When the frame lacks a column, or a part of the pattern is missing.
    pub fn run_local(&self, rows: &DataFrame) -> Result<DataFrame> {
        let run = PatternRun::new(self)?;
        run.push(rows)?;
        run.finish()?;
        Ok(run.emitted())
    }

    /// Runs over micro-batches; returns what each gave out. What the watermark has not passed in the
    /// end has not been looked at.
    ///
    /// # Errors
    /// Those of [`Pattern::run_local`].
    pub fn run_batches(&self, batches: &[DataFrame]) -> Result<Vec<DataFrame>> {
        let run = PatternRun::new(self)?;
        batches.iter().map(|rows| run.push(rows)).collect()
    }

    /// Shows the pattern as the value of a cell.
    pub fn evcxr_display(&self) {
        let hint = "run it: .run_local(&frame)?, .run_batches(&frames)?";
        crate::display::result(crate::table::text(&format!("{self:?}\n{hint}")));
    }

    fn part(&self, part: Option<&Expr>, name: &str) -> Result<Expr> {
        part.cloned().ok_or_else(|| {
            Error::new(format!(
                "a pattern needs to know which event it looks for: .{name}(..)"
            ))
            .have(format!("{self:?}"))
            .hint(format!(".{name}(col(\"kind\").eq(lit(\"search\")))"))
        })
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show =
            |part: &Option<Expr>| part.as_ref().map_or("?".into(), |part| format!("{part:?}"));
        write!(
            f,
            "pattern by {}: {} then {}",
            self.keys.join(", "),
            show(&self.first),
            show(&self.then)
        )?;
        if let Some(without) = &self.without {
            write!(f, ", without {without:?} between")?;
        }
        match self.within_us {
            Some(within) => write!(f, ", within {}", time::show_span(within)),
            None => Ok(()),
        }
    }
}
