//! The commands of the binary.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::broker::{self, BrokerArgs};
use crate::course::{self, CourseArgs};
use crate::evaluate::{self, Error};
use crate::run::{self, RunArgs};
use crate::serve::{self, KernelArgs};
use crate::setup::{self, DoctorArgs, InstallArgs, LabArgs, UninstallArgs};

/// A Rust kernel for Jupyter with live streams built in, and a course about them.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, max_term_width = 100)]
pub struct Headwater {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lab(LabArgs),
    Install(InstallArgs),
    Uninstall(UninstallArgs),
    Run(RunArgs),
    Broker(BrokerArgs),
    Course(CourseArgs),
    Doctor(DoctorArgs),
    Kernel(KernelArgs),
    /// Runs cells for a kernel; only kernels start it.
    #[command(hide = true)]
    Child {
        prelude: PathBuf,
    },
}

impl Headwater {
    /// Runs the command that was typed.
    pub fn run(self) -> ExitCode {
        match self.command {
            Command::Lab(args) => ended(setup::lab(args)),
            Command::Install(args) => ended(setup::install(args)),
            Command::Uninstall(args) => ended(setup::uninstall(args)),
            Command::Run(args) => run::run(&args),
            Command::Broker(args) => broker::broker(&args),
            Command::Course(args) => course::course(&args),
            Command::Doctor(args) => ended(setup::doctor(args)),
            Command::Kernel(args) => serve::kernel(&args),
            Command::Child { prelude } => evaluate::child_main(&prelude),
        }
    }
}

fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
