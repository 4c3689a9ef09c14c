//! Text of threads that outlive the cell that started them.

use headwater_kernel::evaluate::Output;

use crate::session::Session;

/// What was printed, by cell.
fn printed(session: &Session, cell: u64) -> (String, String) {
    let outputs = session.outputs.lock().unwrap();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for (of, output) in outputs.iter() {
        match output {
            Output::Stdout(text) if *of == cell => stdout.push_str(text),
            Output::Stderr(text) if *of == cell => stderr.push_str(text),
            _ => {}
        }
    }
    (stdout, stderr)
}

#[test]
fn text_of_a_thread_goes_to_the_cell_that_started_it() {
    let mut session = Session::start();
    session.value(
        "let (go, wait) = std::sync::mpsc::channel::<()>();
let ticker = std::thread::spawn(move || {
    wait.recv().unwrap();
    // A thread's own threads belong to the same cell.
    std::thread::spawn(|| println!(\"tick\")).join().unwrap();
    eprintln!(\"tock\");
});",
    );
    session.value(
        "println!(\"here\"); go.send(()).unwrap(); ticker.join().unwrap(); println!(\"there\");",
    );
    assert_eq!(
        printed(&session, 1),
        ("tick\n".to_owned(), "tock\n".to_owned())
    );
    assert_eq!(
        printed(&session, 2),
        ("here\nthere\n".to_owned(), String::new())
    );
}

#[test]
fn text_of_a_task_goes_to_the_cell_that_runs() {
    let mut session = Session::start();
    session.value("tokio::spawn(async { println!(\"one\") }).await?;");
    assert_eq!(printed(&session, 1).0, "one\n");
    session.value("tokio::spawn(async { println!(\"two\") }).await?;");
    assert_eq!(printed(&session, 2).0, "two\n");
    assert_eq!(printed(&session, 1).0, "");
}

#[test]
fn a_long_text_of_a_thread_is_whole() {
    let mut session = Session::start();
    session.value(
        "let (go, wait) = std::sync::mpsc::channel::<()>();
let writer = std::thread::spawn(move || { wait.recv().unwrap(); for _ in 0..100 { println!(\"{}\", \"é\".repeat(10_000)); } });",
    );
    session.value("go.send(()).unwrap(); writer.join().unwrap();");
    let (text, _) = printed(&session, 1);
    assert_eq!(text.lines().count(), 100);
    assert!(
        text.lines()
            .all(|line| line.chars().count() == 10_000 && !line.contains('\u{fffd}'))
    );
}

#[test]
fn a_panic_of_a_thread_is_told_without_places_that_nobody_typed() {
    let mut session = Session::start();
    session.value("let _ = std::thread::Builder::new().name(\"worker\".into()).spawn(|| panic!(\"oh no\"))?.join();");
    let said = printed(&session, 1).1;
    assert!(
        said.contains("thread 'worker' of this cell panicked:\noh no"),
        "{said}"
    );
    assert!(!said.contains(".rs"), "{said}");
}
