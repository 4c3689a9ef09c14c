//! The tool that runs now, such as the compiler, for an interrupt to end.

use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex};

/// Holds the process; a std mutex, locked only to store it, to take it and to end it.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<Option<Child>>>);

impl Running {
    /// Makes `child`, the first of a process group of its own, the one that [`Running::kill`] ends.
    pub fn watch(&self, child: Child) {
        *self.0.lock().expect("no panic under this lock") = Some(child);
    }

    /// Waits for the end of the watched process, whose output has ended.
    ///
    /// # Errors
    /// When the system cannot say how it ended.
    pub fn wait(&self) -> std::io::Result<ExitStatus> {
        let child = self.0.lock().expect("no panic under this lock").take();
        let gone = || std::io::Error::other("the process was waited for already");
        child.ok_or_else(gone)?.wait()
    }

    /// Ends the process and what it has started, if one runs; returns whether one did.
    pub fn kill(&self) -> bool {
        let child = self.0.lock().expect("no panic under this lock");
        let Some(group) = child
            .as_ref()
            .and_then(|child| i32::try_from(child.id()).ok())
        else {
            return false;
        };
        // SAFETY: a signal to a group of our own; its first process has not been waited for, so
        // the number cannot belong to others.
        unsafe { libc::killpg(group, libc::SIGKILL) == 0 }
    }
}
