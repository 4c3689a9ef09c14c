//! The operator beside a model that keeps every event: any windows, any micro-batches, any mode.
//!
//! The model is slow and plain on purpose: a map from window and key to the events in it.

mod merge;
mod model;

use polars::prelude::*;
use proptest::prelude::*;

use super::{Aggregates, Clock, OutputMode, WindowSpec, Windower};
use crate::replay;
use model::{Event, Model, Row};

const PLACE: &str = "the frame";

/// Times on whole and half seconds, where windows begin and end, and a microsecond beside them.
fn event() -> impl Strategy<Value = Event> {
    let beside = proptest::sample::select(vec![0i64, 0, 0, -1, 1, 999]);
    let at = (-20i64..60, beside).prop_map(|(at, beside)| at * 500_000 + beside);
    let key = proptest::option::weighted(0.9, 0u8..3);
    let x = proptest::option::weighted(0.9, -50i64..50);
    (proptest::option::weighted(0.95, at), key, x).prop_map(|(at, key, x)| Event { at, key, x })
}

/// Micro-batches whose times drift forward, so that windows end and some events are late.
fn batches() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let batch = proptest::collection::vec(event(), 0..12);
    proptest::collection::vec(batch, 1..10).prop_map(|mut batches| {
        for (number, batch) in batches.iter_mut().enumerate() {
            for event in batch {
                event.at = event.at.map(|at| at + number as i64 * 15_000_000);
            }
        }
        batches
    })
}

fn windows() -> impl Strategy<Value = WindowSpec> {
    let second = 1_000_000;
    prop_oneof![
        (1i64..30, 0i64..9).prop_map(move |(size, offset)| WindowSpec::Fixed {
            size_us: size * second,
            slide_us: size * second,
            offset_us: offset * second,
        }),
        (2i64..30, 1i64..30, 0i64..9).prop_map(move |(size, slide, offset)| WindowSpec::Fixed {
            size_us: size * second,
            slide_us: slide.min(size) * second,
            offset_us: offset * second,
        }),
        (1i64..15).prop_map(move |gap| WindowSpec::Session {
            gap_us: gap * second
        }),
    ]
}

fn mode(windows: WindowSpec) -> impl Strategy<Value = OutputMode> {
    let modes = match windows.is_session() {
        true => vec![OutputMode::Append, OutputMode::Complete],
        false => vec![OutputMode::Append, OutputMode::Update, OutputMode::Complete],
    };
    proptest::sample::select(modes)
}

fn frame(events: &[Event]) -> DataFrame {
    let times: Vec<Option<i64>> = events.iter().map(|event| event.at).collect();
    let times = Series::new("at".into(), times)
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .unwrap();
    let keys = events
        .iter()
        .map(|event| event.key.map(|key| key.to_string()));
    let mut frame = df!(
        "key" => keys.collect::<Vec<_>>(),
        "x" => events.iter().map(|event| event.x).collect::<Vec<_>>(),
    )
    .unwrap();
    frame.with_column(times.into()).unwrap();
    frame
}

fn windower(windows: WindowSpec, mode: OutputMode) -> Windower {
    let aggregates = [
        len().alias("n"),
        col("x").sum(),
        col("x").min().alias("least"),
        col("x").first().alias("first"),
        col("x").last_non_null().alias("last"),
        col("x").n_unique().alias("distinct"),
    ];
    let keys = vec!["key".to_owned()];
    let aggregates = Aggregates::new(&aggregates, &keys).unwrap();
    Windower::new(windows, "at", keys, aggregates, mode)
}

/// Returns the rows of a result in the form of the model, in order.
fn rows(frame: &DataFrame) -> Vec<Row> {
    let micros = |name| replay::micros_of(frame, name, PLACE).unwrap();
    let (starts, ends) = (micros("window_start"), micros("window_end"));
    let int = |name: &str, row| {
        let column = frame.column(name).unwrap().cast(&DataType::Int64).unwrap();
        column.i64().unwrap().get(row)
    };
    let mut rows: Vec<Row> = (0..frame.height())
        .map(|row| Row {
            start: starts.get(row).unwrap(),
            end: ends.get(row).unwrap(),
            key: int("key", row).map(|key| key as u8),
            n: int("n", row).unwrap(),
            sum: int("x", row),
            least: int("least", row),
            first: int("first", row),
            last: int("last", row),
            distinct: int("distinct", row).unwrap(),
        })
        .collect();
    rows.sort();
    rows
}

fn step(
    clock: &mut Clock,
    windower: &mut Windower,
    events: &[Event],
) -> crate::Result<super::Emission> {
    let rows = match events.is_empty() {
        true => DataFrame::empty(),
        false => frame(events),
    };
    let batch = clock.batch(rows, PLACE)?;
    windower.push(&batch, PLACE)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Every batch gives out what the model gives out, keeps what it keeps and counts what it
    /// counts; and no event is lost: each is in a window, late, or without a time.
    #[test]
    fn any_run_is_that_of_the_model(
        (windows, mode) in windows().prop_flat_map(|windows| (Just(windows), mode(windows))),
        batches in batches(),
        delay in 0i64..20_000_000,
    ) {
        let mut clock = Clock::new("at", Some(delay));
        let (mut windower, mut model) = (windower(windows, mode), Model::new(windows, mode, delay));
        let (mut given, mut late, mut timeless) = (0, 0, 0);
        for batch in &batches {
            let emission = step(&mut clock, &mut windower, batch).unwrap();
            let expected = model.push(batch);
            prop_assert_eq!(rows(&emission.rows), expected.rows);
            prop_assert_eq!(emission.late.height(), expected.late);
            prop_assert_eq!(emission.state_rows, expected.state_rows);
            prop_assert_eq!(emission.without_time, expected.without_time);
            given += rows(&emission.closed).iter().map(|row| row.n).sum::<i64>();
            late += emission.late.height() as i64;
            timeless += emission.without_time as i64;
        }
        let open: i64 = rows(&windower.open().unwrap()).iter().map(|row| row.n).sum();
        let windows_of_events: i64 = model.assigned();
        prop_assert_eq!(windows_of_events, given + open + late);
        let events: usize = batches.iter().map(Vec::len).sum();
        prop_assert_eq!(events as i64, model.timed() + timeless);
    }

    /// Written down after every batch and read back by a new operator, the run goes on as if it had
    /// never stopped.
    #[test]
    fn a_restart_after_every_batch_changes_nothing(
        (windows, mode) in windows().prop_flat_map(|windows| (Just(windows), mode(windows))),
        batches in batches(),
        delay in 0i64..20_000_000,
    ) {
        let mut clock = Clock::new("at", Some(delay));
        let mut straight = windower(windows, mode);
        let mut broken = (clock.clone(), straight.clone());
        for batch in &batches {
            let expected = step(&mut clock, &mut straight, batch).unwrap();
            let (old_clock, old) = &broken;
            let written = serde_json::to_string(old_clock).unwrap();
            let mut next = windower(windows, mode);
            next.load(&old.save().unwrap()).unwrap();
            broken = (serde_json::from_str(&written).unwrap(), next);
            let got = step(&mut broken.0, &mut broken.1, batch).unwrap();
            prop_assert!(got.rows.equals_missing(&expected.rows));
            prop_assert!(got.late.equals_missing(&expected.late));
            prop_assert_eq!(got.state_rows, expected.state_rows);
            prop_assert_eq!(got.updated, expected.updated);
            prop_assert_eq!(got.removed, expected.removed);
            prop_assert_eq!(got.dropped_groups, expected.dropped_groups);
        }
    }

    /// Cut anywhere, the stream gives the windows of one run over all of it, less what it listed as
    /// late.
    #[test]
    fn any_cut_gives_the_windows_of_one_run_less_the_late_rows(
        windows in windows().prop_filter("sessions end apart", |windows| !windows.is_session()),
        batches in batches(),
        delay in 0i64..20_000_000,
    ) {
        let mut clock = Clock::new("at", Some(delay));
        let mut cut = windower(windows, OutputMode::Append);
        let mut counts = std::collections::BTreeMap::new();
        let mut late = Vec::new();
        for batch in &batches {
            let emission = step(&mut clock, &mut cut, batch).unwrap();
            for row in rows(&emission.rows) {
                // A window is given out once.
                prop_assert_eq!(counts.insert((row.start, row.key), row.n), None);
            }
            if emission.late.height() > 0 {
                let starts = replay::micros_of(&emission.late, "window_start", PLACE).unwrap();
                let keys = emission.late.column("key").unwrap().str().unwrap();
                for (start, key) in starts.iter().zip(keys.iter()) {
                    late.push((start.unwrap(), key.map(|key| key.parse::<u8>().unwrap())));
                }
            }
        }
        for row in rows(&cut.open().unwrap()) {
            prop_assert_eq!(counts.insert((row.start, row.key), row.n), None);
        }
        for group in late {
            *counts.entry(group).or_insert(0) += 1;
        }
        let all: Vec<Event> = batches.concat();
        let mut whole = windower(windows, OutputMode::Complete);
        let oracle = step(&mut Clock::new("at", None), &mut whole, &all).unwrap();
        let oracle = rows(&oracle.rows).into_iter().map(|row| ((row.start, row.key), row.n));
        prop_assert_eq!(counts, oracle.collect::<std::collections::BTreeMap<_, _>>());
    }
}
