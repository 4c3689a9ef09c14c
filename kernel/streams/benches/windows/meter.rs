//! What a run costs: CPU time of the process, and how far its memory grew.

use std::fs;
use std::time::Instant;

/// What one run took.
pub struct Cost {
    /// Seconds of CPU time of all threads; that of the clock on the wall where the system tells none.
    pub cpu_seconds: f64,
    /// Bytes by which the process grew at most; nothing where the system does not tell.
    pub grown_bytes: Option<u64>,
}

/// Runs `work` and returns what it returned and what it took.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    // The highest mark goes back to what is in use now.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let (began, cpu, memory) = (Instant::now(), cpu_seconds(), status("VmRSS:"));
    let result = work();
    let wall_seconds = began.elapsed().as_secs_f64();
    let cost = Cost {
        cpu_seconds: match (cpu, cpu_seconds()) {
            // Exact where no thread has ended meanwhile, complete where one has.
            (Some(before), Some(after)) => (after.0 - before.0).max(after.1 - before.1),
            _ => wall_seconds,
        },
        grown_bytes: match (memory, status("VmHWM:")) {
            (Some(before), Some(most)) => Some(most.saturating_sub(before)),
            _ => None,
        },
    };
    (result, cost)
}

/// Returns the CPU time of the process: in nanoseconds of the threads that there are, and in
/// hundredths of a second of those that have ended too.
fn cpu_seconds() -> Option<(f64, f64)> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let counted = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += counted.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the process, in brackets, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let hundredths = |field: usize| fields.get(field)?.parse::<u64>().ok();
    let all = (hundredths(11)? + hundredths(12)?) as f64 / 100.0;
    Some((nanoseconds as f64 / 1e9, all))
}

fn status(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
