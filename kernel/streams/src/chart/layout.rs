//! Where things stand in a picture, in pixels.

use super::axis::{self, Tick};
use super::data::{Data, Kind};
use super::lanes::{SHADES, short};
use super::{Chart, Kind as Form};

/// Height of a letter, and the width that a letter takes at most on average.
pub(super) const LETTER: f64 = 14.0;
pub(super) const LETTER_WIDTH: f64 = 8.6;

/// The rectangle of the plot and the two scales.
pub(super) struct Layout {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
    pub x_range: (f64, f64),
    pub y_range: (f64, f64),
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    /// Where each entry of the legend begins, and its text.
    pub legend: Vec<(f64, f64, Entry)>,
    pub height: f64,
}

/// One entry of the legend.
#[derive(Clone)]
pub(super) enum Entry {
    Series(usize, String),
    Open,
    /// A shade of a heat map: which part of the way to the greatest value, and that value.
    Value(f64, String),
}

impl Layout {
    pub fn new(chart: &Chart, data: &Data, footed: bool) -> Layout {
        let (width, height) = (f64::from(chart.size.0), f64::from(chart.size.1));
        let (legend, rows) = legend(chart, data, width);
        let top = 52.0 + rows as f64 * 22.0;
        // Labels (times take two lines), the name of the axis, and the line of facts below.
        let labels = if data.kind == Kind::Time { 66.0 } else { 52.0 };
        let bottom = height - labels - if footed { 22.0 } else { 0.0 };
        let mut y_range = y_range(chart, data);
        if chart.diagonal && !data.is_empty() {
            let across = x_range(chart, data);
            y_range = axis::rounded((across.0.min(y_range.0), across.1.max(y_range.1)));
        }
        let y_ticks = match chart.kind.has_lanes() {
            true => axis::lanes(&data.lanes, bottom - top),
            false => axis::vertical(y_range, bottom - top, mirrored(data)),
        };
        let letters = y_ticks
            .iter()
            .map(|tick| tick.label.chars().count())
            .max()
            .unwrap_or(1);
        let left = 42.0 + letters as f64 * LETTER_WIDTH;
        let right = width - 46.0;
        let mut x_range = x_range(chart, data);
        if chart.diagonal && !data.is_empty() {
            // Only where both axes have one scale does the diagonal look like one.
            let both = (x_range.0.min(y_range.0), x_range.1.max(y_range.1));
            x_range = axis::rounded(both);
        }
        let x_ticks = axis::horizontal(&data.kind, x_range, right - left);
        Layout {
            left,
            top,
            right,
            bottom,
            x_range,
            y_range,
            x_ticks,
            y_ticks,
            legend,
            height,
        }
    }

    /// Returns the pixel of a value on the horizontal axis.
    pub fn x(&self, value: f64) -> f64 {
        let (first, last) = self.x_range;
        self.left + (value - first) / (last - first) * (self.right - self.left)
    }

    /// Returns the pixel of a value on the vertical axis.
    pub fn y(&self, value: f64) -> f64 {
        let (least, most) = self.y_range;
        self.bottom - (value - least) / (most - least) * (self.bottom - self.top)
    }
}

/// Returns whether something is drawn downward.
fn mirrored(data: &Data) -> bool {
    data.series.iter().any(|series| series.mirrored)
}

fn y_range(chart: &Chart, data: &Data) -> (f64, f64) {
    if chart.kind.has_lanes() {
        return (0.5 - data.lanes.len().max(1) as f64, 0.5);
    }
    let (least, most) = match chart.kind {
        Form::Stacked if !data.is_empty() => (0.0, data.greatest_sum()),
        _ => data.y_range(),
    };
    if least > most {
        return (0.0, 1.0);
    }
    // Bars stand on zero; a line that is far from zero need not show it.
    let near = least > 0.0 && least < most * 0.6;
    let (least, most) = match chart.kind {
        Form::Bar | Form::Stacked | Form::Histogram => (least.min(0.0), most.max(0.0)),
        _ if near => (0.0, most),
        _ => (least, most),
    };
    axis::rounded((least, most))
}

fn x_range(chart: &Chart, data: &Data) -> (f64, f64) {
    let (first, last) = data.x_range();
    if first > last {
        return (0.0, 1.0);
    }
    let half = match (&data.kind, chart.kind) {
        (Kind::Names(_), _) => 0.6,
        (Kind::Number, Form::Bar | Form::Stacked | Form::Heat) => spacing(data) / 2.0,
        (Kind::Time, Form::Bar | Form::Stacked | Form::Heat) if !data.has_ends() => {
            spacing(data) / 2.0
        }
        _ => 0.0,
    };
    let (first, last) = (first - half, last + half);
    if first < last {
        (first, last)
    } else {
        (first - 1.0, last + 1.0)
    }
}

/// Returns the smallest distance between two values of x, for bars without a window.
pub(super) fn spacing(data: &Data) -> f64 {
    let mut xs: Vec<f64> = data
        .series
        .iter()
        .flat_map(|series| series.points.iter().map(|point| point.x))
        .collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    xs.windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold(f64::INFINITY, f64::min)
        .min(if xs.len() < 2 { 1.0 } else { f64::INFINITY })
}

/// Returns the shades of a heat map with the values that they stand for.
fn shades(chart: &Chart, data: &Data) -> Vec<Entry> {
    let (least, most) = data.value_range();
    if least > most {
        return Vec::new();
    }
    let shades = if most > least { SHADES } else { 1 };
    let unit = chart.value.as_deref().map_or(String::new(), super::spaced);
    let shade = |number: usize| {
        let part = match shades {
            1 => 1.0,
            shades => number as f64 / (shades - 1) as f64,
        };
        let value = short(least + (most - least) * part);
        let last = number + 1 == shades;
        let text = if last {
            format!("{value} {unit}")
        } else {
            value
        };
        Entry::Value(part, text)
    };
    (0..shades).map(shade).collect()
}

/// Places the entries of the legend in rows; returns them and the number of rows.
fn legend(chart: &Chart, data: &Data, width: f64) -> (Vec<(f64, f64, Entry)>, usize) {
    let both = mirrored(data);
    let name = |(index, series): (usize, &super::data::Series)| {
        let side = match (both, series.mirrored) {
            (false, _) => "",
            (true, false) => " (up)",
            (true, true) => " (down)",
        };
        Entry::Series(index, format!("{}{side}", series.name))
    };
    let mut entries: Vec<Entry> = match chart.kind {
        Form::Heat => shades(chart, data),
        _ => data.series.iter().enumerate().map(name).collect(),
    };
    if data.has_open() {
        entries.push(Entry::Open);
    }
    let (mut x, mut row) = (16.0, 0);
    let mut placed = Vec::new();
    for entry in entries {
        let taken = 44.0 + entry.text(chart).chars().count() as f64 * LETTER_WIDTH + 14.0;
        if x + taken > width && x > 16.0 {
            x = 16.0;
            row += 1;
        }
        placed.push((x, 46.0 + f64::from(row) * 22.0, entry));
        x += taken;
    }
    let rows = if placed.is_empty() {
        0
    } else {
        row as usize + 1
    };
    (placed, rows)
}

impl Entry {
    pub fn text(&self, chart: &Chart) -> String {
        match (self, chart.kind.has_surfaces()) {
            (Entry::Series(_, name) | Entry::Value(_, name), _) => name.clone(),
            (Entry::Open, true) => "hatched: window still open".into(),
            (Entry::Open, false) => "hollow: window still open".into(),
        }
    }
}
