//! Streams and the queries on them.

mod audit;
mod batches;
mod stream;

use std::sync::Arc;

use polars::prelude::*;

use crate::chart::Chart;
use crate::job::Job;
use crate::ktable::KTable;
use crate::live::LiveChart;
use crate::operator::{Dedup, DedupSpec};
use crate::sink::Sink;
use crate::topic::letters::Letters;
use crate::topic::{Position, Topic};
use crate::window::{
    self, Aggregates, Batch, Clock, Emission, Expression, OutputMode, PlanColumn, PlanStep,
    WindowQuery, WindowSpec, Windower, append,
};
use crate::{Error, Result, time};

pub use audit::Audit;
pub use batches::{BatchRun, Batches};
pub use stream::Stream;

/// A windowed aggregation over a topic: a recipe, which runs as often and in as many ways as you
/// like. Nothing is read before it runs.
#[derive(Clone)]
pub struct Query {
    pub(crate) topic: Topic,
    pub(crate) from: Position,
    steps: Arc<Vec<Step>>,
    /// The column of the event time, and how late an event may be; nothing where there is no
    /// watermark.
    watermark: (String, Option<i64>),
    spec: WindowSpec,
    keys: Vec<String>,
    aggregates: Aggregates,
    /// The aggregates as they were typed.
    exprs: Arc<Vec<Expr>>,
    mode: OutputMode,
    /// The most bytes that the state may take.
    state_limit: Option<usize>,
    /// Where records go that are no rows.
    letters: Option<Topic>,
}

/// What happens to rows before they are put into windows.
#[derive(Clone)]
pub(crate) enum Step {
    Filter(Expr),
    With(Vec<Expr>),
    /// From here on the watermark follows the rows.
    Watermark,
    Dedup(DedupSpec),
    /// The columns of a table beside the rows of its keys.
    LookUp(KTable),
}

/// A query that runs: its clock, its state and its counts.
pub(crate) struct Running {
    stages: Vec<Stage>,
    steps: Arc<Vec<Step>>,
    pub clock: Clock,
    pub windower: Windower,
    place: String,
    state_limit: Option<usize>,
}

/// A part of a running query before its windows.
enum Stage {
    /// Filters, columns and tables, which keep nothing from batch to batch.
    Plain(Vec<Step>),
    Clock,
    Dedup(Dedup),
}

impl Query {
    /// Sets when rows are given out. Default: [`OutputMode::Append`].
    pub fn output(mut self, mode: OutputMode) -> Query {
        self.mode = mode;
        self
    }

    /// Sets where a live run starts to read. Default: [`Position::Earliest`].
    pub fn from(mut self, position: Position) -> Query {
        self.from = position;
        self
    }

    /// Ends the query with an error when its state takes more than so many megabytes. Default: no
    /// limit, so a key that never comes again in [`OutputMode::Complete`] stays for ever.
    pub fn state_at_most(mut self, megabytes: u64) -> Query {
        self.state_limit = usize::try_from(megabytes)
            .ok()
            .and_then(|most| most.checked_mul(1 << 20));
        self
    }

    /// Sends records that are no rows to this topic, as they were: key and bytes, with headers that say
    /// topic, partition, offset and reason (those of Kafka Connect,
    /// [KIP-298](https://cwiki.apache.org/confluence/display/KAFKA/KIP-298%3A+Error+Handling+in+Connect)).
    /// `letters.raw().read(Earliest)?` shows their bytes. A job that is killed before the batch is in its
    /// checkpoint sends the letters of that batch again; partition and offset tell them apart.
    pub fn dead_letters(mut self, letters: &Topic) -> Query {
        self.letters = Some(letters.clone());
        self
    }

    /// Runs over a frame as a whole, as Spark's batch run does: the watermark is ignored and every
    /// window comes out.
    ///
    /// Columns: window_start, window_end (datetime in microseconds, UTC), the keys, the
    /// aggregates; ordered by window_start and keys.
    ///
    /// # Errors
    /// When the frame lacks a column of the query.
    pub fn run_local(&self, frame: &DataFrame) -> Result<DataFrame> {
        let mut whole = self.clone().output(OutputMode::Complete);
        whole.watermark.1 = None;
        let mut run = whole.running("the frame");
        if frame.width() > 0 {
            run.check(frame)?;
        }
        Ok(run.push(frame.clone())?.rows)
    }

    /// Runs over one frame after the other, each a micro-batch, and over one more without rows if
    /// the last one moved the watermark.
    ///
    /// # Errors
    /// When a frame with rows lacks a column of the query.
    pub fn run_batches(&self, frames: &[DataFrame]) -> Result<Batches> {
        self.check_streaming()?;
        Batches::run(self.running("the frame"), frames)
    }

    /// Draws the query as `chart` while it runs; `.start()?` starts it.
    pub fn chart(&self, chart: Chart) -> LiveChart {
        LiveChart::new(self.clone(), chart)
    }

    /// Writes the results to `sink`, each once, also over restarts; `.checkpoint("folder")` says
    /// where to keep state and offsets, `.start()?` or `.run_available()?` runs it.
    pub fn to<S: Into<Sink>>(&self, sink: S) -> Job {
        Job::new(self.clone(), sink.into())
    }

    /// Returns the query as a plain value, which can be written down and compared.
    pub fn plan(&self) -> WindowQuery {
        let columns = |exprs: &[Expr]| exprs.iter().map(plan_column).collect();
        let step = |step: &Step| match step {
            Step::Filter(by) => PlanStep::Filter(Expression::of(by)),
            Step::With(exprs) => PlanStep::With(columns(exprs)),
            Step::Watermark => PlanStep::Watermark,
            Step::Dedup(spec) => PlanStep::Operator(spec.words()),
            Step::LookUp(table) => PlanStep::Operator(table.join_words()),
        };
        WindowQuery {
            source: format!("topic {}", self.topic.name()),
            schema: Vec::new(),
            steps: self.steps.iter().map(step).collect(),
            event_time: self.watermark.0.clone(),
            watermark_us: self.watermark.1,
            window: self.spec,
            keys: self.keys.clone(),
            aggregates: columns(&self.exprs),
            output: self.mode,
        }
    }

    /// Says what the query does step by step, and which program it would be for Spark.
    pub fn explain(&self) -> String {
        let plan = self.plan();
        let parts = plan.parts();
        let lines: Vec<String> = parts
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(part, text)| format!("{part:<11} {text}"))
            .collect();
        format!("{}\n\n{}", lines.join("\n"), window::spark_program(&plan))
    }

    /// Returns the query in one line.
    pub fn describe(&self) -> String {
        let by = if self.keys.is_empty() {
            String::new()
        } else {
            format!(" by {}", self.keys.join(", "))
        };
        format!(
            "query on topic {}: {}{by} of {} ({}), {}, output {:?}",
            self.topic.name(),
            self.aggregates.names().join(", "),
            self.watermark.0,
            match self.watermark.1 {
                Some(delay) => format!("watermark {} behind", time::show_span(delay)),
                None => "no watermark".into(),
            },
            self.spec.words(),
            self.mode
        )
    }

    /// Shows the query as the value of a cell.
    pub fn evcxr_display(&self) {
        let hint = "run it: .run_local(&frame)?, .run_batches(&frames)?, .chart(Chart::line(..)).start()?, .to(sink).checkpoint(\"folder\").start()?";
        crate::display::result(crate::table::text(&format!("{}\n{hint}", self.describe())));
    }

    pub(crate) fn running(&self, place: &str) -> Running {
        Running {
            stages: self.stages(),
            steps: self.steps.clone(),
            clock: Clock::new(&self.watermark.0, self.watermark.1),
            windower: Windower::new(
                self.spec,
                &self.watermark.0,
                self.keys.clone(),
                self.aggregates.clone(),
                self.mode,
            ),
            place: place.to_owned(),
            state_limit: self.state_limit,
        }
    }

    fn stages(&self) -> Vec<Stage> {
        let (at, delay) = &self.watermark;
        let mut stages = Vec::new();
        let mut known = None;
        for step in self.steps.iter() {
            match (step, stages.last_mut()) {
                (Step::Watermark, _) => {
                    known = *delay;
                    stages.push(Stage::Clock);
                }
                (Step::Dedup(spec), _) => {
                    stages.push(Stage::Dedup(Dedup::new(spec.clone(), at, known)));
                }
                (step, Some(Stage::Plain(steps))) => steps.push(step.clone()),
                (step, _) => stages.push(Stage::Plain(vec![step.clone()])),
            }
        }
        stages
    }

    /// Says what a stream cannot do although a batch can.
    pub(crate) fn check_streaming(&self) -> Result<()> {
        window::check_streaming(self.spec, &self.keys, self.watermark.1, self.mode)
    }

    /// Says what a job cannot do although a stream can: its checkpoint must hold all it goes on from.
    pub(crate) fn check_job(&self) -> Result<()> {
        let table = self.steps.iter().find_map(|step| match step {
            Step::LookUp(table) => Some(table),
            _ => None,
        });
        match table {
            None => Ok(()),
            Some(table) => Err(Error::new(
                "a job cannot join a table: the table's rows are not in its checkpoint",
            )
            .have(table.describe())
            .hint("a job without .left_join(..), or the query over frames or in a live chart")),
        }
    }

    /// Opens the way for records that are no rows, where one was named.
    pub(crate) fn open_letters(&self) -> Result<Option<Letters>> {
        let letters = self.letters.as_ref();
        letters.map(|to| Letters::open(&self.topic, to)).transpose()
    }

    pub(crate) fn mode(&self) -> OutputMode {
        self.mode
    }

    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Returns the columns that name a row of the result: window_start, window_end, the keys.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.columns();
        names.truncate(2 + self.keys.len());
        names
    }

    /// Returns the names of the columns of the result: window_start, window_end, the keys, the
    /// aggregates.
    pub fn columns(&self) -> Vec<String> {
        let names = self.aggregates.names().iter().map(ToString::to_string);
        ["window_start", "window_end"]
            .into_iter()
            .map(String::from)
            .chain(self.keys.iter().cloned())
            .chain(names)
            .collect()
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Running {
    /// Takes one micro-batch in. A frame without rows moves neither clock nor state, but what the
    /// batch before moved takes effect.
    pub fn push(&mut self, rows: DataFrame) -> Result<Emission> {
        let mut batch = Batch {
            rows,
            watermark: i64::MIN,
            late_before: i64::MIN,
        };
        let (mut duplicates, mut late) = (0, DataFrame::empty());
        for stage in &mut self.stages {
            match stage {
                Stage::Plain(_) if batch.rows.height() == 0 => {}
                Stage::Plain(steps) => {
                    batch.rows = apply(batch.rows, steps, &self.clock.column, &self.place)?
                }
                Stage::Clock => batch = self.clock.batch(batch.rows, &self.place)?,
                Stage::Dedup(dedup) => {
                    let passed = dedup.push(&batch, &self.place)?;
                    batch.rows = passed.rows;
                    duplicates += passed.duplicates;
                    append(&mut late, &passed.late)?;
                }
            }
        }
        let mut emission = self.windower.push(&batch, &self.place)?;
        emission.duplicates = duplicates;
        if late.height() > 0 {
            append(&mut late, &emission.late)?;
            emission.late = late;
        }
        self.check_state(emission.state_rows)?;
        Ok(emission)
    }

    /// Says that the state has outgrown its limit.
    fn check_state(&self, groups: usize) -> Result<()> {
        let (Some(limit), bytes) = (self.state_limit, self.state_bytes()) else {
            return Ok(());
        };
        if bytes <= limit {
            return Ok(());
        }
        let megabytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        Err(Error::new("the state of the query has outgrown its limit")
            .have(format!(
                "{groups} groups and {} keys in {:.1} MB, limit {:.1} MB, watermark {}",
                self.remembered(),
                megabytes(bytes),
                megabytes(limit),
                time::show(self.clock.watermark())
            ))
            .hint(
                "a shorter watermark delay, fewer keys or windows, or .state_at_most(..) with more",
            ))
    }

    /// Returns the state as bytes, the clock apart.
    pub fn save(&self) -> Result<Vec<u8>> {
        let mut parts = vec![self.windower.save()?];
        for stage in &self.stages {
            if let Stage::Dedup(dedup) = stage {
                parts.push(dedup.save()?);
            }
        }
        postcard::to_stdvec(&parts).map_err(|cause| unreadable(&cause.to_string()))
    }

    /// Goes on from a state that [`Running::save`] wrote.
    pub fn load(&mut self, bytes: &[u8]) -> Result<()> {
        let parts: Vec<Vec<u8>> =
            postcard::from_bytes(bytes).map_err(|cause| unreadable(&cause.to_string()))?;
        let mut parts = parts.iter();
        let mut next = || parts.next().ok_or_else(|| unreadable("a part is missing"));
        self.windower.load(next()?)?;
        for stage in &mut self.stages {
            if let Stage::Dedup(dedup) = stage {
                dedup.load(next()?)?;
            }
        }
        Ok(())
    }

    /// Returns about how many bytes the state takes.
    pub fn state_bytes(&self) -> usize {
        let stage = |stage: &Stage| match stage {
            Stage::Dedup(dedup) => dedup.bytes(),
            _ => 0,
        };
        self.windower.state_bytes() + self.stages.iter().map(stage).sum::<usize>()
    }

    /// Returns how many keys are remembered to tell duplicates.
    pub fn remembered(&self) -> usize {
        let stage = |stage: &Stage| match stage {
            Stage::Dedup(dedup) => dedup.len(),
            _ => 0,
        };
        self.stages.iter().map(stage).sum()
    }

    /// Returns whether a batch without rows would change anything: whether the last one moved the
    /// watermark, and windows may end by it.
    pub fn owes_a_batch(&self) -> bool {
        self.clock.has_moved() && self.windower.mode != OutputMode::Complete
    }

    /// Says which window waits for which event, or why none is open.
    pub fn why_silent(&self) -> String {
        let (clock, windower) = (&self.clock, &self.windower);
        let (Some(_), Some(delay)) = (clock.newest(), clock.delay()) else {
            return match clock.newest() {
                None => "no event with a time yet".into(),
                Some(_) => "without a watermark no window is ever final".into(),
            };
        };
        if let Some(waiting) = windower.waiting_for(clock.coming(), delay) {
            return waiting;
        }
        match windower.is_empty() {
            false => "the open windows come out with the next batch".into(),
            true => format!("no window open, watermark {}", time::show(clock.coming())),
        }
    }

    /// Says which column the rows lack, before any is processed.
    pub fn check(&self, rows: &DataFrame) -> Result<()> {
        let rows = apply(rows.clear(), &self.steps, &self.clock.column, &self.place)?;
        if !rows.schema().contains(&self.clock.column) {
            return Err(Error::unknown_column(
                &self.clock.column,
                &self.place,
                rows.schema(),
            ));
        }
        self.windower.check_columns(&rows, &self.place)?;
        self.windower.aggregates.check_types(&rows)
    }
}

fn unreadable(why: &str) -> Error {
    Error::new("the state of the query cannot be read")
        .have(why)
        .hint("the program that wrote it, or a new checkpoint folder")
}

fn plan_column(expr: &Expr) -> PlanColumn {
    PlanColumn {
        name: window::output_name(expr).to_string(),
        is: Expression::of(expr),
    }
}

fn apply(rows: DataFrame, steps: &[Step], at: &str, place: &str) -> Result<DataFrame> {
    if steps.iter().all(|step| matches!(step, Step::Watermark)) {
        return Ok(rows);
    }
    let mut schema = rows.schema().clone();
    let mut lazy = rows.lazy();
    for step in steps {
        let exprs = match step {
            Step::Watermark => continue,
            Step::Dedup(spec) => {
                let missing = spec.columns.iter().find(|column| !schema.contains(column));
                if let Some(missing) = missing {
                    return Err(Error::unknown_column(missing, place, &schema));
                }
                lazy = spec.of_batch(lazy.collect()?)?.lazy();
                continue;
            }
            Step::LookUp(table) => {
                let rows = table.look_up(&lazy.collect()?, at, place)?;
                schema = rows.schema().clone();
                lazy = rows.lazy();
                continue;
            }
            Step::Filter(expr) => std::slice::from_ref(expr),
            Step::With(exprs) => exprs,
        };
        for name in exprs
            .iter()
            .flat_map(|expr| expr.into_iter())
            .filter_map(|node| match node {
                Expr::Column(name) => Some(name),
                _ => None,
            })
        {
            if !schema.contains(name) {
                return Err(Error::unknown_column(name, place, &schema));
            }
        }
        lazy = match step {
            Step::Filter(expr) => lazy.filter(expr.clone()),
            Step::With(exprs) => lazy.with_columns(exprs.clone()),
            Step::Watermark | Step::Dedup(_) | Step::LookUp(_) => lazy,
        };
        schema = lazy.collect_schema()?;
    }
    Ok(lazy.collect()?)
}
