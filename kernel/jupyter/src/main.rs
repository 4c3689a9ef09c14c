//! The binary `headwater`; everything is in the library beside it.

use std::process::ExitCode;

use clap::Parser;
use headwater_kernel::cli::Headwater;

fn main() -> ExitCode {
    Headwater::parse().run()
}
