//! Text that a thread prints goes to the cell that started the thread, however many cells have
//! run since.
//!
//! All of a process's threads print into the same two pipes. So this binary, which is first in
//! the loader's search order, stands between the child and libc at two places: a new thread
//! notes the cell that started it, and what a thread of an earlier cell writes to stdout or
//! stderr is put between two markers that name its cell ([`super::marked`] takes them out). In
//! every other process, and for every other file, both calls pass straight through.
//!
//! Threads of pools that outlive a cell, such as the runtime's, belong to no cell.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use libc::{iovec, size_t, ssize_t};

/// What markers start with; set in the child alone.
static START: OnceLock<String> = OnceLock::new();

/// The cell that runs now, or has run last.
static CURRENT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The cell that started this thread; 0 on the main thread and on those of no cell.
    static STARTED_BY: Cell<u64> = const { Cell::new(0) };
}

/// Begins to tell threads apart; `token` is that of the child's markers.
pub fn start(token: &str) {
    let _ = START.set(format!("\0\u{1}{token}@"));
}

/// Says which cell runs now; 0 while threads are started that belong to none. The prelude finds
/// this function by its name.
#[unsafe(no_mangle)]
extern "C" fn headwater_cell_runs(cell: u64) {
    CURRENT.store(cell, Ordering::SeqCst);
}

/// Returns the marker's start and the cell, where this thread belongs to another cell than the
/// one that runs.
fn stray() -> Option<(&'static str, u64)> {
    let start = START.get()?;
    let cell = STARTED_BY.get();
    (cell != 0 && cell != CURRENT.load(Ordering::SeqCst)).then_some((start, cell))
}

/// Stands in for libc's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    if matches!(file, 1 | 2)
        && let Some((start, cell)) = stray()
    {
        // SAFETY: the caller vouches for the bytes.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
        return marked(file, start, cell, &[bytes]);
    }
    // SAFETY: the very call that was asked for.
    let written = unsafe { libc::syscall(libc::SYS_write, file, bytes, length) };
    written as ssize_t
}

/// Stands in for libc's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(file: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    if matches!(file, 1 | 2)
        && let Some((start, cell)) = stray()
    {
        // SAFETY: the caller vouches for the array and for the bytes that it points at.
        let parts: Vec<&[u8]> = unsafe {
            std::slice::from_raw_parts(parts, usize::try_from(count).unwrap_or(0))
                .iter()
                .map(|part| std::slice::from_raw_parts(part.iov_base.cast::<u8>(), part.iov_len))
                .collect()
        };
        return marked(file, start, cell, &parts);
    }
    // SAFETY: the very call that was asked for.
    let written = unsafe { libc::syscall(libc::SYS_writev, file, parts, count) };
    written as ssize_t
}

/// Writes all of the parts between two markers, in one call where the pipe has room.
fn marked(file: c_int, start: &str, cell: u64, parts: &[&[u8]]) -> ssize_t {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut whole = format!("{start}{cell}\u{1}\0").into_bytes();
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole.extend_from_slice(format!("{start}0\u{1}\0").as_bytes());
    let mut rest = whole.as_slice();
    while !rest.is_empty() {
        // SAFETY: the bytes live through the call.
        let written = unsafe { libc::syscall(libc::SYS_write, file, rest.as_ptr(), rest.len()) };
        match usize::try_from(written) {
            Ok(written) => rest = &rest[written..],
            Err(_) if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {
            }
            Err(_) => return -1,
        }
    }
    ssize_t::try_from(length).unwrap_or(ssize_t::MAX)
}

type Routine = extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Routine,
    *mut c_void,
) -> c_int;

/// What a new thread is to do, and for which cell.
struct Start {
    routine: Routine,
    argument: *mut c_void,
    cell: u64,
}

/// Stands in for libc's function.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    routine: Routine,
    argument: *mut c_void,
) -> c_int {
    static NEXT: OnceLock<Create> = OnceLock::new();
    // SAFETY: the next function of that name is libc's, which has this signature.
    let create = NEXT.get_or_init(|| unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr());
        assert!(!next.is_null(), "libc has pthread_create");
        std::mem::transmute::<*mut c_void, Create>(next)
    });
    if START.get().is_none() {
        // SAFETY: the very call that was asked for.
        return unsafe { create(thread, attributes, routine, argument) };
    }
    let cell = match STARTED_BY.get() {
        0 => CURRENT.load(Ordering::SeqCst),
        cell => cell,
    };
    let start = Box::into_raw(Box::new(Start {
        routine,
        argument,
        cell,
    }));
    // SAFETY: `begin` takes the box that it is given.
    let failed = unsafe { create(thread, attributes, begin, start.cast()) };
    if failed != 0 {
        // SAFETY: no thread was started that would take it.
        drop(unsafe { Box::from_raw(start) });
    }
    failed
}

extern "C" fn begin(start: *mut c_void) -> *mut c_void {
    // SAFETY: `pthread_create` above made it for this thread alone.
    let start = unsafe { Box::from_raw(start.cast::<Start>()) };
    STARTED_BY.set(start.cell);
    (start.routine)(start.argument)
}
