"""The environment of the checks: the pinned tools, kept in a cache, and the wheel in a fresh one above them."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

# The tools' own programs would run in the tools' environment, which does not have the wheel.
PROGRAMS = """
import importlib.metadata, pathlib, sys
for it in importlib.metadata.entry_points(group="console_scripts"):
    program = pathlib.Path(sys.executable).with_name(it.name)
    if not program.exists():
        name = it.attr.split(".")[0]
        program.write_text(f"#!{sys.executable}\\nimport sys\\nfrom {it.module} import {name}\\nsys.exit({it.attr}())\\n")
        program.chmod(0o755)
"""

HERE = Path(__file__).resolve().parent
WHEEL = HERE.parents[1] / "wheel" / "build"


class Failed(Exception):
    """The environment could not be made; the message holds the last words of what failed."""


def make(folder):
    """Makes an environment with tools and wheel; returns its Python and the wheel."""
    tools = _tools()
    wheel = os.environ.get("HEADWATER_WHEEL") or _run([WHEEL, folder.parent / "dist"]).splitlines()[-1]
    venv.create(folder, with_pip=False)
    packages = next((folder / "lib").glob("python*/site-packages"))
    # What the tools' environment holds can be imported here; what is installed here stays here.
    packages.joinpath("tools.pth").write_text(f"{_packages_of(tools)}\n")
    python = folder / "bin" / "python"
    _run([python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", wheel])
    _run([python, "-c", PROGRAMS])
    return python, wheel


def variables(folder):
    """The surroundings of every front end: nothing of this person's is read or written."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "HEADWATER", "XDG_DATA"))}
    paths = {
        "XDG_DATA_HOME": "data",
        "JUPYTER_DATA_DIR": "jupyter/data",
        "JUPYTER_CONFIG_DIR": "jupyter/config",
        "JUPYTER_RUNTIME_DIR": "jupyter/runtime",
        "IPYTHONDIR": "jupyter/ipython",
    }
    for name, path in paths.items():
        folder.joinpath(path).mkdir(parents=True, exist_ok=True)
        kept[name] = str(folder / path)
    # Templates, pages and server extensions that the tools keep beside their packages.
    tools = _tools().parents[1]
    kept["JUPYTER_PATH"] = str(tools / "share" / "jupyter")
    kept["JUPYTER_CONFIG_PATH"] = str(tools / "etc" / "jupyter")
    kept["JUPYTERLAB_DIR"] = str(tools / "share" / "jupyter" / "lab")
    kept["PATH"] = f"{folder / 'env' / 'bin'}:{kept['PATH']}"
    return kept


def last_run(command, variables):
    """Runs a program that speaks for itself; returns its exit code."""
    return subprocess.run(list(map(str, command)), env=variables, check=False).returncode


def _tools():
    """The environment with the pinned tools; made anew when a pin changes."""
    text = (HERE / "requirements.txt").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headwater" / "front-ends"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder = cache / f"{version}-{hashlib.sha256(text).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if folder.joinpath("complete").exists():
        return python
    print(f"pip installs the front ends into {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"])
    # The last step: an environment that was left half-made is made again.
    folder.joinpath("complete").touch()
    return python


def _packages_of(python):
    return _run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()


def _run(command):
    command = list(map(str, command))
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        last = "\n".join((ended.stdout + ended.stderr).splitlines()[-15:])
        raise Failed(f"{' '.join(command)} ended with {ended.returncode}:\n{last}")
    return ended.stdout
