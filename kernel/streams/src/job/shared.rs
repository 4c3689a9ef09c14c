//! What a job's thread and its handle share.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use polars::prelude::DataFrame;

use super::Job;
use super::engine::{Engine, Step};
use super::progress::BatchProgress;
use crate::checkpoint::Counts;
use crate::record::decode::Rejected;
use crate::table::grouped;
use crate::topic::Topic;
use crate::{Error, Result, display, interrupt, window};

/// How many progress records and how many late rows are kept to be looked at; all are counted.
const KEPT: usize = 10_000;

/// How far a job is.
pub(super) struct Shared {
    /// The job in words.
    pub label: String,
    pub topic: Topic,
    /// Locked for a look or to note a batch, never while one runs.
    pub state: Mutex<State>,
    pub changed: Condvar,
}

/// What changes while the job runs.
#[derive(Default)]
pub(super) struct State {
    pub progress: VecDeque<BatchProgress>,
    pub late: DataFrame,
    pub rejected: Vec<Rejected>,
    pub counts: Counts,
    pub batches: u64,
    /// Offsets up to which everything is done.
    pub offsets: Vec<i64>,
    /// How often the job has found nothing more to do.
    pub rests: u64,
    pub waiting: Option<String>,
    pub stop: bool,
    pub ended: bool,
    pub error: Option<Error>,
}

impl Shared {
    pub fn new(job: &Job, engine: &Engine) -> Shared {
        let state = State {
            counts: engine.counts(),
            batches: engine.batches(),
            offsets: engine.offsets().to_vec(),
            ..State::default()
        };
        Shared {
            label: format!("job {} to {:?}", job.name(), job.sink),
            topic: job.query.topic.clone(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Notes what a batch did.
    pub fn note(&self, step: Step, engine: &Engine) -> Result<()> {
        let mut state = self.lock();
        if state.progress.len() == KEPT {
            state.progress.pop_front();
        }
        state.progress.push_back(step.progress);
        state.counts = engine.counts();
        state.batches = engine.batches();
        state.offsets = engine.offsets().to_vec();
        state.waiting = engine.waiting_for();
        if step.late.height() > 0 && state.late.height() < KEPT {
            window::append(&mut state.late, &step.late)?;
        }
        if state.rejected.len() != engine.rejected().len() {
            state.rejected = engine.rejected().to_vec();
        }
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Notes that there was nothing to do.
    pub fn rest(&self, engine: &Engine) {
        let mut state = self.lock();
        state.rests += 1;
        state.waiting = engine.waiting_for();
        drop(state);
        self.changed.notify_all();
    }

    pub fn end(&self, result: Result<()>) {
        let error = result.err().filter(|error| !error.is_interrupted());
        if let Some(error) = &error {
            let text = format!("{} has ended: {error}", self.label);
            display::show(crate::table::text(&text));
        }
        let mut state = self.lock();
        state.error = error;
        state.ended = true;
        drop(state);
        self.changed.notify_all();
    }

    /// Returns the job in one line.
    pub fn line(&self) -> String {
        let state = self.lock();
        let mut line = format!(
            "{}: {}, {} batches, {} rows in, {} out",
            self.label,
            match (state.ended, &state.error) {
                (false, _) => "running",
                (true, None) => "stopped",
                (true, Some(_)) => "failed",
            },
            grouped(state.batches as i64),
            grouped(state.counts.input_rows as i64),
            grouped(state.counts.output_rows as i64),
        );
        let mut add = |count: u64, words: &str| {
            if count > 0 {
                line.push_str(&format!(", {} {words}", grouped(count as i64)));
            }
        };
        add(state.counts.late_rows, "late");
        add(state.counts.without_time, "without event time");
        add(state.counts.duplicates, "duplicates");
        add(state.counts.rejected, "rejected");
        match (&state.error, &state.waiting) {
            (Some(error), _) => line.push_str(&format!("\n{error}")),
            (None, Some(waiting)) => line.push_str(&format!("; {waiting}")),
            (None, None) => {}
        }
        line
    }

    pub fn ask_to_stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// Sleeps until the thread has done something, at most for 50 ms.
    pub fn wait_a_little(&self) {
        let state = self.lock();
        if !state.ended {
            drop(self.changed.wait_timeout(state, Duration::from_millis(50)));
        }
    }

    /// Sleeps for `span`, or until somebody asks to stop.
    pub fn pause(&self, span: Duration) {
        let limit = Instant::now() + span;
        let mut state = self.lock();
        while !state.stop && !interrupt::is_raised() {
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = match self.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
