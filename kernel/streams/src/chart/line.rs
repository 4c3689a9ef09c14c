//! Lines, steps, areas and clouds of points: which points are joined, and which of them can be seen.

use plotters::prelude::*;

use super::data::{Data, Point, Series};
use super::draw::{Drawn, Pen};
use super::layout::spacing;
use super::palette::Mark;
use super::pen::pixel;
use super::{Chart, Kind as Form};

/// A line gets a marker at every point where there are at most so many points.
const MARKED: usize = 120;

/// How much of an area's colour covers what is behind it.
const COVER: f64 = 0.25;

impl Pen {
    /// Draws a line through the points of each run; a step holds its value up to the next one.
    pub fn lines(&self, data: &Data, form: Form) -> Drawn {
        let points: usize = data.series.iter().map(|series| series.points.len()).sum();
        let spacing = spacing(data);
        for (index, series) in data.series.iter().enumerate() {
            for run in runs(series, spacing) {
                let places = self.places(series, &run);
                self.sheet.mark(Mark::Dashed(index));
                let path = match form {
                    Form::Step => steps(&run, &places, |x| self.layout.x(x)),
                    _ => thinned(&places),
                };
                self.line(&path, self.theme.colour(index), 2)?;
                self.sheet.mark(Mark::Plain);
                for (point, place) in run.iter().zip(&places) {
                    let is_marked = form == Form::Line && (points <= MARKED || run.len() == 1);
                    if point.open || is_marked {
                        self.marker(index, *place, point.open)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns where the points of a run are drawn.
    fn places(&self, series: &Series, run: &[Point]) -> Vec<(f64, f64)> {
        let place = |point: &Point| {
            let y = series.height(point)?;
            Some((self.layout.x(point.x), self.layout.y(y)))
        };
        run.iter().filter_map(place).collect()
    }

    /// Draws lines with what is below them tinted, down to zero or the edge.
    pub fn areas(&self, data: &Data) -> Drawn {
        let spacing = spacing(data);
        let (least, most) = self.layout.y_range;
        let ground = self.layout.y(0.0f64.clamp(least, most));
        for (index, series) in data.series.iter().enumerate() {
            for run in runs(series, spacing) {
                let places = thinned(&self.places(series, &run));
                let (Some(first), Some(last)) = (places.first(), places.last()) else {
                    continue;
                };
                let corners = [(first.0, ground)]
                    .into_iter()
                    .chain(places.iter().copied());
                let corners = corners.chain([(last.0, ground)]).map(pixel);
                let style = self.theme.colour(index).mix(COVER).filled();
                self.area
                    .draw(&Polygon::new(corners.collect::<Vec<_>>(), style))
                    .map_err(|cause| cause.to_string())?;
            }
        }
        self.lines(data, Form::Line)
    }

    /// Draws a marker at every point, and where both axes have one unit the line on which both are equal.
    pub fn scatter(&self, chart: &Chart, data: &Data) -> Drawn {
        if chart.diagonal {
            let layout = &self.layout;
            let from = layout.x_range.0.max(layout.y_range.0);
            let to = layout.x_range.1.min(layout.y_range.1);
            if from < to {
                let ends = [from, to].map(|at| (layout.x(at), layout.y(at)));
                self.sheet.mark(Mark::Dotted);
                self.line(&ends, self.theme.ink, 2)?;
                self.sheet.mark(Mark::Plain);
            }
        }
        for (index, series) in data.series.iter().enumerate() {
            let mut drawn = std::collections::HashSet::new();
            for point in &series.points {
                let Some(y) = series.height(point) else {
                    continue;
                };
                let place = (self.layout.x(point.x), self.layout.y(y));
                // Of points on one pixel one is seen.
                if drawn.insert((pixel(place), point.open)) {
                    self.marker(index, place, point.open)?;
                }
            }
        }
        Ok(())
    }
}

/// Returns the corners of a line that holds each value up to the next, the last to the end of its window.
fn steps(run: &[Point], places: &[(f64, f64)], x: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for place in places {
        if let Some(before) = corners.last().copied() {
            corners.push((place.0, before.1));
        }
        corners.push(*place);
    }
    let end = run.last().and_then(|point| point.end);
    if let (Some(end), Some(last)) = (end, corners.last().copied()) {
        corners.push((x(end), last.1));
    }
    thinned(&corners)
}

/// Splits a series where a value or a window is missing. Windows follow each other where the next one
/// begins no later than this one ends, and, where they overlap, one step of the chart further on.
fn runs(series: &Series, step: f64) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut before: Option<Point> = None;
    for point in &series.points {
        let follows = before.is_some_and(|before: Point| match before.end {
            Some(end) => {
                point.x <= end && point.x - before.x <= step.max(point.x - end) * 1.000_001
            }
            None => true,
        });
        match (point.y, follows, runs.last_mut()) {
            (None, ..) => {
                before = None;
                continue;
            }
            (Some(_), true, Some(run)) => run.push(*point),
            _ => runs.push(vec![*point]),
        }
        before = Some(*point);
    }
    runs
}

/// Keeps the first, lowest, highest and last point of each pixel column, in their order: the picture is
/// the same as with all of them
/// ([M4](https://www.vldb.org/pvldb/vol7/p797-jugel.pdf), Jugel and others, 2014).
fn thinned(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if places.len() <= 600 {
        return places.to_vec();
    }
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for column in places.chunk_by(|a, b| a.0.round() == b.0.round()) {
        let by_height = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
        let least = (0..column.len()).min_by(by_height).unwrap_or(0);
        let most = (0..column.len()).max_by(by_height).unwrap_or(0);
        let mut four = [0, least, most, column.len() - 1];
        four.sort_unstable();
        for (place, index) in four.iter().enumerate() {
            if place == 0 || four[place - 1] != *index {
                kept.push(column[*index]);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(points: &[(f64, f64, Option<f64>)]) -> Series {
        let point = |(x, end, y): &(f64, f64, Option<f64>)| Point {
            x: *x,
            end: Some(*end),
            y: *y,
            open: false,
            value: None,
        };
        Series {
            points: points.iter().map(point).collect(),
            ..Series::default()
        }
    }

    fn lengths(points: &[(f64, f64, Option<f64>)], step: f64) -> Vec<usize> {
        runs(&series(points), step).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_missing_window_is_a_gap() {
        let y = Some(1.0);
        let tumbling = [
            (0., 10., y),
            (10., 20., y),
            (30., 40., y),
            (40., 50., None),
            (50., 60., y),
        ];
        assert_eq!(lengths(&tumbling, 10.0), [2, 1, 1]);
        // Windows of 30 every 10; the one from 20 is missing although its neighbours overlap.
        let hopping = [(0., 30., y), (10., 40., y), (30., 60., y), (40., 70., y)];
        assert_eq!(lengths(&hopping, 10.0), [2, 2]);
        // Nothing but every third window: none follows another.
        let sparse = [(0., 10., y), (30., 40., y), (60., 70., y)];
        assert_eq!(lengths(&sparse, 30.0), [1, 1, 1]);
    }

    proptest! {
        /// In every pixel column the thinned line enters, leaves and reaches where the whole one does.
        #[test]
        fn a_thinned_line_covers_the_same_pixels(ys in proptest::collection::vec(-100f64..100.0, 601..3000), width in 10f64..500.0) {
            let step = width / ys.len() as f64;
            let places: Vec<(f64, f64)> = ys.iter().enumerate().map(|(index, y)| (index as f64 * step, *y)).collect();
            let thin = thinned(&places);
            let whole: Vec<_> = places.chunk_by(|a, b| a.0.round() == b.0.round()).collect();
            let parts: Vec<_> = thin.chunk_by(|a, b| a.0.round() == b.0.round()).collect();
            prop_assert_eq!(whole.len(), parts.len());
            prop_assert!(thin.is_sorted_by(|a, b| a.0 <= b.0));
            for (whole, part) in whole.iter().zip(&parts) {
                let ends = |points: &[(f64, f64)]| (points[0], points[points.len() - 1]);
                let reach = |points: &[(f64, f64)]| points.iter().fold((f64::MAX, f64::MIN), |(least, most), point| (least.min(point.1), most.max(point.1)));
                prop_assert!(part.len() <= 4);
                prop_assert_eq!(ends(whole), ends(part));
                prop_assert_eq!(reach(whole), reach(part));
            }
        }
    }
}
