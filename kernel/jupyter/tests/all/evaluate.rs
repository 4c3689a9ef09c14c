//! Cells through the evaluator itself: what they give, what they keep, how they fail.

use headwater_kernel::evaluate::frame::Event;
use headwater_kernel::evaluate::{Completeness, Output, completeness};

use crate::session::Session;

#[test]
fn cells_give_what_rust_gives() {
    let mut session = Session::start();
    for (code, expected) in [
        ("1 + 1", "2"),
        ("let x = 5;", ""),
        ("x * 2", "10"),
        ("let x = x + 1; x", "6"),
        ("let (a, mut b) = (1, vec![2]); b.push(3);", ""),
        ("b.push(a); b.len()", "3"),
        ("b", "[2, 3, 1]"),
        (
            "struct P { a: i32 } impl P { fn twice(&self) -> i32 { self.a * 2 } } let p = P { a: 4 };",
            "",
        ),
        ("p.twice()", "8"),
        (
            "trait Area { fn area(&self) -> f64; } impl Area for P { fn area(&self) -> f64 { f64::from(self.a) } }",
            "",
        ),
        ("p.area()", "4.0"),
        ("use std::collections::{BTreeMap, HashMap as Map};", ""),
        (
            "let mut counts: Map<&str, u32> = Map::new(); *counts.entry(\"k\").or_default() += 2; counts[\"k\"]",
            "2",
        ),
        ("BTreeMap::from([(1, \"a\")])", "{1: \"a\"}"),
        ("macro_rules! double { ($e:expr) => { $e * 2 } }", ""),
        ("double!(x)", "12"),
        ("mod shapes { pub const SIDES: u32 = 3; }", ""),
        ("shapes::SIDES // a comment at the end", "3"),
        ("async fn add(a: i32, b: i32) -> i32 { a + b }", ""),
        ("add(1, 2).await", "3"),
        (
            "let boxed: Box<dyn Fn(i32) -> i32> = Box::new(|n| n + 1);",
            "",
        ),
        ("boxed(1)", "2"),
        (
            "let text = String::from(\"grün €\"); text.chars().count()",
            "6",
        ),
        (
            "#[derive(Debug, Clone, PartialEq)] enum Light { Red, Green }",
            "",
        ),
        ("let light = Light::Green; light.clone()", "Green"),
        ("match light { Light::Red => 1, Light::Green => 2 }", "2"),
        ("if x > 3 { \"big\" } else { \"small\" }", "\"big\""),
        ("let handle = std::thread::spawn(|| 40 + 2);", ""),
        ("handle.join().unwrap()", "42"),
        ("for n in 0..3 { let _ = n; }", ""),
        (
            "#[derive(serde::Serialize)] struct Trip { fare: f64 } serde_json::to_string(&Trip { fare: 2.5 })?",
            "\"{\\\"fare\\\":2.5}\"",
        ),
        ("let closure = |n: i32| n * 3; closure(2)", "6"),
        (
            "fn fact(n: u64) -> u64 { if n < 2 { 1 } else { n * fact(n - 1) } } fact(10)",
            "3628800",
        ),
        ("fn fact(n: u64) -> u64 { n } fact(10)", "10"),
        ("r#\"a { b\"#", "\"a { b\""),
        ("()", ""),
    ] {
        assert_eq!(session.value(code), expected, "{code}");
    }
}

#[test]
fn variables_survive_a_panic_a_compile_error_and_a_failing_question_mark() {
    let mut session = Session::start();
    session.value("let kept = vec![1, 2, 3];");
    let panic = session.fails("println!(\"{kept:?}\");\npanic!(\"oh no {}\", kept.len())");
    assert_eq!(
        (panic.ename.as_str(), panic.evalue.as_str()),
        ("Panic", "oh no 3")
    );
    assert!(
        panic.traceback.concat().contains("cell 2, line 2"),
        "{:?}",
        panic.traceback
    );
    let compile = session.fails("let n: i32 = \"text\";");
    assert_eq!(compile.ename, "CompileError");
    assert!(
        compile.evalue.contains("mismatched types (cell 3, line 1)"),
        "{}",
        compile.evalue
    );
    let failing = session.fails("kept.len();\nlet n: i32 = \"abc\".parse()?;");
    assert_eq!(failing.ename, "ParseIntError");
    assert!(
        failing.traceback[0].contains("cell 4, line 2"),
        "{:?}",
        failing.traceback
    );
    assert_eq!(session.value("kept"), "[1, 2, 3]");
}

#[test]
fn an_interrupted_library_call_keeps_variables() {
    let mut session = Session::start();
    session.value("let kept = 7;");
    let failure = session.interrupted(
        "println!(\"go\");\nloop { headwater::streams::interrupt::check()?; std::thread::yield_now(); }",
    );
    assert_eq!(failure.ename, "Interrupted");
    assert_eq!(session.value("kept"), "7");
}

#[test]
fn an_endless_loop_is_ended_and_lists_what_was_lost() {
    let mut session = Session::start();
    session.value("let lost = vec![1.5];");
    session.value("fn stays() -> i32 { 3 }");
    let failure = session.interrupted("println!(\"go\"); loop {}");
    assert_eq!(failure.ename, "Interrupted");
    assert!(
        failure.evalue.contains("lost variables: lost: Vec<f64>"),
        "{}",
        failure.evalue
    );
    assert_eq!(session.value("stays()"), "3");
}

#[test]
fn variables_that_cannot_be_kept_are_named() {
    let mut session = Session::start();
    session.value("let lazy = (0..3).map(|n| n + 1);");
    assert!(
        session.stderr().contains("lazy: Map<Range<i32>, closure>"),
        "{}",
        session.stderr()
    );
    session.value("let owner = String::from(\"a\"); let borrower = &owner;");
    assert!(
        session
            .stderr()
            .contains("borrows from another variable: borrower"),
        "{}",
        session.stderr()
    );
    assert_eq!(session.value("owner"), "\"a\"");
    session.value("drop(owner);");
    assert!(
        session
            .fails("owner")
            .evalue
            .contains("cannot find value `owner`")
    );
}

#[test]
fn a_redefined_type_takes_its_variables_with_it() {
    let mut session = Session::start();
    session.value("struct P { a: i32 } let p = P { a: 1 }; let n = 2;");
    session.value("struct P { a: i64, b: i64 }");
    assert!(
        session.stderr().contains("defined anew: p"),
        "{}",
        session.stderr()
    );
    assert!(
        session
            .fails("p.a")
            .evalue
            .contains("cannot find value `p`")
    );
    assert_eq!(session.value("n"), "2");
}

#[test]
fn an_immutable_variable_stays_immutable_in_later_cells() {
    let mut session = Session::start();
    session.value("let fixed = 1; let mut free = 1;");
    session.value("free += 1;");
    assert!(
        session
            .fails("fixed += 1;")
            .evalue
            .contains("cannot assign")
    );
    assert_eq!(session.value("fixed + free"), "3");
}

#[test]
fn output_keeps_the_order_in_which_the_cell_made_it() {
    let mut session = Session::start();
    session.value(
        "print!(\"a\");\nheadwater::streams::display::show([(\"text/plain\".to_string(), \"b\".to_string())].into());\nprintln!(\"c\");",
    );
    let order: Vec<String> = session
        .outputs
        .lock()
        .unwrap()
        .iter()
        .map(|(_, output)| match output {
            Output::Stdout(text) | Output::Stderr(text) => text.clone(),
            Output::Frame(Event::Display { data, .. }) => data["text/plain"].clone(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(order, ["a", "b", "c\n"]);
}

#[test]
fn text_and_displays_keep_their_order_however_fast_they_come() {
    let mut session = Session::start();
    session.value(
        "for _ in 0..300 {
    print!(\"a\");
    headwater::streams::display::show([(\"text/plain\".to_string(), \"b\".to_string())].into());
    println!(\"c\");
}",
    );
    let outputs = session.outputs.lock().unwrap();
    let all: String = outputs
        .iter()
        .map(|(_, output)| match output {
            Output::Stdout(text) | Output::Stderr(text) => text.as_str(),
            Output::Frame(Event::Display { data, .. }) => data["text/plain"].as_str(),
            _ => "",
        })
        .collect();
    assert_eq!(all, "abc\n".repeat(300));
}

#[test]
fn a_display_after_the_cell_has_returned_is_of_that_cell() {
    let mut session = Session::start();
    session.value(
        "use headwater::streams::display;
let (give, take) = std::sync::mpsc::channel::<()>();
let cell = display::current_cell();
let later = std::thread::spawn(move || { display::adopt(cell); let _ = take.recv(); display::show([(\"text/plain\".to_string(), \"late\".to_string())].into()); });",
    );
    session.value("drop(give); later.join().unwrap();");
    let late = session
        .outputs
        .lock()
        .unwrap()
        .iter()
        .find_map(|(cell, output)| match output {
            Output::Frame(Event::Display { .. }) => Some(*cell),
            _ => None,
        });
    assert_eq!(late, Some(1));
}

#[test]
fn an_error_in_an_earlier_cells_item_points_there() {
    let mut session = Session::start();
    session.value("struct P { a: i32 }\nfn read(p: &P) -> i32 { p.a }");
    let failure = session.fails("struct P { b: i32 }");
    assert!(
        failure.evalue.contains("cell 1, line 2"),
        "{}",
        failure.evalue
    );
    assert_eq!(session.value("read(&P { a: 3 })"), "3");
}

#[test]
fn completion_knows_variables_items_and_cursors_in_letters() {
    let mut session = Session::start();
    session.value("let departures = 1; fn departed() -> i32 { departures_of() } fn departures_of() -> i32 { 1 }");
    let completer = session.evaluator.completer();
    let names = completer.complete("let é = depar", 13);
    assert_eq!((names.start, names.end), (8, 13));
    let texts: Vec<&str> = names
        .matches
        .iter()
        .map(|found| found.text.as_str())
        .collect();
    assert_eq!(texts, ["departed", "departures", "departures_of"]);
}

#[test]
fn completeness_tells_the_three_cases_apart() {
    assert_eq!(completeness("let a = 1;"), Completeness::Complete);
    assert_eq!(completeness("1 + 1"), Completeness::Complete);
    assert_eq!(completeness(":vars"), Completeness::Complete);
    assert_eq!(
        completeness("fn f() {"),
        Completeness::Incomplete {
            indent: "    ".into()
        }
    );
    assert_eq!(
        completeness("foo(\"a }"),
        Completeness::Incomplete {
            indent: "    ".into()
        }
    );
    assert!(matches!(
        completeness("let a ="),
        Completeness::Incomplete { .. }
    ));
    assert_eq!(completeness("let = = 3;"), Completeness::Invalid);
    assert_eq!(completeness("a)"), Completeness::Invalid);
    assert_eq!(
        completeness("let c = '{'; let s: &'static str = \"}\";"),
        Completeness::Complete
    );
}

#[test]
fn errors_name_types_as_a_person_writes_them() {
    let mut session = Session::start();
    session.value("let frame = df!(\"a\" => [1])?; let names = vec![\"a\"];");
    let wrong = session.fails("let n: i32 = frame.clone();").traceback;
    let wrong = wrong.join("\n");
    assert!(
        wrong.contains("`DataFrame`") && !wrong.contains("::DataFrame"),
        "{wrong}"
    );
    let moved = session
        .fails("let a = names; names.len()")
        .traceback
        .join("\n");
    assert!(moved.contains("`Vec<&str>`"), "{moved}");
    // A path that the person has typed is shown as typed.
    let path = session.fails("use std::collections::HashMop;").evalue;
    assert!(path.contains("std::collections::HashMop"), "{path}");
}
