#!/usr/bin/env python3
"""Checks the kernel in the front ends and tools that its users have.

    python3 run.py [--short] [--only NAME,...] [--json FILE] [--out FOLDER]

Builds the wheel, installs it into a fresh environment beside the pinned tools (requirements.txt), and
asks each of them to do its work with the kernel. --short leaves out what needs a browser. --out keeps
what was made: notebooks, pages, screenshots. The exit code is 1 as soon as one check fails.

HEADWATER_WHEEL names a wheel that is there already; CARGO_TARGET_DIR is where it is built otherwise.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import environment
import report

INSIDE = "HEADWATER_FRONT_ENDS"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="leave out the browsers")
    parser.add_argument("--only", default="", metavar="NAME,...", help="these front ends alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there as well")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keep what was made in this folder")
    return parser.parse_args()


def outside(options):
    """Makes the environment, and starts this program again in it."""
    with tempfile.TemporaryDirectory(prefix="headwater-front-ends-") as folder:
        place = Path(folder)
        try:
            python, wheel = environment.make(place / "env")
        except environment.Failed as error:
            print(f"FAILED: {error}", file=sys.stderr)
            return 1
        variables = environment.variables(place) | {INSIDE: folder, "HEADWATER_WHEEL": str(wheel)}
        return environment.last_run([python, __file__, *sys.argv[1:]], variables)


def inside(options, folder):
    # These need the tools' own packages.
    import exported, graded, installed, executed, opened, paired, parameters, typed
    from place import Place

    kept = options.out.absolute() if options.out else folder / "out"
    front_ends = [installed, executed, parameters, exported, paired, graded, typed]
    if not options.short:
        front_ends.append(opened)
    wanted = [name for name in options.only.split(",") if name]
    results = []
    for front_end in front_ends:
        for name, package, checks in front_end.FRONT_ENDS:
            if wanted and name not in wanted and front_end is not installed:
                continue
            results += report.run(name, package, checks, Place(folder, kept / name.replace(" ", "-")))
    print(report.table(results))
    summary = report.summary(results)
    if options.json:
        options.json.write_text(json.dumps(summary, indent=2) + "\n")
    print(f"{summary['passed']} passed, {summary['failed']} failed")
    return 0 if summary["failed"] == 0 and summary["passed"] else 1


if __name__ == "__main__":
    options = arguments()
    folder = os.environ.get(INSIDE)
    sys.exit(inside(options, Path(folder)) if folder else outside(options))
