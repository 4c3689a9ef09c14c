//! Draws a chart as SVG, with plotters as the pen.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::data::{Data, Kind};
use super::layout::{Entry, LETTER, Layout};
use super::palette::{Mark, Theme};
use super::pen::fitting;
use super::svg::{Backend, Sheet};
use super::{Chart, Kind as Form};
use crate::{Error, Result};

type Area = DrawingArea<Backend, Shift>;

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

pub(super) struct Pen {
    pub area: Area,
    pub layout: Layout,
    pub theme: &'static Theme,
    pub sheet: Sheet,
}

/// What plotters says when it cannot draw; in memory that does not happen.
pub(super) type Drawn = std::result::Result<(), String>;

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
            Form::Line | Form::Step => self.lines(data, chart.kind)?,
            Form::Area => self.areas(data)?,
            Form::Scatter => self.scatter(chart, data)?,
            Form::Bar | Form::Histogram => self.bars(data)?,
            Form::Stacked => self.stacked(data)?,
            Form::Gantt => self.gantt(data)?,
            Form::Heat => self.heat(data)?,
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
        let has_zero = layout.y_range.0 < 0.0 && layout.y_range.1 > 0.0;
        if has_zero && data.lanes.is_empty() {
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

    fn legend(&self, chart: &Chart) -> Drawn {
        for (x, y, entry) in &self.layout.legend {
            let middle = y + 7.0;
            match (entry, chart.kind.has_surfaces()) {
                (Entry::Series(index, _), false) => {
                    if chart.kind != Form::Scatter {
                        self.sheet.mark(Mark::Dashed(*index));
                        let ends = [(*x, middle), (x + 34.0, middle)];
                        self.line(&ends, self.theme.colour(*index), 2)?;
                        self.sheet.mark(Mark::Plain);
                    }
                    self.marker(*index, (x + 17.0, middle), false)?;
                }
                (Entry::Series(index, _), true) => self.swatch(*x, middle, *index, false)?,
                (Entry::Open, false) => self.marker(0, (x + 17.0, middle), true)?,
                (Entry::Open, true) => self.swatch(*x, middle, 0, true)?,
                (Entry::Value(part, _), _) => self.shade(*x, middle, *part)?,
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
