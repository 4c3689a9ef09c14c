//! How outcomes and hints read.

use std::process::Command;

use headwater_course::learner::Learner;
use headwater_course::lesson_5_1::window_starts::check_for;
use headwater_course::{exercise, hint};

#[test]
fn hints_come_in_three_steps_and_stay_at_the_last() {
    let steps: Vec<String> = (0..4).map(|_| hint("5.1 E3").text().to_owned()).collect();
    assert!(steps[0].ends_with('?'), "{}", steps[0]);
    assert!(steps[1].contains("section 3"), "{}", steps[1]);
    assert!(steps[2].contains("fn tumbling_start"), "{}", steps[2]);
    assert_eq!(steps[2], steps[3]);
    assert_eq!(hint("5_1_e3").title(), "Hint 3 of 3 for 5.1 E3");
}

#[test]
fn hint_for_an_unknown_exercise_lists_the_known_ones() {
    let unknown = hint("5.1 E99");
    assert_eq!(unknown.title(), "no exercise `5.1 E99`");
    assert!(unknown.text().contains("have: 5.1 E1"));
}

#[test]
fn ids_are_unique_and_can_be_found() {
    for known in exercise::ALL {
        assert_eq!(exercise::find(known.id), Some(known));
        assert!(known.points > 0 && known.hints.iter().all(|hint| !hint.is_empty()));
    }
}

#[test]
fn text_ends_with_the_points_and_html_escapes() {
    let outcome = check_for(
        &Learner::of("test"),
        |_, _, _| panic!("<b>&"),
        |_, _, _| vec![],
    );
    assert_eq!(outcome.text().lines().last(), Some("0"));
    assert!(outcome.html().contains("&lt;b&gt;&amp;") && !outcome.html().contains("<b>&"));
}

/// Runs itself again as the test below and looks at what it printed.
#[test]
fn check_writes_nothing_to_stderr_even_if_the_functions_panic() {
    let this = std::env::current_exe().expect("a test binary has a path");
    let run = Command::new(this)
        .args([
            "--exact",
            "outcomes::shows_itself",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env("HEADWATER_LEARNER", "ada")
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
    let stdout = String::from_utf8_lossy(&run.stdout);
    assert!(
        stdout.contains("5.1 E3 Assign a window: ✗ not yet"),
        "{stdout}"
    );
    assert!(
        stdout.contains("it panicked: index out of bounds"),
        "{stdout}"
    );
}

#[test]
fn shows_itself() {
    let nothing: [i64; 0] = [];
    assert_eq!(nothing.len(), 0);
    headwater_course::lesson_5_1::check_5_1_e3(
        |ts, _, _| Vec::<i64>::new()[ts as usize],
        |_, _, _| vec![],
    )
    .evcxr_display();
}
