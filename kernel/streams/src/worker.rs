//! The thread behind a handle: joined once, and waited for in a way that an interrupt ends.

use std::sync::Mutex;
use std::thread::JoinHandle;

use crate::{Error, Result, display, interrupt};

/// A thread that belongs to a handle.
#[derive(Default)]
pub(crate) struct Worker {
    /// Taken by whoever joins it first. Locked for that join.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    /// Starts a thread whose output belongs to the cell that starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<Worker> {
        let cell = display::current_cell();
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                display::adopt(cell);
                work();
            });
        let thread = thread
            .map_err(|cause| Error::new(format!("no thread for {name}")).have(cause.to_string()))?;
        Ok(Worker {
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Waits for the thread's end; a second call does nothing.
    pub fn join(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// Waits while `waiting` says so, `pause` by `pause`; an interrupt calls `stop` and is an error.
pub(crate) fn wait_while(
    mut waiting: impl FnMut() -> bool,
    stop: impl Fn(),
    pause: impl Fn(),
) -> Result<()> {
    while waiting() {
        if let Err(interrupted) = interrupt::check() {
            stop();
            return Err(interrupted);
        }
        pause();
    }
    // An interrupt ends the thread itself too, which may be seen first.
    interrupt::check()
}
