//! How cells end badly, what is kept, and how to get back what is not.

use crate::session::Session;

#[test]
fn a_dead_child_is_replaced_and_mourned() {
    let mut session = Session::start();
    for (code, words) in [
        ("std::process::abort();", "SIGABRT"),
        ("std::process::exit(3);", "exit code 3"),
        (
            "fn deep(n: u64) -> u64 { if n == 0 { 0 } else { 1 + deep(n - 1) } } deep(100_000_000)",
            "overflowed its stack",
        ),
        (
            "unsafe { std::ptr::null::<u8>().read_volatile() };",
            "SIGSEGV",
        ),
        (
            "let huge: Vec<u8> = Vec::with_capacity(1 << 60);",
            "no memory for it",
        ),
    ] {
        session.value("let lost = 1;");
        let failure = session.fails(code);
        assert_eq!(failure.ename, "ChildDied", "{code}");
        assert!(failure.evalue.contains(words), "{code}: {}", failure.evalue);
        assert!(
            failure.evalue.contains("lost variables: lost: i32"),
            "{}",
            failure.evalue
        );
        assert!(session.fails("lost").evalue.contains("cannot find value"));
    }
}

#[test]
fn replay_makes_again_what_a_dead_child_took_with_it() {
    let mut session = Session::start();
    session.value("fn start() -> Vec<i32> { vec![1] }");
    session.value("let mut numbers = start();");
    session.value("let unrelated = vec![5]; println!(\"not again\");");
    session.value("drop(unrelated);");
    session.value("numbers.push(2);");
    session.value("let total: i32 = numbers.iter().sum();");
    let failure = session.fails("std::process::abort();");
    assert!(failure.evalue.contains(":replay"), "{}", failure.evalue);
    let unknown = session.fails("numbers").traceback.concat();
    assert!(unknown.contains("`:replay` makes it again"), "{unknown}");
    assert!(
        failure.evalue.contains("made them: 2, 5, 6"),
        "{}",
        failure.evalue
    );
    assert_eq!(
        session.value(":replay"),
        "variables: numbers: Vec<i32>, total: i32"
    );
    assert_eq!(
        session.stdout(),
        "",
        "the cell that defined nothing lost is not run again"
    );
    assert_eq!(session.value("(numbers.len(), total)"), "(2, 3)");
    assert!(session.value(":replay").contains("nothing to replay"));
}

#[test]
fn replay_stops_at_a_cell_that_fails_and_keeps_what_it_has_made() {
    let mut session = Session::start();
    let gate = tempfile::tempdir().unwrap();
    let file = gate.path().join("there");
    std::fs::write(&file, "").unwrap();
    session.value("let first = 1;");
    session.value(&format!("let second = std::fs::read({file:?})?;"));
    session.fails("std::process::abort();");
    std::fs::remove_file(&file).unwrap();
    let failure = session.fails(":replay");
    assert!(
        failure.traceback.concat().contains("cell 2"),
        "{:?}",
        failure.traceback
    );
    assert_eq!(session.value("first"), "1");
}

#[test]
fn restart_forgets_variables_and_says_how_to_get_them_back() {
    let mut session = Session::start();
    session.value("fn three() -> i32 { 3 }");
    session.value("let a = three();");
    let said = session.value(":restart");
    assert!(
        said.contains("forgotten: a: i32") && said.contains(": 2"),
        "{said}"
    );
    assert!(session.fails("a").evalue.contains("cannot find value"));
    session.value(":replay");
    assert_eq!(session.value("a"), "3");
}

#[test]
fn an_interrupt_during_compilation_keeps_everything() {
    let mut session = Session::start();
    session.value("let kept = 7;");
    let interrupter = session.evaluator.interrupter();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    // Interrupts all the time: whatever phase the cell is in, one of them hits it.
    let nag = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            interrupter.interrupt();
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let failure =
        session.fails("let much: Vec<String> = (0..10).map(|n| format!(\"{n:?}\")).collect();");
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    nag.join().unwrap();
    assert!(failure.evalue.contains("interrupted"), "{}", failure.evalue);
    assert_eq!(session.value("kept"), "7");
}
