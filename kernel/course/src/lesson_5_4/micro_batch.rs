//! Demo D1: the loop of a micro-batch engine, one step at a time, killed wherever you like.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use polars::prelude::{DataFrame, PolarsResult, df};

use super::loop_picture;
use crate::drawing::Drawing;

/// The five steps of one micro-batch, in their order.
pub(super) const STEPS: [&str; 5] = [
    "plan offsets",
    "write offset log",
    "compute",
    "write sink",
    "write commit log",
];

/// What the sink does with the number of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkKind {
    /// It adds what it gets to what it has.
    Appends,
    /// It keeps the number with the rows: a batch that it has already replaces itself.
    ByNumber,
}

/// When the engine writes its commit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitTime {
    /// After the sink has the batch, as Spark does.
    AfterSink,
    /// Before: a mistake, to be looked at.
    BeforeSink,
}

/// A micro-batch engine in slow motion: [`MicroBatch::step`] does one step, [`MicroBatch::kill`]
/// takes its memory away, and the next step is that of a new process which has only the logs.
///
/// It counts records; batch by batch it hands the values that it has read to its sink. Clones are
/// the same engine.
#[derive(Clone)]
pub struct MicroBatch {
    /// Locked for one step or one look.
    inside: Arc<Mutex<Inside>>,
}

#[derive(Clone)]
pub(super) struct Inside {
    records: u64,
    limit: u64,
    sink: SinkKind,
    commit: CommitTime,
    /// What survives: per batch the offsets planned, the batches committed, the rows in the sink.
    pub offset_log: BTreeMap<u64, (u64, u64)>,
    pub commit_log: Vec<u64>,
    pub output: Vec<(u64, u64)>,
    /// What a kill takes: the batch at hand, its offsets, how many steps are done.
    pub batch: u64,
    pub range: Option<(u64, u64)>,
    pub done: usize,
    pub kills: Vec<(u64, usize)>,
    pub said: String,
}

impl MicroBatch {
    /// Returns an engine over `records` records, `limit` a batch, with a sink that appends.
    pub fn over(records: u64, limit: u64) -> MicroBatch {
        MicroBatch {
            inside: Arc::new(Mutex::new(Inside {
                records,
                limit: limit.max(1),
                sink: SinkKind::Appends,
                commit: CommitTime::AfterSink,
                offset_log: BTreeMap::new(),
                commit_log: vec![],
                output: vec![],
                batch: 0,
                range: None,
                done: 0,
                kills: vec![],
                said: "ready: nothing read, both logs are empty".into(),
            })),
        }
    }

    /// Sets what the sink does with a batch that it has already. Default: it appends.
    pub fn sink(self, sink: SinkKind) -> MicroBatch {
        self.lock().sink = sink;
        self
    }

    /// Sets when the commit log is written. Default: after the sink.
    pub fn commit(self, commit: CommitTime) -> MicroBatch {
        self.lock().commit = commit;
        self
    }

    /// Does the next step of the loop, and returns the engine to be looked at.
    pub fn step(&self) -> MicroBatch {
        self.lock().step();
        self.clone()
    }

    /// Does whole batches to the end of the records, and returns the engine to be looked at.
    pub fn run(&self) -> MicroBatch {
        let mut inside = self.lock();
        while inside.step() {}
        drop(inside);
        self.clone()
    }

    /// Does steps until `step` of `batch` is done, and kills the engine there. Steps count from 1.
    pub fn kill_after(&self, batch: u64, step: usize) -> MicroBatch {
        let mut inside = self.lock();
        let reached = |inside: &Inside| inside.batch * 5 + inside.done as u64;
        while reached(&inside) < batch * 5 + step as u64 && inside.step() {}
        inside.kill();
        drop(inside);
        self.clone()
    }

    /// Ends the process: what it held in memory is gone, logs and sink stay.
    pub fn kill(&self) -> MicroBatch {
        self.lock().kill();
        self.clone()
    }

    /// Returns what the sink holds: batch, record (its offset).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn output(&self) -> PolarsResult<DataFrame> {
        let inside = self.lock();
        let (batch, record): (Vec<u64>, Vec<u64>) = inside.output.iter().copied().unzip();
        df!("batch" => batch, "record" => record)
    }

    /// Returns how many records the sink lacks, and how many it has too often.
    pub fn lost_and_doubled(&self) -> (u64, u64) {
        let inside = self.lock();
        let mut times = vec![0u64; inside.records as usize];
        for (_, record) in &inside.output {
            times[*record as usize] += 1;
        }
        let lost = times.iter().filter(|times| **times == 0).count() as u64;
        let doubled = times.iter().map(|times| times.saturating_sub(1)).sum();
        (lost, doubled)
    }

    /// Kills a new engine of the same kind after each step of its second batch, lets it finish, and
    /// returns what came of it: killed_after, lost, doubled.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn kill_everywhere(&self) -> PolarsResult<DataFrame> {
        let kind = self.lock().clone();
        let (mut lost, mut doubled) = (vec![], vec![]);
        for step in 1..=STEPS.len() {
            let engine = MicroBatch::over(kind.records, kind.limit)
                .sink(kind.sink)
                .commit(kind.commit);
            let (missing, twice) = engine.kill_after(1, step).run().lost_and_doubled();
            lost.push(missing);
            doubled.push(twice);
        }
        df!("killed_after" => kind.steps().to_vec(), "lost" => lost, "doubled" => doubled)
    }

    /// Draws the loop and both logs.
    pub fn strip(&self) -> Drawing {
        loop_picture::strip(&self.lock())
    }

    /// Shows the strip as the value of a cell.
    pub fn evcxr_display(&self) {
        self.strip().evcxr_display();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Inside {
    /// The names of the steps in the order of this engine.
    pub fn steps(&self) -> [&'static str; 5] {
        let mut steps = STEPS;
        if self.commit == CommitTime::BeforeSink {
            steps.swap(3, 4);
        }
        steps
    }

    /// Does one step; returns whether there was one to do.
    fn step(&mut self) -> bool {
        let name = self.steps()[self.done];
        let batch = self.batch;
        match name {
            "plan offsets" => {
                let from = self.offset_log.range(..batch).next_back();
                let from = from.map_or(0, |(_, (_, end))| *end);
                let to = (from + self.limit).min(self.records);
                let planned = self.offset_log.get(&batch).copied();
                let (from, to) = planned.unwrap_or((from, to));
                if from == to {
                    self.said = "nothing left to read: every record is in a committed batch".into();
                    return false;
                }
                self.range = Some((from, to));
                self.said = match planned {
                    Some(_) => format!(
                        "batch {batch}: the offset log has it, records {from} to {} again",
                        to - 1
                    ),
                    None => format!("batch {batch}: will read records {from} to {}", to - 1),
                };
            }
            "write offset log" => {
                let (from, to) = self.range.unwrap_or_default();
                self.offset_log.insert(batch, (from, to));
                self.said = format!("batch {batch}: its offsets are on disk");
            }
            "compute" => {
                self.said = format!("batch {batch}: its rows are computed, in memory only")
            }
            "write sink" => {
                let (from, to) = self.range.unwrap_or_default();
                if self.sink == SinkKind::ByNumber {
                    self.output.retain(|(of, _)| *of != batch);
                }
                self.output.extend((from..to).map(|record| (batch, record)));
                self.said = format!("batch {batch}: the sink has its rows");
            }
            _ => {
                if !self.commit_log.contains(&batch) {
                    self.commit_log.push(batch);
                }
                self.said = format!("batch {batch}: committed");
            }
        }
        self.done += 1;
        if self.done == STEPS.len() {
            self.done = 0;
            self.range = None;
            self.batch += 1;
        }
        true
    }

    fn kill(&mut self) {
        let at = match self.done {
            0 => (self.batch.saturating_sub(1), 5),
            done => (self.batch, done),
        };
        let step = self.steps()[at.1 - 1];
        self.kills.push(at);
        self.batch = self.commit_log.iter().max().map_or(0, |last| last + 1);
        self.range = None;
        self.done = 0;
        self.said = match self.offset_log.get(&self.batch) {
            Some((from, to)) => format!(
                "killed after `{step}`. A new process finds batch {} in the offset log but not in the commit log: \
                 it will do records {from} to {} again",
                self.batch,
                to - 1
            ),
            None => format!(
                "killed after `{step}`. A new process finds every planned batch committed: it plans batch {}",
                self.batch
            ),
        };
    }
}

impl fmt::Debug for MicroBatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.strip().text())
    }
}
