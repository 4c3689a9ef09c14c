//! Live streams for notebook cells: a Kafka topic, event-time windows over it with Polars, and a
//! picture of them that changes in place.
//!
//! Everything here can be typed into a cell: no type parameter, no `.await`, running a cell twice
//! is fine, a handle owns its thread and stops when it drops, and every value shows itself.
//!
//! ```
//! use headwater_streams::prelude::*;
//! use polars::prelude::*;
//!
//! let cluster = Cluster::embedded()?;
//! let flights = cluster.topic("flights", partitions(3))?;
//! let replay = Replay::dataset("flights")?.event_time("sched_dep").arrival("actual_dep")
//!     .between("2013-02-08", "2013-02-09").key("origin").at_once().start(&flights)?;
//! let query = flights.stream().watermark("sched_dep", minutes(10)).group_by(["origin"])
//!     .window(Tumbling::of(minutes(30))).agg([len().alias("flights")])?;
//! replay.wait()?;
//! let windows = query.run_local(&flights.read(Earliest)?)?;
//! let counted = windows.column("flights")?.i64()?.sum().unwrap_or(0);
//! assert_eq!(counted as usize, replay.progress().sent);
//! # Ok::<(), headwater_streams::Error>(())
//! ```
//!
//! The map, in the order in which data flows:
//!
//! - `source`: a growing folder, made rows and lines over HTTP as feeds of a topic
//! - `dataset`: data sets and files (Parquet, CSV, JSON lines) as frames
//! - `replay`: sends them to a topic on a clock of their own
//! - `cluster`: the embedded broker, or one that you name; `topic`: records in and out
//! - [`record`]: how a row becomes a record and comes back with the same dtypes
//! - `format`: records that are Avro, Protobuf, text or bytes; `registry`: their schemas by id
//! - `query`: filter, watermark, keys, window, aggregates; run over frames or live
//! - `ktable`: the latest row of every key, its versions, and sums that follow them
//! - `join`: two streams joined within a span of event time
//! - `pattern`: one event and then another; `process`: a function of yours with state and timers
//! - `operator`: what rows pass before a window: duplicates are left out
//! - `window`: the operator, by the rules of Spark Structured Streaming
//! - `chart`: lines and bars as SVG, PNG and text; `live`: a query that runs and redraws its chart
//! - `job`: a query that survives its process; `checkpoint`: what it must know to go on; `sink`:
//!   where it writes, each result once
//! - `testing`: queries under test, without a broker
//! - `table`: frames as small tables
//! - [`display`], [`frame`], [`interrupt`]: how output reaches the cell, and how a cell is stopped

mod chart;
mod checkpoint;
mod cluster;
mod dataset;
pub mod display;
mod error;
mod format;
pub mod frame;
pub mod interrupt;
mod job;
mod join;
mod ktable;
mod live;
mod name;
mod operator;
mod pattern;
pub mod prelude;
mod process;
mod query;
pub mod record;
mod registry;
mod replay;
mod sink;
mod source;
mod table;
mod testing;
mod time;
mod topic;
mod window;
mod worker;

/// SQLite itself, as the sinks link it: for a lab that needs a database of its own.
pub use rusqlite;

pub use chart::{Chart, Picture};
pub use cluster::{Cluster, Inside, LogInside, Node, Nodes, Partitions, nodes, partitions};
pub use dataset::{ENV as DATASETS_ENV, dataset};
pub use error::{Error, Result};
pub use job::{BatchProgress, FAULT_ENV as JOB_FAULT_ENV, Job, JobRun, Took};
pub use join::{JoinBatch, JoinBatches, JoinKind, JoinRun, StreamJoin};
pub use ktable::{Applied, GroupedTable, KTable};
pub use live::{Live, LiveChart};
pub use pattern::{Pattern, PatternRun};
pub use process::{Happening, Keyed, Process, ProcessRun};
pub use query::{Audit, BatchRun, Batches, Query, Stream};
pub use registry::Registry;
pub use replay::{LIMIT_ENV as REPLAY_SECONDS_ENV, Progress, Replay, ReplayRun};
pub use sink::{EachBatch, FrameSink, Parquet, Postgres, Sink, Sqlite, TopicSink};
pub use source::{Feed, FeedCounts, Folder, Generator, HttpLines};
pub use table::{ROWS as TABLE_ROWS, Show, frame_text, show};
pub use testing::{Shrunk, TestRun, shrink};
pub use time::{days, hours, minutes, seconds, span};
pub use topic::{Position, Topic};
pub use window::{
    Batch, Change, Expression, Hopping, OutputMode, PlanColumn, PlanStep, Session, Tumbling,
    WindowQuery, WindowSpec, approx_distinct, approx_quantile, collect_distinct,
};
