//! A query that runs for as long as there is data, survives its process, and writes every result
//! to its sink once.

mod card;
mod engine;
mod fault;
mod identity;
mod progress;
mod run;
mod shared;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::query::Query;
use crate::sink::Sink;
use crate::{Error, Result};

pub use fault::ENV as FAULT_ENV;
pub use progress::{BatchProgress, Took};
pub use run::JobRun;

/// A query with the sink it will write to; nothing runs before [`Job::start`] or
/// [`Job::run_available`].
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let trips = Cluster::embedded()?.topic("doc-jobs", partitions(1))?;
/// trips.send("a", r#"{"at":"2013-02-08T10:00:00Z"}"#)?;
/// trips.send("a", r#"{"at":"2013-02-08T11:00:00Z"}"#)?;
/// let query = trips.stream().watermark("at", minutes(10)).window(Tumbling::of(minutes(30)))
///     .agg([len().alias("trips")])?;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let (checkpoint, results) = (folder.path().join("c"), folder.path().join("r"));
/// let results = Parquet::dir(results);
/// let job = query.to(&results).checkpoint(checkpoint);
/// job.run_available()?;
/// assert_eq!(results.read()?.height(), 1);
/// // The window from 11:00 is still open. Running it again finds nothing new and doubles nothing.
/// assert!(job.run_available()?.last_progress().is_none());
/// assert_eq!(results.read()?.height(), 1);
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Clone)]
pub struct Job {
    query: Query,
    sink: Sink,
    checkpoint: Option<PathBuf>,
    name: Option<String>,
    most: u64,
    every: Duration,
}

impl Job {
    pub(crate) fn new(query: Query, sink: Sink) -> Job {
        Job {
            query,
            sink,
            checkpoint: None,
            name: None,
            most: 500_000,
            every: Duration::from_millis(50),
        }
    }

    /// Sets the folder that keeps what the job must know after a restart: state, offsets,
    /// watermark. A folder belongs to one job.
    pub fn checkpoint(mut self, folder: impl AsRef<Path>) -> Job {
        self.checkpoint = Some(folder.as_ref().to_owned());
        self
    }

    /// Sets the name that progress records bear. Default: the topic's name.
    pub fn named(mut self, name: &str) -> Job {
        self.name = Some(name.into());
        self
    }

    /// Sets how many records a micro-batch reads at most. Default: 500,000.
    pub fn most_records(mut self, most: u64) -> Job {
        self.most = most.max(1);
        self
    }

    /// Sets the least time from one micro-batch to the next. Default: 50 ms.
    pub fn every(mut self, span: Duration) -> Job {
        self.every = span;
        self
    }

    /// Starts the job on a thread of its own; it goes on where an earlier run stopped. A card in the
    /// cell follows it.
    ///
    /// # Errors
    /// Without a checkpoint; when the checkpoint is in use, or belongs to another query, sink or
    /// topic; when the sink holds results of another job or less than it should; when records that
    /// the job has not read are gone; when the records lack a column of the query.
    pub fn start(&self) -> Result<JobRun> {
        run::start(self, self.folder()?)
    }

    /// Takes in what the topic holds now, gives out what became final by it, and returns: Spark's
    /// `Trigger.AvailableNow`.
    ///
    /// # Errors
    /// Those of [`Job::start`], what ended the job, and on interrupt; what was done by then stays
    /// done, and the next run goes on from there.
    pub fn run_available(&self) -> Result<JobRun> {
        run::available(self, self.folder()?)
    }

    /// Shows the job as the value of a cell: it does not run yet.
    pub fn evcxr_display(&self) {
        let text = format!(
            "{self:?}\n.start()? starts it, .run_available()? runs it to the end of what is there"
        );
        crate::display::result(crate::table::text(&text));
    }

    fn name(&self) -> String {
        let topic = self.query.topic.name();
        self.name.clone().unwrap_or_else(|| topic.into())
    }

    fn folder(&self) -> Result<&Path> {
        self.checkpoint.as_deref().ok_or_else(|| {
            Error::new(
                "a job needs a checkpoint: without one a restart would lose or double results",
            )
            .have("no folder")
            .hint(format!(".checkpoint(\"checkpoints/{}\")", self.name()))
        })
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {:?}", self.query.describe(), self.sink)
    }
}
