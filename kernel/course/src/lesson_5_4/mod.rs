//! Lesson 5.4, Stream Processing with Spark Streaming: its models, pictures and exercises.
//!
//! - [`script`]: eighteen readings in four batches
//! - [`micro_batch`]: the loop of a micro-batch engine in slow motion
//! - [`dstream`]: a small model of Spark's first streaming API
//! - [`ledger`]: watermark, dropped, updated and final, batch by batch
//! - [`rules`]: three rules for a watermark
//! - [`window_strip`]: events and their windows as a picture
//! - [`keep_up`]: a query that keeps up or does not
//! - [`recording`]: recorded runs of Spark
//! - [`polars_windows`]: E1, tumbling, hopping and session windows in Polars
//! - [`watermark_ledger`]: E2, what does every batch do with its rows?
//! - [`output_modes`]: E3, which rows does a batch give out?
//! - [`incremental`]: E4, an aggregation whose state goes from batch to batch
//! - [`checkpoint`]: E5, a checkpoint from which any crash can be survived; [`disk`]: where it is kept
//! - [`health`]: E6, does a query keep up?

pub mod checkpoint;
pub mod disk;
pub mod dstream;
pub mod health;
pub mod incremental;
pub mod keep_up;
pub mod ledger;
pub mod micro_batch;
pub mod output_modes;
pub mod polars_windows;
pub mod recording;
pub mod rules;
pub mod script;
pub mod watermark_ledger;
pub mod window_strip;

mod compare;
mod ledger_picture;
mod loop_picture;

pub use checkpoint::check_5_4_e5;
pub use disk::{BatchTable, Disk, Stopped};
pub use dstream::DStream;
pub use health::{Health, Outage, ProgressRecord, check_5_4_e6};
pub use incremental::{check_5_4_e4, empty_state};
pub use keep_up::BatchEngine;
pub use ledger::{BatchReport, Ledger};
pub use micro_batch::{CommitTime, MicroBatch, SinkKind};
pub use output_modes::{Changes, QueryKind, SinkTo, check_5_4_e3};
pub use polars_windows::check_5_4_e1;
pub use recording::SparkRecording;
pub use rules::watermark_rules;
pub use script::gauge_script;
pub use watermark_ledger::check_5_4_e2;
pub use window_strip::window_strip;
