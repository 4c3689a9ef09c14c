//! Runs a cell's body so that neither a panic nor a failing `?` ends the session.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::OnceLock;

use super::failure::Failure;
use super::protocol::Outcome;
use super::threads;

thread_local! {
    static OUTCOME: RefCell<Option<Outcome>> = const { RefCell::new(None) };
    /// Line of the panic that is unwinding on this thread.
    static PANIC_LINE: Cell<u32> = const { Cell::new(0) };
    /// Set where a cell's body has come to its last line.
    static AT_END: Cell<bool> = const { Cell::new(false) };
    static RUNS_CELLS: Cell<bool> = const { Cell::new(false) };
}

/// Runs a cell's body and notes how it ended.
pub fn guard(body: impl FnOnce() -> Result<(), Failure>) {
    // The variables that the body borrows stay with the caller; a half-made change in one of
    // them after a panic is what the person would see in a debugger too.
    AT_END.set(false);
    let outcome = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) if AT_END.get() => Outcome::Completed,
        Ok(Ok(())) => Outcome::Returned,
        Ok(Err(Failure {
            name,
            message,
            line,
        })) => Outcome::Failed {
            name,
            message,
            line,
        },
        Err(payload) => Outcome::Panicked {
            message: message_of(&*payload),
            line: PANIC_LINE.get(),
        },
    };
    OUTCOME.set(Some(outcome));
}

/// Says that the body has come to its end: everything that it defined is kept.
pub fn reach_end() {
    AT_END.set(true);
}

/// Runs the body of a cell that awaits, on one runtime that lives as long as the session.
pub fn block_on<F: Future>(body: F) -> F::Output {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            let start = || tokio::runtime::Runtime::new().expect("threads can be started");
            threads::of_no_cell(start)
        })
        .block_on(body)
}

/// Returns how the last [`guard`] ended.
pub(super) fn take_outcome() -> Outcome {
    OUTCOME.take().unwrap_or(Outcome::Completed)
}

/// Keeps quiet about panics of the thread that runs cells, for the kernel reports them;
/// a panic elsewhere is told on stderr as usual.
pub(super) fn install_panic_hook() {
    RUNS_CELLS.set(true);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let in_cell = info
            .location()
            .filter(|place| place.file().starts_with("cell "));
        if RUNS_CELLS.get() {
            PANIC_LINE.set(in_cell.map_or(0, |place| place.line()));
        } else if in_cell.is_some() {
            // Its place is a line of the program that the cell became, which nobody has seen.
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("<unnamed>");
            let message = message_of(info.payload());
            eprintln!("\nthread '{name}' of this cell panicked:\n{message}");
        } else {
            usual(info);
        }
    }));
}

pub(super) fn message_of(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is not a text".to_owned()
    }
}
