//! A picture of the course with its twin in words.

use headwater_streams::display;
use headwater_streams::frame::Bundle;

/// A picture, and the sentence and numbers that say the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    svg: String,
    text: String,
}

impl Drawing {
    pub(crate) fn new(svg: String, text: String) -> Drawing {
        Drawing { svg, text }
    }

    /// Returns the picture as SVG.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// Returns what the picture says, in words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Shows the picture, with the words below it, as the value of a cell.
    pub fn evcxr_display(&self) {
        let words = crate::card::escape(&self.text);
        let html = format!(
            "{}<pre style=\"margin:6px 0;font-size:14px;white-space:pre-wrap\">{words}</pre>",
            self.svg
        );
        display::result(Bundle::from([
            ("text/html".to_owned(), html),
            ("text/plain".to_owned(), self.text.clone()),
        ]));
    }
}
