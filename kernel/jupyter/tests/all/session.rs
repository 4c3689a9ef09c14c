//! An evaluator for tests: cells in, outputs collected.

use std::sync::{Arc, Mutex};

use headwater_kernel::evaluate::frame::{Bundle, Event};
use headwater_kernel::evaluate::{CellFailure, Evaluator, Interrupter, Options, Output};
use headwater_kernel::setup::prelude;

/// A session whose output is collected.
pub struct Session {
    pub evaluator: Evaluator,
    pub outputs: Arc<Mutex<Vec<(u64, Output)>>>,
    /// Interrupts the cell as soon as it prints `go`.
    trigger: Arc<Mutex<Option<Interrupter>>>,
    count: u32,
}

impl Session {
    pub fn start() -> Session {
        let outputs: Arc<Mutex<Vec<(u64, Output)>>> = Arc::default();
        let trigger: Arc<Mutex<Option<Interrupter>>> = Arc::default();
        let (sink_outputs, sink_trigger) = (outputs.clone(), trigger.clone());
        let sink = Arc::new(move |cell: u64, output: Output| {
            if let Output::Stdout(text) = &output
                && text.contains("go")
                && let Some(interrupter) = sink_trigger.lock().unwrap().take()
            {
                interrupter.interrupt();
            }
            sink_outputs.lock().unwrap().push((cell, output));
        });
        let options = Options {
            prelude: prelude::ensure(&|_| ()).expect("the prelude builds"),
            control: None,
            workdir: std::env::temp_dir(),
            binary: Some(env!("CARGO_BIN_EXE_headwater").into()),
        };
        let evaluator = Evaluator::start(options, sink).expect("the evaluator starts");
        Session {
            evaluator,
            outputs,
            trigger,
            count: 0,
        }
    }

    pub fn run(&mut self, code: &str) -> Result<(), CellFailure> {
        self.count += 1;
        self.outputs.lock().unwrap().clear();
        self.evaluator
            .execute(u64::from(self.count), self.count, code)
    }

    /// Runs a cell that must succeed, and returns the text of its result.
    pub fn value(&mut self, code: &str) -> String {
        if let Err(failure) = self.run(code) {
            panic!("{code}\n{}", failure.traceback.join("\n"));
        }
        self.results().pop().unwrap_or_default()
    }

    pub fn fails(&mut self, code: &str) -> CellFailure {
        match self.run(code) {
            Ok(()) => panic!("this cell should fail: {code}"),
            Err(failure) => failure,
        }
    }

    pub fn interrupted(&mut self, code: &str) -> CellFailure {
        *self.trigger.lock().unwrap() = Some(self.evaluator.interrupter());
        self.fails(code)
    }

    pub fn results(&self) -> Vec<String> {
        self.collect(|output| match output {
            Output::Frame(Event::Result { data }) => data.get("text/plain").cloned(),
            _ => None,
        })
    }

    pub fn stdout(&self) -> String {
        let texts = self.collect(|output| match output {
            Output::Stdout(text) => Some(text.clone()),
            _ => None,
        });
        texts.concat()
    }

    pub fn stderr(&self) -> String {
        let texts = self.collect(|output| match output {
            Output::Stderr(text) => Some(text.clone()),
            _ => None,
        });
        texts.concat()
    }

    /// What the last cell showed other than as its result.
    pub fn displays(&self) -> Vec<Bundle> {
        self.collect(|output| match output {
            Output::Frame(Event::Display { data, .. }) => Some(data.clone()),
            _ => None,
        })
    }

    fn collect<T>(&self, pick: impl Fn(&Output) -> Option<T>) -> Vec<T> {
        let outputs = self.outputs.lock().unwrap();
        outputs
            .iter()
            .filter_map(|(_, output)| pick(output))
            .collect()
    }
}
