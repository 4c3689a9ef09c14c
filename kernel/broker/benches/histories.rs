//! Many seeded histories of the simulator, each checked after every step.
//!
//! `cargo bench --profile dev --bench histories -- --histories 1000000 --seed 1 --jobs 2` runs a
//! million of them; `-- --short` runs 10,000, as CI does; `-- --show 17` tells the story of one
//! seed. Ctrl-C ends it early with the account of what was run. A broken check is reported with
//! its seed, its smallest plan and the end of its trace, and the program fails.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater_broker::simulator::{Check, Report, Scenario, Simulation};

/// Reports beyond this many say little new.
const MOST_REPORTS: usize = 5;

struct Arguments {
    histories: u64,
    seed: u64,
    jobs: u64,
    show: Option<u64>,
}

impl Arguments {
    fn read() -> Arguments {
        let given: Vec<String> = std::env::args().skip(1).collect();
        let number = |name: &str| {
            let place = given.iter().position(|word| word == name)?;
            given.get(place + 1)?.parse::<u64>().ok()
        };
        let short = given.iter().any(|word| word == "--short");
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        Arguments {
            histories: number("--histories").unwrap_or(if short { 10_000 } else { 1_000_000 }),
            seed: number("--seed").unwrap_or(1),
            jobs: number("--jobs").unwrap_or(cores).max(1),
            show: number("--show"),
        }
    }
}

/// What all jobs count together.
#[derive(Default)]
struct Count {
    next: AtomicU64,
    done: AtomicU64,
    steps: AtomicU64,
    records: AtomicU64,
    faults: AtomicU64,
    virtual_ms: AtomicU64,
    stop: AtomicBool,
    broken: Mutex<Vec<(Check, u64)>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::read();
    if let Some(seed) = arguments.show {
        return show(seed);
    }
    let count = Arc::new(Count::default());
    stop_on_ctrl_c(&count);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| run(&arguments, &count));
        }
        scope.spawn(|| tell(&arguments, &count, started));
    });
    summary(&arguments, &count, started.elapsed())
}

/// Runs histories until all are done or somebody wants to stop.
fn run(arguments: &Arguments, count: &Count) {
    while !count.stop.load(Ordering::Relaxed) {
        let number = count.next.fetch_add(1, Ordering::Relaxed);
        if number >= arguments.histories {
            return;
        }
        let scenario = Scenario::random(arguments.seed + number);
        let faults = scenario.faults.faults.len() as u64;
        let outcome = Simulation::new(scenario).run_to_end();
        count.done.fetch_add(1, Ordering::Relaxed);
        count.steps.fetch_add(outcome.steps, Ordering::Relaxed);
        count
            .records
            .fetch_add(outcome.tally.sent, Ordering::Relaxed);
        count.faults.fetch_add(faults, Ordering::Relaxed);
        let ended_ms = outcome.ended_ms as u64;
        count.virtual_ms.fetch_add(ended_ms, Ordering::Relaxed);
        if let Some(broken) = outcome.broken {
            let mut list = count.broken.lock().expect("no job panics with the list");
            list.push((broken.check, outcome.seed));
            if list.len() <= MOST_REPORTS
                && let Some(report) = Report::on(&Scenario::random(outcome.seed))
            {
                eprintln!("\n{report}");
            }
        }
    }
}

/// Says every few seconds how far it is.
fn tell(arguments: &Arguments, count: &Count, started: Instant) {
    let mut told = Instant::now();
    loop {
        let done = count.done.load(Ordering::Relaxed);
        if done >= arguments.histories || count.stop.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
        if told.elapsed() < Duration::from_secs(5) || done == 0 {
            continue;
        }
        told = Instant::now();
        let rate = done as f64 / started.elapsed().as_secs_f64();
        let left = (arguments.histories - done) as f64 / rate;
        let broken = count.broken.lock().map_or(0, |list| list.len());
        eprintln!(
            "{done} of {} histories, {rate:.0} a second, {left:.0} s left, {broken} broken",
            arguments.histories
        );
    }
}

fn summary(arguments: &Arguments, count: &Count, took: Duration) -> ExitCode {
    let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
    let done = load(&count.done);
    let broken = count.broken.lock().expect("all jobs are done");
    println!(
        "{done} histories from seed {} in {:.1} s ({:.0} a second, {} jobs)",
        arguments.seed,
        took.as_secs_f64(),
        done as f64 / took.as_secs_f64(),
        arguments.jobs
    );
    println!(
        "{} steps, {} faults, {} records, {:.1} hours of virtual time",
        load(&count.steps),
        load(&count.faults),
        load(&count.records),
        load(&count.virtual_ms) as f64 / 3_600_000.0
    );
    for check in Check::ALL {
        let seeds: Vec<u64> = broken
            .iter()
            .filter(|(which, _)| which == check)
            .map(|(_, seed)| *seed)
            .collect();
        let shown = &seeds[..seeds.len().min(5)];
        match seeds.len() {
            0 => println!("  held    {check}"),
            times => println!("  BROKEN  {check}: {times} times, seeds {shown:?}"),
        }
    }
    match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn show(seed: u64) -> ExitCode {
    let mut simulation = Simulation::traced(Scenario::random(seed));
    let outcome = simulation.run_to_end();
    for line in simulation.trace() {
        println!("{line}");
    }
    println!("{}", simulation.snapshot());
    println!("{outcome:#?}");
    match outcome.broken {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    }
}

/// Ends the run early, with its account, when somebody presses Ctrl-C.
fn stop_on_ctrl_c(count: &Arc<Count>) {
    let count = Arc::clone(count);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if let Ok(runtime) = runtime
            && runtime.block_on(tokio::signal::ctrl_c()).is_ok()
        {
            count.stop.store(true, Ordering::Relaxed);
        }
    });
}
