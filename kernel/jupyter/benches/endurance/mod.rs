//! A front end for the long runs: cells through the real sockets, and the processes behind them.

#![allow(dead_code, reason = "each bench uses its own part of this")]

pub mod processes;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use headwater_kernel::run::client::{Heard, Kernel, Start};
use headwater_kernel::setup::{PRELUDE_ENV, prelude};

/// Longer than any cell of these runs takes on a loaded machine; reaching it is a failure.
const DEADLINE: Duration = Duration::from_secs(120);

/// A kernel in a folder of its own.
pub struct FrontEnd {
    pub kernel: Kernel,
    _folder: tempfile::TempDir,
}

/// How a cell ended, and what came until its reply and its `idle` were there.
pub struct Ran {
    pub took: Duration,
    pub heard: Vec<Heard>,
    pub reply: serde_json::Value,
}

impl Ran {
    pub fn is_ok(&self) -> bool {
        self.reply["status"] == "ok"
    }

    /// Returns the text of the result, or the error.
    pub fn text(&self) -> String {
        let result = self
            .heard
            .iter()
            .find(|heard| heard.message_type == "execute_result");
        match result {
            Some(result) => text_of(&result.content),
            None => self.reply["evalue"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

impl FrontEnd {
    pub async fn start() -> FrontEnd {
        let prelude = prelude::ensure(&|line| eprintln!("{line}")).expect("the prelude builds");
        let folder = tempfile::tempdir().expect("a folder for the cells");
        let start = Start {
            binary: PathBuf::from(env!("CARGO_BIN_EXE_headwater")),
            workdir: folder.path().to_owned(),
            variables: vec![(PRELUDE_ENV.to_owned(), prelude.display().to_string())],
        };
        FrontEnd {
            kernel: Kernel::start(&start).await.expect("the kernel starts"),
            _folder: folder,
        }
    }

    /// Returns the kernel's process.
    pub fn kernel_id(&self) -> u32 {
        self.kernel.id().expect("the kernel runs")
    }

    pub async fn hear(&mut self) -> Heard {
        let heard = tokio::time::timeout(DEADLINE, self.kernel.next()).await;
        heard
            .expect("the kernel says something in time")
            .expect("the kernel is there")
    }

    /// Runs a cell to its end.
    pub async fn run(&mut self, code: &str) -> Ran {
        let started = Instant::now();
        let id = self
            .kernel
            .execute(code)
            .await
            .expect("the kernel takes the cell");
        let mut ran = self.finish(&id).await;
        ran.took = started.elapsed();
        ran
    }

    /// Runs a cell that must succeed.
    pub async fn must(&mut self, code: &str) -> Ran {
        let ran = self.run(code).await;
        assert!(ran.is_ok(), "{code}\n{}", ran.reply);
        ran
    }

    /// Hears everything until both the reply to request `id` and its `idle` have come.
    pub async fn finish(&mut self, id: &str) -> Ran {
        let (mut heard, mut reply, mut idle) = (Vec::new(), None, false);
        let started = Instant::now();
        while reply.is_none() || !idle {
            let next = self.hear().await;
            if next.is_reply(id, "execute_reply") {
                reply = Some(next.content.clone());
            }
            idle |= next.is_idle(id);
            heard.push(next);
        }
        Ran {
            took: started.elapsed(),
            heard,
            reply: reply.expect("the loop ends with it"),
        }
    }
}

/// Returns the plain text of a display or a result.
pub fn text_of(content: &serde_json::Value) -> String {
    content["data"]["text/plain"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

pub fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Returns the number that follows `name` on the command line.
pub fn argument(name: &str) -> Option<f64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)?.parse().ok()
}

pub fn is_short() -> bool {
    std::env::args().any(|argument| argument == "--short")
}

/// Ends the run: with an error code where a promise was broken.
pub fn verdict(broken: &[String]) -> std::process::ExitCode {
    for promise in broken {
        println!("BROKEN: {promise}");
    }
    if broken.is_empty() {
        println!("all promises kept");
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    }
}
