//! Picture P1: the loop and its logs as a strip, the number of the batch on x.

use super::micro_batch::{Inside, STEPS};
use crate::canvas::{Anchor, BLUE, Canvas, GREEN, INK, RED};
use crate::drawing::Drawing;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 134.0;

pub(super) fn strip(engine: &Inside) -> Drawing {
    let batches = engine
        .offset_log
        .keys()
        .next_back()
        .map_or(0, |last| last + 1)
        .max(engine.batch + 1)
        .max(4);
    let cell = (WIDTH - LEFT - 16.0) / batches as f64;
    let (top, row) = (66.0, 30.0);
    let mut canvas = Canvas::new("The micro-batch loop and its logs", WIDTH, 330.0);
    canvas.text(8.0, 44.0, Anchor::Start, &short(&engine.said), BLUE);
    let steps = engine.steps();
    for (line, step) in steps.iter().enumerate() {
        let y = top + line as f64 * row;
        canvas.text(LEFT - 8.0, y + 19.0, Anchor::End, step, INK);
        for batch in 0..batches {
            let x = LEFT + batch as f64 * cell;
            let durable = match *step {
                "write offset log" => engine.offset_log.contains_key(&batch),
                "write sink" => engine.output.iter().any(|(of, _)| *of == batch),
                "write commit log" => engine.commit_log.contains(&batch),
                _ => false,
            };
            let done = batch == engine.batch && line < engine.done;
            let (fill, stroke) = match (durable, done) {
                (true, _) => ("#cce8df", GREEN),
                (_, true) => ("url(#open)", BLUE),
                _ => ("#ffffff", "#cccccc"),
            };
            canvas.rect((x + 2.0, y + 2.0), (cell - 4.0, row - 4.0), fill, stroke);
            let word = match *step {
                "write offset log" => engine
                    .offset_log
                    .get(&batch)
                    .map(|(from, to)| format!("{from} to {}", to - 1)),
                "write sink" if durable => {
                    let rows = engine.output.iter().filter(|(of, _)| *of == batch).count();
                    Some(format!("{rows} rows"))
                }
                "write commit log" if durable => Some("committed".into()),
                _ => None,
            };
            if let Some(word) = word {
                canvas.text(x + cell / 2.0, y + 20.0, Anchor::Middle, &word, INK);
            }
        }
    }
    for (batch, step) in &engine.kills {
        let x = LEFT + (*batch as f64 + 0.88) * cell;
        canvas.cross((x, top + *step as f64 * row), RED);
    }
    let base = top + STEPS.len() as f64 * row;
    for batch in 0..batches {
        let x = LEFT + (batch as f64 + 0.5) * cell;
        canvas.text(
            x,
            base + 20.0,
            Anchor::Middle,
            &format!("batch {batch}"),
            INK,
        );
    }
    canvas.text(
        8.0,
        base + 50.0,
        Anchor::Start,
        "green: on disk, survives; hatched: in memory, lost by a kill; ✕ killed here",
        INK,
    );
    let committed = match engine.commit_log.iter().max() {
        Some(last) => format!("last committed batch {last}"),
        None => "no batch committed".into(),
    };
    let replay = match engine.offset_log.get(&engine.batch) {
        Some((from, to)) => format!("to be replayed: records {from} to {}", to - 1),
        None => "nothing to be replayed".into(),
    };
    canvas.text(
        8.0,
        base + 76.0,
        Anchor::Start,
        &format!("{committed}; {replay}"),
        INK,
    );
    canvas.finish(
        &format!("{}. {committed}; {replay}.", engine.said),
        &table(engine),
    )
}

/// Cuts a sentence to what fits into the picture; the twin has all of it.
fn short(text: &str) -> String {
    if text.chars().count() <= 98 {
        return text.to_owned();
    }
    let kept: String = text.chars().take(97).collect();
    format!("{kept}…")
}

fn table(engine: &Inside) -> String {
    let lines = engine.offset_log.iter().map(|(batch, (from, to))| {
        let rows = engine.output.iter().filter(|(of, _)| of == batch).count();
        let committed = if engine.commit_log.contains(batch) {
            "committed"
        } else {
            "not committed"
        };
        format!(
            "batch {batch}: offsets {from} to {}, {rows} rows in the sink, {committed}",
            to - 1
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
