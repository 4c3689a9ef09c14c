//! A running job: its thread, and what its handle can ask.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polars::prelude::DataFrame;

use super::Job;
use super::card::{self, Card};
use super::engine::Engine;
use super::progress::{self, BatchProgress};
use super::shared::Shared;
use crate::record::decode::rejected_frame;
use crate::replay::ReplayRun;
use crate::worker::{Worker, wait_while};
use crate::{Error, Result, display, interrupt};

/// A bounded run that takes no longer than this shows its outcome only.
const SOON: Duration = Duration::from_secs(1);

/// The least time between two looks at a topic without anything new.
const LOOK: Duration = Duration::from_millis(10);

/// A running job; it stops when this drops, and the next start goes on from there.
pub struct JobRun {
    shared: Arc<Shared>,
    worker: Worker,
}

/// Starts the job on a thread.
pub(super) fn start(job: &Job, folder: &Path) -> Result<JobRun> {
    let mut engine = Engine::open(job, folder)?;
    let shared = Arc::new(Shared::new(job, &engine));
    let (ours, every) = (shared.clone(), job.every);
    let mut card = Card::after(Duration::ZERO);
    card.follow(&shared);
    let worker = Worker::start("headwater-job", move || {
        // A function of the caller's may panic; whoever waits for the job must hear of it.
        let run = || follow(&ours, &mut engine, every, &mut card);
        let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|cause| {
            let error = Error::panicked("the job", cause.as_ref());
            Err(error.hint(
                "repair the function that it calls, then start it again: the batch comes again",
            ))
        });
        // The checkpoint is free again before anybody hears of the end.
        drop(engine);
        ours.end(result);
        card.close(&ours);
    })?;
    Ok(JobRun { shared, worker })
}

/// Runs the job on this thread up to the ends that the topic has now.
pub(super) fn available(job: &Job, folder: &Path) -> Result<JobRun> {
    let mut engine = Engine::open(job, folder)?;
    let shared = Shared::new(job, &engine);
    engine.stop_at_present_end()?;
    let mut card = Card::after(SOON);
    while let Some(step) = engine.step(&|| false)? {
        shared.note(step, &engine)?;
        card.follow(&shared);
        interrupt::check()?;
    }
    drop(engine);
    shared.end(Ok(()));
    card.close(&shared);
    Ok(JobRun {
        shared: Arc::new(shared),
        worker: Worker::default(),
    })
}

/// Does batch after batch until somebody stops it.
fn follow(shared: &Shared, engine: &mut Engine, every: Duration, card: &mut Card) -> Result<()> {
    let stop = || shared.lock().stop || interrupt::is_raised();
    while !stop() {
        let began = Instant::now();
        let least = match engine.step(&stop)? {
            Some(step) => {
                shared.note(step, engine)?;
                every
            }
            None => {
                shared.rest(engine);
                every.max(LOOK)
            }
        };
        card.follow(shared);
        shared.pause(least.saturating_sub(began.elapsed()));
    }
    Ok(())
}

impl JobRun {
    /// Stops the job and waits for it; a second call does nothing. A batch that is still being read
    /// is left to the next start.
    ///
    /// # Errors
    /// When the job had failed before.
    pub fn stop(&self) -> Result<()> {
        self.shared.ask_to_stop();
        self.worker.join();
        self.outcome()
    }

    /// Waits until every replay that this process sends to the topic has ended and the job has
    /// taken in what they sent. The job goes on running.
    ///
    /// # Errors
    /// When the job fails, or on interrupt (the job stops then).
    pub fn wait(&self) -> Result<()> {
        self.wait_while(|| self.shared.topic.state.is_fed())?;
        self.until_caught_up()
    }

    /// Waits until `replay` has ended and the job has taken in what it sent.
    ///
    /// # Errors
    /// When the replay or the job fails, or on interrupt (the job stops then).
    pub fn wait_for(&self, replay: &ReplayRun) -> Result<()> {
        self.wait_while(|| !replay.has_ended())?;
        replay.wait()?;
        self.until_caught_up()
    }

    /// Waits until the job has taken in every record that is in the topic now, and what became
    /// final by them is in the sink.
    ///
    /// # Errors
    /// When the job fails, or on interrupt (the job stops then).
    pub fn until_caught_up(&self) -> Result<()> {
        let ends = self.shared.topic.ends()?;
        // Batches and rests when the last of these records was in.
        let mut there: Option<(u64, u64)> = None;
        self.wait_while(|| {
            let state = self.shared.lock();
            if there.is_none() {
                let mut pairs = state.offsets.iter().zip(&ends);
                there = pairs
                    .all(|(offset, end)| offset >= end)
                    .then_some((state.batches, state.rests));
            }
            // Where nothing else comes, a rest says that no window is owed; where more comes, the
            // next batch lets out what the last one closed.
            there.is_none_or(|(batches, rests)| state.batches == batches && state.rests == rests)
        })
    }

    /// Waits for so long, or until the job has ended.
    ///
    /// # Errors
    /// When the job fails, or on interrupt (the job stops then).
    pub fn wait_at_most(&self, span: Duration) -> Result<()> {
        let limit = Instant::now() + span;
        self.wait_while(|| Instant::now() < limit)
    }

    /// Returns one row for each micro-batch of this run (the last 10,000): batch, input_rows,
    /// rejected_rows, input_rows_per_s, processed_rows_per_s, watermark, state_rows, updated,
    /// removed, dropped_groups, late_rows, without_time, duplicates, remembered, state_bytes,
    /// sink_rows, took_ms.
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn progress(&self) -> Result<DataFrame> {
        progress::frame(&self.progress_records())
    }

    /// Returns the same as values.
    pub fn progress_records(&self) -> Vec<BatchProgress> {
        self.shared.lock().progress.iter().cloned().collect()
    }

    /// Returns what the newest micro-batch of this run did; nothing before the first.
    pub fn last_progress(&self) -> Option<BatchProgress> {
        self.shared.lock().progress.back().cloned()
    }

    /// Returns the rows of this run that came too late, with the window that each missed in
    /// window_start and window_end (the first 10,000; the counts go on).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn late(&self) -> Result<DataFrame> {
        Ok(self.shared.lock().late.clone())
    }

    /// Returns the records of this run that were no rows: record, reason, bytes (the first 1,000).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn rejected(&self) -> Result<DataFrame> {
        rejected_frame(&self.shared.lock().rejected)
    }

    /// Says how far the job is, or why it has ended.
    pub fn why(&self) -> String {
        self.shared.line()
    }

    /// Returns whether the job still runs.
    pub fn is_running(&self) -> bool {
        !self.shared.lock().ended
    }

    /// Shows the job as the value of a cell: one line, and its last batches.
    pub fn evcxr_display(&self) {
        display::result(card::card(&self.shared));
    }

    fn outcome(&self) -> Result<()> {
        self.shared.lock().error.clone().map_or(Ok(()), Err)
    }

    fn wait_while(&self, mut waiting: impl FnMut() -> bool) -> Result<()> {
        wait_while(
            || self.is_running() && waiting(),
            || self.shared.ask_to_stop(),
            || self.shared.wait_a_little(),
        )?;
        self.outcome()
    }
}

impl Drop for JobRun {
    fn drop(&mut self) {
        self.shared.ask_to_stop();
        self.worker.join();
    }
}

impl std::fmt::Debug for JobRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shared.line())
    }
}
