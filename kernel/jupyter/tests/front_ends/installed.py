"""The wheel: what `pip install` leaves, and what is still to be done after it."""

import json
import os
import sys
from importlib.metadata import distribution
from pathlib import Path

from place import outputs

PREFIX = Path(sys.prefix)
SPEC = PREFIX / "share/jupyter/kernels/headwater"


def kernel_is_listed(place):
    """pip install makes the kernel known, with its logos"""
    listed = json.loads(place.run("jupyter", "kernelspec", "list", "--json"))["kernelspecs"]
    assert "headwater" in listed, f"only {sorted(listed)} are listed"
    spec = listed["headwater"]
    assert spec["spec"]["display_name"] == "Rust (Headwater)", spec
    names = sorted(path.name for path in SPEC.iterdir())
    assert names == ["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"], names


def binary_is_on_path(place):
    """the program `headwater` is there, in the wheel's version"""
    said = place.run("headwater", "--version").strip()
    assert said == f"headwater {distribution('headwater').version}", said


def missing_prelude_is_explained(place):
    """a cell before `headwater install` says what to type"""
    notebook = place.notebook("no-prelude.ipynb", ["1 + 1"])
    said = place.run("jupyter", "execute", notebook, code=1)
    for part in ("no prebuilt prelude", "headwater install"):
        assert part in said, f"no `{part}` in:\n{said}"


def install_adds_the_prelude(place):
    """`headwater install --sys-prefix` adds the prelude, and leaves the wheel's program where it is"""
    said = place.run("headwater", "install", "--sys-prefix")
    assert (PREFIX / "share/headwater/prelude/prelude.json").exists(), said
    assert not (PREFIX / "share/headwater/bin").exists(), said
    program = json.loads((SPEC / "kernel.json").read_text())["argv"][0]
    assert program == str(PREFIX / "bin/headwater"), program


def wheel_finds_the_prelude_after_an_upgrade(place):
    """the kernelspec of a wheel that is installed anew finds the prelude by itself"""
    wheel = os.environ["HEADWATER_WHEEL"]
    place.run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--force-reinstall", "--quiet", wheel)
    program = json.loads((SPEC / "kernel.json").read_text())["argv"][0]
    assert program == "{prefix}/bin/headwater", program
    notebook = place.notebook("first.ipynb", ["1 + 1"])
    place.run("jupyter", "execute", notebook, "--output", "first-executed")
    said = outputs(place.own / "first-executed.ipynb")
    assert said == ["2"], said


FRONT_ENDS = [
    (
        "pip",
        "pip",
        [
            kernel_is_listed,
            binary_is_on_path,
            missing_prelude_is_explained,
            install_adds_the_prelude,
            wheel_finds_the_prelude_after_an_upgrade,
        ],
    )
]
