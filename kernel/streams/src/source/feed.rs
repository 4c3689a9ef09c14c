//! A source that runs: its thread, its counts, its end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use polars::prelude::DataFrame;

use crate::record::decode::{Rejected, rejected_frame};
use crate::table::grouped;
use crate::topic::Topic;
use crate::worker::{Worker, wait_while};
use crate::{Error, Result, display, interrupt};

/// How many rejected files and lines are kept with their reason; all of them are counted.
const KEPT: usize = 1000;

/// A source that sends to a topic; it stops when this drops.
pub struct Feed {
    shared: Arc<Shared>,
    worker: Worker,
}

/// What a feed has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeedCounts {
    /// Records that were handed to the topic.
    pub sent: u64,
    /// Files that were read to their end; 0 for sources without files.
    pub files: u64,
    /// Lines and files that were no rows.
    pub rejected: u64,
    /// How often a server was away and asked again.
    pub away: u64,
    /// Whether the source has come to its end, was stopped or failed.
    pub ended: bool,
}

/// What the thread and the handle share.
pub(super) struct Shared {
    label: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    counts: FeedCounts,
    rejected: Vec<Rejected>,
    /// What was last said of a server that was away.
    away: Option<String>,
    stop: bool,
    error: Option<Error>,
}

impl Feed {
    /// Runs `work` on a thread of its own.
    pub(super) fn start(
        label: String,
        topic: &Topic,
        work: impl FnOnce(&Shared) -> Result<()> + Send + 'static,
    ) -> Result<Feed> {
        let shared = Arc::new(Shared {
            label: format!("{label} → topic {}", topic.name()),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let ours = shared.clone();
        let worker = Worker::start("headwater-feed", move || {
            let run = std::panic::AssertUnwindSafe(|| work(&ours));
            // A function of the caller's may panic; whoever waits for the feed must hear of it.
            let result = std::panic::catch_unwind(run).unwrap_or_else(|cause| {
                Err(Error::panicked("the source", cause.as_ref())
                    .hint("repair the function that makes the rows"))
            });
            ours.end(result);
        })?;
        Ok(Feed { shared, worker })
    }

    /// Stops the source and waits for it; a second call does nothing.
    ///
    /// # Errors
    /// When the source had failed before.
    pub fn stop(&self) -> Result<()> {
        self.shared.ask_to_stop();
        self.worker.join();
        self.shared.outcome()
    }

    /// Waits until the source has come to its end. A folder that is followed has none.
    ///
    /// # Errors
    /// When the source fails, or on interrupt (it stops then).
    pub fn wait(&self) -> Result<()> {
        self.wait_until(|counts| counts.ended)
    }

    /// Waits until so many records were sent, or the source has ended.
    ///
    /// # Errors
    /// When the source fails, or on interrupt (it stops then).
    pub fn wait_for_records(&self, records: u64) -> Result<()> {
        self.wait_until(|counts| counts.sent >= records)
    }

    /// Returns what was done so far.
    pub fn counts(&self) -> FeedCounts {
        self.shared.lock().counts
    }

    /// Returns what was no row: record (file, and line where it is one), reason (the first 1,000).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn rejected(&self) -> Result<DataFrame> {
        rejected_frame(&self.shared.lock().rejected)
    }

    /// Shows what was done so far as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(crate::table::text(&format!("{self:?}")));
    }

    fn wait_until(&self, done: impl Fn(FeedCounts) -> bool) -> Result<()> {
        let waiting = || {
            let counts = self.counts();
            !counts.ended && !done(counts)
        };
        wait_while(
            waiting,
            || self.shared.ask_to_stop(),
            || self.shared.wait(Duration::from_millis(50)),
        )?;
        self.shared.outcome()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.ask_to_stop();
        self.worker.join();
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.shared.lock();
        let counts = state.counts;
        let word = if counts.ended { "ended" } else { "running" };
        write!(
            f,
            "{}: {word} · {} sent",
            self.shared.label,
            grouped(counts.sent as i64)
        )?;
        if counts.files > 0 {
            write!(f, " from {} files", grouped(counts.files as i64))?;
        }
        if counts.away > 0 {
            let why = state.away.as_deref().unwrap_or_default();
            write!(
                f,
                " · {} times away; the last: {why}",
                grouped(counts.away as i64)
            )?;
        }
        if counts.rejected > 0 {
            let first = state.rejected.first();
            let first = first.map_or(String::new(), |first| {
                format!("; the first: {}: {}", first.place, first.why)
            });
            write!(f, " · {} rejected{first}", grouped(counts.rejected as i64))?;
        }
        Ok(())
    }
}

impl Shared {
    /// Returns whether the source is to end.
    pub fn is_stopped(&self) -> bool {
        self.lock().stop || interrupt::is_raised()
    }

    pub fn note_sent(&self, records: u64) {
        self.lock().counts.sent += records;
        self.changed.notify_all();
    }

    /// Returns how many records were sent so far.
    pub fn sent(&self) -> u64 {
        self.lock().counts.sent
    }

    /// Counts that a server was away.
    pub fn note_away(&self, why: &Error) {
        let mut state = self.lock();
        state.counts.away += 1;
        state.away = why
            .to_string()
            .lines()
            .nth(1)
            .map(|line| line.trim().to_owned());
    }

    pub fn note_file(&self) {
        self.lock().counts.files += 1;
        self.changed.notify_all();
    }

    /// Counts `count` lines or files that were no rows, and keeps those that are told.
    pub fn note_rejected(&self, count: u64, told: &[Rejected]) {
        let mut state = self.lock();
        state.counts.rejected += count;
        let room = KEPT.saturating_sub(state.rejected.len());
        state.rejected.extend(told.iter().take(room).cloned());
    }

    /// Sleeps for `span`, or until the source is to end.
    pub fn pause(&self, span: Duration) {
        let limit = Instant::now() + span;
        while !self.is_stopped() {
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            self.wait(left.min(Duration::from_millis(50)));
        }
    }

    fn wait(&self, most: Duration) {
        let state = self.lock();
        if !state.counts.ended {
            drop(self.changed.wait_timeout(state, most));
        }
    }

    fn ask_to_stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    fn outcome(&self) -> Result<()> {
        self.lock().error.clone().map_or(Ok(()), Err)
    }

    fn end(&self, result: Result<()>) {
        let error = result.err().filter(|error| !error.is_interrupted());
        if let Some(error) = &error {
            display::show(crate::table::text(&format!(
                "{} has ended: {error}",
                self.label
            )));
        }
        let mut state = self.lock();
        state.error = error;
        state.counts.ended = true;
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
