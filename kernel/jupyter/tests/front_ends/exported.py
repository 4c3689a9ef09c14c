"""nbconvert: a notebook executed and written as a page and as slides."""

import base64
import re

import nbformat

from place import kinds

CHART = """\
let frame = df!("hour" => [6i64, 7, 8], "flights" => [52i64, 49, 61])?;
Chart::bar("hour", "flights").title("Departures").draw(&frame)?"""


def lesson(place, name):
    title = nbformat.v4.new_markdown_cell("# Departures by hour", metadata={"slideshow": {"slide_type": "slide"}})
    shown = {"slideshow": {"slide_type": "slide"}}
    cells = [title, (CHART, shown), "frame", ('panic!("shown as well")', {"tags": ["raises-exception"]})]
    return place.notebook(f"{name}.ipynb", cells)


def check(page):
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert picture, "no picture in the page"
    check_picture(base64.b64decode(picture[1]).decode())
    assert "52" in page and "<table" in page, "no table in the page"
    assert "shown as well" in page, "no error in the page"
    assert re.search(r'class="k[a-z]?">let<', page), "the code has no colours"


def check_picture(svg):
    assert 'role="img"' in svg and "<title>Departures</title>" in svg, f"the picture has no description: {svg[:300]}"


def html(place):
    """--execute --to html holds picture, table, error and coloured code"""
    notebook = lesson(place, "page")
    place.run("jupyter", "nbconvert", "--execute", "--to", "html", notebook)
    check((place.own / "page.html").read_text())


def slides(place):
    """--execute --to slides makes a slide of each cell that asks for one"""
    notebook = lesson(place, "talk")
    place.run("jupyter", "nbconvert", "--execute", "--to", "slides", notebook)
    page = (place.own / "talk.slides.html").read_text()
    check(page)
    assert page.count("<section") >= 2, "no slides"


def text_twins(place):
    """the executed notebook keeps SVG, PNG and a text twin of every picture"""
    notebook = lesson(place, "twins")
    place.run("jupyter", "nbconvert", "--execute", "--to", "notebook", "--inplace", notebook)
    assert {"image/svg+xml", "image/png", "text/html", "text/plain"} <= kinds(notebook), kinds(notebook)
    place.run("jupyter", "nbconvert", "--to", "markdown", notebook)
    text = (place.own / "twins.md").read_text()
    assert "```rust" in text and "airport" not in text, text[:400]


def script(place):
    """--to script writes the code as a .rs file"""
    notebook = lesson(place, "program")
    place.run("jupyter", "nbconvert", "--to", "script", notebook)
    assert "Chart::bar" in (place.own / "program.rs").read_text()


FRONT_ENDS = [("nbconvert", "nbconvert", [html, slides, text_twins, script])]
