//! A live chart at four frames a second for half an hour: flat memory, a last frame that agrees
//! with the data, a clean end.
//!
//! `cargo bench --profile dev --bench soak` takes 30 minutes, `-- --minutes 5` five of them,
//! `-- --short` 20 seconds. Twenty rows a second go to a topic; the windows and their counts
//! follow from the row numbers, so that the last frame can be checked without asking the code
//! that drew it. The embedded broker lives in the kernel's process and keeps its records.

mod endurance;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use endurance::processes::{self, Snapshot};
use endurance::{FrontEnd, argument, is_short, ms, text_of, verdict};
use headwater_kernel::run::client::Heard;

const ROWS_A_SECOND: u64 = 20;
const ZONES: u64 = 3;
/// Seconds.
const WINDOW: u64 = 10;
/// How much memory may grow after the first minutes, beside the broker's records.
const FLAT_MB: f64 = 16.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let minutes = argument("--minutes").unwrap_or(30.0);
    let seconds = if is_short() {
        20
    } else {
        (minutes * 60.0) as u64
    };
    let every = Duration::from_secs(if is_short() { 5 } else { 60 });
    let mut front_end = FrontEnd::start().await;
    let mut frames = Frames::default();
    let kernel = front_end.kernel_id();
    let setup = front_end.must(&setup(seconds)).await;
    frames.hear(&setup.heard);
    let child = processes::runner(kernel).expect("the child runs");
    println!(
        "{:>8} {:>16} {:>10} {:>10} {:>10} {:>7} {:>9} {:>10}",
        "seconds",
        "kernel+broker MB",
        "child MB",
        "heap MB",
        "threads",
        "frames",
        "frames/s",
        "1 + 1, ms"
    );
    let (began, mut last, mut rows) = (Instant::now(), Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs(seconds) {
        let pause = every.saturating_sub(last.elapsed());
        if let Ok(heard) =
            tokio::time::timeout(pause.max(Duration::from_millis(1)), front_end.kernel.next()).await
        {
            frames.hear(&[heard.expect("the kernel is there")]);
        }
        if last.elapsed() >= every {
            let ran = front_end.must("1 + 1").await;
            frames.hear(&ran.heard);
            let row = (Snapshot::of(kernel), Snapshot::of(child));
            let rate = frames.since as f64 / last.elapsed().as_secs_f64();
            println!(
                "{:>8} {:>16.1} {:>10.1} {:>10.1} {:>10} {:>7} {rate:>9.2} {:>10.0}",
                began.elapsed().as_secs(),
                row.0.pss_mb,
                row.1.pss_mb,
                row.1.heap_mb,
                row.1.threads,
                frames.count,
                ms(ran.took)
            );
            rows.push((row, rate));
            frames.since = 0;
            last = Instant::now();
        }
    }
    let ended = front_end
        .must("replay.wait()?; live.wait()?; live.stop()?;")
        .await;
    frames.hear(&ended.heard);
    let mut broken = judge(seconds, &rows, &frames);
    compare(&mut front_end, &mut broken).await;
    let stopped = front_end.kernel.stop(|_| ()).await;
    if !stopped || processes::is_alive(kernel) || processes::is_alive(child) {
        broken.push("kernel and child end when asked to".to_owned());
    }
    verdict(&broken)
}

/// The rows, their replay in real time, and the chart.
fn setup(seconds: u64) -> String {
    let rows = seconds * ROWS_A_SECOND;
    format!(
        "let rows = df!(
    \"at\" => (0..{rows}_i64).map(|n| n * 1_000_000 / {ROWS_A_SECOND}).collect::<Vec<_>>(),
    \"zone\" => (0..{rows}_usize).map(|n| [\"a\", \"b\", \"c\"][n % {ZONES}]).collect::<Vec<_>>(),
)?.lazy().with_columns([col(\"at\").cast(DataType::Datetime(TimeUnit::Microseconds, None))]).collect()?;
let topic = Cluster::embedded()?.topic(\"soak\", partitions(1))?;
let query = topic.stream().watermark(\"at\", seconds(5)).group_by([\"zone\"]).window(Tumbling::of(seconds({WINDOW}))).agg([len().alias(\"rows\")])?;
let replay = Replay::frame(&rows).event_time(\"at\").speed(1.0).start(&topic)?;
let live = query.chart(Chart::line(\"window_start\", \"rows\").by(\"zone\").title(\"soak\")).start()?;"
    )
}

/// Checks the last frame's table against counts that follow from the row numbers.
fn judge(seconds: u64, rows: &[((Snapshot, Snapshot), f64)], frames: &Frames) -> Vec<String> {
    let mut broken = Vec::new();
    let total = seconds * ROWS_A_SECOND;
    let first_of_last = (total - 1) / (WINDOW * ROWS_A_SECOND) * (WINDOW * ROWS_A_SECOND);
    let line = frames.last.lines().last().unwrap_or_default().to_owned();
    println!("{} frames; the last one ends in `{line}`", frames.count);
    for (zone, name) in ["a", "b", "c"].iter().enumerate() {
        let count = (first_of_last..total)
            .filter(|row| row % ZONES == zone as u64)
            .count();
        if !format!("{line} ").contains(&format!(" {name} {count} ")) {
            broken.push(format!("the last frame shows the last window as the data have it: zone {name} has {count} rows in `{line}`"));
        }
    }
    if !frames.has_png {
        broken.push("the last frame carries a PNG".to_owned());
    }
    let rate = frames.count as f64 / seconds as f64;
    // In twenty seconds one busy moment counts for much.
    let least = if is_short() { 1.0 } else { 2.5 };
    if !(least..=4.5).contains(&rate) {
        broken.push(format!("four frames a second: {rate:.2}"));
    }
    // The first third fills buffers and caches.
    if let (Some(early), Some(late)) = (rows.get(rows.len() / 3), rows.last()) {
        let records = total as f64 * 200.0 / (1024.0 * 1024.0);
        for (name, from, to, allowed) in [
            (
                "kernel with broker",
                early.0.0.pss_mb,
                late.0.0.pss_mb,
                FLAT_MB + records,
            ),
            ("child", early.0.1.pss_mb, late.0.1.pss_mb, FLAT_MB),
        ] {
            println!("{name}: {from:.1} MB after a third of the time, {to:.1} MB at the end");
            if to > from + allowed {
                broken.push(format!(
                    "flat memory of the {name}: {from:.1} MB became {to:.1} MB"
                ));
            }
        }
    }
    broken
}

/// Asks the session itself whether the live query and a run over all records agree.
async fn compare(front_end: &mut FrontEnd, broken: &mut Vec<String>) {
    let code = "let all = query.run_local(&topic.read(Earliest)?)?;
let sum = |frame: &DataFrame| -> std::result::Result<u64, PolarsError> { Ok(if frame.width() == 0 { 0 } else { frame.column(\"rows\")?.as_materialized_series().sum::<u64>()? }) };
(sum(&all)?, sum(&live.frame()?)? + sum(&live.open_windows()?)?, topic.records()?)";
    let ran = front_end.run(code).await;
    println!(
        "rows in all windows of a run over the topic, in the live query, in the topic: {}",
        ran.text()
    );
    let text = ran.text();
    let numbers: Vec<&str> = text.trim_matches(['(', ')']).split(", ").collect();
    if !ran.is_ok() || numbers.len() != 3 || numbers.iter().any(|number| *number != numbers[0]) {
        broken.push(format!("the live query has seen every record: {text}"));
    }
}

/// The frames of the chart as they come.
#[derive(Default)]
struct Frames {
    count: usize,
    since: usize,
    last: String,
    has_png: bool,
}

impl Frames {
    fn hear(&mut self, heard: &[Heard]) {
        // The replay's card changes in place too; the chart's text starts with its title.
        let updates = heard
            .iter()
            .filter(|heard| heard.message_type == "update_display_data")
            .filter(|heard| text_of(&heard.content).starts_with("soak: "));
        for message in updates {
            self.count += 1;
            self.since += 1;
            self.last = text_of(&message.content);
            self.has_png = message.content["data"]["image/png"].is_string();
        }
    }
}
