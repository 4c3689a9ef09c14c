//! `headwater course`.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::front_end::{BINARY, prelude_folder};

/// A course of one lesson.
struct Small {
    folder: tempfile::TempDir,
}

const INDEX: &str = r#"
[module]
title = "A module"
objectives = ["count."]
resources = ["a book"]

[[planned]]
id = "5.2"
title = "Later"
bullets = ["more."]

[[lesson]]
id = "5.1"
title = "Counting"
file = "05-1-counting.ipynb"
solution = "solutions/05-1.ipynb"
needs = "nothing"
points = 0

[[lesson.section]]
title = "One"
minutes = 5
exercise_minutes = 0
"#;

const OPENING: &str = "# 5.1 Counting\n\n**After this lesson you can**\n\n- count.\n\n\
    | section | demo | exercise |\n|---|---|---|\n| 1 One | 5 min | - |\n\n**Points:** 0\n\n## 1 One\n";

/// A cell that streams, windows and plots.
const LIVE: &str = r##"let topic = Cluster::embedded()?.topic("numbers", partitions(1))?;
topic.clear()?;
for minute in 0..40 {
    topic.send("a", &format!(r#"{{"at":"2013-02-08T10:{minute:02}:00Z","n":{minute}}}"#))?;
}
let query = topic.stream().watermark("at", minutes(1)).window(Tumbling::of(minutes(10)))
    .agg([len().alias("rows")])?;
let live = query.chart(Chart::bar("window_start", "rows").y("rows")).start()?;
live.until_caught_up()?;
live.stop()?;"##;

impl Small {
    /// Makes it of these code cells, with the links and the overview.
    fn of(cells: &[&str]) -> Small {
        let small = Small {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(small.path("notebooks/solutions")).unwrap();
        std::fs::write(small.path("notebooks/lessons.toml"), INDEX).unwrap();
        small.write("05-1-counting.ipynb", cells);
        small.write("solutions/05-1.ipynb", &[]);
        let output = small.command(&["overview"]);
        assert!(output.status.success(), "{output:?}");
        small
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, cells: &[&str]) {
        let code = (0..).zip(cells).map(|(number, code)| {
            json!({
                "cell_type": "code", "id": format!("code-{number}"), "metadata": {}, "outputs": [],
                "execution_count": null, "source": code.split_inclusive('\n').collect::<Vec<_>>(),
            })
        });
        let text =
            json!({"cell_type": "markdown", "id": "title", "metadata": {}, "source": OPENING});
        let cells: Vec<Value> = std::iter::once(text).chain(code).collect();
        let root = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        std::fs::write(self.path("notebooks").join(name), root.to_string()).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command
            .arg("course")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HEADWATER_PRELUDE", prelude_folder())
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Checks the course, and returns whether all is well, what was said, and the report.
    fn check(&self, arguments: &[&str]) -> (bool, String, Value) {
        let all = [&["check", "--json", "report.json"], arguments].concat();
        let output = self.command(&all);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = text(&output.stdout) + &text(&output.stderr);
        let report = std::fs::read(self.path("report.json")).unwrap();
        let report = serde_json::from_slice(&report).unwrap();
        (output.status.success(), said, report)
    }
}

#[test]
fn a_lesson_that_streams_windows_and_plots_passes() {
    let small = Small::of(&[LIVE]);
    let arguments = [
        "--no-wrong-solutions",
        "--budget",
        "60",
        "--out",
        "executed",
    ];
    let (is_well, said, report) = small.check(&arguments);
    assert!(is_well, "{said}");
    assert_eq!(report["notebooks"][0]["live_cell"], "code-0");
    assert_eq!(report["notebooks"][0]["pictures"], 1);
    assert_eq!(report["wrong"], json!([]));
    assert!(said.contains("1 lessons, 0 exercises"), "{said}");
    let page = std::fs::read_to_string(small.path("executed/05-1-counting.html")).unwrap();
    assert!(page.contains("watermark"), "the picture is in the page");
}

#[test]
fn whatever_is_wrong_is_said_and_the_rest_is_still_run() {
    let small = Small::of(&[
        "let broken: i32 = \"text\";",
        "std::thread::sleep(std::time::Duration::from_millis(1500)); 1 + 1",
        "show_mime([(\"image/svg+xml\", \"<svg xmlns='http://www.w3.org/2000/svg'/>\")]);",
        "#[allow(clippy::all)] let late = 3; println!(\"{late}\");",
    ]);
    let (is_well, said, report) = small.check(&["--no-wrong-solutions", "--budget", "1"]);
    assert!(!is_well);
    for part in [
        "cell 1 `code-0` fails: ",
        "cell 2 `code-1` shows nothing new for",
        "cell `code-2` shows a picture without words",
        "no cell streams a topic, computes event-time windows and draws them",
    ] {
        assert!(
            said.contains(&format!("error: 05-1-counting.ipynb: {part}")),
            "{part}\n{said}"
        );
    }
    let cells = report["notebooks"][0]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 4, "{said}");
    assert!(cells[0]["failure"].is_string() && cells[3]["failure"].is_null());
}

#[test]
fn files_that_disagree_with_the_index_are_named() {
    let small = Small::of(&["1 + 1"]);
    let path = small.path("notebooks/05-1-counting.ipynb");
    let text = std::fs::read_to_string(&path).unwrap();
    let odd = text
        .replace("| 1 One | 5 min | - |", "| 1 One | 6 min | - |")
        .replace("\"id\": \"code-0\"", "\"id\": \"title\"")
        .replace("## 1 One", "## 1 One [more](nowhere.md)");
    assert_ne!(odd, text);
    std::fs::write(&path, odd).unwrap();
    std::fs::write(small.path("notebooks/05-9-other.ipynb"), "{}").unwrap();
    std::fs::write(small.path("notebooks/README.md"), "mine").unwrap();
    let (is_well, said, report) = small.check(&["--files-only"]);
    assert!(!is_well);
    for part in [
        "05-9-other.ipynb: not in lessons.toml",
        "README.md: not what lessons.toml says; headwater course overview writes it",
        "05-1-counting.ipynb: two cells have the id `title`",
        "05-1-counting.ipynb: a link leads nowhere: nowhere.md",
        "05-1-counting.ipynb: its agenda has no line `| 1 One | 5 min | - |`",
        "05-1-counting.ipynb: no heading `## 1 One`",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert_eq!(report["wrong"].as_array().unwrap().len(), 6, "{said}");
}

#[test]
fn an_unknown_lesson_or_index_says_what_is_there() {
    let small = Small::of(&["1 + 1"]);
    let output = small.command(&["check", "5.7"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("no lesson `5.7`") && said.contains("headwater course check 5.1"),
        "{said}"
    );
    std::fs::write(small.path("notebooks/lessons.toml"), "[module]\n").unwrap();
    let output = small.command(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("is not an index of lessons"), "{said}");
}
