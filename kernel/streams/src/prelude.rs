//! The names that a cell has in scope: `use headwater_streams::prelude::*;`.
//!
//! None of them is a name of `polars::prelude`, which cells have in scope too.

pub use crate::OutputMode::{self, Append, Complete, Update};
pub use crate::Position::{self, Earliest, Latest, Since};
pub use crate::{
    Batch, BatchProgress, BatchRun, Batches, Chart, Cluster, EachBatch, Feed, Folder, FrameSink,
    Generator, Happening, Hopping, HttpLines, Job, JobRun, JoinBatches, JoinKind, JoinRun, KTable,
    Keyed, Live, LiveChart, Node, Nodes, Parquet, Partitions, Pattern, PatternRun, Picture,
    Postgres, Process, ProcessRun, Progress, Query, Registry, Replay, ReplayRun, Session, Show,
    Sqlite, Stream, StreamJoin, TestRun, Topic, TopicSink, Tumbling, WindowSpec, approx_distinct,
    approx_quantile, collect_distinct, dataset, days, hours, minutes, nodes, partitions, seconds,
    show, shrink,
};
