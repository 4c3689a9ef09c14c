#!/usr/bin/env python3
"""Runs the capability checks against the embedded broker and Apache Kafka, side by side.

    run.py                            embedded: one node and three, in memory and on disk
    run.py memory three               only these
    run.py apache apache-three        Apache Kafka, started from jars (needs Java and Maven)
    run.py --all --table              everything, and writes the table in kernel/broker/README.md

The clients are installed into an environment of their own the first time. `headwater` is built
first (`cargo build --bin headwater`), or taken from HEADWATER_BIN.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import table
from apache_kafka import CACHE, ApacheKafka

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]

# name: arguments of `headwater broker`, replicas of a topic
EMBEDDED = {
    "memory": ([], 1),
    "three": (["--nodes", "3"], 3),
    "disk": (["--data", "DIR"], 1),
    "three-disk": (["--nodes", "3", "--data", "DIR"], 3),
}
APACHE = {"apache": 1, "apache-three": 3}


def python_with_clients():
    """Returns a Python that has the Kafka clients; installs them the first time."""
    wanted = (HERE / "requirements.txt").read_text()
    venv = CACHE / "clients-venv"
    installed = venv / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        print(f"installing Kafka clients into {venv} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        pip = [venv / "bin/pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
        installed.write_text(wanted)
    return venv / "bin/python"


def headwater():
    """Returns the binary, built where none is named."""
    if named := os.environ.get("HEADWATER_BIN"):
        return named
    subprocess.run(["cargo", "build", "--lib", "--bin", "headwater"], cwd=ROOT, check=True)
    told = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return pathlib.Path(json.loads(told.stdout)["target_directory"]) / "debug/headwater"


@contextlib.contextmanager
def embedded(arguments):
    """Runs `headwater broker` on free ports and gives its bootstrap addresses."""
    folder = tempfile.mkdtemp(prefix="headwater-broker-")
    arguments = [folder if argument == "DIR" else argument for argument in arguments]
    command = [headwater(), "broker", "--port", "0", *arguments]
    broker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        for line in broker.stdout:
            if found := re.search(r"at (127\.0\.0\.1:\d+(?:,127\.0\.0\.1:\d+)*), until", line):
                yield found[1]
                return
        raise RuntimeError(f"`{' '.join(map(str, command))}` ended with {broker.wait()}")
    finally:
        broker.send_signal(signal.SIGTERM)
        try:
            broker.wait(20)
        except subprocess.TimeoutExpired:
            broker.kill()
            broker.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def cluster(name):
    if name in APACHE:
        with ApacheKafka(APACHE[name]) as kafka:
            yield kafka.bootstrap, APACHE[name]
    else:
        arguments, replicas = EMBEDDED[name]
        with embedded(arguments) as bootstrap:
            yield bootstrap, replicas


def main():
    names = [*EMBEDDED, *APACHE]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("clusters", nargs="*", help=", ".join(names))
    parser.add_argument("--all", action="store_true", help="all of them")
    parser.add_argument("--only", default="", help="parts of names of checks, with commas")
    parser.add_argument("--jobs", type=int, default=6, help="checks at the same time; default 6")
    parser.add_argument("--table", action="store_true", help="write the table in the README")
    args = parser.parse_args()
    chosen = names if args.all else args.clusters or list(EMBEDDED)
    if unknown := [name for name in chosen if name not in names]:
        parser.error(f"no cluster {', '.join(unknown)}; there are {', '.join(names)}")

    python, results, failed = python_with_clients(), {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            start = time.time()
            with cluster(name) as (bootstrap, replicas):
                print(f"== {name}: {bootstrap}, up after {time.time() - start:.1f} s", flush=True)
                out = f"{folder}/{name}.json"
                options = ["--bootstrap", bootstrap, "--replication", str(replicas)]
                options += ["--name", name, "--jobs", str(args.jobs), "--only", args.only]
                run = subprocess.run(
                    [python, "-m", "capabilities", *options, "--json", out], cwd=HERE
                )
            print(f"== {name}: {time.time() - start:.0f} s", flush=True)
            results[name] = json.loads(pathlib.Path(out).read_text())["results"]
            if run.returncode:
                failed.append(name)
    if args.table:
        table.write(ROOT / "kernel/broker/README.md", results)
    if failed:
        sys.exit(f"error: checks failed on {', '.join(failed)}")


if __name__ == "__main__":
    main()
