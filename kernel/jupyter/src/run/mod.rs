//! `headwater run`: executes notebooks through the real kernel over its real sockets.
//!
//! - [`client`]: starts a kernel and talks to it
//! - [`session`]: runs the cells of one notebook
//! - [`notebook`]: the file, [`outputs`]: what the kernel said, put into it
//! - [`prelude`]: the library that cells link
//! - [`html`]: one self-contained page of it
//! - [`report`]: one line a cell; [`ansi`]: terminal colours

mod ansi;
pub mod client;
pub mod html;
pub(crate) mod notebook;
mod outputs;
pub(crate) mod prelude;
pub(crate) mod report;
pub(crate) mod session;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::evaluate::Error;
use notebook::Notebook;
use report::{Report, say};
use session::{Ending, Run, Session};

/// What a shell reports for a program that Ctrl-C has ended.
const STOPPED: u8 = 130;

/// Runs notebooks through the kernel and writes them with their outputs.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The notebooks, run in this order, each in a kernel of its own
    #[arg(required = true, value_name = "NOTEBOOK")]
    pub notebooks: Vec<PathBuf>,
    /// The folder for the executed notebooks
    #[arg(long, value_name = "DIR", default_value = "executed")]
    pub out: PathBuf,
    /// Also write one HTML page a notebook, with its pictures inside
    #[arg(long)]
    pub html: bool,
    /// How long one cell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}

/// Runs the notebooks up to the first error.
pub fn run(args: &RunArgs) -> ExitCode {
    ended(block_on(run_all(args)))
}

/// Runs what waits for kernels on this thread.
///
/// # Errors
/// Its own, and when the system gives no threads.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        Error::new(
            "no threads",
            error.to_string(),
            "ulimit -u, and fewer programs",
        )
    })?;
    runtime.block_on(work)
}

/// Prints an error, and returns what the shell gets.
pub(crate) fn ended(outcome: Result<ExitCode, Error>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Writes an executed notebook as one page, with its pictures inside.
///
/// # Errors
/// When the page cannot be written.
pub(crate) fn write_page(page: &Path, executed: &Notebook, folder: &Path) -> Result<(), Error> {
    notebook::write(page, html::page(executed, folder).as_bytes())
}

async fn run_all(args: &RunArgs) -> Result<ExitCode, Error> {
    // All of them are read before the first runs: a wrong name should not cost minutes.
    let mut notebooks = Vec::new();
    for path in &args.notebooks {
        notebooks.push((path, Notebook::read(path)?));
    }
    check_names(args)?;
    let prelude = prelude::prelude(&|line| eprintln!("{line}"))?;
    for (path, notebook) in notebooks {
        let code = run_one(path, notebook, &prelude, args).await?;
        if code != 0 {
            return Ok(ExitCode::from(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_one(
    path: &Path,
    notebook: Notebook,
    prelude: &Path,
    args: &RunArgs,
) -> Result<u8, Error> {
    let cells = session::count(&notebook);
    let report = Report::of(path, cells);
    let limit = Duration::from_secs(args.timeout);
    let session = Session::start(path, notebook, prelude, limit).await?;
    let Run {
        notebook: executed,
        ending,
        ..
    } = session.run(&report).await;
    let name = path.file_stem().unwrap_or_default();
    let target = args.out.join(name).with_extension("ipynb");
    executed.write(&target)?;
    say(&format!("  wrote {}", target.display()));
    if args.html {
        let page = args.out.join(name).with_extension("html");
        let folder = path.parent().unwrap_or(Path::new("."));
        write_page(&page, &executed, folder)?;
        say(&format!("  wrote {}", page.display()));
    }
    Ok(match ending {
        Ending::Completed => 0,
        Ending::Stopped => {
            eprintln!("stopped; the notebook so far is in {}", target.display());
            STOPPED
        }
        Ending::Failed { number, failure } => {
            failure.print(&format!("cell {number} of {cells} in {}", path.display()));
            1
        }
    })
}

/// Two notebooks of one name would be written to one file.
fn check_names(args: &RunArgs) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for path in &args.notebooks {
        if !seen.insert(path.file_stem().unwrap_or_default()) {
            let name = path.with_extension("ipynb");
            let name = name.file_name().unwrap_or_default().display();
            return Err(Error::new(
                format!(
                    "two notebooks would be written to {}",
                    args.out.join(name.to_string()).display()
                ),
                "both have that name, in different folders",
                "headwater run one of them, then the other with another --out",
            ));
        }
    }
    Ok(())
}
