//! Draws windows over a time axis: those expected, those given, and the event.

use std::fmt::Write;

use crate::card::escape;

const WIDTH: f64 = 640.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 24.0;
const ROW: f64 = 20.0;
/// No more windows than this are drawn in one group; the text says how many there are.
const MOST: usize = 8;

/// Windows of one length.
pub(crate) struct Windows {
    pub starts: Vec<i64>,
    /// In minutes.
    pub size: i64,
}

/// A picture of one case; all times in minutes.
pub(crate) struct WindowPicture {
    pub title: String,
    pub event: i64,
    pub expected: Windows,
    pub got: Windows,
}

/// How a group of windows looks: colour, dash and word say the same.
struct Look {
    word: &'static str,
    colour: &'static str,
    dash: &'static str,
}

const EXPECTED: Look = Look {
    word: "expected",
    colour: "#0072b2",
    dash: "",
};
const GOT: Look = Look {
    word: "got",
    colour: "#d55e00",
    dash: " stroke-dasharray=\"7 4\"",
};

impl WindowPicture {
    /// Returns the picture as SVG, at most 640 pixels wide.
    pub fn svg(&self) -> String {
        let rows = |windows: &Windows| windows.starts.len().clamp(1, MOST) as f64;
        let top = 46.0;
        let second = top + rows(&self.expected) * ROW + 10.0;
        let axis = second + rows(&self.got) * ROW + 4.0;
        let height = axis + 62.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#222222\">\
             <title>{}</title><desc>{}</desc><rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\
             <text x=\"{LEFT}\" y=\"20\">{}</text>",
            escape(&self.title),
            escape(&self.words()),
            escape(&self.title)
        );
        self.group(&mut svg, &self.expected, &EXPECTED, top);
        self.group(&mut svg, &self.got, &GOT, second);
        self.axis(&mut svg, axis);
        let x = self.x(self.event);
        let _ = write!(
            svg,
            "<line x1=\"{x}\" y1=\"34\" x2=\"{x}\" y2=\"{axis}\" stroke=\"#222222\" stroke-width=\"2\"/>\
             <path d=\"M{x} 42 l-6 -10 h12 z\"/><text x=\"{}\" y=\"40\">event</text></svg>",
            x + 10.0
        );
        svg
    }

    fn words(&self) -> String {
        let list = |windows: &Windows| {
            let parts = windows
                .starts
                .iter()
                .take(MOST)
                .map(|start| format!("[{start}, {})", start.saturating_add(windows.size)));
            parts.collect::<Vec<_>>().join(" ")
        };
        format!(
            "Event at minute {}. Expected windows {}. Got {}.",
            self.event,
            list(&self.expected),
            list(&self.got)
        )
    }

    fn group(&self, svg: &mut String, windows: &Windows, look: &Look, top: f64) {
        let Look { word, colour, dash } = look;
        let _ = write!(
            svg,
            "<text x=\"8\" y=\"{}\" fill=\"{colour}\">{word}</text>",
            top + 15.0
        );
        if windows.starts.is_empty() {
            let _ = write!(
                svg,
                "<text x=\"{LEFT}\" y=\"{}\">no window</text>",
                top + 15.0
            );
        }
        for (row, start) in windows.starts.iter().take(MOST).enumerate() {
            let y = top + row as f64 * ROW + 10.0;
            let (from, to) = (self.x(*start), self.x(start.saturating_add(windows.size)));
            // A filled dot belongs to the window, a hollow one does not.
            let _ = write!(
                svg,
                "<line x1=\"{from:.1}\" y1=\"{y}\" x2=\"{to:.1}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"4\"{dash}/>\
                 <circle cx=\"{from:.1}\" cy=\"{y}\" r=\"5\" fill=\"{colour}\"/>\
                 <circle cx=\"{to:.1}\" cy=\"{y}\" r=\"4\" fill=\"#ffffff\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            );
        }
    }

    fn axis(&self, svg: &mut String, y: f64) {
        let (low, high) = self.span();
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"#222222\"/>",
            WIDTH - RIGHT
        );
        let step = step_of(high.saturating_sub(low));
        let mut tick = low.div_euclid(step).saturating_mul(step);
        while tick <= high {
            if tick >= low {
                let x = self.x(tick);
                let _ = write!(
                    svg,
                    "<line x1=\"{x:.1}\" y1=\"{y}\" x2=\"{x:.1}\" y2=\"{}\" stroke=\"#222222\"/>\
                     <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>",
                    y + 5.0,
                    y + 20.0
                );
            }
            let Some(next) = tick.checked_add(step) else {
                break;
            };
            tick = next;
        }
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">event time in minutes; ● belongs to the window, ○ does not</text>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            y + 44.0
        );
    }

    /// Returns the first and the last minute of the axis.
    fn span(&self) -> (i64, i64) {
        let ends = [&self.expected, &self.got]
            .into_iter()
            .flat_map(|windows| {
                windows
                    .starts
                    .iter()
                    .take(MOST)
                    .flat_map(|start| [*start, start.saturating_add(windows.size)])
            })
            .chain([self.event]);
        let (low, high) = ends.fold((i64::MAX, i64::MIN), |(low, high), at| {
            (low.min(at), high.max(at))
        });
        let margin = (high.saturating_sub(low) / 12).max(1);
        (low.saturating_sub(margin), high.saturating_add(margin))
    }

    fn x(&self, minute: i64) -> f64 {
        let (low, high) = self.span();
        LEFT + (minute as f64 - low as f64) / (high as f64 - low as f64) * (WIDTH - LEFT - RIGHT)
    }
}

/// Returns a round distance that gives about six ticks.
fn step_of(span: i64) -> i64 {
    let rough = (span / 6).max(1);
    let steps = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440];
    steps
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough)
}
