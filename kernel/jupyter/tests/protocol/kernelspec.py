"""Registers the kernel under test below a folder that Jupyter looks into."""

import json
import os
import sys
from pathlib import Path

NAME = "headwater-under-test"


def write(jupyter_data: Path) -> None:
    binary = os.environ["HEADWATER_BIN"]
    if not os.access(binary, os.X_OK):
        sys.exit(f"error: no kernel to test\n  have: {binary}\n  try:  cargo build --bin headwater")
    folder = jupyter_data / "kernels" / NAME
    folder.mkdir(parents=True)
    spec = {
        "argv": [binary, "kernel", "{connection_file}"],
        "display_name": "Headwater under test",
        "language": "rust",
        "interrupt_mode": "message",
    }
    (folder / "kernel.json").write_text(json.dumps(spec, indent=2))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
