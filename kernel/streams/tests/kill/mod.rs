//! A job in a process of its own that is killed again and again, and what its sink holds then.
//!
//! The broker lives in the parent. The child runs the job over what the topic holds, from its
//! checkpoint; the parent kills it with SIGKILL at a random moment and starts it again, until it
//! has come to the end. After every kill the sink may hold no row twice and none that the oracle
//! (`run_local` over the whole topic) does not give; at the end it must hold all of them.

pub mod postgres;
pub mod sinks;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headwater_streams::prelude::*;
use polars::prelude::*;
use serde::{Deserialize, Serialize};

pub use sinks::{Kind, Windows};

/// Holds the child's orders.
pub const ENV: &str = "HEADWATER_KILL_CHILD";

/// What the child says once its first batch is done, and when it has come to the end.
const READY: &str = "kill-nine-ready";
const DONE: &str = "kill-nine-done";

const PARTITIONS: u32 = 3;
const RECORDS: i64 = 4_000;
const BATCH: u64 = 200;
/// In how many parts the records come.
const PARTS: usize = 5;

/// What the child is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    pub bootstrap: String,
    pub topic: String,
    pub kind: Kind,
    pub windows: Windows,
    /// The folder with the checkpoint and, where the sink is files, the results.
    pub place: PathBuf,
    /// Where a sink that is no file lives: a PostgreSQL server.
    pub server: Option<String>,
}

/// One topic whose records come part by part, a job over it, and what the sink must hold at the end.
pub struct Round {
    pub orders: Orders,
    cluster: Cluster,
    topic: Topic,
    /// What is still to come, the next part last.
    parts: Vec<DataFrame>,
    expected: Vec<String>,
    /// How the program is told that it is the child.
    arguments: Vec<String>,
}

/// When the child is killed.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// So long after its process began.
    Starting(Duration),
    /// So long after its first batch was done.
    Running(Duration),
}

/// How one start of the child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Killed,
    Finished,
}

/// What a sink holds that it should not, or lacks.
#[derive(Debug, Default)]
pub struct Difference {
    pub doubled: usize,
    pub unknown: usize,
    pub missing: usize,
}

/// Runs the job if this process is a child; it does not return then.
pub fn obey() {
    let Ok(orders) = std::env::var(ENV) else {
        return;
    };
    let orders: Orders = serde_json::from_str(&orders).expect("orders from the parent");
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(60));
        eprintln!("the job did not come to its end in a minute");
        std::process::exit(3);
    });
    if let Err(error) = work(&orders) {
        eprintln!("{error}");
        std::process::exit(1);
    }
    println!("{DONE}");
    // No destructor: the parent is waiting, and the system gives everything back.
    std::process::exit(0);
}

fn work(orders: &Orders) -> headwater_streams::Result<()> {
    let cluster = Cluster::connect(&orders.bootstrap)?;
    let topic = cluster.topic(&orders.topic, partitions(PARTITIONS))?;
    let sink = orders.sink(&cluster)?;
    let job = orders
        .kind
        .query(&topic, orders.windows)
        .to(sink)
        .checkpoint(orders.place.join("checkpoint"))
        .most_records(BATCH);
    let run = job.every(Duration::ZERO).start()?;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while run.is_running() && run.last_progress().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            println!("{READY}");
        });
        // Ends the watch too, where there was no batch left to do.
        run.until_caught_up()?;
        run.stop()
    })?;
    let late: usize = run
        .progress_records()
        .iter()
        .map(|batch| batch.late_rows)
        .sum();
    assert_eq!(late, 0, "the oracle knows no late rows");
    Ok(())
}

impl Moment {
    /// Three of four while batches run, one of four while the job starts.
    fn draw(random: &mut Random) -> Moment {
        match random.below(4) {
            0 => Moment::Starting(Duration::from_micros(random.below(300_000))),
            _ => Moment::Running(Duration::from_micros(random.below(40_000))),
        }
    }
}

impl Round {
    /// Fills a topic and computes what must come out.
    pub fn new(
        kind: Kind,
        windows: Windows,
        name: &str,
        place: &Path,
        server: Option<&str>,
        arguments: &[&str],
    ) -> Round {
        let cluster = Cluster::embedded().expect("a broker");
        let topic = cluster
            .topic(name, partitions(PARTITIONS))
            .expect("a topic");
        let events = events();
        let expected = kind.oracle(&topic, &events, windows);
        assert!(expected.len() > 100, "{} rows", expected.len());
        let orders = Orders {
            bootstrap: cluster.bootstrap().to_owned(),
            topic: name.to_owned(),
            kind,
            windows,
            place: place.to_owned(),
            server: server.map(str::to_owned),
        };
        let length = events.height().div_ceil(PARTS);
        let part = |part: usize| events.slice((part * length) as i64, length);
        let mut round = Round {
            orders,
            cluster,
            topic,
            parts: (0..PARTS).rev().map(part).collect(),
            expected,
            arguments: arguments.iter().map(ToString::to_string).collect(),
        };
        round.feed();
        round
    }

    /// Sends the next part of the records, so that a plan made anew would be another plan; returns
    /// whether there was one.
    pub fn feed(&mut self) -> bool {
        let part = self.parts.pop();
        if let Some(part) = &part {
            self.topic.produce_keyed(part, "gauge").expect("records");
        }
        part.is_some()
    }

    /// Starts the child and kills it at that moment; or lets it finish.
    pub fn run(&self, moment: Option<Moment>) -> Ending {
        let mut child = self.spawn(&[]);
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let mut await_line = |wanted: &str| {
            lines
                .by_ref()
                .map_while(Result::ok)
                .any(|line| line.contains(wanted))
        };
        let Some(moment) = moment else {
            await_line(DONE);
            let status = child.wait().expect("it is gone");
            assert!(status.success(), "the job failed: {}", self.said());
            return Ending::Finished;
        };
        if let Moment::Running(_) = moment {
            await_line(READY);
        }
        let (Moment::Starting(delay) | Moment::Running(delay)) = moment;
        std::thread::sleep(delay);
        child.kill().expect("a process of ours");
        let status = child.wait().expect("it is gone");
        assert!(
            status.code().is_none_or(|code| code == 0),
            "the job failed by itself: {}",
            self.said()
        );
        match status.success() {
            true => Ending::Finished,
            false => Ending::Killed,
        }
    }

    /// Starts the child with a planted fault, for instance `written:3`, and waits for its death.
    pub fn crash(&self, fault: &str) {
        let mut child = self.spawn(&[(headwater_streams::JOB_FAULT_ENV, fault)]);
        let status = child.wait().expect("it is gone");
        assert_eq!(status.code(), None, "{fault}: it did not abort: {status}");
    }

    /// Compares what the sink holds with the oracle.
    pub fn compare(&self) -> Difference {
        let held = sinks::rows(&self.orders.held(&self.cluster));
        let expected: HashSet<&String> = self.expected.iter().collect();
        let unique: HashSet<&String> = held.iter().collect();
        let unknown: Vec<&&String> = unique.difference(&expected).collect();
        Difference {
            doubled: held.len() - unique.len(),
            unknown: unknown.len(),
            missing: expected.difference(&unique).count(),
        }
    }

    /// Returns what the last child wrote about its failure.
    fn said(&self) -> String {
        std::fs::read_to_string(self.errors()).unwrap_or_default()
    }

    fn errors(&self) -> PathBuf {
        self.orders.place.join("errors.txt")
    }

    fn spawn(&self, environment: &[(&str, &str)]) -> Child {
        let orders = serde_json::to_string(&self.orders).expect("plain text");
        Command::new(std::env::current_exe().expect("this program has a path"))
            .args(&self.arguments)
            .env(ENV, orders)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(self.errors()).expect("a file"))
            .spawn()
            .expect("this program runs again")
    }
}

/// Kills jobs that write to a sink of this kind, `kills` times in all; returns how often it did,
/// how many rounds that took, and how many rounds or looks in between found a difference.
pub fn kill(
    kind: Kind,
    kills: usize,
    random: &mut Random,
    server: Option<&str>,
    arguments: &[&str],
) -> Tally {
    let began = Instant::now();
    let mut tally = Tally::default();
    while tally.kills < kills {
        tally.rounds += 1;
        let windows = Windows::ALL[tally.rounds % Windows::ALL.len()];
        let place = tempfile::tempdir().expect("a folder");
        let name = format!(
            "kill-{}-{}-{}",
            kind.name(),
            std::process::id(),
            tally.rounds
        );
        let mut round = Round::new(kind, windows, &name, place.path(), server, arguments);
        loop {
            // Once all records are there, one start in three is left alone and ends the round.
            let alone = round.parts.is_empty() && random.below(3) == 0;
            let killed = tally.kills < kills && !alone;
            let ending = round.run(killed.then(|| Moment::draw(random)));
            let difference = round.compare();
            tally.looks += 1;
            if ending == Ending::Killed {
                tally.kills += 1;
            }
            // Rows of update mode change, so that they are the oracle's at the end only.
            let wrong = kind.is_final() && difference.unknown > 0;
            let finished = !round.feed() && ending == Ending::Finished;
            let lacking = finished && (difference.missing > 0 || difference.unknown > 0);
            if difference.doubled > 0 || wrong || lacking {
                tally.differences += 1;
                eprintln!("{name}: after {} kills: {difference:?}", tally.kills);
            }
            if finished {
                break;
            }
        }
    }
    tally.seconds = began.elapsed().as_secs_f64();
    tally
}

/// What [`kill`] has counted.
#[derive(Debug, Default)]
pub struct Tally {
    pub kills: usize,
    pub rounds: usize,
    /// How often the sink was compared with the oracle.
    pub looks: usize,
    pub differences: usize,
    pub seconds: f64,
}

/// Returns events of 40 gauges, one a second, up to a minute out of order, some without a key;
/// the last one closes every window but its own.
fn events() -> DataFrame {
    let start = 1_360_314_000_000_000_i64;
    let mut random = Random(7);
    let mut at: Vec<i64> = (0..RECORDS)
        .map(|second| start + second * 1_000_000 - random.below(60_000_000) as i64)
        .collect();
    at.push(start + 2 * RECORDS * 1_000_000);
    let gauges: Vec<Option<String>> = (0..=RECORDS)
        .map(|_| (random.below(20) > 0).then(|| format!("G{:02}", random.below(40))))
        .collect();
    let levels: Vec<i64> = (0..=RECORDS).map(|_| random.below(1000) as i64).collect();
    let utc = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let at = Series::new("at".into(), at).cast(&utc).expect("times");
    let mut frame = df!("gauge" => gauges, "level_cm" => levels).expect("columns");
    frame.with_column(at.into()).expect("as many rows");
    frame
}

/// Numbers that are the same for the same seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
