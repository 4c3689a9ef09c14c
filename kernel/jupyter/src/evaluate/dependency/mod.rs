//! `:dep`: crates that the prelude does not hold, beside it in the same cells.
//!
//! - [`spec`] reads the line, [`provided`] answers it from the prelude where that has the crate
//! - [`cargo`] compiles the crates, once for all notebooks of a person
//! - [`library`] makes one shared object of them, which cells link as they link the prelude
//!
//! A crate that both the prelude and a dependency use exists twice, with types of its own in
//! each: a `:dep` that takes or gives Polars' types needs the prelude's Polars, and cannot.

mod cargo;
mod library;
mod provided;
mod spec;

use std::path::{Path, PathBuf};

use super::frame::Event;
use super::{CellFailure, Evaluator, Output};
use cargo::Project;
use spec::Spec;

pub use library::Library;

/// The dependencies of a session.
#[derive(Debug, Default)]
pub struct Dependencies {
    specs: Vec<Spec>,
    /// `name version` of each, for `:show_deps`.
    pub shown: Vec<String>,
    /// Counts the shared objects: a loaded one cannot be replaced under its name.
    built: u32,
    pub offline: bool,
    /// What `:build_env` has set.
    pub environment: std::collections::BTreeMap<String, String>,
}

impl Evaluator {
    /// Adds the crates that `:dep` lines ask for; returns what to say of each.
    pub(super) fn add_dependencies(
        &mut self,
        cell: u64,
        lines: &[&str],
    ) -> Result<Vec<String>, CellFailure> {
        let mut said = Vec::new();
        let mut specs = self.dependencies.specs.clone();
        for line in lines {
            let spec = Spec::parse(line, &self.options.workdir)?;
            match provided::look_up(&spec, self.compiler.manifest())? {
                Some(words) => said.push(words),
                None => {
                    specs.retain(|old| old.key != spec.key);
                    specs.push(spec);
                }
            }
        }
        if specs.is_empty() || (said.len() == lines.len()) {
            return Ok(said);
        }
        said.extend(self.build_dependencies(cell, specs)?);
        Ok(said)
    }

    fn build_dependencies(
        &mut self,
        cell: u64,
        specs: Vec<Spec>,
    ) -> Result<Vec<String>, CellFailure> {
        let started = std::time::Instant::now();
        let project = Project {
            folder: self.compiler.folder().join("dependencies"),
            target: target_folder(&self.options.prelude),
        };
        project.write(&specs)?;
        let progress = Progress::new(cell, self.sink.clone());
        self.interrupter.compiling();
        let known = &self.dependencies;
        let crates = project.build(
            &specs,
            known.offline,
            &known.environment,
            &self.compiler.running(),
            &|line| progress.say(line),
        );
        let crates = crates.inspect_err(|_| progress.end("not built"))?;
        self.dependencies.built += 1;
        let name = format!("{}_{}", cargo::NAME, self.dependencies.built);
        progress.say("linking");
        let library = self.compiler.link_dependencies(&name, &crates);
        let library = library.inspect_err(|_| progress.end("not linked"))?;
        self.compiler.use_dependencies(library)?;
        let shown: Vec<String> = crates
            .versions
            .iter()
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let took = started.elapsed().as_secs_f64();
        progress.end(&format!("{} ready ({took:.1} s)", shown.join(", ")));
        self.dependencies.specs = specs;
        self.dependencies.shown = shown;
        Ok(Vec::new())
    }
}

/// Where compiled dependencies are kept, for all sessions: beside the prelude, in a clone as in an
/// installation. In a clone, preludes have a folder of their own that old ones are deleted from.
fn target_folder(prelude: &Path) -> PathBuf {
    let beside = |folder: &Path| folder.with_file_name("headwater-dependencies");
    match prelude.parent() {
        Some(home) if home.ends_with("headwater-prelude") => beside(home),
        _ => beside(prelude),
    }
}

/// One line that says what cargo is at, replaced in place.
struct Progress {
    cell: u64,
    sink: super::Sink,
    id: String,
}

impl Progress {
    fn new(cell: u64, sink: super::Sink) -> Progress {
        let id = format!("headwater-dep-{}", uuid::Uuid::new_v4().simple());
        let data = plain("resolving dependencies");
        sink(
            cell,
            Output::Frame(Event::Display {
                id: Some(id.clone()),
                data,
            }),
        );
        Progress { cell, sink, id }
    }

    fn say(&self, line: &str) {
        let is_news = [
            "Compiling",
            "Downloading",
            "Downloaded",
            "Updating",
            "linking",
        ]
        .iter()
        .any(|start| line.starts_with(start));
        if is_news {
            self.end(line);
        }
    }

    fn end(&self, words: &str) {
        let update = Event::Update {
            id: self.id.clone(),
            data: plain(words),
        };
        (self.sink)(self.cell, Output::Frame(update));
    }
}

fn plain(text: &str) -> super::frame::Bundle {
    [("text/plain".to_owned(), text.to_owned())].into()
}
