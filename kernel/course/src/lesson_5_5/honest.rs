//! Demo D5: one gauge's level per minute, as one sees it while the readings arrive.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_streams::frame::Bundle;
use headwater_streams::{Error, Result, display, interrupt};

use super::board::{column, micros};
use super::honest_picture;
use crate::drawing::Drawing;
use crate::generators::Generated;

pub(super) const MINUTE: i64 = 60_000_000;
/// The watermark stays so far behind the newest event: more than the clock of G13 is ahead.
const DELAY: i64 = 120_000_000;
/// A mean that moves by less than this many centimetres is not called corrected.
const TOLD: f64 = 0.05;
/// Between two pictures of a play: four a second can be read, and an hour should not take a minute.
const PAUSE: Duration = Duration::from_millis(50);

/// A live chart of one gauge: honest about what is open, missing or corrected, or naive.
#[derive(Debug, Clone)]
pub struct HonestChart {
    gauge: String,
    /// Arrival, event time (epoch microseconds) and level of each reading, in the order of arrival;
    /// a reading that came twice is here once.
    readings: Vec<(i64, i64, f64)>,
    /// Arrival and newest event time so far, of all gauges: what the watermark goes by.
    clock: Vec<(i64, i64)>,
    is_naive: bool,
}

/// One minute as it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Minute {
    pub start: i64,
    pub state: MinuteState,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum MinuteState {
    /// May still change: the mean so far.
    Open(f64),
    Final(f64),
    /// Changed after it was final: what was published, and what is right now.
    Corrected(f64, f64),
    /// Was final without a reading; what a backfill brought later.
    Backfilled(f64),
    /// Final, and nothing came.
    Gap,
}

impl HonestChart {
    /// Takes one gauge of the generated `gauges`.
    ///
    /// # Errors
    /// When there is no such gauge; the message lists those that are there.
    pub fn of(gauges: &Generated, gauge: &str) -> Result<HonestChart> {
        let rows = gauges.rows();
        let (arrivals, events) = (micros(rows, "arrival_time")?, micros(rows, "event_time")?);
        let names = column(rows, "gauge")?.str()?.clone();
        let ids = column(rows, "event_id")?.str()?.clone();
        let levels = column(rows, "level_cm")?.f64()?.clone();
        let (mut readings, mut seen, mut clock) =
            (Vec::new(), std::collections::BTreeSet::new(), Vec::new());
        let mut newest = i64::MIN;
        for row in 0..rows.height() {
            newest = newest.max(events[row]);
            clock.push((arrivals[row], newest));
            let is_ours = names.get(row) == Some(gauge) && seen.insert(ids.get(row));
            if let Some(level) = levels.get(row).filter(|_| is_ours) {
                readings.push((arrivals[row], events[row], level));
            }
        }
        if readings.is_empty() {
            let mut known: Vec<&str> = names.iter().flatten().collect();
            known.sort_unstable();
            known.dedup();
            return Err(Error::new(format!("no gauge `{gauge}`"))
                .have(known.join(", "))
                .hint("HonestChart::of(&gauges, \"G07\")?"));
        }
        Ok(HonestChart {
            gauge: gauge.to_owned(),
            readings,
            clock,
            is_naive: false,
        })
    }

    /// Switches honesty off: readings count when they arrive, silence is nought, and every minute
    /// is drawn as if it were final.
    pub fn naive(mut self) -> HonestChart {
        self.is_naive = true;
        self
    }

    /// Returns the chart as it stands `minute` minutes after the first arrival.
    pub fn at(&self, minute: i64) -> Drawing {
        let now = self.start() + minute * MINUTE;
        let minutes = if self.is_naive {
            self.naive_minutes(now)
        } else {
            self.minutes(now)
        };
        honest_picture::draw(
            &self.gauge,
            &minutes,
            self.range(),
            (now, self.watermark(now)),
            self.is_naive,
        )
    }

    /// Plays the hour in the cell, a minute of arrivals in each picture, up to `minutes`.
    ///
    /// # Errors
    /// On interrupt.
    pub fn play(&self, minutes: i64) -> Result<()> {
        let id = display::new_id();
        display::show_as(&id, bundle(&self.at(1)));
        for minute in 2..=minutes {
            interrupt::check()?;
            std::thread::sleep(PAUSE);
            display::update(&id, bundle(&self.at(minute)));
        }
        Ok(())
    }

    /// Shows the chart after the whole hour as the value of a cell.
    pub fn evcxr_display(&self) {
        self.at(62).evcxr_display();
    }

    fn start(&self) -> i64 {
        self.clock[0].0.div_euclid(MINUTE) * MINUTE
    }

    /// Returns the watermark at `now`, if anything has arrived by then.
    fn watermark(&self, now: i64) -> Option<i64> {
        let arrived = self.clock.partition_point(|(arrival, _)| *arrival <= now);
        let newest = self.clock[..arrived].last();
        newest.map(|(_, newest)| newest - DELAY)
    }

    /// Returns when the watermark passed `end`, if it has by `now`.
    fn closed_at(&self, end: i64, now: i64) -> Option<i64> {
        let place = self
            .clock
            .partition_point(|(_, newest)| newest - DELAY < end);
        let closed = self.clock.get(place).map(|(arrival, _)| *arrival);
        closed.filter(|at| *at <= now)
    }

    fn minutes(&self, now: i64) -> Vec<Minute> {
        let arrived = self
            .readings
            .iter()
            .filter(|(arrival, _, _)| *arrival <= now);
        let mut by_minute: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
        for (arrival, event, level) in arrived {
            let start = event.div_euclid(MINUTE) * MINUTE;
            by_minute.entry(start).or_default().push((*arrival, *level));
        }
        let last = by_minute.keys().next_back().copied().unwrap_or(0);
        let last = last.max(self.watermark(now).unwrap_or(0).div_euclid(MINUTE) * MINUTE - MINUTE);
        let mut all = Vec::new();
        let mut start = self.start();
        while start <= last {
            let rows = by_minute.get(&start).map_or(&[][..], Vec::as_slice);
            let closed = self.closed_at(start + MINUTE, now);
            if let Some(state) = state(rows, closed) {
                all.push(Minute { start, state });
            }
            start += MINUTE;
        }
        all
    }

    /// What a dashboard shows that stamps what it gets with the time at which it gets it.
    fn naive_minutes(&self, now: i64) -> Vec<Minute> {
        let mut all = Vec::new();
        let mut start = self.start();
        while start < now {
            let rows = self
                .readings
                .iter()
                .filter(|(arrival, _, _)| (start..(start + MINUTE).min(now)).contains(arrival));
            let levels: Vec<(i64, f64)> =
                rows.map(|(arrival, _, level)| (*arrival, *level)).collect();
            let state = MinuteState::Final(mean(&levels).unwrap_or(0.0));
            all.push(Minute { start, state });
            start += MINUTE;
        }
        all
    }

    /// Returns the axis: the same in every picture, so that nothing jumps.
    fn range(&self) -> (f64, f64) {
        if self.is_naive {
            let most = self.readings.iter().map(|row| row.2).fold(0.0, f64::max);
            return (0.0, (most / 20.0).ceil() * 20.0);
        }
        let levels = self.readings.iter().map(|row| row.2);
        let (low, high) = levels.fold((f64::MAX, f64::MIN), |(low, high), level| {
            (low.min(level), high.max(level))
        });
        ((low / 5.0).floor() * 5.0, (high / 5.0).ceil() * 5.0)
    }
}

/// Returns how a minute stands, given what arrived for it and when it became final.
fn state(rows: &[(i64, f64)], closed: Option<i64>) -> Option<MinuteState> {
    let now = mean(rows);
    let Some(closed) = closed else {
        return now.map(MinuteState::Open);
    };
    let in_time: Vec<(i64, f64)> = rows.iter().filter(|row| row.0 <= closed).copied().collect();
    Some(match (mean(&in_time), now) {
        (Some(then), Some(now)) if (then - now).abs() >= TOLD => MinuteState::Corrected(then, now),
        (Some(_), Some(now)) => MinuteState::Final(now),
        (None, Some(now)) => MinuteState::Backfilled(now),
        _ => MinuteState::Gap,
    })
}

fn mean(rows: &[(i64, f64)]) -> Option<f64> {
    let sum: f64 = rows.iter().map(|row| row.1).sum();
    (!rows.is_empty()).then(|| sum / rows.len() as f64)
}

fn bundle(drawing: &Drawing) -> Bundle {
    Bundle::from([
        ("image/svg+xml".to_owned(), drawing.svg().to_owned()),
        ("text/plain".to_owned(), drawing.text().to_owned()),
    ])
}
