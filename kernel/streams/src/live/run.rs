//! The thread of a live chart, and what it shares with its handle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use polars::prelude::DataFrame;

use super::pipe::Pipe;
use crate::chart::{Chart, Data, Picture};
use crate::frame::Bundle;
use crate::query::Query;
use crate::record::decode::{Rejected, rejected_frame};
use crate::topic::letters::Letters;
use crate::topic::tail::{Look, Tail};
use crate::topic::{Position, Topic};
use crate::worker::Worker;
use crate::{Error, Result, display, interrupt};

/// The least time between two frames: four a second.
const FRAME: Duration = Duration::from_millis(250);

/// The least time between two looks at the topic.
const LOOK: Duration = Duration::from_millis(50);

/// What the thread and the handle share.
pub(crate) struct Shared {
    topic: Topic,
    display: String,
    /// Locked by the thread for one micro-batch or one drawing, by the handle for a copy.
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The query, and where there is one its mirror.
    pipes: Vec<Pipe>,
    /// How often the thread has looked at the topic and taken in what it found.
    looks: u64,
    rejected: Vec<Rejected>,
    rejected_count: u64,
    /// The picture as it is shown; there from the start on.
    picture: Option<Picture>,
    last_frame: Bundle,
    stop: bool,
    ended: bool,
    error: Option<Error>,
}

/// The drawing side of the thread.
struct Easel {
    chart: Chart,
    mirrored: bool,
    /// The series of the last frame, so that each keeps its colour.
    data: Data,
    drawn: Option<Instant>,
    pause: Duration,
    stale: bool,
}

/// Starts the thread.
pub(super) fn start(
    query: &Query,
    mirror: Option<&Query>,
    chart: &Chart,
) -> Result<(Arc<Shared>, Worker)> {
    let topic = query.topic.clone();
    let queries: Vec<&Query> = std::iter::once(query).chain(mirror).collect();
    queries
        .iter()
        .try_for_each(|query| query.check_streaming())?;
    let first = Tail::peek(&topic, &Position::Earliest)?;
    if let Some(first) = &first {
        let place = format!("topic {}", topic.name());
        queries
            .iter()
            .try_for_each(|query| query.running(&place).check(first))?;
    }
    let letters = query.open_letters()?;
    let mut tail = Tail::open(&topic, &query.from)?;
    if letters.is_some() {
        tail.letters.keep();
    }
    let held = first.is_some() && query.from == Position::Earliest;
    let pipes = queries
        .into_iter()
        .map(|query| Pipe::new(query, held))
        .collect();
    let state = State {
        pipes,
        looks: 0,
        rejected: Vec::new(),
        rejected_count: 0,
        picture: None,
        last_frame: Bundle::new(),
        stop: false,
        ended: false,
        error: None,
    };
    let shared = Arc::new(Shared {
        topic,
        display: display::new_id(),
        state: Mutex::new(state),
        changed: Condvar::new(),
    });
    let mut easel = Easel::new(chart.clone(), mirror.is_some());
    // A statement of its own: the lock must be free again before the picture is shown.
    let first = easel.draw(&mut shared.lock())?;
    shared.show_first(first);
    let ours = shared.clone();
    let worker = Worker::start("headwater-live", move || {
        // Whoever waits for the query must hear of its end, whatever ended it.
        let run = AssertUnwindSafe(|| follow(&ours, tail, letters.as_ref(), &mut easel));
        let result = catch_unwind(run).unwrap_or_else(|cause| {
            let error = Error::panicked("the live query", cause.as_ref());
            Err(error.hint("a report with the cell: this is a fault of the library"))
        });
        ours.end(result, &mut easel);
    })?;
    Ok((shared, worker))
}

/// Takes in micro-batch after micro-batch until somebody stops it.
fn follow(
    shared: &Shared,
    mut tail: Tail,
    letters: Option<&Letters>,
    easel: &mut Easel,
) -> Result<()> {
    let stop = || shared.lock().stop || interrupt::is_raised();
    while !stop() {
        let began = Instant::now();
        let look = tail.look(&stop)?;
        if let Some(letters) = letters {
            letters.send(&tail.letters.take())?;
        }
        let mut state = shared.lock();
        match look {
            Look::Rows(rows) => {
                state
                    .pipes
                    .iter_mut()
                    .try_for_each(|pipe| pipe.push(rows.clone()))?;
                easel.stale = true;
            }
            Look::Nothing => {
                for pipe in &mut state.pipes {
                    easel.stale |= pipe.settle()?;
                }
            }
            Look::Emptied => {
                state.pipes.iter_mut().for_each(Pipe::restart);
                easel.data = Data::default();
                easel.stale = true;
            }
        }
        state.looks += 1;
        if state.rejected_count != tail.rejected_count() {
            state.rejected_count = tail.rejected_count();
            state.rejected = tail.rejected().to_vec();
            easel.stale = true;
        }
        if easel.is_due() {
            let picture = easel.draw(&mut state)?;
            state.last_frame = picture.frame();
            state.picture = Some(picture);
            display::update(&shared.display, state.last_frame.clone());
        }
        drop(state);
        shared.changed.notify_all();
        shared.pause(LOOK.saturating_sub(began.elapsed()));
    }
    Ok(())
}

impl Easel {
    fn new(chart: Chart, mirrored: bool) -> Easel {
        Easel {
            chart,
            mirrored,
            data: Data::default(),
            drawn: None,
            pause: FRAME,
            stale: true,
        }
    }

    fn is_due(&self) -> bool {
        self.stale && self.drawn.is_none_or(|drawn| drawn.elapsed() >= self.pause)
    }

    /// Draws what is there now. Drawing may take a fifth of the time at most.
    fn draw(&mut self, state: &mut State) -> Result<Picture> {
        let began = Instant::now();
        let mut data = self.data.cleared();
        for (index, pipe) in state.pipes.iter().enumerate() {
            for (frame, open) in [(&pipe.closed, false), (&pipe.open, true)] {
                self.add(&mut data, index, frame, open)?;
            }
        }
        data.finish(&self.chart);
        data.watermark = state.pipes[0].watermark();
        let mut facts = state.pipes[0].facts();
        if state.rejected_count > 0 {
            facts.push_str(&format!(" · {} records rejected", state.rejected_count));
        }
        let picture = Picture::draw(&self.chart, &data, Some(&facts))?;
        self.data = data;
        self.stale = false;
        self.pause = FRAME.max(began.elapsed() * 5);
        self.drawn = Some(Instant::now());
        Ok(picture)
    }

    fn add(&self, data: &mut Data, pipe: usize, frame: &DataFrame, open: bool) -> Result<()> {
        if frame.width() == 0 {
            return Ok(());
        }
        match (&self.chart.mirror, self.mirrored, pipe) {
            (Some(mirror), true, 1) => data.add_column(&self.chart, frame, open, mirror, true),
            (_, true, _) => data.add_column(&self.chart, frame, open, &self.chart.y, false),
            _ => data.add(&self.chart, frame, open),
        }
    }
}

impl Shared {
    pub fn ask_to_stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    pub fn has_ended(&self) -> bool {
        self.lock().ended
    }

    pub fn looks(&self) -> u64 {
        self.lock().looks
    }

    /// Returns whether a whole look began after the one numbered `seen`, and what it found has
    /// come out. A source that never rests keeps opening windows, so that is not waited for long.
    pub fn has_caught_up(&self, seen: u64) -> bool {
        let state = self.lock();
        let settled = state.pipes.iter().all(|pipe| !pipe.owes_a_batch());
        state.looks >= seen + 2 && (settled || state.looks >= seen + 20)
    }

    /// Returns whether a replay of this process still sends to the topic.
    pub fn is_fed(&self) -> bool {
        self.topic.state.is_fed()
    }

    /// Returns the error that ended the query, if one did.
    pub fn outcome(&self) -> Result<()> {
        self.lock().error.clone().map_or(Ok(()), Err)
    }

    pub fn frame(&self) -> Result<DataFrame> {
        self.lock().pipes[0].frame()
    }

    pub fn open(&self) -> DataFrame {
        self.lock().pipes[0].open.clone()
    }

    pub fn late(&self) -> DataFrame {
        self.lock().pipes[0].late.clone()
    }

    pub fn rejected(&self) -> Result<DataFrame> {
        rejected_frame(&self.lock().rejected)
    }

    pub fn why_silent(&self) -> String {
        self.lock().pipes[0].why_silent()
    }

    pub fn why_late(&self, row: usize) -> Result<String> {
        self.lock().pipes[0].why_late(row)
    }

    pub fn picture(&self) -> Picture {
        self.lock()
            .picture
            .clone()
            .expect("drawn before the handle was made")
    }

    pub fn last_frame(&self) -> Bundle {
        self.lock().last_frame.clone()
    }

    /// Sleeps until the thread has done something, at most for 50 ms.
    pub fn wait_a_little(&self) {
        let state = self.lock();
        if !state.ended {
            drop(self.changed.wait_timeout(state, Duration::from_millis(50)));
        }
    }

    /// Sleeps for `span`, or until somebody asks to stop.
    fn pause(&self, span: Duration) {
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

    fn show_first(&self, picture: Picture) {
        let frame = picture.frame();
        let mut state = self.lock();
        state.last_frame = frame.clone();
        state.picture = Some(picture);
        drop(state);
        display::show_as(&self.display, frame);
    }

    /// Draws the last frame, with a PNG for front ends that show no SVG.
    fn end(&self, result: Result<()>, easel: &mut Easel) {
        let mut state = self.lock();
        let error = result.err().filter(|error| !error.is_interrupted());
        let mut bundle = match easel.draw(&mut state) {
            Ok(picture) => {
                let bundle = picture.bundle();
                state.picture = Some(picture);
                bundle
            }
            Err(cause) => crate::table::text(&cause.to_string()),
        };
        if let Some(error) = &error {
            let text = bundle.entry("text/plain".into()).or_default();
            *text = format!("{text}\nthe query has ended: {error}");
        }
        state.last_frame = bundle.clone();
        state.error = error.clone();
        state.ended = true;
        drop(state);
        display::update(&self.display, bundle);
        if let Some(error) = &error {
            display::show(crate::table::text(&format!(
                "the live query has ended: {error}"
            )));
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
