//! Charts: a frame as lines or bars, with its numbers in words.
//!
//! Colours are those that most colour-blind people can tell apart, with contrast on their plate, and no
//! colour stands alone: every line has its own dash and marker, every bar its own pattern. Windows that
//! are still open are hatched (bars) or hollow (points); a missing window is a gap. Times are UTC.

mod axis;
mod data;
mod draw;
mod layout;
mod line;
mod palette;
mod picture;
mod png;
mod svg;
mod words;

use std::time::Duration;

use polars::prelude::DataFrame;

use crate::Result;
pub(crate) use data::Data;
pub use picture::Picture;

/// What a chart shows and how; made by [`Chart::line`] or [`Chart::bar`].
///
/// # Example
/// ```
/// use headwater_streams::prelude::*;
/// use polars::prelude::*;
///
/// let frame = df!("hour" => [6i64, 7, 8], "flights" => [52i64, 49, 61])?;
/// let picture = Chart::bar("hour", "flights").title("Departures").x("hour of day").y("flights").draw(&frame)?;
/// assert!(picture.svg().contains("role=\"img\""));
/// assert!(picture.text().starts_with("Departures"));
/// # Ok::<(), headwater_streams::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chart {
    pub(crate) kind: Kind,
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) mirror: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) x_title: Option<String>,
    pub(crate) y_title: Option<String>,
    pub(crate) last: Option<i64>,
    /// In pixels.
    pub(crate) size: (u32, u32),
    pub(crate) dark: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Line,
    Bar,
}

impl Chart {
    /// Returns a chart with a line through the values of column `y` over those of column `x`.
    pub fn line(x: &str, y: &str) -> Chart {
        Chart::of(Kind::Line, x, y)
    }

    /// Returns a chart with one bar for each value of column `y`.
    pub fn bar(x: &str, y: &str) -> Chart {
        Chart::of(Kind::Bar, x, y)
    }

    /// Draws one line (or row of bars) for each value of this column. Default: one for all rows.
    pub fn by(mut self, column: &str) -> Chart {
        self.by = Some(column.into());
        self
    }

    /// Draws the values of another column downward, for comparison.
    pub fn mirror(mut self, column: &str) -> Chart {
        self.mirror = Some(column.into());
        self
    }

    /// Sets the title. Default: the names of the columns.
    pub fn title(mut self, title: &str) -> Chart {
        self.title = Some(title.into());
        self
    }

    /// Names the horizontal axis, with its unit. Default: the column's name.
    pub fn x(mut self, title: &str) -> Chart {
        self.x_title = Some(title.into());
        self
    }

    /// Names the vertical axis, with its unit. Default: the column's name.
    pub fn y(mut self, title: &str) -> Chart {
        self.y_title = Some(title.into());
        self
    }

    /// Shows only so much of the time axis, up to its newest value. Default: all of it.
    pub fn last(mut self, span: Duration) -> Chart {
        self.last = Some(crate::time::micros(span));
        self
    }

    /// Sets width and height in pixels. Default: 720 x 400.
    pub fn size(mut self, width: u32, height: u32) -> Chart {
        self.size = (width.clamp(320, 2000), height.clamp(200, 1500));
        self
    }

    /// Draws on a dark plate, for dark themes and dim rooms. Default: a white one.
    pub fn dark(mut self) -> Chart {
        self.dark = true;
        self
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// When a column of the chart is not in the frame, or holds no numbers.
    pub fn draw(&self, frame: &DataFrame) -> Result<Picture> {
        let mut data = Data::default();
        data.add(self, frame, false)?;
        data.finish(self);
        Picture::draw(self, &data, None)
    }

    /// Draws a frame and shows it in the cell.
    ///
    /// # Errors
    /// Those of [`Chart::draw`].
    pub fn show(&self, frame: &DataFrame) -> Result<()> {
        crate::display::show(self.draw(frame)?.bundle());
        Ok(())
    }

    /// Shows the chart as the value of a cell: it has no data yet.
    pub fn evcxr_display(&self) {
        let text = format!(
            "a chart of `{}` over `{}`: .show(&frame)?, or query.chart(..).start()?",
            self.y, self.x
        );
        crate::display::result(crate::table::text(&text));
    }

    fn theme(&self) -> &'static palette::Theme {
        match self.dark {
            true => &palette::DARK,
            false => &palette::LIGHT,
        }
    }

    pub(crate) fn title_text(&self) -> String {
        self.title
            .clone()
            .unwrap_or_else(|| format!("{} over {}", spaced(&self.y), spaced(&self.x)))
    }

    pub(crate) fn y_text(&self) -> String {
        self.y_title.clone().unwrap_or_else(|| spaced(&self.y))
    }

    fn of(kind: Kind, x: &str, y: &str) -> Chart {
        Chart {
            kind,
            x: x.into(),
            y: y.into(),
            mirror: None,
            by: None,
            title: None,
            x_title: None,
            y_title: None,
            last: None,
            size: (720, 400),
            dark: false,
        }
    }
}

/// Returns a column's name as words.
pub(crate) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}
