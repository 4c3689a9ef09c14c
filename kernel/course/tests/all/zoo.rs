//! Every wrong solution is caught, and told what its author probably believes.

use std::collections::BTreeMap;

use headwater_course::learner::Learner;
use headwater_course::{exercise, zoo};

#[test]
fn every_wrong_solution_gets_no_points_and_the_hint_of_its_misconception() {
    for code in ["guest", "ada", "学生"] {
        let learner = Learner::of(code);
        let escaped: Vec<String> = zoo::all()
            .filter_map(|specimen| specimen.is_caught(&learner).err())
            .collect();
        assert!(escaped.is_empty(), "{code}: {}", escaped.join("\n\n"));
    }
}

#[test]
fn every_exercise_has_at_least_four_wrong_solutions() {
    let mut counts: BTreeMap<&str, usize> = exercise::ALL.map(|exercise| (exercise.id, 0)).into();
    for specimen in zoo::all() {
        *counts.get_mut(specimen.exercise).expect("a known exercise") += 1;
    }
    assert!(counts.values().all(|count| *count >= 4), "{counts:?}");
}

/// Asserts that every wrong solution of an exercise shows a picture with these words, in less than so many
/// bytes.
pub fn each_shows_a_picture(exercise: &str, words: &str, most: usize) {
    let mut count = 0;
    for specimen in zoo::all().filter(|specimen| specimen.exercise == exercise) {
        let outcome = (specimen.check)(&Learner::of("guest"));
        let picture = outcome
            .finding()
            .and_then(|finding| finding.picture.as_deref());
        assert!(
            picture.is_some_and(|svg| svg.contains(words) && svg.len() < most),
            "{}",
            specimen.name
        );
        count += 1;
    }
    assert!(count >= 4, "{count} wrong solutions of {exercise}");
}
