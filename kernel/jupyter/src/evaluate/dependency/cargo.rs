//! Cargo compiles the crates of `:dep` lines in a project of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use toml::Table;

use super::spec::Spec;
use crate::evaluate::Error;
use crate::evaluate::running::Running;

/// The name of the project, and of the library that holds its crates for cells.
pub const NAME: &str = "headwater_deps";

/// A project with the session's dependencies.
pub struct Project {
    /// Holds the manifest; one a session, so that two notebooks do not mix their versions.
    pub folder: PathBuf,
    /// Shared by all sessions of a person: a crate is compiled once.
    pub target: PathBuf,
}

/// What the build gave.
#[derive(Debug, Default)]
pub struct Crates {
    /// Name in code to library.
    pub libraries: BTreeMap<String, PathBuf>,
    /// Names of those that are procedural macros.
    pub macros: Vec<String>,
    /// Name in code to version.
    pub versions: BTreeMap<String, String>,
    pub native: Vec<String>,
    /// The folder with the libraries of everything below.
    pub search: PathBuf,
}

impl Project {
    /// Writes the manifest.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, specs: &[Spec]) -> Result<(), Error> {
        let mut dependencies = Table::new();
        for spec in specs {
            dependencies.insert(spec.key.clone(), spec.value.clone());
        }
        // Written as a whole, so that an entry that is a table stands below `dependencies`.
        let whole = Table::from_iter([("dependencies".to_owned(), dependencies.into())]);
        let dependencies = toml::to_string(&whole).unwrap_or_default();
        // Fewer codegen units than the prelude's crates have: so a crate that both hold gets
        // another identity in each, and the compiler does not take one for the other.
        let manifest = format!(
            "[package]\nname = \"{NAME}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n[workspace]\n\n\
             [profile.dev]\ndebug = 0\nopt-level = 2\ncodegen-units = 8\nincremental = false\ndebug-assertions = false\noverflow-checks = false\n\n\
             [profile.dev.build-override]\nopt-level = 0\n\n{dependencies}"
        );
        let write = || {
            std::fs::create_dir_all(&self.folder)?;
            std::fs::write(self.folder.join("lib.rs"), "")?;
            std::fs::write(self.folder.join("Cargo.toml"), manifest)
        };
        write().map_err(|error| {
            let have = format!("{}: {error}", self.folder.display());
            Error::new(
                "the dependencies cannot be written",
                have,
                "free some disk space",
            )
        })
    }

    /// Builds the crates; from what is on this machine first, and over the network where that
    /// does not do and `offline` is not set. `progress` hears what cargo is at.
    ///
    /// # Errors
    /// When a crate cannot be had or does not compile, with cargo's reason.
    pub fn build(
        &self,
        specs: &[Spec],
        offline: bool,
        environment: &BTreeMap<String, String>,
        running: &Running,
        progress: &dyn Fn(&str),
    ) -> Result<Crates, Error> {
        let mut said = String::new();
        for network in [false, true] {
            if network && offline {
                break;
            }
            let mut command = self.command(environment);
            if !network {
                command.arg("--offline");
            }
            match run(command, running, progress)? {
                (true, messages, _) => return Ok(self.crates(specs, &messages)),
                (false, _, stderr) => said = stderr,
            }
            if said.contains("could not compile") || said.contains("build script") {
                break;
            }
        }
        Err(refused(specs, offline, &said))
    }

    fn command(&self, environment: &BTreeMap<String, String>) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(["build", "--lib", "--message-format=json-render-diagnostics"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_NET_RETRY", "1")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .envs(environment);
        command
    }

    fn crates(&self, specs: &[Spec], messages: &[Value]) -> Crates {
        let mut crates = Crates {
            search: self.target.join("debug/deps"),
            ..Crates::default()
        };
        for message in messages {
            let paths = message["linked_paths"].as_array().into_iter().flatten();
            crates
                .native
                .extend(paths.filter_map(Value::as_str).map(str::to_owned));
            let target = &message["target"];
            let Some(library) = library_of(message) else {
                continue;
            };
            let (package, version) = package_of(message);
            for spec in specs {
                let wanted = spec.value.get("package").and_then(toml::Value::as_str);
                if package != wanted.unwrap_or(&spec.key) {
                    continue;
                }
                let renamed = wanted.is_some();
                let name = match target["name"].as_str() {
                    Some(name) if !renamed => name.replace('-', "_"),
                    _ => spec.crate_name(),
                };
                if target["kind"]
                    .as_array()
                    .is_some_and(|kinds| kinds.iter().any(|kind| kind == "proc-macro"))
                {
                    crates.macros.push(name.clone());
                }
                crates.versions.insert(spec.key.clone(), version.clone());
                crates.libraries.insert(name, library.clone());
            }
        }
        crates
    }
}

/// Runs cargo; returns success, its messages and what it wrote to stderr.
fn run(
    mut command: Command,
    running: &Running,
    progress: &dyn Fn(&str),
) -> Result<(bool, Vec<Value>, String), Error> {
    let broken = |error: std::io::Error| {
        Error::new("cargo does not run", error.to_string(), "headwater doctor")
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that an interrupt ends the compilers below it as well.
        .process_group(0)
        .spawn()
        .map_err(broken)?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    running.watch(child);
    let messages = std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect::<Vec<Value>>()
    });
    let mut said = String::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        progress(line.trim());
        said.push_str(&line);
        said.push('\n');
    }
    let messages = messages.join().expect("reading lines does not panic");
    let status = running.wait().map_err(broken)?;
    if status.code().is_none() {
        return Err(Error::new(
            "interrupted while dependencies were being compiled",
            "cargo was stopped; what it has finished is kept",
            "run the cell again",
        ));
    }
    Ok((status.success(), messages, said))
}

fn library_of(message: &Value) -> Option<PathBuf> {
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let files = message["filenames"].as_array()?;
    let paths = files.iter().filter_map(Value::as_str).map(PathBuf::from);
    let is_library = |path: &PathBuf| {
        path.extension()
            .is_some_and(|end| end == "rlib" || end == "so")
    };
    // What build scripts use is built at opt 0 and is not what cells link.
    let for_cells = message["profile"]["opt_level"] != "0"
        || files
            .iter()
            .any(|file| file.as_str().is_some_and(|file| file.ends_with(".so")));
    paths.into_iter().find(is_library).filter(|_| for_cells)
}

/// Reads name and version out of a package id: `registry+https://…#rand@0.10.4`, or
/// `path+file:///home/me/mine#0.1.0` where the folder has the package's name.
fn package_of(message: &Value) -> (String, String) {
    let id = message["package_id"].as_str().unwrap_or_default();
    let (place, rest) = id.split_once('#').unwrap_or((id, ""));
    match rest.split_once('@') {
        Some((name, version)) => (name.to_owned(), version.to_owned()),
        None => {
            let folder = Path::new(place).file_name().unwrap_or_default();
            (folder.to_string_lossy().into_owned(), rest.to_owned())
        }
    }
}

fn refused(specs: &[Spec], offline: bool, said: &str) -> Error {
    let reason = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .skip_while(|line| !line.starts_with("error"))
        .take(12)
        .collect::<Vec<_>>()
        .join("\n        ");
    let git = specs.iter().find_map(Spec::git);
    let (what, attempt) = match git {
        _ if said.contains("could not compile") => (
            "a dependency does not compile".to_owned(),
            "another version, or the package that the message asks for",
        ),
        Some(git) if offline || said.contains("git") => (
            format!("the git repository `{git}` cannot be fetched"),
            "a network, or a copy on this machine: { path = \"…\" }",
        ),
        _ if offline => (
            "a dependency is not on this machine, and :offline is set".to_owned(),
            ":offline 0",
        ),
        _ => (
            "a dependency cannot be had".to_owned(),
            "another name, version or feature; a network; or { path = \"…\" }",
        ),
    };
    Error::new(what, reason, attempt)
}
