//! `headwater course`: the lessons as a whole.
//!
//! - [`catalogue`]: `lessons.toml` and the notebooks that it names
//! - [`form`]: what must hold of the files as they are
//! - [`check`]: that, and what must hold when they run
//! - [`live`]: whether a cell streamed, windowed and plotted; whether pictures have their words
//! - [`overview`]: `notebooks/README.md` and the links at the end of each lesson
//! - [`progress`]: the files of many learners as one table
//! - [`zoo`]: the wrong solutions, handed in

mod catalogue;
mod check;
mod form;
mod live;
mod overview;
mod progress;
mod zoo;

use std::process::ExitCode;

use clap::Subcommand;

use check::CheckArgs;
use overview::OverviewArgs;
use progress::ProgressArgs;

/// Checks the lessons, writes their overview, and shows how far a class is.
#[derive(Debug, clap::Args)]
pub struct CourseArgs {
    #[command(subcommand)]
    command: CourseCommand,
}

#[derive(Debug, Subcommand)]
enum CourseCommand {
    Check(CheckArgs),
    Overview(OverviewArgs),
    Progress(ProgressArgs),
}

/// Runs the command that was typed.
pub fn course(args: &CourseArgs) -> ExitCode {
    match &args.command {
        CourseCommand::Check(args) => check::check(args),
        CourseCommand::Overview(args) => overview::overview(args),
        CourseCommand::Progress(args) => progress::progress(args),
    }
}
