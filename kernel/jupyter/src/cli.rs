//! The commands of the binary.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::serve::KernelArgs;
use crate::{evaluate, serve};

/// A Rust kernel for Jupyter with live streams built in, and a course about them.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, max_term_width = 100)]
pub struct Headwater {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Kernel(KernelArgs),
    /// Runs cells for a kernel; only kernels start it.
    #[command(hide = true)]
    Child { prelude: PathBuf },
}

impl Headwater {
    /// Runs the command that was typed.
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::Kernel(args) => serve::kernel(&args),
            Command::Child { prelude } => evaluate::child_main(&prelude),
        }
    }
}
