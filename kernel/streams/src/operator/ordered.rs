//! Events held back until the watermark has passed them, so that they go on in the order of their
//! event times.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::query::Stream;
use crate::testing::timed;
use crate::window::{Clock, append, late_events};
use crate::{Error, Result, replay};

/// A stream whose events are put in order. Each carries what an operator needs of its row.
pub(crate) struct Ordered<T> {
    stream: Stream,
    clock: Clock,
    waiting: BTreeMap<(i64, u64), T>,
    arrived: u64,
    late: DataFrame,
    without_time: usize,
}

impl<T> Ordered<T> {
    /// # Errors
    /// When the stream has no watermark, or tells duplicates.
    pub fn new(stream: &Stream, what: &str) -> Result<Ordered<T>> {
        let Some((time, Some(delay))) = stream.clock() else {
            return Err(Error::new(format!(
                "{what} needs a watermark: it says when no earlier event comes any more"
            ))
            .have(format!("topic {}, no watermark", stream.topic().name()))
            .hint(".watermark(\"event_time\", minutes(10))"));
        };
        if stream.keeps_state() {
            return Err(Error::new(format!("{what} cannot tell duplicates"))
                .have(format!("topic {}, drop_duplicates", stream.topic().name()))
                .hint(
                    "drop_duplicates in a query of its own, .to(&topic), and go on from that topic",
                ));
        }
        Ok(Ordered {
            clock: Clock::new(&time, Some(delay)),
            stream: stream.clone(),
            waiting: BTreeMap::new(),
            arrived: 0,
            late: DataFrame::empty(),
            without_time: 0,
        })
    }

    /// Takes a micro-batch in. `needs` makes of the rows what each event carries.
    pub fn push(
        &mut self,
        rows: &DataFrame,
        needs: impl FnOnce(&DataFrame) -> Result<Vec<T>>,
    ) -> Result<()> {
        let place = format!("topic {}", self.stream.topic().name());
        let rows = match rows.height() {
            0 => DataFrame::empty(),
            _ => self
                .stream
                .prepared(timed(rows, &self.clock.column)?, &place)?,
        };
        let batch = self.clock.batch(rows, &place)?;
        if batch.rows.height() == 0 {
            return Ok(());
        }
        let times = replay::micros_of(&batch.rows, &self.clock.column, &place)?;
        // Whatever the watermark in force has passed was given on, in order.
        let is_late = |time: i64| time <= batch.watermark;
        let late: Vec<IdxSize> = (0..)
            .zip(times.iter())
            .filter_map(|(row, time)| time.is_some_and(is_late).then_some(row))
            .collect();
        if !late.is_empty() {
            append(
                &mut self.late,
                &late_events(&batch.rows, &late, &times, batch.watermark)?,
            )?;
        }
        self.without_time += times.null_count();
        for (time, needed) in times.iter().zip(needs(&batch.rows)?) {
            if let Some(time) = time.filter(|time| !is_late(*time)) {
                self.waiting.insert((time, self.arrived), needed);
                self.arrived += 1;
            }
        }
        Ok(())
    }

    /// Returns the next event that the watermark, by what has come in so far, has passed.
    pub fn next(&mut self) -> Option<(i64, T)> {
        let (at, _) = *self.waiting.first_key_value()?.0;
        match at <= self.clock.coming() {
            true => self.waiting.pop_first().map(|((at, _), event)| (at, event)),
            false => None,
        }
    }

    /// Returns all events that wait, in order: nothing earlier comes any more.
    pub fn rest(&mut self) -> Vec<(i64, T)> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting
            .into_iter()
            .map(|((at, _), event)| (at, event))
            .collect()
    }

    /// Returns what the events that wait carry, to be changed.
    pub fn each_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.waiting.values_mut()
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub fn watermark(&self) -> i64 {
        self.clock.coming()
    }

    pub fn late(&self) -> &DataFrame {
        &self.late
    }

    pub fn without_time(&self) -> usize {
        self.without_time
    }
}
