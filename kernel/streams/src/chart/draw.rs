//! Draws a chart as SVG, with plotters as the pen.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::data::{Data, Kind, Point};
use super::layout::{Entry, LETTER, Layout, spacing};
use super::line::{runs, thinned};
use super::palette::{Mark, Theme};
use super::svg::{Backend, Sheet};
use super::{Chart, Kind as Form};
use crate::{Error, Result};

type Area = DrawingArea<Backend, Shift>;

/// A line gets a marker at every point where there are at most so many points.
const MARKED: usize = 120;

/// Draws the chart; `facts` is a line below it.
pub(super) fn draw(chart: &Chart, data: &Data, facts: Option<&str>) -> Result<String> {
    let sheet = Sheet::new(chart.size, chart.theme());
    let pen = Pen {
        area: sheet.backend().into_drawing_area(),
        layout: Layout::new(chart, data, facts.is_some()),
        theme: chart.theme(),
        sheet,
    };
    pen.all(chart, data, facts)
        .map_err(|cause| Error::new("the picture could not be drawn").have(cause))?;
    Ok(pen.sheet.finish())
}

/// Returns the usual size of letters, or a smaller one at which `text` is no wider than `width`.
fn fitting(text: &str, width: f64) -> f64 {
    /// The mean width of a letter, as a part of its size.
    const WIDTH: f64 = 0.56;
    LETTER.min(width / (text.chars().count() as f64 * WIDTH))
}

struct Pen {
    area: Area,
    layout: Layout,
    theme: &'static Theme,
    sheet: Sheet,
}

/// What plotters says when it cannot draw; in memory that does not happen.
type Drawn = std::result::Result<(), String>;

impl Pen {
    fn all(&self, chart: &Chart, data: &Data, facts: Option<&str>) -> Drawn {
        self.area
            .fill(&self.theme.plate)
            .map_err(|cause| cause.to_string())?;
        self.text(
            &chart.title_text(),
            (16.0, 12.0),
            HPos::Left,
            18.0,
            self.theme.ink,
        )?;
        self.grid(chart, data)?;
        match chart.kind {
            Form::Line => self.lines(data)?,
            Form::Bar => self.bars(data)?,
        }
        self.axes(data)?;
        self.watermark(data)?;
        self.legend(chart)?;
        if let Some(facts) = facts {
            let place = (16.0, self.layout.height - 22.0);
            let size = fitting(facts, f64::from(chart.size.0) - 32.0);
            self.text(facts, place, HPos::Left, size, self.theme.grey)?;
        }
        Ok(())
    }

    fn grid(&self, chart: &Chart, data: &Data) -> Drawn {
        let layout = &self.layout;
        for tick in &layout.y_ticks {
            let y = layout.y(tick.at);
            self.line(&[(layout.left, y), (layout.right, y)], self.theme.grid, 1)?;
            self.text(
                &tick.label,
                (layout.left - 8.0, y - 6.0),
                HPos::Right,
                LETTER,
                self.theme.ink,
            )?;
        }
        for tick in &layout.x_ticks {
            let x = layout.x(tick.at);
            self.line(
                &[(x, layout.bottom), (x, layout.bottom + 5.0)],
                self.theme.ink,
                1,
            )?;
            self.text(
                &tick.label,
                (x, layout.bottom + 9.0),
                HPos::Center,
                LETTER,
                self.theme.ink,
            )?;
            self.text(
                &tick.second,
                (x, layout.bottom + 25.0),
                HPos::Center,
                LETTER,
                self.theme.grey,
            )?;
        }
        let middle = (layout.left + layout.right) / 2.0;
        self.text(
            &x_title(chart, data),
            (
                middle,
                layout.bottom + if data.kind == Kind::Time { 43.0 } else { 29.0 },
            ),
            HPos::Center,
            LETTER,
            self.theme.ink,
        )?;
        let style = TextStyle::from(("sans-serif", LETTER).into_font())
            .color(&self.theme.ink)
            .transform(FontTransform::Rotate270)
            .pos(Pos::new(HPos::Center, VPos::Top));
        let place = (10, ((layout.top + layout.bottom) / 2.0).round() as i32);
        self.area
            .draw(&Text::new(chart.y_text(), place, style))
            .map_err(|cause| cause.to_string())
    }

    fn axes(&self, data: &Data) -> Drawn {
        let layout = &self.layout;
        self.line(
            &[
                (layout.left, layout.top),
                (layout.left, layout.bottom),
                (layout.right, layout.bottom),
            ],
            self.theme.ink,
            1,
        )?;
        if layout.y_range.0 < 0.0 && layout.y_range.1 > 0.0 {
            let zero = layout.y(0.0);
            self.line(
                &[(layout.left, zero), (layout.right, zero)],
                self.theme.ink,
                1,
            )?;
        }
        if data.is_empty() {
            let middle = (
                (layout.left + layout.right) / 2.0,
                (layout.top + layout.bottom) / 2.0 - 7.0,
            );
            self.text(
                "nothing to draw yet",
                middle,
                HPos::Center,
                LETTER,
                self.theme.grey,
            )?;
        }
        Ok(())
    }

    /// Draws the time behind which windows are final, where the axis has it.
    fn watermark(&self, data: &Data) -> Drawn {
        let layout = &self.layout;
        let at = data.watermark.map(|at| at as f64);
        let Some(at) = at.filter(|at| (layout.x_range.0..=layout.x_range.1).contains(at)) else {
            return Ok(());
        };
        if data.kind != Kind::Time || data.is_empty() {
            return Ok(());
        }
        let x = layout.x(at);
        self.sheet.mark(Mark::Dotted);
        self.line(&[(x, layout.top), (x, layout.bottom)], self.theme.ink, 2)?;
        self.sheet.mark(Mark::Plain);
        // Beside the line, on the side where the word has room.
        let (side, x) = match x < (layout.left + layout.right) / 2.0 {
            true => (HPos::Left, x),
            false => (HPos::Right, x),
        };
        let size = 12.0;
        self.text(
            "watermark",
            (x, layout.top - size),
            side,
            size,
            self.theme.ink,
        )
    }

    fn lines(&self, data: &Data) -> Drawn {
        let points: usize = data.series.iter().map(|series| series.points.len()).sum();
        let spacing = spacing(data);
        for (index, series) in data.series.iter().enumerate() {
            for run in runs(series, spacing) {
                let place =
                    |point: &Point| point.y.map(|y| (self.layout.x(point.x), self.layout.y(y)));
                let places: Vec<(f64, f64)> = run.iter().filter_map(place).collect();
                self.sheet.mark(Mark::Dashed(index));
                self.line(&thinned(&places), self.theme.colour(index), 2)?;
                self.sheet.mark(Mark::Plain);
                for (point, place) in run.iter().zip(&places) {
                    if point.open || points <= MARKED || run.len() == 1 {
                        self.marker(index, *place, point.open)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Draws bars side by side: one polygon for the closed windows of a series, one for the open.
    fn bars(&self, data: &Data) -> Drawn {
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
                    let Some(y) = point.y else { continue };
                    let y = if series.mirrored { -y } else { y };
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
                if !outline.is_empty() {
                    self.sheet.mark(Mark::surface(index, open));
                    let style = self.theme.colour(index).filled();
                    self.area
                        .draw(&Polygon::new(outline, style))
                        .map_err(|cause| cause.to_string())?;
                    self.sheet.mark(Mark::Plain);
                }
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

    fn legend(&self, chart: &Chart) -> Drawn {
        for (x, y, entry) in &self.layout.legend {
            let middle = y + 7.0;
            match (entry, chart.kind) {
                (Entry::Series(index, _), Form::Line) => {
                    self.sheet.mark(Mark::Dashed(*index));
                    let ends = [(*x, middle), (x + 34.0, middle)];
                    self.line(&ends, self.theme.colour(*index), 2)?;
                    self.sheet.mark(Mark::Plain);
                    self.marker(*index, (x + 17.0, middle), false)?;
                }
                (Entry::Series(index, _), Form::Bar) => {
                    self.swatch(*x, middle, *index, false)?;
                }
                (Entry::Open, Form::Line) => self.marker(0, (x + 17.0, middle), true)?,
                (Entry::Open, Form::Bar) => self.swatch(*x, middle, 0, true)?,
            }
            self.text(
                &entry.text(chart),
                (x + 42.0, *y),
                HPos::Left,
                LETTER,
                self.theme.ink,
            )?;
        }
        Ok(())
    }

    fn swatch(&self, x: f64, middle: f64, series: usize, open: bool) -> Drawn {
        let corners = [pixel((x, middle - 6.0)), pixel((x + 34.0, middle + 6.0))];
        self.sheet.mark(Mark::surface(series, open));
        let style = self.theme.colour(series).filled();
        self.area
            .draw(&Rectangle::new(corners, style))
            .map_err(|cause| cause.to_string())?;
        self.sheet.mark(Mark::Plain);
        Ok(())
    }

    /// Draws the marker of a series: hollow for an open window.
    fn marker(&self, series: usize, (x, y): (f64, f64), open: bool) -> Drawn {
        let colour = self.theme.colour(series);
        let shape = |points: &[(f64, f64)]| {
            points
                .iter()
                .map(|(dx, dy)| pixel((x + dx, y + dy)))
                .collect::<Vec<_>>()
        };
        let outline = match series % 4 {
            0 => return self.circle((x, y), colour, open),
            1 => shape(&[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)]),
            2 => shape(&[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)]),
            _ => shape(&[(0.0, -6.0), (6.0, 0.0), (0.0, 6.0), (-6.0, 0.0)]),
        };
        let fill = if open { self.theme.plate } else { colour };
        self.area
            .draw(&Polygon::new(outline.clone(), fill.filled()))
            .map_err(|cause| cause.to_string())?;
        if open {
            let closed: Vec<(i32, i32)> = outline.iter().chain(outline.first()).copied().collect();
            let side = PathElement::new(closed, colour.stroke_width(1));
            self.area.draw(&side).map_err(|cause| cause.to_string())?;
        }
        Ok(())
    }

    fn circle(&self, place: (f64, f64), colour: RGBColor, open: bool) -> Drawn {
        let draw = |radius, style: ShapeStyle| {
            self.area
                .draw(&Circle::new(pixel(place), radius, style))
                .map_err(|cause| cause.to_string())
        };
        draw(
            4,
            if open {
                self.theme.plate.filled()
            } else {
                colour.filled()
            },
        )?;
        if open {
            draw(4, colour.stroke_width(2))
        } else {
            Ok(())
        }
    }

    fn line(&self, places: &[(f64, f64)], colour: RGBColor, width: u32) -> Drawn {
        if places.len() < 2 {
            return Ok(());
        }
        let path: Vec<(i32, i32)> = places.iter().map(|place| pixel(*place)).collect();
        self.area
            .draw(&PathElement::new(path, colour.stroke_width(width)))
            .map_err(|cause| cause.to_string())
    }

    fn text(
        &self,
        text: &str,
        (x, y): (f64, f64),
        side: HPos,
        size: f64,
        colour: RGBColor,
    ) -> Drawn {
        if text.is_empty() {
            return Ok(());
        }
        let style = TextStyle::from(("sans-serif", size).into_font())
            .color(&colour)
            .pos(Pos::new(side, VPos::Top));
        self.area
            .draw(&Text::new(text.to_owned(), pixel((x, y)), style))
            .map_err(|cause| cause.to_string())
    }
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// Returns the name of the horizontal axis, with its zone or unit.
fn x_title(chart: &Chart, data: &Data) -> String {
    let name = match (&chart.x_title, chart.x.as_str()) {
        (Some(title), _) => title.clone(),
        (None, "window_start") => "event time, start of window".into(),
        (None, x) => super::spaced(x),
    };
    if data.kind == Kind::Time && !name.contains("UTC") {
        format!("{name} (UTC)")
    } else {
        name
    }
}
