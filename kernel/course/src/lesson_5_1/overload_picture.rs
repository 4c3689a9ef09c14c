//! Draws runs of the burst side by side, one panel a policy.

use std::fmt::Write;

use headwater_streams::Result;
use polars::prelude::{DataFrame, PolarsResult};

use crate::card::escape;
use crate::drawing::Drawing;

const PANEL: (f64, f64) = (280.0, 130.0);
const LEFT: f64 = 64.0;
const TOP: f64 = 76.0;
const GAP: (f64, f64) = (64.0, 66.0);

/// One policy's run.
struct Run {
    policy: String,
    second: Vec<f64>,
    waiting: Vec<i64>,
    lost: Vec<i64>,
    held_back: Vec<i64>,
}

/// Draws the frame of one or more runs of [`overload`](super::overload()), with a line at the capacity.
///
/// The words below say for each policy the peak, what was lost and held back, and when the last
/// item was done.
///
/// # Errors
/// A frame that lacks the columns of `overload`.
pub fn overload_picture(runs: &DataFrame, capacity: usize) -> Result<Drawing> {
    let runs = runs_of(runs)?;
    let text = runs.iter().map(Run::words).collect::<Vec<_>>().join("\n");
    let rows = runs.len().div_ceil(2) as f64;
    let (width, height) = (
        LEFT + 2.0 * PANEL.0 + GAP.0 + 16.0,
        TOP + rows * (PANEL.1 + GAP.1) + 4.0,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#222222\">\
         <title>A burst under each policy</title><desc>{}</desc>\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"16\">A burst under each policy, with room for {capacity}</text>",
        escape(&text)
    );
    for (index, look) in LOOKS.iter().enumerate() {
        let x = LEFT + index as f64 * 165.0;
        let _ = write!(
            svg,
            "<path d=\"M{x} 40 h26\" {}/><text x=\"{}\" y=\"45\">{}</text>",
            look.line,
            x + 32.0,
            look.name
        );
    }
    let most = runs
        .iter()
        .map(Run::most)
        .max()
        .unwrap_or(1)
        .max(capacity as i64)
        .max(1);
    for (index, run) in runs.iter().enumerate() {
        let x = LEFT + (index % 2) as f64 * (PANEL.0 + GAP.0);
        let y = TOP + (index / 2) as f64 * (PANEL.1 + GAP.1);
        Panel {
            x,
            y,
            most: most as f64,
            end: run.second.last().copied().unwrap_or(1.0),
        }
        .draw(&mut svg, run, capacity);
    }
    svg.push_str("</svg>");
    Ok(Drawing::new(svg, text))
}

/// How one of the lines looks: colour, dash and word say the same.
struct Look {
    name: &'static str,
    line: &'static str,
}

const LOOKS: [Look; 4] = [
    Look {
        name: "waiting",
        line: "fill=\"none\" stroke=\"#0072b2\" stroke-width=\"2.5\"",
    },
    Look {
        name: "lost so far",
        line: "fill=\"none\" stroke=\"#d55e00\" stroke-width=\"2.5\" stroke-dasharray=\"8 4\"",
    },
    Look {
        name: "held at the source",
        line: "fill=\"none\" stroke=\"#009e73\" stroke-width=\"2.5\" stroke-dasharray=\"2 3\"",
    },
    Look {
        name: "   capacity",
        line: "fill=\"none\" stroke=\"#777777\" stroke-width=\"1.5\"",
    },
];

fn runs_of(frame: &DataFrame) -> PolarsResult<Vec<Run>> {
    let whole = |column: &str| -> PolarsResult<Vec<i64>> {
        Ok(frame.column(column)?.i64()?.iter().flatten().collect())
    };
    let second: Vec<f64> = frame.column("second")?.f64()?.iter().flatten().collect();
    let (waiting, lost, held_back) = (whole("waiting")?, whole("lost")?, whole("held_back")?);
    let mut runs: Vec<Run> = Vec::new();
    for (row, policy) in frame.column("policy")?.str()?.iter().flatten().enumerate() {
        if runs.last().is_none_or(|run| run.policy != policy) {
            runs.push(Run {
                policy: policy.to_owned(),
                second: vec![],
                waiting: vec![],
                lost: vec![],
                held_back: vec![],
            });
        }
        if let Some(run) = runs.last_mut() {
            run.second.push(second[row]);
            run.waiting.push(waiting[row]);
            run.lost.push(lost[row]);
            run.held_back.push(held_back[row]);
        }
    }
    Ok(runs)
}

impl Run {
    fn most(&self) -> i64 {
        self.waiting
            .iter()
            .chain(&self.lost)
            .chain(&self.held_back)
            .copied()
            .max()
            .unwrap_or(0)
    }

    fn words(&self) -> String {
        let most = |values: &[i64]| values.iter().copied().max().unwrap_or(0);
        let busy = self
            .second
            .iter()
            .zip(self.waiting.iter().zip(&self.held_back));
        let done = busy
            .filter(|(_, (waiting, held))| **waiting + **held > 0)
            .map(|(second, _)| *second);
        format!(
            "{}: peak {}, lost {}, held back {}, work until second {:.1}",
            self.policy,
            most(&self.waiting),
            most(&self.lost),
            most(&self.held_back),
            done.fold(0.0, f64::max)
        )
    }
}

/// The place of one panel, and the ends of its axes.
struct Panel {
    x: f64,
    y: f64,
    most: f64,
    end: f64,
}

impl Panel {
    fn draw(&self, svg: &mut String, run: &Run, capacity: usize) {
        let (left, bottom, right) = (self.x, self.y + PANEL.1, self.x + PANEL.0);
        let _ = write!(
            svg,
            "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{}</text>\
             <path d=\"M{left} {} V{bottom} H{right}\" stroke=\"#222222\" fill=\"none\"/>\
             <path d=\"M{left} {cap:.1} H{right}\" {}/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">seconds</text>",
            self.y - 8.0,
            escape(&run.policy),
            self.y,
            LOOKS[3].line,
            right,
            bottom + 36.0,
            cap = self.up(capacity as f64),
        );
        for tick in (0..=4)
            .map(|step| f64::from(step) * 10.0)
            .filter(|tick| *tick <= self.end)
        {
            let x = self.along(tick);
            let _ = write!(
                svg,
                "<path d=\"M{x:.1} {bottom} v4\" stroke=\"#222222\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{tick}</text>",
                bottom + 19.0
            );
        }
        for tick in [0, 4000, 8000, 12_000]
            .into_iter()
            .map(f64::from)
            .filter(|tick| *tick <= self.most)
        {
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
                left - 6.0,
                self.up(tick) + 5.0
            );
        }
        for (values, look) in [&run.waiting, &run.lost, &run.held_back]
            .into_iter()
            .zip(&LOOKS)
        {
            if values.iter().any(|value| *value > 0) {
                let points = run.second.iter().zip(values);
                let path = points.map(|(second, value)| {
                    format!("{:.1},{:.1}", self.along(*second), self.up(*value as f64))
                });
                let _ = write!(
                    svg,
                    "<polyline points=\"{}\" {}/>",
                    path.collect::<Vec<_>>().join(" "),
                    look.line
                );
            }
        }
    }

    fn along(&self, second: f64) -> f64 {
        self.x + second / self.end.max(f64::MIN_POSITIVE) * PANEL.0
    }

    fn up(&self, value: f64) -> f64 {
        self.y + PANEL.1 - value / self.most * PANEL.1
    }
}
