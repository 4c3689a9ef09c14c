//! The exercises of lesson 5.5: right answers pass, each wrong one is caught with its hint.

use headwater_course::learner::Learner;
use headwater_course::lesson_5_5::monitor::{RIGHT, check_for};
use headwater_course::lesson_5_5::{Cusum, Score};

use crate::zoo::each_shows_a_picture;

const CODES: [&str; 3] = ["guest", "ada", "学生"];

#[test]
fn right_detectors_and_score_pass() {
    for code in CODES {
        let outcome = check_for(&Learner::of(code), RIGHT.0, RIGHT.1, RIGHT.2);
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert_eq!(outcome.points(), 25.0);
    }
}

/// As in the solutions, with its own median and one loop.
fn by_hand(past: &[f64], value: f64) -> f64 {
    if past.len() < 30 {
        return 0.0;
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
        let half = values.len() / 2;
        if values.len().is_multiple_of(2) {
            0.5 * (values[half - 1] + values[half])
        } else {
            values[half]
        }
    };
    let centre = median(past.to_vec());
    let spread = median(past.iter().map(|one| (one - centre).abs()).collect());
    (value - centre) / f64::max(1.0, spread * 1.4826)
}

#[test]
fn another_way_to_write_the_robust_z_passes() {
    let outcome = check_for(&Learner::of("ada"), by_hand, RIGHT.1, RIGHT.2);
    assert!(outcome.is_correct(), "{}", outcome.text());
}

#[test]
#[allow(clippy::todo)]
fn stubs_are_not_attempted() {
    let outcome = check_for(
        &Learner::of("test"),
        |_, _| todo!(),
        |_, _| todo!(),
        |_, _| todo!(),
    );
    assert!(outcome.is_not_attempted(), "{}", outcome.text());
}

#[test]
fn state_that_begins_anew_in_each_batch_is_not_yet_right() {
    fn afresh(_: &mut Cusum, batch: &[f64]) -> Vec<bool> {
        (RIGHT.1)(&mut Cusum::default(), batch)
    }
    let outcome = check_for(&Learner::of("guest"), RIGHT.0, afresh, RIGHT.2);
    assert!(outcome.is_not_yet(), "{}", outcome.text());
    assert!(
        outcome.text().contains("What the last batch left"),
        "{}",
        outcome.text()
    );
}

#[test]
fn detector_that_is_right_on_the_shown_cases_alone_is_almost_right() {
    fn remembers_little(past: &[f64], value: f64) -> f64 {
        (RIGHT.0)(&past[past.len().saturating_sub(40)..], value)
    }
    let outcome = check_for(&Learner::of("guest"), remembers_little, RIGHT.1, RIGHT.2);
    assert!(outcome.is_almost(), "{}", outcome.text());
}

#[test]
fn answers_that_are_too_few_are_told() {
    fn only_the_first(state: &mut Cusum, batch: &[f64]) -> Vec<bool> {
        (RIGHT.1)(state, &batch[..batch.len().min(1)])
    }
    let outcome = check_for(&Learner::of("guest"), RIGHT.0, only_the_first, RIGHT.2);
    assert!(outcome.text().contains("odd: Some"), "{}", outcome.text());
}

#[test]
fn panic_in_the_score_is_a_finding() {
    fn divides(alarms: &[i64], faults: &[(i64, i64)]) -> Score {
        let first = alarms[0];
        Score {
            found: faults.len(),
            worst_delay_s: first,
            false_alarms: 0,
        }
    }
    let outcome = check_for(&Learner::of("guest"), RIGHT.0, RIGHT.1, divides);
    assert!(outcome.is_not_yet(), "{}", outcome.text());
}

#[test]
fn wrong_answers_show_a_picture() {
    each_shows_a_picture("5.5 E5", "", 12_000);
}
