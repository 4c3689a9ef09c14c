//! The embedded broker and Apache Kafka under the same client and the same load, in one run.
//!
//! `cargo bench --profile dev --bench peers` compares memory, disk and Apache Kafka (from jars,
//! which needs Java and Maven), each in turn, two rounds. `-- memory disk` leaves Apache out,
//! `-- --records 200000 --rounds 1` makes it short. Every broker runs in a process of its own, so
//! that its memory and processor time can be told from the client's. Each record carries its
//! number: one that is lost or comes twice ends the run.

mod load;
mod process;
mod subject;

use std::time::Instant;

use subject::{Kind, Subject};

/// What one round found of one broker.
#[derive(Default)]
struct Figures {
    start_ms: f64,
    idle_mib: f64,
    produced: f64,
    consumed: f64,
    cpu: f64,
    p50_ms: f64,
    p99_ms: f64,
    peak_mib: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "broker") {
        return subject::serve(&arguments[1..]);
    }
    let number = |name: &str, default: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let records = number("--records", 1_000_000);
    let rounds = number("--rounds", 2);
    let named: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| arguments.iter().any(|argument| argument == kind.name()))
        .collect();
    let kinds = match named.is_empty() {
        true => Kind::ALL.to_vec(),
        false => named,
    };
    let mut found: Vec<Vec<Figures>> = kinds.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for (kind, figures) in kinds.iter().zip(&mut found) {
            eprintln!("round {round} of {rounds}: {}", kind.name());
            figures.push(measure(*kind, records));
        }
    }
    print_all(&kinds, &found, records);
}

fn measure(kind: Kind, records: usize) -> Figures {
    let started = Instant::now();
    let subject = Subject::start(kind);
    let mut figures = Figures {
        start_ms: started.elapsed().as_secs_f64() * 1e3,
        idle_mib: process::memory_mib(subject.pid, "VmRSS"),
        ..Figures::default()
    };
    // A JVM compiles what it runs often; nobody is measured before that.
    load::produce(&subject.bootstrap, "warm-up", records / 4);
    load::consume(&subject.bootstrap, "warm-up", records / 4);
    let cpu_before = process::cpu_seconds(subject.pid);
    let seconds = load::produce(&subject.bootstrap, "measured", records);
    figures.produced = records as f64 / seconds;
    let seconds = load::consume(&subject.bootstrap, "measured", records);
    figures.consumed = records as f64 / seconds;
    let cpu = process::cpu_seconds(subject.pid) - cpu_before;
    figures.cpu = cpu * 1e6 / records as f64;
    (figures.p50_ms, figures.p99_ms) = load::latency(&subject.bootstrap, "latency");
    figures.peak_mib = process::memory_mib(subject.pid, "VmHWM");
    figures
}

/// One row a figure, one column a broker; each value is the median of the rounds.
fn print_all(kinds: &[Kind], found: &[Vec<Figures>], records: usize) {
    println!(
        "{records} records of {} bytes sent and read, none lost, none doubled",
        load::BYTES
    );
    print!("{:<34}", "");
    kinds.iter().for_each(|kind| print!("{:>12}", kind.name()));
    println!();
    let row = |what: &str, decimals: usize, of: &dyn Fn(&Figures) -> f64| {
        print!("{what:<34}");
        for rounds in found {
            print!("{:>12.decimals$}", median(rounds.iter().map(of).collect()));
        }
        println!();
    };
    row("start to first metadata, ms", 1, &|f| f.start_ms);
    row("memory when idle, MiB", 1, &|f| f.idle_mib);
    row("produced, records/s", 0, &|f| f.produced);
    row("consumed, records/s", 0, &|f| f.consumed);
    row("CPU of broker, s per million", 3, &|f| f.cpu);
    row("produce latency p50, ms", 2, &|f| f.p50_ms);
    row("produce latency p99, ms", 2, &|f| f.p99_ms);
    row("memory at most, MiB", 1, &|f| f.peak_mib);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}
