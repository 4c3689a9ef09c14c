"""Asks a Kafka cluster 53 things through four independent clients, and prints what it answered.

    python -m capabilities --bootstrap 127.0.0.1:9092 [--only txn,group] [--jobs 6] [--json out.json]

Each check runs in a process of its own, so that a hang or a crash in one is a failure and never a
stop. The exit code is 1 where any failed.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time


def arguments():
    parser = argparse.ArgumentParser(
        prog="capabilities", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bootstrap", required=True, help="host:port[,host:port...]")
    parser.add_argument("--name", default="cluster", help="what the summary calls the cluster")
    parser.add_argument("--only", default="", help="parts of names of checks, with commas")
    parser.add_argument("--skip", default="", help="the same, for those to leave out")
    parser.add_argument("--jobs", type=int, default=1, help="checks at the same time")
    parser.add_argument("--replication", type=int, default=1, help="replicas of every topic")
    parser.add_argument("--maintenance-wait", type=int, default=75, help="seconds for a cleaner")
    parser.add_argument("--json", help="also write the results here")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def checks():
    from . import admin, produce, consume, groups  # noqa: F401
    from . import idempotence, transactions, cleanup, other_clients  # noqa: F401
    from .harness import TESTS

    return TESTS


def run_one(name):
    from .harness import Fail

    function = next(f for n, f, _ in checks() if n == name)
    try:
        result = ("PASS", function())
    except Fail as failure:
        result = ("FAIL", str(failure))
    except BaseException as error:
        result = ("FAIL", f"{type(error).__name__}: {error}")
    print("\n" + json.dumps([result[0], str(result[1])]), flush=True)
    # Clients that still hold threads or sockets must not keep the process.
    os._exit(0)


def run_apart(name, limit):
    command = [sys.executable, "-m", "capabilities", "--bootstrap", "-", "--one", name]
    start = time.time()
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=limit,
            cwd=pathlib.Path(__file__).parent.parent,
        )
        verdict, detail = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        verdict, detail = "FAIL", f"hangs for more than {limit} s"
    except (IndexError, ValueError):
        verdict, detail = "FAIL", f"the client crashed with exit code {done.returncode}"
    return verdict, detail.replace("\n", " ")[:420], round(time.time() - start, 1)


def main():
    args = arguments()
    if args.one:
        run_one(args.one)
    os.environ.update(
        BOOTSTRAP=args.bootstrap,
        REPLICATION=str(args.replication),
        MAINT_WAIT=str(args.maintenance_wait),
    )
    parts = [part for part in args.only.split(",") if part]
    without = [part for part in args.skip.split(",") if part]
    chosen = [
        (name, limit)
        for name, _, limit in checks()
        if (not parts or any(part in name for part in parts))
        and not any(part in name for part in without)
    ]
    if not chosen:
        sys.exit(f"no check has a name with any of: {args.only}")
    results = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = {pool.submit(run_apart, name, limit): name for name, limit in chosen}
        for run in concurrent.futures.as_completed(runs):
            verdict, detail, seconds = results[runs[run]] = run.result()
            print(f"{verdict} {runs[run]} [{seconds} s] {detail}", flush=True)
    passed = sum(verdict == "PASS" for verdict, _, _ in results.values())
    print(f"== {args.name}: {passed} passed, {len(results) - passed} failed", flush=True)
    if args.json:
        ordered = {name: results[name] for name, _ in chosen}
        pathlib.Path(args.json).write_text(
            json.dumps({"name": args.name, "results": ordered}, indent=1)
        )
    sys.exit(passed != len(results))


main()
