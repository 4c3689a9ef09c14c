//! Lines, boxes and words on their way to a [`Drawing`].

use std::fmt::Write;

use crate::card::escape;
use crate::drawing::Drawing;

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Blue, orange, green, vermilion, grey of Okabe and Ito; no colour stands alone.
pub(crate) const BLUE: &str = "#0072b2";
pub(crate) const ORANGE: &str = "#e69f00";
pub(crate) const GREEN: &str = "#009e73";
pub(crate) const RED: &str = "#d55e00";
pub(crate) const GREY: &str = "#999999";
pub(crate) const INK: &str = "#222222";

/// An SVG in the making.
pub(crate) struct Canvas {
    body: String,
    title: String,
    width: f64,
    height: f64,
}

impl Canvas {
    pub fn new(title: &str, width: f64, height: f64) -> Canvas {
        let mut canvas = Canvas {
            body: String::new(),
            title: title.to_owned(),
            width,
            height,
        };
        canvas.text(8.0, 20.0, Anchor::Start, title, INK);
        canvas
    }

    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str, colour: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{}</text>",
            escape(text)
        );
    }

    /// Draws a line; `dash` as SVG writes it, or nothing.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, wide: f64, dash: &str) {
        let _ = write!(
            self.body,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"{wide}\" \
             stroke-dasharray=\"{dash}\"/>",
            from.0, from.1, to.0, to.1
        );
    }

    /// Draws a line through points; `dash` as in [`Canvas::line`].
    pub fn path(&mut self, points: &[(f64, f64)], colour: &str, wide: f64, dash: &str) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = write!(
            self.body,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{wide}\" \
             stroke-dasharray=\"{dash}\"/>",
            points.join(" ")
        );
    }

    /// Draws a box; `fill` may be `url(#open)`, which is hatched.
    pub fn rect(&mut self, at: (f64, f64), size: (f64, f64), fill: &str, stroke: &str) {
        let _ = write!(
            self.body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"3\" fill=\"{fill}\" stroke=\"{stroke}\"/>",
            at.0, at.1, size.0, size.1
        );
    }

    pub fn dot(&mut self, at: (f64, f64), colour: &str) {
        let _ = write!(
            self.body,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{colour}\"/>",
            at.0, at.1
        );
    }

    pub fn cross(&mut self, (x, y): (f64, f64), colour: &str) {
        self.line((x - 6.0, y - 6.0), (x + 6.0, y + 6.0), colour, 3.0, "");
        self.line((x - 6.0, y + 6.0), (x + 6.0, y - 6.0), colour, 3.0, "");
    }

    /// Ends the drawing; `words` is its first sentence, `table` the rest of the twin.
    pub fn finish(self, words: &str, table: &str) -> Drawing {
        let Canvas {
            body,
            title,
            width,
            height,
        } = self;
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"{INK}\">\
             <title>{}</title><desc>{}</desc>\
             <defs><pattern id=\"open\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"8\" height=\"8\" fill=\"#ffffff\"/>\
             <line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"8\" stroke=\"{BLUE}\" stroke-width=\"3\"/></pattern></defs>\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>{body}</svg>",
            escape(&title),
            escape(words),
        );
        let table = if table.is_empty() {
            String::new()
        } else {
            format!("\n{table}")
        };
        Drawing::new(svg, format!("{title}. {words}{table}"))
    }
}
