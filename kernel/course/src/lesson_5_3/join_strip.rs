//! Picture P5: the records of a join over event time, the windows of the orders, and the rows.

use super::join_record::{JoinRecord, JoinRow, Lane};
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, GREY, INK, ORANGE, RED};
use crate::drawing::Drawing;

const LEFT: f64 = 130.0;
const WIDTH: f64 = 780.0;
const ROW: f64 = 22.0;
const TOP: f64 = 62.0;
/// Pixels that a row in words takes.
const WORDS: f64 = 74.0;

/// Draws records over their event time, and the rows that a join made of them. Each order has a bar: where
/// its window is, then hatched until it closes. With a window of 0 s there are no bars, as a join with a
/// table has none.
pub fn join_strip(
    records: &[JoinRecord],
    window_s: i64,
    grace_s: i64,
    rows: &[JoinRow],
) -> Drawing {
    let title = match window_s {
        0 => "Stream and table: records by event time, and rows".to_owned(),
        _ => format!("Two streams: window {window_s} s, grace {grace_s} s"),
    };
    strip(&title, records, (window_s, grace_s), &[("rows", rows)])
}

/// A strip chart with several output lanes.
pub(super) fn strip(
    title: &str,
    records: &[JoinRecord],
    (window_s, grace_s): (i64, i64),
    outputs: &[(&str, &[JoinRow])],
) -> Drawing {
    let ends = records.iter().map(|record| record.time_s);
    let low = ends.clone().min().unwrap_or(0) - 2;
    let high = ends.max().unwrap_or(1) + 5;
    let x = |time_s: i64| {
        let share = (time_s.clamp(low, high) - low) as f64 / (high - low).max(1) as f64;
        LEFT + share * (WIDTH - LEFT - WORDS)
    };
    let closes = window_s + grace_s;
    let places: Vec<Vec<(f64, usize, String)>> = outputs
        .iter()
        .map(|(_, rows)| placed(rows, &|row| x(time_of(row, records, closes))))
        .collect();
    let lanes = |rows: &[(f64, usize, String)]| {
        rows.iter().map(|(_, line, _)| line + 1).max().unwrap_or(1) as f64
    };
    let base = TOP + records.len() as f64 * ROW + 12.0;
    let below: f64 = places.iter().map(|rows| lanes(rows) * ROW + 14.0).sum();
    let mut canvas = Canvas::new(title, WIDTH, base + below + 50.0);
    legend(&mut canvas, window_s);
    axis(&mut canvas, (low, high), &x, base + below);
    let late = late(records, grace_s);
    let mut line = 0;
    for lane in [Lane::Left, Lane::Right] {
        for (arrival, record) in records.iter().enumerate() {
            if record.lane != lane {
                continue;
            }
            let y = TOP + line as f64 * ROW;
            line += 1;
            if lane == Lane::Left && window_s > 0 && !late[arrival] {
                let [from, until, closed] =
                    [-window_s, window_s, closes].map(|by| x(record.time_s + by));
                canvas.rect((from, y - 6.0), (until - from, 12.0), "#dcebf5", "none");
                canvas.rect(
                    (until, y - 6.0),
                    (closed - until, 12.0),
                    "url(#open)",
                    "none",
                );
            }
            let name = format!("#{} {} {}", arrival + 1, record.value, record.key);
            canvas.text(8.0, y + 5.0, Anchor::Start, &name, INK);
            let at = (x(record.time_s), y);
            match (late[arrival] && window_s > 0, lane) {
                (true, _) => canvas.cross(at, RED),
                (false, Lane::Left) => canvas.dot(at, BLUE),
                (false, Lane::Right) => {
                    canvas.rect((at.0 - 5.0, y - 5.0), (10.0, 10.0), ORANGE, INK)
                }
            }
        }
    }
    let mut y = base;
    for ((name, _), rows) in outputs.iter().zip(&places) {
        canvas.line((8.0, y), (WIDTH - 8.0, y), GREY, 1.0, "");
        canvas.text(8.0, y + 18.0, Anchor::Start, name, INK);
        for (at, line, words) in rows {
            let y = y + 14.0 + *line as f64 * ROW;
            canvas.line((*at, y - 7.0), (*at, y + 7.0), GREEN, 3.0, "");
            canvas.text(at + 5.0, y + 5.0, Anchor::Start, words, INK);
        }
        y += lanes(rows) * ROW + 14.0;
    }
    canvas.finish(&said(records, &late, window_s), &written(outputs))
}

/// Returns which records are late: more than the grace behind the largest event time so far.
pub(super) fn late(records: &[JoinRecord], grace_s: i64) -> Vec<bool> {
    let mut stream_time = i64::MIN;
    let late = records.iter().map(|record| {
        let late = record.time_s < stream_time.saturating_sub(grace_s);
        stream_time = stream_time.max(record.time_s);
        late
    });
    late.collect()
}

/// The event time at which a row stands: the later of its two records, or the end of the wait for one.
fn time_of(row: &JoinRow, records: &[JoinRecord], closes: i64) -> i64 {
    let find = |lane: Lane, value: &str| {
        let mut found = records.iter();
        found
            .find(|record| record.lane == lane && record.value == value)
            .map_or(0, |record| record.time_s)
    };
    let left = find(Lane::Left, &row.left);
    match &row.right {
        Some(right) if closes > 0 => left.max(find(Lane::Right, right)),
        Some(_) => left,
        None => left + closes,
    }
}

/// Puts rows in words on as few lines as do without an overlap.
fn placed(rows: &[JoinRow], x: &dyn Fn(&JoinRow) -> f64) -> Vec<(f64, usize, String)> {
    let mut at: Vec<(f64, String)> = rows.iter().map(|row| (x(row), row.words())).collect();
    at.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut ends: Vec<f64> = Vec::new();
    let mut placed = Vec::new();
    for (x, words) in at {
        let free = ends.iter().position(|end| *end <= x);
        let line = free.unwrap_or(ends.len());
        match free {
            Some(line) => ends[line] = x + WORDS,
            None => ends.push(x + WORDS),
        }
        placed.push((x, line, words));
    }
    placed
}

fn legend(canvas: &mut Canvas, window_s: i64) {
    canvas.dot((14.0, 38.0), BLUE);
    canvas.text(26.0, 43.0, Anchor::Start, "order", INK);
    canvas.rect((84.0, 33.0), (10.0, 10.0), ORANGE, INK);
    canvas.text(102.0, 43.0, Anchor::Start, "price", INK);
    if window_s > 0 {
        canvas.cross((164.0, 38.0), RED);
        canvas.text(178.0, 43.0, Anchor::Start, "late", INK);
        canvas.rect((228.0, 32.0), (36.0, 12.0), "#dcebf5", "none");
        canvas.text(270.0, 43.0, Anchor::Start, "window of an order", INK);
        canvas.rect((414.0, 32.0), (36.0, 12.0), "url(#open)", "none");
        canvas.text(456.0, 43.0, Anchor::Start, "its grace", INK);
    }
}

fn axis(canvas: &mut Canvas, (low, high): (i64, i64), x: &dyn Fn(i64) -> f64, y: f64) {
    let step = if high - low > 60 { 10 } else { 5 };
    let mut tick = low.div_euclid(step) * step + step;
    while tick <= high {
        canvas.line((x(tick), TOP - 8.0), (x(tick), y), "#e6e6e6", 1.0, "");
        canvas.text(x(tick), y + 18.0, Anchor::Middle, &tick.to_string(), INK);
        tick += step;
    }
    let words = "event time (s); # is the order of arrival";
    canvas.text(WIDTH / 2.0, y + 40.0, Anchor::Middle, words, INK);
}

fn said(records: &[JoinRecord], late: &[bool], window_s: i64) -> String {
    let each = records.iter().zip(late).map(|(record, late)| {
        let late = if *late && window_s > 0 { ", late" } else { "" };
        format!(
            "{} {} at {} s{late}",
            record.value, record.key, record.time_s
        )
    });
    format!(
        "In the order of arrival: {}.",
        each.collect::<Vec<_>>().join("; ")
    )
}

fn written(outputs: &[(&str, &[JoinRow])]) -> String {
    let lines = outputs.iter().map(|(name, rows)| {
        let rows: Vec<String> = rows.iter().map(JoinRow::words).collect();
        let rows = if rows.is_empty() {
            "none".to_owned()
        } else {
            rows.join(", ")
        };
        format!("{name}: {rows}")
    });
    lines.collect::<Vec<_>>().join("\n")
}
