//! A window query as a plain value: written down, read back, compared, checked before it runs.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Aggregates, Expression, OutputMode, WindowSpec, Windower, check_streaming};
use crate::record::read_dtype;
use crate::{Error, Result, time};

/// A windowed aggregation as a plain value, without a topic behind it.
///
/// [`Query::plan`](crate::Query::plan) gives one; `to_json` and `from_json` write and read it; two
/// of them tell each other apart part by part with [`WindowQuery::changes`].
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use headwater_streams::WindowQuery;
/// use polars::prelude::*;
///
/// let trips = Cluster::embedded()?.topic("doc-plan", partitions(1))?;
/// let query = trips.stream().watermark("at", minutes(10)).group_by(["zone"])
///     .window(Tumbling::of(minutes(30))).agg([len().alias("trips")])?;
/// let plan = query.plan();
/// assert_eq!(WindowQuery::from_json(&plan.to_json()?)?, plan);
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowQuery {
    /// The name of the topic or other source.
    pub source: String,
    /// Names and dtypes of the source's columns; empty where they are not known yet.
    #[serde(default)]
    pub schema: Vec<(String, String)>,
    /// What happens to rows before they are put into windows.
    #[serde(default)]
    pub steps: Vec<PlanStep>,
    /// The column of the event time.
    pub event_time: String,
    /// How late an event may be, in microseconds; nothing where there is no watermark.
    #[serde(default)]
    pub watermark_us: Option<i64>,
    /// The windows.
    pub window: WindowSpec,
    /// The columns that rows are grouped by beside the window.
    #[serde(default)]
    pub keys: Vec<String>,
    /// What is computed.
    pub aggregates: Vec<PlanColumn>,
    /// When rows are given out.
    pub output: OutputMode,
}

/// A column of a [`WindowQuery`] that is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub is: Expression,
}

/// What happens to rows before they are put into windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStep {
    /// Rows for which this does not hold are left out.
    Filter(Expression),
    /// These columns are added or replaced.
    With(Vec<PlanColumn>),
    /// From here on the watermark follows the rows.
    Watermark,
    /// Another operator, by its description.
    Operator(String),
}

/// One part in which two queries differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The part: source, steps, event time, watermark, window, keys, aggregates, output.
    pub part: &'static str,
    /// What it was.
    pub was: String,
    /// What it is now.
    pub is: String,
}

impl WindowQuery {
    /// Reads a query that [`WindowQuery::to_json`] wrote, and checks it.
    ///
    /// # Errors
    /// When the text is no such query, and for everything that [`WindowQuery::check`] refuses.
    pub fn from_json(text: &str) -> Result<WindowQuery> {
        let query: WindowQuery = serde_json::from_str(text).map_err(|cause| {
            Error::new("this text is no window query")
                .have(cause.to_string())
                .hint("query.plan().to_json()? shows the form")
                .caused_by(cause)
        })?;
        query.check()?;
        Ok(query)
    }

    /// Writes the query as JSON.
    ///
    /// # Errors
    /// When a number in it has no JSON form.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|cause| {
            Error::new("this query has no JSON form")
                .have(cause.to_string())
                .caused_by(cause)
        })
    }

    /// Says what is wrong with the query, before it runs.
    ///
    /// # Errors
    /// For a window that cannot be, a slide above the size, a session in update mode or without a
    /// key, append without a watermark, an aggregate that cannot be continued from batch to batch;
    /// and where the schema is known, for unknown columns and dtypes that an aggregate rules out.
    pub fn check(&self) -> Result<()> {
        self.window.check()?;
        check_streaming(self.window, &self.keys, self.watermark_us, self.output)?;
        let windower = self.windower()?;
        if self.schema.is_empty() || !self.steps.iter().all(|step| *step == PlanStep::Watermark) {
            return Ok(());
        }
        let columns = self
            .schema
            .iter()
            .map(|(name, dtype)| {
                let found = read_dtype(dtype).ok_or_else(|| {
                    Error::new(format!("column `{name}` has a dtype that there is not"))
                        .have(dtype.clone())
                        .hint("i64, f64, str, bool, datetime[us, UTC]")
                })?;
                Ok(Column::new_empty(name.as_str().into(), &found))
            })
            .collect::<Result<Vec<Column>>>()?;
        let rows = DataFrame::new(0, columns)?;
        windower.check_columns(&rows, &format!("source {}", self.source))?;
        let dtype = rows.column(&self.event_time)?.dtype();
        if !dtype.is_temporal() {
            return Err(
                Error::new(format!("`{}` cannot be an event time", self.event_time))
                    .have(format!("dtype {dtype}"))
                    .hint("a column of datetimes"),
            );
        }
        windower.aggregates.check_types(&rows)
    }

    /// Returns the parts in which `other` differs from this query.
    pub fn changes(&self, other: &WindowQuery) -> Vec<Change> {
        let parts = self.parts().into_iter().zip(other.parts());
        parts
            .filter(|((_, was), (_, is))| was != is)
            .map(|((part, was), (_, is))| Change { part, was, is })
            .collect()
    }

    /// Returns the query part by part, in words.
    pub(crate) fn parts(&self) -> Vec<(&'static str, String)> {
        let step = |step: &PlanStep| match step {
            PlanStep::Filter(by) => format!("filter {}", super::spark::words(by)),
            PlanStep::With(columns) => format!("with {}", columns_in_words(columns)),
            PlanStep::Watermark => "watermark".into(),
            PlanStep::Operator(words) => words.clone(),
        };
        let steps: Vec<String> = self.steps.iter().map(step).collect();
        let watermark = match self.watermark_us {
            Some(delay) => format!("{} behind", time::show_span(delay)),
            None => "none".into(),
        };
        vec![
            ("source", self.source.clone()),
            ("steps", steps.join("; ")),
            ("event time", self.event_time.clone()),
            ("watermark", watermark),
            ("window", self.window.words()),
            ("keys", self.keys.join(", ")),
            ("aggregates", columns_in_words(&self.aggregates)),
            ("output", format!("{:?}", self.output).to_lowercase()),
        ]
    }

    pub(crate) fn exprs(&self) -> Result<Vec<Expr>> {
        let expr = |column: &PlanColumn| Ok(column.is.expr()?.alias(column.name.as_str()));
        self.aggregates.iter().map(expr).collect()
    }

    pub(crate) fn windower(&self) -> Result<Windower> {
        let aggregates = Aggregates::new(&self.exprs()?, &self.keys)?;
        Ok(Windower::new(
            self.window,
            &self.event_time,
            self.keys.clone(),
            aggregates,
            self.output,
        ))
    }

    /// Shows the query as the value of a cell.
    pub fn evcxr_display(&self) {
        let parts = self.parts();
        let lines: Vec<String> = parts
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(part, text)| format!("{part:<11} {text}"))
            .collect();
        crate::display::result(crate::table::text(&lines.join("\n")));
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |text: &str| if text.is_empty() { "none" } else { text }.to_owned();
        let (was, is) = (shown(&self.was), shown(&self.is));
        write!(f, "{}: was {was}, is {is}", self.part)
    }
}

fn columns_in_words(columns: &[PlanColumn]) -> String {
    let column =
        |column: &PlanColumn| format!("{} = {}", column.name, super::spark::words(&column.is));
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}
