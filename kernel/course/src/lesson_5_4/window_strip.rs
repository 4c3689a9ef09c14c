//! Picture P3: events on a time axis, and the windows that hold them below.

use polars::prelude::*;

use super::ledger_picture::clock;
use super::script::event_seconds;
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, INK, ORANGE};
use crate::drawing::Drawing;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 44.0;
const ROW: f64 = 22.0;

/// Draws `events` (their column `event_time`) and, for each name, the windows of a frame with
/// window_start, window_end and one number, its third column or the one after the keys: `count`.
///
/// # Errors
/// When a frame lacks one of these columns.
pub fn window_strip(events: &DataFrame, kinds: &[(&str, &DataFrame)]) -> PolarsResult<Drawing> {
    let times = event_seconds(std::slice::from_ref(events), "event_time")?.concat();
    let mut sets = Vec::new();
    for (name, frame) in kinds {
        let ends = |column: &str| event_seconds(std::slice::from_ref(*frame), column);
        let counts = frame.column("count")?.cast(&DataType::Int64)?;
        let counts: Vec<i64> = counts.i64()?.iter().flatten().collect();
        let windows = ends("window_start")?
            .concat()
            .into_iter()
            .zip(ends("window_end")?.concat());
        let windows: Vec<((i64, i64), i64)> = windows.zip(counts).collect();
        sets.push((*name, windows));
    }
    let ends = sets
        .iter()
        .flat_map(|(_, set)| set.iter().flat_map(|((from, to), _)| [*from, *to]));
    let (low, high) = times
        .iter()
        .copied()
        .chain(ends)
        .fold((i64::MAX, i64::MIN), |(low, high), at| {
            (low.min(at), high.max(at))
        });
    polars_ensure!(low < high, ComputeError: "no windows to draw\n  try: a frame with window_start, window_end and count");
    let x = |at: i64| LEFT + (at - low) as f64 / (high - low) as f64 * (WIDTH - LEFT - RIGHT);
    let lanes: Vec<Vec<usize>> = sets.iter().map(|(_, set)| lanes(set)).collect();
    let rows: usize = lanes
        .iter()
        .map(|lanes| lanes.iter().max().map_or(1, |most| most + 1))
        .sum();
    let height = 74.0 + rows as f64 * ROW + sets.len() as f64 * 14.0 + 64.0;
    let mut canvas = Canvas::new("One strip of events, and their windows", WIDTH, height);
    canvas.text(8.0, 51.0, Anchor::Start, "events", INK);
    let colours = [BLUE, ORANGE, GREEN];
    let mut y = 74.0;
    let mut table = Vec::new();
    for (((name, set), lanes), colour) in sets.iter().zip(&lanes).zip(colours.into_iter().cycle()) {
        canvas.text(8.0, y + 14.0, Anchor::Start, name, colour);
        for (((from, to), count), lane) in set.iter().zip(lanes) {
            let middle = y + *lane as f64 * ROW + 10.0;
            canvas.line((x(*from), middle), (x(*to), middle), colour, 4.0, "");
            canvas.dot((x(*from), middle), colour);
            canvas.rect((x(*to) - 3.0, middle - 6.0), (3.0, 12.0), "#ffffff", colour);
            let label = format!(" {count} ");
            let at = (x(*from) + x(*to)) / 2.0;
            canvas.rect((at - 11.0, middle - 9.0), (22.0, 18.0), "#ffffff", "none");
            canvas.text(at, middle + 5.0, Anchor::Middle, label.trim(), INK);
            table.push(format!(
                "{name} [{}, {}): {count}",
                clock(*from),
                clock(*to)
            ));
        }
        y += (lanes.iter().max().map_or(1, |most| most + 1)) as f64 * ROW + 14.0;
    }
    for at in &times {
        canvas.line((x(*at), 58.0), (x(*at), y), "#dddddd", 1.0, "3 4");
        canvas.dot((x(*at), 46.0), INK);
    }
    for tick in 0..=4 {
        let at = low + (high - low) * tick / 4;
        canvas.line((x(at), y), (x(at), y + 6.0), INK, 1.0, "");
        canvas.text(x(at), y + 22.0, Anchor::Middle, &clock(at), INK);
    }
    canvas.line((LEFT, y), (WIDTH - RIGHT, y), INK, 1.0, "");
    canvas.text(
        (LEFT + WIDTH - RIGHT) / 2.0,
        y + 46.0,
        Anchor::Middle,
        "event time (UTC); a dot starts a window, a bar ends it; the number is its count",
        INK,
    );
    let words: Vec<String> = sets
        .iter()
        .map(|(name, set)| format!("{} {name} windows", set.len()))
        .collect();
    Ok(canvas.finish(
        &format!("{} events in {}.", times.len(), words.join(", ")),
        &table.join("\n"),
    ))
}

/// Puts windows that overlap into lanes of their own, the first that is free.
fn lanes(windows: &[((i64, i64), i64)]) -> Vec<usize> {
    let mut ends: Vec<i64> = Vec::new();
    windows
        .iter()
        .map(
            |((from, to), _)| match ends.iter().position(|end| end <= from) {
                Some(lane) => {
                    ends[lane] = *to;
                    lane
                }
                None => {
                    ends.push(*to);
                    ends.len() - 1
                }
            },
        )
        .collect()
}
