//! Process functions: rows in order, state by key, timers of both clocks.

use headwater_streams::prelude::*;
use polars::prelude::*;
use serde_json::json;

use crate::{assert_says, topic};

fn readings(rows: &[(&str, &str, i64)]) -> DataFrame {
    df!(
        "gauge" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
        "at" => rows.iter().map(|row| format!("2013-02-08 {}", row.1)).collect::<Vec<_>>(),
        "level_cm" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
    )
    .unwrap()
}

fn stream(name: &str) -> Stream {
    topic(name, 1).stream().watermark("at", seconds(10))
}

/// Gives out how far a gauge has risen since its reading before.
fn rises(name: &str) -> Process {
    stream(name).process("gauge", |gauge, happening| {
        if let Happening::Row(row) = happening {
            let level = row["level_cm"].as_i64().unwrap();
            if let Some(before) = gauge.state.as_i64() {
                gauge.emit(
                    json!({"gauge": gauge.key(), "at": gauge.at_text(), "rise_cm": level - before}),
                );
            }
            gauge.state = level.into();
        }
    })
}

#[test]
fn rows_reach_the_function_in_the_order_of_their_times() {
    let run = ProcessRun::new(&rises("process-order")).unwrap();
    run.push(&readings(&[
        ("G1", "10:00:20", 7),
        ("G1", "10:00:10", 4),
        ("G2", "10:00:12", 1),
        ("G1", "10:00:15", 5),
    ]))
    .unwrap();
    // The watermark stands at 10:00:10: one row has been seen.
    run.expect(&DataFrame::empty()).unwrap();
    assert_eq!(run.state().unwrap().height(), 1);
    run.push(&readings(&[("G1", "10:00:05", 9), ("G2", "10:00:40", 3)]))
        .unwrap();
    run.expect(&df!("gauge" => ["G1", "G1"], "at" => ["2013-02-08 10:00:15", "2013-02-08 10:00:20"], "rise_cm" => [1i64, 2]).unwrap()).unwrap();
    assert_eq!(run.late().height(), 1);
    let state = run.state().unwrap();
    let states: Vec<&str> = state
        .column("state")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert_eq!(states, ["7", "1"]);
}

#[test]
fn event_timers_fire_between_the_rows_where_they_belong() {
    let silent = stream("process-timers").process("gauge", |gauge, happening| match happening {
        Happening::Row(_) => {
            gauge.clear_timers();
            gauge.fire_after(minutes(1));
        }
        Happening::EventTimer => {
            gauge.emit(json!({"gauge": gauge.key(), "silent_at": gauge.at_text()}))
        }
        Happening::WallTimer => panic!("nobody moved the clock on the wall"),
    });
    let run = ProcessRun::new(&silent).unwrap();
    run.push(&readings(&[
        ("G1", "10:00:00", 1),
        ("G2", "10:00:30", 1),
        ("G1", "10:00:59", 1),
        ("G1", "10:05:00", 1),
    ]))
    .unwrap();
    // G1 spoke again a second before its timer; then neither did for a minute.
    run.expect(&df!("gauge" => ["G2", "G1"], "silent_at" => ["2013-02-08 10:01:30", "2013-02-08 10:01:59"]).unwrap()).unwrap();
}

#[test]
fn wall_timers_fire_when_the_clock_is_moved() {
    let ticking = stream("process-wall").process("gauge", |gauge, happening| match happening {
        Happening::Row(_) => gauge.fire_after_wall(seconds(30)),
        Happening::WallTimer => {
            let count = gauge.state.as_i64().unwrap_or(0) + 1;
            gauge.state = count.into();
            gauge.emit(json!({"gauge": gauge.key(), "tick": count}));
            if count < 3 {
                gauge.fire_after_wall(seconds(30));
            }
        }
        Happening::EventTimer => {}
    });
    let run = ProcessRun::new(&ticking).unwrap();
    run.push(&readings(&[("G1", "10:00:00", 1), ("G9", "10:00:20", 1)]))
        .unwrap();
    assert_eq!(run.advance_wall(seconds(29)).unwrap().height(), 0);
    assert_eq!(run.advance_wall(seconds(1)).unwrap().height(), 1);
    assert_eq!(run.advance_wall(minutes(10)).unwrap().height(), 2);
    run.expect(&df!("tick" => [1i64, 2, 3]).unwrap()).unwrap();
}

#[test]
fn in_a_wall_timer_the_event_time_is_the_watermark() {
    let late = stream("process-clocks").process("gauge", |gauge, happening| match happening {
        Happening::Row(_) => gauge.fire_after_wall(seconds(1)),
        Happening::WallTimer => gauge.fire_after(seconds(60)),
        Happening::EventTimer => gauge.emit(json!({"fired_at": gauge.at_text()})),
    });
    let run = ProcessRun::new(&late).unwrap();
    run.push(&readings(&[("G1", "10:00:00", 1), ("G2", "10:00:30", 1)]))
        .unwrap();
    run.advance_wall(seconds(1)).unwrap();
    run.push(&readings(&[("G2", "10:02:00", 1)])).unwrap();
    run.expect(&df!("fired_at" => ["2013-02-08 10:01:20"]).unwrap())
        .unwrap();
}

#[test]
fn what_is_no_row_is_said_and_a_key_without_state_is_forgotten() {
    let rows = readings(&[("G1", "10:00:00", 1), ("G1", "10:01:00", 1)]);
    let odd = stream("process-odd").process("gauge", |gauge, _| gauge.emit(json!([1, 2])));
    let run = ProcessRun::new(&odd).unwrap();
    assert_says(
        &run.push(&rows).unwrap_err(),
        &["gave out something that is no row", "[1,2]", "emit(json!("],
    );
    let once = stream("process-odd").process("gauge", |gauge, _| {
        gauge.state = json!("kept");
        gauge.emit(json!(7));
    });
    let run = ProcessRun::new(&once).unwrap();
    assert!(run.push(&rows).is_err());
    assert_eq!(run.state().unwrap().height(), 1);
    let quiet = ProcessRun::new(&stream("process-odd").process("gauge", |_, _| {})).unwrap();
    quiet.push(&rows).unwrap();
    assert_eq!(quiet.state().unwrap().height(), 0);
    let unknown = ProcessRun::new(&stream("process-odd").process("gage", |_, _| {})).unwrap();
    assert!(unknown.push(&rows).unwrap_err().is_unknown_column());
    let timeless = topic("process-odd", 1).stream().process("gauge", |_, _| {});
    assert_says(
        &ProcessRun::new(&timeless).err().unwrap(),
        &["a process function needs a watermark"],
    );
}
