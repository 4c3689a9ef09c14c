//! Demo D4 and picture P4: the batch answer behind each closed window of a stream, and what the difference is.

use std::collections::BTreeMap;

use headwater_streams::{Live, Query, Result};
use polars::prelude::*;

use crate::canvas::{Anchor, BLUE, Canvas, GREEN, GREY, INK, ORANGE, RED};
use crate::drawing::Drawing;
use crate::event_time;
use crate::learner::Learner;
use crate::random::Random;

/// Noon of the first of January 2026 (UTC), in epoch microseconds.
const NOON_US: i64 = 1_767_268_800_000_000;
const SECOND_US: i64 = 1_000_000;

/// Returns 600 readings of a gauge, one every fifth of a second, in the order of their arrival:
/// event_time (datetime in microseconds UTC), level_cm (i64, one in twenty is 0). Most arrive within
/// three seconds, one in fifteen half a minute later. Which ones depends on the learner's code.
///
/// # Errors
/// Never in practice; the signature is that of every call that makes a frame.
pub fn delayed_readings() -> Result<DataFrame> {
    let mut random = Random::seeded(Learner::current().seed("5.7 D4"));
    let mut rows: Vec<(i64, i64, i64)> = (0..600)
        .map(|number| {
            let at = NOON_US + number * SECOND_US / 5;
            let delay_s = match random.between(0, 15) {
                0 => random.between(25, 35),
                _ => random.between(0, 3),
            };
            let level = match random.between(0, 20) {
                0 => 0,
                _ => random.between(40, 60),
            };
            (at + delay_s * SECOND_US, at, level)
        })
        .collect();
    rows.sort_unstable();
    let times = rows.iter().map(|row| row.1).collect::<Vec<_>>();
    let frame = df!(
        "event_time" => times,
        "level_cm" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
    )?;
    Ok(event_time::in_utc(frame, "event_time")?)
}

/// The windows that a stream has closed, with what a batch over the whole log says about each.
#[derive(Debug, Clone)]
pub struct OracleStrip {
    windows: Vec<Window>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    start_us: i64,
    stream: i64,
    batch: i64,
    drops: i64,
}

impl Window {
    fn unexplained(&self) -> i64 {
        self.batch - self.stream - self.drops
    }
}

impl OracleStrip {
    /// Compares what a live query without keys has given out with the batch answer of `oracle` over `log`;
    /// `column` is a count of rows. Open windows are left out.
    ///
    /// # Errors
    /// When the query failed, the log lacks a column of it, or the results have no such count.
    pub fn of(live: &Live, oracle: &Query, log: &DataFrame, column: &str) -> Result<OracleStrip> {
        OracleStrip::compare(&live.frame()?, &oracle.oracle(log)?, &live.late()?, column)
    }

    /// Compares three frames: the final windows of a stream, those of a batch, and the rows that came too
    /// late (window_start of the window that each missed).
    ///
    /// # Errors
    /// When a frame lacks a column.
    pub fn compare(
        stream: &DataFrame,
        batch: &DataFrame,
        late: &DataFrame,
        column: &str,
    ) -> Result<OracleStrip> {
        let stream = counts(stream, Some(column))?;
        let batch = counts(batch, Some(column))?;
        let drops = counts(late, None)?;
        let last = stream.keys().max().copied().unwrap_or(i64::MIN);
        let mut windows: BTreeMap<i64, Window> = BTreeMap::new();
        // A window that only one side has is a difference too.
        for start in batch.keys().chain(stream.keys()).filter(|it| **it <= last) {
            let of = |side: &BTreeMap<i64, i64>| side.get(start).copied().unwrap_or(0);
            let window = Window {
                start_us: *start,
                stream: of(&stream),
                batch: of(&batch),
                drops: of(&drops),
            };
            windows.insert(*start, window);
        }
        Ok(OracleStrip {
            windows: windows.into_values().collect(),
        })
    }

    /// Returns one row a closed window: window (text), stream, batch, difference (batch less stream), drops
    /// (rows that came too late), unexplained (difference less drops).
    ///
    /// # Errors
    /// Never in practice; the signature is that of every call that makes a frame.
    pub fn frame(&self) -> Result<DataFrame> {
        let column = |of: fn(&Window) -> i64| self.windows.iter().map(of).collect::<Vec<i64>>();
        Ok(df!(
            "window" => self.windows.iter().map(|it| clock(it.start_us)).collect::<Vec<_>>(),
            "stream" => column(|it| it.stream),
            "batch" => column(|it| it.batch),
            "difference" => column(|it| it.batch - it.stream),
            "drops" => column(|it| it.drops),
            "unexplained" => column(Window::unexplained),
        )?)
    }

    /// Returns the difference that no drop explains, over all closed windows: the sum of its absolute values.
    pub fn unexplained(&self) -> i64 {
        self.windows.iter().map(|it| it.unexplained().abs()).sum()
    }

    /// Draws stream against batch, and below what the difference is made of.
    pub fn drawing(&self) -> Drawing {
        let (left, right, top, base) = (64.0, 12.0, 66.0, 250.0);
        let width = 760.0;
        let mut canvas = Canvas::new("Stream against batch, by window", width, 372.0);
        let most = self.windows.iter().map(|it| it.batch.max(it.stream)).max();
        let most = most.unwrap_or(1).max(1);
        let y = |count: i64| base - count as f64 / most as f64 * (base - top);
        let cell = (width - left - right) / self.windows.len().max(1) as f64;
        for count in [0, most / 2, most] {
            canvas.line(
                (left, y(count)),
                (width - right, y(count)),
                "#dddddd",
                1.0,
                "",
            );
            canvas.text(
                left - 8.0,
                y(count) + 5.0,
                Anchor::End,
                &count.to_string(),
                INK,
            );
        }
        canvas.rect((64.0, 32.0), (14.0, 14.0), "#ffffff", GREY);
        canvas.text(84.0, 44.0, Anchor::Start, "batch (rows)", INK);
        canvas.rect((190.0, 32.0), (14.0, 14.0), BLUE, BLUE);
        canvas.text(210.0, 44.0, Anchor::Start, "stream", INK);
        canvas.rect((284.0, 32.0), (14.0, 14.0), ORANGE, ORANGE);
        canvas.text(304.0, 44.0, Anchor::Start, "too late, counted", INK);
        canvas.rect((440.0, 32.0), (14.0, 14.0), RED, RED);
        canvas.text(460.0, 44.0, Anchor::Start, "unexplained", INK);
        for (name, line) in [("late", 0.0), ("unexpl.", 1.0)] {
            canvas.text(
                left - 8.0,
                base + 46.0 + line * 24.0,
                Anchor::End,
                name,
                INK,
            );
        }
        for (index, window) in self.windows.iter().enumerate() {
            let x = left + index as f64 * cell + cell * 0.14;
            let wide = cell * 0.72;
            let mut bar = |from: i64, to: i64, fill: &str, stroke: &str| {
                if to > from {
                    canvas.rect((x, y(to)), (wide, y(from) - y(to)), fill, stroke);
                }
            };
            bar(0, window.batch, "#ffffff", GREY);
            bar(0, window.stream, BLUE, BLUE);
            let explained = (window.stream + window.drops).min(window.batch);
            bar(window.stream, explained, ORANGE, ORANGE);
            bar(explained.max(window.stream), window.batch, RED, RED);
            let middle = x + wide / 2.0;
            if index % 2 == 0 || cell > 70.0 {
                canvas.text(
                    middle,
                    base + 20.0,
                    Anchor::Middle,
                    &clock(window.start_us),
                    INK,
                );
            }
            let odd = window.unexplained();
            canvas.text(
                middle,
                base + 46.0,
                Anchor::Middle,
                &window.drops.to_string(),
                INK,
            );
            let colour = if odd == 0 { GREEN } else { RED };
            canvas.text(
                middle,
                base + 70.0,
                Anchor::Middle,
                &odd.to_string(),
                colour,
            );
        }
        canvas.text(
            width - right,
            base + 104.0,
            Anchor::End,
            "start of the window (UTC); below it rows too late, and the difference that is left",
            INK,
        );
        canvas.finish(&self.words(), &self.table())
    }

    fn words(&self) -> String {
        let sum = |of: fn(&Window) -> i64| self.windows.iter().map(of).sum::<i64>();
        format!(
            "{} closed windows: stream {}, batch {}, difference {}, of it too late {}; unexplained difference {}.",
            self.windows.len(),
            sum(|it| it.stream),
            sum(|it| it.batch),
            sum(|it| it.batch - it.stream),
            sum(|it| it.drops),
            self.unexplained()
        )
    }

    fn table(&self) -> String {
        let odd = self.windows.iter().filter(|it| it.unexplained() != 0);
        let lines = odd.map(|it| {
            format!(
                "{}: stream {}, batch {}, too late {}, unexplained {}",
                clock(it.start_us),
                it.stream,
                it.batch,
                it.drops,
                it.unexplained()
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Shows the picture as the value of a cell.
    pub fn evcxr_display(&self) {
        self.drawing().evcxr_display();
    }
}

/// Returns a count for each window start: of `column`, or of the rows.
fn counts(frame: &DataFrame, column: Option<&str>) -> Result<BTreeMap<i64, i64>> {
    let mut counts = BTreeMap::new();
    if frame.height() == 0 {
        return Ok(counts);
    }
    let starts = frame.column("window_start")?.cast(&DataType::Int64)?;
    let values = match column {
        Some(name) => Some(frame.column(name)?.cast(&DataType::Int64)?),
        None => None,
    };
    for (row, start) in starts.i64()?.iter().enumerate() {
        let count = match &values {
            Some(values) => values.i64()?.get(row).unwrap_or(0),
            None => 1,
        };
        *counts.entry(start.unwrap_or_default()).or_insert(0) += count;
    }
    Ok(counts)
}

fn clock(at_us: i64) -> String {
    let second = (at_us / SECOND_US).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}
