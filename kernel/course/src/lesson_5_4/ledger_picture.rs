//! Draws a ledger: the watermark as a staircase, and the state of every window after every batch.

use super::ledger::Ledger;
use super::script::NOON;
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, GREY, INK, ORANGE, RED};
use crate::drawing::Drawing;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 20.0;

/// Writes a time: as minutes and seconds of its hour, or `1970` for the first watermark.
pub(super) fn clock(at: i64) -> String {
    if at == 0 {
        return "1970".into();
    }
    let second = at.rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Event time over the order of arrival.
pub(super) fn walk(ledger: &Ledger) -> Drawing {
    let rows: usize = ledger.batches.iter().map(|batch| batch.len().max(1)).sum();
    let times = ledger.batches.iter().flatten();
    let low = times.clone().min().copied().unwrap_or(NOON);
    let high = times.max().copied().unwrap_or(NOON);
    let low = low.div_euclid(ledger.size) * ledger.size;
    let high = (high.div_euclid(ledger.size) + 1) * ledger.size;
    let (top, bottom) = (44.0, 340.0);
    let step = (WIDTH - LEFT - RIGHT) / rows.max(1) as f64;
    let y = |at: i64| {
        let share = (at.clamp(low, high) - low) as f64 / (high - low).max(1) as f64;
        bottom - share * (bottom - top)
    };
    let title = format!(
        "The watermark walks: windows of {} s, delay {} s",
        ledger.size, ledger.delay
    );
    let mut canvas = Canvas::new(&title, WIDTH, 430.0);
    let lines = (high - low) / ledger.size;
    for line in 0..=lines {
        let at = low + line * ledger.size;
        canvas.line((LEFT, y(at)), (WIDTH - RIGHT, y(at)), "#dddddd", 1.0, "");
        if line % (lines / 8 + 1) == 0 {
            canvas.text(LEFT - 8.0, y(at) + 5.0, Anchor::End, &clock(at), INK);
        }
    }
    let mut x = LEFT;
    let (mut dropped, mut before) = (0, 0);
    let mut previous: Option<f64> = None;
    for (number, (batch, report)) in ledger.batches.iter().zip(&ledger.reports).enumerate() {
        let width = step * batch.len().max(1) as f64;
        canvas.line((x, top), (x, bottom), GREY, 1.0, "3 4");
        canvas.text(
            x + width / 2.0,
            bottom + 20.0,
            Anchor::Middle,
            &if batch.is_empty() && rows < 60 {
                format!("{number}, no rows")
            } else {
                number.to_string()
            },
            INK,
        );
        let level = y(report.watermark);
        if let Some(previous) = previous {
            canvas.line((x, previous), (x, level), BLUE, 3.0, "");
        }
        canvas.line((x, level), (x + width, level), BLUE, 3.0, "");
        previous = Some(level);
        for (index, at) in batch.iter().enumerate() {
            let point = (x + step * (index as f64 + 0.5), y(*at));
            if at.div_euclid(ledger.size) * ledger.size + ledger.size <= before {
                canvas.cross(point, RED);
                dropped += 1;
            } else if *at < report.watermark {
                canvas.dot(point, ORANGE);
            } else {
                canvas.dot(point, GREEN);
            }
        }
        before = report.watermark;
        x += width;
    }
    canvas.text(
        (LEFT + WIDTH - RIGHT) / 2.0,
        bottom + 42.0,
        Anchor::Middle,
        "micro-batch, rows in the order of their arrival; up: event time (UTC)",
        INK,
    );
    let legend = [
        (GREEN, "● counted"),
        (ORANGE, "● older than the watermark, counted"),
        (RED, "✕ dropped"),
        (BLUE, "━ watermark"),
    ];
    let mut x = LEFT;
    for (colour, words) in legend {
        canvas.text(x, bottom + 72.0, Anchor::Start, words, colour);
        x += 24.0 + words.chars().count() as f64 * 7.2;
    }
    let finals: usize = ledger
        .reports
        .iter()
        .map(|report| report.finalised.len())
        .sum();
    let last = ledger.reports.last().map_or(0, |report| report.watermark);
    let words = format!(
        "{} batches; the watermark ends at {}; {dropped} rows dropped; {finals} windows final.",
        ledger.batches.len(),
        clock(last)
    );
    let table: Vec<String> = ledger
        .reports
        .iter()
        .enumerate()
        .map(|(number, report)| {
            format!(
                "batch {number}: watermark {}, dropped {}, final {}",
                clock(report.watermark),
                report.dropped,
                report.finalised.len()
            )
        })
        .collect();
    canvas.finish(&words, &table.join("\n"))
}

/// Windows against batches.
pub(super) fn map(ledger: &Ledger) -> Drawing {
    let mut starts: Vec<i64> = ledger
        .batches
        .iter()
        .flatten()
        .map(|at| at.div_euclid(ledger.size) * ledger.size)
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let (cell, row, top) = (
        ((WIDTH - LEFT - RIGHT) / ledger.reports.len().max(1) as f64).min(110.0),
        30.0,
        44.0,
    );
    let height = top + starts.len() as f64 * row + 96.0;
    let mut canvas = Canvas::new("What each window is after each batch", WIDTH, height);
    let mut counts = [0usize; 4];
    let mut table = Vec::new();
    for (line, start) in starts.iter().enumerate() {
        let y = top + line as f64 * row;
        canvas.text(LEFT - 8.0, y + 19.0, Anchor::End, &clock(*start), INK);
        let (mut begun, mut closed) = (false, false);
        let mut words = Vec::new();
        for (number, report) in ledger.reports.iter().enumerate() {
            let before = number
                .checked_sub(1)
                .map_or(0, |n| ledger.reports[n].watermark);
            let updated = report.updated.contains(start);
            begun |= updated;
            let is_final = report.finalised.contains(start);
            let late = start + ledger.size <= before
                && ledger.batches[number]
                    .iter()
                    .any(|at| at.div_euclid(ledger.size) * ledger.size == *start);
            let (state, fill, colour, word) = match (begun, closed, late, is_final, updated) {
                (_, _, true, _, _) => (3, "#ffffff", RED, "✕ dropped"),
                (_, _, _, true, _) => (2, "#cce8df", GREEN, "■ final"),
                (true, false, _, _, true) => (1, "url(#open)", BLUE, "updated"),
                (true, false, _, _, false) => (0, "#ffffff", BLUE, "open"),
                _ => {
                    closed |= is_final;
                    continue;
                }
            };
            closed |= is_final;
            counts[state] += 1;
            words.push(format!(
                "batch {number} {}",
                word.trim_start_matches(['✕', '■', ' '])
            ));
            let x = LEFT + number as f64 * cell;
            canvas.rect((x + 2.0, y + 2.0), (cell - 4.0, row - 4.0), fill, colour);
            if cell >= 60.0 {
                if state == 1 {
                    canvas.rect(
                        (x + 12.0, y + 6.0),
                        (cell - 24.0, row - 12.0),
                        "#ffffff",
                        "none",
                    );
                }
                canvas.text(x + cell / 2.0, y + 20.0, Anchor::Middle, word, INK);
            }
        }
        table.push(format!("window {}: {}", clock(*start), words.join(", ")));
    }
    let base = top + starts.len() as f64 * row;
    for number in 0..ledger.reports.len() {
        let x = LEFT + (number as f64 + 0.5) * cell;
        canvas.text(x, base + 20.0, Anchor::Middle, &number.to_string(), INK);
    }
    canvas.text(
        LEFT,
        base + 44.0,
        Anchor::Start,
        "micro-batch; up to down: start of the window (UTC)",
        INK,
    );
    canvas.text(
        LEFT,
        base + 70.0,
        Anchor::Start,
        "white open, hatched updated, green final, ✕ a row dropped",
        INK,
    );
    let [open, updated, finals, dropped] = counts;
    let words = format!(
        "{} windows in {} batches: {open} times open, {updated} updated, {finals} final, {dropped} with a dropped row.",
        starts.len(),
        ledger.reports.len()
    );
    canvas.finish(&words, &table.join("\n"))
}
