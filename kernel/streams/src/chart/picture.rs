//! A drawn chart: SVG, PNG and words from the same numbers.

use std::sync::Arc;

use base64::Engine;
use polars::prelude::DataFrame;

use super::{Chart, Data, draw, png, words};
use crate::Result;
use crate::frame::Bundle;
use crate::table::escape;

/// A picture of a chart, made by [`Chart::draw`].
#[derive(Clone)]
pub struct Picture {
    svg: String,
    text: String,
    chart: Arc<Chart>,
    data: Arc<Data>,
}

impl Picture {
    pub(crate) fn draw(chart: &Chart, data: &Data, facts: Option<&str>) -> Result<Picture> {
        let text = words::words(chart, data, facts);
        let summary = text.lines().next().unwrap_or_default().to_owned();
        let svg = draw::draw(chart, data, facts)?;
        Ok(Picture {
            svg: described(&svg, &chart.title_text(), &summary),
            text,
            chart: Arc::new(chart.clone()),
            data: Arc::new(data.clone()),
        })
    }

    /// Returns the picture as SVG, with its title and a description inside.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// Returns what the picture shows in words: a sentence and a small table.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the numbers that the picture shows, one row a point: the column of the horizontal axis,
    /// window_end where there are windows, series (str), the column of the vertical axis (f64, null for a
    /// gap), open (bool: whether the window may still change).
    ///
    /// # Errors
    /// Where a column that both axes show is named like another one.
    pub fn data(&self) -> Result<DataFrame> {
        self.data.frame(&self.chart)
    }

    /// Returns the picture as PNG with two pixels for each of the SVG's.
    ///
    /// # Errors
    /// Never in practice: the SVG is our own.
    pub fn png(&self) -> Result<Vec<u8>> {
        png::render(&self.svg)
    }

    /// Writes the picture to a file, as SVG or PNG by the end of its name.
    ///
    /// # Errors
    /// When the name ends otherwise, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<std::path::Path>) -> Result<()> {
        let path = path.as_ref();
        let end = path.extension().unwrap_or_default().to_string_lossy();
        let bytes = match end.to_lowercase().as_str() {
            "png" => self.png()?,
            "svg" => self.svg.clone().into_bytes(),
            _ => {
                let svg = path.with_extension("svg");
                return Err(crate::Error::new(format!(
                    "a picture cannot be saved as {}",
                    path.display()
                ))
                .have("svg and png are what it can be")
                .hint(format!(".save(\"{}\")?", svg.display())));
            }
        };
        std::fs::write(path, bytes).map_err(|cause| {
            crate::Error::new(format!("cannot write {}", path.display()))
                .have(cause.to_string())
                .caused_by(cause)
        })
    }

    /// Shows the picture as the value of a cell.
    pub fn evcxr_display(&self) {
        crate::display::result(self.bundle());
    }

    /// Returns everything: SVG, PNG and text.
    pub(crate) fn bundle(&self) -> Bundle {
        let mut bundle = self.frame();
        if let Ok(png) = self.png() {
            bundle.insert(
                "image/png".into(),
                base64::engine::general_purpose::STANDARD.encode(png),
            );
        }
        bundle
    }

    /// Returns what one frame of a live chart carries: SVG and text. The PNG comes with the last.
    pub(crate) fn frame(&self) -> Bundle {
        Bundle::from([
            ("image/svg+xml".into(), self.svg.clone()),
            ("text/plain".into(), self.text.clone()),
        ])
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Gives the SVG a role, a title and a description, for those who hear it.
fn described(svg: &str, title: &str, summary: &str) -> String {
    let svg = svg.replacen("<svg ", "<svg role=\"img\" ", 1);
    let Some(end) = svg.find('>') else { return svg };
    let (tag, rest) = svg.split_at(end + 1);
    format!(
        "{tag}<title>{}</title><desc>{}</desc>{rest}",
        escape(title),
        escape(summary)
    )
}
