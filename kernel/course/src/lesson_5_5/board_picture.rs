//! Picture P6: the series with the truth above it, and a strip of flags for each detector below.

use std::collections::BTreeMap;

use super::board::{Fault, Track, WINDOW};
use super::detector::Detector;
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, GREY, INK, ORANGE, RED};
use crate::drawing::Drawing;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 130.0;
const RIGHT: f64 = 12.0;
const LINE: f64 = 64.0;
const STRIP: f64 = 18.0;
/// What each detector's strip is drawn with; its name stands beside it.
const HEARD: [(Detector, &str); 4] = [
    (Detector::Published, GREY),
    (Detector::ZScore, ORANGE),
    (Detector::RobustZ, BLUE),
    (Detector::Cusum, GREEN),
];

/// Draws every series in a panel of its own, on one time axis.
pub(super) fn draw(
    tracks: &BTreeMap<String, Track>,
    faults: &[&Fault],
    value: &str,
    words: &str,
) -> Drawing {
    let panel = LINE + STRIP * (HEARD.len() as f64 + 1.0) + 26.0;
    let height = 40.0 + panel * tracks.len().max(1) as f64 + 30.0;
    let title = format!(
        "{} in windows of 10 s: truth, and who flags what",
        value.replace('_', " ")
    );
    let mut canvas = Canvas::new(&title, WIDTH, height);
    let points = || tracks.values().flat_map(|track| &track.values);
    let first = points().map(|point| point.0).min().unwrap_or(0);
    let last = points().map(|point| point.0).max().unwrap_or(0) + WINDOW;
    let x = |at: i64| {
        let part = (at.clamp(first, last) - first) as f64 / (last - first).max(1) as f64;
        LEFT + part * (WIDTH - LEFT - RIGHT)
    };
    for (row, (name, track)) in tracks.iter().enumerate() {
        let top = 40.0 + row as f64 * panel;
        one(&mut canvas, top, name, track, faults, &x);
    }
    axis(&mut canvas, height - 30.0, first, last, &x);
    canvas.finish(&format!("Times are UTC.\n{words}"), &truth_words(faults))
}

fn one(
    canvas: &mut Canvas,
    top: f64,
    name: &str,
    track: &Track,
    faults: &[&Fault],
    x: &dyn Fn(i64) -> f64,
) {
    let own = || faults.iter().filter(|fault| fault.subject == name);
    let (low, high) = track
        .values
        .iter()
        .fold((f64::MAX, f64::MIN), |(low, high), (_, value)| {
            (low.min(*value), high.max(*value))
        });
    canvas.text(8.0, top + 16.0, Anchor::Start, name, INK);
    if is_wide(low, high) {
        canvas.text(8.0, top + 34.0, Anchor::Start, "log scale", GREY_INK);
    }
    canvas.text(
        LEFT - 8.0,
        top + 14.0,
        Anchor::End,
        &format!("{high:.0}"),
        GREY_INK,
    );
    canvas.text(
        LEFT - 8.0,
        top + LINE,
        Anchor::End,
        &format!("{low:.0}"),
        GREY_INK,
    );
    for fault in own() {
        let (from, to) = (x(fault.start), x(fault.end).max(x(fault.start) + 3.0));
        canvas.rect((from, top), (to - from, LINE), "#fbe3d6", "none");
    }
    // Least and most in each column of pixels: a spike of four windows must not vanish.
    let is_wide = is_wide(low, high);
    let log = |value: f64| if is_wide { value.ln() } else { value };
    let span = (log(high) - log(low)).max(1e-9);
    let y = |value: f64| top + LINE - (log(value) - log(low)) / span * (LINE - 4.0);
    let mut columns: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (at, value) in &track.values {
        let column = columns.entry(x(*at) as i64).or_insert((*value, *value));
        *column = (column.0.min(*value), column.1.max(*value));
    }
    for (column, (least, most)) in columns {
        let (from, to) = (y(most), y(least).max(y(most) + 1.5));
        canvas.line((column as f64, from), (column as f64, to), INK, 1.0, "");
    }
    let strip = |row: usize| top + LINE + 6.0 + STRIP * row as f64;
    canvas.text(LEFT - 8.0, strip(0) + 13.0, Anchor::End, "truth", RED);
    for fault in own() {
        let (from, to) = (x(fault.start), x(fault.end).max(x(fault.start) + 3.0));
        canvas.rect((from, strip(0) + 4.0), (to - from, 10.0), RED, RED);
        let (anchor, at) = if from > WIDTH - 90.0 {
            (Anchor::End, from - 6.0)
        } else {
            (Anchor::Start, to + 6.0)
        };
        canvas.text(at, strip(0) + 14.0, anchor, &fault.kind, RED);
    }
    for (row, (detector, colour)) in HEARD.into_iter().enumerate() {
        let y = strip(row + 1);
        canvas.text(LEFT - 8.0, y + 13.0, Anchor::End, detector.name(), INK);
        canvas.line(
            (LEFT, y + 9.0),
            (WIDTH - RIGHT, y + 9.0),
            "#dddddd",
            1.0,
            "",
        );
        let mut before = -1;
        for at in track.flags.get(&detector).into_iter().flatten() {
            let column = x(*at) as i64;
            if column != before {
                canvas.line(
                    (column as f64, y + 2.0),
                    (column as f64, y + 16.0),
                    colour,
                    2.0,
                    "",
                );
            }
            before = column;
        }
    }
}

/// Returns whether a series is drawn on a logarithmic scale: a spike would flatten the rest.
fn is_wide(low: f64, high: f64) -> bool {
    low > 0.0 && high / low > 5.0
}

/// Grey that still has contrast as text.
const GREY_INK: &str = "#555555";

fn axis(canvas: &mut Canvas, y: f64, first: i64, last: i64, x: &dyn Fn(i64) -> f64) {
    const HOUR: i64 = 3_600_000_000;
    let step = match (last - first) / HOUR {
        0..=2 => HOUR / 4,
        3..=8 => HOUR,
        _ => 3 * HOUR,
    };
    canvas.line((LEFT, y), (WIDTH - RIGHT, y), INK, 1.0, "");
    let mut tick = (first + step - 1).div_euclid(step) * step;
    while tick <= last {
        canvas.line((x(tick), y), (x(tick), y + 5.0), INK, 1.0, "");
        let anchor = if x(tick) > WIDTH - 40.0 {
            Anchor::End
        } else {
            Anchor::Middle
        };
        canvas.text(x(tick), y + 20.0, anchor, &clock(tick), INK);
        tick += step;
    }
    canvas.text(8.0, y + 20.0, Anchor::Start, "UTC", INK);
}

/// Returns the time of the day, for example `09:35`.
pub(super) fn clock(at: i64) -> String {
    let minutes = at.div_euclid(60_000_000).rem_euclid(1440);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn truth_words(faults: &[&Fault]) -> String {
    let one = |fault: &&Fault| {
        format!(
            "truth: {} in {} from {} to {}",
            fault.kind,
            fault.subject,
            clock(fault.start),
            clock(fault.end)
        )
    };
    faults.iter().map(one).collect::<Vec<_>>().join("\n")
}
