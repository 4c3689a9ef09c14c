//! A window query in the words of PySpark, so that one can see what it would be on a cluster.

use super::plan::{PlanColumn, PlanStep, WindowQuery};
use super::{Expression, WindowSpec};
use crate::time::SECOND;

/// Stands for the event time until the query is known.
const EVENT_TIME: &str = "<event time>";

/// Returns the query as a program for Spark Structured Streaming.
pub(crate) fn program(query: &WindowQuery) -> String {
    let mut lines = vec![format!("(events  # the rows of {}", query.source)];
    let watermark = match query.watermark_us {
        Some(delay) => format!(
            ".withWatermark({}, {})",
            text(&query.event_time),
            span(delay)
        ),
        None => String::new(),
    };
    let mut is_marked = false;
    for step in &query.steps {
        match step {
            PlanStep::Filter(by) => lines.push(format!(".filter({})", spark(by))),
            PlanStep::With(columns) => lines.extend(columns.iter().map(|column| {
                format!(".withColumn({}, {})", text(&column.name), spark(&column.is))
            })),
            PlanStep::Watermark => {
                is_marked = true;
                lines.push(watermark.clone());
            }
            PlanStep::Operator(words) => lines.push(format!("# {words}")),
        }
    }
    if !is_marked {
        lines.push(watermark);
    }
    let keys = query.keys.iter().map(|key| text(key));
    let groups: Vec<String> = std::iter::once(window(query)).chain(keys).collect();
    lines.push(format!(".groupBy({})", groups.join(", ")));
    let column = |column: &PlanColumn| {
        let of = spark(&column.is).replace(EVENT_TIME, &text(&query.event_time));
        format!("{of}.alias({})", text(&column.name))
    };
    let columns: Vec<String> = query.aggregates.iter().map(column).collect();
    lines.push(format!(".agg({})", columns.join(",\n       ")));
    let mode = format!("{:?}", query.output).to_lowercase();
    lines.push(format!(".writeStream.outputMode({}).start())", text(&mode)));
    lines.retain(|line| !line.is_empty());
    format!(
        "from pyspark.sql import functions as F\n\n{}",
        lines.join("\n  ")
    )
}

/// Returns an expression as people write it.
pub(super) fn words(expression: &Expression) -> String {
    match expression {
        Expression::Column(name) => name.clone(),
        Expression::Null => "null".into(),
        Expression::Bool(value) => value.to_string(),
        Expression::Int(value) => value.to_string(),
        Expression::Float(value) => value.to_string(),
        Expression::Text(value) => text(value),
        Expression::Binary { op, left, right } => {
            format!("({} {op} {})", words(left), words(right))
        }
        Expression::Cast { of, to } => format!("{} as {to}", words(of)),
        Expression::When {
            condition,
            then,
            otherwise,
        } => format!(
            "when {} then {} otherwise {}",
            words(condition),
            words(then),
            words(otherwise)
        ),
        Expression::Function { name, of } => {
            let of: Vec<String> = of.iter().map(words).collect();
            format!("{name}({})", of.join(", "))
        }
        Expression::Aggregate { name, of, argument } => {
            let of = of.iter().map(|of| words(of));
            let argument = argument.iter().map(f64::to_string);
            let all: Vec<String> = of.chain(argument).collect();
            format!("{name}({})", all.join(", "))
        }
        Expression::Polars(text) => text.clone(),
    }
}

fn spark(expression: &Expression) -> String {
    match expression {
        Expression::Column(name) => format!("F.col({})", text(name)),
        Expression::Null => "F.lit(None)".into(),
        Expression::Bool(true) => "F.lit(True)".into(),
        Expression::Bool(false) => "F.lit(False)".into(),
        Expression::Int(value) => format!("F.lit({value})"),
        Expression::Float(value) => format!("F.lit({value:?})"),
        Expression::Text(value) => format!("F.lit({})", text(value)),
        Expression::Binary { op, left, right } => binary(op, &spark(left), &spark(right)),
        Expression::Cast { of, to } => format!("{}.cast({})", spark(of), text(spark_type(to))),
        Expression::When {
            condition,
            then,
            otherwise,
        } => {
            let when = format!("F.when({}, {})", spark(condition), spark(then));
            match **otherwise {
                Expression::Null => when,
                _ => format!("{when}.otherwise({})", spark(otherwise)),
            }
        }
        Expression::Function { name, of } => {
            let of: Vec<String> = of.iter().map(spark).collect();
            match (name.as_str(), &of[..]) {
                ("not", [a]) => format!("~{a}"),
                ("is_null", [a]) => format!("{a}.isNull()"),
                ("is_not_null", [a]) => format!("{a}.isNotNull()"),
                ("is_nan", [a]) => format!("F.isnan({a})"),
                ("is_not_nan", [a]) => format!("~F.isnan({a})"),
                ("fill_null", all) => format!("F.coalesce({})", all.join(", ")),
                (name, all) => format!("F.{name}({})", all.join(", ")),
            }
        }
        Expression::Aggregate { name, of, argument } => {
            aggregate(name, of.as_deref().map(spark), *argument)
        }
        Expression::Polars(words) => format!("F.expr({})", text(words)),
    }
}

fn binary(op: &str, left: &str, right: &str) -> String {
    let op = match op {
        "and" => "&",
        "or" => "|",
        "//" => return format!("F.floor({left} / {right})"),
        op => op,
    };
    format!("({left} {op} {right})")
}

fn aggregate(name: &str, of: Option<String>, argument: Option<f64>) -> String {
    let Some(of) = of else {
        return "F.count(F.lit(1))".into();
    };
    let population = argument == Some(0.0);
    match name {
        "mean" => format!("F.avg({of})"),
        "var" if population => format!("F.var_pop({of})"),
        "var" => format!("F.var_samp({of})"),
        "std" if population => format!("F.stddev_pop({of})"),
        "std" => format!("F.stddev_samp({of})"),
        // By event time: Spark's own first() takes whatever comes first.
        "first" => format!("F.min_by({of}, {EVENT_TIME})"),
        "last" => format!("F.max_by({of}, {EVENT_TIME})"),
        "collect_distinct" => format!("F.array_sort(F.collect_set({of}))"),
        "n_unique" => format!("F.size(F.collect_set({of}))"),
        "approx_distinct" => format!("F.approx_count_distinct({of})"),
        "approx_quantile" => format!("F.percentile_approx({of}, {})", argument.unwrap_or(0.5)),
        name => format!("F.{name}({of})"),
    }
}

fn window(query: &WindowQuery) -> String {
    let time = text(&query.event_time);
    match query.window {
        WindowSpec::Session { gap_us } => format!("F.session_window({time}, {})", span(gap_us)),
        WindowSpec::Fixed {
            size_us,
            slide_us,
            offset_us,
        } => {
            let mut spans = vec![span(size_us)];
            if slide_us != size_us || offset_us != 0 {
                spans.push(span(slide_us));
            }
            if offset_us != 0 {
                spans.push(span(offset_us));
            }
            format!("F.window({time}, {})", spans.join(", "))
        }
    }
}

/// Writes a span as Spark reads it, in the largest unit that it is a multiple of.
fn span(micros: i64) -> String {
    let units = [
        (86_400 * SECOND, "days"),
        (3600 * SECOND, "hours"),
        (60 * SECOND, "minutes"),
        (SECOND, "seconds"),
        (1000, "milliseconds"),
    ];
    let found = units
        .iter()
        .find(|(unit, _)| micros % unit == 0 && micros != 0);
    match found {
        Some((unit, name)) => text(&format!("{} {name}", micros / unit)),
        None => text(&format!("{micros} microseconds")),
    }
}

fn spark_type(dtype: &str) -> &str {
    match dtype {
        "bool" => "boolean",
        "i8" => "tinyint",
        "i16" => "smallint",
        "i32" => "int",
        "i64" | "u32" => "bigint",
        "f32" => "float",
        "f64" => "double",
        "str" => "string",
        "date" => "date",
        _ => "timestamp",
    }
}

fn text(value: &str) -> String {
    format!("{value:?}")
}
