//! What arrives on the display channel, and what the prelude brings along.

use headwater_streams::frame::{self, Event, Frame, Hello};
use headwater_streams::prelude::*;
use polars::prelude::*;

use crate::times;

/// Runs this test binary once more as a cell's process whose kernel is this test, with the
/// ignored test `name` as the cell; returns the frames it sent.
fn frames_of(name: &str) -> Vec<Frame> {
    let kernel = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut cell = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name])
        .env(
            frame::ENV,
            format!("{}/secret", kernel.local_addr().unwrap()),
        )
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let (mut socket, _) = kernel.accept().unwrap();
    assert_eq!(
        frame::read::<Hello>(&mut socket).unwrap(),
        Hello {
            token: "secret".into()
        }
    );
    let frames = std::iter::from_fn(|| frame::read(&mut socket).ok()).collect();
    assert!(cell.wait().unwrap().success());
    frames
}

#[test]
#[ignore = "a cell that a_live_chart_updates_in_place runs in a process of its own"]
fn cell_with_a_live_chart() {
    headwater_streams::display::connect().unwrap();
    headwater_streams::display::enter_cell(7);
    let topic = crate::topic("shown", 1);
    let query = topic
        .stream()
        .watermark("at", seconds(10))
        .window(Tumbling::of(minutes(1)))
        .agg([len().alias("n")])
        .unwrap();
    let live = query
        .chart(
            Chart::bar("window_start", "n")
                .title("Readings")
                .y("readings"),
        )
        .start()
        .unwrap();
    // What the threads show later still belongs to cell 7.
    headwater_streams::display::enter_cell(8);
    let at = times(
        "at",
        &[Some("2013-02-08 10:00:30"), Some("2013-02-08 10:02:40")],
    );
    let replay = Replay::frame(&DataFrame::new(2, vec![at]).unwrap())
        .event_time("at")
        .at_once()
        .start(&topic)
        .unwrap();
    live.wait_for(&replay).unwrap();
    live.stop().unwrap();
    topic.evcxr_display();
}

#[test]
fn a_live_chart_updates_in_place_and_ends_with_a_png() {
    let frames = frames_of("shown::cell_with_a_live_chart");
    let Event::Display {
        id: Some(chart),
        data,
    } = &frames[0].event
    else {
        panic!("{:?}", frames[0])
    };
    assert!(
        data["text/plain"].contains("no record yet in topic shown"),
        "{}",
        data["text/plain"]
    );
    let updates: Vec<&Frame> = frames
        .iter()
        .filter(|frame| matches!(&frame.event, Event::Update { id, .. } if id == chart))
        .collect();
    assert!(
        updates.iter().all(|frame| frame.cell == 7),
        "the chart stays in the cell that started it"
    );
    let Event::Update { data, .. } = &updates.last().unwrap().event else {
        unreachable!()
    };
    for part in ["image/svg+xml", "image/png", "text/plain"] {
        assert!(data.contains_key(part), "{part}");
    }
    assert!(
        data["text/plain"].contains("(open)")
            && data["text/plain"].contains("watermark 2013-02-08 10:02:30")
    );
    assert!(
        data["image/svg+xml"].contains("url(#headwater-light-open-0)"),
        "open windows are hatched"
    );
    let Some(Frame {
        cell: 8,
        event: Event::Result { data },
        ..
    }) = frames.last()
    else {
        panic!("{:?}", frames.last())
    };
    assert!(
        data["text/html"].contains("<table")
            && data["text/plain"].contains("topic shown: 2 records")
    );
    let cards = frames.iter().filter(|frame| {
        matches!(&frame.event, Event::Display { data, .. } if data["text/plain"].contains("2 sent")
        || data["text/plain"].contains("sending"))
    });
    assert_eq!(cards.count(), 1, "one card for the replay");
}

#[test]
#[ignore = "a cell of a_job_is_followed_by_a_card runs in a process of its own"]
fn cell_with_a_job() {
    headwater_streams::display::connect().unwrap();
    headwater_streams::display::enter_cell(7);
    let (topic, place) = (crate::topic("shownjob", 1), crate::job::Place::new());
    topic.produce(&crate::job::readings(0, 50)).unwrap();
    let run = crate::job::per_gauge(&topic)
        .to(FrameSink::new())
        .checkpoint(place.of("checkpoint"))
        .named("levels")
        .start()
        .unwrap();
    headwater_streams::display::enter_cell(8);
    run.until_caught_up().unwrap();
    run.stop().unwrap();
    run.evcxr_display();
}

#[test]
fn a_job_is_followed_by_a_card() {
    let frames = frames_of("shown::cell_with_a_job");
    let Event::Display {
        id: Some(card),
        data,
    } = &frames[0].event
    else {
        panic!("{:?}", frames[0])
    };
    let first = "job levels to a frame in memory: running, 0 batches, 0 rows in, 0 out";
    assert_eq!(data["text/plain"], first);
    let mut updates = frames.iter().filter_map(|frame| match &frame.event {
        Event::Update { id, data } if id == card => Some((frame.cell, data)),
        _ => None,
    });
    let (cell, last) = updates.next_back().unwrap();
    assert_eq!(cell, 7, "the card stays in the cell that started the job");
    let text = &last["text/plain"];
    assert!(
        text.contains("stopped, 2 batches, 50 rows in, 8 out; window"),
        "{text}"
    );
    assert!(text.contains("input_rows (i64)"), "{text}");
    let Some(Frame {
        cell: 8,
        event: Event::Result { data },
        ..
    }) = frames.last()
    else {
        panic!("{:?}", frames.last())
    };
    assert_eq!(&data["text/plain"], text);
}

#[test]
#[ignore = "a cell that a_frame_shows_itself_as_a_table runs in a process of its own"]
fn cell_with_frames() {
    headwater_streams::display::connect().unwrap();
    let mut frame = df!("name" => ["a < b", "c"], "x" => [Some(1.5), None]).unwrap();
    frame
        .with_column(times("at", &[Some("2013-02-08 10:00:30"), None]))
        .unwrap();
    show(&frame);
    frame.show_result();
    let rows: Vec<i64> = (0..1000).collect();
    Series::new("n".into(), rows).show_result();
    frame.lazy().filter(col("x").is_null()).show_result();
    let columns = (0..30).map(|at| Column::new(format!("c{at}").into(), [at, at]));
    let mut wide = DataFrame::new(2, columns.collect()).unwrap();
    wide.rename("c0", "<b>".into()).unwrap();
    wide.show_result();
}

#[test]
fn a_frame_shows_itself_as_a_table_with_dtypes_and_shape() {
    let frames = frames_of("shown::cell_with_frames");
    let text = |index: usize| match &frames[index].event {
        Event::Display { data, .. } | Event::Result { data } => {
            (data["text/plain"].clone(), data["text/html"].clone())
        }
        other => panic!("{other:?}"),
    };
    let expected = "name (str)  x (f64)  at (datetime[μs, UTC])\n\
        a < b           1.5  2013-02-08 10:00:30\n\
        c              null  null\n\
        2 rows x 3 columns";
    assert_eq!(text(0).0, expected);
    assert!(text(0).1.contains("a &lt; b") && text(0).1.contains("<th scope=\"col\""));
    assert!(matches!(frames[1].event, Event::Result { .. }));
    assert!(
        text(2)
            .0
            .ends_with("1,000 rows x 1 column; the first 10 and the last 10 shown")
    );
    let series = text(2).0;
    let lines: Vec<&str> = series.lines().map(str::trim).collect();
    assert_eq!(lines[10..14], ["8", "9", "…", "990"], "head, gap, tail");
    assert!(text(3).0.contains(".collect()? computes it") && text(3).0.contains("FILTER"));
    assert!(
        text(3)
            .0
            .contains("columns: name (str), x (f64), at (datetime")
    );
    let (plain, html) = text(4);
    let note = "2 rows x 30 columns; 10 columns left out: c10, c11, c12, c13, c14, c15, c16, c17, c18, c19";
    assert!(plain.ends_with(note), "{plain}");
    assert!(html.contains(note) && html.contains("&lt;b&gt;") && !html.contains("<b>"));
    assert!(
        html.contains("text-align:right") && html.contains("var(--jp-"),
        "numbers to the right, colours of the page's theme"
    );
}

#[test]
fn a_null_is_told_apart_from_the_text_null() {
    let frames = frames_of("shown::cell_with_nulls");
    let Event::Result { data } = &frames[0].event else {
        panic!("{:?}", frames[0])
    };
    let html = &data["text/html"];
    assert_eq!(html.matches(">null</td>").count(), 2);
    assert_eq!(html.matches("font-style:italic").count(), 1, "{html}");
}

#[test]
#[ignore = "a cell that a_null_is_told_apart_from_the_text_null runs in a process of its own"]
fn cell_with_nulls() {
    headwater_streams::display::connect().unwrap();
    df!("name" => [Some("null"), None]).unwrap().show_result();
}

#[test]
fn no_name_of_the_prelude_is_one_of_polars() {
    // An ambiguous name would not compile here: both preludes are imported whole.
    fn named<T: ?Sized>() {}
    named::<Batch>();
    named::<BatchRun>();
    named::<Batches>();
    named::<Chart>();
    named::<Cluster>();
    named::<Hopping>();
    named::<Live>();
    named::<LiveChart>();
    named::<OutputMode>();
    named::<Partitions>();
    named::<Picture>();
    named::<Position>();
    named::<Progress>();
    named::<Query>();
    named::<Replay>();
    named::<ReplayRun>();
    named::<dyn Show>();
    named::<Stream>();
    named::<Topic>();
    named::<Tumbling>();
    named::<WindowSpec>();
    let _ = (
        Append,
        Complete,
        Update,
        Earliest,
        Latest,
        Since(String::new()),
    );
    let _ = (dataset, days, hours, minutes, seconds, partitions, show);
}
