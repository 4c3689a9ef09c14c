//! Exercise 5.1 E2: what the check accepts, and how it reads.

use std::collections::BTreeMap;

use headwater_course::learner::Learner;
use headwater_course::lesson_5_1::engines::{Output, Reading, check_for, example_readings, sums};

fn per_record(readings: &[Reading]) -> Vec<Output> {
    readings
        .iter()
        .map(|reading| sums(reading.arrival_ms, &[*reading]))
        .collect()
}

fn micro_batch(readings: &[Reading], max_n: usize, max_wait_ms: i64) -> Vec<Output> {
    let (mut outputs, mut buffer) = (vec![], Vec::<Reading>::new());
    for reading in readings {
        if let Some(oldest) = buffer.first() {
            let deadline = oldest.arrival_ms + max_wait_ms;
            if reading.arrival_ms >= deadline {
                outputs.push(sums(deadline, &buffer));
                buffer.clear();
            }
        }
        buffer.push(*reading);
        if buffer.len() == max_n {
            outputs.push(sums(reading.arrival_ms, &buffer));
            buffer.clear();
        }
    }
    if let Some(oldest) = buffer.first() {
        outputs.push(sums(oldest.arrival_ms + max_wait_ms, &buffer));
    }
    outputs
}

fn tumbling(readings: &[Reading], size_ms: i64) -> Vec<Output> {
    let mut windows: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
    for reading in readings {
        let start = reading.event_ms - reading.event_ms.rem_euclid(size_ms);
        windows.entry(start).or_default().push(*reading);
    }
    windows
        .into_iter()
        .map(|(start, inside)| sums(start, &inside))
        .collect()
}

#[test]
fn reference_is_correct_for_every_learner() {
    for code in ["", "guest", "ada", "学生"] {
        let outcome = check_for(&Learner::of(code), per_record, micro_batch, tumbling);
        assert!(outcome.is_correct(), "{code}: {}", outcome.text());
        assert!(outcome.text().ends_with("\n20"));
    }
}

#[test]
fn example_has_the_answers_of_the_lesson() {
    let told = |outputs: Vec<Output>| {
        outputs
            .iter()
            .map(|output| format!("{output:?}"))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let readings = example_readings();
    assert_eq!(
        told(micro_batch(&readings, 4, 500)),
        "650 ms {1: 5, 2: 3}; 1620 ms {1: 4, 2: 2}; 3150 ms {1: 6, 2: 1}"
    );
    assert_eq!(
        told(tumbling(&readings, 1000)),
        "0 ms {1: 5, 2: 5}; 1000 ms {1: 4}; 2000 ms {1: 6, 2: 1}"
    );
}

#[test]
#[allow(clippy::todo)]
fn stubs_are_not_attempted_and_one_stub_is_named() {
    let learner = Learner::of("test");
    assert!(check_for(&learner, |_| todo!(), |_, _, _| todo!(), |_, _| todo!()).is_not_attempted());
    let outcome = check_for(&learner, per_record, micro_batch, |_, _| todo!());
    assert!(
        outcome.is_not_yet() && outcome.text().contains("`tumbling` is still the stub"),
        "{}",
        outcome.text()
    );
}

#[test]
fn lost_batch_shows_which_output_is_missing() {
    let outcome = check_for(
        &Learner::of("test"),
        per_record,
        |readings, max_n, wait| {
            let mut outputs = micro_batch(readings, max_n, wait);
            outputs.truncate(2);
            outputs
        },
        tumbling,
    );
    let svg = outcome
        .finding()
        .and_then(|finding| finding.picture.clone())
        .expect("a picture");
    assert!(
        svg.contains("output 3: expected 3150 ms {1: 6, 2: 1}, got no output."),
        "{svg}"
    );
}
