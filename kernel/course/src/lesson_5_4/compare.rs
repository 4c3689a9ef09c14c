//! Draws a learner's answers beside those expected.

use crate::canvas::{Anchor, BLUE, Canvas, INK, RED};

/// No more lines than this are drawn.
const MOST: usize = 9;

/// Draws one line for each part of an answer: its name, what was expected, what came.
pub(super) fn picture(title: &str, lines: &[(String, String, String)]) -> String {
    let height = 70.0 + lines.len().min(MOST) as f64 * 24.0;
    let mut canvas = Canvas::new(title, 640.0, height);
    canvas.text(120.0, 46.0, Anchor::Start, "expected", BLUE);
    canvas.text(380.0, 46.0, Anchor::Start, "got", RED);
    canvas.line((8.0, 54.0), (632.0, 54.0), INK, 1.0, "");
    let mut words = Vec::new();
    for (line, (name, expected, got)) in lines.iter().take(MOST).enumerate() {
        let y = 74.0 + line as f64 * 24.0;
        let mark = if expected == got { "✓" } else { "✗" };
        canvas.text(8.0, y, Anchor::Start, &format!("{mark} {name}"), INK);
        canvas.text(120.0, y, Anchor::Start, &short(expected), INK);
        canvas.text(380.0, y, Anchor::Start, &short(got), INK);
        words.push(format!("{name}: expected {expected}, got {got}."));
    }
    canvas.finish(&words.join(" "), "").svg().to_owned()
}

/// Pairs the parts of two lists by their place; what one lacks is a dash.
pub(super) fn side_by_side<T>(
    name: &str,
    expected: &[T],
    got: &[T],
    words: impl Fn(&T) -> String,
) -> Vec<(String, String, String)> {
    (0..expected.len().max(got.len()))
        .map(|at| {
            let word = |list: &[T]| list.get(at).map_or("-".to_owned(), &words);
            (format!("{name} {at}"), word(expected), word(got))
        })
        .collect()
}

fn short(text: &str) -> String {
    if text.chars().count() <= 34 {
        return text.to_owned();
    }
    let kept: String = text.chars().take(33).collect();
    format!("{kept}…")
}
