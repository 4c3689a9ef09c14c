//! What is known of each variable: type, size, shape, columns; and `:vars`, which shows it.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::frame::Bundle;
use super::protocol::Described;
use super::session::{Session, short_type};

const TABLE: &str = "font-size:14px;border-collapse:collapse;margin:0;color:inherit";
const CELL: &str = "padding:2px 10px;border-bottom:1px solid var(--jp-border-color2,#bdbdbd)";

/// A variable of the session.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariableInfo {
    pub name: String,
    /// The type without paths, as a person writes it: `Vec<DataFrame>`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The type with all its paths, as the compiler says it.
    pub full_type: String,
    pub mutable: bool,
    /// Bytes in memory, of what it owns too where that is known.
    pub bytes: Option<u64>,
    /// Rows and columns of a frame, elements of a list.
    pub shape: Option<String>,
    /// The value, or what it is, in a few words.
    pub summary: Option<String>,
    /// The first and last rows of a frame.
    pub preview: Option<String>,
    /// Name and dtype of each column of a frame.
    pub columns: Vec<(String, String)>,
    /// How many more columns there are than `columns` holds.
    pub more_columns: u64,
}

/// Returns the variables of `session`: what was known of them, and what is new.
pub(super) fn updated(
    known: &[VariableInfo],
    session: &Session,
    described: Vec<Described>,
) -> Vec<VariableInfo> {
    let infos = session.variables.iter().map(|(name, variable)| {
        let old = known
            .iter()
            .find(|old| old.name == *name && old.full_type == variable.type_name);
        let mut info = VariableInfo {
            name: name.clone(),
            type_name: short_type(&variable.type_name),
            full_type: variable.type_name.clone(),
            ..old.cloned().unwrap_or_default()
        };
        info.mutable = variable.mutable;
        if let Some(said) = described.iter().find(|said| said.name == *name) {
            info.bytes = Some(said.bytes);
            info.shape.clone_from(&said.shape);
            info.summary.clone_from(&said.summary);
            info.preview.clone_from(&said.preview);
            info.columns.clone_from(&said.columns);
            info.more_columns = said.more_columns;
        }
        info
    });
    infos.collect()
}

/// Returns the variables as one table, for eyes and for terminals.
pub fn variables_table(variables: &[VariableInfo]) -> Bundle {
    if variables.is_empty() {
        let text = "no variables yet; `let x = 1;` makes one".to_owned();
        return [("text/plain".to_owned(), text)].into();
    }
    let head = ["name", "mutable", "type", "size", "shape", "value"].map(str::to_owned);
    let rows: Vec<[String; 6]> = variables.iter().map(row).collect();
    [
        ("text/plain".to_owned(), text(&head, &rows)),
        ("text/html".to_owned(), html(&head, &rows)),
    ]
    .into()
}

fn row(variable: &VariableInfo) -> [String; 6] {
    let columns = variable.columns.iter().take(6);
    let mut names = columns
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let more = (variable.columns.len() as u64 + variable.more_columns).saturating_sub(6);
    if more > 0 {
        let _ = write!(names, " and {more} more");
    }
    [
        variable.name.clone(),
        if variable.mutable { "mut" } else { "" }.to_owned(),
        variable.type_name.clone(),
        variable.bytes.map(size).unwrap_or_default(),
        variable.shape.clone().unwrap_or_default(),
        variable.summary.clone().unwrap_or(names),
    ]
}

/// Returns a variable's declaration, and what else is known of it as Markdown.
pub(super) fn variable_card(variable: &VariableInfo) -> (String, String) {
    let mutable = if variable.mutable { "mut " } else { "" };
    let declaration = format!("let {mutable}{}: {}", variable.name, variable.type_name);
    let mut lines = Vec::new();
    lines.extend(variable.summary.clone());
    let shape = variable
        .shape
        .as_ref()
        .map(|shape| format!("shape: {shape}"));
    lines.extend(shape);
    lines.extend(variable.bytes.map(|bytes| format!("size: {}", size(bytes))));
    if variable.columns.len() > 1 || variable.summary.is_none() {
        let columns = variable.columns.iter();
        lines.extend(columns.map(|(name, dtype)| match dtype.as_str() {
            "" => format!("- {name}"),
            dtype => format!("- {name} ({dtype})"),
        }));
    }
    if variable.more_columns > 0 {
        lines.push(format!("- and {} columns more", variable.more_columns));
    }
    if let Some(preview) = &variable.preview {
        lines.push(format!("\n```text\n{preview}\n```"));
    }
    if variable.full_type != variable.type_name {
        lines.push(format!("\nfull type: `{}`", variable.full_type));
    }
    (declaration, lines.join("\n"))
}

/// Returns `12 B`, `3.4 kB`, `1.2 MB`.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    if value < 1000.0 {
        return format!("{bytes} B");
    }
    for unit in ["kB", "MB", "GB"] {
        value /= 1000.0;
        if value < 999.95 || unit == "GB" {
            return format!("{value:.1} {unit}");
        }
    }
    unreachable!("the last unit takes all")
}

fn text(head: &[String; 6], rows: &[[String; 6]]) -> String {
    let lines = || std::iter::once(head).chain(rows);
    let width = |column: usize| {
        lines()
            .map(|line| line[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for line in lines() {
        let mut padded = String::new();
        for (cell, width) in line.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            let _ = write!(padded, "{cell:<width$}  ");
        }
        text.push_str(padded.trim_end());
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn html(head: &[String; 6], rows: &[[String; 6]]) -> String {
    let mut html = format!("<table style=\"{TABLE}\"><thead><tr>");
    for name in head {
        let _ = write!(
            html,
            "<th scope=\"col\" style=\"{CELL};text-align:left\">{name}</th>"
        );
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let (tag, side) = match index {
                0 => ("th scope=\"row\"", "left"),
                3 => ("td", "right"),
                _ => ("td", "left"),
            };
            let end = &tag[..2];
            let _ = write!(
                html,
                "<{tag} style=\"{CELL};text-align:{side}\">{}</{end}>",
                escape(cell)
            );
        }
        html.push_str("</tr>");
    }
    html + "</tbody></table>"
}

/// Makes text safe inside HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
