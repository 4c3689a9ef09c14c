//! The notebooks as they are committed: form, stubs, and what `lessons.toml` says about them.

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
    in_folder(&folder())
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
fn cells_have_unique_ids_and_no_outputs() {
    for notebook in all() {
        let mut ids: Vec<&str> = notebook
            .cells()
            .iter()
            .filter_map(|cell| cell["id"].as_str())
            .collect();
        assert_eq!(
            ids.len(),
            notebook.cells().len(),
            "{}: a cell without an id",
            notebook.name
        );
        ids.sort_unstable();
        assert!(
            ids.windows(2).all(|pair| pair[0] != pair[1]),
            "{}: an id twice",
            notebook.name
        );
        for cell in notebook
            .cells()
            .iter()
            .filter(|cell| cell["cell_type"] == "code")
        {
            assert_eq!(
                cell["outputs"],
                Value::Array(vec![]),
                "{} {}",
                notebook.name,
                cell["id"]
            );
            assert_eq!(
                cell["execution_count"],
                Value::Null,
                "{} {}",
                notebook.name,
                cell["id"]
            );
        }
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
fn lesson_and_solution_call_the_check_of_every_exercise() {
    for lesson in catalogue() {
        let [file, solution] = ["file", "solution"]
            .map(|key| Notebook::read(&folder().join(&values(&lesson, key)[0])));
        for part in lesson.split("[[lesson.exercise]]").skip(1) {
            let id = values(part, "id")[0].to_lowercase();
            let check = format!("check_{}(", id.replace([' ', '.'], "_"));
            for notebook in [&file, &solution] {
                let code = notebook.sources("code").concat();
                assert!(code.contains(&check), "{}: no {check}..)", notebook.name);
            }
        }
    }
}

#[test]
fn catalogue_lists_every_lesson_with_its_title_sections_and_minutes() {
    let listed: Vec<String> = catalogue()
        .iter()
        .flat_map(|lesson| values(lesson, "file"))
        .collect();
    let there: Vec<String> = lessons()
        .iter()
        .filter_map(|lesson| lesson.name.rsplit('/').next().map(str::to_owned))
        .collect();
    assert_eq!(listed, there);
    for lesson in catalogue() {
        let notebook = Notebook::read(&folder().join(&values(&lesson, "file")[0]));
        assert!(folder().join(&values(&lesson, "solution")[0]).is_file());
        let text = notebook.sources("markdown").concat();
        let head = lesson
            .split("[[lesson.section]]")
            .next()
            .unwrap_or_default();
        let title = format!("# {} {}\n", values(head, "id")[0], values(head, "title")[0]);
        assert!(
            text.starts_with(&title),
            "{} does not start with {title}",
            notebook.name
        );
        for (number, section) in lesson.split("[[lesson.section]]").skip(1).enumerate() {
            let (title, minutes) = (&values(section, "title")[0], &values(section, "minutes")[0]);
            let exercise = match values(section, "exercise_minutes")[0].as_str() {
                "0" => "-".to_owned(),
                minutes => format!("{minutes} min"),
            };
            let row = format!("| {} {title} | {minutes} min | {exercise} |", number + 1);
            assert!(text.contains(&row), "{} has no line `{row}`", notebook.name);
            assert!(
                text.contains(&format!("## {} {title}", number + 1)),
                "{} has no section {title}",
                notebook.name
            );
        }
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
