//! All of the set-up, and then JupyterLab with the first lesson.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::Args;
use headwater_broker::control::ControlServer;
use tokio::signal::unix::{SignalKind, signal};

use super::checks;
use super::course::Course;
use super::folders::Folders;
use super::jupyter::Jupyter;
use super::kernelspec::{self, KernelSpec};
use super::progress::Progress;
use super::server::{Launch, Server};
use super::{SetupError, file_error, prelude, warm};

/// Sets everything up and opens JupyterLab on the first lesson.
#[derive(Debug, Clone, Args)]
pub struct LabArgs {
    /// The notebook to open [default: lesson 5.1].
    pub notebook: Option<PathBuf>,
    /// Print the address, do not open a browser.
    #[arg(long)]
    pub no_browser: bool,
    /// The port to listen on; 0 takes a free one [default: 8888, or the next that is free].
    #[arg(long)]
    pub port: Option<u16>,
    /// The address to listen on. Anything but this machine's own is for containers.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub listen: IpAddr,
    /// Do the set-up and stop before JupyterLab starts.
    #[arg(long)]
    pub prepare: bool,
    /// A prelude that is ready, instead of building one.
    #[arg(long, hide = true)]
    pub prelude: Option<PathBuf>,
    /// Do not run a first cell ahead.
    #[arg(long, hide = true)]
    pub no_warm: bool,
}

/// Runs until Ctrl-C, a signal, or File → Shut Down in the page.
///
/// # Errors
/// When something is missing, with what to type.
pub fn lab(args: LabArgs) -> Result<(), SetupError> {
    let course = Course::find(args.notebook.as_deref())?;
    let folders = Folders::of_person()?;
    let progress = Progress::to_stderr();

    let step = progress.step("compiler");
    step.done(&checks::build_tools()?);

    let jupyter = find_jupyter(&folders, &progress)?;

    let prelude = find_prelude(args.prelude.as_deref(), &progress)?;
    register(&jupyter, &prelude, &progress)?;

    let control = ControlServer::start().map_err(|error| {
        SetupError::new(
            "the embedded broker does not start",
            error.to_string(),
            "headwater doctor",
        )
    })?;
    if !args.no_warm {
        let step = progress.step("first cell");
        step.say("compiling");
        warm::first_cell(&prelude, &control.place())?;
        step.done("ready");
    }
    if args.prepare {
        return Ok(());
    }
    let place = control.place();
    let launch = Launch {
        jupyter: &jupyter,
        folders: &folders,
        course: &course,
        control: &place,
        listen: args.listen,
        port: args.port,
        browser: !args.no_browser,
    };
    serve(&launch, &progress)
}

fn find_jupyter(folders: &Folders, progress: &Progress) -> Result<Jupyter, SetupError> {
    let step = progress.step("jupyterlab");
    step.say("looking for it");
    let jupyter = match Jupyter::on_path(folders) {
        Some(jupyter) => jupyter,
        None => Jupyter::in_own_environment(folders, &step)?,
    };
    let program = jupyter.command[0].to_string_lossy();
    step.done(&format!("{} at {program}", jupyter.version));
    Ok(jupyter)
}

fn find_prelude(named: Option<&Path>, progress: &Progress) -> Result<PathBuf, SetupError> {
    let step = progress.step("prelude");
    let folder = match named {
        Some(folder) => std::path::absolute(folder)
            .map_err(|error| file_error("no such prelude", folder, &error))?,
        None => prelude::ensure(&|what| step.say(what))?,
    };
    step.done(&folder.display().to_string());
    Ok(folder)
}

/// Makes the kernel known to this JupyterLab: the running binary, where it is.
fn register(jupyter: &Jupyter, prelude: &Path, progress: &Progress) -> Result<(), SetupError> {
    let step = progress.step("kernel");
    let binary = std::env::current_exe()
        .map_err(|error| file_error("no path to this binary", prelude, &error))?;
    let spec = KernelSpec {
        binary,
        prelude: prelude.to_owned(),
    };
    spec.write(&jupyter.data)?;
    step.done(&kernelspec::folder(&jupyter.data).display().to_string());
    Ok(())
}

/// Starts JupyterLab, says where it is, and waits for the end.
fn serve(launch: &Launch<'_>, progress: &Progress) -> Result<(), SetupError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        SetupError::new(
            "no runtime for signals",
            error.to_string(),
            "headwater doctor",
        )
    })?;
    runtime.block_on(async {
        let mut stop = StopSignals::listen()?;
        let step = progress.step("server");
        step.say("JupyterLab starts");
        let mut server = Server::start(launch)?;
        let path = launch.course.notebook_in_address();
        let address = tokio::select! {
            address = server.address(&path) => address,
            () = stop.first() => {
                server.stop().await;
                return Ok(());
            }
        };
        let address = match address {
            Ok(address) => address,
            Err(error) => {
                server.stop().await;
                return Err(error);
            }
        };
        step.done("running; Ctrl-C ends it");
        println!("open {address}");
        let ended = tokio::select! {
            ended = server.ended() => return ended,
            () = stop.first() => Ok(()),
        };
        let step = progress.step("server");
        step.say("ending JupyterLab and its kernels");
        tokio::select! {
            () = server.stop() => step.done("ended"),
            // A second Ctrl-C: what dies with this process is killed by the drop of its handle.
            () = stop.first() => step.done("left at the second signal"),
        }
        ended
    })
}

/// The signals that mean: end in order.
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl StopSignals {
    fn listen() -> Result<StopSignals, SetupError> {
        let fail = |error: std::io::Error| {
            SetupError::new(
                "signals cannot be received",
                error.to_string(),
                "headwater doctor",
            )
        };
        Ok(StopSignals {
            interrupt: signal(SignalKind::interrupt()).map_err(fail)?,
            terminate: signal(SignalKind::terminate()).map_err(fail)?,
            hangup: signal(SignalKind::hangup()).map_err(fail)?,
        })
    }

    /// Waits for the next of them.
    async fn first(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
