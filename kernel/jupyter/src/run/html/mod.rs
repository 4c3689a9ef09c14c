//! One self-contained page of an executed notebook: no script, no file beside it.
//!
//! - [`cells`]: text, code and outputs
//! - [`markdown`]: the text cells, with their pictures inside
//! - [`highlight`]: colours for Rust

mod cells;
mod highlight;
mod markdown;

use std::path::Path;

use super::notebook::Notebook;

const STYLE: &str = include_str!("page.css");

/// Returns the page. Pictures that text cells name are looked for in `folder`.
pub fn page(notebook: &Notebook, folder: &Path) -> String {
    let title = notebook.title().unwrap_or_else(|| "Notebook".to_owned());
    let body: String = notebook
        .cells()
        .iter()
        .map(|cell| cells::cell(cell, folder))
        .collect();
    let title = escape(&title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Returns `text` as it may stand in HTML, within quotes or without.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
