//! Frames as small tables, for eyes (HTML) and for terminals and screen readers (text).

use std::fmt::Write;

use polars::prelude::*;

use crate::display;
use crate::frame::Bundle;

/// How many rows a table shows before it says how many more there are.
pub const ROWS: usize = 20;

const STYLE: &str = "font-size:14px;border-collapse:collapse;font-variant-numeric:tabular-nums";
const CELL: &str = "padding:2px 10px;border-bottom:1px solid #ddd;white-space:nowrap";

/// A frame made ready to be shown.
pub(crate) struct Table {
    caption: Option<String>,
    frame: DataFrame,
    rows: usize,
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

    /// Shows at most `rows` rows.
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
        let mut html = String::from("<div>");
        if let Some(caption) = &self.caption {
            let _ = write!(
                html,
                "<div style=\"font-size:14px\">{}</div>",
                escape(caption)
            );
        }
        let _ = write!(html, "<table style=\"{STYLE}\"><thead><tr>");
        for column in self.frame.columns() {
            let side = side(column.dtype());
            let _ = write!(
                html,
                "<th scope=\"col\" style=\"{CELL};text-align:{side}\">{}",
                escape(column.name())
            );
            let _ = write!(
                html,
                "<br><span style=\"font-weight:normal;color:#555\">{}</span>",
                escape(&column.dtype().to_string())
            );
            html.push_str("</th>");
        }
        html.push_str("</tr></thead><tbody>");
        for row in 0..self.frame.height().min(self.rows) {
            html.push_str("<tr>");
            for column in self.frame.columns() {
                let side = side(column.dtype());
                let _ = write!(
                    html,
                    "<td style=\"{CELL};text-align:{side}\">{}</td>",
                    escape(&value(column, row))
                );
            }
            html.push_str("</tr>");
        }
        let _ = write!(html, "</tbody></table>");
        let _ = write!(
            html,
            "<div style=\"font-size:14px;color:#555\">{}</div>",
            self.note()
        );
        html + "</div>"
    }

    /// Returns the table as text with aligned columns.
    pub fn text(&self) -> String {
        let shown = self.frame.height().min(self.rows);
        let columns: Vec<(bool, Vec<String>)> = self
            .frame
            .columns()
            .iter()
            .map(|column| {
                let head = format!("{} ({})", column.name(), column.dtype());
                let values = (0..shown).map(|row| value(column, row));
                (
                    side(column.dtype()) == "right",
                    std::iter::once(head).chain(values).collect(),
                )
            })
            .collect();
        let widths: Vec<usize> = columns
            .iter()
            .map(|(_, lines)| {
                lines
                    .iter()
                    .map(|line| line.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = self
            .caption
            .as_ref()
            .map(|caption| format!("{caption}\n"))
            .unwrap_or_default();
        for row in 0..=shown {
            let mut line = String::new();
            for ((right, lines), width) in columns.iter().zip(&widths) {
                let cell = &lines[row];
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

    fn note(&self) -> String {
        let (rows, columns) = self.frame.shape();
        let more = match rows > self.rows {
            true => format!("; the first {} shown", self.rows),
            false => String::new(),
        };
        format!(
            "{} x {}{more}",
            plural(rows, "row"),
            plural(columns, "column")
        )
    }
}

/// Shows a frame in the cell: at most 20 rows, with shape and dtypes.
pub fn show(frame: &DataFrame) {
    display::show(Table::of(frame).bundle());
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
        display::result(Table::of(&self.clone().into_frame()).bundle());
    }
}

impl Show for Column {
    fn show_result(&self) {
        self.as_materialized_series().show_result();
    }
}

impl Show for LazyFrame {
    /// Shows the plan: nothing is computed before `.collect()`.
    fn show_result(&self) {
        let plan = self
            .describe_plan()
            .unwrap_or_else(|cause| cause.to_string());
        display::result(text(&format!(
            "a lazy frame, not yet computed; .collect()? computes it\n{plan}"
        )));
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

fn side(dtype: &DataType) -> &'static str {
    if dtype.is_integer() || dtype.is_float() {
        "right"
    } else {
        "left"
    }
}

fn value(column: &Column, row: usize) -> String {
    match column.get(row) {
        Ok(AnyValue::Null) => "null".into(),
        Ok(AnyValue::Float64(value)) => float(value),
        Ok(AnyValue::Float32(value)) => float(f64::from(value)),
        Ok(AnyValue::String(text)) => cut(text),
        Ok(AnyValue::StringOwned(text)) => cut(&text),
        Ok(value) => temporal(column.dtype(), &value).unwrap_or_else(|| cut(&value.to_string())),
        Err(cause) => cause.to_string(),
    }
}

fn temporal(dtype: &DataType, value: &AnyValue<'_>) -> Option<String> {
    let DataType::Datetime(unit, _) = dtype else {
        return None;
    };
    let number = value.extract::<i64>()?;
    Some(crate::time::show(match unit {
        TimeUnit::Milliseconds => number * 1000,
        TimeUnit::Microseconds => number,
        TimeUnit::Nanoseconds => number.div_euclid(1000),
    }))
}

fn float(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e12) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0');
    if text.ends_with('.') {
        format!("{text}0")
    } else {
        text.to_owned()
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(59).chain(['…']).collect()
    }
}
