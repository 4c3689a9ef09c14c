//! The same cells on our evaluator and on evcxr: same outputs, or a difference that is written down.
//!
//! The sessions are the files in `tests/cells`; its README says how they are written.
//! `HEADWATER_CELLS=traits cargo test --test kernel differential` runs one of them.

mod gave;
mod written;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use headwater_kernel::evaluate::{Evaluator, Options, Stock};
use headwater_kernel::setup::prelude;

use gave::{Collected, Gave, Part};
use written::WrittenCell;

/// Two evcxr at once keep two cores busy; more would only wait for each other.
const WORKERS: usize = 2;

/// What the comparison of all sessions came to.
#[derive(Default)]
struct Tally {
    cells: usize,
    same: usize,
    listed: usize,
    wrong: Vec<String>,
}

#[test]
fn cells_give_the_same_on_evcxr_or_differ_as_written_down() {
    let options = Options {
        prelude: prelude::ensure(&|_| ()).expect("the prelude builds"),
        control: None,
        workdir: std::env::temp_dir(),
        binary: Some(env!("CARGO_BIN_EXE_headwater").into()),
    };
    let waiting = Mutex::new(sessions());
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut peer = Peer::start(&options);
                while let Some(file) = next(&waiting) {
                    compare(&file, &options, &mut peer, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no worker has panicked");
    println!(
        "{} cells, {} the same, {} with a listed difference",
        tally.cells, tally.same, tally.listed
    );
    assert!(tally.cells > 0, "no session was run");
    assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
}

/// Returns the session files, the last one first.
fn sessions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cells");
    let only = std::env::var("HEADWATER_CELLS").ok();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder with the sessions")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .filter(|path| only.as_ref().is_none_or(|only| name(path) == *only))
        .collect();
    files.sort();
    files.reverse();
    files
}

fn next(waiting: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    waiting.lock().expect("no panic under this lock").pop()
}

fn name(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Runs one session on both sides and notes each cell's differences.
fn compare(file: &Path, options: &Options, peer: &mut Peer, tally: &Mutex<Tally>) {
    let text = std::fs::read_to_string(file).expect("a readable session");
    let cells = written::cells(&text);
    let collected = Collected::default();
    let mut ours =
        Evaluator::start(options.clone(), collected.sink()).expect("the evaluator starts");
    peer.clear();
    for (index, cell) in cells.iter().enumerate() {
        let number = index as u64 + 1;
        let count = u32::try_from(number).expect("a session is short");
        let ended = ours.execute(number, count, &cell.code);
        let ours = Gave::new(&collected.of(number), &ended);
        let theirs = peer.run(cell, &ours);
        let mut tally = tally.lock().expect("no panic under this lock");
        tally.cells += 1;
        let place = format!("{}, cell {number}", name(file));
        match judge(cell, &ours, &theirs) {
            Ok(()) if cell.differs.is_empty() => tally.same += 1,
            Ok(()) => tally.listed += 1,
            Err(wrong) => tally
                .wrong
                .push(format!("--- {place}: {wrong}\n{}", cell.code)),
        }
    }
}

/// Compares what a cell gave with what its session file says of it.
fn judge(cell: &WrittenCell, ours: &Gave, theirs: &Gave) -> Result<(), String> {
    let mut wrong = Vec::new();
    for part in Part::ALL {
        let (here, there) = (ours.part(part), theirs.part(part));
        match (here == there, cell.differs.contains(&part)) {
            (false, false) => {
                wrong.push(format!("{part:?}\n  ours:  {here:?}\n  evcxr: {there:?}"))
            }
            (true, true) => {
                wrong.push(format!(
                    "{part:?} is listed as different but is {here:?} on both"
                ));
            }
            _ => {}
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// evcxr, used for one session after another.
struct Peer {
    evcxr: Stock,
    collected: Collected,
    number: u64,
}

impl Peer {
    fn start(options: &Options) -> Peer {
        let collected = Collected::default();
        let mut evcxr = Stock::start(options, collected.sink()).expect("evcxr starts");
        // Its faster setting for compiling; the outputs are the same.
        evcxr.execute(0, ":opt 0").expect("evcxr knows :opt");
        Peer {
            evcxr,
            collected,
            number: 0,
        }
    }

    fn clear(&mut self) {
        self.evcxr.execute(0, ":clear").expect("evcxr knows :clear");
    }

    fn run(&mut self, cell: &WrittenCell, ours: &Gave) -> Gave {
        self.number += 1;
        let ended = self.evcxr.execute(self.number, &cell.code);
        self.collected
            .wait_for(self.number, ours, &cell.differs, &ended)
    }
}
