//! Checks of a learner's functions: made in a fresh process, away from the session.

use std::time::Instant;

use crate::front_end::FrontEnd;

/// Calls a function of the session `calls` times in a fresh process, and returns how that went.
fn probe(front_end: &mut FrontEnd, function: &str, calls: usize) -> String {
    front_end.value(&format!(
        "let limit = std::time::Duration::from_secs(20);\n\
         format!(\"{{:?}}\", headwater::course::attempt::probe(limit, {calls}, {function}))"
    ))
}

#[test]
fn check_sees_the_code_of_the_session_and_not_its_changes() {
    let mut front_end = FrontEnd::start();
    front_end.run("use std::sync::atomic::{AtomicU64, Ordering};\nstatic COUNT: AtomicU64 = AtomicU64::new(3);");
    front_end.run("COUNT.store(7, Ordering::Relaxed);");
    front_end.run("fn look(index: usize) -> u64 { COUNT.fetch_add(1, Ordering::Relaxed) + index as u64 * 100 }");
    assert!(
        probe(&mut front_end, "look", 2).contains("answers: [Value(3), Value(104)], end: Finished")
    );
    assert_eq!(front_end.value("COUNT.load(Ordering::Relaxed)"), "7");
}

#[test]
fn query_runs_within_a_check() {
    let mut front_end = FrontEnd::start();
    front_end.run(
        "fn groups(_: usize) -> u64 {\n    \
             let frame = df![\"key\" => [1_i64, 2, 2]].unwrap().lazy();\n    \
             frame.group_by([col(\"key\")]).agg([len()]).collect().unwrap().height() as u64\n\
         }",
    );
    assert!(probe(&mut front_end, "groups", 1).contains("Value(2)"));
}

#[test]
fn abort_loop_and_full_stack_end_the_check_and_keep_the_variables() {
    let mut front_end = FrontEnd::start();
    front_end.run("let kept = 42;");
    front_end.run("fn aborts(_: usize) -> u64 { std::process::abort() }");
    assert!(probe(&mut front_end, "aborts", 1).contains("signal 6"));
    front_end.run(
        "fn deeper(depth: usize) -> u64 {\n    \
             let room = std::hint::black_box([depth as u64; 64]);\n    \
             if depth == usize::MAX { 0 } else { deeper(depth + 1) + room[depth % 64] }\n\
         }",
    );
    assert!(probe(&mut front_end, "deeper", 1).contains("StackOverflow"));
    front_end.run("fn forever(_: usize) -> u64 { loop { std::hint::spin_loop(); } }");
    let begun = Instant::now();
    let ended = front_end.value(
        "let limit = std::time::Duration::from_millis(500);\n\
         format!(\"{:?}\", headwater::course::attempt::probe(limit, 1, forever))",
    );
    assert!(
        ended.contains("TimeLimit"),
        "{ended} after {:?}",
        begun.elapsed()
    );
    assert_eq!(front_end.value("kept"), "42");
}
