//! Event-time windows by the rules of Spark Structured Streaming.
//!
//! Windows are `[start, end)` and aligned to 1970-01-01T00:00:00Z. A micro-batch is aggregated by
//! window and keys, groups whose window ended before the previous watermark are dropped as late,
//! the rest joins the state, and windows that the present watermark has passed are final.
//! See <https://spark.apache.org/docs/latest/streaming/apis-on-dataframes-and-datasets.html>,
//! "Window operations on event time".

mod accumulator;
mod aggregate;
mod check;
mod dictionary;
mod expression;
mod groups;
mod keys;
mod late;
mod measure;
mod operator;
mod order;
mod panes;
mod plain;
mod plan;
#[cfg(test)]
mod properties;
mod save;
mod scalar;
mod sessions;
mod spark;
mod spec;
mod typed;
mod watermark;

use serde::{Deserialize, Serialize};

pub(crate) use aggregate::{Aggregates, output_name};
pub use aggregate::{approx_distinct, approx_quantile, collect_distinct};
pub(crate) use check::check_streaming;
pub use expression::Expression;
pub(crate) use keys::Keys;
pub(crate) use late::{late_events, why_late};
pub(crate) use operator::{Emission, Windower};
pub(crate) use plain::{plain_aggregate, plain_windows};
pub use plan::{Change, PlanColumn, PlanStep, WindowQuery};
pub(crate) use save::SavedColumn;
pub(crate) use spark::program as spark_program;
pub use spec::{Hopping, Session, Tumbling, WindowSpec};
pub(crate) use typed::{Typed, aligned, append};
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

/// When a window query gives out its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMode {
    /// Each window once, when the watermark has passed its end. The default.
    Append,
    /// Each window again whenever a batch has changed it.
    Update,
    /// Every window in every batch; nothing is forgotten and nothing is late.
    Complete,
}
