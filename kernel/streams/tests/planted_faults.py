#!/usr/bin/env python3
"""Plants one fault after the other in the window operator and shows that the tests find each.

    python3 kernel/streams/tests/planted_faults.py            # all of them, a minute each
    python3 kernel/streams/tests/planted_faults.py --short    # the first two
    python3 kernel/streams/tests/planted_faults.py late first # those whose name holds a word

The faults are those that one makes: each breaks one rule of Spark's windows, which
`tests/data/spark-windows/README.md` numbers. They are planted in a copy of the repository, compiled
into a copy of the target folder (so that no planted fault stays in yours), and looked for by `--test spark_reference` (the 27
recordings) or by the test that is named beside them: a size that is no multiple of the slide, for
instance, is in the property test beside a plain model and not in the recordings. Exits with 1 if one is not found.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
WINDOW = "kernel/streams/src/window/"
REFERENCE = ["--test", "spark_reference"]
MODEL = ["--lib", "any_run_is_that_of_the_model"]

# Rule, name, file, what stands there, what the fault makes of it, the test that has to find it.
FAULTS = [
    (1, "times before 1970 are rounded up", "panes.rs",
     "number = (time - self.offset).div_euclid(self.slide);",
     "number = (time - self.offset) / self.slide;", REFERENCE),
    (1, "a window holds its end", "panes.rs",
     "if start <= time - self.size {", "if start < time - self.size {", MODEL),
    (1, "the offset is forgotten", "panes.rs",
     "from = number * self.slide + self.offset;", "from = number * self.slide;", REFERENCE),
    (1, "a hopping event is in one window too few", "panes.rs",
     "self.size.div_euclid(self.slide) + i64::from(self.size % self.slide != 0)",
     "self.size.div_euclid(self.slide)", MODEL),
    (1, "a slide over the size is let through", "spec.rs",
     "if slide_us > size_us {", "if false {",
     ["--test", "streams", "a_query_without_watermark_or_window_says_what_is_missing"]),
    (2, "a mean divides by the rows, nulls included", "measure.rs",
     "let mean = |place| match count_at(place) {",
     "let mean = |place| match rows[place as usize] {", REFERENCE),
    (2, "a sum of nothing is zero", "measure.rs",
     "let sum = |place: u32| (count_at(place) > 0).then(|| sums[place as usize]);",
     "let sum = |place: u32| Some(sums[place as usize]);", REFERENCE),
    (2, "a sum that does not fit wraps around", "accumulator/sum.rs",
     "if too_large {", "if too_large && values.is_empty() {",
     ["--test", "streams", "a_sum_that_does_not_fit_is_an_error"]),
    (3, "the watermark keeps microseconds", "watermark.rs",
     "(newest.div_euclid(1000) * 1000)", "newest", REFERENCE),
    (3, "the watermark moves back", "watermark.rs",
     "self.next = self\n                    .next\n                    .max((newest", "self.next = ((newest", REFERENCE),
    (3, "the watermark moves inside the batch", "watermark.rs",
     "watermark: self.current,", "watermark: self.next,", REFERENCE),
    (4, "late by this batch's watermark", "watermark.rs",
     "late_before: self.previous,", "late_before: self.current,", REFERENCE),
    (4, "late rows are counted one by one", "operator.rs",
     "emission.dropped_groups = groups.len();", "emission.dropped_groups = late.len();", REFERENCE),
    (4, "a window that ends at the watermark takes late rows", "panes.rs",
     "if start + self.size <= late_before {", "if start + self.size < late_before {", REFERENCE),
    (5, "a window that ends at the watermark stays", "panes.rs",
     "if *entry.key() + self.size > watermark {", "if *entry.key() + self.size >= watermark {",
     REFERENCE),
    (5, "ended windows come out one batch late", "operator.rs",
     "Windows::Fixed(panes) => panes.evict(&mut self.groups, batch.watermark),",
     "Windows::Fixed(panes) => panes.evict(&mut self.groups, batch.late_before),", REFERENCE),
    (6, "update gives out what ended, not what changed", "operator.rs",
     "OutputMode::Update => Some(self.frame(&mut self.groups.touched.clone())?),",
     "OutputMode::Update => None,", REFERENCE),
    (7, "complete drops late rows", "operator.rs",
     "OutputMode::Complete => i64::MIN,", "OutputMode::Complete => batch.late_before,", REFERENCE),
    (7, "sessions in complete mode take late rows", "operator.rs",
     "sessions.assign(groups, &times, &numbers, batch.late_before)?",
     "sessions.assign(groups, &times, &numbers, if self.mode == OutputMode::Complete { i64::MIN } else { batch.late_before })?",
     REFERENCE),
    (8, "no batch without data at the end", "../query/mod.rs",
     "self.clock.has_moved() && self.windower.mode != OutputMode::Complete", "false", REFERENCE),
    (9, "sessions that touch stay apart", "sessions.rs",
     ".rposition(|place| groups.ends[*place as usize] < start)",
     ".rposition(|place| groups.ends[*place as usize] <= start)", REFERENCE),
    (9, "a bridged session keeps its old end", "sessions.rs",
     "groups.ends[at] = groups.ends[at].max(end);", "let _ = end;", REFERENCE),
    (9, "a session takes late rows while it is open", "sessions.rs",
     "if time + self.gap <= late_before {",
     "if time + self.gap <= late_before && !self.by_key.contains_key(key) {", REFERENCE),
    (9, "sessions in update mode are let through", "check.rs",
     "if mode == OutputMode::Update {", "if false {",
     ["--test", "streams", "what_a_stream_cannot_do_is_refused_before_it_runs"]),
    (9, "sessions without a key are let through", "check.rs",
     "if keys.is_empty() {", "if false {",
     ["--test", "streams", "what_a_stream_cannot_do_is_refused_before_it_runs"]),
    (10, "no watermark before the first event", "watermark.rs",
     "let start = if delay.is_some() { 0 } else { i64::MIN };", "let start = i64::MIN;", REFERENCE),
    (11, "a sketch counts double", "accumulator/set.rs",
     "sketch.estimate().round() as i64", "2 * sketch.estimate().round() as i64", REFERENCE),
    (12, "a restart forgets the sums", "save.rs",
     "*column = saved;", "drop(saved);",
     ["--lib", "a_restart_after_every_batch_changes_nothing"]),
]


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    chosen = [fault for fault in FAULTS if not words or any(word in fault[1] for word in words)]
    if "--short" in sys.argv:
        chosen = chosen[:2]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="headwater-faults-") as folder:
        copy = pathlib.Path(folder) / "headwater"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "target"))
        subprocess.run(["cargo", "test", "--no-run", *QUICK, "--test", "spark_reference"], cwd=ROOT, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        os.environ["CARGO_TARGET_DIR"] = f"{folder}/target"
        shutil.copytree(target, f"{folder}/target", symlinks=True)
        for rule, name, file, old, new, test in chosen:
            began = time.monotonic()
            said = look_for(copy / WINDOW / file, old, new, test, copy)
            missed += not said.startswith("found")
            print(f"rule {rule:>2}  {name:<52} {said}  ({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} faults found")
    sys.exit(missed > 0)


def look_for(path, old, new, test, copy):
    """Plants the fault, runs the test and takes the fault out again."""
    whole = path.read_text()
    if whole.count(old) != 1:
        return f"NOT PLANTED: {whole.count(old)} places in {path.name} say `{old}`"
    path.write_text(whole.replace(old, new))
    try:
        command = ["cargo", "test", "--offline", *QUICK, *test]
        run = subprocess.run(command, cwd=copy, capture_output=True, text=True)
    finally:
        path.write_text(whole)
    if run.returncode == 0:
        return "MISSED"
    if "test result: FAILED" not in run.stdout:
        return "DOES NOT COMPILE: " + "".join(
            line for line in run.stderr.splitlines(True) if line.startswith("error"))[:300]
    agree = [line for line in run.stdout.splitlines() if line.endswith("recordings agree")]
    return "found by " + (f"the set ({agree[-1]})" if agree else test[-1])


# One crate is compiled for each fault: without optimisation it takes a third of the time.
QUICK = ["--config", "profile.dev.package.headwater-streams.opt-level=0"]

if __name__ == "__main__":
    main()
