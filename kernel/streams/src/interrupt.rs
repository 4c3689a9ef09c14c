//! The first interrupt: a flag that every waiting call of this library looks at.
//!
//! The cell runner sets it on SIGINT and clears it when the next cell starts. A call that finds
//! it set stops what it does and returns [`Error::interrupted`](crate::Error::interrupted), so
//! the cell ends and its variables stay.

use std::sync::atomic::{AtomicBool, Ordering};

static RAISED: AtomicBool = AtomicBool::new(false);

/// Asks every waiting call to stop. Safe to call from a signal handler.
pub fn raise() {
    RAISED.store(true, Ordering::SeqCst);
}

/// Forgets an earlier interrupt. The cell runner calls it before each cell.
pub fn clear() {
    RAISED.store(false, Ordering::SeqCst);
}

/// Returns whether an interrupt is waiting to be answered.
pub fn is_raised() -> bool {
    RAISED.load(Ordering::SeqCst)
}

/// Fails when an interrupt is waiting; call it in every loop that may take long.
///
/// # Errors
/// [`Error::interrupted`](crate::Error::interrupted).
pub fn check() -> crate::Result<()> {
    if is_raised() {
        Err(crate::Error::interrupted())
    } else {
        Ok(())
    }
}
