//! The numbers of a chart, taken from frames.

use polars::prelude::{
    ChunkFullNull, DataFrame, DataType, Float64Chunked, NewChunkedArray, Series as Values,
};

use super::{Chart, Kind as Form, palette, spaced};
use crate::{Error, Result, replay};

/// What stands on the horizontal axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Kind {
    /// Epoch microseconds.
    #[default]
    Time,
    Number,
    /// Names, at 0, 1, 2...
    Names(Vec<String>),
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub x: f64,
    /// Where its window ends, if it has one.
    pub end: Option<f64>,
    /// None breaks a line.
    pub y: Option<f64>,
    /// Whether its window is still open.
    pub open: bool,
    /// What a cell of a heat map shows.
    pub value: Option<f64>,
}

/// The values of one line or row of bars.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub name: String,
    pub points: Vec<Point>,
    /// Whether it is drawn downward.
    pub mirrored: bool,
}

/// All values of a chart. The order of the series is that of their first appearance, so that a
/// series keeps its colour while others join.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    pub kind: Kind,
    pub series: Vec<Series>,
    /// Names of the rows, at 0, -1, -2... so that the first is on top.
    pub lanes: Vec<String>,
    /// Names of series that found no place.
    pub left_out: Vec<String>,
    /// How many values are NaN or infinite: they are drawn as gaps.
    pub not_finite: usize,
    /// How many rows have no place on the horizontal axis: null, NaN or a span without an end.
    pub without_place: usize,
    /// The watermark of a query that runs, in epoch microseconds.
    pub watermark: Option<i64>,
}

impl Series {
    /// Returns where a point is drawn: below zero, if the series is drawn downward.
    pub fn height(&self, point: &Point) -> Option<f64> {
        point.y.map(|y| if self.mirrored { -y } else { y })
    }
}

impl Data {
    /// Returns data without points but with the series of this, for the next frame.
    pub fn cleared(&self) -> Data {
        let series = self.series.iter().map(|series| Series {
            points: Vec::new(),
            ..series.clone()
        });
        Data {
            kind: self.kind.clone(),
            series: series.collect(),
            lanes: self.lanes.clone(),
            left_out: Vec::new(),
            not_finite: 0,
            without_place: 0,
            watermark: None,
        }
    }

    /// Adds the rows of a frame.
    ///
    /// # Errors
    /// When a column of the chart is not there or holds no numbers.
    pub fn add(&mut self, chart: &Chart, frame: &DataFrame, open: bool) -> Result<()> {
        if chart.by.is_some() && chart.mirror.is_some() {
            return Err(
                Error::new("a mirrored chart has room for one series on each side")
                    .have(".by(..) and .mirror(..)")
                    .hint("one of the two"),
            );
        }
        self.add_column(chart, frame, open, &chart.y, false)?;
        match &chart.mirror {
            Some(mirror) => self.add_column(chart, frame, open, mirror, true),
            None => Ok(()),
        }
    }

    /// Adds the rows of a frame with the values of column `y`, upward or downward.
    pub fn add_column(
        &mut self,
        chart: &Chart,
        frame: &DataFrame,
        open: bool,
        y: &str,
        mirrored: bool,
    ) -> Result<()> {
        let xs = self.positions(frame, &chart.x)?;
        let ys = match chart.kind {
            Form::Histogram => Float64Chunked::full_null("".into(), frame.height()),
            Form::Gantt | Form::Heat => self.lanes(column(frame, y)?)?,
            _ => numbers(column(frame, y)?)?,
        };
        let cells = match &chart.value {
            Some(value) => Some(numbers(column(frame, value)?)?),
            None => None,
        };
        let ends = match chart.x.as_str() {
            _ if chart.end.is_some() => None,
            "window_start" if frame.schema().contains("window_end") => {
                Some(replay::micros_of(frame, "window_end", "the frame")?)
            }
            _ => None,
        };
        let spans = match &chart.end {
            Some(end) => Some(self.positions(frame, end)?),
            None => None,
        };
        let names = match &chart.by {
            Some(by) => Some(column(frame, by)?.cast(&DataType::String)?.str()?.clone()),
            None => None,
        };
        for (row, x) in xs.iter().enumerate() {
            let Some(x) = *x else {
                self.without_place += 1;
                continue;
            };
            let name = names.as_ref().map_or_else(
                || spaced(y),
                |names| names.get(row).unwrap_or("null").to_owned(),
            );
            let y = ys.get(row).filter(|y| y.is_finite());
            self.not_finite += usize::from(y.is_none() && ys.get(row).is_some());
            let end = ends
                .as_ref()
                .and_then(|ends| ends.get(row))
                .map(|end| end as f64)
                .or_else(|| *spans.as_ref()?.get(row)?);
            let value = (cells.as_ref()).and_then(|cells| cells.get(row));
            if chart.end.is_some() && end.is_none() {
                self.without_place += 1;
                continue;
            }
            self.not_finite += usize::from(value.is_some_and(|value| !value.is_finite()));
            let value = value.filter(|value| value.is_finite());
            if let Some(series) = self.series_mut(name, mirrored) {
                series.points.push(Point {
                    x,
                    end,
                    y,
                    open,
                    value,
                });
            }
        }
        Ok(())
    }

    /// Puts every series in the order of its x, and leaves out what is too old to be shown.
    pub fn finish(&mut self, chart: &Chart) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let newest = points()
            .map(|point| point.x)
            .fold(f64::NEG_INFINITY, f64::max);
        if chart.kind == Form::Histogram {
            super::histogram::bin(&mut self.series, chart.bins);
            return;
        }
        for series in &mut self.series {
            series.points.sort_by(|a, b| a.x.total_cmp(&b.x));
            if let Some(last) = chart.last {
                series
                    .points
                    .retain(|point| point.x >= newest - last as f64);
            }
        }
    }

    /// Returns whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.series
            .iter()
            .all(|series| series.points.iter().all(|point| point.y.is_none()))
    }

    /// Returns the smallest and the greatest x; the end of a window counts.
    pub fn x_range(&self) -> (f64, f64) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let first = points().map(|point| point.x).fold(f64::INFINITY, f64::min);
        let last = points()
            .map(|point| point.end.unwrap_or(point.x))
            .fold(f64::NEG_INFINITY, f64::max);
        (first, last)
    }

    /// Returns the smallest and the greatest value of a cell.
    pub fn value_range(&self) -> (f64, f64) {
        let points = self.series.iter().flat_map(|series| &series.points);
        let values = points.filter_map(|point| point.value);
        values.fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, most), value| (least.min(value), most.max(value)),
        )
    }

    /// Returns the greatest sum of what stands on top of each other.
    pub fn greatest_sum(&self) -> f64 {
        let mut sums = std::collections::BTreeMap::new();
        for point in self.series.iter().flat_map(|series| &series.points) {
            *sums.entry(point.x.to_bits()).or_insert(0.0) += point.y.unwrap_or(0.0);
        }
        sums.into_values().fold(0.0, f64::max)
    }

    /// Returns the smallest and the greatest y as drawn: mirrored values are below zero.
    pub fn y_range(&self) -> (f64, f64) {
        let signed = self.series.iter().flat_map(|series| {
            let sign = if series.mirrored { -1.0 } else { 1.0 };
            series
                .points
                .iter()
                .filter_map(move |point| point.y.map(|y| y * sign))
        });
        signed.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), y| {
            (least.min(y), most.max(y))
        })
    }

    /// Returns whether points have an end, as windows do.
    pub fn has_ends(&self) -> bool {
        let mut points = self.series.iter().flat_map(|series| &series.points);
        points.any(|point| point.end.is_some())
    }

    pub fn has_open(&self) -> bool {
        self.series
            .iter()
            .flat_map(|series| &series.points)
            .any(|point| point.open && point.y.is_some())
    }

    fn series_mut(&mut self, name: String, mirrored: bool) -> Option<&mut Series> {
        let found = self
            .series
            .iter()
            .position(|series| series.name == name && series.mirrored == mirrored);
        let index = match found {
            Some(index) => index,
            None if self.series.len() == palette::SERIES => {
                if !self.left_out.contains(&name) {
                    self.left_out.push(name);
                }
                return None;
            }
            None => {
                self.series.push(Series {
                    name,
                    mirrored,
                    points: Vec::new(),
                });
                self.series.len() - 1
            }
        };
        self.series.get_mut(index)
    }

    /// Returns the rows that a column names, as places on the vertical axis.
    fn lanes(&mut self, values: &Values) -> Result<Float64Chunked> {
        let names = values.cast(&DataType::String)?;
        let place = |name: Option<&str>| {
            let name = name.unwrap_or("null");
            let known = self.lanes.iter().position(|known| known == name);
            let index = known.unwrap_or_else(|| {
                self.lanes.push(name.to_owned());
                self.lanes.len() - 1
            });
            Some(-(index as f64))
        };
        let places: Vec<Option<f64>> = names.str()?.iter().map(place).collect();
        Ok(Float64Chunked::from_slice_options(
            values.name().clone(),
            &places,
        ))
    }

    fn positions(&mut self, frame: &DataFrame, x: &str) -> Result<Vec<Option<f64>>> {
        let values = column(frame, x)?;
        if values.dtype().is_datetime() || values.dtype().is_date() {
            self.kind = Kind::Time;
            return Ok(replay::micros_of(frame, x, "the frame")?
                .iter()
                .map(|time| time.map(|time| time as f64))
                .collect());
        }
        if *values.dtype() != DataType::String {
            if *values.dtype() != DataType::Null {
                self.kind = Kind::Number;
            }
            let finite = |x: Option<f64>| x.filter(|x| x.is_finite());
            return Ok(numbers(values)?.iter().map(finite).collect());
        }
        let mut names = match std::mem::take(&mut self.kind) {
            Kind::Names(names) => names,
            _ => Vec::new(),
        };
        let place = |name: Option<&str>| {
            let name = name?;
            let index = names
                .iter()
                .position(|known| known == name)
                .unwrap_or_else(|| {
                    names.push(name.to_owned());
                    names.len() - 1
                });
            Some(index as f64)
        };
        let positions = values.str()?.iter().map(place).collect();
        self.kind = Kind::Names(names);
        Ok(positions)
    }
}

fn column<'a>(frame: &'a DataFrame, name: &str) -> Result<&'a Values> {
    match frame.column(name) {
        Ok(column) => Ok(column.as_materialized_series()),
        Err(_) => Err(Error::unknown_column(name, "the frame", frame.schema())),
    }
}

fn numbers(values: &Values) -> Result<Float64Chunked> {
    let dtype = values.dtype();
    if !(dtype.is_integer() || dtype.is_float() || dtype.is_bool() || *dtype == DataType::Null) {
        return Err(
            Error::new(format!("column `{}` cannot be drawn", values.name()))
                .have(format!("dtype {dtype}"))
                .hint("a column of numbers"),
        );
    }
    Ok(values.cast(&DataType::Float64)?.f64()?.clone())
}
