//! Progress: noted by the cell that shows a check, shown by another, merged for a class.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::front_end::{BINARY, prelude_folder};

const RIGHT: &str = "fn tumbling_start(ts: i64, size: i64, offset: i64) -> i64 {
    ts - (ts - offset).rem_euclid(size)
}
fn hopping_starts(ts: i64, size: i64, advance: i64) -> Vec<i64> {
    let newest = ts - ts.rem_euclid(advance);
    (0..).map(|step| newest - step * advance).take_while(|start| start + size > ts).collect()
}";
const STUB: &str = "fn tumbling_start(_: i64, _: i64, _: i64) -> i64 { todo!() }
fn hopping_starts(_: i64, _: i64, _: i64) -> Vec<i64> { todo!() }";
const WRONG: &str = "fn tumbling_start(ts: i64, size: i64, _: i64) -> i64 { ts / size * size }
fn hopping_starts(_: i64, _: i64, _: i64) -> Vec<i64> { vec![] }";
const CHECK: &str = "check_5_1_e3(tumbling_start, hopping_starts)";

fn notebook(cells: &[&str]) -> String {
    let cells = (0..).zip(cells).map(|(number, code)| {
        json!({"cell_type": "code", "id": format!("code-{number}"), "metadata": {}, "outputs": [],
            "execution_count": null, "source": code.split_inclusive('\n').collect::<Vec<_>>()})
    });
    let cells: Vec<Value> = cells.collect();
    json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).to_string()
}

fn run(folder: &Path, progress: Option<&Path>) -> Value {
    let cells = [STUB, CHECK, WRONG, CHECK, RIGHT, CHECK, "progress()?"];
    std::fs::write(folder.join("work.ipynb"), notebook(&cells)).unwrap();
    let mut command = Command::new(BINARY);
    command.args(["run", "work.ipynb"]).current_dir(folder);
    command
        .env("HEADWATER_PRELUDE", prelude_folder())
        .env("HEADWATER_LEARNER", "ada");
    command
        .env_remove("HEADWATER_PROGRESS")
        .env("XDG_DATA_HOME", folder.join("data"));
    if let Some(path) = progress {
        command.env("HEADWATER_PROGRESS", path);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(folder.join("executed/work.ipynb")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn checks_that_a_cell_shows_are_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine/progress.jsonl");
    let executed = run(folder.path(), Some(&file));
    let shown = executed["cells"][6]["outputs"].to_string();
    assert!(shown.contains("15 of 15 points, 2 tries"), "{shown}");
    let lines = std::fs::read_to_string(&file).unwrap();
    let entries: Vec<Value> = lines
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(entries.len(), 2, "a stub is no attempt: {lines}");
    assert_eq!(entries[0]["outcome"], "not yet");
    assert_eq!(entries[1]["outcome"], "correct");
    assert_eq!(entries[1]["learner"], "ada");
}

#[test]
fn what_a_program_runs_is_nobodys_progress() {
    let folder = tempfile::tempdir().unwrap();
    let executed = run(folder.path(), None);
    let shown = executed["cells"][6]["outputs"].to_string();
    assert!(shown.contains("Nothing is kept"), "{shown}");
    assert!(!folder.path().join("data/headwater/progress.jsonl").exists());
}

const INDEX: &str = r#"
[module]
title = "A module"
objectives = []
resources = []

[[lesson]]
id = "5.1"
title = "Counting"
file = "05-1-counting.ipynb"
solution = "solutions/05-1.ipynb"
needs = "nothing"
points = 25

[[lesson.section]]
title = "One"
minutes = 5
exercise_minutes = 0

[[lesson.exercise]]
id = "5.1 E1"
title = "Count & <sum>"
points = 10
minutes = 5

[[lesson.exercise]]
id = "5.1 E3"
title = "Windows"
points = 15
minutes = 5
"#;

fn line(learner: &str, exercise: &str, outcome: &str, points: u32) -> String {
    let perhaps = (outcome != "correct").then_some("a window has two ends");
    let entry = json!({"at_us": 1, "learner": learner, "exercise": exercise, "outcome": outcome,
        "points": points, "hints": 0, "perhaps": perhaps});
    format!("{entry}\n")
}

fn merge(files: &[(&str, String)]) -> (Output, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("notebooks")).unwrap();
    std::fs::create_dir_all(folder.path().join("handed-in")).unwrap();
    std::fs::write(folder.path().join("notebooks/lessons.toml"), INDEX).unwrap();
    let lesson = folder.path().join("notebooks/05-1-counting.ipynb");
    std::fs::write(lesson, notebook(&[])).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join("handed-in").join(name), text).unwrap();
    }
    let output = Command::new(BINARY)
        .args(["course", "progress", "handed-in", "--out", "class.html"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output, folder)
}

#[test]
fn files_of_a_class_become_one_table() {
    let ada = line("ada", "5.1 E1", "not yet", 0)
        + &line("ada", "5.1 E1", "correct", 10)
        + &line("ada", "5.1 E3", "almost", 0);
    let bob = line("bob", "5.1 E3", "not yet", 0) + "{\"cut\n" + &line("bob", "4 E9", "correct", 5);
    let again = ada.clone();
    let (output, folder) = merge(&[
        ("ada.jsonl", ada),
        ("ada-again.jsonl", again),
        ("bob.jsonl", bob),
    ]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let row = |name: &str| {
        let row = said
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{said}"));
        row.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        row("learner"),
        ["learner", "5.1E1", "5.1E3", "4E9", "points", "of", "25"]
    );
    assert_eq!(row("ada"), ["ada", "✓", "◐", "·", "10"]);
    assert_eq!(row("bob"), ["bob", "·", "✗", "✓", "5"]);
    assert_eq!(row("correct"), ["correct", "1", "0", "1"]);
    assert!(
        said.contains("5.1 E3: 2 times: a window has two ends"),
        "{said}"
    );
    assert!(
        said.contains("2 learners, 3 files, 1 lines that cannot be read"),
        "{said}"
    );
    let page = std::fs::read_to_string(folder.path().join("class.html")).unwrap();
    assert!(
        page.contains("title=\"Count &amp; &lt;sum&gt;\"") && page.contains("class=\"almost\"")
    );
}

#[test]
fn what_a_file_says_is_text_on_the_page() {
    let eve = line("<i>eve</i>", "<b>4</b>", "almost", 0);
    let (output, folder) = merge(&[("eve.jsonl", eve)]);
    assert!(output.status.success(), "{output:?}");
    let page = std::fs::read_to_string(folder.path().join("class.html")).unwrap();
    assert!(
        page.contains("&lt;i&gt;eve") && page.contains("<li>&lt;b&gt;4"),
        "{page}"
    );
    assert!(!page.contains("<i>") && !page.contains("<b>"), "{page}");
}

#[test]
fn an_empty_folder_says_how_files_are_made() {
    let (output, _folder) = merge(&[]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("progress()?.export("), "{said}");
}
