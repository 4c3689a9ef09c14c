//! The strokes that pictures are made of.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::draw::{Drawn, Pen};
use super::layout::LETTER;
use super::palette::Mark;

impl Pen {
    pub fn swatch(&self, x: f64, middle: f64, series: usize, open: bool) -> Drawn {
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
    pub fn marker(&self, series: usize, (x, y): (f64, f64), open: bool) -> Drawn {
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

    pub fn line(&self, places: &[(f64, f64)], colour: RGBColor, width: u32) -> Drawn {
        if places.len() < 2 {
            return Ok(());
        }
        let path: Vec<(i32, i32)> = places.iter().map(|place| pixel(*place)).collect();
        self.area
            .draw(&PathElement::new(path, colour.stroke_width(width)))
            .map_err(|cause| cause.to_string())
    }

    pub fn text(
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

    /// Fills a shape in the way of a series.
    pub fn surface(&self, corners: Vec<(i32, i32)>, series: usize, open: bool) -> Drawn {
        if corners.is_empty() {
            return Ok(());
        }
        self.sheet.mark(Mark::surface(series, open));
        let style = self.theme.colour(series).filled();
        let drawn = self.area.draw(&Polygon::new(corners, style));
        self.sheet.mark(Mark::Plain);
        drawn.map_err(|cause| cause.to_string())
    }
}

pub(super) fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// Returns the usual size of letters, or a smaller one at which `text` is no wider than `width`.
pub(super) fn fitting(text: &str, width: f64) -> f64 {
    /// The mean width of a letter, as a part of its size.
    const WIDTH: f64 = 0.56;
    LETTER.min(width / (text.chars().count() as f64 * WIDTH))
}
