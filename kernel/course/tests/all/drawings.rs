//! Pictures of lesson 5.1 and their twins in words.

use headwater_course::lesson_5_1::{Design, overload, overload_picture, two_clocks};
use polars::prelude::{DataFrame, DataType, IntoLazy, TimeUnit, col, df};

fn times(event_s: &[i64], arrival_s: &[i64], gauge: &[&str]) -> DataFrame {
    let clock = DataType::Datetime(TimeUnit::Milliseconds, None);
    let ms = |seconds: &[i64]| {
        seconds
            .iter()
            .map(|second| second * 1000)
            .collect::<Vec<_>>()
    };
    df!["event" => ms(event_s), "arrival" => ms(arrival_s), "gauge" => gauge]
        .unwrap()
        .lazy()
        .with_columns([col("event").cast(clock.clone()), col("arrival").cast(clock)])
        .collect()
        .unwrap()
}

#[test]
fn two_clocks_tell_lateness_and_the_future_in_words() {
    let frame = times(&[0, 10, 20, 30], &[1, 14, 260, 25], &["a", "a", "b", "c"]);
    let drawing = two_clocks(&frame, "event", "arrival", "gauge").unwrap();
    assert_eq!(
        drawing.text(),
        "4 events. Lateness: median 1.0 s, 95th percentile 4 min, 99th percentile 4 min. \
         1 came from the future, at most 5.0 s ahead."
    );
    for wanted in [
        "event time (UTC)",
        "arrival time (UTC)",
        "<circle",
        "role=\"img\"",
        ">c</text>",
    ] {
        assert!(
            drawing.svg().contains(wanted),
            "no `{wanted}` in {}",
            drawing.svg()
        );
    }
}

#[test]
fn two_clocks_need_rows_and_at_most_four_groups() {
    let error = two_clocks(&times(&[], &[], &[]), "event", "arrival", "gauge").unwrap_err();
    assert!(
        error.to_string().contains("0 rows with both times"),
        "{error}"
    );
    let five = times(&[1; 5], &[2; 5], &["a", "b", "c", "d", "e"]);
    let error = two_clocks(&five, "event", "arrival", "gauge").unwrap_err();
    assert!(error.to_string().contains("5 values in `gauge`"), "{error}");
    assert!(
        two_clocks(&five, "nowhere", "arrival", "gauge")
            .unwrap_err()
            .to_string()
            .contains("nowhere")
    );
}

#[test]
fn design_lists_its_arrows_and_survives_a_circle() {
    let design = Design::of("Ask back")
        .edge("shop", "queue orders")
        .edge("queue orders", "mail")
        .edge("mail", "shop");
    let drawing = design.draw();
    assert_eq!(
        drawing.text(),
        "Ask back\n  shop → queue orders\n  queue orders → mail\n  mail → shop"
    );
    assert_eq!(drawing.svg().matches("<rect x=").count(), 3);
    // Three columns, and the arrow that leads back moves none of them.
    let width: f64 = drawing
        .svg()
        .split("width=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(width < 560.0, "{width}");
}

#[test]
fn overload_picture_has_a_panel_and_a_line_of_words_a_policy() {
    let mut runs = overload("block", 2000).unwrap();
    runs.vstack_mut(&overload("sample", 2000).unwrap()).unwrap();
    let drawing = overload_picture(&runs, 2000).unwrap();
    let lines: Vec<&str> = drawing.text().lines().collect();
    assert_eq!(
        lines[0],
        "block: peak 2000, lost 0, held back 10500, work until second 34.9"
    );
    assert!(
        lines[1].starts_with("sample: peak 999, lost 11501, held back 0"),
        "{}",
        lines[1]
    );
    assert!(drawing.svg().contains(">capacity<") || drawing.svg().contains("capacity</text>"));
    let error = overload_picture(&DataFrame::empty(), 1)
        .unwrap_err()
        .to_string();
    assert!(error.contains("second"), "{error}");
}
