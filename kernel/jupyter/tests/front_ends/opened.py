"""JupyterLab and Notebook in a browser: tests/browser/notebook.mjs clicks, this starts the servers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat

BROWSER = Path(__file__).resolve().parents[1] / "browser"
PATIENCE_SECONDS = 120

# The news need a network.
NOT_TESTED_HERE = {"@jupyterlab/apputils-extension:announcements": True}
# Notebook 7.6 throws this while it loads its settings, before there is a kernel.
OF_NOTEBOOK = "Cannot read properties of undefined (reading 'schema')"

CELLS = [
    'let frame = df!("airport" => ["EWR", "JFK", "LGA"], "delay_min" => [12.5, 3.0, 7.25])?;\nprintln!("{} airports", frame.height());',
    "frame",
    ("let wrong: i32 = frame.height();", {"tags": ["raises-exception"]}),
    'Chart::bar("airport", "delay_min").title("Delay by airport").draw(&frame)?',
]


class Server:
    """A Jupyter server on a free port; `program` is lab or notebook."""

    def __init__(self, program, place):
        self.runtime = place.own / "runtime"
        self.runtime.mkdir(exist_ok=True)
        settings = place.own / "config" / "labconfig"
        settings.mkdir(parents=True, exist_ok=True)
        settings.joinpath("page_config.json").write_text(json.dumps({"disabledExtensions": NOT_TESTED_HERE}))
        self.log = (place.own / f"{program}.log").open("w")
        command = [sys.executable, "-m", "jupyter", program, "--no-browser", "--port=0", "--allow-root"]
        command += [f"--ServerApp.root_dir={place.own}"]
        surroundings = os.environ | {"JUPYTER_RUNTIME_DIR": str(self.runtime), "JUPYTER_CONFIG_DIR": str(settings.parent)}
        self.process = subprocess.Popen(
            command, env=surroundings, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True
        )

    def address(self, path):
        """Waits until it listens; returns the address of `path` with the token."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for file in self.runtime.glob("jpserver-*.json"):
                try:
                    info = json.loads(file.read_text())
                except ValueError:
                    continue  # half-written at this moment
                return f"http://127.0.0.1:{info['port']}{info['base_url']}{path}?token={info['token']}"
            time.sleep(0.1)
        raise AssertionError(f"no server after {PATIENCE_SECONDS} s:\n{Path(self.log.name).read_text()[-1500:]}")

    def stop(self):
        # Its group: kernels that a killed server would leave end with it.
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


def open_in(program, folder, place, known_error=""):
    notebook = place.notebook("cells.ipynb", CELLS)
    if not (BROWSER / "node_modules").exists():
        place.run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", BROWSER)
    assert shutil.which("node"), "node is not on PATH"
    server = Server(program, place)
    try:
        address = server.address(f"{folder}/{notebook.name}")
        options = ["--address", address, "--out", place.own, "--file", notebook, "--known-error", known_error]
        place.run("node", BROWSER / "notebook.mjs", *options)
    finally:
        server.stop()
    saved = nbformat.read(notebook, as_version=4)
    counts = [cell.execution_count for cell in saved.cells]
    assert counts == [1, 2, 3, 4], f"the saved notebook has {counts}"


def lab(place):
    """cells run in the page: text, table, error with colours, picture; the saved notebook holds them"""
    open_in("lab", "lab/tree", place)


def notebook(place):
    """cells run in the page: text, table, error with colours, picture; the saved notebook holds them"""
    open_in("notebook", "notebooks", place, OF_NOTEBOOK)


FRONT_ENDS = [("JupyterLab", "jupyterlab", [lab]), ("Notebook", "notebook", [notebook])]
