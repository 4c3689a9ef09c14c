"""jupytext: a notebook as a .rs file in percent format, and back."""

import nbformat

from place import outputs

CELLS = [
    nbformat.v4.new_markdown_cell("# A title\n\nand `text`"),
    ":vars",
    "let numbers = vec![3, 1, 2];",
    "numbers.iter().sum::<i32>()",
]


def sources(path):
    return [(cell.cell_type, cell.source) for cell in nbformat.read(path, as_version=4).cells]


def round_trip(place):
    """.ipynb to .rs and back keeps every cell, also `:vars` and the like"""
    notebook = place.notebook("pair.ipynb", CELLS)
    before = sources(notebook)
    place.run("jupytext", "--to", "rs:percent", notebook)
    text = (place.own / "pair.rs").read_text()
    assert "// %%\nnumbers.iter()" in text, text
    assert "name: headwater" in text, text
    place.run("jupytext", "--to", "ipynb", place.own / "pair.rs", "--output", place.own / "back.ipynb")
    assert sources(place.own / "back.ipynb") == before, sources(place.own / "back.ipynb")


def execution(place):
    """--execute runs a .rs file and keeps the outputs in the notebook"""
    program = place.own / "typed.rs"
    program.write_text("// %% [markdown]\n// # Typed by hand\n\n// %%\nlet n = 20;\n\n// %%\nn + 1\n")
    place.run("jupytext", "--to", "ipynb", "--set-kernel", "headwater", "--execute", program)
    said = outputs(place.own / "typed.ipynb")
    assert said == ["", "21"], said


def pairing(place):
    """a paired notebook takes over what was changed in its .rs file"""
    notebook = place.notebook("both.ipynb", ["1 + 1"])
    place.run("jupytext", "--set-formats", "ipynb,rs:percent", notebook)
    text = place.own / "both.rs"
    text.write_text(text.read_text().replace("1 + 1", "2 + 3"))
    place.run("jupytext", "--sync", text)
    assert sources(notebook)[-1] == ("code", "2 + 3"), sources(notebook)


FRONT_ENDS = [("jupytext", "jupytext", [round_trip, execution, pairing])]
