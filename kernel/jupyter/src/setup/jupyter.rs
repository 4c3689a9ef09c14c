//! The JupyterLab on PATH, or else one in an environment of our own.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::folders::{Folders, jupyter_data_of_prefix};
use super::packages::{Need, install_line, on_path};
use super::progress::Step;
use super::python::Python;
use super::{SetupError, file_error};

/// The versions that go into our own environment.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The oldest JupyterLab that shows updates in place and widgets as the lessons need them.
const OLDEST_LAB: u32 = 4;

/// A JupyterLab that can be started.
#[derive(Debug, Clone)]
pub struct Jupyter {
    /// The program and its first arguments.
    pub command: Vec<OsString>,
    pub version: String,
    /// The folder below which `lab` writes its kernelspec, for this JupyterLab alone.
    pub data: PathBuf,
}

impl Jupyter {
    /// Returns the JupyterLab that PATH finds, if it is new enough.
    pub fn on_path(folders: &Folders) -> Option<Jupyter> {
        let program = on_path("jupyter")?;
        let output = Command::new(&program)
            .args(["lab", "--version"])
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        let major: u32 = version.split('.').next()?.parse().ok()?;
        let new_enough = output.status.success() && major >= OLDEST_LAB;
        new_enough.then(|| Jupyter {
            command: vec![program.into(), "lab".into()],
            version,
            data: folders.lab().join("data"),
        })
    }

    /// Returns the JupyterLab of our own environment; makes the environment if it is missing,
    /// half-made, or made for other versions.
    ///
    /// # Errors
    /// When Python or its `venv` is missing or pip does not reach its index, with what to type.
    pub fn in_own_environment(folders: &Folders, step: &Step) -> Result<Jupyter, SetupError> {
        if let Some(ready) = Jupyter::in_ready_environment(folders) {
            return Ok(ready);
        }
        let venv = folders.venv();
        let python = Python::find()?;
        make_environment(&python, &venv, step)?;
        install_requirements(&venv, step)?;
        Ok(Jupyter::of_environment(&venv))
    }

    /// Returns the JupyterLab of our own environment, if that is complete.
    pub fn in_ready_environment(folders: &Folders) -> Option<Jupyter> {
        let venv = folders.venv();
        is_ready(&venv).then(|| Jupyter::of_environment(&venv))
    }

    fn of_environment(venv: &Path) -> Jupyter {
        Jupyter {
            command: vec![program_of(venv).into(), "-m".into(), "jupyterlab".into()],
            version: pinned("jupyterlab").unwrap_or_default().to_owned(),
            data: jupyter_data_of_prefix(venv),
        }
    }
}

/// Whether the environment holds the versions of today; its last step writes this file.
fn is_ready(venv: &Path) -> bool {
    fs::read_to_string(marker(venv)).is_ok_and(|text| text == REQUIREMENTS)
        && program_of(venv).exists()
}

fn program_of(venv: &Path) -> PathBuf {
    venv.join("bin").join("python")
}

fn marker(venv: &Path) -> PathBuf {
    venv.join("headwater-requirements.txt")
}

fn make_environment(python: &Python, venv: &Path, step: &Step) -> Result<(), SetupError> {
    let (major, minor) = python.version;
    if !python.makes_environments {
        return Err(SetupError::new(
            "this Python cannot make a virtual environment",
            format!(
                "{} is {major}.{minor}, without venv or ensurepip",
                python.path.display()
            ),
            install_line(Need::Python),
        ));
    }
    step.say(&format!(
        "making an environment with Python {major}.{minor}"
    ));
    let output = Command::new(&python.path)
        .args(["-m", "venv", "--clear"])
        .arg(venv)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| file_error("Python does not run", &python.path, &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(SetupError::new(
        "the environment for JupyterLab could not be made",
        last_lines(&String::from_utf8_lossy(&said), 4),
        install_line(Need::Python),
    ))
}

fn install_requirements(venv: &Path, step: &Step) -> Result<(), SetupError> {
    let program = program_of(venv);
    let list = venv.join("requirements.txt");
    let fail = |error: std::io::Error| {
        file_error(
            "the environment for JupyterLab could not be written",
            &list,
            &error,
        )
    };
    fs::write(&list, REQUIREMENTS).map_err(fail)?;
    let log = venv.join("pip.log");
    let errors = fs::File::create(&log).map_err(fail)?;
    let mut pip = Command::new(&program)
        .args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
        ])
        .arg("--requirement")
        .arg(&list)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(|error| file_error("pip does not run", &program, &error))?;
    step.say("pip installs JupyterLab");
    for line in BufReader::new(pip.stdout.take().expect("stdout is piped"))
        .lines()
        .map_while(Result::ok)
    {
        if let Some(package) = line.strip_prefix("Collecting ") {
            let name = package.split(['=', '<', '>', '!', '~', '[', ' ']).next();
            step.say(&format!("pip gets {}", name.unwrap_or(package)));
        } else if line.starts_with("Installing collected packages") {
            step.say("pip unpacks");
        }
    }
    let ended = pip
        .wait()
        .map_err(|error| file_error("pip does not run", &program, &error))?;
    if !ended.success() {
        let said = fs::read_to_string(&log).unwrap_or_default();
        return Err(pip_error(&said, &log));
    }
    fs::write(marker(venv), REQUIREMENTS).map_err(fail)
}

fn pip_error(said: &str, log: &Path) -> SetupError {
    const NO_NETWORK: [&str; 5] = [
        "NewConnectionError",
        "NameResolutionError",
        "Temporary failure in name resolution",
        "ConnectTimeoutError",
        "ProxyError",
    ];
    let have = format!(
        "{}\n        all of it: {}",
        last_lines(said, 2),
        log.display()
    );
    match NO_NETWORK.iter().any(|sign| said.contains(sign)) {
        true => SetupError::new(
            "pip does not reach the Python package index, which the first start needs",
            have,
            "connect and run it again, or: pip install jupyterlab elsewhere and put jupyter on PATH",
        ),
        false => SetupError::new(
            "pip could not install JupyterLab",
            have,
            "headwater doctor, then run it again",
        ),
    }
}

/// Returns the last `count` lines with text, on one line.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    match lines.len() {
        0 => "it said nothing".to_owned(),
        _ => lines[lines.len().saturating_sub(count)..].join("\n        "),
    }
}

/// Returns the version of `package` that our own environment gets.
fn pinned(package: &str) -> Option<&'static str> {
    let mut pins = REQUIREMENTS
        .lines()
        .filter_map(|line| line.split_once("=="));
    pins.find(|(name, _)| *name == package)
        .map(|(_, version)| version)
}
