"""A folder for one front end: notebooks are written there, programs run there."""

import os
import shutil
import subprocess
import sys

import nbformat

KERNEL = "headwater"
PATIENCE_SECONDS = 180


class Place:
    def __init__(self, folder, own):
        self.folder = folder
        self.own = own
        # With --out it may hold what an earlier run made.
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)

    def notebook(self, name, cells):
        """Writes a notebook. A cell is its code, or code and metadata, or a whole cell."""
        notebook = nbformat.v4.new_notebook(
            metadata={
                "kernelspec": {"name": KERNEL, "display_name": "Rust (Headwater)", "language": "rust"},
                "language_info": {"name": "rust", "file_extension": ".rs", "mimetype": "text/rust"},
            }
        )
        for cell in cells:
            if isinstance(cell, str):
                cell = (cell, {})
            if isinstance(cell, tuple):
                cell = nbformat.v4.new_code_cell(cell[0], metadata=cell[1])
            notebook.cells.append(cell)
        path = self.own / name
        nbformat.write(notebook, path)
        return path

    def run(self, *command, cwd=None, code=0, variables=None):
        """Runs a program of the environment; returns what it said. Fails where it ends with another code."""
        command = [str(part) for part in command]
        if command[0] == "jupyter":
            command[:1] = [sys.executable, "-m", "jupyter"]
        ended = subprocess.run(
            command,
            cwd=cwd or self.own,
            env=os.environ | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        last = "\n".join(ended.stdout.splitlines()[-25:])
        assert ended.returncode == code, f"{' '.join(command)} ended with {ended.returncode}, not {code}:\n{last}"
        return ended.stdout


def outputs(path):
    """The text of each code cell's outputs: streams, text twins, and names and values of errors."""
    notebook = nbformat.read(path, as_version=4)
    return [text_of(cell) for cell in notebook.cells if cell.cell_type == "code"]


def text_of(cell):
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}")
        else:
            parts.append(output.data.get("text/plain", ""))
    return "\n".join(part.strip() for part in parts)


def kinds(path):
    """All MIME types in a notebook."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {kind for cell in cells for output in cell.outputs for kind in output.get("data", {})}
