//! Draws an event-driven design: who sends to whom, through logs, queues and routers.

use std::fmt::Write;

use crate::card::escape;
use crate::drawing::Drawing;

const BOX: (f64, f64) = (140.0, 46.0);
const GAP: (f64, f64) = (44.0, 22.0);
const TOP: f64 = 40.0;
/// How deep an arrow hangs that leads back.
const BOW: f64 = 34.0;
const LEFT: f64 = 12.0;

/// A design in the making: parts, and arrows between them.
///
/// The first word of a part says what it is: `log`, `queue`, `router` and `state` have a sign of
/// their own, everything else is a service.
///
/// # Example
/// ```
/// use headwater_course::lesson_5_1::Design;
/// let design = Design::of("Mail for orders").edge("shop", "log orders").edge("log orders", "mail");
/// assert_eq!(design.draw().text(), "Mail for orders\n  shop → log orders\n  log orders → mail");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Design {
    title: String,
    edges: Vec<(String, String)>,
}

impl Design {
    /// Returns a design without parts.
    pub fn of(title: &str) -> Design {
        Design {
            title: title.to_owned(),
            edges: Vec::new(),
        }
    }

    /// Adds an arrow; a part is there as soon as an arrow begins or ends at it.
    pub fn edge(mut self, from: &str, to: &str) -> Design {
        self.edges.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Draws it from left to right; the words below the picture list the arrows.
    pub fn draw(&self) -> Drawing {
        let parts = self.placed();
        let right = parts
            .iter()
            .map(|part| part.x + BOX.0)
            .fold(480.0, f64::max)
            + LEFT;
        let height = parts.iter().map(|part| part.y + BOX.1).fold(TOP, f64::max) + BOW;
        let text = self.text();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{right}\" height=\"{height}\" \
             viewBox=\"0 0 {right} {height}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#222222\">\
             <title>{title}</title><desc>{}</desc><rect width=\"{right}\" height=\"{height}\" fill=\"#ffffff\"/>\
             <text x=\"{LEFT}\" y=\"22\">{title}</text>",
            escape(&text),
            title = escape(&self.title)
        );
        let find = |name: &str| parts.iter().find(|part| part.name == name);
        for (from, to) in &self.edges {
            if let (Some(from), Some(to)) = (find(from), find(to)) {
                arrow(&mut svg, from, to);
            }
        }
        for part in &parts {
            part.draw(&mut svg);
        }
        svg.push_str("</svg>");
        Drawing::new(svg, text)
    }

    /// Shows the design as the value of a cell.
    pub fn evcxr_display(&self) {
        self.draw().evcxr_display();
    }

    fn text(&self) -> String {
        let mut lines = vec![self.title.clone()];
        lines.extend(
            self.edges
                .iter()
                .map(|(from, to)| format!("  {from} → {to}")),
        );
        lines.join("\n")
    }

    /// Puts each part one column to the right of the last one that sends to it, row by row.
    fn placed(&self) -> Vec<Part> {
        let mut names: Vec<&str> = Vec::new();
        for name in self
            .edges
            .iter()
            .flat_map(|(from, to)| [from.as_str(), to.as_str()])
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let place = |name: &str| names.iter().position(|known| *known == name).unwrap_or(0);
        let places: Vec<(usize, usize)> = self
            .edges
            .iter()
            .map(|(from, to)| (place(from), place(to)))
            .collect();
        let columns = columns(&places, names.len());
        let mut rows = vec![0_usize; names.len() + 1];
        let mut parts = Vec::new();
        for (name, column) in names.into_iter().zip(columns) {
            let row = rows[column];
            rows[column] += 1;
            parts.push(Part {
                name: name.to_owned(),
                x: LEFT + column as f64 * (BOX.0 + GAP.0),
                y: TOP + row as f64 * (BOX.1 + GAP.1),
            });
        }
        parts
    }
}

/// Returns the column of each part: one more than that of the last part which sends to it. An
/// arrow that closes a circle leads back, and moves nothing.
fn columns(edges: &[(usize, usize)], parts: usize) -> Vec<usize> {
    let mut forward: Vec<(usize, usize)> = Vec::new();
    for &(from, to) in edges {
        let mut reached = vec![false; parts];
        reached[to] = true;
        for _ in 0..parts {
            for &(one, next) in &forward {
                reached[next] |= reached[one];
            }
        }
        if !reached[from] {
            forward.push((from, to));
        }
    }
    let mut columns = vec![0; parts];
    for _ in 0..parts {
        for &(from, to) in &forward {
            columns[to] = columns[to].max(columns[from] + 1);
        }
    }
    columns
}

/// A part and the place of its left upper corner.
struct Part {
    name: String,
    x: f64,
    y: f64,
}

impl Part {
    fn draw(&self, svg: &mut String) {
        let (x, y, (width, height)) = (self.x, self.y, BOX);
        let kind = self.name.split(' ').next().unwrap_or_default();
        let kind_has_sign = ["log", "queue", "router", "state"].contains(&kind);
        let (colour, round) = match kind {
            "log" => ("#0072b2", 0),
            "queue" => ("#d55e00", 0),
            "router" => ("#009e73", 22),
            "state" => ("#6a3d9a", 12),
            _ => ("#222222", 4),
        };
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\" fill=\"#ffffff\" \
             stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x + width / 2.0,
            y + if kind_has_sign { 20.0 } else { 28.0 },
            escape(&self.name)
        );
        let (left, low) = (x + 30.0, y + 27.0);
        match kind {
            // A log: records side by side, all of them kept.
            "log" => (0..5).for_each(|cell| {
                let _ = write!(
                    svg,
                    "<rect x=\"{}\" y=\"{low}\" width=\"16\" height=\"12\" fill=\"#cfe3f1\" stroke=\"{colour}\"/>",
                    left + f64::from(cell) * 16.0
                );
            }),
            // A queue: two messages wait, and the first one has left its place.
            "queue" => (0..4).for_each(|cell| {
                let fill = if cell < 2 { "#f5d3bd" } else { "none\" stroke-dasharray=\"3 2" };
                let _ = write!(
                    svg,
                    "<circle cx=\"{}\" cy=\"{}\" r=\"6\" fill=\"{fill}\" stroke=\"{colour}\"/>",
                    left + 10.0 + f64::from(cell) * 20.0,
                    low + 6.0
                );
            }),
            "router" => {
                let _ = write!(
                    svg,
                    "<path d=\"M{0} {1} h26 m0 0 l26 -6 m-26 6 l26 6\" stroke=\"{colour}\" stroke-width=\"2\" fill=\"none\"/>",
                    left + 12.0,
                    low + 6.0
                );
            }
            "state" => {
                let _ = write!(
                    svg,
                    "<path d=\"M{0} {1} h64 m-64 5 h64 m-64 5 h64\" stroke=\"{colour}\" fill=\"none\"/>",
                    left + 8.0,
                    low + 1.0
                );
            }
            _ => {}
        }
    }
}

fn arrow(svg: &mut String, from: &Part, to: &Part) {
    if to.x > from.x {
        let (start, end) = (
            (from.x + BOX.0, from.y + BOX.1 / 2.0),
            (to.x - 2.0, to.y + BOX.1 / 2.0),
        );
        let _ = write!(
            svg,
            "<path d=\"M{:.1} {:.1} L{:.1} {:.1}\" stroke=\"#222222\" stroke-width=\"1.5\"/>",
            start.0, start.1, end.0, end.1
        );
        tip(svg, end, (end.1 - start.1).atan2(end.0 - start.0));
        return;
    }
    // Back, in a bow below the parts between; those that come from afar end a little to the left.
    let far = (from.x - to.x) / (BOX.0 + GAP.0) * 6.0 + (from.y - to.y).abs() / 6.0;
    let start = (from.x + BOX.0 / 2.0, from.y + BOX.1);
    let end = (to.x + BOX.0 / 2.0 - far, to.y + BOX.1 + 2.0);
    let _ = write!(
        svg,
        "<path d=\"M{0:.1} {1:.1} C{0:.1} {2:.1} {3:.1} {2:.1} {3:.1} {4:.1}\" stroke=\"#222222\" \
         stroke-width=\"1.5\" stroke-dasharray=\"5 3\" fill=\"none\"/>",
        start.0,
        start.1,
        start.1.max(end.1) + BOW,
        end.0,
        end.1
    );
    tip(svg, end, -std::f64::consts::FRAC_PI_2);
}

/// Draws the head of an arrow that ends at a place and points in a direction.
fn tip(svg: &mut String, (x, y): (f64, f64), angle: f64) {
    let wing = |turn: f64| {
        (
            x - 10.0 * (angle + turn).cos(),
            y - 10.0 * (angle + turn).sin(),
        )
    };
    let ((ax, ay), (bx, by)) = (wing(0.45), wing(-0.45));
    let _ = write!(
        svg,
        "<path d=\"M{x:.1} {y:.1} L{ax:.1} {ay:.1} L{bx:.1} {by:.1} z\"/>"
    );
}
