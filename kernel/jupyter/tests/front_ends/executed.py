"""nbclient: a notebook from top to bottom, in Jupyter's own client."""

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from place import KERNEL, outputs, text_of

CELLS = [
    'let words = vec!["over", "the", "weir"];\nprintln!("{} words", words.len());',
    "words.join(\" \")",
    "df!(\"airport\" => [\"EWR\", \"JFK\"], \"delay_min\" => [12.5, 3.0])?",
]


def notebook_runs(place):
    """jupyter execute keeps variables from cell to cell, and every output"""
    notebook = place.notebook("cells.ipynb", CELLS)
    place.run("jupyter", "execute", notebook, "--inplace")
    said = outputs(notebook)
    assert said[0] == "3 words", said
    assert said[1] == '"over the weir"', said
    assert "EWR" in said[2] and "12.5" in said[2], said
    counts = [cell.execution_count for cell in nbformat.read(notebook, as_version=4).cells]
    assert counts == [1, 2, 3], counts


def error_stops_the_notebook(place):
    """a failing `?` stops the notebook at its cell, and the cells before keep their outputs"""
    path = place.notebook("error.ipynb", ["1 + 1", '"ten".parse::<i32>()?', '"not reached"'])
    notebook = nbformat.read(path, as_version=4)
    failure = None
    try:
        NotebookClient(notebook, kernel_name=KERNEL, timeout=120).execute()
    except CellExecutionError as error:
        failure = error
    assert failure is not None, "it went on"
    assert "invalid digit" in str(failure), failure
    said = [text_of(cell) for cell in notebook.cells]
    assert said[0] == "2" and said[2] == "", said


def errors_may_be_allowed(place):
    """a cell tagged `raises-exception` may fail: panics and compile errors come as errors, and the rest runs"""
    tagged = {"tags": ["raises-exception"]}
    cells = ["let kept = 7;", ('panic!("on purpose")', tagged), ("let wrong: i32 = \"text\";", tagged), ("let x = (1 + 2;", tagged), "kept"]
    path = place.notebook("allowed.ipynb", cells)
    place.run("jupyter", "execute", path, "--inplace")
    said = outputs(path)
    assert "on purpose" in said[1], said
    assert said[2].startswith("CompileError: mismatched types"), said
    assert said[3].startswith("CompileError: a bracket is opened and never closed"), said
    assert said[4] == "7", said


def time_limit_interrupts(place):
    """a cell over nbclient's time limit is interrupted, and the kernel goes on"""
    path = place.notebook("slow.ipynb", ["let kept = 1;", "loop {}", "1 + 1"])
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, kernel_name=KERNEL, timeout=5, interrupt_on_timeout=True, allow_errors=True)
    client.execute()
    said = [text_of(cell) for cell in notebook.cells]
    assert "nterrupt" in said[1] and "kept" in said[1], said
    assert said[2] == "2", said


FRONT_ENDS = [("nbclient", "nbclient", [notebook_runs, error_stops_the_notebook, errors_may_be_allowed, time_limit_interrupts])]
