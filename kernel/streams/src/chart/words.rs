//! A chart in words: one sentence with the numbers, and a small table of the last of them.

use std::fmt::Write;

use super::data::{Data, Kind, Series};
use super::{Chart, spaced};
use crate::table::plural;
use crate::time;

/// How many rows the table has.
const ROWS: usize = 8;

/// Returns the text twin of a picture.
pub(super) fn words(chart: &Chart, data: &Data, facts: Option<&str>) -> String {
    let mut text = format!("{}: {}", chart.title_text(), summary(chart, data));
    if let Some(facts) = facts {
        let _ = write!(text, "\n{facts}");
    }
    if !data.left_out.is_empty() {
        let _ = write!(
            text,
            "\nnot drawn, for there are too many: {}",
            data.left_out.join(", ")
        );
    }
    if data.not_finite > 0 {
        let _ = write!(
            text,
            "\ndrawn as gaps, for they are NaN or infinite: {}",
            plural(data.not_finite, "value")
        );
    }
    if data.without_place > 0 {
        let _ = write!(
            text,
            "\nnot drawn, for they have no place on the horizontal axis: {}",
            plural(data.without_place, "row")
        );
    }
    text.push_str(&match chart.kind.has_lanes() {
        true => rows(chart, data),
        false => table(data),
    });
    text
}

fn summary(chart: &Chart, data: &Data) -> String {
    if data.is_empty() {
        return "nothing to draw yet".into();
    }
    let (first, last) = data.x_range();
    let points: usize = data
        .series
        .iter()
        .map(|series| values(series).count())
        .sum();
    if chart.kind.has_lanes() {
        return lanes(chart, data, points);
    }
    let parts: Vec<String> = data
        .series
        .iter()
        .filter_map(|series| describe(series, data))
        .collect();
    format!(
        "{} in {} from {} to {}; {} in {}",
        plural(points, "value"),
        match data.series.len() {
            1 => "one series".to_owned(),
            more => format!("{more} series"),
        },
        position(&data.kind, first),
        position(&data.kind, last),
        parts.join("; "),
        chart.y_text(),
    )
}

/// Says how much there is in the rows.
fn lanes(chart: &Chart, data: &Data, points: usize) -> String {
    let (first, last) = data.x_range();
    let what = if chart.value.is_some() {
        "cell"
    } else {
        "span"
    };
    let greatest = chart.value.as_ref().and_then(|value| {
        let all = data.series.iter().flat_map(|series| &series.points);
        let cells = all.filter_map(|point| Some((point, point.value?)));
        let (point, most) = cells.max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(format!(
            "; most {} {} in {} at {}",
            spaced(value),
            number(most),
            lane(data, point.y),
            position(&data.kind, point.x)
        ))
    });
    format!(
        "{} in {} from {} to {}{}",
        plural(points, what),
        plural(data.lanes.len(), "row"),
        position(&data.kind, first),
        position(&data.kind, last),
        greatest.unwrap_or_default(),
    )
}

/// Writes the last spans or cells as a table.
fn rows(chart: &Chart, data: &Data) -> String {
    let mut points: Vec<_> = (data.series.iter())
        .flat_map(|series| series.points.iter().map(move |point| (series, point)))
        .collect();
    points.sort_by(|a, b| a.1.x.total_cmp(&b.1.x));
    let mut text = String::new();
    for (series, point) in &points[points.len().saturating_sub(ROWS)..] {
        let _ = write!(text, "\n{}", position(&data.kind, point.x));
        if let Some(end) = point.end {
            let _ = write!(text, " to {}", position(&data.kind, end));
        }
        let _ = write!(text, "  {}", lane(data, point.y));
        match point.value {
            Some(value) => {
                let _ = write!(text, "  {}", number(value));
            }
            None if chart.by.is_some() => {
                let _ = write!(text, "  {}", series.name);
            }
            None => {}
        }
    }
    text
}

fn lane(data: &Data, y: Option<f64>) -> &str {
    let lane = y.and_then(|y| data.lanes.get(-y as usize));
    lane.map_or("no row", String::as_str)
}

fn describe(series: &Series, data: &Data) -> Option<String> {
    let (last_x, last) = values(series).last()?;
    let (most_x, most) = values(series).max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "{} last {} at {}, most {} at {}",
        series.name,
        number(last),
        position(&data.kind, last_x),
        number(most),
        position(&data.kind, most_x)
    ))
}

/// Writes the last values as a table: one row for each x, one column for each series.
fn table(data: &Data) -> String {
    let mut xs: Vec<f64> = data
        .series
        .iter()
        .flat_map(|series| values(series).map(|(x, _)| x))
        .collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let shown = &xs[xs.len().saturating_sub(ROWS)..];
    let mut text = String::new();
    for x in shown {
        let _ = write!(text, "\n{}", position(&data.kind, *x));
        for series in &data.series {
            let point = series.points.iter().rfind(|point| point.x == *x);
            let value = point.and_then(|point| point.y).map_or("-".into(), number);
            let open = if point.is_some_and(|point| point.open) {
                " (open)"
            } else {
                ""
            };
            let _ = write!(text, "  {} {value}{open}", series.name);
        }
    }
    text
}

fn values(series: &Series) -> impl Iterator<Item = (f64, f64)> {
    series
        .points
        .iter()
        .filter_map(|point| Some((point.x, point.y?)))
}

fn position(kind: &Kind, x: f64) -> String {
    match kind {
        Kind::Time => time::show(x as i64),
        Kind::Number => number(x),
        Kind::Names(names) => names.get(x as usize).cloned().unwrap_or_default(),
    }
}

fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.strip_suffix(".00").map(str::to_owned).unwrap_or(text)
}
