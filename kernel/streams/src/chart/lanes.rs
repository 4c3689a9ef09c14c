//! Rows with a name each: spans of time (who owned a partition when) and cells of a value (heat maps).

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::data::{Data, Kind, Point};
use super::draw::{Drawn, Pen};
use super::layout::spacing;
use super::palette::{Mark, contrast};
use super::pen::pixel;

/// How much of a row's height its marks take.
const FULL: f64 = 0.72;

/// How many shades the legend of a heat map shows.
pub(super) const SHADES: usize = 5;

impl Pen {
    /// Draws a bar from start to end in its row, in the way of its series.
    pub fn gantt(&self, data: &Data) -> Drawn {
        for (index, series) in data.series.iter().enumerate() {
            for point in &series.points {
                let (Some(lane), Some(end)) = (point.y, point.end) else {
                    continue;
                };
                let (top, bottom) = (
                    self.layout.y(lane + FULL / 2.0),
                    self.layout.y(lane - FULL / 2.0),
                );
                // A pixel is left free, so that spans that follow each other are told apart.
                let left = self.layout.x(point.x);
                let right = (self.layout.x(end) - 1.0).max(left + 2.0);
                let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
                self.surface(corners.map(pixel).to_vec(), index, point.open)?;
            }
        }
        Ok(())
    }

    /// Draws a cell for each value: the more, the further its colour is from the plate. The number stands
    /// in it where there is room.
    pub fn heat(&self, data: &Data) -> Drawn {
        let spacing = spacing(data);
        let (least, most) = data.value_range();
        for point in data.series.iter().flat_map(|series| &series.points) {
            let (Some(lane), Some(value)) = (point.y, point.value) else {
                continue;
            };
            let (first, last) = sides(&data.kind, point, spacing);
            let (left, right) = (self.layout.x(first), self.layout.x(last));
            let (top, bottom) = (self.layout.y(lane + 0.5), self.layout.y(lane - 0.5));
            let part = match most > least {
                true => (value - least) / (most - least),
                false => 1.0,
            };
            let colour = self.tint(part);
            let corners = [pixel((left, top)), pixel((right, bottom))];
            self.area
                .draw(&Rectangle::new(corners, colour.filled()))
                .map_err(|cause| cause.to_string())?;
            let text = short(value);
            if right - left > text.len() as f64 * 7.5 + 6.0 && bottom - top > 16.0 {
                let middle = ((left + right) / 2.0, (top + bottom) / 2.0 - 6.0);
                let (dark, light) = (self.theme.ink, self.theme.plate);
                let ink = match contrast(dark, colour) > contrast(light, colour) {
                    true => dark,
                    false => light,
                };
                self.text(&text, middle, HPos::Center, 12.0, ink)?;
            }
        }
        Ok(())
    }

    /// Draws a field of a heat map's legend.
    pub fn shade(&self, x: f64, middle: f64, part: f64) -> Drawn {
        let corners = [pixel((x, middle - 6.0)), pixel((x + 34.0, middle + 6.0))];
        self.sheet.mark(Mark::Plain);
        self.area
            .draw(&Rectangle::new(corners, self.tint(part).filled()))
            .map_err(|cause| cause.to_string())
    }

    /// Returns a colour between the plate and the first series.
    fn tint(&self, part: f64) -> RGBColor {
        let (from, to) = (self.theme.plate, self.theme.colour(0));
        // Even the least is told from the plate.
        let part = 0.1 + 0.9 * part.clamp(0.0, 1.0);
        let mix = |from: u8, to: u8| {
            (f64::from(from) + (f64::from(to) - f64::from(from)) * part).round() as u8
        };
        RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
    }
}

/// Returns where a cell begins and ends.
fn sides(kind: &Kind, point: &Point, spacing: f64) -> (f64, f64) {
    match (point.end, kind) {
        (Some(end), _) => (point.x, end),
        _ => (point.x - spacing / 2.0, point.x + spacing / 2.0),
    }
}

/// Writes a number with few letters.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    match () {
        () if size >= 1e6 => format!("{:.1}M", value / 1e6),
        () if size >= 1e4 => format!("{:.0}k", value / 1e3),
        () if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        () => format!("{value:.1}"),
    }
}
