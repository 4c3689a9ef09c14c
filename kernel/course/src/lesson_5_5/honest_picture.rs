//! Picture P7: a level per minute, where open, final, corrected, backfilled and missing differ in shape.

use super::board_picture::clock;
use super::honest::{MINUTE, Minute, MinuteState};
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, INK, RED};
use crate::drawing::Drawing;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 52.0;
/// The axis is an hour and a few minutes long from the first picture on.
const SPAN: i64 = 64 * MINUTE;

/// Draws the minutes; `range` is the level axis in centimetres, `now` the time of arrival and the watermark.
pub(super) fn draw(
    gauge: &str,
    minutes: &[Minute],
    range: (f64, f64),
    now: (i64, Option<i64>),
    is_naive: bool,
) -> Drawing {
    let kind = if is_naive { "naive" } else { "honest" };
    let title = format!(
        "Level of {gauge} per minute (cm), {kind}, at {}",
        clock(now.0)
    );
    let mut canvas = Canvas::new(&title, WIDTH, HEIGHT);
    let first = minutes.first().map_or(now.0, |minute| minute.start);
    let x = |at: i64| LEFT + (at - first) as f64 / SPAN as f64 * (WIDTH - LEFT - RIGHT);
    let y = |level: f64| {
        let part = (level - range.0) / (range.1 - range.0).max(1e-9);
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    };
    axes(&mut canvas, range, first, &x, &y);
    if !is_naive {
        legend(&mut canvas);
        if let Some(watermark) = now.1.filter(|watermark| *watermark > first) {
            let at = x(watermark).min(WIDTH - RIGHT);
            canvas.line((at, TOP - 8.0), (at, HEIGHT - BOTTOM), RED, 1.5, "6 4");
            canvas.text(at - 5.0, TOP + 4.0, Anchor::End, "watermark", RED);
        }
    }
    for minute in minutes {
        let (from, to) = (x(minute.start) + 1.0, x(minute.start + MINUTE) - 1.0);
        one(&mut canvas, minute.state, (from, to), &y);
    }
    let (words, table) = words(minutes, is_naive);
    canvas.finish(&words, &table)
}

fn one(canvas: &mut Canvas, state: MinuteState, (from, to): (f64, f64), y: &dyn Fn(f64) -> f64) {
    let bar = |canvas: &mut Canvas, level: f64, colour| {
        canvas.line((from, y(level)), (to, y(level)), colour, 4.0, "")
    };
    match state {
        MinuteState::Open(level) => canvas.rect(
            (from, y(level) - 5.0),
            (to - from, 10.0),
            "url(#open)",
            BLUE,
        ),
        MinuteState::Final(level) => bar(canvas, level, BLUE),
        MinuteState::Corrected(then, level) => {
            bar(canvas, level, BLUE);
            let middle = f64::midpoint(from, to);
            canvas.line((from, y(then)), (to, y(then)), RED, 2.0, "2 2");
            canvas.line((middle, y(then)), (middle, y(level)), RED, 1.5, "");
            canvas.dot((middle, y(level)), RED);
        }
        MinuteState::Backfilled(level) => {
            bar(canvas, level, GREEN);
            let middle = f64::midpoint(from, to);
            canvas.line(
                (middle, y(level) - 9.0),
                (middle, y(level) + 9.0),
                GREEN,
                1.5,
                "",
            );
        }
        MinuteState::Gap => canvas.text(
            f64::midpoint(from, to),
            HEIGHT - BOTTOM - 8.0,
            Anchor::Middle,
            "?",
            INK,
        ),
    }
}

fn axes(
    canvas: &mut Canvas,
    range: (f64, f64),
    first: i64,
    x: &dyn Fn(i64) -> f64,
    y: &dyn Fn(f64) -> f64,
) {
    for step in 0..=4 {
        let level = range.0 + (range.1 - range.0) * f64::from(step) / 4.0;
        canvas.line(
            (LEFT, y(level)),
            (WIDTH - RIGHT, y(level)),
            "#dddddd",
            1.0,
            "",
        );
        canvas.text(
            LEFT - 8.0,
            y(level) + 5.0,
            Anchor::End,
            &format!("{level:.0}"),
            INK,
        );
    }
    for tenth in 0..=6 {
        let at = first + tenth * 10 * MINUTE;
        canvas.line(
            (x(at), HEIGHT - BOTTOM),
            (x(at), HEIGHT - BOTTOM + 5.0),
            INK,
            1.0,
            "",
        );
        canvas.text(
            x(at),
            HEIGHT - BOTTOM + 20.0,
            Anchor::Middle,
            &clock(at),
            INK,
        );
    }
    canvas.text(
        WIDTH - RIGHT,
        HEIGHT - 8.0,
        Anchor::End,
        "start of the minute (UTC)",
        INK,
    );
}

fn legend(canvas: &mut Canvas) {
    canvas.line((62.0, 40.0), (90.0, 40.0), BLUE, 4.0, "");
    canvas.text(96.0, 45.0, Anchor::Start, "final", INK);
    canvas.rect((146.0, 35.0), (28.0, 10.0), "url(#open)", BLUE);
    canvas.text(180.0, 45.0, Anchor::Start, "open", INK);
    canvas.line((236.0, 36.0), (264.0, 36.0), RED, 2.0, "2 2");
    canvas.line((250.0, 36.0), (250.0, 44.0), RED, 1.5, "");
    canvas.dot((250.0, 45.0), RED);
    canvas.text(
        270.0,
        45.0,
        Anchor::Start,
        "corrected, and what stood there",
        INK,
    );
    canvas.line((512.0, 40.0), (540.0, 40.0), GREEN, 4.0, "");
    canvas.line((526.0, 31.0), (526.0, 49.0), GREEN, 1.5, "");
    canvas.text(546.0, 45.0, Anchor::Start, "backfilled", INK);
    canvas.text(640.0, 45.0, Anchor::Start, "?  no reading", INK);
}

/// Returns the sentence and the table that say the same as the picture.
fn words(minutes: &[Minute], is_naive: bool) -> (String, String) {
    let count =
        |of: fn(&MinuteState) -> bool| minutes.iter().filter(|minute| of(&minute.state)).count();
    let last = minutes.iter().rev().find_map(|minute| match minute.state {
        MinuteState::Final(level)
        | MinuteState::Corrected(_, level)
        | MinuteState::Backfilled(level) => {
            let name = if is_naive {
                "Last value"
            } else {
                "Last final value"
            };
            Some(format!(
                "{name}: {level:.1} cm in the minute from {}",
                clock(minute.start)
            ))
        }
        _ => None,
    });
    let last = last.unwrap_or_else(|| "No minute is final yet".into());
    if is_naive {
        let least = minutes.iter().map(|minute| match minute.state {
            MinuteState::Final(level) => level,
            _ => f64::MAX,
        });
        let nought = count(|state| *state == MinuteState::Final(0.0));
        let least = least.fold(f64::MAX, f64::min);
        return (
            format!("{last}; {nought} minutes at 0 cm, lowest {least:.1} cm."),
            String::new(),
        );
    }
    let sentence = format!(
        "{last}; {} open, {} corrected, {} backfilled, {} without a reading.",
        count(|state| matches!(state, MinuteState::Open(_))),
        count(|state| matches!(state, MinuteState::Corrected(..))),
        count(|state| matches!(state, MinuteState::Backfilled(_))),
        count(|state| *state == MinuteState::Gap),
    );
    let corrected = minutes.iter().filter_map(|minute| match minute.state {
        MinuteState::Corrected(then, now) => Some(format!(
            "{}: {then:.2} cm was published, {now:.2} cm is right",
            clock(minute.start)
        )),
        _ => None,
    });
    (sentence, corrected.take(6).collect::<Vec<_>>().join("\n"))
}
