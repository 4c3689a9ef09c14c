//! The first steps of the child: load the prelude and hand over to it.
//!
//! The program is the kernel's own binary, but everything that runs cells lives in the prelude's
//! shared object, with that object's copy of the standard library.

use std::path::Path;
use std::process::ExitCode;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY, Symbol};

use super::stdin;

/// Runs cells until the kernel goes away: `headwater child <prelude>`.
pub fn child_main(dylib: &Path) -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Ok(place) = std::env::var(super::frame::ENV) {
        super::threads::start(place.split_once('/').map_or("", |(_, token)| token));
    }
    // SAFETY: the prelude has no initialisers of its own that could go wrong.
    let library = match unsafe { Library::open(Some(dylib), RTLD_LAZY | RTLD_GLOBAL) } {
        Ok(library) => library,
        Err(error) => {
            let reason = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string);
            eprintln!("the prelude cannot be loaded: {reason}");
            return ExitCode::FAILURE;
        }
    };
    // SAFETY: the prelude exports this function with this signature (cell/input.rs).
    if let Ok(reader) = unsafe { library.get::<stdin::Reader>(b"headwater_read\0") } {
        stdin::hand_over(*reader);
    }
    // SAFETY: the prelude exports this function with this signature (cell/child.rs).
    let code = unsafe {
        let main: Result<Symbol<extern "C" fn() -> i32>, _> =
            library.get(b"headwater_child_main\0");
        main.map(|main| main())
    };
    // Never unloaded: threads of the library may still run while the process ends.
    std::mem::forget(library);
    match code {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the prelude is of another version: {error}");
            ExitCode::FAILURE
        }
    }
}
