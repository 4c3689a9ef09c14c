//! What a process function sees and may do.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::time;

/// Why the function was called.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A row of the key came: its columns by name, times as text.
    Row(Map<String, Value>),
    /// A timer of event time fires.
    EventTimer,
    /// A timer of the clock on the wall fires.
    WallTimer,
}

/// One key with its state: what a process function works with.
pub struct Keyed {
    pub(super) key: String,
    /// Event time: of the row or timer, or the watermark where a wall timer fires (microseconds).
    pub(super) at: i64,
    pub(super) wall: i64,
    /// What the key remembers; null at first.
    pub state: Value,
    pub(super) emitted: Vec<Value>,
    pub(super) timers: Timers,
}

/// The timers of a key, by their times.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers {
    pub event: std::collections::BTreeSet<i64>,
    pub wall: std::collections::BTreeSet<i64>,
}

impl Keyed {
    /// Returns the key as text.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the event time of the row or the timer, in microseconds since 1970; where a timer of the
    /// wall fires, the watermark.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Returns the event time of the row or the timer, for instance `2013-02-08 10:01:00`.
    pub fn at_text(&self) -> String {
        time::show(self.at)
    }

    /// Gives out a row: an object whose fields become columns.
    pub fn emit(&mut self, row: Value) {
        self.emitted.push(row);
    }

    /// Sets a timer of event time, so long (at least a microsecond) after this row or timer.
    pub fn fire_after(&mut self, span: Duration) {
        self.timers
            .event
            .insert(self.at.saturating_add(time::micros(span).max(1)));
    }

    /// Sets a timer of the clock on the wall, so long after now.
    pub fn fire_after_wall(&mut self, span: Duration) {
        self.timers
            .wall
            .insert(self.wall.saturating_add(time::micros(span).max(1)));
    }

    /// Takes back all timers of the key.
    pub fn clear_timers(&mut self) {
        self.timers = Timers::default();
    }
}
