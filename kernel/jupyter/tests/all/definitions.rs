//! What cells define for later ones: statics that live, items that only some cells need, and
//! definitions that take the place of others.

use crate::session::Session;

const COUNTER: &str = "use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
static COUNTER: AtomicU32 = AtomicU32::new(0);";

#[test]
fn a_static_lives_as_long_as_the_session() {
    let mut session = Session::start();
    session.value(COUNTER);
    session.value(
        "fn next() -> u32 { static IDS: AtomicU32 = AtomicU32::new(7); IDS.fetch_add(1, SeqCst) }",
    );
    for round in 0..3 {
        let both = session.value("(COUNTER.fetch_add(1, SeqCst), next())");
        assert_eq!(both, format!("({round}, {})", round + 7));
    }
    session.value("mod held { pub static NAMES: std::sync::Mutex<Vec<&str>> = std::sync::Mutex::new(Vec::new()); }");
    session.value("held::NAMES.lock().unwrap().push(\"a\");");
    assert_eq!(session.value("held::NAMES.lock().unwrap().len()"), "1");
}

#[test]
fn a_static_starts_anew_in_a_new_child_and_when_it_is_defined_again() {
    let mut session = Session::start();
    session.value(COUNTER);
    session.value("COUNTER.fetch_add(5, SeqCst);");
    assert_eq!(session.fails("std::process::abort();").ename, "ChildDied");
    assert_eq!(session.value("COUNTER.fetch_add(1, SeqCst)"), "0");
    assert_eq!(session.value("COUNTER.load(SeqCst)"), "1");
    session.value("static COUNTER: AtomicU32 = AtomicU32::new(40);");
    assert_eq!(session.value("COUNTER.load(SeqCst)"), "40");
}

#[test]
fn a_static_whose_type_changes_starts_anew() {
    let mut session = Session::start();
    session.value("struct Row { n: u8 }\nstruct Table { rows: Vec<Row> }");
    session.value("static TABLE: std::sync::Mutex<Table> = std::sync::Mutex::new(Table { rows: Vec::new() });");
    session.value("TABLE.lock().unwrap().rows.push(Row { n: 1 });");
    assert_eq!(session.value("TABLE.lock().unwrap().rows.len()"), "1");
    session.value("struct Row { n: u64, name: String }");
    assert_eq!(session.value("TABLE.lock().unwrap().rows.len()"), "0");
}

#[test]
fn a_constant_reads_a_static_of_an_earlier_cell() {
    let mut session = Session::start();
    session.value("static LIMITS: [usize; 2] = [3, 4];");
    assert_eq!(session.value("const MOST: usize = LIMITS[1]; MOST"), "4");
}

#[test]
fn a_type_inside_another_takes_the_variables_of_both_with_it() {
    let mut session = Session::start();
    session.value("struct Inner { n: u8 }\nstruct Outer { inner: Inner }");
    session.value("let outer = Outer { inner: Inner { n: 1 } }; let other = 3;");
    session.value("struct Inner { n: u64, name: String }");
    let said = session.stderr();
    assert!(said.contains("defined anew: outer"), "{said}");
    let failure = session.fails("outer.inner.n");
    assert!(
        failure.evalue.contains("cannot find value `outer`"),
        "{}",
        failure.evalue
    );
    assert_eq!(session.value("other"), "3");
}

#[test]
fn the_same_definition_again_keeps_its_variables() {
    let mut session = Session::start();
    let cell = "#[derive(Debug)] struct Fare { usd: f64 }";
    session.value(cell);
    session.value("let fare = Fare { usd: 2.5 };");
    session.value(cell);
    assert_eq!(session.stderr(), "");
    assert_eq!(session.value("fare"), "Fare { usd: 2.5 }");
}

#[test]
fn one_method_of_an_impl_can_be_defined_anew() {
    let mut session = Session::start();
    session.value("struct Fare(f64);\nimpl Fare { fn tip(&self) -> f64 { 1.0 } fn total(&self) -> f64 { self.0 + self.tip() } }");
    session.value("impl Fare { fn tip(&self) -> f64 { 3.0 } }");
    assert_eq!(session.value("Fare(2.0).total()"), "5.0");
}

#[test]
fn an_item_that_only_a_macro_names_is_found() {
    let mut session = Session::start();
    session.value("trait Tip { fn amount(&self) -> f64 { 0.5 } }");
    session.value("impl Tip for f64 {}");
    session.value("fn tip_of(fare: f64) -> f64 { fare.amount() }");
    session.value("macro_rules! tip { ($fare:expr) => { tip_of($fare) }; }");
    assert_eq!(session.value("tip!(2.0)"), "0.5");
    // The bound stands in the trait's method alone: nothing in this cell mentions `Loud`.
    session
        .value("trait Loud { fn loud(&self) -> String; }\ntrait Say { fn say(&self) -> String; }");
    session.value("impl Loud for u8 { fn loud(&self) -> String { \"LOUD\".into() } }");
    session.value("impl<T: Loud> Say for T { fn say(&self) -> String { self.loud() } }");
    assert_eq!(session.value("7u8.say()"), "\"LOUD\"");
}

#[test]
fn a_drop_written_in_another_module_still_runs() {
    let mut session = Session::start();
    session.value("struct Noisy;");
    session.value("mod noise { impl Drop for super::Noisy { fn drop(&mut self) { println!(\"dropped\"); } } }");
    session.value("let noisy = Noisy; drop(noisy);");
    assert_eq!(session.stdout(), "dropped\n");
}

#[test]
fn a_return_leaves_the_cell_and_keeps_what_was_there_before() {
    let mut session = Session::start();
    session.value("let before = 1;");
    session.value(
        "let after = 2; if before == 1 { println!(\"leaves\"); return; } println!(\"never\");",
    );
    assert_eq!(session.stdout(), "leaves\n");
    let failure = session.fails("after");
    assert!(
        failure.evalue.contains("cannot find value `after`"),
        "{}",
        failure.evalue
    );
    session.value("let before = 5; return Ok(());");
    assert_eq!(session.value("before"), "1");
}

#[test]
fn an_unclosed_brace_is_told_as_one() {
    let mut session = Session::start();
    let failure = session.fails("fn open() {\n    let a = 1;");
    assert!(
        failure.evalue.contains("unclosed delimiter"),
        "{}",
        failure.evalue
    );
}

#[test]
fn an_error_of_an_item_does_not_come_back_in_later_cells() {
    let mut session = Session::start();
    session.fails("fn broken() -> u32 { \"text\" }");
    assert_eq!(session.value("1 + 1"), "2");
    session.value("fn whole() -> u32 { 4 }");
    assert_eq!(session.value("whole()"), "4");
}

#[test]
fn a_function_in_a_variable_is_kept() {
    let mut session = Session::start();
    session.value("fn twice(n: i32) -> i32 { n * 2 }\nlet function = twice;");
    assert_eq!(session.stderr(), "");
    assert_eq!(session.value("function(4)"), "8");
}

#[test]
fn a_closure_in_a_variable_is_kept_with_what_it_has_captured() {
    let mut session = Session::start();
    session.value("let factor = 3;\nlet scaled = move |n: i32| n * factor;\nlet length = |text: &str| text.len();");
    assert_eq!(session.stderr(), "");
    session.value("let owned = String::from(\"four\");");
    assert_eq!(session.value("(scaled(4), length(&owned))"), "(12, 4)");
    session.value("let mut count = 0; let mut next = move || { count += 1; count }; next();");
    assert_eq!(session.value("(next(), next())"), "(2, 3)");
    session.value("let many = vec![1, 2]; let borrows = || many.len(); borrows()");
    let said = session.stderr();
    assert!(
        said.contains("not kept") && said.contains("borrows"),
        "{said}"
    );
    assert_eq!(session.value("many"), "[1, 2]");
    let once = "let owned = String::from(\"once\"); let give = move || owned; give()";
    assert_eq!(session.value(once), "\"once\"");
    // A mistake elsewhere in the cell is told as it is.
    let failure = session.fails("let plus = |n: i32| n + 1; let wrong: u8 = \"text\";");
    assert!(
        failure.evalue.contains("mismatched types"),
        "{}",
        failure.evalue
    );
}
