//! The numbers of a picture as a frame.

use polars::prelude::{
    Column, DataFrame, DataType, NamedFrom, Series as Values, TimeUnit, TimeZone,
};

use super::data::{Data, Kind, Point};
use super::{Chart, Kind as Form};
use crate::Result;

impl Data {
    /// Returns what is drawn as a frame: the column of the horizontal axis (datetime in microseconds UTC,
    /// f64 or str), window_end where there are windows, series (str), the column of the vertical axis
    /// (f64), open (bool: whether the window may still change).
    pub fn frame(&self, chart: &Chart) -> Result<DataFrame> {
        let points = || {
            (self.series.iter()).flat_map(|series| series.points.iter().map(move |at| (series, at)))
        };
        let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let time = |name: &str, values: Vec<Option<i64>>| -> Result<Column> {
            Ok(Values::new(name.into(), values).cast(&utc)?.into())
        };
        let mut columns = vec![match &self.kind {
            Kind::Time => time(
                &chart.x,
                points().map(|(_, at)| Some(at.x as i64)).collect(),
            )?,
            Kind::Number => Column::new(
                chart.x.as_str().into(),
                points().map(|(_, at)| at.x).collect::<Vec<_>>(),
            ),
            Kind::Names(names) => {
                let name = |at: &Point| names.get(at.x as usize).map(String::as_str);
                let names: Vec<Option<&str>> = points().map(|(_, at)| name(at)).collect();
                Column::new(chart.x.as_str().into(), names)
            }
        }];
        if points().any(|(_, at)| at.end.is_some()) {
            let ends = points().map(|(_, at)| at.end.map(|end| end as i64));
            let name = chart.end.as_deref().unwrap_or(match chart.kind {
                Form::Histogram => "bin_end",
                _ => "window_end",
            });
            columns.push(match self.kind {
                Kind::Time => time(name, ends.collect())?,
                _ => Column::new(
                    name.into(),
                    points().map(|(_, at)| at.end).collect::<Vec<_>>(),
                ),
            });
        }
        let series: Vec<&str> = points().map(|(series, _)| series.name.as_str()).collect();
        let ys: Vec<Option<f64>> = points().map(|(_, at)| at.y).collect();
        let open: Vec<bool> = points().map(|(_, at)| at.open).collect();
        // Both axes may show the same column.
        let y = match chart.x == chart.y {
            true => format!("{}_y", chart.y),
            false => chart.y.clone(),
        };
        columns.push(Column::new("series".into(), series));
        columns.push(match self.lanes.is_empty() {
            true => Column::new(y.into(), ys),
            false => {
                let lane = |at: Option<f64>| self.lanes.get(-(at?) as usize).map(String::as_str);
                Column::new(y.into(), ys.into_iter().map(lane).collect::<Vec<_>>())
            }
        });
        if let Some(value) = &chart.value {
            let values: Vec<Option<f64>> = points().map(|(_, at)| at.value).collect();
            columns.push(Column::new(value.as_str().into(), values));
        }
        columns.push(Column::new("open".into(), open));
        Ok(DataFrame::new(columns[0].len(), columns)?)
    }
}
