//! Makes unfinished lines visible while a cell runs: `print!("working … ")` would otherwise stay
//! in the standard library's buffer until the line ends.

use std::io::Write;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(50);

/// Whether a cell runs. Held for an instant by the thread that runs cells; a std mutex, as the
/// condition variable needs one.
static RUNS: Mutex<bool> = Mutex::new(false);
static CHANGED: Condvar = Condvar::new();

/// Held while flushing, and across every fork: a process forked in the middle of a flush would
/// inherit the lock of stdout with nobody to release it.
static FLUSHING: Mutex<()> = Mutex::new(());

/// Starts the thread that flushes.
///
/// # Errors
/// When no thread can be started.
pub(super) fn start() -> std::io::Result<()> {
    hold_across_forks();
    std::thread::Builder::new()
        .name("flush".to_owned())
        .spawn(|| {
            loop {
                wait_for_cell();
                let guard = FLUSHING.lock();
                let _ = std::io::stdout().flush();
                drop(guard);
                std::thread::sleep(EVERY);
            }
        })
        .map(drop)
}

/// Says that a cell starts or has ended.
pub(super) fn cell_runs(runs: bool) {
    if let Ok(mut state) = RUNS.lock() {
        *state = runs;
    }
    CHANGED.notify_one();
}

fn wait_for_cell() {
    if let Ok(runs) = RUNS.lock() {
        drop(CHANGED.wait_while(runs, |runs| !*runs));
    }
}

fn hold_across_forks() {
    use std::cell::RefCell;
    use std::sync::MutexGuard;
    thread_local! {
        static HELD: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
    }
    extern "C" fn before() {
        HELD.set(FLUSHING.lock().ok());
    }
    extern "C" fn after() {
        HELD.set(None);
    }
    // SAFETY: the handlers lock and unlock one mutex, on the thread that forks.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}
