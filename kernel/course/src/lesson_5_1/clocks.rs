//! Draws event time against arrival time.

use std::fmt::Write;

use headwater_streams::{Error, Result};
use polars::prelude::{DataFrame, DataType, PolarsResult, TimeUnit};

use crate::card::escape;
use crate::drawing::Drawing;

const SIDE: f64 = 420.0;
const LEFT: f64 = 76.0;
const TOP: f64 = 40.0;
const WIDTH: f64 = 680.0;
/// A colour and a shape for each group.
const LOOKS: [(&str, Shape); 4] = [
    ("#0072b2", Shape::Circle),
    ("#d55e00", Shape::Triangle),
    ("#009e73", Shape::Square),
    ("#222222", Shape::Cross),
];

#[derive(Clone, Copy)]
enum Shape {
    Circle,
    Triangle,
    Square,
    Cross,
}

/// One event: its two times in milliseconds, and its group.
struct Point {
    event: i64,
    arrival: i64,
    group: usize,
}

/// Draws each row at its event time (to the right) and its arrival time (upwards), with the
/// diagonal on which both agree and a band up to the 99th percentile of lateness.
///
/// `event` and `arrival` name columns of times, `by` one of text with at most four values.
/// The words say how late the events are, and how many came from the future.
///
/// # Errors
/// A column that is not there or of another type, no rows, more than four groups.
pub fn two_clocks(frame: &DataFrame, event: &str, arrival: &str, by: &str) -> Result<Drawing> {
    let (points, groups) = points(frame, event, arrival, by)?;
    if points.is_empty() || groups.len() > LOOKS.len() {
        return Err(Error::new("nothing that two_clocks could draw")
            .have(format!(
                "{} rows with both times, {} values in `{by}`",
                points.len(),
                groups.len()
            ))
            .hint("a frame with rows, and a column with one to four values"));
    }
    let mut late: Vec<i64> = points
        .iter()
        .map(|point| point.arrival - point.event)
        .collect();
    late.sort_unstable();
    let rank = |q: usize| late[(late.len() * q).div_ceil(100) - 1];
    let future = late.iter().filter(|late| **late < 0).count();
    let text = format!(
        "{} events. Lateness: median {}, 95th percentile {}, 99th percentile {}. {future} came from the future, at most {} ahead.",
        points.len(),
        words(rank(50)),
        words(rank(95)),
        words(rank(99)),
        words(-late[0].min(0))
    );
    let plot = Plot::around(&points);
    Ok(Drawing::new(
        plot.svg(&points, &groups, rank(99), &text),
        text,
    ))
}

fn points(
    frame: &DataFrame,
    event: &str,
    arrival: &str,
    by: &str,
) -> PolarsResult<(Vec<Point>, Vec<String>)> {
    let times = |column: &str| -> PolarsResult<Vec<Option<i64>>> {
        let ms = DataType::Datetime(TimeUnit::Milliseconds, None);
        let whole = frame.column(column)?.cast(&ms)?.cast(&DataType::Int64)?;
        Ok(whole.i64()?.iter().collect())
    };
    let mut groups: Vec<String> = Vec::new();
    let mut points = Vec::new();
    for ((event, arrival), name) in times(event)?
        .into_iter()
        .zip(times(arrival)?)
        .zip(frame.column(by)?.str()?.iter())
    {
        let (Some(event), Some(arrival)) = (event, arrival) else {
            continue;
        };
        let name = name.unwrap_or("null");
        let group = groups
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                groups.push(name.to_owned());
                groups.len() - 1
            });
        points.push(Point {
            event,
            arrival,
            group,
        });
    }
    Ok((points, groups))
}

/// Writes a span with its unit.
fn words(ms: i64) -> String {
    match ms.abs() {
        0..=999 => format!("{ms} ms"),
        1_000..=119_999 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => format!("{:.0} min", ms as f64 / 60_000.0),
    }
}

/// Both axes have the same span, so that the diagonal is one.
struct Plot {
    low: f64,
    high: f64,
}

impl Plot {
    fn around(points: &[Point]) -> Plot {
        let all = points.iter().flat_map(|point| [point.event, point.arrival]);
        let (low, high) = all.fold((i64::MAX, i64::MIN), |(low, high), at| {
            (low.min(at), high.max(at))
        });
        let margin = ((high - low) / 40).max(1);
        Plot {
            low: (low - margin) as f64,
            high: (high + margin) as f64,
        }
    }

    fn x(&self, ms: f64) -> f64 {
        LEFT + (ms - self.low) / (self.high - self.low) * SIDE
    }

    fn y(&self, ms: f64) -> f64 {
        TOP + SIDE - (ms - self.low) / (self.high - self.low) * SIDE
    }

    fn svg(&self, points: &[Point], groups: &[String], p99: i64, text: &str) -> String {
        let height = TOP + SIDE + 56.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"14\" fill=\"#222222\">\
             <title>Event time against arrival time</title><desc>{}</desc>\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\
             <text x=\"{LEFT}\" y=\"22\">Event time against arrival time</text>\
             <clipPath id=\"two-clocks\"><rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\"/></clipPath>",
            escape(text)
        );
        let (low, high, p99) = (self.low, self.high, p99 as f64);
        let _ = write!(
            svg,
            "<g clip-path=\"url(#two-clocks)\"><path d=\"M{0:.1} {1:.1} L{2:.1} {3:.1} L{2:.1} {4:.1} L{0:.1} {5:.1} z\" \
             fill=\"#f0e442\" fill-opacity=\"0.35\"/><path d=\"M{0:.1} {1:.1} L{2:.1} {3:.1}\" stroke=\"#222222\" \
             stroke-dasharray=\"6 4\"/></g>",
            self.x(low),
            self.y(low),
            self.x(high),
            self.y(high),
            self.y(high + p99),
            self.y(low + p99)
        );
        for point in points {
            let (colour, shape) = LOOKS[point.group];
            mark(
                &mut svg,
                self.x(point.event as f64),
                self.y(point.arrival as f64),
                colour,
                shape,
            );
        }
        self.axes(&mut svg);
        legend(&mut svg, groups);
        svg.push_str("</svg>");
        svg
    }

    fn axes(&self, svg: &mut String) {
        let (bottom, right) = (TOP + SIDE, LEFT + SIDE);
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {TOP} V{bottom} H{right}\" stroke=\"#222222\" fill=\"none\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">event time (UTC)</text>\
             <text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">arrival time (UTC)</text>",
            LEFT + SIDE / 2.0,
            bottom + 44.0,
            TOP + SIDE / 2.0
        );
        let step = step_of(self.high - self.low);
        let mut tick = (self.low / step).ceil() * step;
        while tick <= self.high {
            let (x, y, label) = (self.x(tick), self.y(tick), clock(tick, step));
            let _ = write!(
                svg,
                "<path d=\"M{x:.1} {bottom} v5 M{LEFT} {y:.1} h-5\" stroke=\"#222222\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                bottom + 20.0,
                LEFT - 8.0,
                y + 5.0
            );
            tick += step;
        }
    }
}

fn mark(svg: &mut String, x: f64, y: f64, colour: &str, shape: Shape) {
    let _ = match shape {
        Shape::Circle => write!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
        ),
        Shape::Triangle => write!(
            svg,
            "<path d=\"M{x:.1} {:.1} l5 8 h-10 z\" fill=\"{colour}\"/>",
            y - 5.0
        ),
        Shape::Square => write!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            x - 3.5,
            y - 3.5
        ),
        Shape::Cross => write!(
            svg,
            "<path d=\"M{:.1} {:.1} l7 7 m0 -7 l-7 7\" stroke=\"{colour}\"/>",
            x - 3.5,
            y - 3.5
        ),
    };
}

fn legend(svg: &mut String, groups: &[String]) {
    let x = LEFT + SIDE + 26.0;
    for (row, (name, (colour, shape))) in groups.iter().zip(LOOKS).enumerate() {
        let y = TOP + 14.0 + row as f64 * 24.0;
        mark(svg, x, y - 5.0, colour, shape);
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{y}\">{}</text>",
            x + 14.0,
            escape(name)
        );
    }
    let y = TOP + 14.0 + groups.len() as f64 * 24.0;
    let _ = write!(
        svg,
        "<path d=\"M{} {} h20\" stroke=\"#222222\" stroke-dasharray=\"6 4\"/><text x=\"{}\" y=\"{y}\">at once</text>\
         <rect x=\"{}\" y=\"{}\" width=\"20\" height=\"12\" fill=\"#f0e442\" fill-opacity=\"0.35\"/>\
         <text x=\"{}\" y=\"{}\">99 of 100 are below</text>",
        x - 8.0,
        y - 5.0,
        x + 18.0,
        x - 8.0,
        y + 13.0,
        x + 18.0,
        y + 24.0
    );
}

/// Returns a round distance in milliseconds that gives about six ticks.
fn step_of(span: f64) -> f64 {
    let steps = [
        1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 21_600.0,
        43_200.0, 86_400.0,
    ];
    let fits = steps
        .into_iter()
        .map(|seconds| seconds * 1000.0)
        .find(|step| span / step <= 7.0);
    fits.unwrap_or((span / 6.0 / 86_400_000.0).ceil() * 86_400_000.0)
}

/// Writes a time of day, with seconds where ticks are that close.
fn clock(ms: f64, step: f64) -> String {
    let seconds = (ms / 1000.0) as i64;
    let (hour, minute) = (
        seconds.div_euclid(3600).rem_euclid(24),
        seconds.div_euclid(60).rem_euclid(60),
    );
    if step < 60_000.0 {
        format!("{hour:02}:{minute:02}:{:02}", seconds.rem_euclid(60))
    } else {
        format!("{hour:02}:{minute:02}")
    }
}
