"""nbgrader: from the instructor's notebook to the student's, and to a grade."""

import shutil
import sqlite3
from pathlib import Path

import nbformat

from place import KERNEL

CONFIG = Path(__file__).resolve().parents[2] / "nbgrader_config.py"
SOLUTION = """\
fn mean(values: &[f64]) -> f64 {
    // BEGIN SOLUTION
    values.iter().sum::<f64>() / values.len() as f64
    // END SOLUTION
}"""
ANSWER = """\
fn mean(values: &[f64]) -> f64 {
    let mut sum = 0.0;
    for value in values { sum += value; }
    sum / values.len() as f64
}"""
TESTS = """\
assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
// BEGIN HIDDEN TESTS
assert_eq!(mean(&[5.0]), 5.0);
// END HIDDEN TESTS"""


def marked(grade_id, **more):
    fields = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": False, "locked": False, "task": False}
    return {"nbgrader": fields | more}


def course(place):
    """Writes a course with one assignment; made once, used by all checks below."""
    root = place.own / "course"
    if root.exists():
        return root
    (root / "source/ps1").mkdir(parents=True)
    shutil.copy(CONFIG, root / "nbgrader_config.py")
    cells = [
        (SOLUTION, marked("mean", solution=True)),
        (TESTS, marked("mean-test", grade=True, locked=True, points=4)),
    ]
    place.notebook("course/source/ps1/mean.ipynb", cells)
    place.run("nbgrader", "generate_assignment", "ps1", cwd=root)
    return root


def released(place):
    return nbformat.read(course(place) / "release/ps1/mean.ipynb", as_version=4)


def solution_is_stripped(place):
    """generate_assignment puts a stub where the solution was, and it still compiles"""
    notebook = released(place)
    code = notebook.cells[0].source
    assert "sum::<f64>" not in code and "SOLUTION" not in code, code
    assert code.startswith("fn mean") and "    // YOUR CODE HERE" in code, code
    assert notebook.metadata.kernelspec.name == KERNEL


def hidden_tests_are_stripped(place):
    """generate_assignment takes the hidden tests out, and leaves the others"""
    tests = released(place).cells[1].source
    assert "5.0]" not in tests and "6.0]" in tests, tests


def submit(place, student, code):
    root = course(place)
    notebook = released(place)
    if code:
        notebook.cells[0].source = code
    folder = root / "submitted" / student / "ps1"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "mean.ipynb")
    place.run("nbgrader", "autograde", "ps1", "--student", student, "--create", cwd=root)
    query = "select coalesce(sum(coalesce(grade.manual_score, grade.auto_score)), -1) from grade"
    query += " join submitted_notebook on grade.notebook_id = submitted_notebook.id"
    query += " join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
    query += " where submitted_assignment.student_id = ?"
    with sqlite3.connect(root / "gradebook.db") as database:
        return database.execute(query, (student,)).fetchone()[0]


def right_answer_gets_all_points(place):
    """autograde gives a right answer all points"""
    points = submit(place, "ada", ANSWER)
    assert points == 4, points


def wrong_answer_gets_none(place):
    """autograde gives an answer that fails the tests no points"""
    points = submit(place, "bob", ANSWER.replace("0.0", "1.0"))
    assert points == 0, points


def hidden_test_catches(place):
    """autograde brings the hidden tests back: an answer that only fits the others gets no points"""
    points = submit(place, "eve", "fn mean(_: &[f64]) -> f64 { 3.0 }")
    assert points == 0, points


def stub_gets_none(place):
    """autograde gives an assignment that was not touched no points"""
    points = submit(place, "cy", None)
    assert points == 0, points


def validate(place):
    """nbgrader validate tells a student whether the visible tests pass"""
    root = course(place)
    said = place.run("nbgrader", "validate", root / "release/ps1/mean.ipynb", cwd=root)
    assert "VALIDATION FAILED" in said, said
    said = place.run("nbgrader", "validate", root / "submitted/ada/ps1/mean.ipynb", cwd=root)
    assert "Success! Your notebook passes all the tests." in said, said


FRONT_ENDS = [
    (
        "nbgrader",
        "nbgrader",
        [
            solution_is_stripped,
            hidden_tests_are_stripped,
            right_answer_gets_all_points,
            wrong_answer_gets_none,
            hidden_test_catches,
            stub_gets_none,
            validate,
        ],
    )
]
