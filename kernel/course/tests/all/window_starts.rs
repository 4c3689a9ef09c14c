//! Exercise 5.1 E3: right and wrong solutions, and what the check says about each.

use headwater_course::learner::Learner;
use headwater_course::lesson_5_1::window_starts::check_for;
use headwater_course::{Outcome, State};

fn tumbling_start(ts: i64, size: i64, offset: i64) -> i64 {
    ts - (ts - offset).rem_euclid(size)
}

fn hopping_starts(ts: i64, size: i64, advance: i64) -> Vec<i64> {
    steps_back(tumbling_start(ts, advance, 0), advance, |start| {
        ts < start + size
    })
}

fn steps_back(mut start: i64, advance: i64, holds: impl Fn(i64) -> bool) -> Vec<i64> {
    let mut starts = vec![];
    while holds(start) {
        starts.push(start);
        start -= advance;
    }
    starts
}

fn check(tumbling: fn(i64, i64, i64) -> i64, hopping: fn(i64, i64, i64) -> Vec<i64>) -> Outcome {
    check_for(&Learner::of("test"), tumbling, hopping)
}

#[track_caller]
fn hint_of(outcome: &Outcome) -> &'static str {
    outcome
        .finding()
        .and_then(|finding| finding.hint)
        .unwrap_or_else(|| panic!("no hint in {outcome:?}"))
}

#[track_caller]
fn rejects_tumbling(wrong: fn(i64, i64, i64) -> i64, hint: &str) {
    let outcome = check(wrong, hopping_starts);
    assert!(
        !outcome.is_correct() && outcome.points() == 0.0,
        "{}",
        outcome.text()
    );
    assert!(hint_of(&outcome).contains(hint), "{}", outcome.text());
}

#[track_caller]
fn rejects_hopping(wrong: fn(i64, i64, i64) -> Vec<i64>, hint: &str) {
    let outcome = check(tumbling_start, wrong);
    assert!(
        !outcome.is_correct() && outcome.points() == 0.0,
        "{}",
        outcome.text()
    );
    assert!(hint_of(&outcome).contains(hint), "{}", outcome.text());
}

#[test]
fn reference_is_correct_for_every_learner() {
    for code in ["", "guest", "ada", "K-17", "学生"] {
        let outcome = check_for(&Learner::of(code), tumbling_start, hopping_starts);
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert_eq!(outcome.points(), 15.0);
        assert!(outcome.text().ends_with("\n15"));
        assert!(outcome.text().contains("The next question:"));
    }
}

#[test]
fn starts_may_come_in_any_order() {
    let ascending = |ts, size, advance| {
        hopping_starts(ts, size, advance)
            .into_iter()
            .rev()
            .collect()
    };
    assert!(check(tumbling_start, ascending).is_correct());
}

#[test]
#[allow(clippy::todo)]
fn stub_is_not_attempted() {
    let outcome = check(|_, _, _| todo!(), |_, _, _| todo!("your code"));
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
    assert!(outcome.text().ends_with("\n0"));
}

#[test]
#[allow(clippy::todo)]
fn one_stub_left_is_not_yet_and_named() {
    let outcome = check(tumbling_start, |_, _, _| todo!());
    assert!(outcome.is_not_yet());
    assert!(
        outcome
            .text()
            .contains("`hopping_starts` is still the stub"),
        "{}",
        outcome.text()
    );
}

#[test]
fn truncating_division_is_almost_and_told_about_times_before_1970() {
    let outcome = check(
        |ts, size, offset| (ts - offset) / size * size + offset,
        hopping_starts,
    );
    assert!(outcome.is_almost(), "{}", outcome.text());
    assert!(hint_of(&outcome).contains("before 1970"));
    assert!(
        outcome.text().contains("start <= ts < start + size"),
        "{}",
        outcome.text()
    );
    rejects_hopping(
        |ts, size, advance| steps_back(ts / advance * advance, advance, |start| ts < start + size),
        "before 1970",
    );
}

#[test]
fn closed_right_end_is_not_yet_and_told_about_the_boundary() {
    fn closed(ts: i64, size: i64, offset: i64) -> i64 {
        tumbling_start(ts - 1, size, offset)
    }
    rejects_tumbling(closed, "holds its start but not its end");
    let outcome = check(closed, hopping_starts);
    assert!(outcome.is_not_yet());
    assert_eq!(
        outcome.finding().expect("a case").call,
        "tumbling_start(630, 30, 0)"
    );
    rejects_hopping(
        |ts, size, advance| {
            steps_back(tumbling_start(ts - 1, advance, 0), advance, |start| {
                ts <= start + size
            })
        },
        "You put it into the one that ends there",
    );
    rejects_hopping(
        |ts, size, advance| {
            steps_back(tumbling_start(ts, advance, 0), advance, |start| {
                ts <= start + size
            })
        },
        "you count the window that ends exactly at the event",
    );
}

#[test]
fn ignored_offset_is_told() {
    rejects_tumbling(
        |ts, size, _| tumbling_start(ts, size, 0),
        "the offset has no effect",
    );
    rejects_tumbling(
        |ts, size, offset| tumbling_start(ts, size, 0) + offset,
        "at the end only",
    );
}

#[test]
fn rounding_to_the_nearest_start_is_told() {
    rejects_tumbling(
        |ts, size, offset| tumbling_start(ts + size / 2, size, offset),
        "nearest start",
    );
}

#[test]
fn one_start_for_overlapping_windows_is_told() {
    rejects_hopping(
        |ts, _, advance| vec![tumbling_start(ts, advance, 0)],
        "you give one start. Windows that overlap",
    );
    rejects_hopping(
        |ts, size, _| vec![tumbling_start(ts, size, 0)],
        "on the grid of the size",
    );
}

#[test]
fn fixed_number_of_windows_is_almost_and_told() {
    fn fixed(ts: i64, size: i64, advance: i64) -> Vec<i64> {
        (0..size / advance)
            .map(|step| tumbling_start(ts, advance, 0) - step * advance)
            .collect()
    }
    rejects_hopping(fixed, "does not divide the size");
    assert!(check(tumbling_start, fixed).is_almost());
}

#[test]
fn answers_learnt_by_heart_are_almost() {
    let by_heart = |ts, size, offset| match (ts, size, offset) {
        (617, 30, 0) => 600,
        (630, 30, 0) => 630,
        (617, 60, 15) => 615,
        _ => 0,
    };
    let outcome = check(by_heart, hopping_starts);
    assert!(outcome.is_almost(), "{}", outcome.text());
}

#[test]
fn doubled_window_is_named_by_its_property() {
    let outcome = check(tumbling_start, |ts, size, advance| {
        let mut starts = hopping_starts(ts, size, advance);
        if ts < 0 {
            starts.push(starts[0]);
        }
        starts
    });
    assert!(
        matches!(
            outcome.state(),
            State::Almost {
                property: "no window is given twice",
                ..
            }
        ),
        "{}",
        outcome.text()
    );
}

#[test]
fn picture_shows_expected_and_got_with_unit_and_words() {
    let outcome = check(tumbling_start, |ts, _, advance| {
        vec![tumbling_start(ts, advance, 0)]
    });
    let finding = outcome.finding().expect("a case that failed");
    let svg = finding.picture.as_deref().expect("a picture");
    for wanted in [
        "expected",
        ">got<",
        "event time in minutes",
        "role=\"img\"",
        "<title>",
        "Expected windows [590, 620) [600, 630) [610, 640). Got [610, 640).",
    ] {
        assert!(svg.contains(wanted), "no `{wanted}` in {svg}");
    }
    assert!(outcome.html().contains(svg));
}

#[test]
fn picture_of_absurd_answers_is_still_small() {
    let outcome = check(|_, _, _| i64::MAX, hopping_starts);
    let svg = outcome
        .finding()
        .and_then(|finding| finding.picture.clone())
        .expect("a picture");
    assert!(svg.len() < 8_000, "{} bytes", svg.len());
    let outcome = check(tumbling_start, |_, _, _| (0..5000).collect());
    let svg = outcome
        .finding()
        .and_then(|finding| finding.picture.clone())
        .expect("a picture");
    assert!(svg.len() < 8_000, "{} bytes", svg.len());
}

#[test]
fn panic_is_not_yet_with_its_message() {
    let outcome = check(tumbling_start, |_, _, _| panic!("no idea about {}", 617));
    assert!(outcome.is_not_yet());
    assert!(
        outcome.text().contains("it panicked: no idea about 617"),
        "{}",
        outcome.text()
    );
}

#[test]
fn loop_that_pushes_without_end_ends_the_check_alone() {
    let outcome = check(tumbling_start, |ts, _, _| {
        let mut starts = vec![];
        loop {
            starts.push(std::hint::black_box(ts));
        }
    });
    assert!(outcome.is_not_yet());
    let text = outcome.text();
    assert!(
        text.contains("more than 1 GiB") || text.contains("within the time limit"),
        "{text}"
    );
}

#[test]
fn division_by_zero_is_told_as_a_panic() {
    let outcome = check(
        |ts, size, offset| ts / (size - size) + offset,
        hopping_starts,
    );
    assert!(
        outcome.text().contains("attempt to divide by zero"),
        "{}",
        outcome.text()
    );
}

#[test]
fn hidden_cases_differ_between_learners_and_stay_for_one() {
    assert_ne!(
        Learner::of("ada").seed("5.1 E3"),
        Learner::of("bob").seed("5.1 E3")
    );
    assert_ne!(
        Learner::of("ada").seed("5.1 E3"),
        Learner::of("ada").seed("5.1 E4")
    );
    assert_eq!(
        Learner::of("ada").seed("5.1 E3"),
        Learner::of(" ada ").seed("5.1 E3")
    );
}
