//! The notebooks as they are committed: form, stubs, and what the checkers say about them. Ids, links,
//! minutes, points and order are checked by `headwater course check`.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_course::exercise;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../notebooks")
}

struct Notebook {
    name: String,
    root: Value,
}

impl Notebook {
    fn read(path: &Path) -> Notebook {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let root = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Notebook {
            name: path.display().to_string(),
            root,
        }
    }

    fn cells(&self) -> &Vec<Value> {
        self.root["cells"].as_array().expect("a notebook has cells")
    }

    fn sources(&self, kind: &str) -> Vec<String> {
        let cells = self.cells().iter().filter(|cell| cell["cell_type"] == kind);
        cells.map(source).collect()
    }
}

fn source(cell: &Value) -> String {
    let lines = cell["source"]
        .as_array()
        .expect("source is a list of lines");
    lines.iter().filter_map(Value::as_str).collect()
}

fn in_folder(folder: &Path) -> Vec<Notebook> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "ipynb"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Notebook::read(path)).collect()
}

fn lessons() -> Vec<Notebook> {
    // The gallery of charts is no lesson; `headwater course check` runs it too.
    let is_lesson = |notebook: &Notebook| !notebook.name.ends_with("gallery.ipynb");
    in_folder(&folder()).into_iter().filter(is_lesson).collect()
}

fn all() -> Vec<Notebook> {
    let mut all = lessons();
    all.extend(in_folder(&folder().join("solutions")));
    assert!(all.len() >= 2, "one lesson and its solution at least");
    all
}

/// The lines of `lessons.toml` below each `[[lesson]]`; the file is simple enough to be read so.
fn catalogue() -> Vec<String> {
    let text = fs::read_to_string(folder().join("lessons.toml")).expect("lessons.toml is there");
    text.split("[[lesson]]")
        .skip(1)
        .map(str::to_owned)
        .collect()
}

/// Returns the values of `key` in one lesson, section or exercise, without quotes.
fn values(text: &str, key: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.split_once(" = "));
    lines
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .collect()
}

#[test]
fn notebooks_ask_for_this_kernel_in_format_4_5() {
    for notebook in all() {
        let root = &notebook.root;
        assert_eq!(
            (&root["nbformat"], &root["nbformat_minor"]),
            (&4.into(), &5.into()),
            "{}",
            notebook.name
        );
        let kernel = &root["metadata"]["kernelspec"];
        assert_eq!(kernel["name"], "headwater", "{}", notebook.name);
        assert_eq!(
            kernel["display_name"], "Rust (Headwater)",
            "{}",
            notebook.name
        );
        assert_eq!(kernel["language"], "rust", "{}", notebook.name);
    }
}

#[test]
fn code_cells_have_at_most_18_lines_and_stand_between_text() {
    for notebook in all() {
        for code in notebook.sources("code") {
            assert!(
                (1..=18).contains(&code.lines().count()),
                "{}: {code}",
                notebook.name
            );
            assert!(
                code.lines().all(|line| line.len() <= 100),
                "{}: a long line in\n{code}",
                notebook.name
            );
        }
        let kinds: Vec<&Value> = notebook
            .cells()
            .iter()
            .map(|cell| &cell["cell_type"])
            .collect();
        assert_eq!(kinds[0], "markdown", "{}", notebook.name);
        let adjacent = kinds
            .windows(2)
            .position(|pair| pair[0] == "code" && pair[1] == "code");
        assert_eq!(
            adjacent, None,
            "{}: two code cells without text between",
            notebook.name
        );
    }
}

#[test]
fn lesson_opens_with_goals_minutes_needs_points_and_a_cell_to_start_from() {
    for lesson in lessons() {
        let opening = lesson.sources("markdown")[..2].concat();
        for wanted in [
            "# 5.",
            "**After this lesson you can**",
            "min |",
            "**Needs:**",
            "**Points:**",
            "**Start from here.**",
        ] {
            assert!(
                opening.contains(wanted),
                "{} does not say `{wanted}`",
                lesson.name
            );
        }
        let goals = opening
            .lines()
            .filter(|line| line.starts_with("- "))
            .count();
        assert!((1..=3).contains(&goals), "{}: {goals} goals", lesson.name);
    }
}

#[test]
fn lesson_holds_the_stub_and_its_solution_does_not() {
    let holds = |notebook: &Notebook, word: &str| notebook.sources("code").concat().contains(word);
    for lesson in lessons() {
        assert!(
            holds(&lesson, "todo!()"),
            "{} gives the solution away",
            lesson.name
        );
        assert!(
            !holds(&lesson, "rem_euclid"),
            "{} gives the solution away",
            lesson.name
        );
    }
    for solution in in_folder(&folder().join("solutions")) {
        assert!(!holds(&solution, "todo!()"), "{}", solution.name);
        assert!(
            holds(&solution, "assert!(outcome.is_correct()"),
            "{} is not checked",
            solution.name
        );
    }
}

#[test]
fn catalogue_has_the_exercises_and_points_of_the_checkers() {
    let mut listed = 0;
    for lesson in catalogue() {
        let mut points = 0;
        for part in lesson.split("[[lesson.exercise]]").skip(1) {
            let id = &values(part, "id")[0];
            let known = exercise::find(id).unwrap_or_else(|| panic!("no checker for {id}"));
            assert_eq!(values(part, "title")[0], known.title);
            assert_eq!(values(part, "points")[0], known.points.to_string());
            points += known.points;
            listed += 1;
        }
        assert_eq!(values(&lesson, "points")[0], points.to_string());
    }
    assert_eq!(listed, exercise::ALL.len());
}

#[test]
fn correct_answer_points_to_solutions_that_are_there() {
    for known in exercise::ALL {
        let file = folder().join(format!("solutions/{}.ipynb", known.lesson_file()));
        let text =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(
            text.contains(&format!("Exercise {}", known.id.split(' ').nth(1).unwrap())),
            "{}",
            known.id
        );
    }
}
