//! A running replay: its thread, its progress, and how it ends.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::{Plan, card};
use crate::format::RowWriter;
use crate::topic::{Sender, Topic};
use crate::worker::{Worker, wait_while};
use crate::{Error, Result, display, interrupt};

/// How often the thread looks at the clock.
const TICK: Duration = Duration::from_millis(10);

/// How often the card is drawn at most.
const CARD: Duration = Duration::from_millis(250);

/// How far a replay has come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Records handed to the client so far.
    pub sent: usize,
    /// Records that go out if nobody stops the replay.
    pub to_send: usize,
    /// Rows that never arrive: their arrival time is null.
    pub never_sent: usize,
    /// Records that the broker did not take.
    pub failed: u64,
    /// Lines of the file that were no rows.
    pub rejected: u64,
    /// Records a second, over the whole run.
    pub rate_per_s: f64,
    /// The replay's clock, for instance `2013-02-08 10:15:00` (UTC); empty without a clock.
    pub clock: String,
    /// Whether it has ended, by itself or by [`ReplayRun::stop`].
    pub ended: bool,
}

/// A running replay; it stops when this drops.
pub struct ReplayRun {
    shared: Arc<Shared>,
    worker: Worker,
}

/// What the thread and the handle share.
pub(crate) struct Shared {
    pub label: String,
    pub topic: String,
    display: String,
    speed: f64,
    asked: Option<f64>,
    first_rejected: Option<String>,
    /// Locked for a few assignments by the thread, for a copy by the handle.
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    progress: Progress,
    stop: bool,
    stopped: bool,
    error: Option<Error>,
    first_failure: Option<String>,
}

impl ReplayRun {
    pub(super) fn start(plan: Plan, topic: &Topic) -> Result<ReplayRun> {
        let writer = RowWriter::new(topic, &plan.frame)?;
        stop_earlier(topic, &plan.label);
        if plan.fresh {
            topic.clear()?;
        }
        let sender = Sender::new(topic)?;
        let progress = Progress {
            to_send: plan.times.len(),
            never_sent: plan.never_sent,
            rejected: plan.rejected_count,
            ..Progress::default()
        };
        let shared = Arc::new(Shared {
            label: plan.label.clone(),
            topic: topic.name().to_owned(),
            display: display::new_id(),
            speed: plan.speed,
            asked: plan.asked,
            first_rejected: plan.first_rejected.clone(),
            state: Mutex::new(State {
                progress,
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        topic
            .state
            .replays
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(Arc::downgrade(&shared));
        display::show_as(&shared.display, card::card(&shared));
        let ours = shared.clone();
        let worker = Worker::start("headwater-replay", move || {
            let result = run(&ours, &plan, &writer, &sender);
            ours.end(result, &sender);
            display::update(&ours.display, card::card(&ours));
        })?;
        Ok(ReplayRun { shared, worker })
    }

    /// Stops sending and waits until the broker has what was sent; a second call does nothing.
    ///
    /// # Errors
    /// When the broker did not take a record, or on interrupt.
    pub fn stop(&self) -> Result<()> {
        self.shared.ask_to_stop();
        self.wait()
    }

    /// Waits until the replay has ended and the broker has answered about every record.
    ///
    /// # Errors
    /// When the broker did not take a record, or on interrupt (the replay stops then).
    pub fn wait(&self) -> Result<()> {
        let waited = wait_while(
            || !self.progress().ended,
            || self.shared.ask_to_stop(),
            || self.shared.wait_a_little(),
        );
        if self.has_ended() {
            self.worker.join();
        }
        waited?;
        match &self.shared.lock().error {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Returns how far it has come.
    pub fn progress(&self) -> Progress {
        self.shared.progress()
    }

    /// Returns whether it has ended, by itself or by [`ReplayRun::stop`].
    pub fn has_ended(&self) -> bool {
        self.progress().ended
    }

    /// Shows the replay as the value of a cell; the card goes on changing where it started.
    pub fn evcxr_display(&self) {
        display::result(card::card(&self.shared));
    }
}

impl Drop for ReplayRun {
    fn drop(&mut self) {
        self.shared.ask_to_stop();
        self.worker.join();
    }
}

impl std::fmt::Debug for ReplayRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&card::line(&self.shared))
    }
}

impl Shared {
    pub fn progress(&self) -> Progress {
        self.lock().progress.clone()
    }

    pub fn speed(&self) -> (f64, Option<f64>) {
        (self.speed, self.asked)
    }

    /// Returns what went wrong so far, in words.
    pub fn troubles(&self) -> Vec<String> {
        let state = self.lock();
        let failed = state.first_failure.as_ref().map(|first| {
            format!(
                "{} not taken by the broker, the first: {first}",
                state.progress.failed
            )
        });
        let rejected = self.first_rejected.as_ref().map(|first| {
            format!(
                "{} lines are no rows, the first: {first}",
                state.progress.rejected
            )
        });
        let error = state.error.as_ref().map(ToString::to_string);
        failed.into_iter().chain(rejected).chain(error).collect()
    }

    pub fn was_stopped(&self) -> bool {
        self.lock().stopped
    }

    pub fn ask_to_stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// Sleeps until something changes, at most for 50 ms.
    pub fn wait_a_little(&self) {
        let state = self.lock();
        if !state.progress.ended {
            drop(self.changed.wait_timeout(state, Duration::from_millis(50)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Sleeps for one tick; returns false when the replay has to stop.
    fn tick(&self, span: Duration) -> bool {
        let state = self.lock();
        let stop = if state.stop || span.is_zero() {
            state.stop
        } else {
            self.changed
                .wait_timeout(state, span)
                .map_or(true, |(state, _)| state.stop)
        };
        !stop && !interrupt::is_raised()
    }

    fn end(&self, result: Result<bool>, sender: &Sender) {
        let settled = sender.flush();
        let mut state = self.lock();
        state.progress.failed = sender
            .deliveries()
            .failed
            .load(std::sync::atomic::Ordering::Relaxed);
        state.first_failure = sender.deliveries().first_failure();
        state.stopped = !matches!(result, Ok(true));
        state.error = result
            .and(settled)
            .err()
            .filter(|error| !error.is_interrupted());
        state.progress.ended = true;
        drop(state);
        self.changed.notify_all();
    }
}

/// Sends the rows when their time has come; returns whether all of them went out.
fn run(shared: &Shared, plan: &Plan, writer: &RowWriter, sender: &Sender) -> Result<bool> {
    let began = Instant::now();
    let clocked = plan.speed.is_finite();
    let first = plan.times.first().copied().unwrap_or(0);
    let mut payload = Vec::new();
    let mut row = 0;
    let mut drawn = Instant::now();
    while row < plan.times.len() {
        let passed = began.elapsed().as_secs_f64();
        let now = if clocked {
            first.saturating_add((passed * plan.speed * 1e6) as i64)
        } else {
            i64::MAX
        };
        let burst = row + 2000;
        while row < plan.times.len() && plan.times[row] <= now && row < burst {
            payload.clear();
            writer.write(row, &mut payload)?;
            let key = plan
                .keys
                .as_ref()
                .and_then(|keys| keys.get(row))
                .map(str::as_bytes);
            let time_ms = plan.has_clock().then(|| plan.times[row].div_euclid(1000));
            sender.send(key, &payload, writer.header(), time_ms)?;
            row += 1;
        }
        let clock = if clocked { now } else { plan.times[row - 1] };
        note(
            shared,
            sender,
            row,
            plan.has_clock()
                .then(|| clock.min(plan.times[plan.times.len() - 1])),
            began,
        );
        if drawn.elapsed() >= CARD {
            drawn = Instant::now();
            display::update(&shared.display, card::card(shared));
        }
        let due = row == burst;
        if row < plan.times.len() && !shared.tick(if due { Duration::ZERO } else { TICK }) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn note(shared: &Shared, sender: &Sender, sent: usize, clock: Option<i64>, began: Instant) {
    let mut state = shared.lock();
    state.progress.sent = sent;
    state.progress.failed = sender
        .deliveries()
        .failed
        .load(std::sync::atomic::Ordering::Relaxed);
    state.progress.rate_per_s = sent as f64 / began.elapsed().as_secs_f64().max(1e-3);
    state.progress.clock = clock
        .map(|clock| crate::time::show(clock - clock.rem_euclid(crate::time::SECOND)))
        .unwrap_or_default();
}

impl Plan {
    /// Returns whether the times are times, and not only an order.
    fn has_clock(&self) -> bool {
        self.times.iter().any(|time| *time != 0)
    }
}

/// Ends a replay of the same source to the same topic that an earlier run of the cell started.
fn stop_earlier(topic: &Topic, label: &str) {
    let mut replays = topic
        .state
        .replays
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let earlier: Vec<Arc<Shared>> = replays
        .iter()
        .filter_map(std::sync::Weak::upgrade)
        .filter(|replay| replay.label == label)
        .collect();
    replays.retain(|replay| replay.strong_count() > 0);
    drop(replays);
    for replay in earlier {
        replay.ask_to_stop();
        while !replay.progress().ended && !interrupt::is_raised() {
            replay.wait_a_little();
        }
    }
}
