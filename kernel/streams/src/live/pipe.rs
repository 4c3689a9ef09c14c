//! One query of a live chart: what it has given out so far.

use polars::prelude::*;

use crate::query::{Query, Running};

use crate::window::{Emission, OutputMode, append, why_late};
use crate::{Result, time};

/// How many late rows are kept to be looked at; all of them are counted.
const KEPT: usize = 10_000;

/// A running query with its results.
pub(super) struct Pipe {
    query: Query,
    running: Running,
    /// Windows that became final.
    pub closed: DataFrame,
    /// Windows that may still change.
    pub open: DataFrame,
    pub late: DataFrame,
    pub late_count: usize,
    pub without_time: usize,
    duplicates: usize,
    rows: usize,
    /// Whether the topic held records when the query started.
    held: bool,
}

impl Pipe {
    pub fn new(query: &Query, held: bool) -> Pipe {
        let running = query.running(&format!("topic {}", query.topic.name()));
        let empty = DataFrame::empty;
        let (closed, open, late) = (empty(), empty(), empty());
        Pipe {
            query: query.clone(),
            running,
            closed,
            open,
            late,
            late_count: 0,
            without_time: 0,
            duplicates: 0,
            rows: 0,
            held,
        }
    }

    /// Forgets everything: the topic was emptied.
    pub fn restart(&mut self) {
        *self = Pipe::new(&self.query, false);
    }

    /// Takes one micro-batch in.
    pub fn push(&mut self, rows: DataFrame) -> Result<()> {
        self.rows += rows.height();
        let emission = self.running.push(rows)?;
        self.note(emission)
    }

    /// Runs the batch without rows that lets out what the last one has closed.
    pub fn settle(&mut self) -> Result<bool> {
        let owed = self.running.owes_a_batch();
        if owed {
            self.push(DataFrame::empty())?;
        }
        Ok(owed)
    }

    /// Returns whether a batch without rows would let out more.
    pub fn owes_a_batch(&self) -> bool {
        self.running.owes_a_batch()
    }

    /// Returns the results by output mode, ordered by window and keys.
    pub fn frame(&self) -> Result<DataFrame> {
        if self.query.mode() == OutputMode::Append {
            return self.sorted(self.closed.clone());
        }
        let mut frame = self.closed.clone();
        append(&mut frame, &self.open)?;
        self.sorted(frame)
    }

    /// Says why there is nothing to show, or what the earliest open window waits for.
    pub fn why_silent(&self) -> String {
        let clock = &self.running.clock;
        if self.rows == 0 && self.held {
            return format!("reading what topic {} holds", self.query.topic.name());
        }
        if self.rows == 0 {
            return format!(
                "no record yet in topic {}: start a replay, or .send(..) one",
                self.query.topic.name()
            );
        }
        match clock.newest() {
            None => format!(
                "{} rows, and `{}` is null in all of them",
                self.rows, clock.column
            ),
            Some(_) => self.running.why_silent(),
        }
    }

    /// Says why a row of the late ones was not counted.
    pub fn why_late(&self, row: usize) -> Result<String> {
        let clock = &self.running.clock;
        why_late(&self.late, row, &clock.column, clock.delay())
    }

    /// Returns the time behind which windows are final, once there is one.
    pub fn watermark(&self) -> Option<i64> {
        let clock = &self.running.clock;
        clock.delay().and(clock.newest()).map(|_| clock.coming())
    }

    /// Returns the facts below the picture: watermark, open windows, late rows.
    pub fn facts(&self) -> String {
        if self.closed.height() == 0 {
            return self.why_silent();
        }
        let mut facts = format!("watermark {}", time::show(self.running.clock.coming()));
        let mut add = |count: usize, words: &str| {
            if count > 0 {
                facts.push_str(&format!(
                    " · {} {words}",
                    crate::table::grouped(count as i64)
                ));
            }
        };
        add(self.open.height(), "open");
        add(self.late_count, "late rows dropped");
        add(self.duplicates, "duplicates left out");
        add(self.without_time, "without event time");
        facts
    }

    fn note(&mut self, emission: Emission) -> Result<()> {
        self.open = self.running.windower.open()?;
        if emission.closed.height() > 0 || self.closed.width() == 0 {
            append(&mut self.closed, &emission.closed)?;
        }
        self.late_count += emission.late.height();
        self.without_time += emission.without_time;
        self.duplicates += emission.duplicates;
        if emission.late.height() > 0 && self.late.height() < KEPT {
            append(&mut self.late, &emission.late)?;
        }
        Ok(())
    }

    fn sorted(&self, frame: DataFrame) -> Result<DataFrame> {
        if frame.width() == 0 {
            return Ok(frame);
        }
        let keys = self
            .query
            .keys()
            .iter()
            .map(|key| PlSmallStr::from(key.as_str()));
        let order: Vec<PlSmallStr> = std::iter::once("window_start".into()).chain(keys).collect();
        Ok(frame.sort(order, SortMultipleOptions::default())?)
    }
}
