"""papermill: parameters over a cell's defaults."""

import papermill.engines  # noqa: F401 (loads the engines of installed packages, and with them our translator)
from papermill.exceptions import PapermillException
from papermill.translators import translate_parameters

from place import outputs

DEFAULTS = """\
let airport = "EWR"; // three letters
let delay_min: f64 = 15.0;
let top = 3;"""
TAGGED = (DEFAULTS, {"tags": ["parameters"]})


def run(place, name, *options):
    source = place.notebook(f"{name}.ipynb", [TAGGED, 'format!("{airport} {delay_min:.1} {top}")'])
    target = place.own / f"{name}-executed.ipynb"
    place.run("papermill", source, target, "--no-progress-bar", *options)
    return outputs(target)[-1]


def defaults_hold(place):
    """without parameters the cell's own defaults hold"""
    said = run(place, "defaults")
    assert said == '"EWR 15.0 3"', said


def parameters_override(place):
    """-p replaces the defaults, with Rust types"""
    said = run(place, "override", "-p", "airport", "JFK", "-p", "delay_min", "2.5", "-p", "top", "12")
    assert said == '"JFK 2.5 12"', said


def every_kind_of_value_compiles(place):
    """texts with quotes, lists, mappings, large and infinite numbers are valid Rust"""
    values = {
        "text": 'a "quote", a \\ and a new\nline: ü \x07',
        "flag": True,
        "large": 5_000_000_000,
        "huge": float("inf"),
        "tiny": 1e-300,
        "list": [1, 2.5],
        "nested": [[1, 2], [3]],
        "mapping": {"EWR": 1, "JFK": 2},
        "type": "a keyword",
    }
    lines = translate_parameters("headwater", "rust", values)
    used = 'format!("{} {flag} {large} {huge} {tiny:e} {list:?} {nested:?} {mapping:?} {}", text.len(), r#type)'
    notebook = place.notebook("kinds.ipynb", [lines, used])
    place.run("jupyter", "execute", notebook, "--inplace")
    said = outputs(notebook)[-1]
    length = len(values["text"].encode())
    wanted = f'{length} true 5000000000 inf 1e-300 [1.0, 2.5] [[1, 2], [3]] {{\\"EWR\\": 1, \\"JFK\\": 2}} a keyword'
    assert said == f'"{wanted}"', f"{said}\nwanted {wanted}"


def values_without_a_type_are_refused(place):
    """null, an empty list and a list of mixed values are refused with what to do instead"""
    for value in (None, [], {}, [1, "one"]):
        refusal = None
        try:
            translate_parameters("headwater", "rust", {"it": value})
        except PapermillException as error:
            refusal = str(error)
        assert refusal and "parameter `it`" in refusal and "try:" in refusal, f"{value}: {refusal}"


def parameters_are_listed(place):
    """papermill --help-notebook lists names, types and defaults"""
    source = place.notebook("help.ipynb", [TAGGED])
    said = place.run("papermill", "--help-notebook", source)
    for part in ("airport", "three letters", "delay_min: f64", "15.0"):
        assert part in said, f"no `{part}` in:\n{said}"


FRONT_ENDS = [
    (
        "papermill",
        "papermill",
        [
            defaults_hold,
            parameters_override,
            every_kind_of_value_compiles,
            values_without_a_type_are_refused,
            parameters_are_listed,
        ],
    )
]
