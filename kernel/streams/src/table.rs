//! Frames as small tables, for eyes (HTML) and for terminals and screen readers (text).

mod values;

use std::fmt::Write;

use polars::prelude::*;
use values::{side, value};

use crate::display;
use crate::frame::Bundle;

/// How many rows a table shows before it says how many more there are.
pub const ROWS: usize = 20;
/// How many columns a table shows before it names the others in words.
const COLUMNS: usize = 20;
/// So many of the columns that are left out are named.
const NAMED: usize = 10;

// Pages of JupyterLab set these variables, in its light theme as in its dark one; elsewhere a
// grey that is legible on white and on black stands in.
const TABLE: &str = "font-size:14px;border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0;color:inherit";
const CELL: &str =
    "padding:2px 10px;border-bottom:1px solid var(--jp-border-color2,#bdbdbd);white-space:nowrap";
const FAINT: &str = "color:var(--jp-content-font-color2,#757575)";

/// A frame made ready to be shown.
pub(crate) struct Table {
    caption: Option<String>,
    frame: DataFrame,
    rows: usize,
}

/// A row or column of what is shown: one of the frame, or the gap where some are left out.
#[derive(Clone, Copy)]
enum Line {
    At(usize),
    Gap,
}

impl Table {
    pub fn of(frame: &DataFrame) -> Table {
        Table {
            caption: None,
            frame: frame.clone(),
            rows: ROWS,
        }
    }

    /// Sets the line above the table.
    pub fn caption(mut self, caption: impl Into<String>) -> Table {
        self.caption = Some(caption.into());
        self
    }

    /// Shows at most `rows` rows: the first half of them from the top, the others from the end.
    pub fn rows(mut self, rows: usize) -> Table {
        self.rows = rows;
        self
    }

    /// Returns the table as text/html and text/plain.
    pub fn bundle(&self) -> Bundle {
        Bundle::from([
            ("text/html".into(), self.html()),
            ("text/plain".into(), self.text()),
        ])
    }

    /// Returns the table as HTML.
    pub fn html(&self) -> String {
        let columns = lines(self.frame.width(), COLUMNS);
        let rows = lines(self.frame.height(), self.rows);
        let mut html = format!("<div style=\"overflow-x:auto\"><table style=\"{TABLE}\">");
        html.push_str("<caption style=\"caption-side:top;text-align:left;white-space:nowrap\">");
        if let Some(caption) = &self.caption {
            let _ = write!(html, "{}<br>", escape(caption));
        }
        let _ = write!(
            html,
            "<span style=\"{FAINT}\">{}</span></caption><thead><tr>",
            escape(&self.note())
        );
        for column in &columns {
            self.head(*column, &mut html);
        }
        html.push_str("</tr></thead><tbody>");
        for row in rows {
            html.push_str("<tr>");
            for column in &columns {
                self.cell(row, *column, &mut html);
            }
            html.push_str("</tr>");
        }
        html + "</tbody></table></div>"
    }

    fn head(&self, column: Line, html: &mut String) {
        let Line::At(at) = column else {
            let _ = write!(html, "<th scope=\"col\" style=\"{CELL}\">…</th>");
            return;
        };
        let column = &self.frame.columns()[at];
        let _ = write!(
            html,
            "<th scope=\"col\" style=\"{CELL};text-align:{}\">{}<br><span style=\"font-weight:normal;{FAINT}\">{}</span></th>",
            side(column.dtype()),
            escape(column.name()),
            escape(&column.dtype().to_string())
        );
    }

    fn cell(&self, row: Line, column: Line, html: &mut String) {
        let (Line::At(at), Line::At(row)) = (column, row) else {
            let side = match column {
                Line::At(at) => side(self.frame.columns()[at].dtype()),
                Line::Gap => "left",
            };
            let _ = write!(
                html,
                "<td style=\"{CELL};text-align:{side};{FAINT}\">…</td>"
            );
            return;
        };
        let column = &self.frame.columns()[at];
        let side = side(column.dtype());
        let _ = match column.get(row) {
            Ok(AnyValue::Null) => write!(
                html,
                "<td style=\"{CELL};text-align:{side};font-style:italic;{FAINT}\">null</td>"
            ),
            _ => write!(
                html,
                "<td style=\"{CELL};text-align:{side}\">{}</td>",
                escape(&value(column, row))
            ),
        };
    }

    /// Returns the table as text with aligned columns.
    pub fn text(&self) -> String {
        let rows = lines(self.frame.height(), self.rows);
        let mut text = self
            .caption
            .as_ref()
            .map(|caption| format!("{caption}\n"))
            .unwrap_or_default();
        let columns: Vec<(bool, Vec<String>)> = lines(self.frame.width(), COLUMNS)
            .into_iter()
            .map(|column| self.column_text(column, &rows))
            .collect();
        let width = |lines: &[String]| lines.iter().map(|line| line.chars().count()).max();
        for row in 0..=rows.len() {
            let mut line = String::new();
            for (right, lines) in &columns {
                let (cell, width) = (&lines[row], width(lines).unwrap_or(0));
                let _ = if *right {
                    write!(line, "{cell:>width$}  ")
                } else {
                    write!(line, "{cell:<width$}  ")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push_str(&self.note());
        text.trim_end().to_owned()
    }

    /// Returns whether a column stands to the right, and its lines from the head on.
    fn column_text(&self, column: Line, rows: &[Line]) -> (bool, Vec<String>) {
        let Line::At(at) = column else {
            return (false, vec!["…".to_owned(); rows.len() + 1]);
        };
        let column = &self.frame.columns()[at];
        let head = format!("{} ({})", column.name(), column.dtype());
        let values = rows.iter().map(|row| match row {
            Line::At(row) => value(column, *row),
            Line::Gap => "…".to_owned(),
        });
        (
            side(column.dtype()) == "right",
            std::iter::once(head).chain(values).collect(),
        )
    }

    /// Says how large the frame is, and what of it is not shown.
    fn note(&self) -> String {
        let (rows, columns) = self.frame.shape();
        let mut note = format!("{} x {}", plural(rows, "row"), plural(columns, "column"));
        if rows > self.rows {
            let first = self.rows.div_ceil(2);
            let _ = write!(
                note,
                "; the first {first} and the last {} shown",
                self.rows - first
            );
        }
        let hidden: Vec<&str> = self.frame.columns()[..]
            .iter()
            .map(|column| column.name().as_str())
            .collect();
        let hidden = left_out(&hidden, COLUMNS);
        if !hidden.is_empty() {
            let named = hidden.iter().take(NAMED).copied().collect::<Vec<_>>();
            let more = match hidden.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let _ = write!(
                note,
                "; {} left out: {}{more}",
                plural(hidden.len(), "column"),
                named.join(", ")
            );
        }
        note
    }
}

/// Returns which of `count` lines are shown where there is room for `room`.
fn lines(count: usize, room: usize) -> Vec<Line> {
    if count <= room {
        return (0..count).map(Line::At).collect();
    }
    let first = room.div_ceil(2);
    let last = count - (room - first)..count;
    (0..first)
        .map(Line::At)
        .chain([Line::Gap])
        .chain(last.map(Line::At))
        .collect()
}

/// Returns the part that [`lines`] leaves out.
fn left_out<T>(all: &[T], room: usize) -> &[T] {
    if all.len() <= room {
        return &[];
    }
    let first = room.div_ceil(2);
    &all[first..all.len() - (room - first)]
}

/// Shows a frame in the cell: at most 20 rows and 20 columns, with shape and dtypes.
pub fn show(frame: &DataFrame) {
    display::show(Table::of(frame).bundle());
}

/// Returns the first and last rows of a frame as text, at most `rows` of them.
pub fn frame_text(frame: &DataFrame, rows: usize) -> String {
    Table::of(frame).rows(rows).text()
}

/// What the cell runner calls for a value that Polars owns, so that a frame as the last
/// expression of a cell shows itself.
pub trait Show {
    /// Shows this as the value of the running cell.
    fn show_result(&self);
}

impl Show for DataFrame {
    fn show_result(&self) {
        display::result(Table::of(self).bundle());
    }
}

impl Show for Series {
    fn show_result(&self) {
        let table = Table::of(&self.clone().into_frame());
        display::result(table.caption("series").bundle());
    }
}

impl Show for Column {
    fn show_result(&self) {
        self.as_materialized_series().show_result();
    }
}

impl Show for LazyFrame {
    /// Shows the columns that it will have, and the plan: nothing is computed before
    /// `.collect()`.
    fn show_result(&self) {
        let mut text = "a lazy frame, not yet computed; .collect()? computes it\n".to_owned();
        let mut html = format!(
            "<div style=\"font-size:14px\">{}</div>",
            escape(text.trim())
        );
        match self.clone().collect_schema() {
            Ok(schema) => {
                let columns: Vec<String> = schema
                    .iter()
                    .map(|(name, dtype)| format!("{name} ({dtype})"))
                    .collect();
                let _ = writeln!(text, "columns: {}", columns.join(", "));
                let _ = write!(html, "<div>columns: {}</div>", escape(&columns.join(", ")));
            }
            // A plan that cannot work says so here already.
            Err(cause) => {
                let _ = writeln!(text, "{cause}");
                let _ = write!(html, "<div>{}</div>", escape(&cause.to_string()));
            }
        }
        let plan = self
            .describe_plan()
            .unwrap_or_else(|cause| cause.to_string());
        text.push_str(plan.trim_end());
        let _ = write!(
            html,
            "<details><summary>plan</summary><pre>{}</pre></details>",
            escape(&plan)
        );
        display::result(Bundle::from([
            ("text/plain".into(), text),
            ("text/html".into(), html),
        ]));
    }
}

/// Returns text that is shown as it is.
pub(crate) fn text(text: &str) -> Bundle {
    Bundle::from([
        ("text/plain".into(), text.to_owned()),
        (
            "text/html".into(),
            format!("<pre style=\"font-size:14px\">{}</pre>", escape(text)),
        ),
    ])
}

/// Makes text safe inside HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Returns `1 row`, `2,000 rows`.
pub(crate) fn plural(count: usize, word: &str) -> String {
    format!(
        "{} {word}{}",
        grouped(count as i64),
        if count == 1 { "" } else { "s" }
    )
}

/// Returns a whole number with commas: `336,776`.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}
