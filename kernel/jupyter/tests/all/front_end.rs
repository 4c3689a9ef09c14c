//! A front end for tests: starts a kernel, asks, and hears what it says under a deadline.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use headwater_kernel::run::client::{Channel, Heard, Kernel, Start};
use headwater_kernel::setup::{PRELUDE_ENV, prelude};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Longer than anything here takes on a loaded machine; reaching it is a failure.
const DEADLINE: Duration = Duration::from_secs(60);

pub const BINARY: &str = env!("CARGO_BIN_EXE_headwater");

/// The prelude that cells link, built once for all tests.
pub fn prelude_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| prelude::ensure(&|_| ()).expect("the prelude builds"))
}

/// A front end with a kernel of its own.
pub struct FrontEnd {
    // The kernel goes first: its sockets need the runtime to close.
    kernel: Option<Kernel>,
    runtime: Runtime,
    folder: tempfile::TempDir,
}

impl FrontEnd {
    pub fn start() -> FrontEnd {
        FrontEnd::start_with(&[])
    }

    /// Starts a kernel with some variables set for it.
    pub fn start_with(more: &[(&str, &str)]) -> FrontEnd {
        let folder = tempfile::tempdir().unwrap();
        let prelude = prelude_folder().display().to_string();
        let mut variables = vec![(PRELUDE_ENV.to_owned(), prelude)];
        let more = more.iter();
        variables.extend(more.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let start = Start {
            binary: BINARY.into(),
            workdir: folder.path().to_owned(),
            variables,
        };
        let runtime = Runtime::new().unwrap();
        let kernel = runtime
            .block_on(Kernel::start(&start))
            .expect("the kernel starts");
        FrontEnd {
            kernel: Some(kernel),
            runtime,
            folder,
        }
    }

    pub fn kernel(&mut self) -> &mut Kernel {
        self.kernel.as_mut().expect("it was not stopped")
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub fn ask(&mut self, channel: Channel, message_type: &str, content: Value) -> String {
        let kernel = self.kernel.as_mut().expect("it was not stopped");
        self.runtime
            .block_on(kernel.ask(channel, message_type, content))
            .unwrap()
    }

    pub fn ask_with(
        &mut self,
        channel: Channel,
        message_type: &str,
        content: Value,
        buffers: Vec<Vec<u8>>,
    ) -> String {
        let kernel = self.kernel.as_mut().expect("it was not stopped");
        let buffers = buffers.into_iter().map(Into::into).collect();
        self.runtime
            .block_on(kernel.ask_with(channel, message_type, content, buffers))
            .unwrap()
    }

    pub fn execute(&mut self, code: &str) -> String {
        self.execute_with(code, json!({}))
    }

    /// Sends an execute request with some fields set otherwise.
    pub fn execute_with(&mut self, code: &str, fields: Value) -> String {
        let mut content = json!({
            "code": code, "silent": false, "store_history": true,
            "user_expressions": {}, "allow_stdin": false, "stop_on_error": true,
        });
        for (name, value) in fields.as_object().unwrap() {
            content[name] = value.clone();
        }
        self.ask(Channel::Shell, "execute_request", content)
    }

    pub fn hear(&mut self) -> Heard {
        let kernel = self.kernel.as_mut().expect("it was not stopped");
        let heard = self
            .runtime
            .block_on(async { tokio::time::timeout(DEADLINE, kernel.next()).await });
        heard
            .expect("the kernel says something in time")
            .expect("the kernel is there")
    }

    /// Hears everything up to and including the first message that is wanted.
    pub fn until(&mut self, wanted: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        let mut all = Vec::new();
        loop {
            let heard = self.hear();
            let is_last = wanted(&heard);
            all.push(heard);
            if is_last {
                return all;
            }
        }
    }

    /// Hears everything until both the reply to request `id` and its `idle` have come.
    pub fn finish(&mut self, id: &str) -> Vec<Heard> {
        let mut all = Vec::new();
        while reply_to(&all, id).is_none() || !all.iter().any(|heard| heard.is_idle(id)) {
            all.push(self.hear());
        }
        all
    }

    /// Runs a cell to its end.
    pub fn run(&mut self, code: &str) -> Vec<Heard> {
        let id = self.execute(code);
        self.finish(&id)
    }

    /// Runs a cell that must succeed, and returns the text of its value.
    pub fn value(&mut self, code: &str) -> String {
        let id = self.execute(code);
        let all = self.finish(&id);
        let reply = reply_to(&all, &id).unwrap();
        assert_eq!(reply["status"], "ok", "{code}: {reply}");
        let result = all
            .iter()
            .find(|heard| heard.message_type == "execute_result");
        result.map_or(String::new(), |heard| {
            heard.content["data"]["text/plain"]
                .as_str()
                .unwrap()
                .to_owned()
        })
    }

    /// Asks for something beside a cell and returns the content of the reply.
    pub fn answer(&mut self, message_type: &str, content: Value) -> Value {
        let id = self.ask(Channel::Shell, message_type, content);
        let all = self.finish(&id);
        assert_eq!(published(&all, &id), ["busy", "idle"], "{message_type}");
        reply_to(&all, &id).unwrap()
    }

    /// A file that cells wait for; [`Gate::open`] lets them go on.
    pub fn gate(&self, name: &str) -> Gate {
        Gate {
            path: self.folder.path().join(name),
        }
    }

    /// Asks the kernel to end; returns whether it did so by itself.
    pub fn stop(&mut self) -> bool {
        let kernel = self.kernel.take().expect("it was not stopped");
        self.runtime.block_on(kernel.stop(|_| ()))
    }
}

pub struct Gate {
    path: PathBuf,
}

impl Gate {
    /// Rust code that waits until the gate is open.
    pub fn wait(&self) -> String {
        format!(
            "while !std::path::Path::new({:?}).exists() {{ std::thread::sleep(std::time::Duration::from_millis(2)); }}",
            self.path
        )
    }

    pub fn open(&self) {
        std::fs::write(&self.path, "").unwrap();
    }
}

/// The content of the reply to request `id`, if it was heard.
pub fn reply_to(all: &[Heard], id: &str) -> Option<Value> {
    let is_reply = |heard: &&Heard| {
        matches!(heard.channel, Channel::Shell | Channel::Control) && heard.is_under(id)
    };
    all.iter().find(is_reply).map(|heard| heard.content.clone())
}

/// The types of the iopub messages under request `id`, states by their name.
pub fn published(all: &[Heard], id: &str) -> Vec<String> {
    let under = all
        .iter()
        .filter(|heard| heard.channel == Channel::Iopub && heard.is_under(id));
    under
        .map(|heard| match heard.content["execution_state"].as_str() {
            Some(state) => state.to_owned(),
            None => heard.message_type.clone(),
        })
        .collect()
}

/// All stream text under request `id`.
pub fn stream_text(all: &[Heard], id: &str, name: &str) -> String {
    let streams = all
        .iter()
        .filter(|heard| heard.message_type == "stream" && heard.is_under(id));
    let named = streams.filter(|heard| heard.content["name"] == name);
    named
        .map(|heard| heard.content["text"].as_str().unwrap())
        .collect()
}

/// Waits until process `id` has ended; one that nobody has waited for yet has ended, too.
pub fn wait_until_ended(id: u32) {
    let deadline = std::time::Instant::now() + DEADLINE;
    while let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) {
        if stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z'))
        {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "process {id} still runs: {stat}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
