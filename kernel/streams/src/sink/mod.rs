//! Where a job writes its results, each batch once.
//!
//! A sink is told the number of each batch and keeps it together with the rows, in one step. When
//! a job starts again, its first batch may be one that the sink already has: then it is replaced
//! or left out. A sink also keeps whose results it holds, so that two jobs never mix.

mod callback;
mod cells;
mod frame;
mod marker;
mod parquet;
mod postgres;
mod sqlite;
mod topic;

use std::sync::Arc;

use polars::prelude::DataFrame;

use crate::Result;
use crate::query::Query;

pub use callback::EachBatch;
pub use frame::FrameSink;
pub use parquet::Parquet;
pub use postgres::Postgres;
pub use sqlite::Sqlite;
pub use topic::TopicSink;

/// Where a job writes: anything that [`Query::to`](crate::Query::to) takes becomes one.
#[derive(Clone)]
pub struct Sink(Arc<dyn Target>);

/// A sink before anything is written.
pub(crate) trait Target: Send + Sync {
    /// Returns what it is and where, in words.
    fn describe(&self) -> String;

    /// Says what of the query this cannot hold.
    fn check(&self, query: &Query) -> Result<()>;

    /// Makes ready for the batches from `opening.next` on.
    fn open(&self, opening: &Opening<'_>) -> Result<Box<dyn Writer>>;
}

/// A sink that takes batches.
pub(crate) trait Writer: Send {
    /// Takes one batch in, whole or not at all; a batch that is there already is not doubled.
    fn write(&mut self, output: &Output<'_>) -> Result<()>;
}

/// Who writes, and from which batch on.
pub(crate) struct Opening<'a> {
    /// Drawn when the job's checkpoint began.
    pub job: &'a str,
    /// The first batch that will come. It may be here already, wholly or in parts; no later one may.
    pub next: u64,
    /// Offsets of the topic from which that batch reads.
    pub offsets: &'a [i64],
    pub query: &'a Query,
}

/// The results of one batch.
pub(crate) struct Output<'a> {
    pub batch: u64,
    /// window_start, window_end, the keys, the aggregates.
    pub rows: &'a DataFrame,
    /// Offsets of the topic up to which this batch has read.
    pub offsets: &'a [i64],
}

impl Sink {
    pub(crate) fn of(target: impl Target + 'static) -> Sink {
        Sink(Arc::new(target))
    }

    pub(crate) fn target(&self) -> &dyn Target {
        self.0.as_ref()
    }

    /// Shows the sink as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&self.0.describe()));
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.describe())
    }
}
