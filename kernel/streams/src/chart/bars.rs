//! Bars: beside each other, or one on top of the other.

use std::collections::BTreeMap;

use super::data::{Data, Point};
use super::draw::{Drawn, Pen};
use super::layout::spacing;

impl Pen {
    /// Draws bars side by side: one polygon for the closed windows of a series, one for the open.
    pub fn bars(&self, data: &Data) -> Drawn {
        let sides = data
            .series
            .iter()
            .filter(|series| !series.mirrored)
            .count()
            .max(1);
        let spacing = spacing(data);
        for (index, series) in data.series.iter().enumerate() {
            for open in [false, true] {
                let mut outline: Vec<(i32, i32)> = Vec::new();
                for point in series.points.iter().filter(|point| point.open == open) {
                    let Some(y) = series.height(point) else {
                        continue;
                    };
                    let (first, last) = self.bar(
                        point,
                        spacing,
                        if series.mirrored { 0 } else { index },
                        if series.mirrored { 1 } else { sides },
                    );
                    let (zero, top) = (
                        self.layout.y(0.0).round() as i32,
                        self.layout.y(y).round() as i32,
                    );
                    outline.extend([(first, zero), (first, top), (last, top), (last, zero)]);
                }
                self.surface(outline, index, open)?;
            }
        }
        Ok(())
    }

    /// Returns the first and last pixel of a bar: its share of the window, less a gap.
    fn bar(&self, point: &Point, spacing: f64, side: usize, sides: usize) -> (i32, i32) {
        let (first, last) = match point.end {
            Some(end) => (point.x, end),
            None => (point.x - spacing * 0.45, point.x + spacing * 0.45),
        };
        let (first, last) = (self.layout.x(first), self.layout.x(last));
        let share = (last - first) / sides as f64;
        let first = first + share * side as f64;
        let (left, right) = (first.round() as i32, (first + share).round() as i32);
        if right - left > 3 {
            (left, right - 1)
        } else {
            (left, right.max(left + 1))
        }
    }

    /// Draws the bars of all series at one place on top of each other, in the order of the series.
    pub fn stacked(&self, data: &Data) -> Drawn {
        let spacing = spacing(data);
        let mut tops: BTreeMap<u64, f64> = BTreeMap::new();
        for (index, series) in data.series.iter().enumerate() {
            for point in &series.points {
                let Some(y) = point.y else { continue };
                let top = tops.entry(point.x.to_bits()).or_insert(0.0);
                let (first, last) = self.bar(point, spacing, 0, 1);
                let from = self.layout.y(*top).round() as i32;
                *top += y;
                let to = self.layout.y(*top).round() as i32;
                let corners = vec![(first, from), (first, to), (last, to), (last, from)];
                self.surface(corners, index, point.open)?;
            }
        }
        Ok(())
    }
}
