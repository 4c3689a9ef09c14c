//! Tells the binary around this library which cell runs, so that it can send what a thread prints
//! to the cell that started the thread.

use std::ffi::c_void;
use std::sync::OnceLock;

type CellRuns = extern "C" fn(u64);

/// Says that `cell` runs now; threads started from here on belong to it. 0 stands for no cell.
pub(super) fn cell_runs(cell: u64) {
    if let Some(cell_runs) = function() {
        cell_runs(cell);
    }
}

/// Runs `start`, whose threads outlive the cell and belong to none.
pub(super) fn of_no_cell<T>(start: impl FnOnce() -> T) -> T {
    let cell = headwater_streams::display::current_cell();
    cell_runs(0);
    let started = start();
    cell_runs(cell);
    started
}

/// Finds the function in the binary; there is none in a plain program, or on another system.
fn function() -> Option<CellRuns> {
    static FUNCTION: OnceLock<Option<CellRuns>> = OnceLock::new();
    *FUNCTION.get_or_init(|| {
        // SAFETY: where the symbol exists it is the kernel's function of this signature.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"headwater_cell_runs".as_ptr());
            (!found.is_null()).then(|| std::mem::transmute::<*mut c_void, CellRuns>(found))
        }
    })
}
