//! Says how large a variable is and what it holds, for the types that cells use most.
//!
//! Called after each cell for the variables that it touched, so it never computes, waits or
//! copies: lengths, schemas and sizes that the value has at hand, nothing else.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use headwater_streams::{
    Batch, BatchRun, Batches, Chart, Cluster, Hopping, Live, Picture, Query, Replay, ReplayRun,
    Topic, Tumbling, frame_text,
};
use polars::prelude::*;

use super::protocol::Described;

/// So many columns of a frame are named; the rest is counted.
const COLUMNS: usize = 500;
/// So many rows of a frame are shown beside its columns.
const ROWS: usize = 6;
/// So many letters of a value are shown.
const LETTERS: usize = 80;

/// Describes a value. A type that nothing is known of still has its own size.
pub fn describe(name: String, value: &dyn Any) -> Described {
    let own = Described {
        bytes: size_of_val(value) as u64,
        ..Described::default()
    };
    // A `Debug` of the library that fails must not take the session with it.
    let known = catch_unwind(AssertUnwindSafe(|| {
        let found = frame(value)
            .or_else(|| scalar(value))
            .or_else(|| collection(value))
            .or_else(|| stream(value));
        found.unwrap_or_default()
    }));
    let known = known.unwrap_or_default();
    Described {
        name,
        bytes: own.bytes.max(known.bytes),
        ..known
    }
}

fn frame(value: &dyn Any) -> Option<Described> {
    if let Some(frame) = value.downcast_ref::<DataFrame>() {
        let columns = frame.columns().iter().take(COLUMNS);
        return Some(Described {
            bytes: frame.estimated_size() as u64,
            shape: Some(format!(
                "{} × {}",
                grouped(frame.height()),
                grouped(frame.width())
            )),
            columns: columns
                .map(|column| (column.name().to_string(), column.dtype().to_string()))
                .collect(),
            more_columns: frame.width().saturating_sub(COLUMNS) as u64,
            preview: Some(frame_text(frame, ROWS)),
            ..Described::default()
        });
    }
    if value.is::<LazyFrame>() {
        return Some(summary("not yet computed; .collect()? computes it"));
    }
    let (bytes, count, name, dtype) = if let Some(series) = value.downcast_ref::<Series>() {
        let bytes = series.estimated_size();
        (bytes, series.len(), series.name(), series.dtype())
    } else {
        // A column of one repeated value stays as small as it is.
        let column = value.downcast_ref::<Column>()?;
        (0, column.len(), column.name(), column.dtype())
    };
    Some(Described {
        bytes: bytes as u64,
        shape: Some(grouped(count)),
        columns: vec![(name.to_string(), dtype.to_string())],
        summary: Some(format!("{name} ({dtype})")),
        ..Described::default()
    })
}

fn scalar(value: &dyn Any) -> Option<Described> {
    fn of<T: Debug + 'static>(value: &dyn Any) -> Option<String> {
        value.downcast_ref::<T>().map(|value| format!("{value:?}"))
    }
    let text = of::<i32>(value)
        .or_else(|| of::<i64>(value))
        .or_else(|| of::<f64>(value))
        .or_else(|| of::<bool>(value))
        .or_else(|| of::<usize>(value))
        .or_else(|| of::<u64>(value))
        .or_else(|| of::<u32>(value))
        .or_else(|| of::<u8>(value))
        .or_else(|| of::<f32>(value))
        .or_else(|| of::<char>(value))
        .or_else(|| of::<i8>(value))
        .or_else(|| of::<i16>(value))
        .or_else(|| of::<u16>(value))
        .or_else(|| of::<isize>(value))
        .or_else(|| of::<i128>(value))
        .or_else(|| of::<u128>(value))
        .or_else(|| of::<std::time::Duration>(value));
    if let Some(text) = text {
        return Some(summary(&text));
    }
    let (text, bytes) = match value.downcast_ref::<String>() {
        Some(text) => (text.as_str(), size_of::<String>() + text.capacity()),
        None => (*value.downcast_ref::<&'static str>()?, size_of::<&str>()),
    };
    Some(Described {
        bytes: bytes as u64,
        shape: Some(format!("{} bytes", grouped(text.len()))),
        summary: Some(quoted(text)),
        ..Described::default()
    })
}

fn collection(value: &dyn Any) -> Option<Described> {
    lists::<f64>(value)
        .or_else(|| lists::<i64>(value))
        .or_else(|| lists::<i32>(value))
        .or_else(|| lists::<u64>(value))
        .or_else(|| lists::<u32>(value))
        .or_else(|| lists::<u8>(value))
        .or_else(|| lists::<usize>(value))
        .or_else(|| lists::<f32>(value))
        .or_else(|| lists::<bool>(value))
        .or_else(|| lists::<char>(value))
        .or_else(|| lists::<&'static str>(value))
        .or_else(|| lists::<String>(value))
        .or_else(|| lists::<DataFrame>(value))
        .or_else(|| lists::<Series>(value))
        .or_else(|| lists::<Expr>(value))
        .or_else(|| maps::<String>(value))
        .or_else(|| maps::<&'static str>(value))
        .or_else(|| maps::<i32>(value))
        .or_else(|| maps::<i64>(value))
        .or_else(|| maps::<u64>(value))
}

/// Lists and sets of `T`.
fn lists<T: 'static>(value: &dyn Any) -> Option<Described> {
    if let Some(list) = value.downcast_ref::<Vec<T>>() {
        return Some(elements(list.len(), list.capacity() * size_of::<T>()));
    }
    if let Some(set) = value.downcast_ref::<HashSet<T>>() {
        return Some(elements(set.len(), set.capacity() * size_of::<T>()));
    }
    let set = value.downcast_ref::<BTreeSet<T>>()?;
    Some(elements(set.len(), set.len() * size_of::<T>()))
}

/// Maps from `K` to the values that one counts and collects with.
fn maps<K: 'static>(value: &dyn Any) -> Option<Described> {
    fn of<K: 'static, V: 'static>(value: &dyn Any) -> Option<Described> {
        let pair = size_of::<(K, V)>();
        if let Some(map) = value.downcast_ref::<HashMap<K, V>>() {
            return Some(elements(map.len(), map.capacity() * pair));
        }
        let map = value.downcast_ref::<BTreeMap<K, V>>()?;
        Some(elements(map.len(), map.len() * pair))
    }
    of::<K, i32>(value)
        .or_else(|| of::<K, i64>(value))
        .or_else(|| of::<K, u32>(value))
        .or_else(|| of::<K, u64>(value))
        .or_else(|| of::<K, usize>(value))
        .or_else(|| of::<K, f64>(value))
        .or_else(|| of::<K, String>(value))
        .or_else(|| of::<K, &'static str>(value))
        .or_else(|| of::<K, Vec<f64>>(value))
        .or_else(|| of::<K, Vec<i64>>(value))
        .or_else(|| of::<K, Vec<String>>(value))
        .or_else(|| of::<K, DataFrame>(value))
}

/// The library's own types: what they say of themselves without asking a broker.
fn stream(value: &dyn Any) -> Option<Described> {
    if let Some(topic) = value.downcast_ref::<Topic>() {
        let text = format!("topic {}, {} partitions", topic.name(), topic.partitions());
        return Some(summary(&text));
    }
    if let Some(cluster) = value.downcast_ref::<Cluster>() {
        return Some(summary(&format!("cluster at {}", cluster.bootstrap())));
    }
    if let Some(query) = value.downcast_ref::<Query>() {
        let columns = query.columns().into_iter().take(COLUMNS);
        return Some(Described {
            columns: columns.map(|name| (name, String::new())).collect(),
            ..summary(&query.describe())
        });
    }
    if let Some(live) = value.downcast_ref::<Live>() {
        let text = if live.is_running() {
            "a live chart, running"
        } else {
            "a live chart, stopped"
        };
        return Some(summary(text));
    }
    if let Some(replay) = value.downcast_ref::<Replay>() {
        let mut described = frame(replay.rows())?;
        described.summary = Some("a replay, ready to start".to_owned());
        return Some(described);
    }
    if let Some(batch) = value.downcast_ref::<Batch>() {
        return frame(&batch.rows);
    }
    if let Some(batches) = value.downcast_ref::<Batches>() {
        return Some(elements(batches.len(), 0));
    }
    debug::<ReplayRun>(value)
        .or_else(|| debug::<BatchRun>(value))
        .or_else(|| debug::<Picture>(value))
        .or_else(|| debug::<Chart>(value))
        .or_else(|| debug::<Tumbling>(value))
        .or_else(|| debug::<Hopping>(value))
}

fn debug<T: Debug + 'static>(value: &dyn Any) -> Option<Described> {
    let value = value.downcast_ref::<T>()?;
    Some(summary(&format!("{value:?}")))
}

fn elements(count: usize, bytes: usize) -> Described {
    Described {
        bytes: bytes as u64,
        shape: Some(grouped(count)),
        ..Described::default()
    }
}

fn summary(text: &str) -> Described {
    let line = text.lines().next().unwrap_or_default();
    Described {
        summary: Some(cut(line)),
        ..Described::default()
    }
}

/// A text as it is written in code; only the part that is shown is looked at.
fn quoted(text: &str) -> String {
    let start: String = text.chars().take(LETTERS + 1).collect();
    cut(&format!("{start:?}"))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        text.to_owned()
    } else {
        text.chars().take(LETTERS - 1).chain(['…']).collect()
    }
}

/// Returns a whole number with commas: `336,776`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
