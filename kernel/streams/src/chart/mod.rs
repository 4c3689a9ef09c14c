//! Charts: a frame as lines, steps, areas, points, bars, spans or cells, with its numbers in words.
//!
//! Colours are those that most colour-blind people can tell apart, with contrast on their plate, and no
//! colour stands alone: every line has its own dash and marker, every bar its own pattern. Windows that
//! are still open are hatched (bars) or hollow (points); a missing window is a gap. Times are UTC.

mod axis;
mod bars;
mod data;
mod draw;
mod histogram;
mod lanes;
mod layout;
mod line;
mod numbers;
mod palette;
mod pen;
mod picture;
mod png;
mod svg;
mod words;

use std::time::Duration;

use polars::prelude::DataFrame;

use crate::Result;
pub(crate) use data::Data;
pub use picture::Picture;

/// What a chart shows and how; made by [`Chart::line`], [`Chart::bar`] and the like.
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
    /// The column with the end of a span.
    pub(crate) end: Option<String>,
    /// The column with the value of a cell.
    pub(crate) value: Option<String>,
    pub(crate) bins: usize,
    pub(crate) diagonal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Line,
    Step,
    Area,
    Scatter,
    Bar,
    Stacked,
    Histogram,
    Gantt,
    Heat,
}

impl Kind {
    /// Returns whether series are told apart by their surfaces.
    pub(crate) fn has_surfaces(self) -> bool {
        !matches!(self, Kind::Line | Kind::Step | Kind::Area | Kind::Scatter)
    }

    /// Returns whether the vertical axis has named rows.
    pub(crate) fn has_lanes(self) -> bool {
        matches!(self, Kind::Gantt | Kind::Heat)
    }
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

    /// Returns a chart whose line holds each value up to the next one: for what changes at once, such as a
    /// number of members.
    pub fn step(x: &str, y: &str) -> Chart {
        Chart::of(Kind::Step, x, y)
    }

    /// Returns a line chart with what is below the lines tinted.
    pub fn area(x: &str, y: &str) -> Chart {
        Chart::of(Kind::Area, x, y)
    }

    /// Returns a chart with one marker for each row.
    pub fn scatter(x: &str, y: &str) -> Chart {
        Chart::of(Kind::Scatter, x, y)
    }

    /// Returns a bar chart whose series (see [`Chart::by`]) stand on top of each other.
    pub fn stacked(x: &str, y: &str) -> Chart {
        Chart::of(Kind::Stacked, x, y)
    }

    /// Returns a chart of how many values of a column fall into each of about so many equal bins.
    pub fn histogram(column: &str, bins: usize) -> Chart {
        Chart {
            bins: bins.clamp(1, 200),
            ..Chart::of(Kind::Histogram, column, "count")
        }
    }

    /// Returns a chart of spans: a bar from column `start` to column `end` in the row that column `row`
    /// names.
    pub fn gantt(start: &str, end: &str, row: &str) -> Chart {
        Chart {
            end: Some(end.into()),
            ..Chart::of(Kind::Gantt, start, row)
        }
    }

    /// Returns a heat map: a cell at column `x` in the row that column `row` names, the darker the greater
    /// column `value` is.
    pub fn heat(x: &str, row: &str, value: &str) -> Chart {
        Chart {
            value: Some(value.into()),
            ..Chart::of(Kind::Heat, x, row)
        }
    }

    /// Draws the line on which both axes are equal, in a scatter chart.
    pub fn diagonal(mut self) -> Chart {
        self.diagonal = true;
        self
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
        self.title.clone().unwrap_or_else(|| match &self.value {
            Some(value) => format!("{} over {}", spaced(value), spaced(&self.x)),
            None => format!("{} over {}", spaced(&self.y), spaced(&self.x)),
        })
    }

    /// Returns the columns that a frame must have.
    pub(crate) fn columns(&self) -> Vec<&String> {
        let y = (self.kind != Kind::Histogram).then_some(&self.y);
        let optional = [y, self.by.as_ref(), self.end.as_ref(), self.value.as_ref()];
        std::iter::once(&self.x)
            .chain(optional.into_iter().flatten())
            .collect()
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
            end: None,
            value: None,
            bins: 0,
            diagonal: false,
        }
    }
}

/// Returns a column's name as words.
pub(crate) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}
