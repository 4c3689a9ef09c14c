//! What ends a kernel, besides a request to: a signal, or the end of the front end.

use std::io;
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Jupyter servers set this for the kernels that they start.
pub const PARENT_ENV: &str = "JPY_PARENT_PID";

/// The signals that a kernel listens to.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Interrupt,
    Stop,
}

impl Signals {
    /// Starts listening.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Stop,
        }
    }
}

/// Returns when Ctrl-C is pressed, or the process is asked to end.
///
/// # Errors
/// When the system does not let it listen to signals.
pub async fn asked_to_stop() -> io::Result<()> {
    Signals::listen()?.next().await;
    Ok(())
}

/// Returns when the process that started this kernel has ended without stopping it, so that a
/// crashed server leaves no kernels behind. A kernel started by hand is never orphaned.
pub async fn orphaned() {
    let parent = parent_id();
    if std::env::var_os(PARENT_ENV).is_none() {
        return std::future::pending().await;
    }
    while parent_id() == parent {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
