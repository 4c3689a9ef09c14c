//! What this machine has: compiler, linker, disk, Python, prelude.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use super::SetupError;
use super::folders::{self, Folders, jupyter_data_of_person};
use super::jupyter::Jupyter;
use super::kernelspec;
use super::packages::{Need, install_line, typed};
use super::python::Python;
use crate::evaluate::{Manifest, rustc_version};

/// The oldest compiler that builds the prelude.
const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");
/// Space for the environment with JupyterLab, an installed prelude and compiled cells.
const ROOM_TO_RUN: u64 = 2_000_000_000;
/// Space that a build from nothing takes besides.
const ROOM_TO_BUILD: u64 = 8_000_000_000;

/// Whether what was looked for is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// Missing, and nothing in the lessons needs it.
    Optional,
    Missing,
}

/// One thing that was looked for.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    pub found: String,
    /// What to type where it is missing.
    #[serde(rename = "try", skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check {
            name,
            verdict: Verdict::Ok,
            found: found.into(),
            attempt: None,
        }
    }

    fn missing(name: &'static str, found: impl Into<String>, attempt: impl Into<String>) -> Check {
        let attempt = Some(attempt.into());
        Check {
            name,
            verdict: Verdict::Missing,
            found: found.into(),
            attempt,
        }
    }

    fn optional(self) -> Check {
        match self.verdict {
            Verdict::Missing => Check {
                verdict: Verdict::Optional,
                ..self
            },
            _ => self,
        }
    }
}

/// Looks at everything.
pub fn all() -> Vec<Check> {
    let installed = folders::ready_prelude();
    let jupyter = jupyter();
    let python = match jupyter.verdict {
        Verdict::Ok => python().optional(),
        _ => python(),
    };
    vec![
        rustc(),
        linker(),
        rust_lld().optional(),
        disk(installed.is_some()),
        prelude_check(installed.as_deref()),
        python,
        jupyter.optional(),
        kernelspec_check().optional(),
    ]
}

/// Returns one line about compiler and linker.
///
/// # Errors
/// When one of them is missing or too old, with what to type.
pub fn build_tools() -> Result<String, SetupError> {
    let checks = [rustc(), linker()];
    match checks
        .iter()
        .find(|check| check.verdict == Verdict::Missing)
    {
        Some(missing) => Err(SetupError::new(
            format!("{} is missing or too old", missing.name),
            missing.found.clone(),
            missing.attempt.clone().unwrap_or_default(),
        )),
        None => Ok(checks.map(|check| check.found).join(", ")),
    }
}

fn rustc() -> Check {
    const UPDATE: &str = "rustup update stable";
    let version = match rustc_version() {
        Ok(version) => version,
        Err(error) => {
            let text = error.to_string();
            let have = text.lines().nth(1).unwrap_or_default().trim();
            let have = have.strip_prefix("have:").unwrap_or(have).trim();
            let attempt = "curl https://sh.rustup.rs -sSf | sh, then open a new terminal";
            return Check::missing("rustc", have, attempt);
        }
    };
    let first = version.lines().next().unwrap_or_default().to_owned();
    let number = first.split_whitespace().nth(1).unwrap_or_default();
    match numbers(number) >= numbers(OLDEST_RUST) {
        true => Check::ok("rustc", first),
        false => Check::missing("rustc", format!("{first}; {OLDEST_RUST} is needed"), UPDATE),
    }
}

/// `1.95.0-nightly` as numbers to compare.
fn numbers(version: &str) -> Vec<u32> {
    let plain = version.split('-').next().unwrap_or_default();
    plain
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

fn linker() -> Check {
    match first_line("cc", &["--version"]) {
        Some(line) => Check::ok("linker", line),
        None => Check::missing("linker", "no `cc` on PATH", install_line(Need::Compiler)),
    }
}

fn rust_lld() -> Check {
    let libdir = first_line("rustc", &["--print", "target-libdir"]).unwrap_or_default();
    let lld = Path::new(&libdir).with_file_name("bin").join("rust-lld");
    match lld.exists() {
        true => Check::ok("rust-lld", lld.display().to_string()),
        false => Check::missing(
            "rust-lld",
            "not in this toolchain; cells are linked by cc, which takes longer",
            "a toolchain from rustup: https://rustup.rs",
        ),
    }
}

fn disk(built: bool) -> Check {
    let wanted = if built {
        ROOM_TO_RUN
    } else {
        ROOM_TO_RUN + ROOM_TO_BUILD
    };
    let folder = match Folders::of_person() {
        Ok(folders) => folders.root().to_owned(),
        Err(error) => return Check::missing("disk", error.to_string(), "export HOME=/home/you"),
    };
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    match free_bytes(&folder) {
        Some(free) if free >= wanted => {
            let found = format!("{:.1} GB free at {}", gigabytes(free), folder.display());
            Check::ok("disk", found)
        }
        Some(free) => {
            let (free, wanted) = (gigabytes(free), gigabytes(wanted));
            let found = format!(
                "{free:.1} GB free at {}, {wanted:.0} GB needed",
                folder.display()
            );
            Check::missing(
                "disk",
                found,
                "make room, or export XDG_DATA_HOME=/a/larger/disk",
            )
        }
        None => Check::missing("disk", format!("{} has no size", folder.display()), "df -h"),
    }
}

/// Free space where `folder` is, or will be.
fn free_bytes(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let path = CString::new(there.as_os_str().as_bytes()).ok()?;
    // SAFETY: all-zero is a valid statvfs, and statvfs writes only into it.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends in a zero byte and both pointers live during the call.
    let answer = unsafe { libc::statvfs(path.as_ptr(), &mut stat) };
    (answer == 0).then(|| stat.f_bavail as u64 * stat.f_frsize as u64)
}

fn prelude_check(folder: Option<&Path>) -> Check {
    const BUILD: &str = "cargo headwater install, or cargo lab, in a clone of the repository";
    let Some((folder, manifest)) = folder.and_then(|it| Some((it, Manifest::read(it).ok()?)))
    else {
        return Check::missing("prelude", "not built yet", BUILD);
    };
    let first = |text: &str| text.lines().next().unwrap_or("unknown").to_owned();
    match rustc_version() {
        Ok(version) if version == manifest.rustc => {
            Check::ok("prelude", format!("{}, by this rustc", folder.display()))
        }
        _ => {
            let found = format!(
                "{} was built by {}",
                folder.display(),
                first(&manifest.rustc)
            );
            Check::missing("prelude", found, BUILD)
        }
    }
}

fn python() -> Check {
    let python = match Python::find() {
        Ok(python) => python,
        Err(_) => return Check::missing("python", "no Python 3", install_line(Need::Python)),
    };
    let (major, minor) = python.version;
    let found = format!("{major}.{minor} at {}", python.path.display());
    match python.makes_environments {
        true => Check::ok("python", format!("{found}, with venv")),
        false => Check::missing(
            "python",
            format!("{found}, without venv"),
            install_line(Need::Python),
        ),
    }
}

fn jupyter() -> Check {
    const MAKE: &str = "cargo lab, which makes an environment with it";
    let Ok(folders) = Folders::of_person() else {
        return Check::missing("jupyterlab", "no home folder", "export HOME=/home/you");
    };
    let found = Jupyter::on_path(&folders).or_else(|| Jupyter::in_ready_environment(&folders));
    match found {
        Some(jupyter) => {
            let program = jupyter.command[0].to_string_lossy();
            Check::ok("jupyterlab", format!("{} at {program}", jupyter.version))
        }
        None => Check::missing("jupyterlab", "not on PATH, no environment yet", MAKE),
    }
}

fn kernelspec_check() -> Check {
    let install = typed("install");
    let Ok(data) = jupyter_data_of_person() else {
        return Check::missing("kernelspec", "no home folder", "export HOME=/home/you");
    };
    let wheel = folders::environment_of_this_binary();
    match (kernelspec::read(&data), wheel) {
        (None, Some(environment)) => {
            let found = format!("in {}, where pip put it", environment.display());
            Check::ok("kernelspec", found)
        }
        (None, None) => Check::missing(
            "kernelspec",
            "not installed; cargo lab brings its own",
            install,
        ),
        (Some(spec), _) if !spec.binary.exists() => {
            let found = format!("names {}, which is gone", spec.binary.display());
            Check::missing("kernelspec", found, install)
        }
        (Some(spec), _) => Check::ok("kernelspec", format!("starts {}", spec.binary.display())),
    }
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().unwrap_or_default().to_owned();
    output.status.success().then_some(line)
}
