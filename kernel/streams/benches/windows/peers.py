#!/usr/bin/env python3
"""The same windows in Polars, DuckDB, Spark, Bytewax and Pathway, beside Headwater, in one run.

    python3 kernel/streams/benches/windows/peers.py             # all, about ten minutes
    python3 kernel/streams/benches/windows/peers.py --short     # a tenth of the events
    python3 kernel/streams/benches/windows/peers.py duckdb      # some of them

5 million events of 1,000 keys, windows of 10 s, count, sum, mean and max, watermark 10 s. Every engine
runs in a process of its own; the time is the CPU time of that process and its children from the
first event to the last result, the memory its peak. The packages come from PyPI, pinned, into a virtual
environment under ~/.cache/headwater. Spark needs Java 17; where a peer cannot run, the table says why.
Headwater and the loop by hand in Rust are what `cargo bench --profile dev --bench windows` prints.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import venv

HERE = pathlib.Path(__file__).resolve()
ROOT = HERE.parents[4]
VENV = pathlib.Path.home() / ".cache/headwater/peers-venv"
PACKAGES = ["polars==1.42.1", "duckdb==1.5.4", "pyspark==4.3.0", "bytewax==0.21.1", "pathway==0.33.0"]
EVENTS = 5_000_000
WINDOW = DELAY = 10_000_000
# Engine, rows a micro-batch (0: all at once), share of the events that it gets.
RUNS = [
    ("polars", 0, 1), ("polars loop", 5_000, 1), ("polars loop", 50_000, 1), ("polars loop", 500_000, 1),
    ("duckdb", 0, 1), ("spark", 50_000, 2), ("spark", 500_000, 1), ("bytewax", 1_000, 25), ("pathway", 0, 10),
]


def events(count):
    """Returns the events of `events.rs`, by the same rule."""
    import polars as pl
    event = pl.int_range(count, dtype=pl.Int64, eager=True).alias("event").to_frame()
    mixed = (pl.col("event") * 2_654_435_761) & 0xFFFF_FFFF
    late = pl.when((mixed // 128) % 1000 < 1).then(30_000_000).otherwise(0)
    return event.select(
        at=(1_740_823_200_000_000 + pl.col("event") * 100 - mixed % 2_000_000 - late),
        key=pl.format("key{}", ((mixed // 8) % 1000).cast(pl.String).str.zfill(6)),
        x=(pl.col("event") % 4096) * 0.125,
    )


def polars(frame, _rows, _folder):
    import polars as pl
    out = frame.group_by((pl.col("at") - pl.col("at") % WINDOW).alias("start"), "key").agg(
        n=pl.len(), sum=pl.col("x").sum(), mean=pl.col("x").mean(), most=pl.col("x").max())
    return out["n"].sum()


def polars_loop(frame, rows, _folder):
    """The loop by hand: partial aggregates, merged with the state, ended windows split off."""
    import polars as pl
    state, late_before, watermark, counted = None, 0, 0, 0
    for batch in frame.iter_slices(rows):
        part = batch.lazy().with_columns(start=pl.col("at") - pl.col("at") % WINDOW).filter(
            pl.col("start") + WINDOW > late_before)
        part = part.group_by("start", "key").agg(
            n=pl.len().cast(pl.Int64), sum=pl.col("x").sum(), most=pl.col("x").max())
        if state is not None:
            part = pl.concat([state.lazy(), part]).group_by("start", "key").agg(
                pl.col("n").sum(), pl.col("sum").sum(), pl.col("most").max())
        merged = part.collect()
        ended = pl.col("start") + WINDOW <= watermark
        closed = merged.filter(ended).with_columns(mean=pl.col("sum") / pl.col("n"))
        counted += closed["n"].sum()
        state = merged.filter(~ended)
        late_before, watermark = watermark, max(watermark, batch["at"].max() - DELAY)
    return counted


def duckdb(frame, _rows, _folder):
    import duckdb
    out = duckdb.sql(f"""select "at" - "at" % {WINDOW} as start, key, count(*) as n, sum(x), avg(x), max(x)
                         from frame group by all""").pl()
    return out["n"].sum()


def spark(frame, rows, folder):
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as F
    import polars as pl
    for number, batch in enumerate(frame.iter_slices(rows)):
        path = f"{folder}/in/{number:06}.parquet"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        batch.with_columns(pl.col("at").cast(pl.Datetime("us", "UTC"))).write_parquet(path)
        os.utime(path, (number, number))
    session = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
               .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
               .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
               .config("spark.driver.memory", "4g").getOrCreate())
    session.sparkContext.setLogLevel("ERROR")
    yield  # The engine is up: the clock starts here.
    stream = (session.readStream.schema("at timestamp, key string, x double")
              .option("maxFilesPerTrigger", 1).parquet(f"{folder}/in"))
    query = (stream.withWatermark("at", "10 seconds").groupBy(F.window("at", "10 seconds"), "key")
             .agg(F.count(F.lit(1)).alias("n"), F.sum("x"), F.avg("x"), F.max("x"))
             .writeStream.outputMode("append").format("parquet").option("path", f"{folder}/out")
             .option("checkpointLocation", f"{folder}/checkpoint").trigger(availableNow=True).start())
    query.awaitTermination()
    yield pl.scan_parquet(f"{folder}/out/*.parquet").select("n").collect()["n"].sum()


def bytewax(frame, rows, _folder):
    from datetime import datetime, timedelta, timezone
    import bytewax.operators as op
    import bytewax.operators.windowing as w
    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSink, TestingSource, run_main
    zero, out = datetime(1970, 1, 1, tzinfo=timezone.utc), []
    items = [(key, (zero + timedelta(microseconds=at), x)) for at, key, x in frame.iter_rows()]
    yield
    flow = Dataflow("windows")
    stream = op.input("in", flow, TestingSource(items, batch_size=rows))
    clock = w.EventClock(lambda item: item[0], wait_for_system_duration=timedelta(seconds=10))
    windower = w.TumblingWindower(length=timedelta(seconds=10), align_to=zero)
    fold = lambda acc, item: (acc[0] + 1, acc[1] + item[1], max(acc[2], item[1]))
    windowed = w.fold_window("fold", stream, clock, windower, lambda: (0, 0.0, float("-inf")), fold,
                             lambda a, b: (a[0] + b[0], a[1] + b[1], max(a[2], b[2])))
    op.output("out", windowed.down, TestingSink(out))
    run_main(flow)
    yield sum(value[1][0] for _, value in out)


def pathway(frame, _rows, folder):
    import pathway as pw
    frame.write_csv(f"{folder}/in.csv")
    yield
    schema = pw.schema_from_types(at=int, key=str, x=float)
    table = pw.io.csv.read(f"{folder}/in.csv", schema=schema, mode="static")
    out = table.windowby(pw.this.at, window=pw.temporal.tumbling(duration=WINDOW), instance=pw.this.key).reduce(
        start=pw.this._pw_window_start, key=pw.this._pw_instance, n=pw.reducers.count(),
        sum=pw.reducers.sum(pw.this.x), mean=pw.reducers.avg(pw.this.x), most=pw.reducers.max(pw.this.x))
    pw.io.csv.write(out, f"{folder}/out.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
    import polars as pl
    yield pl.read_csv(f"{folder}/out.csv")["n"].sum()


def cpu_seconds():
    """Returns the CPU time of this process and of its children, those that still run included."""
    total = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    for pid in descendants(os.getpid()):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def peak_megabytes():
    peaks = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]
    for pid in descendants(os.getpid()):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        if "VmHWM:" in status:  # A process that has ended has no memory any more.
            peaks.append(int(status.split("VmHWM:")[1].split()[0]))
    return max(peaks) // 1024


def descendants(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    children = path.read_text().split() if path.exists() else []
    return [each for child in children for each in [int(child), *descendants(int(child))]]


def run_one(engine, rows, count):
    """In a process of its own: prepares, runs, and prints what it took."""
    frame = events(count)
    with tempfile.TemporaryDirectory(prefix="headwater-peers-") as folder:
        work = globals()[engine.replace(" ", "_")](frame, rows, folder)
        if hasattr(work, "__next__"):
            next(work)
            before = cpu_seconds()
            counted = next(work)
        else:  # A plain function has run already: once more, warm, with the clock on.
            before = cpu_seconds()
            counted = globals()[engine.replace(" ", "_")](frame, rows, folder)
        took = cpu_seconds() - before
        print("RESULT" + json.dumps({"cpu": took, "counted": int(counted), "memory": peak_megabytes()}), flush=True)


def environment():
    """Returns the Python of a virtual environment with the peers in it."""
    python = VENV / "bin/python"
    marker = VENV / "packages.txt"
    if not marker.exists() or marker.read_text().split() != PACKAGES:
        print(f"installing {', '.join(PACKAGES)} into {VENV}", flush=True)
        venv.create(VENV, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        marker.write_text("\n".join(PACKAGES))
    return python


def main():
    is_short = "--short" in sys.argv
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    count = EVENTS // 10 if is_short else EVENTS
    python = environment()
    if not words:
        command = ["cargo", "bench", "--profile", "dev", "--bench", "windows", "--", "compare"]
        subprocess.run(command + ["--short"] * is_short, cwd=ROOT, check=True)
    print(f"\n{'engine':<14}{'rows a batch':>13}{'events':>11}{'M events a CPU-second':>23}{'peak memory':>13}")
    for engine, rows, share in RUNS:
        if words and not any(word in engine for word in words):
            continue
        began = time.monotonic()
        command = [python, HERE, "--run", engine, str(rows), str(count // share)]
        run = subprocess.run(command, capture_output=True, text=True)
        result = [line[6:] for line in run.stdout.splitlines() if line.startswith("RESULT")]
        batch = f"{rows:,}" if rows else "all"
        if not result:
            why = (run.stderr.strip().splitlines() or ["no output"])[-1]
            print(f"{engine:<14}{batch:>13}  did not run: {why[:120]}", flush=True)
            continue
        told = json.loads(result[0])
        rate = count // share / told["cpu"] / 1e6
        print(f"{engine:<14}{batch:>13}{count // share:>11,}{rate:>23.3f}{told['memory']:>10} MB"
              f"   counted {told['counted']:,}, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    if "--run" in sys.argv:
        run_one(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
