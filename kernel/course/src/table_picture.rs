//! Draws answers in words: a row each, with what was expected beside what was given.

use std::fmt::Write;

use crate::card::escape;

const WIDTH: f64 = 640.0;
const ROW: f64 = 24.0;
const EXPECTED: f64 = 250.0;
const GOT: f64 = 445.0;
/// Letters that fit into a column.
const MOST: usize = 25;

/// A picture of several answers.
pub(crate) struct TablePicture {
    pub title: String,
    pub rows: Vec<Row>,
}

/// One answer as it should be and as it is.
pub(crate) struct Row {
    pub name: String,
    pub expected: String,
    pub got: String,
    pub agrees: bool,
}

impl Row {
    /// Takes one thing out of the right answer and of the learner's.
    pub fn of<T>(name: &str, [expected, got]: [&T; 2], of: fn(&T) -> String) -> Row {
        let (expected, got) = (of(expected), of(got));
        Row {
            name: name.to_owned(),
            agrees: expected == got,
            expected,
            got,
        }
    }
}

impl TablePicture {
    /// Returns the picture as SVG, 640 pixels wide. A tick or a cross begins each row.
    pub fn svg(&self) -> String {
        let height = 64.0 + self.rows.len() as f64 * ROW;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#222222\">\
             <title>{title}</title><desc>{}</desc><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\
             <text x=\"8\" y=\"20\">{title}</text>\
             <text x=\"{EXPECTED}\" y=\"46\" fill=\"#0072b2\">expected</text>\
             <text x=\"{GOT}\" y=\"46\" fill=\"#d55e00\">got</text>\
             <line x1=\"8\" y1=\"52\" x2=\"632\" y2=\"52\" stroke=\"#222222\"/>",
            escape(&self.words()),
            title = escape(&self.title),
        );
        for (index, row) in self.rows.iter().enumerate() {
            let y = 70.0 + index as f64 * ROW;
            let (mark, weight) = if row.agrees {
                ("✓", "normal")
            } else {
                ("✗", "bold")
            };
            let _ = write!(
                svg,
                "<g font-weight=\"{weight}\"><text x=\"8\" y=\"{y}\">{mark} {}</text>\
                 <text x=\"{EXPECTED}\" y=\"{y}\">{}</text><text x=\"{GOT}\" y=\"{y}\">{}</text></g>",
                escape(&row.name),
                escape(&short(&row.expected)),
                escape(&short(&row.got))
            );
        }
        svg.push_str("</svg>");
        svg
    }

    fn words(&self) -> String {
        let rows = self
            .rows
            .iter()
            .map(|row| format!("{}: expected {}, got {}.", row.name, row.expected, row.got));
        rows.collect::<Vec<_>>().join(" ")
    }
}

/// Cuts text to what fits into a column; the sentence below the picture has all of it.
fn short(text: &str) -> String {
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MOST - 1).collect();
    format!("{kept}…")
}
