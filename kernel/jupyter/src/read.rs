//! Stands in for the C library's `read` in this executable and in all that it loads.
//!
//! Rust's standard library reads stdin through it, and so a cell that reads stdin arrives here
//! (see `evaluate/stdin.rs`). `build.rs` exports the name, for the loader looks there first.

use libc::{c_int, c_void, size_t, ssize_t};

/// # Safety
/// As for the C library's own.
#[unsafe(no_mangle)]
unsafe extern "C" fn read(descriptor: c_int, buffer: *mut c_void, length: size_t) -> ssize_t {
    // SAFETY: the caller's promise, passed on.
    unsafe { headwater_kernel::evaluate::stdin::read(descriptor, buffer, length) }
}
