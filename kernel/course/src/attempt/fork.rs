//! A fork of this process, for programs that do not serve attempts (doctests, tools).

use std::fs::File;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::End;
use super::child::{Child, confine, pipe, scratch};

/// Whether this process is a fork; read by the panic hook.
static IS_FORK: AtomicBool = AtomicBool::new(false);

/// Makes panics silent in forks, and leaves them as they are elsewhere.
///
/// The hook is set before the first fork and never in one: setting it takes a lock that a thread
/// of the parent, panicking at that very moment, would hold in the fork for ever.
fn silence_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IS_FORK.load(Ordering::Relaxed) {
                usual(info);
            }
        }));
    });
}

/// Makes the calls in a fork; returns one line a call, and how it ended.
pub(super) fn run(
    limit: Duration,
    calls: usize,
    call: &dyn Fn(usize) -> String,
) -> (Vec<String>, End) {
    let started = start(limit, calls, call);
    match started {
        Ok(mut child) => child.collect(limit, calls),
        Err(error) => (Vec::new(), End::NotStarted(error.to_string())),
    }
}

fn start(limit: Duration, calls: usize, call: &dyn Fn(usize) -> String) -> io::Result<Child> {
    silence_forks();
    let (answers, to_parent) = pipe()?;
    let said = scratch()?;
    // The locks on stdout and stderr are held across the fork: had another thread one of them at
    // that moment, the fork would wait for it for ever. The fork owns them as this thread does.
    let stdout = io::stdout().lock();
    let stderr = io::stderr().lock();
    // SAFETY: the fork runs Rust code with one thread only. The C library makes its allocator
    // usable after a fork, the locks that printing needs are held by this very thread, and the
    // fork leaves through `_exit`, so it runs no destructor that belongs to the parent.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        live(limit, calls, call, to_parent, &said);
    }
    drop((stdout, stderr));
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Child {
        pid,
        answers,
        said,
        group: false,
        collected: false,
    })
}

/// The life of the fork. It never returns.
fn live(
    limit: Duration,
    calls: usize,
    call: &dyn Fn(usize) -> String,
    mut to_parent: File,
    said: &File,
) -> ! {
    IS_FORK.store(true, Ordering::Relaxed);
    confine(limit, Some(said));
    let done = catch_unwind(AssertUnwindSafe(|| {
        for index in 0..calls {
            let mut line = call(index);
            line.push('\n');
            if to_parent.write_all(line.as_bytes()).is_err() {
                return;
            }
        }
    }));
    // SAFETY: ends this process at once, which is always allowed.
    unsafe { libc::_exit(if done.is_ok() { 0 } else { 1 }) }
}
