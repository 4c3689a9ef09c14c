//! What a process does that was started for an attempt.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::FromRawFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::child::confine;
use super::entries;
use super::place::{self, Place};
use crate::learner::Learner;

/// Tells a process that it was started for an attempt.
pub(super) const ENV: &str = "HEADWATER_ATTEMPT";

/// What it says before it waits for its job.
pub(super) const READY: &[u8; 6] = b"ready\n";

/// What is to be called.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    /// The id of an exercise, which leads to its check.
    pub entry: String,
    /// The code of the learner, which leads to the same cases.
    pub learner: String,
    /// Which attempt of the check is meant, from 0.
    pub part: usize,
    pub calls: usize,
    pub limit_ms: u64,
    pub functions: Vec<Place>,
}

/// Whether this program serves attempts.
static SERVES: AtomicBool = AtomicBool::new(false);
/// The job of this process, if it was started for one.
static SERVING: OnceLock<Serving> = OnceLock::new();

struct Serving {
    part: usize,
    calls: usize,
    /// How many attempts have been passed over.
    passed: AtomicUsize,
    /// Held while the calls are made.
    answers: Mutex<File>,
}

pub(super) fn can_serve() -> bool {
    SERVES.load(Ordering::Relaxed)
}

pub(super) fn is_serving() -> bool {
    SERVING.get().is_some()
}

pub(super) fn serve_if_asked() {
    SERVES.store(true, Ordering::Relaxed);
    if std::env::var_os(ENV).is_some() {
        let code = serve();
        // SAFETY: ends this process at once, which is always allowed.
        unsafe { libc::_exit(code) }
    }
}

fn serve() -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    // A copy of stdin keeps clear of what a kernel does with reads of descriptor 0.
    let (Some(jobs), Some(mut answers)) = (copy_of(0), copy_of(1)) else {
        return 1;
    };
    let mut line = String::new();
    let has_job = answers.write_all(READY).is_ok()
        && BufReader::new(jobs)
            .read_line(&mut line)
            .is_ok_and(|read| read > 0);
    if !has_job {
        return 0;
    }
    let begun = begin(&line, &answers);
    if let Err(why) = begun {
        let _ = writeln!(answers, "!{}", why.replace('\n', " "));
    }
    0
}

/// Returns a copy of a descriptor which programs that the calls start do not get: the answers
/// would seem to go on for as long as such a program runs.
fn copy_of(descriptor: i32) -> Option<File> {
    // SAFETY: plain system calls; the copy is fresh and owned by nobody else.
    unsafe {
        let copy = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3);
        (copy >= 0).then(|| File::from_raw_fd(copy))
    }
}

fn begin(line: &str, answers: &File) -> Result<(), String> {
    let job: Job = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let entry = entries::find(&job.entry).ok_or_else(|| format!("no check for {}", job.entry))?;
    let functions = job
        .functions
        .iter()
        .map(place::find)
        .collect::<Result<Vec<_>, _>>()?;
    let answers = answers.try_clone().map_err(|error| error.to_string())?;
    let serving = Serving {
        part: job.part,
        calls: job.calls,
        passed: AtomicUsize::new(0),
        answers: Mutex::new(answers),
    };
    SERVING
        .set(serving)
        .map_err(|_| "a process makes one attempt only".to_owned())?;
    confine(Duration::from_millis(job.limit_ms), None);
    entry(&Learner::of(&job.learner), &functions);
    Err("the check has no such attempt".into())
}

/// Makes the calls if this attempt is the one that was asked for, and ends the process.
pub(super) fn take_turn(call: &dyn Fn(usize) -> String) {
    let Some(serving) = SERVING.get() else { return };
    if serving.passed.fetch_add(1, Ordering::Relaxed) != serving.part {
        return;
    }
    let mut answers = serving.answers.lock().expect("only this thread takes it");
    for index in 0..serving.calls {
        let mut line = call(index);
        line.push('\n');
        if answers.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    // SAFETY: ends this process at once, which is always allowed.
    unsafe { libc::_exit(0) }
}
