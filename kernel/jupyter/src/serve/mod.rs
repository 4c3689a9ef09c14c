//! The kernel: `headwater kernel <connection file>`.
//!
//! - [`wire`]: the sockets and messages of the protocol
//! - [`dispatch`]: answers requests at once, queues cells
//! - [`cells`]: the way to the thread that runs cells; [`execute`] is that thread
//! - [`page`]: cells that ask about a name; [`prompt`]: cells that ask the person
//! - [`comms`]: channels of the front end's own, such as a variables panel
//! - [`history`]: the cells that were run, kept across kernels
//! - [`output`]: the only writer of iopub; [`queue`] keeps the order, [`pace`] the rates
//! - [`lifetime`]: signals and the end of the front end
//! - [`info`]: what the kernel says about itself
//!
//! A cell's way: `dispatch` reads the request and queues it; `execute` publishes `busy` and the
//! input, and runs it; what it prints and shows comes through [`Output::receive`] from the
//! evaluator's pump, also after it has returned; reply and `idle` come last.

mod cells;
mod comms;
mod dispatch;
mod execute;
mod history;
mod info;
mod lifetime;
mod output;
mod pace;
mod page;
mod prompt;
mod queue;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use headwater_broker::control::{self, ControlServer};
use tokio::sync::Notify;

use crate::evaluate::{Error, Manifest, Options};
use cells::{Cells, Ways};
use comms::Comms;
use dispatch::{Dispatch, Facts};
use history::History;
use lifetime::{Asked, Signals};
use output::Output;
use prompt::Prompts;
use wire::{Heartbeat, Inbox, Outbox, Topic};

pub use history::{ENV as HISTORY_ENV, IN_MEMORY};
pub use lifetime::{PARENT_ENV, asked_to_stop};

/// Runs as a Jupyter kernel; front ends start it so.
#[derive(Debug, clap::Args)]
pub struct KernelArgs {
    /// The file with addresses, ports and key that the front end wrote. Ports given as 0 are
    /// chosen by the kernel, which then writes the file again
    pub connection_file: PathBuf,
}

/// How long the last messages may take to leave when the kernel stops.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the kernel until a front end stops it.
pub fn kernel(args: &KernelArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("sockets")
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the kernel's threads cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(live(args));
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn live(args: &KernelArgs) -> Result<(), Error> {
    let mut signals = Signals::listen().map_err(|error| {
        Error::new(
            "the kernel cannot listen to signals",
            error.to_string(),
            "headwater doctor",
        )
    })?;
    let sockets = wire::bind(&args.connection_file).await?;
    let (answers, questions) = sockets.stdin;
    let prompts = Prompts::new(questions);
    let output = Output::start(sockets.publisher, prompts.clone());
    let broker = Broker::find();
    let options = Options {
        prelude: crate::setup::prelude_dir(),
        control: broker.place(),
        workdir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        binary: None,
    };
    let rustc = Manifest::read(&options.prelude).ok();
    let rustc = rustc.map(|manifest| manifest.rustc);
    let facts = Arc::new(Facts {
        info: info::kernel_info(rustc.as_deref()),
        ports: sockets.ports,
    });
    let (shell, shell_replies) = sockets.shell;
    let (control, control_replies) = sockets.control;
    let (history, comms) = (History::start(), Comms::default());
    let ways = Ways {
        output: output.clone(),
        replies: shell_replies.clone(),
        history: history.clone(),
        comms: comms.clone(),
    };
    let cells = Cells::start(options, ways)?;
    let stop = Arc::new(Notify::new());
    tokio::spawn(beat(sockets.heartbeat));
    tokio::spawn(listen(answers, prompts));
    for (inbox, replies) in [(shell, &shell_replies), (control, &control_replies)] {
        let dispatch = Dispatch {
            output: output.clone(),
            replies: replies.clone(),
            cells: cells.clone(),
            history: history.clone(),
            comms: comms.clone(),
            facts: Arc::clone(&facts),
            stop: Arc::clone(&stop),
        };
        tokio::spawn(dispatch.run(inbox));
    }
    wait_for_end(&mut signals, &cells, &stop).await;
    cells.close().await;
    last_words(&output, [&shell_replies, &control_replies], &history).await;
    Ok(())
}

async fn wait_for_end(signals: &mut Signals, cells: &Cells, stop: &Notify) {
    let orphaned = lifetime::orphaned();
    tokio::pin!(orphaned);
    loop {
        tokio::select! {
            () = stop.notified() => return,
            () = &mut orphaned => return,
            asked = signals.next() => match asked {
                Asked::Interrupt => cells.interrupt(),
                Asked::Stop => return,
            },
        }
    }
}

/// Lets what was said before the end reach the front ends.
async fn last_words(output: &Output, replies: [&Outbox; 2], history: &History) {
    let all = async {
        output.drain().await;
        for outbox in replies {
            outbox.flush().await;
        }
        history.flush().await;
    };
    let _ = tokio::time::timeout(LAST_WORDS, all).await;
}

async fn beat(mut heartbeat: Heartbeat) {
    loop {
        heartbeat.beat().await;
    }
}

/// Passes on what people type.
async fn listen(mut stdin: Inbox, prompts: Prompts) {
    loop {
        match stdin.next().await.topic {
            Topic::Input { question, line } => prompts.answered(question.as_deref(), line),
            _ => eprintln!("headwater: ignored a message on stdin that is no line of input"),
        }
    }
}

/// Where the broker lives: in the process that started this kernel, or else in the kernel. Never
/// in the process that runs cells: a crashed cell must not take the data with it.
enum Broker {
    Elsewhere(String),
    Here(ControlServer),
    Nowhere,
}

impl Broker {
    fn find() -> Broker {
        if let Ok(place) = std::env::var(control::ENV) {
            return Broker::Elsewhere(place);
        }
        match ControlServer::start() {
            Ok(server) => Broker::Here(server),
            Err(error) => {
                eprintln!("headwater: no embedded broker: {error}");
                Broker::Nowhere
            }
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            Broker::Elsewhere(place) => Some(place.clone()),
            Broker::Here(server) => Some(server.place()),
            Broker::Nowhere => None,
        }
    }
}
