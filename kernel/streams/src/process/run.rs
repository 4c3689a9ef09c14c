//! A process function between two batches.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use polars::prelude::*;
use serde_json::{Map, Value};

use super::Process;
use super::keyed::{Happening, Keyed, Timers};
use crate::operator::Ordered;
use crate::record::decode::Decoder;
use crate::record::encode::Encoder;
use crate::testing::Expected;
use crate::testing::compare::texts;
use crate::{Error, Result, time};

/// A process function that takes in what you push: no broker, no threads, and a clock on the wall that
/// you set.
pub struct ProcessRun {
    /// Locked for one call.
    state: Mutex<State>,
}

struct State {
    process: Process,
    events: Ordered<(String, Map<String, Value>)>,
    keys: BTreeMap<String, (Value, Timers)>,
    /// Microseconds that have passed on the wall.
    wall: i64,
    out: Decoder,
    emitted: Expected,
}

impl ProcessRun {
    /// Starts a process with nothing in its state.
    ///
    /// # Errors
    /// When its stream has no watermark.
    pub fn new(process: &Process) -> Result<ProcessRun> {
        let state = State {
            events: Ordered::new(&process.stream, "a process function")?,
            keys: BTreeMap::new(),
            wall: 0,
            out: Decoder::default(),
            emitted: Expected::default(),
            process: process.clone(),
        };
        Ok(ProcessRun {
            state: Mutex::new(state),
        })
    }

    /// Takes in one micro-batch, and lets the function see what the watermark has passed; returns the
    /// rows that it gave out.
    ///
    /// # Errors
    /// When the rows lack the key, or the function gave out something that is no row.
    pub fn push(&self, rows: &DataFrame) -> Result<DataFrame> {
        let mut state = self.lock();
        let state = &mut *state;
        let key = state.process.key.clone();
        state.events.push(rows, |rows| objects(rows, &key))?;
        while let Some((at, (key, row))) = state.events.next() {
            state.fire_event_timers(at - 1)?;
            state.call(&key, at, &Happening::Row(row))?;
        }
        let watermark = state.events.watermark();
        state.fire_event_timers(watermark)?;
        state.give_out()
    }

    /// Moves the clock on the wall; returns the rows that its timers gave out.
    ///
    /// # Errors
    /// When the function gave out something that is no row.
    pub fn advance_wall(&self, span: Duration) -> Result<DataFrame> {
        let mut state = self.lock();
        let until = state.wall.saturating_add(time::micros(span));
        while let Some((at, key)) = state.next(|timers| timers.wall.first().copied(), until) {
            state.wall = at;
            if let Some((_, timers)) = state.keys.get_mut(&key) {
                timers.wall.remove(&at);
            }
            // In event time it is what the watermark says.
            let now = state.events.watermark();
            state.call(&key, now, &Happening::WallTimer)?;
        }
        state.wall = until;
        state.give_out()
    }

    /// Returns one row a key that has a state or a timer: key (str), state (str, as JSON), next_timer
    /// (str, event time).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn state(&self) -> Result<DataFrame> {
        let state = self.lock();
        let keys: Vec<&str> = state.keys.keys().map(String::as_str).collect();
        let states: Vec<String> = state
            .keys
            .values()
            .map(|(state, _)| state.to_string())
            .collect();
        let next = state
            .keys
            .values()
            .map(|(_, timers)| timers.event.first().map(|at| time::show(*at)));
        Ok(df!("key" => keys, "state" => states, "next_timer" => next.collect::<Vec<_>>())?)
    }

    /// Compares the rows given out since the last `expect` with these.
    ///
    /// # Errors
    /// When they differ.
    pub fn expect(&self, rows: &DataFrame) -> Result<()> {
        self.lock().emitted.expect(rows)
    }

    /// Returns everything that was given out so far.
    pub fn emitted(&self) -> DataFrame {
        self.lock().emitted.all()
    }

    /// Returns the rows that came when the watermark had passed them; the function did not see them.
    pub fn late(&self) -> DataFrame {
        self.lock().events.late().clone()
    }

    /// Shows what was given out as the value of a cell.
    pub fn evcxr_display(&self) {
        let rows = self.emitted();
        let state = self.lock();
        let caption = format!(
            "{} rows given out, {} keys, {} events wait for the watermark, {} late, {} without a time",
            rows.height(),
            state.keys.len(),
            state.events.waiting(),
            state.events.late().height(),
            state.events.without_time()
        );
        crate::display::result(crate::table::Table::of(&rows).caption(caption).bundle());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    /// Fires the timers up to `until`, each at its time, in order.
    fn fire_event_timers(&mut self, until: i64) -> Result<()> {
        while let Some((at, key)) = self.next(|timers| timers.event.first().copied(), until) {
            if let Some((_, timers)) = self.keys.get_mut(&key) {
                timers.event.remove(&at);
            }
            self.call(&key, at, &Happening::EventTimer)?;
        }
        Ok(())
    }

    /// Returns the earliest timer that is due.
    fn next(&self, first: impl Fn(&Timers) -> Option<i64>, until: i64) -> Option<(i64, String)> {
        let due = self
            .keys
            .iter()
            .filter_map(|(key, (_, timers))| Some((first(timers)?, key)));
        let (at, key) = due.min()?;
        (at <= until).then(|| (at, key.clone()))
    }

    fn call(&mut self, key: &str, at: i64, happening: &Happening) -> Result<()> {
        let (state, timers) = self.keys.remove(key).unwrap_or_default();
        let mut keyed = Keyed {
            key: key.into(),
            at,
            wall: self.wall,
            state,
            emitted: Vec::new(),
            timers,
        };
        (self.process.function)(&mut keyed, happening);
        let emitted = std::mem::take(&mut keyed.emitted);
        // A key without state and timers is forgotten.
        let is_empty =
            keyed.state.is_null() && keyed.timers.event.is_empty() && keyed.timers.wall.is_empty();
        if !is_empty {
            self.keys.insert(key.into(), (keyed.state, keyed.timers));
        }
        for row in &emitted {
            let rejected = self.out.rejected_count();
            self.out
                .push(row.to_string().as_bytes(), None, || format!("key {key}"));
            if self.out.rejected_count() > rejected {
                let why = self
                    .out
                    .rejected()
                    .last()
                    .map_or(String::new(), |last| last.why.clone());
                return Err(Error::new("the process function gave out something that is no row")
                    .have(format!("{row} ({why})"))
                    .hint("emit(json!({\"key\": .., \"value\": ..})), with values of one kind in every row"));
            }
        }
        Ok(())
    }

    fn give_out(&mut self) -> Result<DataFrame> {
        let rows = self.out.take()?;
        if rows.height() > 0 {
            self.emitted.add(&rows)?;
        }
        Ok(rows)
    }
}

/// Returns the key of every row as text, and the row as an object.
fn objects(rows: &DataFrame, key: &str) -> Result<Vec<(String, Map<String, Value>)>> {
    if !rows.schema().contains(key) {
        return Err(Error::unknown_column(
            key,
            "the stream of the process",
            rows.schema(),
        ));
    }
    let keys = texts(rows, &[key.to_owned()])?;
    let encoder = Encoder::new(rows)?;
    let mut bytes = Vec::new();
    let object = |(row, key): (usize, Vec<String>)| {
        bytes.clear();
        encoder.write(row, &mut bytes);
        let object = serde_json::from_slice(&bytes).map_err(|cause| {
            Error::new("a row has no JSON form")
                .have(cause.to_string())
                .caused_by(cause)
        })?;
        Ok((key.concat(), object))
    };
    keys.into_iter().enumerate().map(object).collect()
}
