//! Event-time windows by the rules of Spark Structured Streaming.
//!
//! Windows are `[start, end)` and aligned to 1970-01-01T00:00:00Z. A micro-batch is aggregated by
//! window and keys, groups whose window ended before the previous watermark are dropped as late,
//! the rest joins the state, and windows that the present watermark has passed are final.
//! See <https://spark.apache.org/docs/latest/streaming/apis-on-dataframes-and-datasets.html>,
//! "Window operations on event time".

mod aggregate;
mod assign;
mod operator;
mod state;
mod watermark;

use std::time::Duration;

use crate::{Error, Result, time};

pub(crate) use aggregate::Aggregates;
pub(crate) use operator::{Emission, Windower};
pub(crate) use state::aligned;
pub(crate) use watermark::Clock;

/// Rows of one micro-batch with the watermarks in force: what goes from operator to operator.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The rows; their columns depend on where in a query the batch is.
    pub rows: polars::prelude::DataFrame,
    /// Windows that end here or earlier are final after this batch (epoch microseconds).
    pub watermark: i64,
    /// Windows that end here or earlier take no row any more: the previous batch's watermark.
    pub late_before: i64,
}

/// Which windows an event falls into; made by [`Tumbling`] or [`Hopping`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSpec {
    /// All in microseconds.
    pub(crate) size: i64,
    pub(crate) slide: i64,
    pub(crate) offset: i64,
}

/// Windows of one size, one after the other: every event falls into exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tumbling(WindowSpec);

/// Windows of one size that start more often than that: an event falls into several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hopping(WindowSpec);

/// When a window query gives out its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputMode {
    /// Each window once, when the watermark has passed its end. The default.
    Append,
    /// Each window again whenever a batch has changed it.
    Update,
    /// Every window in every batch; nothing is forgotten and nothing is late.
    Complete,
}

impl Tumbling {
    /// Returns windows of this size, for instance `Tumbling::of(minutes(30))`.
    pub fn of(size: Duration) -> Tumbling {
        let size = time::micros(size);
        Tumbling(WindowSpec {
            size,
            slide: size,
            offset: 0,
        })
    }

    /// Moves every start by this much. Default: windows start at multiples of their size since 1970.
    pub fn offset(self, offset: Duration) -> Tumbling {
        Tumbling(WindowSpec {
            offset: time::micros(offset),
            ..self.0
        })
    }
}

impl Hopping {
    /// Returns windows of this size; [`Hopping::every`] says how often one starts.
    pub fn of(size: Duration) -> Hopping {
        Hopping(Tumbling::of(size).0)
    }

    /// Starts a window this often. Default: one after the other.
    pub fn every(self, slide: Duration) -> Hopping {
        Hopping(WindowSpec {
            slide: time::micros(slide),
            ..self.0
        })
    }

    /// Moves every start by this much. Default: none.
    pub fn offset(self, offset: Duration) -> Hopping {
        Hopping(WindowSpec {
            offset: time::micros(offset),
            ..self.0
        })
    }
}

impl From<Tumbling> for WindowSpec {
    fn from(window: Tumbling) -> WindowSpec {
        window.0
    }
}

impl From<Hopping> for WindowSpec {
    fn from(window: Hopping) -> WindowSpec {
        window.0
    }
}

impl WindowSpec {
    pub(crate) fn check(&self) -> Result<()> {
        if self.size <= 0 || self.slide <= 0 {
            return Err(
                Error::new("a window needs a size above zero").hint("Tumbling::of(minutes(30))")
            );
        }
        if self.slide > self.size {
            return Err(
                Error::new("windows that start less often than they are long leave gaps")
                    .have(format!(
                        "size {}, every {}",
                        time::show_span(self.size),
                        time::show_span(self.slide)
                    ))
                    .hint(format!(
                        "Hopping::of(..).every(..) with every at most {}",
                        time::show_span(self.size)
                    )),
            );
        }
        Ok(())
    }

    /// Returns what kind of windows these are, in words.
    pub(crate) fn words(&self) -> String {
        match self.slide == self.size {
            true => format!("tumbling windows of {}", time::show_span(self.size)),
            false => format!(
                "hopping windows of {} every {}",
                time::show_span(self.size),
                time::show_span(self.slide)
            ),
        }
    }
}
