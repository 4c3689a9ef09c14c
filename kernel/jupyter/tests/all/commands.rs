//! Lines for the kernel: commands, the shell, crates.

use crate::session::Session;

#[test]
fn commands_answer_and_unknown_ones_say_what_there_is() {
    let mut session = Session::start();
    session.value("let numbers = vec![1u8];");
    assert!(session.value(":vars").contains("numbers           Vec<u8>"));
    assert_eq!(session.value(":type numbers"), "std::vec::Vec<u8>");
    assert!(session.fails(":nope").evalue.contains(":help"));
    session.value(":clear");
    assert!(
        session
            .fails("numbers")
            .evalue
            .contains("cannot find value")
    );
}

#[test]
fn clear_forgets_and_help_lists_every_command() {
    let mut session = Session::start();
    session.value("struct P; let numbers = 1;");
    assert!(session.value(":clear").contains("forgotten: 1 variables"));
    assert!(session.fails("P").evalue.contains("cannot find value"));
    let help = session.value(":help");
    for command in [":dep CRATE", ":replay", ":timing", ":explain", ":evcxr"] {
        assert!(help.contains(command), "{command} in {help}");
    }
}

#[test]
fn commands_and_code_stand_in_one_cell_and_errors_point_at_the_right_line() {
    let mut session = Session::start();
    assert_eq!(session.value("// a comment\n:offline 1\n1 + 1"), "2");
    let failure = session.fails(":offline 1\n\nlet n: i32 = \"text\";");
    assert!(
        failure.evalue.contains("cell 2, line 3"),
        "{}",
        failure.evalue
    );
}

#[test]
fn settings_change_how_results_and_errors_are_written() {
    let mut session = Session::start();
    session.value(":fmt {:#?}");
    assert_eq!(session.value("Some(1)"), "Some(\n    1,\n)");
    session.value(":fmt {:?}");
    session.value(":types");
    assert_eq!(session.value("1u8"), "1: u8");
    session.value(":types");
    session.value(":efmt {:?}");
    let failing = "let n: i32 = \"x\".parse()?;";
    assert_eq!(
        session.fails(failing).evalue,
        "ParseIntError { kind: InvalidDigit }"
    );
    session.value(":efmt {}");
    assert_eq!(
        session.fails(failing).evalue,
        "invalid digit found in string"
    );
    let wrong = session.fails(":fmt {:x}").evalue;
    assert!(wrong.contains(":fmt {:?}|{:#?}"), "{wrong}");
}

#[test]
fn environment_variables_outlive_the_process_for_cells() {
    let mut session = Session::start();
    session.value(":env HEADWATER_TEST=a b=c");
    let read = "std::env::var(\"HEADWATER_TEST\")?";
    assert_eq!(session.value(read), "\"a b=c\"");
    session.value(":restart");
    assert_eq!(session.value(read), "\"a b=c\"");
    assert!(session.fails(":env nothing").evalue.contains("NAME=VALUE"));
}

#[test]
fn explain_knows_the_last_error_and_any_code() {
    let mut session = Session::start();
    assert!(session.value(":explain").contains("no error to explain"));
    session.fails("let n: i32 = \"text\";");
    assert!(
        session
            .value(":explain")
            .contains("Expected type did not match")
    );
    assert!(session.value(":last_error_json").contains("E0308"));
    assert!(session.value(":explain E0382").contains("moved"));
    assert!(
        session
            .fails(":explain E9999")
            .evalue
            .contains(":explain [CODE]")
    );
}

#[test]
fn timing_says_where_the_time_went() {
    let mut session = Session::start();
    session.value(":timing");
    session.value("1 + 1");
    let said = session.stderr();
    assert!(
        said.contains("compile") && said.contains("1 call of rustc"),
        "{said}"
    );
    session.value(":timing");
    session.value("1 + 1");
    assert_eq!(session.stderr(), "");
}

#[test]
fn commands_of_evcxr_without_effect_say_why() {
    let mut session = Session::start();
    assert!(session.value(":sccache 1").contains("changes nothing here"));
    assert!(
        session
            .value(":preserve_vars_on_panic 1")
            .contains("always")
    );
}

#[test]
fn the_shell_answers_in_the_cell() {
    let mut session = Session::start();
    session.value("!echo grün; echo oh >&2");
    assert_eq!(
        (session.stdout().as_str(), session.stderr().as_str()),
        ("grün\n", "oh\n")
    );
    let failure = session.fails("!exit 3");
    assert!(failure.evalue.contains("exit code 3"), "{}", failure.evalue);
    let failure = session.interrupted("!echo go; exec sleep 600");
    assert_eq!(failure.ename, "Interrupted");
}

#[test]
fn blocks_in_evcxrs_convention_are_displays() {
    let mut session = Session::start();
    session.value(
        "struct Bold(&'static str); impl Bold { fn evcxr_display(&self) { println!(\"EVCXR_BEGIN_CONTENT text/html\\n<b>{}</b>\\nEVCXR_END_CONTENT\\nEVCXR_BEGIN_CONTENT text/plain\\n{}\\nEVCXR_END_CONTENT\", self.0, self.0); } }
Bold(\"hi\")",
    );
    let displays = session.displays();
    assert_eq!(displays.len(), 1, "{displays:?}");
    assert_eq!(displays[0]["text/html"], "<b>hi</b>");
    assert_eq!(displays[0]["text/plain"], "hi");
    assert_eq!(session.stdout(), "");
}

#[test]
fn a_figure_of_plotters_in_evcxr_is_drawn_by_the_crate_in_the_prelude() {
    let mut session = Session::start();
    session.value(
        ":dep plotters = { version = \"^0.3.0\", default-features = false, features = [\"evcxr\", \"all_series\", \"all_elements\"] }
extern crate plotters;
use plotters::prelude::*;
let figure = evcxr_figure((320, 240), |root| {
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root).build_cartesian_2d(0f32..1f32, 0f32..1f32)?;
    chart.draw_series(LineSeries::new((0..10).map(|x| (x as f32 / 10.0, x as f32 / 10.0)), &RED))?;
    Ok(())
});
figure",
    );
    let displays = session.displays();
    assert!(displays[0]["text/html"].contains("<svg"), "{displays:?}");
    assert!(
        session
            .stderr()
            .contains("plotters 0.3.7 is part of the prelude")
    );
}

/// A crate in a folder of its own, with a dependency-free library.
fn write_crate(folder: &std::path::Path, name: &str, code: &str) {
    let root = folder.join(name);
    std::fs::create_dir_all(root.join("src")).unwrap();
    let manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n");
    std::fs::write(root.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(root.join("src/lib.rs"), code).unwrap();
}

#[test]
fn crates_of_dep_and_the_prelude_work_in_one_cell() {
    let folder = tempfile::tempdir().unwrap();
    write_crate(
        folder.path(),
        "dice-box",
        "pub struct Dice { pub sides: u32 } impl Dice { pub fn all(&self) -> Vec<u32> { (1..=self.sides).collect() } }",
    );
    write_crate(folder.path(), "second", "pub fn two() -> i32 { 2 }");
    let dep = |name: &str| format!(":dep {name} = {{ path = {:?} }}", folder.path().join(name));
    let mut session = Session::start();
    session.value("let before = df!(\"n\" => [1u32, 2])?;");
    let code = format!(
        "{}\nuse dice_box::Dice;\nlet dice = Dice {{ sides: 6 }};\nlet frame = df!(\"side\" => dice.all())?;\nframe.height() + before.height()",
        dep("dice-box")
    );
    assert_eq!(session.value(&code), "8");
    assert_eq!(session.value(":show_deps"), "dice-box 1.2.3");
    // A second crate later; variables with a type of the first one live on.
    assert_eq!(
        session.value(&format!(
            "{}\nsecond::two() + dice.sides as i32",
            dep("second")
        )),
        "8"
    );
    assert_eq!(session.value("dice.all().len()"), "6");
    // The crate is edited and the cell run again.
    write_crate(folder.path(), "second", "pub fn two() -> i32 { 22 }");
    assert_eq!(
        session.value(&format!("{}\nsecond::two()", dep("second"))),
        "22"
    );
}

#[test]
fn a_crate_that_cannot_be_had_says_why_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_crate(folder.path(), "broken", "pub fn two() -> i32 { \"2\" }");
    let mut session = Session::start();
    session.value(":offline 1");
    let missing = session.fails(":dep no_such_crate_at_all_in_here").evalue;
    assert!(missing.contains(":offline"), "{missing}");
    let git = session
        .fails(":dep a = { git = \"https://localhost:1/none\" }")
        .evalue;
    assert!(git.contains("cannot be fetched"), "{git}");
    let broken = session
        .fails(&format!(
            ":dep broken = {{ path = {:?} }}",
            folder.path().join("broken")
        ))
        .evalue;
    assert!(
        broken.contains("does not compile") && broken.contains("mismatched types"),
        "{broken}"
    );
    let held = session.fails(":dep polars = { path = \"polars\" }").evalue;
    assert!(held.contains("part of the prelude"), "{held}");
    let text = session.fails(":dep a b").evalue;
    assert!(text.contains("not a dependency"), "{text}");
    assert_eq!(
        session.value(":show_deps"),
        "no crates added; `:dep rand` adds one"
    );
    assert_eq!(session.value("1 + 1"), "2");
}
