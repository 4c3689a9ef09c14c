//! A cell as HTML.

use std::path::Path;

use serde_json::Value;

use super::{escape, highlight, markdown};
use crate::run::ansi;
use crate::run::notebook::text;

/// Returns a cell with its outputs.
pub fn cell(cell: &Value, folder: &Path) -> String {
    let source = text(&cell["source"]);
    match cell["cell_type"].as_str() {
        Some("markdown") => {
            let html = markdown::html(&source, &cell["attachments"], folder);
            format!("<section class=\"text\">\n{html}</section>\n")
        }
        Some("code") => code_cell(cell, &source),
        _ => format!(
            "<section class=\"raw\"><pre>{}</pre></section>\n",
            escape(&source)
        ),
    }
}

fn code_cell(cell: &Value, source: &str) -> String {
    let count = cell["execution_count"]
        .as_u64()
        .map_or(" ".to_owned(), |count| count.to_string());
    let outputs = cell["outputs"].as_array().map_or(&[][..], Vec::as_slice);
    let outputs: String = outputs.iter().map(output).collect();
    let code = highlight::rust(source);
    format!(
        "<section class=\"code\">\n<div class=\"count\" aria-label=\"cell {count}\">[{count}]</div>\n\
         <div class=\"cell\">\n<pre class=\"source\"><code>{code}</code></pre>\n{outputs}</div>\n</section>\n"
    )
}

fn output(output: &Value) -> String {
    match output["output_type"].as_str() {
        Some("stream") => {
            let name = if output["name"] == "stderr" {
                "stderr"
            } else {
                "stdout"
            };
            format!(
                "<pre class=\"{name}\">{}</pre>\n",
                ansi::html(&text(&output["text"]))
            )
        }
        Some("error") => {
            let lines = output["traceback"].as_array().into_iter().flatten();
            let mut lines: Vec<_> = lines.filter_map(Value::as_str).map(str::to_owned).collect();
            if lines.is_empty() {
                lines.push(format!(
                    "{}: {}",
                    text(&output["ename"]),
                    text(&output["evalue"])
                ));
            }
            format!(
                "<pre class=\"error\">{}</pre>\n",
                ansi::html(&lines.join("\n"))
            )
        }
        Some("display_data" | "execute_result") => richest(&output["data"]),
        _ => String::new(),
    }
}

/// Returns the richest of an output's types; its text twin is what a screen reader reads.
fn richest(data: &Value) -> String {
    let get = |mime: &str| data.get(mime).map(text);
    let twin = get("text/plain").unwrap_or_default();
    let label = escape(twin.trim());
    if let Some(svg) = get("image/svg+xml") {
        let svg = svg.find("<svg").map_or("", |at| &svg[at..]);
        return format!("<div class=\"picture\" role=\"img\" aria-label=\"{label}\">{svg}</div>\n");
    }
    if let Some(html) = get("text/html") {
        return format!("<div class=\"html\">{html}</div>\n");
    }
    for mime in ["image/png", "image/jpeg", "image/gif"] {
        if let Some(base64) = get(mime) {
            let base64: String = base64.split_whitespace().collect();
            return format!(
                "<div class=\"picture\"><img src=\"data:{mime};base64,{base64}\" alt=\"{label}\"></div>\n"
            );
        }
    }
    if let Some(source) = get("text/markdown") {
        let html = markdown::html(&source, &Value::Null, Path::new("."));
        return format!("<div class=\"html\">{html}</div>\n");
    }
    format!("<pre class=\"plain\">{}</pre>\n", ansi::html(&twin))
}
