//! `headwater run`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::front_end::{BINARY, prelude_folder, wait_until_ended};

/// A folder with notebooks in it.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        Folder {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn with(self, name: &str, content: &str) -> Folder {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    /// Adds a notebook of code cells.
    fn with_cells(self, name: &str, cells: &[&str]) -> Folder {
        self.with(name, &notebook(cells).to_string())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .arg("run")
            .args(arguments)
            .current_dir(self.folder.path());
        command
            .env("HEADWATER_PRELUDE", prelude_folder())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn executed(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.path("executed").join(name)).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn notebook(cells: &[&str]) -> Value {
    let cells: Vec<_> = (0..)
        .zip(cells)
        .map(|(number, code)| cell(number, code))
        .collect();
    json!({
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Rust (Headwater)", "language": "rust", "name": "headwater"}},
        "nbformat": 4, "nbformat_minor": 5,
    })
}

fn cell(number: usize, code: &str) -> Value {
    json!({
        "cell_type": "code", "execution_count": 99, "id": format!("cell-{number}"), "metadata": {},
        "outputs": [{"name": "stdout", "output_type": "stream", "text": "old"}], "source": code,
    })
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn show_as(id: &str, text: &str) -> String {
    format!(
        "headwater::streams::display::show_as({id:?}, [(\"text/plain\".to_owned(), {text:?}.to_owned())].into());"
    )
}

#[test]
fn outputs_are_written_into_the_notebook() {
    let folder = Folder::new().with_cells(
        "a.ipynb",
        &[
            "println!(\"one\");\nprintln!(\"two\");\n1 + 1",
            "let x = 3;",
            "x",
        ],
    );
    let output = folder.run(&["a.ipynb"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let executed = folder.executed("a.ipynb");
    assert_eq!(
        executed["cells"][0]["outputs"],
        json!([
            {"name": "stdout", "output_type": "stream", "text": ["one\n", "two\n"]},
            {"data": {"text/plain": ["2"]}, "execution_count": 1, "metadata": {}, "output_type": "execute_result"},
        ])
    );
    assert_eq!(executed["cells"][1]["outputs"], json!([]));
    assert_eq!(executed["cells"][2]["execution_count"], 3);
    assert_eq!(executed["metadata"]["language_info"]["name"], "rust");
    let lines = stdout(&output);
    for (line, code) in lines
        .lines()
        .skip(1)
        .zip(["println!(\"one\");", "let x = 3;", "x"])
    {
        assert!(line.contains(" ms  ") && line.ends_with(code), "{line}");
    }
}

#[test]
fn everything_else_in_the_notebook_stays_as_it_was() {
    let mut before = notebook(&["1"]);
    before["metadata"]["zebra"] = json!({"b": 1, "a": [1.5, null]});
    before["cells"][0]["metadata"] = json!({"tags": ["one"], "later": true});
    before["cells"].as_array_mut().unwrap().insert(0, json!({
        "cell_type": "markdown", "id": "text", "metadata": {}, "source": ["# Ü\n", "line"], "attachments": {},
    }));
    let folder = Folder::new().with("a.ipynb", &before.to_string());
    let output = folder.run(&["a.ipynb"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut after = folder.executed("a.ipynb");
    assert_eq!(
        after["cells"][0].to_string(),
        before["cells"][0].to_string(),
        "order of fields too"
    );
    assert_eq!(
        after["metadata"]["zebra"].to_string(),
        before["metadata"]["zebra"].to_string()
    );
    assert_eq!(
        after["cells"][1]["metadata"],
        before["cells"][1]["metadata"]
    );
    after["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("language_info");
    assert_eq!(after["metadata"], before["metadata"]);
}

#[test]
fn update_replaces_the_display_of_an_earlier_cell() {
    let update = "headwater::streams::display::update(\"chart\", [(\"text/plain\".to_owned(), \"new\".to_owned())].into());";
    let folder = Folder::new().with_cells("a.ipynb", &[&show_as("chart", "old"), update]);
    let output = folder.run(&["a.ipynb"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let executed = folder.executed("a.ipynb");
    assert_eq!(
        executed["cells"][0]["outputs"],
        json!([{"data": {"text/plain": ["new"]}, "metadata": {}, "output_type": "display_data"}])
    );
    assert_eq!(executed["cells"][1]["outputs"], json!([]));
}

#[test]
fn first_error_ends_the_run_and_names_the_cell() {
    let folder = Folder::new().with_cells("a.ipynb", &["1", "panic!(\"no such gate\")", "3"]);
    let output = folder.run(&["a.ipynb"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("error: cell 2 of 3 in a.ipynb: "),
        "{}",
        stderr(&output)
    );
    assert!(
        stderr(&output).contains("no such gate"),
        "{}",
        stderr(&output)
    );
    assert!(
        !stderr(&output).contains('\u{1b}'),
        "no colours where no terminal is"
    );
    let executed = folder.executed("a.ipynb");
    assert_eq!(executed["cells"][1]["outputs"][0]["output_type"], "error");
    assert_eq!(
        executed["cells"][2]["outputs"],
        json!([]),
        "old outputs are not left standing"
    );
}

#[test]
fn cell_that_may_fail_does_not_end_the_run() {
    let mut content = notebook(&["panic!(\"on purpose\")", "2"]);
    content["cells"][0]["metadata"]["tags"] = json!(["raises-exception"]);
    let folder = Folder::new().with("a.ipynb", &content.to_string());
    let output = folder.run(&["a.ipynb"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let executed = folder.executed("a.ipynb");
    assert_eq!(executed["cells"][0]["outputs"][0]["output_type"], "error");
    assert_eq!(
        executed["cells"][1]["outputs"][0]["data"]["text/plain"],
        json!(["2"])
    );
}

#[test]
fn page_holds_text_code_and_pictures_and_no_reference() {
    let svg = "headwater::streams::display::show([(\"image/svg+xml\".to_owned(), \"<svg xmlns='http://www.w3.org/2000/svg'><circle r='4'/></svg>\".to_owned()), (\"text/plain\".to_owned(), \"a \\\"round\\\" dot\".to_owned())].into());";
    let png = "headwater::streams::display::show([(\"image/png\".to_owned(), \"aGVsbG8=\".to_owned()), (\"text/plain\".to_owned(), \"a picture\".to_owned())].into());";
    let mut content = notebook(&[svg, png, "println!(\"a < b\");", "panic!(\"red\")"]);
    content["cells"].as_array_mut().unwrap().insert(
        0,
        json!({
            "cell_type": "markdown", "id": "t", "metadata": {},
            "source": "# The <title>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![dot](dot.png)\n",
        }),
    );
    let folder = Folder::new()
        .with("a.ipynb", &content.to_string())
        .with("dot.png", "hello");
    let output = folder.run(&["a.ipynb", "--html"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let page = std::fs::read_to_string(folder.path("executed/a.html")).unwrap();
    for part in [
        "<title>The &lt;title&gt;</title>",
        "<td>1</td>",
        "<img src=\"data:image/png;base64,aGVsbG8=\" alt=\"dot\"",
        "role=\"img\" aria-label=\"a &quot;round&quot; dot\"><svg xmlns",
        "<img src=\"data:image/png;base64,aGVsbG8=\" alt=\"a picture\">",
        "a &lt; b",
        "<span class=\"macro\">println</span>",
        "<pre class=\"error\"><span class=\"ansi-bold\" style=\"color:#",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains('\u{1b}') && !page.contains("<script"));
}

#[test]
fn cell_that_takes_too_long_is_interrupted() {
    let folder = Folder::new().with_cells("a.ipynb", &[crate::cells::ENDLESS]);
    let output = folder.run(&["a.ipynb", "--timeout", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("cell 1 of 1 in a.ipynb: the cell took longer than 1 s"),
        "{said}"
    );
    assert!(said.contains("try:  --timeout 2"), "{said}");
}

#[test]
fn ctrl_c_stops_the_kernel_and_keeps_the_outputs_so_far() {
    let gate = "std::fs::write(\"running\", std::process::id().to_string())?;";
    let endless =
        format!("{gate} loop {{ std::thread::sleep(std::time::Duration::from_millis(5)); }}");
    let folder = Folder::new().with_cells("a.ipynb", &["5", &endless]);
    let mut run = folder
        .command(&["a.ipynb"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let first_cell = BufReader::new(run.stdout.as_mut().unwrap())
        .lines()
        .nth(1)
        .unwrap()
        .unwrap();
    assert!(first_cell.ends_with('5'), "{first_cell}");
    let child = wait_for_number(&folder.path("running"), &mut run);
    // SAFETY: a signal to the process that this test has started.
    unsafe { libc::kill(libc::pid_t::try_from(run.id()).unwrap(), libc::SIGINT) };
    assert_eq!(run.wait().unwrap().code(), Some(130));
    wait_until_ended(child);
    let executed = folder.executed("a.ipynb");
    assert_eq!(
        executed["cells"][0]["outputs"][0]["data"]["text/plain"],
        json!(["5"])
    );
}

fn wait_for_number(path: &Path, run: &mut Child) -> u32 {
    loop {
        if let Some(number) = std::fs::read_to_string(path)
            .ok()
            .and_then(|text| text.parse().ok())
        {
            return number;
        }
        assert!(run.try_wait().unwrap().is_none(), "the run ended early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn missing_notebook_is_named_with_the_ones_that_are_there() {
    let folder = Folder::new().with_cells("05-1-introduction.ipynb", &["1"]);
    let output = folder.run(&["introduction.ipynb"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "error: no notebook `introduction.ipynb`\n  have: 05-1-introduction.ipynb\n  try:  headwater run 05-1-introduction.ipynb\n";
    assert_eq!(stderr(&output), expected);
    assert!(!folder.path("executed").exists());
}

#[test]
fn files_that_are_no_notebook_for_this_kernel_are_refused() {
    let mut python = notebook(&[]);
    python["metadata"]["kernelspec"] =
        json!({"display_name": "Python 3", "language": "python", "name": "python3"});
    let mut old = notebook(&[]);
    old["nbformat"] = json!(3);
    for (content, said) in [
        (
            "# only text".to_owned(),
            "error: `a.ipynb` is not JSON\n  have: line 1: ",
        ),
        (
            "{}".to_owned(),
            "error: `a.ipynb` is not a notebook of format 4\n  have: JSON without `nbformat`",
        ),
        (
            old.to_string(),
            "error: `a.ipynb` is not a notebook of format 4\n  have: format 3\n  try:  jupyter nbconvert",
        ),
        (
            python.to_string(),
            "error: `a.ipynb` is for another language\n  have: python (kernel: Python 3)",
        ),
    ] {
        let folder = Folder::new().with("a.ipynb", &content);
        let output = folder.run(&["a.ipynb"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).starts_with(said), "{}", stderr(&output));
    }
}

#[test]
fn two_notebooks_of_one_name_are_refused() {
    let folder = Folder::new().with_cells("a.ipynb", &["1"]);
    std::fs::create_dir(folder.path("other")).unwrap();
    let folder = folder.with_cells("other/a.ipynb", &["1"]);
    let output = folder.run(&["a.ipynb", "other/a.ipynb"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with("error: two notebooks would be written to executed/a.ipynb"),
        "{}",
        stderr(&output)
    );
}
