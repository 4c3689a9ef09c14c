//! Interrupts at random moments of streams: nothing is lost, and no output strays.
//!
//! `cargo bench --profile dev --bench interrupts`; `-- --short` makes 20 of them, `-- --seed 7`
//! other moments. Replays, live charts, waits of the library, reads of a topic, prints and the
//! compiler are interrupted, by message and by signal in turn. After each one the variables of
//! earlier cells must be there with their values. Every text and picture carries the number of
//! its cell, and must come under that cell's request.

mod endurance;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use endurance::{FrontEnd, Ran, argument, is_short, ms, processes, verdict};
use headwater_kernel::run::client::{Channel, Heard};

const SETUP: &str = "let cluster = Cluster::embedded()?;
let flights = cluster.topic(\"flights\", partitions(3))?;
let quiet = cluster.topic(\"quiet\", partitions(1))?;
let rows = Replay::dataset(\"flights\")?.event_time(\"sched_dep\").arrival(\"actual_dep\").key(\"origin\").between(\"2013-02-08\", \"2013-02-12\");
let query = flights.stream().watermark(\"sched_dep\", minutes(10)).group_by([\"origin\"]).window(Tumbling::of(minutes(30))).agg([len().alias(\"flights\")])?;
let calm = quiet.stream().watermark(\"at\", minutes(10)).group_by([\"key\"]).window(Tumbling::of(minutes(30))).agg([len().alias(\"rows\")])?;
let kept = vec![1, 2, 3];
let mut text = String::from(\"still\");
let frame = df!(\"n\" => [1, 2, 3])?;
static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);";

/// Changes and reads what earlier cells left.
const PROBE: &str = "text.push('.');
(kept.len(), text.len(), frame.height(), COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst))";

/// What is interrupted, and the cell that does it; `N` stands for the cell's number.
const KINDS: [(&str, &str); 7] = [
    ("a replay", "println!(\"cell-N\"); let replay = rows.clone().speed(900.0).start(&flights)?; replay.wait()?;"),
    ("a live chart", "println!(\"cell-N\"); let replay = rows.clone().speed(3600.0).start(&flights)?;
let live = query.chart(Chart::line(\"window_start\", \"flights\").by(\"origin\").title(\"cell-N\")).start()?; live.wait()?;"),
    ("a wait", "println!(\"cell-N\"); let live = calm.chart(Chart::line(\"window_start\", \"rows\").title(\"cell-N\")).start()?;
live.wait_at_most(std::time::Duration::from_secs(100))?;"),
    ("reads", "println!(\"cell-N\"); loop { flights.read(Earliest)?; }"),
    ("prints", "println!(\"cell-N\"); loop { headwater::streams::interrupt::check()?; println!(\"cell-N again\"); std::thread::sleep(std::time::Duration::from_millis(1)); }"),
    ("a loop that asks", "println!(\"cell-N\"); loop { headwater::streams::interrupt::check()?; std::thread::sleep(std::time::Duration::from_millis(5)); }"),
    ("the compiler", "println!(\"cell-N\"); frame.clone().lazy().group_by([col(\"n\")]).agg([len()]).sort([\"n\"], Default::default()).collect()?"),
];
const COMPILER: &str = "the compiler";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let wanted = if is_short() { 20 } else { 200 };
    let mut dice = Dice(argument("--seed").unwrap_or(1.0) as u64);
    let mut front_end = FrontEnd::start().await;
    front_end.must(SETUP).await;
    let child = processes::runner(front_end.kernel_id());
    let mut watch = Watch::default();
    let mut outcomes: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for number in 1..=wanted {
        if number % 10 == 1 {
            background(&mut front_end, &mut watch, number).await;
        }
        let (kind, code) = KINDS[dice.below(KINDS.len() as u64) as usize];
        let by_signal = number % 2 == 0;
        let ran = interrupted(
            &mut front_end,
            &mut watch,
            &mut dice,
            kind,
            &code.replace("cell-N", &format!("cell-{number}")),
            by_signal,
        )
        .await;
        slowest = slowest.max(ran.took);
        let outcome = match ran.is_ok() {
            true => "had ended".to_owned(),
            false => ran.reply["ename"].as_str().unwrap_or("aborted").to_owned(),
        };
        let too_late = kind == COMPILER && ran.is_ok();
        if outcome != "Interrupted" && !too_late {
            watch.broken.push(format!(
                "an interrupted cell says so: {kind} ended as {outcome}, {}",
                ran.reply
            ));
        }
        *outcomes.entry((kind, outcome)).or_default() += 1;
        let probed = front_end.run(PROBE).await;
        watch.hear(&probed.heard);
        let expected = format!("(3, {}, 3, {})", 5 + number, number - 1);
        if probed.text() != expected {
            watch.broken.push(format!("variables stay after interrupt {number} of {kind} ({code}): {} instead of {expected}; the cell had said {}", probed.text(), ran.reply));
            break;
        }
    }
    for ((kind, outcome), count) in &outcomes {
        println!("{count:>4} x {kind}: {outcome}");
    }
    println!(
        "{} messages with the number of their cell, {} of them stray; slowest answer to an interrupt {:.0} ms",
        watch.numbered,
        watch.stray,
        ms(slowest)
    );
    if processes::runner(front_end.kernel_id()) != child {
        watch
            .broken
            .push("one child lives through all interrupts".to_owned());
    }
    if !front_end.kernel.stop(|_| ()).await || child.is_some_and(processes::is_alive) {
        watch
            .broken
            .push("the kernel and its child end when asked to".to_owned());
    }
    verdict(&watch.broken)
}

/// Starts a chart that goes on under its own cell while later cells are interrupted.
async fn background(front_end: &mut FrontEnd, watch: &mut Watch, number: u32) {
    let number = number + 100_000;
    let code = "let later = rows.clone().speed(3600.0).start(&flights)?;\nlet behind = query.chart(Chart::line(\"window_start\", \"flights\").by(\"origin\").title(\"cell-N\")).start()?;";
    let id = front_end
        .kernel
        .execute(&code.replace("cell-N", &format!("cell-{number}")))
        .await
        .expect("the kernel takes the cell");
    watch.cells.insert(number, id.clone());
    let ran = front_end.finish(&id).await;
    watch.hear(&ran.heard);
    assert!(ran.is_ok(), "{}", ran.reply);
}

/// Runs a cell and interrupts it at a random moment.
async fn interrupted(
    front_end: &mut FrontEnd,
    watch: &mut Watch,
    dice: &mut Dice,
    kind: &str,
    code: &str,
    by_signal: bool,
) -> Ran {
    let id = front_end
        .kernel
        .execute(code)
        .await
        .expect("the kernel takes the cell");
    let number = number_in(code).expect("every cell carries its number");
    watch.cells.insert(number, id.clone());
    if kind != COMPILER {
        loop {
            let heard = front_end.hear().await;
            let prints = heard.message_type == "stream" && heard.is_under(&id);
            let ended = heard.is_idle(&id);
            watch.hear(&[heard]);
            assert!(!ended, "{kind} ended before it was interrupted: {code}");
            if prints {
                break;
            }
        }
    }
    // Between the compiler's first and last moment; else while the stream runs.
    let moment = Duration::from_millis(dice.below(if kind == COMPILER { 250 } else { 600 }));
    let limit = tokio::time::Instant::now() + moment;
    while let Ok(heard) = tokio::time::timeout_at(limit, front_end.hear()).await {
        if heard.is_reply(&id, "execute_reply") {
            // Too fast for us; the interrupt then finds nothing to stop.
            watch.hear(&[heard]);
            interrupt(front_end, by_signal).await;
            return Ran {
                took: Duration::ZERO,
                heard: Vec::new(),
                reply: serde_json::json!({"status": "ok"}),
            };
        }
        watch.hear(&[heard]);
    }
    interrupt(front_end, by_signal).await;
    let ran = front_end.finish(&id).await;
    watch.hear(&ran.heard);
    ran
}

async fn interrupt(front_end: &mut FrontEnd, by_signal: bool) {
    if by_signal {
        let kernel = libc::pid_t::try_from(front_end.kernel_id()).expect("a process id");
        // SAFETY: a signal to a process that we started and have not waited for.
        unsafe { libc::kill(kernel, libc::SIGINT) };
    } else {
        let empty = serde_json::json!({});
        front_end
            .kernel
            .ask(Channel::Control, "interrupt_request", empty)
            .await
            .expect("the kernel takes it");
    }
}

/// Checks that everything comes under its cell.
#[derive(Default)]
struct Watch {
    /// The request of each numbered cell.
    cells: BTreeMap<u32, String>,
    numbered: usize,
    stray: usize,
    broken: Vec<String>,
}

impl Watch {
    fn hear(&mut self, heard: &[Heard]) {
        for message in heard.iter().filter(|heard| heard.channel == Channel::Iopub) {
            let text = message.content.to_string();
            let Some(number) = number_in(&text) else {
                continue;
            };
            self.numbered += 1;
            if message.parent != self.cells.get(&number).cloned() {
                self.stray += 1;
                self.broken.push(format!(
                    "output of cell {number} comes under it: {} came under {:?}",
                    message.message_type, message.parent
                ));
            }
        }
    }
}

fn number_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("cell-")?;
    let end = rest
        .find(|next: char| !next.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
