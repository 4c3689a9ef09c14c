//! The binary `headwater`; everything is in the library beside it.

#[cfg(target_os = "linux")]
mod read;

use std::process::ExitCode;

use clap::Parser;
use headwater_kernel::cli::Headwater;

fn main() -> ExitCode {
    // evcxr starts this very binary for its own cells; there the call does not return.
    evcxr::runtime_hook();
    Headwater::parse().run()
}
